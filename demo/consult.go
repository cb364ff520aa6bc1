package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/api/talks"
	"detente/traffic"
)

// council is the channel on which the two consult, and the post that speaks there.
const council = "council"

// consult plays a round of a series: both propose and build the agenda while the line is down, neither waiting for the other, and come to one state when it is back.
func (p *play) consult(ctx context.Context) error {
	if err := p.north.propose(ctx, api.ProposeRequest{Name: council, Regime: "dialogue/1", Posts: []traffic.Post{council}}, p.south); err != nil {
		return err
	}
	opened, err := p.north.talks().Open(ctx, talks.Opening{Channel: council, Post: council, Words: spoken("series",
		"level", "high-level", "every", "4380h", "hosts", "xn,xs", "languages", "en ru",
		"name.en", "Consultations on the security of information technologies", "name.ru", "Консультации по вопросам безопасности информационных технологий",
	)})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, opened, p.north, p.south, "series of consultations", ""); err != nil {
		return err
	}
	p.series = opened.ID
	f, err := p.sees(ctx, p.south, p.series, "the series", func(f *talks.File) bool { return true })
	if err != nil {
		return err
	}
	p.step("Northland opens a series on the channel %q: %s, every half year, by turns at home. Southland: round %d, %s", council, f.Names["en"], f.Round, f.Words)
	if err := p.apart(ctx); err != nil {
		return err
	}
	if err := p.arrange(ctx); err != nil {
		return err
	}
	return p.minute(ctx)
}

// apart has each side propose a time and table an item of the agenda before it hears of the other.
func (p *play) apart(ctx context.Context) error {
	p.world.network.set(true)
	now := time.Now().UTC()
	for _, side := range []struct {
		a                *actor
		mode, place, why string
		from, to         time.Time
		en, ru           string
	}{
		{p.north, "in-person", "Nordhaven", "in person", now.AddDate(0, 2, 0), now.AddDate(0, 2, 2), "Thresholds of what is an incident", "Пороги того, что считается инцидентом"},
		{p.south, "virtual", "", "by video, today", now, now.Add(time.Hour), "Points of contact", "Пункты связи"},
	} {
		w := spoken("round-proposal", "mode", side.mode, "place", side.place, "window", span(side.from, side.to))
		if side.place == "" {
			delete(w.Text, "place")
		}
		if _, err := side.a.talks().State(ctx, p.series, talks.Statement{Post: council, Words: w}); err != nil {
			return err
		}
		on := talks.OnText{Voice: seat(), What: "agenda"}
		if _, err := side.a.talks().NewText(ctx, p.series, talks.NewText{OnText: on}); err != nil {
			return err
		}
		if _, err := side.a.talks().AddItem(ctx, p.series, talks.NewItem{OnText: on, Texts: map[string]string{"en": side.en, "ru": side.ru}}); err != nil {
			return err
		}
		p.step("with the line down, %s proposes the round %s, and opens the agenda with: %s", side.a.name, side.why, side.en)
	}
	return p.mend(ctx)
}

// arrange has both come to one agenda and one time.
func (p *play) arrange(ctx context.Context) error {
	both := []*actor{p.north, p.south}
	var agenda [2]talks.Text
	if err := p.north.until(ctx, "one agenda at both", func() (bool, error) {
		for i, a := range both {
			on := talks.OnText{Voice: seat(), What: "agenda"}
			if _, err := a.talks().Agree(ctx, p.series, on); err != nil {
				return false, err
			}
			var err error
			if agenda[i], err = a.talks().Text(ctx, p.series, on); err != nil {
				return false, err
			}
		}
		return len(agenda[0].Items) == 2 && agenda[0].Agreed && agenda[1].Agreed && agenda[0].Digest == agenda[1].Digest, nil
	}); err != nil {
		return err
	}
	p.step("the line is back: the two proposals crossed, both stand; the two agendas are one, agreed by both word by word, SHA-256 %s…", agenda[0].Digest[:16])
	for i, item := range agenda[1].Items {
		p.note("%d. %s · %s", i+1, item.Texts["en"], item.Texts["ru"])
	}
	f, err := p.sees(ctx, p.north, p.series, "both proposals", func(f *talks.File) bool { return len(f.Rounds) > 0 && len(f.Rounds[0].Proposals) == 2 })
	if err != nil {
		return err
	}
	for _, x := range f.Rounds[0].Proposals {
		if !strings.HasPrefix(x.By, string(p.south.id)) {
			continue
		}
		if _, err := p.north.talks().State(ctx, p.series, talks.Statement{Post: council, About: x.Number, Words: spoken("round-acceptance")}); err != nil {
			return err
		}
	}
	for _, a := range both {
		f, err := p.sees(ctx, a, p.series, "the agreed time", func(f *talks.File) bool { return f.Next != nil })
		if err != nil {
			return err
		}
		p.step("%s: round %d is %s: %s, %s", a.name, f.Round, f.Words, f.Next.ModeIn, f.Next.From.UTC().Format("02 Jan 15:04Z"))
	}
	return nil
}

// minute has the round held, its minutes agreed and signed by both, and an action left that goes on to the next.
func (p *play) minute(ctx context.Context) error {
	held := time.Now().UTC()
	if _, err := p.south.talks().State(ctx, p.series, talks.Statement{Post: council, Words: spoken("round-held", "window", span(held.Add(-time.Second), held), "mode", "virtual")}); err != nil {
		return err
	}
	if _, err := p.sees(ctx, p.north, p.series, "that it was held", func(f *talks.File) bool { return !f.LastHeld.IsZero() }); err != nil {
		return err
	}
	minutes := talks.OnText{Voice: seat(), What: "minutes"}
	if _, err := p.north.talks().NewText(ctx, p.series, talks.NewText{OnText: minutes}); err != nil {
		return err
	}
	if _, err := p.north.talks().AddItem(ctx, p.series, talks.NewItem{OnText: minutes, Texts: map[string]string{
		"en": "The sides compared how they tell an incident from a nuisance, and will exchange their lists of sectors.",
		"ru": "Стороны сравнили, как они отличают инцидент от помехи, и обменяются своими перечнями секторов.",
	}}); err != nil {
		return err
	}
	var digest string
	if err := p.south.until(ctx, "the minutes", func() (bool, error) {
		if _, err := p.south.talks().Agree(ctx, p.series, minutes); missing(err) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		x, err := p.south.talks().Text(ctx, p.series, minutes)
		digest = x.Digest
		return x.Agreed && len(x.Items) == 1, err
	}); err != nil {
		return err
	}
	for _, way := range [][2]*actor{{p.south, p.north}, {p.north, p.south}} {
		var sent api.Sent
		if err := way[0].until(ctx, "agreed minutes", func() (bool, error) { // what the other side has agreed to may still be on its way
			var err error
			sent, err = way[0].talks().Sign(ctx, p.series, talks.Signature{Voice: seat()})
			if open, ok := errors.AsType[*api.Problem](err); ok && open.Code == "text-open" {
				return false, nil
			}
			return err == nil, err
		}); err != nil {
			return err
		}
		if err := p.arrived(ctx, sent, way[0], way[1], "minutes signed", ""); err != nil {
			return err
		}
	}
	if _, err := p.north.talks().State(ctx, p.series, talks.Statement{Post: council, Words: spoken("action",
		"owner", "xs/council", "due", time.Now().UTC().AddDate(0, 3, 0).Format(time.RFC3339),
		"words.en", "Hand over the list of sectors.", "words.ru", "Передать перечень секторов.",
	)}); err != nil {
		return err
	}
	for _, a := range []*actor{p.north, p.south} {
		f, err := p.sees(ctx, a, p.series, "signed minutes and the action", func(f *talks.File) bool { return f.Open == 1 && f.Rounds[0].Signed })
		if err != nil {
			return err
		}
		p.step("%s: minutes %s… signed by both. Carried over to round %d, due by %s in %s: %q, of %s", a.name, digest[:16], f.Round, f.Due.UTC().Format("02 Jan 2006"),
			name(f.Host), f.Actions[0].Texts["en"], f.Actions[0].Owner)
	}
	return nil
}

// talks is what a party's node says about consultations and groups.
func (a *actor) talks() talks.Client { return talks.Client{Node: a.Client} }

// sees waits until a series or a group stands at a party as it should.
func (p *play) sees(ctx context.Context, a *actor, id, what string, right func(*talks.File) bool) (f talks.File, err error) {
	err = a.until(ctx, what, func() (bool, error) {
		if f, err = a.talks().Show(ctx, id, "en"); missing(err) {
			return false, nil
		}
		return err == nil && right(&f), err
	})
	return f, err
}

// seat is on whose part the council speaks.
func seat() drafting.Voice {
	v := voice()
	v.Post = council
	return v
}

// spoken are the words of a form, with a second person where one is needed.
func spoken(form string, pairs ...string) api.Words {
	w := words(form, pairs...)
	w.Releaser = "head-of-post"
	return w
}

// experts plays a standing group on a protected channel: its mandate is agreed, and while the council is suspended it goes on, in a thread and in a session of which
// nothing is signed but what it agreed on.
func (p *play) experts(ctx context.Context) error {
	if err := p.north.propose(ctx, api.ProposeRequest{Name: "experts", Regime: "dialogue/1", Posts: []traffic.Post{"cert"}, Protected: true}, p.south); err != nil {
		return err
	}
	mandate, err := p.mandate(ctx)
	if err != nil {
		return err
	}
	opened, err := p.north.talks().Open(ctx, talks.Opening{Channel: "experts", Post: "cert", Words: spoken("group",
		"members", "xn/cert,xs/cert", "rapporteur", "xn/cert", "rule", "open", "mandate", mandate,
		"name.en", "Experts on industrial control systems", "name.ru", "Эксперты по промышленным системам управления",
	)})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, opened, p.north, p.south, "group of experts", ""); err != nil {
		return err
	}
	p.group = opened.ID
	f, err := p.sees(ctx, p.south, p.group, "the group", func(f *talks.File) bool { return f.Mandate == mandate })
	if err != nil {
		return err
	}
	p.step("on the protected channel %q a standing group is opened under that mandate: %s; members %s", f.Channel, f.Names["en"], strings.Join(f.Members, " and "))
	if err := p.hold(ctx, "suspended", "ground", "political", "functions", "all", "text", "Until a matter of protocol is settled."); err != nil {
		return err
	}
	if err := p.stands(ctx, false); err != nil {
		return err
	}
	post, err := p.south.talks().State(ctx, p.group, talks.Statement{Post: "cert", Words: spoken("contribution", "words", "We see the same controllers answer from outside. We can send how we count them.")})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, post, p.south, p.north, "expert's word, signed", ""); err != nil {
		return err
	}
	if err := p.session(ctx); err != nil {
		return err
	}
	if err := p.hold(ctx, "open", "ground", "resumed"); err != nil {
		return err
	}
	return p.stands(ctx, true)
}

// mandate has both agree on what the group is for, and returns the negotiation.
func (p *play) mandate(ctx context.Context) (string, error) {
	treaty := p.draft
	defer func() { p.draft = treaty }()
	v := voice()
	v.Post = "cert"
	opened, err := p.north.drafts().New(ctx, drafting.New{Voice: v, Channel: "experts", Text: &drafting.Text{
		Title: map[string]string{"en": "Mandate of the experts on industrial control systems", "ru": "Мандат экспертов по промышленным системам управления"},
		Kind:  "mandate", Nature: "political", Languages: []string{"en", "ru"}, Clauses: []drafting.Clause{{ID: "m-1", Kind: "paragraph", Texts: map[string]string{
			"en": "The experts compare how each side finds and closes controllers that answer from outside, and report every half year.",
			"ru": "Эксперты сравнивают, как каждая сторона находит и закрывает контроллеры, доступные извне, и докладывают каждые полгода.",
		}}},
	}})
	if err != nil {
		return "", err
	}
	p.draft = opened.ID
	if _, err := p.reads(ctx, p.south, "the mandate", func(f *drafting.File) bool { return len(f.Provisions) >= opened.Positions }); err != nil {
		return "", err
	}
	if _, err := p.south.drafts().Accept(ctx, p.draft, drafting.Accept{All: true, Voice: v}); err != nil {
		return "", err
	}
	f, err := p.reads(ctx, p.north, "the agreed mandate", func(f *drafting.File) bool { return f.Text != "" })
	if err != nil {
		return "", err
	}
	p.step("%s: agreed by both in %s, SHA-256 %s…", f.Title, strings.Join(f.Languages, " and "), f.Text[:16])
	return p.draft, nil
}

// hold has Northland state how the channel of the council stands.
func (p *play) hold(ctx context.Context, state string, pairs ...string) error {
	sent, err := p.north.SetStatus(ctx, api.SuspendRequest{Channel: council, Post: council, State: state, Text: words("status", pairs...).Text, Releaser: "head-of-post"})
	if err != nil {
		return err
	}
	return p.arrived(ctx, sent, p.north, p.south, "channel "+council+": "+state, "")
}

// stands tells how the series and the group go on at both ends, where one of them is held to by a suspension and the other never.
func (p *play) stands(ctx context.Context, open bool) error {
	for _, a := range []*actor{p.north, p.south} {
		series, err := p.sees(ctx, a, p.series, "how the council stands", func(f *talks.File) bool { return f.Goes == open })
		if err != nil {
			return err
		}
		group, err := p.sees(ctx, a, p.group, "the group", func(f *talks.File) bool { return true })
		switch {
		case err != nil:
			return err
		case !group.Goes || !group.Protected:
			return fmt.Errorf("demo: at %s the group is stopped: %s", a.name, group.Stopped)
		case open:
			p.step("%s: consultations and experts go on", a.name)
		default:
			p.step("%s: consultations are stopped: %s. The experts go on: their channel is protected", a.name, series.Stopped)
		}
	}
	return nil
}

// session plays one under the Chatham House rule. What is said goes from hand to hand in sealed files.
func (p *play) session(ctx context.Context) error {
	now := time.Now().UTC().Truncate(time.Second)
	v := voice()
	v.Post = "cert"
	opened, err := p.north.talks().OpenSession(ctx, p.group, talks.NewSession{Voice: v, Name: "How controllers are patched", From: now, To: now.Add(time.Hour), Keep: "72h"})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, opened, p.north, p.south, "session opened", ""); err != nil {
		return err
	}
	if _, err := p.sees(ctx, p.south, p.group, "the session", func(f *talks.File) bool { return len(f.Sessions) == 1 }); err != nil {
		return err
	}
	for _, way := range []struct {
		from, to *actor
		words    string
	}{{p.north, p.south, "Our operators patch once a year, whatever the handbook says."}, {p.south, p.north, "Ours do it monthly, and twice it stopped a plant."}} {
		if _, err := way.from.talks().Say(ctx, p.group, "", talks.Say{Words: way.words}); err != nil {
			return err
		}
		file, err := way.from.talks().Sealed(ctx, p.group, "", true)
		if err != nil {
			return err
		}
		took, err := way.to.talks().Take(ctx, file)
		if err != nil {
			return err
		}
		if took.Came != 1 || took.Refused != 0 {
			return fmt.Errorf("demo: of the session %d contributions have come to %s, and %d were refused", took.Came, way.to.name, took.Refused)
		}
	}
	outside, err := p.south.talks().Outside(ctx, p.group, "", "en")
	if err != nil {
		return err
	}
	p.step("a session under the Chatham House rule: what was said went in sealed files, is in no feed, and whoever leaks it proves nothing. Outside it reads:")
	for _, x := range outside {
		p.note("%s, %s: %s", x.On.Format(time.DateOnly), x.By, x.Words)
	}
	agreed, err := p.north.talks().Output(ctx, p.group, "", talks.Output{Voice: v, Words: map[string]string{
		"en": "The members will compare how they test a patch before a plant gets it.", "ru": "Участники сравнят, как они проверяют исправление до установки на предприятии.",
	}})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, agreed, p.north, p.south, "agreed output, signed", ""); err != nil {
		return err
	}
	f, err := p.sees(ctx, p.south, p.group, "the output", func(f *talks.File) bool { return len(f.Sessions[0].Outputs) == 1 })
	if err != nil {
		return err
	}
	p.step("only what the session agreed on is stated and signed: %s", f.Sessions[0].Outputs[0]["en"])
	return nil
}
