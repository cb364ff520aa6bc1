package register

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"detente/acts"
	"detente/evidence"
	"detente/traffic"
)

// What pages may load: from the site itself, and nothing else. The page that verifies compiles WebAssembly too.
const (
	policy       = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
	policyVerify = "default-src 'none'; style-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
)

// page is what every page has.
type page struct {
	Lang, Dir, Title string
	Root, Home       string // how to reach the site's root and the language's first page from here
	Policy           string
	Others           []other
	Scripts          []string
	At               string
	Body             any
}

// other is the same page in one of the languages.
type other struct {
	Lang, Dir, Name, Href, Title string
	Here                         bool
}

// speaker writes the pages of one language.
type speaker struct {
	*site
	lang language.Tag
}

func (s *site) others(name string, lang language.Tag, root string) []other {
	var out []other
	for _, l := range s.langs {
		out = append(out, other{Lang: l.String(), Dir: s.dir(l), Name: display.Self.Name(l), Href: root + l.String() + "/" + name, Title: s.book.Phrase(l, "site.title"), Here: l == lang})
	}
	return out
}

func (s *site) dir(lang language.Tag) string {
	if s.book.RTL(lang) {
		return "rtl"
	}
	return "ltr"
}

// choose writes the page before all languages.
func (s *site) choose() {
	var b bytes.Buffer
	lang := s.langs[0]
	err := s.pages[lang].ExecuteTemplate(&b, "choose", page{Policy: policy, Others: s.others("index.html", lang, "")})
	s.out.give("index.html", b.Bytes(), err)
}

// speak writes every page of one language.
func (s *site) speak(lang language.Tag) {
	p := &speaker{s, lang}
	p.index()
	p.write("about.html", "about", page{At: "about", Title: p.T("site.about"), Body: acts.States()})
	p.verify()
	people := make(map[traffic.Party][]*view)
	for _, v := range s.views {
		p.instrument(v)
		for _, x := range v.order {
			people[x] = append(people[x], v)
		}
	}
	for x, views := range people {
		p.party(x, views)
	}
}

// T is a phrase in the language of the pages.
func (p *speaker) T(key string, args ...any) string { return p.book.Phrase(p.lang, key, args...) }

// write renders a page, at most a few folders below that of its language.
func (p *speaker) write(name, template string, pg page) {
	up := strings.Repeat("../", strings.Count(name, "/"))
	pg.Lang, pg.Dir, pg.Home, pg.Root = p.lang.String(), p.dir(p.lang), up, up+"../"
	if pg.Policy == "" {
		pg.Policy = policy
	}
	pg.Others = p.others(name, p.lang, pg.Root)
	full := path.Join(pg.Lang, name)
	p.out.make(full, func() ([]byte, error) {
		var b bytes.Buffer
		err := p.pages[p.lang].ExecuteTemplate(&b, template, pg)
		return b.Bytes(), err
	})
}

type indexRow struct {
	Slug, Kind, Nature, Entry string
	Title                     worded
	Bound                     int
}

func (p *speaker) index() {
	var rows []indexRow
	for _, v := range p.views {
		o := v.Verdict.Opening
		rows = append(rows, indexRow{v.slug, o.Kind, o.Nature, day(v.status.Entry), pick(p.lang, o.Title), v.status.Counts[acts.InForce]})
	}
	p.write("index.html", "index", page{At: "home", Body: rows})
}

type verifyBody struct {
	Verifier bool
	Bundles  []struct{ Name, Href string }
}

func (p *speaker) verify() {
	body := verifyBody{Verifier: p.Verifier != nil}
	for _, v := range p.views {
		body.Bundles = append(body.Bundles, struct{ Name, Href string }{in(p.lang, v.Verdict.Opening.Title), "bundles/" + v.slug + ".detente-register"})
	}
	pg := page{At: "verify", Title: p.T("verify.title"), Policy: policyVerify, Body: body}
	if body.Verifier {
		pg.Scripts = []string{"../wasm_exec.js", "../verify.js"}
	}
	p.write("verify.html", "verify", pg)
}

// top is what stands above every page of an instrument.
type top struct {
	Title                        worded
	Headline, Kind, Nature, Runs string
	Keeper, Known                string
	Tabs                         []tab
	Page                         any
}

type tab struct {
	Name, Href string
	Here       bool
}

func (p *speaker) top(v *view, at string) top {
	o := v.Verdict.Opening
	t := top{Title: pick(p.lang, o.Title), Kind: o.Kind, Nature: o.Nature, Runs: o.Rules.Runs, Keeper: p.name(v.Verdict.Keeper, p.lang, nil), Known: moment(v.Verdict.Known)}
	t.Headline = p.headline(v)
	for _, x := range [][2]string{{"status", "index.html"}, {"text", "text.html"}, {"acts", "acts-1.html"}, {"relations", "relations-1-1.html"}, {"history", "history-1.html"}, {"data", "data.html"}} {
		t.Tabs = append(t.Tabs, tab{x[0], x[1], x[0] == at})
	}
	return t
}

// headline answers the one question of an instrument: is it in force, and for how many?
func (p *speaker) headline(v *view) string {
	st := &v.status
	bound := st.Counts[acts.InForce]
	consented := bound + st.Counts[acts.Consented] + st.Counts[acts.Provisional]
	switch {
	case st.Ended != 0 && st.Ended <= v.on:
		return p.T("status.ended", day(st.Ended))
	case st.Entry != 0 && st.Entry <= v.on:
		return p.T("status.force", day(st.Entry), bound)
	case st.Entry != 0:
		return p.T("status.will", day(st.Entry), consented)
	}
	return p.T("status.not", consented, max(1, v.Verdict.Opening.Rules.Entry.Threshold))
}

func (p *speaker) instrument(v *view) {
	base := "i/" + v.slug + "/"
	title := in(p.lang, v.Verdict.Opening.Title)
	show := func(name, template, at string, body any) {
		t := p.top(v, at)
		t.Page = body
		pg := page{Title: title, Body: t}
		if template == "status" {
			pg.Scripts = []string{"../../../register.js"}
		}
		p.write(base+name, template, pg)
	}
	show("index.html", "status", "status", p.picture(v))
	show("text.html", "text", "text", p.text(v))
	p.acts(v, show)
	p.relations(v, show)
	p.history(v, show)
	show("data.html", "data", "data", p.evidence(v))
}

type textBody struct {
	Languages, Rules string
	Whole            bool
	Titles           []struct{ Lang, Text, Body string }
}

func (p *speaker) text(v *view) textBody {
	o := v.Verdict.Opening
	b := textBody{Languages: strings.Join(o.Languages, ", "), Whole: len(o.Texts) > 0}
	for _, t := range list(o.Title) {
		b.Titles = append(b.Titles, struct{ Lang, Text, Body string }{t.Lang, t.Text, o.Texts[t.Lang]})
	}
	for _, t := range list(o.Texts) {
		if o.Title[t.Lang] == "" {
			b.Titles = append(b.Titles, struct{ Lang, Text, Body string }{t.Lang, "", t.Text})
		}
	}
	rules, err := json.MarshalIndent(o.Rules, "", "  ")
	if err == nil { // what was read from JSON can be written
		b.Rules = string(rules)
	}
	return b
}

type dataBody struct {
	Slug, Size, Opening, Edition, ListRoot, Data string
	Keeper                                       traffic.Party
	Tiles                                        []string
}

func (p *speaker) evidence(v *view) dataBody {
	root := evidence.ActsRoot(nil)
	if l, _, err := evidence.DecodeEditionList(v.Verdict.File.List); err == nil {
		root = evidence.ActsRoot(l.Rows)
	}
	return dataBody{Slug: v.slug, Size: fmt.Sprintf("%d kB", (len(v.Bundle)+999)/1000), Opening: v.Verdict.Instrument, Edition: v.Verdict.Edition, ListRoot: hex.EncodeToString(root[:]),
		Data: "../../../data/" + v.slug + "/", Keeper: v.Verdict.Keeper, Tiles: p.tiles}
}

// link is another page of the same kind.
type link struct {
	Name, Href string
	Here       bool
}

func links(n, at int, href func(int) string) []link {
	if n < 2 {
		return nil
	}
	var out []link
	for i := 1; i <= n; i++ {
		out = append(out, link{fmt.Sprint(i), href(i), i == at})
	}
	return out
}

// region is the name of the region of a participant, and that by which regions are sorted, so that their order is one in all languages.
func (p *speaker) region(x traffic.Party) (name, key string) {
	r := p.Parties[x].Region
	return in(p.lang, r), in(language.English, r)
}

func (p *speaker) called(v *view, x traffic.Party) string {
	if l := v.lives[x]; l != nil {
		names := l.row.Names
		if len(names) == 0 && l.row.Name != "" {
			return l.row.Name
		}
		return p.name(x, p.lang, names)
	}
	return p.name(x, p.lang, nil)
}

func (p *speaker) code(x traffic.Party) string {
	if c := p.Parties[x].Code; c != "" {
		return c
	}
	return strings.ToUpper(string(x))
}

// byName sorts participants by what they are called; the code decides between equals.
func (p *speaker) byName(v *view) []traffic.Party {
	out := slices.Clone(v.order)
	names := make(map[traffic.Party]string, len(out))
	for _, x := range out {
		names[x] = p.called(v, x)
	}
	slices.SortStableFunc(out, func(a, b traffic.Party) int { return strings.Compare(names[a], names[b]) })
	return out
}
