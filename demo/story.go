package demo

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/route"
)

//go:embed stix/infrastructure.json
var report []byte

// told is a statement of the story, for the table at the end.
type told struct {
	api.Sent
	by, to *actor // to is nil for everybody
	what   string
	at     time.Time
	proof  string
}

// tell plays the story from pairing to the last receipt.
func (p *play) tell(ctx context.Context) error {
	for _, scene := range []func(context.Context) error{
		p.meet, p.agree, p.man, p.check, p.ask, p.reply, p.declare, p.miss, p.look, p.clarify, p.cease, p.settle, p.account, p.handOver, p.cut, p.together, p.tools,
		p.negotiate, p.initial, p.consent, p.guarantee, p.pledge, p.consult, p.experts, p.seal, p.register,
		p.verify, p.audit, p.log,
	} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	if err := p.table(ctx); err != nil {
		return err
	}
	return p.board(ctx)
}

func (p *play) meet(ctx context.Context) error {
	p.step("three parties, each with its own keys, database and node: Northland (English), Southland (Russian), Lakeland (neutral)")
	all := p.world.actors
	for i, a := range all {
		for _, b := range all[i+1:] {
			words, err := pair(ctx, a, b)
			if err != nil {
				return err
			}
			spoken, err := pair(ctx, b, a)
			if err != nil {
				return err
			}
			p.step("%s and %s exchange charters and compare 16 words by telephone", a.name, b.name)
			p.note("%s hears: %s …", a.name, strings.Join(words[:6], " "))
			p.note("%s hears: %s …", b.name, strings.Join(spoken[:6], " "))
		}
	}
	return nil
}

func (p *play) agree(ctx context.Context) error {
	for _, c := range []struct {
		name   string
		others []*actor
		regime string
	}{
		{"nrrc", []*actor{p.south}, "incidents/1"},
		{"cert", []*actor{p.south}, "incidents/1"},
		{"lakeside", []*actor{p.south, p.lake}, "communications/1"},
	} {
		if err := p.north.propose(ctx, api.ProposeRequest{Name: c.name, Regime: c.regime}, c.others...); err != nil {
			return err
		}
		names := []string{p.north.name}
		for _, o := range c.others {
			names = append(names, o.name)
		}
		p.step("channel %q agreed by %s, under the regime %s", c.name, strings.Join(names, ", "), c.regime)
	}
	return nil
}

func (p *play) check(ctx context.Context) error {
	const question = "Which way does the wind blow at your centre?"
	q, err := p.north.duty().RunCheck(ctx, api.CheckRequest{Channel: "nrrc", To: "xs/nrrc", Post: post, Level: 2, Question: question})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, q, p.north, p.south, "communication check", ""); err != nil {
		return err
	}
	if _, err := p.back(ctx, p.south, q, "answer to the check", api.ReplyRequest{Words: api.Words{
		Form: "check-answer", Language: "ru", Text: map[string]string{"answered_by": "duty-officer", "answer": "Ветер северный, слабый."},
	}}); err != nil {
		return err
	}
	history, err := p.north.Checks(ctx, api.CheckListing{Peer: p.south.id})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(history.Checks, func(c api.Check) bool { return c.ID == q.ID })
	if i < 0 || history.Checks[i].State != "answered" {
		return fmt.Errorf("demo: the check %s is not answered", q.Number)
	}
	c := history.Checks[i]
	p.step("a check of level 2 is for a person: answered by the %s in his own words, after %.0f s", c.AnsweredBy, c.Elapsed)
	p.note("○ asked: %s", c.Question)
	p.note("● %s: %s", p.south.people[0].name, c.Answer)
	return nil
}

func (p *play) ask(ctx context.Context) error {
	now := time.Now().UTC()
	q, err := p.say(ctx, p.north, p.south, "inquiry", api.SendRequest{
		Channel: "nrrc", To: "xs/nrrc", Post: "nrrc", Precedence: "O",
		Words: api.Words{
			Form: "inquiry", Marking: "TLP:AMBER",
			Text: map[string]string{
				"observed":    now.Add(-3*time.Hour).Format(time.RFC3339) + "/" + now.Add(-time.Hour).Format(time.RFC3339),
				"observation": "Commands were sent to machines of a power utility from the infrastructure described in the attached report.",
				"sector":      "energy", "source": "203.0.113.0/24, apparently from or through your territory.", "confidence": "moderate",
				"limits": "The addresses may have been used by others.", "ongoing": "yes", "asked": "check,stop",
				"reply_by": now.Add(6 * time.Hour).Format(time.RFC3339),
			},
			Attachments: []api.Attachment{{Name: "infrastructure.json", Type: "application/stix+json", Data: report}},
		},
	})
	if err != nil {
		return err
	}
	p.question = q
	err = p.south.until(ctx, "the attachment", func() (bool, error) {
		s, err := p.south.Statement(ctx, q.ID, "ru")
		return err == nil && len(s.Attachments) == 1 && s.Attachments[0].Held, err
	})
	if err != nil {
		return err
	}
	s, err := p.south.Statement(ctx, q.ID, "ru")
	if err != nil {
		return err
	}
	p.step("Southland's screen, in Russian; the originator's words stay as they were signed")
	p.quote(s.Text)
	return nil
}

func (p *play) reply(ctx context.Context) error {
	_, err := p.back(ctx, p.south, p.question, "acknowledgement", api.ReplyRequest{Words: api.Words{
		Form: "acknowledgement", Text: map[string]string{
			"received": time.Now().UTC().Format(time.RFC3339), "understood": "true", "forwarded_to": "cert",
		},
	}})
	if err != nil {
		return err
	}
	_, err = p.back(ctx, p.south, p.question, "answer", api.ReplyRequest{Words: api.Words{
		Form: "answer", Language: "ru", Text: map[string]string{
			"finding": "confirmed-stopped", "measures": "Узел отключён владельцем, образы сохранены.", "close": "true",
		},
	}})
	return err
}

// cut cuts the cable. A FLASH goes by pouch, its receipt comes back by pouch, and the link finds everything done when it returns.
func (p *play) cut(ctx context.Context) error {
	p.world.network.set(true)
	p.step("the cable between the parties is cut")
	flash, err := p.speak(ctx, p.north, api.SendRequest{
		Channel: "nrrc", To: "xs/nrrc", Post: "nrrc", Precedence: "Z",
		Words: api.Words{Form: "notice", Text: map[string]string{
			"subject": "accident", "text": "A tool of ours has got loose and spreads by mail. Block the attachment named below. We stop it at its source.",
		}},
	})
	if err != nil {
		return err
	}
	p.keep(flash, p.north, p.south, "notice")
	pouch, err := p.pouchOf(ctx, p.north)
	if err != nil {
		return err
	}
	p.step("FLASH %s goes out on all routes at once; by hand: %s", flash.Number, filepath.Base(pouch))
	file, err := os.ReadFile(pouch)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if _, err := p.south.ImportPouch(ctx, file); err != nil {
		return err
	}
	p.step("Southland imports the pouch; the receipt goes back the same way")
	back, err := p.south.ExportPouch(ctx, p.north.id)
	if err != nil {
		return err
	}
	if _, err := p.north.ImportPouch(ctx, back.File); err != nil {
		return err
	}
	if err := p.receipted(ctx, p.north, flash, p.south); err != nil {
		return err
	}
	if err := p.mend(ctx); err != nil {
		return err
	}
	p.step("the cable is mended; the link is up again, and nothing is sent twice")
	return nil
}

// mend gives the parties their line back.
func (p *play) mend(ctx context.Context) error {
	p.world.network.set(false)
	for _, a := range []*actor{p.north, p.south} {
		err := a.until(ctx, "the link", func() (bool, error) {
			links, err := a.Links(ctx)
			up := !slices.ContainsFunc(links, func(l api.Link) bool { return l.Failure != "" })
			if !up {
				a.host.Node().Call()
			}
			return up, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pouchOf waits for the file that the node puts into its pouch directory.
func (p *play) pouchOf(ctx context.Context, a *actor) (path string, err error) {
	err = a.until(ctx, "a pouch file", func() (bool, error) {
		names, err := filepath.Glob(filepath.Join(a.home, "pouches", string(p.south.id)+"*"+route.PouchSuffix))
		if len(names) > 0 {
			path = names[0]
		}
		return path != "", err
	})
	return path, err
}

func (p *play) together(ctx context.Context) error {
	_, err := p.say(ctx, p.lake, nil, "goodwill message", api.SendRequest{
		Channel: "lakeside", To: "*", Post: "mfa", Precedence: "R",
		Words: api.Words{Form: "goodwill", Text: map[string]string{"text": "Lakeland offers a room, coffee, and an interpreter for the yearly consultation."}},
	})
	return err
}

// say has a party state something, and waits until those addressed hold it.
func (p *play) say(ctx context.Context, by, to *actor, what string, r api.SendRequest) (api.Sent, error) {
	sent, err := p.speak(ctx, by, r)
	if err != nil {
		return sent, err
	}
	return sent, p.arrived(ctx, sent, by, to, what, r.Precedence)
}

// back has a party reply to a statement.
func (p *play) back(ctx context.Context, by *actor, q api.Sent, what string, r api.ReplyRequest) (api.Sent, error) {
	sent, err := by.duty().Reply(ctx, q.ID, r)
	if sent, err = p.release(ctx, by, sent, err); err != nil {
		return sent, err
	}
	return sent, p.arrived(ctx, sent, by, p.north, what, "")
}

func (p *play) arrived(ctx context.Context, sent api.Sent, by, to *actor, what, precedence string) error {
	t := p.keep(sent, by, to, what)
	for _, o := range p.addressed(t) {
		if err := p.receipted(ctx, by, sent, o); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) addressed(t *told) []*actor {
	if t.to != nil {
		return []*actor{t.to}
	}
	var out []*actor
	for _, a := range p.world.actors {
		if a != t.by {
			out = append(out, a)
		}
	}
	return out
}

// receipted waits for a receipt and prints it.
func (p *play) receipted(ctx context.Context, by *actor, sent api.Sent, from *actor) error {
	receipts, err := by.Receipts(ctx, sent.ID, 30*time.Second, from.id)
	if err != nil {
		return err
	}
	for _, r := range receipts {
		if r.Mirror == from.id {
			p.step("%s: %s → %s; %s holds it, and has signed that it does, at %s", sent.Number, by.name, from.name, from.name,
				time.Unix(r.At, 0).UTC().Format("15:04:05Z"))
			return nil
		}
	}
	return fmt.Errorf("demo: no receipt of %s for %s", from.name, sent.Number)
}

func (p *play) keep(sent api.Sent, by, to *actor, what string) *told {
	t := &told{Sent: sent, by: by, to: to, what: what, at: time.Now()}
	p.told = append(p.told, t)
	return t
}

// verify writes proofs and charters to files, and has them verified from the files alone, as a judge would.
func (p *play) verify(ctx context.Context) error {
	charters, err := p.charters(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Dir(charters[0])
	for n, t := range p.told {
		proof, err := t.by.Prove(ctx, t.ID)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, fmt.Sprintf("%02d-%s.detente-proof", n+1, strings.ReplaceAll(t.Number, "/", "-")))
		if err := os.WriteFile(path, proof, 0o644); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		text, err := p.cfg.Verify(ctx, append([]string{path}, charters...))
		if err != nil {
			return fmt.Errorf("demo: %s: %w", t.Number, err)
		}
		t.proof = "proved"
		if t.ID == p.question.ID || t.ID == p.shared.ID {
			p.step("detente verify, from files alone, of the %s %s", t.what, t.Number)
			if t.ID == p.shared.ID {
				text, _, _ = strings.Cut(text, "Stands in") // the rest is as above
			}
			p.quote(text)
		}
	}
	p.step("detente verify accepts all %d proofs; while the demo is up, they and the charters are in %s", len(p.told), dir)
	return nil
}

// charters writes the charters of all parties to files.
func (p *play) charters(ctx context.Context) (paths []string, err error) {
	dir := filepath.Join(p.world.dir, "evidence")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	for _, a := range p.world.actors {
		file, err := a.CharterFile(ctx, a.id)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, string(a.id)+".charters")
		if err := os.WriteFile(path, file, 0o644); err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func (p *play) audit(ctx context.Context) error {
	for _, a := range p.world.actors {
		r, err := a.Audit(ctx, nil)
		if err != nil {
			return err
		}
		if len(r.Faults) > 0 {
			return fmt.Errorf("demo: %s: %s", a.name, r.Faults[0])
		}
		p.step("%s audits all that it holds: %d statements in %d feeds, %d checkpoints, %d cosignatures; no fault",
			a.name, r.Entries, r.Feeds, r.Checkpoints, r.Cosignatures)
	}
	return nil
}

func (p *play) table(ctx context.Context) error {
	p.printf("\n%-16s %-9s %-10s %-10s %-22s %-9s %-17s %s\n", "NUMBER", "PREC.", "FROM", "TO", "WHAT", "SENT", "HELD BY, SIGNED", "EVIDENCE")
	for _, t := range p.told {
		s, err := t.by.Statement(ctx, t.ID, "en")
		if err != nil {
			return err
		}
		to, held := "all", []string(nil)
		if t.to != nil {
			to = t.to.name
		}
		for _, r := range s.Receipts {
			held = append(held, fmt.Sprintf("%s %s", r.Mirror, time.Unix(r.At, 0).UTC().Format("15:04:05Z")))
		}
		p.printf("%-16s %-9s %-10s %-10s %-22s %-9s %-17s %s, %s\n", t.Number, s.Precedence, t.by.name, to, t.what,
			s.Issued.UTC().Format("15:04:05Z"), strings.Join(held, ", "), s.Level, t.proof)
	}
	return nil
}
