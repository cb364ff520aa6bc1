package paper

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

// asset is a file of the interface under the hash of its content: it may be kept for ever, and a new program brings new addresses.
type asset struct {
	content []byte
	media   string
	path    string
}

type assets struct{ byName map[string]*asset }

// loadAssets reads the files. A style sheet names a font as "fonts/NAME", and a script another as "./NAME"; both become addresses. What is named
// names nothing itself.
func loadAssets(files fs.FS) (*assets, error) {
	a := &assets{byName: make(map[string]*asset)}
	var naming []*asset // those that name others
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		f := &asset{content: b, media: mediaType(name)}
		f.path = path.Base(name)
		a.byName[f.path] = f
		if bytes.Contains(b, []byte(`"fonts/`)) || bytes.Contains(b, []byte(`"./`)) {
			naming = append(naming, f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("paper: assets: %w", err)
	}
	place := func(f *asset) {
		sum := sha256.Sum256(f.content)
		f.path = "/static/" + hex.EncodeToString(sum[:8]) + "/" + f.path
	}
	for _, f := range a.byName {
		if !slices.Contains(naming, f) {
			place(f)
		}
	}
	for _, f := range naming {
		text := string(f.content)
		for name, other := range a.byName {
			if !slices.Contains(naming, other) {
				text = strings.NewReplacer(`"fonts/`+name+`"`, `"`+other.path+`"`, `"./`+name+`"`, `"`+other.path+`"`).Replace(text)
			}
		}
		f.content = []byte(text)
		place(f)
	}
	return a, nil
}

func mediaType(name string) string {
	switch path.Ext(name) {
	case ".woff2":
		return "font/woff2"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "text/plain; charset=utf-8"
}

// path is the address of a file; that of a file that is not there leads nowhere.
func (a *assets) path(name string) string {
	if f := a.byName[name]; f != nil {
		return f.path
	}
	return "/static/none/" + name
}

// ServeAsset answers GET /static/{hash}/{name}.
func (p *Paper) ServeAsset(w http.ResponseWriter, r *http.Request) {
	f := p.assets.byName[r.PathValue("name")]
	if f == nil || f.path != r.URL.Path {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.media)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Write(f.content)
}
