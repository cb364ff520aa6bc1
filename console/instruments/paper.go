package instruments

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"detente/api"
	"detente/api/drafting"
	"detente/console/cases"
	"detente/form"
	"detente/traffic"
)

// Manifest is what is initialled and signed, with where its parts are saved.
type Manifest struct {
	drafting.Manifest
	Counts    bool // the instrument stands by it
	Proposes  bool // this officer may open its sealing round
	Href      string
	Save      string
	Originals []Original
}

// Original is the text as a party keeps it.
type Original struct {
	drafting.Original
	Name string // of its language
	Ours bool
}

func (f *File) manifest(d *cases.Desk, m *drafting.Manifest) Manifest {
	out := Manifest{Manifest: *m, Counts: m.Hash == current(&f.File), Href: statement(d, m.Statement)}
	for _, o := range m.Originals {
		out.Originals = append(out.Originals, Original{o, column(o.Lang, d.Lang).Name, string(o.Party) == f.Self})
	}
	return out
}

// Rise is a step up the ladder that this party may take now.
type Rise struct {
	Step     string // as the node calls it; manifest for the terms
	Name     string // phrase
	Manners  []cases.Choice
	Effects  []cases.Choice // of a manifest
	Compares []Column       // languages that are compared, to certify
	After    *After         // of a text that is authentic: what its form asks for
	Given    url.Values     // what was written in it when it was not done
}

// Tried tells whether this is the form that was not done: it is unfolded then.
func (r *Rise) Tried() bool { return r.Given != nil }

// Was is what was written in a field of it.
func (r *Rise) Was(field string) string { return r.Given.Get(field) }

// steps are what this party may do on the ladder now.
func (f *File) steps(d *cases.Desk) (out []Rise) {
	if !f.Speaks {
		return nil
	}
	choices := func(group string, codes ...string) (out []cases.Choice) {
		for _, c := range codes {
			out = append(out, cases.Choice{Value: c, Label: d.Say(group + c)})
		}
		return out
	}
	for _, next := range f.Next {
		switch next {
		case "certify":
			r := Rise{Step: "certify", Name: "step.certify"}
			for _, l := range f.Languages {
				r.Compares = append(r.Compares, column(l, d.Lang))
			}
			out = append(out, r)
		case "manifest":
			out = append(out, Rise{Step: "manifest", Name: "step.manifest", Effects: choices("manifest.effect.", "sealing", "date", "procedures")})
		case "initial":
			out = append(out, Rise{Step: "initial", Name: "step.initial"})
		case "sign":
			out = append(out, Rise{Step: "sign", Name: "step.sign", Manners: choices("manner.", "definitive", "ad-referendum", "subject-to-ratification")})
		case "confirm":
			out = append(out, Rise{Step: "confirm", Name: "step.confirm"})
		case "correct", "accept-correction", "suspend", "resume", "extend", "terminate", "revoke-notice":
			out = append(out, f.after(d, next))
		case "consent":
			out = append(out, Rise{Step: "consent", Name: "step.consent", Manners: choices("manner.", "ratification", "acceptance", "approval", "accession", "notification", "exchange")})
		}
	}
	tried := f.Given.Get("do")
	if tried == "step" {
		tried = f.Given.Get("step")
	}
	if tried == "object-to-correction" { // the other answer of the same form
		tried = "accept-correction"
	}
	for i := range out {
		if r := &out[i]; r.Step == tried {
			r.Given = f.Given
			r.chosen()
		}
	}
	return out
}

// chosen marks what was chosen when the form was not done.
func (r *Rise) chosen() {
	mark := func(field string, list []cases.Choice) {
		for i := range list {
			list[i].Chosen = slices.Contains(r.Given[field], list[i].Value)
		}
	}
	mark("manner", r.Manners)
	mark("effect", r.Effects)
	if a := r.After; a != nil {
		mark("step", a.Decisions)
		mark("provision", a.Provision)
		mark("in", a.Provisions)
	}
}

// terms are those of a manifest, as they were written. Error: a problem, for what cannot be read.
func terms(given url.Values, v drafting.Voice) (drafting.Terms, error) {
	r := drafting.Terms{
		Voice: v, Effect: given.Get("effect"), Duration: strings.TrimSpace(given.Get("duration")), Renewal: strings.TrimSpace(given.Get("renewal")), Notice: strings.TrimSpace(given.Get("notice")),
		Sealers: strings.Fields(given.Get("sealers")), Delta: strings.TrimSpace(given.Get("delta")), After: strings.TrimSpace(given.Get("after")),
	}
	broken := func(what string) error {
		return &api.Problem{Status: http.StatusUnprocessableEntity, Code: "form-broken", Fields: []string{form.Visible(what)}}
	}
	var err error
	if s := strings.TrimSpace(given.Get("faulty")); s != "" {
		if r.Faulty, err = strconv.Atoi(s); err != nil {
			return r, broken(s)
		}
	}
	if s := strings.ToUpper(strings.TrimSpace(given.Get("deadline"))); s != "" {
		if r.Deadline, err = form.ParseDTG(s); err != nil {
			return r, broken(s)
		}
	}
	if s := strings.ToUpper(strings.TrimSpace(given.Get("date"))); s != "" {
		if r.Date, err = form.ParseDTG(s); err != nil {
			return r, broken(s)
		}
	}
	if name := strings.TrimSpace(given.Get("name")); name != "" {
		c := drafting.TermsChannel{Name: name, Regime: strings.TrimSpace(given.Get("regime")), Protected: given.Get("protected") != ""}
		for p := range strings.FieldsSeq(given.Get("posts")) {
			c.Posts = append(c.Posts, traffic.Post(p))
		}
		r.Channels = slices.Concat(r.Channels, []drafting.TermsChannel{c})
	}
	return r, nil
}

// Download is a paper that is made of the text.
type Download struct {
	Name string // phrase
	Lang string // empty: all that there are
	Href string
}

// papers are the formats in which the text is saved, and what such a file is.
func papers() map[string]string {
	return map[string]string{
		"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "pdf": "application/pdf", "akn": "application/akn+xml",
	}
}

// downloads are the papers of the text: one for a word processor, one to be printed for the languages that stand beside each other, and one for
// collections of legal texts in each language.
func (f *File) downloads(d *cases.Desk) []Download {
	at := func(format string, langs ...string) string {
		return d.To("/instrument/paper", "n", f.ID, "format", format, "langs", strings.Join(langs, " "))
	}
	var shown []string
	for _, c := range f.Columns {
		shown = append(shown, c.Lang)
	}
	out := []Download{{"paper.docx", "", at("docx")}, {"paper.pdf", "", at("pdf", shown...)}}
	for _, lang := range f.Languages {
		out = append(out, Download{"paper.akn", lang, at("akn", lang)})
	}
	return out
}

// Paper is one of them, to be saved.
func Paper(ctx context.Context, d *cases.Desk) (name, mediaType string, content []byte, err error) {
	format, langs := d.Query.Get("format"), strings.Fields(d.Query.Get("langs"))
	mediaType, known := papers()[format]
	if !known {
		return "", "", nil, notFound("no-page")
	}
	x, err := show(ctx, d)
	if err != nil {
		return "", "", nil, err
	}
	content, err = drafting.Client{Node: d.Client}.Document(ctx, x.ID, format, "", langs...)
	ending := "." + format
	if format == "akn" {
		ending = "." + strings.Join(langs, "-") + ".xml"
	}
	return strings.NewReplacer("/", "-", " ", "-").Replace(x.Number) + ending, mediaType, content, err
}
