package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/traffic"
)

// The agreement is negotiated on a channel that the depositary is on too. When it is in force it brings another into being, under the regime of its annex.
const (
	table    = "table"
	ministry = traffic.Post("mfa")
)

// negotiate has Northland and Southland settle the words of an agreement. Only what they table is stated; how far each would go stays in its own node.
func (p *play) negotiate(ctx context.Context) error {
	if err := p.north.propose(ctx, api.ProposeRequest{Name: table, Regime: "instruments/1"}, p.south, p.lake); err != nil {
		return err
	}
	p.step("channel %q agreed by the three, under the regime instruments/1: two negotiate, the third is to seal", table)
	opened, err := p.north.drafts().New(ctx, drafting.New{
		Channel: table, Template: "incidents-agreement", Parties: []traffic.Party{p.north.id, p.south.id}, Voice: voice(),
	})
	if err != nil {
		return err
	}
	p.draft = opened.ID
	if err := p.arrived(ctx, opened.Sent, p.north, nil, "negotiation opened", ""); err != nil {
		return err
	}
	f, err := p.reads(ctx, p.south, "the model agreement", func(f *drafting.File) bool { return len(f.Provisions) >= opened.Positions })
	if err != nil {
		return err
	}
	p.step("Northland tables the model agreement, %d provisions in %s: %s", opened.Positions, strings.Join(f.Languages, " and "), f.Title)

	if _, err := p.south.drafts().Accept(ctx, p.draft, drafting.Accept{All: true, Voice: voice()}); err != nil {
		return err
	}
	if _, err := p.south.drafts().Note(ctx, p.draft, drafting.NewNote{Provision: "notice-1", Kind: "fall-back", Words: "Four days will do."}); err != nil {
		return err
	}
	open := []struct{ id, en, other, ru, another string }{
		{"notice-1", "three days", "five days", "три дня", "пять дней"},
		{"incidents-1", "without delay", "within twenty-four hours", "безотлагательно", "в течение двадцати четырёх часов"},
		{"consultations-1", "annually", "twice a year", "ежегодно", "дважды в год"},
	}
	for _, o := range open {
		if err := p.change(ctx, p.south, o.id, o.en, o.other, o.ru, o.another); err != nil {
			return err
		}
	}
	differ := func(f *drafting.File) bool { return len(undecided(f)) == len(open) }
	if f, err = p.reads(ctx, p.north, "the positions of Southland", differ); err != nil {
		return err
	}
	p.step("Southland accepts the rest and wants other words in three places. Both read the same:")
	for _, x := range undecided(&f) {
		p.note("%s: %s", x.ID, around(x.Lines["en"]))
	}

	// Northland offers a middle in one, gives way in one, and stands on one.
	if err := p.change(ctx, p.north, "notice-1", "three days", "four days", "три дня", "четыре дня"); err != nil {
		return err
	}
	if _, err := p.north.drafts().Accept(ctx, p.draft, drafting.Accept{Provisions: []string{"consultations-1"}, Voice: voice()}); err != nil {
		return err
	}
	if _, err := p.reads(ctx, p.south, "the answer of Northland", func(f *drafting.File) bool {
		return slices.ContainsFunc(f.Provisions, func(x drafting.Provision) bool { return x.ID == "consultations-1" && x.Agreed }) &&
			slices.ContainsFunc(f.Provisions, func(x drafting.Provision) bool { return x.ID == "notice-1" && strings.Contains(x.Lines["en"], "four") })
	}); err != nil {
		return err
	}
	if _, err := p.south.drafts().Accept(ctx, p.draft, drafting.Accept{Provisions: []string{"notice-1", "incidents-1"}, Voice: voice()}); err != nil {
		return err
	}
	for _, a := range []*actor{p.north, p.south} {
		f, err := p.reads(ctx, a, "the clean text", func(f *drafting.File) bool { return f.Text != "" })
		if err != nil {
			return err
		}
		p.step("%s: every provision is agreed in both languages; the clean text has the digest %s…", a.name, f.Text[:16])
	}
	return nil
}

// sealed is how long both have to deposit their consent; the depositary waits as long again for what may be late, and then says once and for all whether the agreement is in force.
const sealed, late = 10 * time.Second, time.Second

// initial has both certify the languages, show their full powers, and initial one manifest: the text, both alternats, who is bound, who seals, until when.
func (p *play) initial(ctx context.Context) error {
	for _, a := range []*actor{p.north, p.south} {
		v := voice()
		v.Post = "council"
		if _, err := a.drafts().Issue(ctx, drafting.NewPowers{
			Voice: v, Instrument: p.draft, Representative: "Minister for Foreign Affairs", For: ministry, May: []string{"negotiate", "initial", "sign", "consent", "seal", "withdraw"},
			Authority: "head-of-state",
		}); err != nil {
			return err
		}
		if _, err := a.drafts().Step(ctx, p.draft, drafting.Step{Step: "certify", Languages: []string{"en", "ru"}, Officer: "Language service", Voice: voice()}); err != nil {
			return err
		}
	}
	for _, a := range []*actor{p.north, p.south} {
		if _, err := p.reads(ctx, a, "full powers and certificates", func(f *drafting.File) bool {
			return f.Stage == "certified"
		}); err != nil {
			return err
		}
	}
	p.step("both certify that the languages agree, and show full powers for their ministers")
	made, err := p.north.drafts().Manifest(ctx, p.draft, drafting.Terms{
		Voice: voice(), Sealers: []string{string(p.lake.id) + "/" + string(ministry)}, Deadline: time.Now().Add(sealed).Truncate(time.Second), Delta: late.String(),
		Duration: "P3Y", Renewal: "P3Y", Notice: "P6M",
	})
	if err != nil {
		return err
	}
	if _, err := p.reads(ctx, p.south, "the manifest", func(f *drafting.File) bool { return len(f.Manifests) > 0 }); err != nil {
		return err
	}
	p.manifest = made.Manifest
	p.step("Northland tables the manifest %s…: the text, the originals of both sides, who is bound, who seals and until when", made.Manifest.Hash[:16])
	for _, a := range []*actor{p.north, p.south} {
		if _, err := a.drafts().Step(ctx, p.draft, drafting.Step{Step: "initial", Voice: voice()}); err != nil {
			return err
		}
	}
	for _, a := range []*actor{p.north, p.south} {
		f, err := p.reads(ctx, a, "the initials", func(f *drafting.File) bool { return f.Frozen != "" })
		if err != nil {
			return err
		}
		p.step("%s: initialled by both; the text does not move any more (%s)", a.name, f.Stands)
	}
	return nil
}

// consent has both deposit their consent with the depositary. Nobody is bound by it alone, and neither learns whether the other has.
func (p *play) consent(ctx context.Context) error {
	if _, err := p.north.ProposeSeal(ctx, api.SealProposal{Manifest: p.manifest.Hash, Releaser: "head-of-post"}); err != nil {
		return err
	}
	for _, a := range p.world.actors {
		if err := a.until(ctx, "the round", func() (bool, error) {
			_, found, err := p.round(ctx, a)
			return found, err
		}); err != nil {
			return err
		}
	}
	for _, a := range []*actor{p.north, p.south} {
		if _, err := a.DepositSeal(ctx, p.manifest.Hash, api.SealDeposit{}); err != nil {
			return err
		}
		p.step("%s deposits its consent with Lakeland, encrypted to it; the other side cannot tell it from a packet of nothing", a.name)
	}
	return nil
}

// seal waits for the verdict. It has no side: either both are bound or neither is. What the agreement brings into being is there without another word.
func (p *play) seal(ctx context.Context) error {
	for _, a := range []*actor{p.north, p.south} {
		if err := a.until(ctx, "the verdict", func() (bool, error) {
			r, found, err := p.round(ctx, a)
			return found && r.State == "in-force", err
		}); err != nil {
			return err
		}
	}
	if _, err := p.north.CertifySeal(ctx, p.manifest.Hash); err != nil {
		return err
	}
	for _, a := range []*actor{p.north, p.south} {
		f, err := p.reads(ctx, a, "the certificate", func(f *drafting.File) bool { return f.Stage == "in-force" })
		if err != nil {
			return err
		}
		p.step("%s: Lakeland has sealed, both are bound at one instant: %s since %s", a.name, f.Stands, f.Since.UTC().Format("15:04:05Z"))
	}
	for _, c := range p.manifest.Channels {
		for _, a := range []*actor{p.north, p.south} {
			if err := a.until(ctx, "the channel "+c.Name, func() (bool, error) {
				all, err := a.Channels(ctx)
				return slices.ContainsFunc(all, func(x api.Channel) bool { return x.Name == c.Name && x.Established && x.Regime == c.Regime }), err
			}); err != nil {
				return err
			}
		}
		p.step("the channel %q under the regime %s of its annex is in being, and nobody has done anything for it", c.Name, c.Regime)
	}
	return nil
}

// round is the sealing round of the agreement as a party knows it.
func (p *play) round(ctx context.Context, a *actor) (api.Seal, bool, error) {
	all, err := a.Seals(ctx)
	i := slices.IndexFunc(all, func(s api.Seal) bool { return s.Round == p.manifest.Hash })
	if err != nil || i < 0 {
		return api.Seal{}, false, err
	}
	return all[i], true, nil
}

// exchange has both exchange notes from a model, and returns the negotiation.
func (p *play) exchange(ctx context.Context) (string, error) {
	treaty := p.draft
	defer func() { p.draft = treaty }()
	opened, err := p.north.drafts().New(ctx, drafting.New{
		Channel: table, Template: "guarantees-notes", Parties: []traffic.Party{p.north.id, p.south.id}, Voice: voice(),
	})
	if err != nil {
		return "", err
	}
	p.draft = opened.ID
	if _, err := p.reads(ctx, p.south, "the guarantees", func(f *drafting.File) bool { return len(f.Provisions) >= opened.Positions }); err != nil {
		return "", err
	}
	if _, err := p.south.drafts().Accept(ctx, p.draft, drafting.Accept{All: true, Voice: voice()}); err != nil {
		return "", err
	}
	for _, n := range []struct {
		a            *actor
		step, number string
	}{{p.north, "first-note", "117/n"}, {p.south, "second-note", "48-ДП"}} {
		v := voice()
		v.Post = "council"
		if _, err := n.a.drafts().Issue(ctx, drafting.NewPowers{
			Voice: v, Instrument: p.draft, Representative: "Minister for Foreign Affairs", For: ministry, May: []string{"negotiate", "sign", "consent"}, Authority: "head-of-state",
		}); err != nil {
			return "", err
		}
		if _, err := p.reads(ctx, n.a, "the text of the notes", func(f *drafting.File) bool {
			return f.Text != "" && (n.a == p.north || slices.ContainsFunc(f.Entries, func(e drafting.Entry) bool { return e.Form == "note" }))
		}); err != nil {
			return "", err
		}
		if _, err := n.a.drafts().Step(ctx, p.draft, drafting.Step{Step: n.step, Number: n.number, Voice: voice()}); err != nil {
			return "", err
		}
	}
	for _, a := range []*actor{p.north, p.south} {
		if _, err := p.reads(ctx, a, "both notes", func(f *drafting.File) bool { return f.Stage == "in-force" }); err != nil {
			return "", err
		}
	}
	return p.draft, nil
}

// drafts is what a party's node says about instruments.
func (a *actor) drafts() drafting.Client { return drafting.Client{Node: a.Client} }

// voice is on whose part a ministry speaks: at the terminal, with a second person where one is needed.
func voice() drafting.Voice {
	return drafting.Voice{Post: ministry, Drafter: "duty-officer", Releaser: "head-of-post"}
}

// reads waits until the negotiation stands at a party as it should.
func (p *play) reads(ctx context.Context, a *actor, what string, right func(*drafting.File) bool) (f drafting.File, err error) {
	err = a.until(ctx, what, func() (bool, error) {
		if f, err = a.drafts().Show(ctx, p.draft, "en"); missing(err) {
			return false, nil
		}
		return err == nil && right(&f), err
	})
	return f, err
}

// missing tells whether an error says that something has not come yet.
func missing(err error) bool {
	problem, ok := errors.AsType[*api.Problem](err)
	return ok && problem.Status == http.StatusNotFound
}

// change has a party table a provision with other words in it.
func (p *play) change(ctx context.Context, a *actor, id, en, other, ru, another string) error {
	f, err := a.drafts().Show(ctx, p.draft, "en")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(f.Provisions, func(x drafting.Provision) bool { return x.ID == id })
	if i < 0 {
		return fmt.Errorf("demo: there is no provision %s", id)
	}
	var texts map[string]string
	for _, s := range f.Provisions[i].Stands {
		if s.Party == p.north.id {
			texts = s.Texts
		}
	}
	changed := map[string]string{"en": strings.Replace(texts["en"], en, other, 1), "ru": strings.Replace(texts["ru"], ru, another, 1)}
	if changed["en"] == texts["en"] || changed["ru"] == texts["ru"] {
		return fmt.Errorf("demo: %s does not say %q and %q", id, en, ru)
	}
	_, err = a.drafts().Table(ctx, p.draft, drafting.Table{Provision: id, Texts: changed, Voice: voice()})
	return err
}

// undecided lists what is not agreed.
func undecided(f *drafting.File) (out []drafting.Provision) {
	for _, x := range f.Provisions {
		if !x.Agreed {
			out = append(out, x)
		}
	}
	return out
}

// around shortens a line to what stands about its first bracket.
func around(line string) string {
	at := strings.Index(line, "[")
	if at < 0 {
		return line
	}
	from := max(0, at-40)
	if from > 0 {
		from += strings.IndexByte(line[from:]+" ", ' ') + 1
	}
	end := min(len(line), strings.LastIndex(line, "]")+30)
	return "… " + line[from:end] + " …"
}
