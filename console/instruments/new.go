package instruments

import (
	"context"
	"net/url"
	"slices"

	"detente/api"
	"detente/api/drafting"
	"detente/console/cases"
	"detente/form"
	"detente/traffic"
)

// New is the page on which a negotiation is opened.
type New struct {
	Channels, Kinds, Natures, Templates, Posts []cases.Choice
	Languages                                  []Tongue
	Remarks                                    string
	Action                                     string
	Problem                                    *cases.Refusal
}

// Tongue is a language in which an instrument may be authentic, with its title in it.
type Tongue struct {
	Column
	Text   string
	Chosen bool
}

// Titled is empty: the screen's own name does.
func (n *New) Titled() string { return "" }

// MakeNew makes the page on which a negotiation is opened.
func MakeNew(ctx context.Context, d *cases.Desk) (*New, error) { return begin(ctx, d, url.Values{}) }

func begin(ctx context.Context, d *cases.Desk, given url.Values) (*New, error) {
	n := &New{Action: d.To("/instrument"), Remarks: given.Get("remarks")}
	channels, err := d.Client.Channels(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		if c.Kind != "common" || !c.Established {
			continue
		}
		full, err := d.Client.Channel(ctx, c.ID, d.Lang)
		if err != nil {
			return nil, err
		}
		for _, f := range full.Forms {
			if f.ID != "negotiation" {
				continue
			}
			n.Channels = append(n.Channels, cases.Choice{Value: c.ID, Label: c.Name, Chosen: c.ID == given.Get("channel")})
			posts, err := speakers(d, full)
			if err != nil {
				return nil, err
			}
			for _, p := range posts {
				if !slices.ContainsFunc(n.Posts, func(q cases.Choice) bool { return q.Value == p.Value }) {
					p.Chosen = p.Chosen && given.Get("post") == "" || p.Value == given.Get("post")
					n.Posts = append(n.Posts, p)
				}
			}
			if n.Kinds == nil {
				n.Kinds, n.Natures = options(&f, "kind", given), options(&f, "nature", given)
			}
		}
	}
	n.Templates = []cases.Choice{{Value: "", Label: d.Say("instruments.blank")}}
	templates, err := drafting.Client{Node: d.Client}.Templates(ctx, d.Lang)
	if err != nil && !absent(err) {
		return nil, err
	}
	for _, t := range templates {
		title := t.Title[own(t.Languages, d.Lang)]
		for _, l := range t.Languages {
			if title == "" {
				title = t.Title[l]
			}
		}
		n.Templates = append(n.Templates, cases.Choice{Value: t.Name, Label: form.Visible(title), Chosen: t.Name == given.Get("template")})
	}
	for _, l := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
		n.Languages = append(n.Languages, Tongue{Column: column(l, d.Lang), Text: given.Get("t." + l), Chosen: slices.Contains(given["language"], l)})
	}
	return n, nil
}

// options are the codes of a field, in words.
func options(f *api.Form, name string, given url.Values) (out []cases.Choice) {
	for _, x := range f.Fields {
		if x.Name != name {
			continue
		}
		for i, code := range x.Codes {
			c := cases.Choice{Value: code, Label: code, Chosen: given.Get(name) == code}
			if i < len(x.Labels) {
				c.Label = x.Labels[i]
			}
			out = append(out, c)
		}
	}
	return out
}

// open opens a negotiation.
func open(ctx context.Context, d *cases.Desk, given url.Values) (Done, error) {
	r := drafting.New{
		Voice: drafting.Voice{Post: traffic.Post(given.Get("post")), Language: d.Lang}, Channel: given.Get("channel"), Plane: d.Plane, Title: texts(given, given["language"]), Kind: given.Get("kind"), Nature: given.Get("nature"),
		Languages: given["language"], Template: given.Get("template"), Remarks: clean(given.Get("remarks")),
	}
	if r.Template != "" && len(r.Title) == 0 { // the template has its own
		r.Title, r.Languages, r.Kind, r.Nature = nil, nil, "", ""
	}
	sent, err := drafting.Client{Node: d.Client}.New(ctx, r)
	if err == nil {
		return Done{To: d.To("/instrument", "n", sent.ID, "said", "opened")}, nil
	}
	why, err := d.Refused(err)
	if err != nil {
		return Done{}, err
	}
	n, err := begin(ctx, d, given)
	if err == nil {
		n.Problem = why
	}
	return Done{New: n}, err
}
