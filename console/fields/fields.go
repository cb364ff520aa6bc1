// Package fields puts the fields of a form on the screen, and reads what was written there as the API takes it.
// It must never decide whether a value is one: the form does, at the node.
package fields

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"detente/api"
	"detente/console/paper"
	"detente/form"
)

// Field is a field of a form on the screen.
type Field struct {
	api.Field
	Value   string
	Until   string // of a window
	Options []Option
	Focus   bool
	When    string   // "field=code,code": shown only then, where there is script
	Texts   []Tongue // of texts in several languages
}

// Option is one of a field's codes.
type Option struct {
	Value, Label string
	Chosen       bool
}

// Tongue is the place for one language of a field that takes texts in several. The last one has no label: its tag is written in, too.
type Tongue struct {
	Name, Tag, Label, Value string
	Open                    bool // it is written in already, or probably will be
}

// Of is a field with what was given for it. Texts have a place for each of the languages, those of likely open, and one for any other.
func Of(f api.Field, given url.Values, languages []language.Tag, likely ...string) Field {
	name := "f." + f.Name
	out := Field{Field: f, Value: given.Get(name), Until: given.Get(name + ".until")}
	for i, code := range f.Codes {
		label := code
		if i < len(f.Labels) {
			label = f.Labels[i]
		}
		out.Options = append(out.Options, Option{code, label, slices.Contains(given[name], code)})
	}
	if f.When != nil {
		out.When = f.When.Field + "=" + strings.Join(f.When.Codes, ",")
	}
	if f.Kind != "texts" {
		return out
	}
	for _, l := range languages {
		tag := l.String()
		value := given.Get(name + "." + tag)
		out.Texts = append(out.Texts, Tongue{name + "." + tag, tag, paper.Native(l), value, value != "" || slices.Contains(likely, tag)})
	}
	other := Tongue{Name: name, Tag: given.Get(name + ".other"), Value: given.Get(name + ".words")}
	other.Open = other.Value != ""
	out.Texts = append(out.Texts, other)
	return out
}

// Written is what a form on the screen says, as the API takes it. The request's form is parsed.
func Written(f api.Form, r *http.Request, languages []language.Tag) (api.Words, error) {
	g := r.PostForm
	w := api.Words{Form: f.ID, Text: make(map[string]string), Language: g.Get("language"), Marking: strings.TrimSpace(g.Get("marking"))}
	for _, field := range f.Fields {
		name := "f." + field.Name
		value := text(g.Get(name))
		switch field.Kind {
		case "codes":
			value = strings.Join(g[name], ",")
		case "texts":
			texts(field.Name, g, languages, w.Text)
			continue
		case "time":
			value = strings.ToUpper(value)
		case "window":
			if until := strings.TrimSpace(g.Get(name + ".until")); value != "" || until != "" {
				value = strings.ToUpper(value + "/" + until)
			}
		case "blob", "blobs":
			files, err := Files(r, name)
			if err != nil {
				return w, err
			}
			for _, a := range files {
				a.Field = field.Name
				w.Attachments = append(w.Attachments, a)
			}
			continue
		}
		if value != "" {
			w.Text[field.Name] = value
		}
	}
	return w, nil
}

// text is what a browser sends of an area, as the API takes it.
func text(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\r\n", "\n") }

// texts puts what stands in the places of a field's languages among the words.
func texts(name string, g url.Values, languages []language.Tag, into map[string]string) {
	put := func(tag, s string) {
		if s = text(s); s != "" {
			into[name+"."+tag] = s
		}
	}
	for _, l := range languages {
		put(l.String(), g.Get("f."+name+"."+l.String()))
	}
	put(strings.TrimSpace(g.Get("f."+name+".other")), g.Get("f."+name+".words"))
}

// Files are those chosen for one field of the screen.
func Files(r *http.Request, name string) (out []api.Attachment, err error) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	for _, h := range r.MultipartForm.File[name] {
		if h.Size == 0 {
			continue
		}
		f, err := h.Open()
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		kind := h.Header.Get("Content-Type")
		if kind == "" {
			kind = "application/octet-stream"
		}
		out = append(out, api.Attachment{Name: h.Filename, Type: kind, Data: b})
	}
	return out, nil
}

// Words counts the words in which a person says something, as an urgent statement is bounded: of texts in several languages the longest.
func Words(f api.Form, given map[string]string) int {
	n := 0
	for _, field := range f.Fields {
		switch field.Kind {
		case "text", "line":
			n += form.Words(given[field.Name])
		case "texts":
			longest := 0
			for name, s := range given {
				if strings.HasPrefix(name, field.Name+".") {
					longest = max(longest, form.Words(s))
				}
			}
			n += longest
		}
	}
	return n
}
