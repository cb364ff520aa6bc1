package talks

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"detente/api"
	"detente/api/drafting"
	"detente/api/talks"
	"detente/console/cases"
	"detente/traffic"

	"golang.org/x/text/language"
)

// File answers, of one series or group: when do we meet, what is agreed, who owes what?
type File struct {
	talks.File
	Self      string
	Group     bool
	Row       Row
	Names     []Words
	Mandate   string
	Rounds    []Round // the newest first
	Older     []Round // those that were held, but for the last
	Actions   []Action
	Papers    []Paper
	Thread    []Post
	Reports   []Report
	Sessions  []Session
	Session   *Heard // what was said in one of them; nil where none was asked for
	Statement []Said

	Speaks bool   // this officer may say something in it
	Signs  bool   // and sign minutes
	Leads  bool   // the rapporteur is of this party
	Member bool   // this party has a member in the group
	Action string // where what is said goes
	Posts  []cases.Choice
	Forms  map[string][]cases.Choice // codes of the fields of its forms: "round-proposal.mode"
	Choose Choose
	Spoken []Tongue // languages in which its texts are written
	Given  url.Values
	Done   string // what was tried last
	Offer  bool   // a lighter form was chosen in the list
	Refuse *cases.Refusal
}

// Choose is what a form on the page may be about.
type Choose struct {
	Rounds  []cases.Choice // to come
	Every   []cases.Choice // all of them
	Past    []cases.Choice // of which it may be said that they were held
	Actions []cases.Choice // open
	Members []cases.Choice
	Reports []cases.Choice
	Keep    []cases.Choice // how long what is said in a session is kept
	Texts   []cases.Choice // agenda and minutes
}

// Words are a text in one of its languages.
type Words struct{ Lang, Text string }

// Tongue is a language in which something is to be written.
type Tongue struct{ Lang, Field string }

// Action is an action with its words in the reader's language first.
type Action struct {
	talks.Action
	Words []Words
	Ours  bool
	Href  string
}

// Paper is a paper on the table.
type Paper struct {
	talks.Paper
	Titles []Words
	Href   string
}

// Post is a word in a group.
type Post struct {
	talks.Post
	Href   string
	Answer string // number of what it answers
}

// Said is a statement.
type Said struct {
	talks.Entry
	Href string
}

// Titled is its name.
func (f *File) Titled() string { return f.Name }

// Was is what was written in a field of a form that was not done.
func (f *File) Was(field string) string { return f.Given.Get(field) }

// Tried tells whether a form was the one that was not done: it is unfolded then.
func (f *File) Tried(what string) bool { return f.Done == what }

// MakeFile makes the page of a series or a group.
func MakeFile(ctx context.Context, d *cases.Desk) (*File, error) { return file(ctx, d, url.Values{}) }

func file(ctx context.Context, d *cases.Desk, given url.Values) (*File, error) {
	x, err := talks.Client{Node: d.Client}.Show(ctx, d.ID, d.Lang)
	if err != nil {
		return nil, err
	}
	if x.Plane != d.Plane { // a window never mixes planes
		return nil, notFound("other-plane")
	}
	f := &File{
		File: x, Self: string(d.Party), Group: x.Kind == "group", Row: row(d, x.Line), Names: words(x.Names, d.Lang), Given: given, Done: given.Get("do"), Speaks: d.May("send"), Signs: d.May("commit"),
		Action: at(d, x.ID), Forms: make(map[string][]cases.Choice),
	}
	if x.Mandate != "" {
		f.Mandate = d.To("/instrument", "n", x.Mandate)
	}
	f.Leads = party(x.Rapporteur) == f.Self
	f.Member = slices.ContainsFunc(x.Members, func(m string) bool { return party(m) == f.Self })
	for i := len(x.Rounds) - 1; i >= 0; i-- {
		r := f.round(d, &x.Rounds[i])
		if len(f.Rounds) > 0 && len(r.Held) > 0 && len(f.Rounds[len(f.Rounds)-1].Held) > 0 || len(f.Older) > 0 {
			f.Older = append(f.Older, r)
		} else {
			f.Rounds = append(f.Rounds, r)
		}
	}
	f.things(d)
	if f.Group {
		f.Row.While = MakeGoing(ctx, d).while(&x.Line)
		if err := f.reports(ctx, d); err != nil {
			return nil, err
		}
		if err := f.sessions(ctx, d); err != nil {
			return nil, err
		}
	}
	for i := len(x.Entries) - 1; i >= 0; i-- {
		f.Statement = append(f.Statement, Said{x.Entries[i], statement(d, x.Entries[i].ID)})
	}
	if f.Speaks {
		err = f.speak(ctx, d)
	}
	return f, err
}

// things are actions, papers and the thread.
func (f *File) things(d *cases.Desk) {
	for _, a := range f.File.Actions {
		row := Action{Action: a, Words: words(a.Texts, d.Lang), Ours: party(a.Owner) == f.Self, Href: statement(d, a.ID)}
		f.Actions = append(f.Actions, row)
	}
	slices.SortStableFunc(f.Actions, func(a, b Action) int {
		if open := a.State == "open"; open != (b.State == "open") {
			return map[bool]int{true: -1, false: 1}[open]
		}
		return a.Due.Compare(b.Due)
	})
	for i := len(f.File.Papers) - 1; i >= 0; i-- {
		p := f.File.Papers[i]
		f.Papers = append(f.Papers, Paper{p, words(p.Title, d.Lang), statement(d, p.ID)})
	}
	numbers := make(map[string]string)
	for _, p := range f.File.Thread {
		numbers[p.ID] = p.Number
		f.Thread = append(f.Thread, Post{p, statement(d, p.ID), numbers[p.To]})
	}
}

// speak prepares the forms: in whose name, with which codes, about what, in which languages.
func (f *File) speak(ctx context.Context, d *cases.Desk) error {
	channel, err := d.Client.Channel(ctx, f.ChannelID, d.Lang)
	if p, ok := cases.Problem(err); ok && p.Status < 500 {
		return nil // the node says itself what it lacks
	}
	if err != nil {
		return err
	}
	if f.Posts, err = d.Posts(channel); err != nil {
		return err
	}
	f.voice()
	f.codes(&channel)
	if offer := d.Query.Get("offer"); offer != "" {
		f.Offer = true
		choose(f.Forms["round-proposal.mode"], offer)
	}
	langs := f.Languages
	if len(langs) == 0 {
		langs = slices.Sorted(maps.Keys(f.File.Names))
	}
	for _, l := range langs[:min(len(langs), mostLanguages)] {
		if _, err := language.Parse(l); err == nil {
			f.Spoken = append(f.Spoken, Tongue{l, "t." + l})
		}
	}
	f.choices(d)
	return nil
}

// voice marks the post in whose name is spoken: the one that has spoken here already, else the one by which the other side opened it, where this side has such.
func (f *File) voice() {
	was := f.Was("post")
	for i := len(f.Entries) - 1; i >= 0 && was == ""; i-- {
		if party(f.Entries[i].By) == f.Self && f.Entries[i].Why == "" {
			_, was, _ = strings.Cut(f.Entries[i].By, "/")
		}
	}
	if was == "" {
		_, was, _ = strings.Cut(f.Opener, "/")
	}
	if slices.ContainsFunc(f.Posts, func(c cases.Choice) bool { return c.Value == was }) {
		choose(f.Posts, was)
	}
}

// Voice is that post, for a button that asks for nothing else.
func (f *File) Voice() string {
	for _, p := range f.Posts {
		if p.Chosen {
			return p.Value
		}
	}
	if len(f.Posts) > 0 {
		return f.Posts[0].Value
	}
	return ""
}

// mostLanguages is in how many languages a text can be, protocol.md#wording.
const mostLanguages = 24

// codes are those of the forms on the page, in words, with the one chosen that was given.
func (f *File) codes(channel *api.Channel) {
	for _, x := range channel.Forms {
		for _, field := range x.Fields {
			if len(field.Codes) == 0 || field.Kind != "code" {
				continue
			}
			var out []cases.Choice
			for i, code := range field.Codes {
				c := cases.Choice{Value: code, Label: code}
				if i < len(field.Labels) {
					c.Label = field.Labels[i]
				}
				out = append(out, c)
			}
			choose(out, f.Given.Get(field.Name))
			f.Forms[x.ID+"."+field.Name] = out
		}
	}
}

// choose marks a value as the chosen one, if it is there.
func choose(list []cases.Choice, value string) {
	for i := range list {
		list[i].Chosen = list[i].Value == value
	}
}

// choices are what the forms may be about.
func (f *File) choices(d *cases.Desk) {
	number := func(n int) cases.Choice {
		v := itoa(n)
		return cases.Choice{Value: v, Label: d.Say("talk.round", n), Chosen: f.Was("round") == v}
	}
	coming := false
	rounds := slices.Concat(f.Rounds, f.Older) // the newest first
	for _, r := range rounds {
		if len(r.Held) > 0 {
			continue
		}
		coming = coming || r.Number == f.Round
		f.Choose.Rounds = append(f.Choose.Rounds, number(r.Number))
		if r.Agreed != nil || len(r.Round.Proposals) > 0 {
			f.Choose.Past = append(f.Choose.Past, number(r.Number))
		}
	}
	if !coming && f.Round > 0 {
		f.Choose.Rounds = slices.Insert(f.Choose.Rounds, 0, number(f.Round))
	}
	for _, r := range rounds {
		if len(r.Held) > 0 {
			f.Choose.Past = append(f.Choose.Past, number(r.Number))
		}
	}
	if len(f.Choose.Past) == 0 {
		f.Choose.Past = f.Choose.Rounds
	}
	f.Choose.Every = slices.Clone(f.Choose.Rounds)
	for _, p := range f.Choose.Past {
		if !slices.ContainsFunc(f.Choose.Every, func(c cases.Choice) bool { return c.Value == p.Value }) {
			f.Choose.Every = append(f.Choose.Every, p)
		}
	}
	for _, a := range f.Actions {
		if a.State == "open" {
			f.Choose.Actions = append(f.Choose.Actions, cases.Choice{Value: a.ID, Label: a.Number + ": " + first(a.Words), Chosen: f.Was("about") == a.ID})
		}
	}
	for _, what := range []string{"agenda", "minutes"} {
		f.Choose.Texts = append(f.Choose.Texts, cases.Choice{Value: what, Label: d.Say("talk.text." + what), Chosen: f.Was("what") == what})
	}
	for _, k := range []string{"24h", "72h", "168h", "720h"} {
		f.Choose.Keep = append(f.Choose.Keep, cases.Choice{Value: k, Label: d.Say("talk.keep." + k), Chosen: f.Was("keep") == k})
	}
	for _, m := range f.Members {
		f.Choose.Members = append(f.Choose.Members, cases.Choice{Value: m, Label: m, Chosen: f.Was("member") == m})
	}
	for _, r := range f.Reports {
		if r.Title != "" {
			f.Choose.Reports = append(f.Choose.Reports, cases.Choice{Value: r.ID, Label: r.Number + ": " + r.Title, Chosen: f.Was("report") == r.ID})
		}
	}
}

// Report is a text that a group adopts, or one on its channel that it may adopt.
type Report struct {
	drafting.Draft
	talks.Report
	Href   string
	Of     bool            // the group has spoken on it
	Silent []traffic.Party // that have members and have not
}

// reports are those of which the group has spoken, and those that are drafted on its channel.
func (f *File) reports(ctx context.Context, d *cases.Desk) error {
	all, err := drafting.Client{Node: d.Client}.List(ctx, drafting.Listing{Channel: f.ChannelID, Plane: string(d.Plane), Lang: d.Lang})
	if err != nil && !absent(err) {
		return err
	}
	for _, r := range f.File.Reports {
		out := Report{Report: r, Of: true, Href: d.To("/instrument", "n", r.Negotiation)}
		for _, m := range f.Members {
			p := traffic.Party(party(m))
			if !slices.Contains(out.Silent, p) && !slices.ContainsFunc(r.Positions, func(x talks.Position) bool { return x.By == p }) {
				out.Silent = append(out.Silent, p)
			}
		}
		if i := slices.IndexFunc(all, func(x drafting.Draft) bool { return x.ID == r.Negotiation }); i >= 0 {
			out.Draft = all[i]
		}
		f.Reports = append(f.Reports, out)
	}
	for _, x := range all {
		known := slices.ContainsFunc(f.Reports, func(r Report) bool { return r.Negotiation == x.ID })
		if x.Kind == "report" && !known && len(f.Reports) < shown {
			f.Reports = append(f.Reports, Report{Draft: x, Href: d.To("/instrument", "n", x.ID)})
		}
	}
	return nil
}

// words are a text in its languages, the reader's own first.
func words(texts map[string]string, reader string) (out []Words) {
	base, _ := language.Make(reader).Base()
	for _, l := range slices.Sorted(maps.Keys(texts)) {
		if texts[l] == "" || len(out) == mostLanguages {
			continue
		}
		w := Words{l, texts[l]}
		if b, _ := language.Make(l).Base(); b == base {
			out = slices.Insert(out, 0, w)
		} else {
			out = append(out, w)
		}
	}
	return out
}

func first(list []Words) string {
	if len(list) == 0 {
		return ""
	}
	if r := []rune(list[0].Text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return list[0].Text
}

// party is the party of an address.
func party(address string) string {
	p, _, _ := strings.Cut(address, "/")
	return p
}

func has(list []traffic.Party, p string) bool { return slices.Contains(list, traffic.Party(p)) }
