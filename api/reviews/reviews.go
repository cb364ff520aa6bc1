// Package reviews is the part of the local API that gives a round the pack of its period: an extension of api/server.
// It must never give a pack, on paper or as data, of whose record something is missing, but for comparing.
package reviews

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"detente/api/server"
	"detente/form"
	"detente/instrument/docx"
	"detente/node"
	"detente/officer"
	"detente/secretariat"
	"detente/traffic"
	"detente/transcript/pages"
	"detente/yearly"

	"golang.org/x/text/language"
)

// face answers what is asked about packs.
type face struct {
	work    *secretariat.Secretariat
	node    *node.Node
	phrases *form.Phrasebook // for how cases stand
}

// Extend gives a server the operations on packs. Error: form.ErrRegime for phrases of this program that are not well formed.
func Extend(work *secretariat.Secretariat, n *node.Node) (server.Extension, error) {
	if _, err := yearly.Phrases(); err != nil {
		return nil, err
	}
	phrases, err := server.Phrases()
	if err != nil {
		return nil, err
	}
	return func(s *server.Server) {
		f := &face{work, n, phrases}
		get := func(path, id, summary string) server.Request {
			return server.Operation(s, officer.Read, "dialogue", http.MethodGet, "/v1/dialogues/{dialogue}/rounds/{number}/"+path, id, summary)
		}
		s.Teach(rules()...)
		server.HandleFile(s, get("pack", "round-pack", "The pack of a round as data: one text, with its digest"), "application/json", f.data)
		server.HandleFile(s, get("pack/pdf", "round-pack-pdf", "The same for print, in two languages, in the alternat of a party"), "application/pdf", f.pdf)
		server.HandleFile(s, get("pack/docx", "round-pack-docx", "The same for a word processor"), docxType, f.docx)
	}, nil
}

const docxType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

// rules says how what may go wrong looks from outside.
func rules() []server.Rule {
	const malformed = http.StatusUnprocessableEntity
	return []server.Rule{
		{Is: yearly.ErrIncomplete, Status: http.StatusConflict, Code: "record-incomplete", Hint: "wait until it has come, or see the link: detente link; to compare with the other side's pack: detente round pack --against FILE"},
		{Is: yearly.ErrPeriod, Status: malformed, Code: "no-period", Hint: "give one that is over, with --from and --to"},
		{Is: yearly.ErrTooMuch, Status: malformed, Code: "period-too-full", Hint: "choose a shorter period, or some of the channels"},
		{Is: yearly.ErrAlternat, Status: malformed, Code: "no-alternat", Hint: "name a party of the series"},
		{Is: yearly.ErrLanguage, Status: malformed, Code: "no-such-language", Hint: "two of ar, en, es, fr, ru, zh"},
		{Is: yearly.ErrFonts, Status: http.StatusServiceUnavailable, Code: "no-fonts", Hint: "install fonts where the node runs: fonts-noto-core and fonts-droid-fallback"},
		{Is: pages.ErrFonts, Status: http.StatusServiceUnavailable, Code: "no-fonts", Hint: "install fonts where the node runs: fonts-noto-core and fonts-droid-fallback"},
		{Is: docx.ErrText, Status: malformed, Code: "no-such-document"},
	}
}

// OnRound names a round, and the period of its pack.
type OnRound struct {
	Dialogue string    `path:"dialogue" maxLength:"128" doc:"Digits of the id, four at least, or the number of one of its statements."`
	Number   int       `path:"number" minimum:"1" maximum:"100000"`
	From     time.Time `query:"from" doc:"Beginning of the period; the end of the round that was held last before by default."`
	To       time.Time `query:"to" doc:"Its end; the beginning of the day of the round, or of today, by default."`
	Channels string    `query:"channels" maxLength:"4000" doc:"Names, parted by commas; by default all that have the members of the series."`
}

// OnPaper is how a pack is printed.
type OnPaper struct {
	OnRound
	Alternat traffic.Party `query:"alternat" maxLength:"32" doc:"Which party stands first; the own by default."`
	Langs    string        `query:"langs" maxLength:"200" doc:"Languages beside each other, two at most, parted by spaces; by default those of the series that the party reads first."`
}

// pack assembles it.
func (f *face) pack(ctx context.Context, in *OnRound) (*yearly.Pack, error) {
	if err := f.work.Work(ctx); err != nil {
		return nil, err
	}
	t, err := f.work.Talk(ctx, in.Dialogue)
	if err != nil {
		return nil, err
	}
	if t.Series == nil {
		return nil, secretariat.ErrNoTalk
	}
	ask := yearly.Ask{Subject: yearly.Subject{Series: t.ID, Round: in.Number, Plane: t.Name.Plane}, Channel: t.Name.Channel}
	if ask.From, ask.To, err = yearly.Period(t.Series, in.Number, in.From, in.To, time.Now()); err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(in.Channels, ",") {
		if name = strings.TrimSpace(name); name != "" {
			ask.Channels = append(ask.Channels, name)
		}
	}
	return yearly.Gather(ctx, f.node, ask)
}

func (f *face) data(ctx context.Context, _ officer.Actor, in *struct {
	OnRound
	Partial bool `query:"partial" doc:"Give it also where something is missing, with what that is: for comparing."`
}) ([]byte, error) {
	p, err := f.pack(ctx, &in.OnRound)
	if err != nil {
		return nil, err
	}
	if !in.Partial {
		if p, err = p.Whole(); err != nil {
			return nil, err
		}
	}
	return p.Encode()
}

func (f *face) paper(ctx context.Context, in *OnPaper) (*yearly.Paper, error) {
	p, err := f.pack(ctx, &in.OnRound)
	if err != nil {
		return nil, err
	}
	if p, err = p.Whole(); err != nil {
		return nil, err
	}
	return p.Paper(yearly.Copy{Alternat: cmp.Or(traffic.Party(strings.ToLower(string(in.Alternat))), f.work.Self()), Languages: strings.Fields(in.Langs)}, words(f.phrases, f.node.Regimes(), p))
}

func (f *face) pdf(ctx context.Context, _ officer.Actor, in *OnPaper) ([]byte, error) {
	paper, err := f.paper(ctx, in)
	if err != nil {
		return nil, err
	}
	fonts, err := pages.FindFonts(pages.Places()...)
	if err != nil {
		return nil, err
	}
	return paper.PDF(fonts)
}

func (f *face) docx(ctx context.Context, _ officer.Actor, in *OnPaper) ([]byte, error) {
	paper, err := f.paper(ctx, in)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = paper.DOCX(&b)
	return b.Bytes(), err
}

// words are those of this program for how cases stand, and those of the channels' regimes.
func words(phrases *form.Phrasebook, all []*form.Regime, p *yearly.Pack) yearly.Words {
	regimes := make(map[string]*form.Regime)
	for _, r := range all {
		for _, c := range p.Channels {
			if c.Regime == fmt.Sprintf("%s/%d", r.ID, r.Version) {
				regimes[c.Name] = r
			}
		}
	}
	return yearly.Words{
		Case: func(lang language.Tag, machine, state string) string {
			for _, key := range []string{"case.state." + machine + "." + state, "case.state." + state} {
				if phrases.Has(key) {
					return phrases.Phrase(lang, key)
				}
			}
			return ""
		},
		Regime: func(channel string, lang language.Tag, key string) string {
			if r := regimes[channel]; r != nil && r.Phrases.Has(key) {
				return r.Phrases.Phrase(lang, key)
			}
			return ""
		},
	}
}
