package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// preferences is what an officer has set in this browser. They are his to change, so nothing rests on them.
type preferences struct {
	Lang  string            // empty: his own, or the browser's
	Theme string            // light, dark, or empty for the system's
	Keys  map[string]string // keys that he has moved, by what they do
}

// binding is what one key does.
type binding struct{ Name, Key string }

// bindings lists what keys do, with their usual key, console.md's.
func bindings() []binding {
	return []binding{
		{"next", "j"}, {"previous", "k"}, {"accept", "a"}, {"understood", "u"}, {"passed", "f"}, {"reply", "r"}, {"new", "n"}, {"loss", "l"},
		{"correct", "x"}, {"again", "e"}, {"search", "/"}, {"go", "g"}, {"help", "?"},
	}
}

func (s *Server) prefsName() string { return "detente-" + string(s.cfg.Party) + "-prefs" }

// preferences reads the cookie; what is not right in it is passed over.
func (s *Server) preferences(r *http.Request) preferences {
	p := preferences{Keys: make(map[string]string)}
	for _, b := range bindings() {
		p.Keys[b.Name] = b.Key
	}
	c, err := r.Cookie(s.prefsName())
	if err != nil || len(c.Value) > 2000 {
		return p
	}
	raw, err := url.QueryUnescape(c.Value)
	if err != nil {
		return p
	}
	v, err := url.ParseQuery(raw)
	if err != nil {
		return p
	}
	p.read(v)
	return p
}

func (p *preferences) read(v url.Values) {
	if l := v.Get("lang"); v.Has("lang") && len(l) <= 8 {
		p.Lang = l
	}
	if t := v.Get("theme"); t == "light" || t == "dark" || v.Has("theme") && t == "" {
		p.Theme = t
	}
	moved := make(map[string]string)
	for _, b := range bindings() {
		if k := []rune(v.Get("key-" + b.Name)); len(k) == 1 && k[0] > ' ' && k[0] != 0x7f {
			moved[b.Name] = string(k)
		}
	}
	// Two things on one key is no choice: then the keys stay as they were.
	all := make(map[string]bool)
	for name, k := range p.Keys {
		if m, ok := moved[name]; ok {
			k = m
		}
		all[k] = true
	}
	if len(all) == len(p.Keys) {
		for name, k := range moved {
			p.Keys[name] = k
		}
	}
}

func (p *preferences) cookie() string {
	v := url.Values{}
	if p.Lang != "" {
		v.Set("lang", p.Lang)
	}
	if p.Theme != "" {
		v.Set("theme", p.Theme)
	}
	for _, b := range bindings() {
		if k := p.Keys[b.Name]; k != b.Key {
			v.Set("key-"+b.Name, k)
		}
	}
	return url.QueryEscape(v.Encode())
}

// setPreferences keeps what was chosen, and goes back to the page on which it was.
func (s *Server) setPreferences(w http.ResponseWriter, r *http.Request) {
	if err := parse(r); err != nil {
		s.fail(w, s.stranger(r), err)
		return
	}
	p := s.preferences(r)
	if r.PostForm.Has("reset") {
		for _, b := range bindings() {
			p.Keys[b.Name] = b.Key
		}
	} else {
		p.read(r.PostForm)
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.prefsName(), Value: p.cookie(), Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, local(r.PostForm.Get("back")), http.StatusSeeOther)
}

// local is an address on this console; anything else becomes its first page, so that no link leads an officer elsewhere.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
		strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}

// language is the one in which a page is shown: chosen in this browser, else the officer's, else the first that the browser asks for.
func (s *Server) language(chosen, own string, r *http.Request) language.Tag {
	for _, l := range []string{chosen, own} {
		if t, err := language.Parse(l); err == nil && l != "" {
			if m := s.paper.Book.Match(t); slices.Contains(s.paper.Book.Languages(), m) {
				return m
			}
		}
	}
	wishes, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		wishes = nil
	}
	return s.paper.Book.Match(wishes...)
}
