package talks

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"detente/api"
	"detente/api/talks"
	"detente/console/cases"
	"detente/traffic"
)

// New is the page on which a series or a group is opened.
type New struct {
	Channel, Name string // id and name
	Group         bool
	Posts         []cases.Choice
	Levels        []cases.Choice
	Every         []cases.Choice
	Rules         []cases.Choice
	Spoken        []Tongue
	Members       []string // of the channel
	Given         url.Values
	Action        string
	Refuse        *cases.Refusal
}

// Again is a page that is shown in answer to its own form, because something was not done.
type Again interface {
	Titled() string
	Screen() string
}

// Screen is the name of the page.
func (f *File) Screen() string { return "talk" }

// Screen is the name of the page.
func (n *New) Screen() string { return "talks.new" }

// Titled is empty: the screen's own name does.
func (n *New) Titled() string { return "" }

// Was is what was written in a field.
func (n *New) Was(field string) string { return n.Given.Get(field) }

// MakeNew makes the page on which a series or a group is opened.
func MakeNew(ctx context.Context, d *cases.Desk) (*New, error) { return begin(ctx, d, d.Query) }

func begin(ctx context.Context, d *cases.Desk, given url.Values) (*New, error) {
	c, err := d.Client.Channel(ctx, given.Get("channel"), d.Lang)
	if err != nil {
		return nil, err
	}
	n := &New{Channel: c.ID, Name: c.Name, Group: given.Get("form") == "group", Given: given, Action: d.To("/talks/new")}
	if n.Group && !c.Protected {
		return nil, &api.Problem{Status: http.StatusConflict, Code: "not-protected"}
	}
	if n.Posts, err = d.Posts(c); err != nil {
		return nil, err
	}
	f := &File{Given: given, Forms: make(map[string][]cases.Choice)}
	f.codes(&c)
	n.Levels, n.Rules = f.Forms["series.level"], f.Forms["group.rule"]
	for _, e := range []struct{ hours, key string }{{"730h", "month"}, {"2190h", "quarter"}, {"4380h", "half-year"}, {"8760h", "year"}} {
		chosen := given.Get("every")
		n.Every = append(n.Every, cases.Choice{Value: e.hours, Label: d.Say("talks.every." + e.key), Chosen: chosen == e.hours || chosen == "" && e.key == "half-year"})
	}
	for _, l := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
		n.Spoken = append(n.Spoken, Tongue{l, "t." + l})
	}
	for _, m := range c.Members {
		n.Members = append(n.Members, string(m))
	}
	return n, nil
}

// open opens a series or a group. It is in the languages in which its name was written.
func open(ctx context.Context, d *cases.Desk, g url.Values) (to string, again Again, err error) {
	text := func(name string) string { return strings.TrimSpace(g.Get(name)) }
	r := talks.Opening{Channel: g.Get("channel"), Plane: d.Plane, Post: traffic.Post(g.Get("post")), Words: api.Words{Form: "series", Text: make(map[string]string), Language: d.Lang}}
	names := []string{"level", "every", "hosts"}
	if g.Get("form") == "group" {
		r.Words.Form, names = "group", []string{"members", "rapporteur", "rule"}
	}
	for _, name := range names {
		r.Words.Text[name] = strings.ToLower(strings.Join(strings.FieldsFunc(text(name), func(c rune) bool { return c == ' ' || c == ',' || c == ';' || c == '،' }), ","))
	}
	var langs []string
	for _, l := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
		if name := text("t." + l); name != "" {
			r.Words.Text["name."+l] = name
			langs = append(langs, l)
		}
	}
	if r.Words.Form == "series" {
		r.Words.Text["languages"] = strings.Join(langs, " ")
	}
	for name, value := range r.Words.Text {
		if value == "" {
			delete(r.Words.Text, name)
		}
	}
	sent, err := talks.Client{Node: d.Client}.Open(ctx, r)
	if err == nil {
		return at(d, sent.ID, "said", "talk-opened"), nil, nil
	}
	if to := waits(d, err); to != "" {
		return to, nil, nil
	}
	why, err := d.Refused(err)
	if err != nil {
		return "", nil, err
	}
	n, err := begin(ctx, d, g)
	if err != nil {
		return "", nil, err
	}
	n.Refuse = why
	return "", n, nil
}

// waits is where a statement waits for a second person, when that is why it was not made.
func waits(d *cases.Desk, err error) string {
	p, ok := cases.Problem(err)
	if !ok || p.Code != "release-needed" {
		return ""
	}
	return d.To("/releases", "id", slices.Concat(p.Fields, []string{""})[0], "said", "waits")
}
