package docx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"detente/instrument"
)

// Read reads a document that was written here and edited by any word processor. The text is asked only for the names of provisions whose bookmarks are
// hashed; it may be empty. Errors: ErrFormat for a file that is no such document, ErrRefused (a *Refusal) for one that has what cannot be read.
func Read(r io.ReaderAt, size int64, base instrument.Text) (*Document, error) {
	if size > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrFormat, size, MaxFile)
	}
	var magic [8]byte
	if _, err := r.ReadAt(magic[:], 0); err == nil && bytes.Equal(magic[:4], []byte{0xd0, 0xcf, 0x11, 0xe0}) {
		return nil, fmt.Errorf("%w: it is encrypted, or of the format before 2007: save it as .docx without a password", ErrFormat)
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	main, err := examine(z)
	if err != nil {
		return nil, err
	}
	text, err := unpacked(main, MaxPart)
	if err != nil {
		return nil, err
	}
	b := &body{d: xml.NewDecoder(bytes.NewReader(text)), languages: base.Languages, hashed: make(map[string][2]string), seen: make(map[string]bool)}
	for _, c := range append([]instrument.Clause{{ID: instrument.Title}, {ID: instrument.Names}}, base.Clauses...) {
		for _, lang := range append([]string{numbers}, base.Languages...) {
			if n := name(c.ID, lang); hashed.MatchString(n) {
				b.hashed[n] = [2]string{c.ID, lang}
			}
		}
	}
	return b.document()
}

// examine looks at all parts, and finds the one with the text.
func examine(z *zip.Reader) (main *zip.File, err error) {
	if len(z.File) > maxParts {
		return nil, fmt.Errorf("%w: %d parts, at most %d are read", ErrFormat, len(z.File), maxParts)
	}
	parts := make(map[string]*zip.File)
	for _, f := range z.File {
		switch lower := strings.ToLower(f.Name); {
		case parts[lower] != nil:
			return nil, fmt.Errorf("%w: two parts are called %q", ErrFormat, f.Name)
		case f.Flags&1 != 0:
			return nil, fmt.Errorf("%w: it is encrypted", ErrFormat)
		case f.Method != zip.Store && f.Method != zip.Deflate:
			return nil, fmt.Errorf("%w: packing method %d", ErrFormat, f.Method)
		case strings.Contains(lower, "vbaproject") || strings.Contains(lower, "/activex/") || strings.Contains(lower, "/embeddings/") || strings.HasSuffix(lower, ".bin"):
			return nil, fmt.Errorf("%w: it holds a program or another file: %q", ErrFormat, f.Name)
		default:
			parts[lower] = f
		}
	}
	left := int64(maxRelations)
	target := ""
	for _, f := range z.File {
		isTypes := f.Name == "[Content_Types].xml"
		if path.Ext(f.Name) != ".rels" && !isTypes {
			continue
		}
		b, err := unpacked(f, left)
		if err != nil {
			return nil, err
		}
		left -= int64(len(b))
		if isTypes {
			if bytes.Contains(bytes.ToLower(b), []byte("macroenabled")) {
				return nil, fmt.Errorf("%w: it may hold programs: save it as .docx", ErrFormat)
			}
			continue
		}
		to, err := relations(f.Name, b)
		if err != nil {
			return nil, err
		}
		if f.Name == "_rels/.rels" {
			target = to
		}
	}
	main = parts[strings.ToLower(strings.TrimPrefix(path.Clean("/"+target), "/"))]
	if target == "" || main == nil {
		return nil, fmt.Errorf("%w: no text in it", ErrFormat)
	}
	return main, nil
}

// relations refuses what leads out of the file or embeds another one, and returns where the text is.
func relations(part string, b []byte) (main string, err error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return main, nil
		}
		if err != nil {
			return "", fmt.Errorf("%w: %s: %v", ErrFormat, part, err)
		}
		switch e := t.(type) {
		case xml.Directive:
			return "", fmt.Errorf("%w: %s declares a type", ErrFormat, part)
		case xml.StartElement:
			kind := path.Base(attribute(e, "Type"))
			switch {
			case strings.EqualFold(attribute(e, "TargetMode"), "External"):
				return "", &Refusal{Place: part, What: fmt.Sprintf("it leads out of the document, to %.60q: take out links and attached templates", attribute(e, "Target"))}
			case slices.Contains([]string{"aFChunk", "subDocument", "oleObject", "package", "control", "vbaProject"}, kind):
				return "", &Refusal{Place: part, What: "another file is embedded: " + kind}
			case kind == "officeDocument" && main == "":
				main = attribute(e, "Target")
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// unpacked is the content of a part, of no more than so many bytes, whatever the part says of itself.
func unpacked(f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("%w: %s is too large", ErrFormat, f.Name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	defer r.Close()
	var b bytes.Buffer // grows with what is there, not with what is announced
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if err != nil || n > limit {
		return nil, fmt.Errorf("%w: %s: %d bytes: %v", ErrFormat, f.Name, n, err)
	}
	return b.Bytes(), nil
}
