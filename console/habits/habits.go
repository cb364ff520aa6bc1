// Package habits is what an officer has set in a browser: the language, the colours, the keys.
// It must never hold anything on which something rests: whoever has the browser can change it.
package habits

import "net/url"

// Settings are what an officer has set in a browser.
type Settings struct {
	Lang  string            // empty: his own, or the browser's
	Theme string            // light, dark, or empty for the system's
	Keys  map[string]string // keys that he has moved, by what they do
}

// Binding is what one key does.
type Binding struct{ Name, Key string }

// Bindings lists what keys do, with their usual key, console.md's.
func Bindings() []Binding {
	return []Binding{
		{"next", "j"}, {"previous", "k"}, {"accept", "a"}, {"understood", "u"}, {"passed", "f"}, {"reply", "r"}, {"new", "n"}, {"loss", "l"},
		{"correct", "x"}, {"again", "e"}, {"search", "/"}, {"go", "g"}, {"help", "?"},
	}
}

// Usual are the settings of a browser that has set nothing.
func Usual() Settings {
	p := Settings{Keys: make(map[string]string)}
	for _, b := range Bindings() {
		p.Keys[b.Name] = b.Key
	}
	return p
}

// Parse reads what [Settings.Encode] wrote; what is not right in it is passed over.
func Parse(cookie string) Settings {
	p := Usual()
	if len(cookie) > 2000 {
		return p
	}
	raw, err := url.QueryUnescape(cookie)
	if err != nil {
		return p
	}
	v, err := url.ParseQuery(raw)
	if err != nil {
		return p
	}
	p.Read(v)
	return p
}

// Read takes what a form says.
func (p *Settings) Read(v url.Values) {
	if l := v.Get("lang"); v.Has("lang") && len(l) <= 8 {
		p.Lang = l
	}
	if t := v.Get("theme"); t == "light" || t == "dark" || v.Has("theme") && t == "" {
		p.Theme = t
	}
	moved := make(map[string]string)
	for _, b := range Bindings() {
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

// Encode writes the settings for a cookie.
func (p *Settings) Encode() string {
	v := url.Values{}
	if p.Lang != "" {
		v.Set("lang", p.Lang)
	}
	if p.Theme != "" {
		v.Set("theme", p.Theme)
	}
	for _, b := range Bindings() {
		if k := p.Keys[b.Name]; k != b.Key {
			v.Set("key-"+b.Name, k)
		}
	}
	return url.QueryEscape(v.Encode())
}
