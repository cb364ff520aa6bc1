package pages

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tdewolff/canvas"
)

// ErrFonts is that no usable font was found.
var ErrFonts = errors.New("pages: no font found")

// Fonts are the fonts that a transcript is set in: of each character the first that has it.
type Fonts struct{ list []*font }

type font struct {
	family *canvas.FontFamily
	has    func(rune) bool
}

// names are the files that are looked for, in order of preference, with the number of the font in each. Their outlines are those of TrueType: the Chinese
// fonts of Noto are of another kind, which cannot be cut down to the characters used.
func names() []string {
	return []string{
		"NotoSans-Regular.ttf", "DejaVuSans.ttf", // Latin, Cyrillic
		"NotoSansArabic-Regular.ttf", "NotoNaskhArabic-Regular.ttf",
		"DroidSansFallbackFull.ttf", "wqy-microhei.ttc", "wqy-zenhei.ttc", // Chinese
		"NotoSansMath-Regular.ttf", "NotoSansSymbols2-Regular.ttf",
	}
}

// Places are the folders in which systems keep fonts.
func Places() []string { return []string{"/usr/share/fonts", "/usr/local/share/fonts"} }

// FindFonts reads the fonts that it knows out of folders and those below them. Error: ErrFonts when there is none.
func FindFonts(folders ...string) (*Fonts, error) {
	found := make(map[string]string)
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // what cannot be read has no font
			}
			if base := d.Name(); slices.Contains(names(), base) && found[base] == "" {
				found[base] = path
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
	}
	f := &Fonts{}
	for _, name := range names() {
		if found[name] == "" {
			continue
		}
		b, err := os.ReadFile(found[name])
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
		family := canvas.NewFontFamily(name)
		if err := family.LoadFont(b, 0, canvas.FontRegular); err != nil {
			continue // a font of that name which is none
		}
		sfnt := family.Face(10, canvas.Black, canvas.FontRegular).Font.SFNT
		f.list = append(f.list, &font{family, func(r rune) bool { return sfnt.GlyphIndex(r) != 0 }})
	}
	if len(f.list) == 0 {
		return nil, ErrFonts
	}
	return f, nil
}

// Missing tells which characters of a text no font has, each once. On a page such a character stands as its number, [U+4E00].
func (f *Fonts) Missing(text string) (out []rune) {
	for _, r := range text {
		if !silent(r) && f.of(r) == nil && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

func (f *Fonts) of(r rune) *font {
	i := slices.IndexFunc(f.list, func(f *font) bool { return f.has(r) })
	if i < 0 {
		return nil
	}
	return f.list[i]
}
