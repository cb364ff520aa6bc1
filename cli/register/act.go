package register

import (
	"strings"
	"time"

	"detente/acts"
	"detente/api"
	"detente/api/registry"
	"detente/chancery"
	"detente/cli/session"
	"detente/cli/words"
	"detente/traffic"
)

// ActCmd is acts about open instruments.
type ActCmd struct {
	List     listCmd     `cmd:"" default:"withargs" help:"The open instruments that are known here, or the acts about one."`
	Status   statusCmd   `cmd:"" help:"Who is bound on a day, as known at a time; and towards whom."`
	Open     openCmd     `cmd:"" help:"Open an instrument to others, with the rules by which acts about it are read."`
	Sign     signCmd     `cmd:"" help:"Sign it."`
	Adhere   adhereCmd   `cmd:"" help:"Adhere to it."`
	Declare  declareCmd  `cmd:"" help:"Make a declaration."`
	Reserve  reserveCmd  `cmd:"" help:"Make a reservation."`
	Object   objectCmd   `cmd:"" help:"Object to a reservation."`
	Withdraw withdrawCmd `cmd:"" help:"Leave an instrument, or withdraw a reservation, declaration, objection, signature."`
	Revoke   revokeCmd   `cmd:"" help:"Take back a notice of withdrawal before it has effect."`
	Correct  correctCmd  `cmd:"" help:"Say how an act should have read, or that it never was."`
	State    stateCmd    `cmd:"" help:"State an act of any kind, such as ratify, extend, succeed."`
}

// by is on whose part an act is stated.
type by struct {
	Post       traffic.Post `help:"Post that acts; needed where several may." placeholder:"POST"`
	Precedence string       `short:"p" help:"PRIORITY (P) or ROUTINE (R)." default:"ROUTINE"`
	words.Words
}

const public = "public" // the own public channel

// days gives fields that are days the shape of times.
func days(said map[string]string) {
	for _, name := range []string{"date", "effect"} {
		if d, err := acts.ParseDay(said[name]); err == nil && d != 0 {
			said[name] = d.Time().Format(time.RFC3339)
		}
	}
}

// state states an act about an instrument; what was given as fields stands.
func (b *by) state(s *session.Session, node *api.Client, instrument string, kind acts.Kind, fixed map[string]string) error {
	said, err := b.Request(s, acts.FormAct)
	if err != nil {
		return err
	}
	if said.Text["date"] == "" {
		said.Text["date"] = acts.DayOf(time.Now()).String()
	}
	for k, v := range fixed {
		if said.Text[k] == "" {
			said.Text[k] = v
		}
	}
	said.Text["instrument"], said.Text["kind"] = instrument, string(kind)
	days(said.Text)
	return b.send(s, node, said)
}

func (b *by) send(s *session.Session, node *api.Client, said api.Words) error {
	sent, err := node.Send(s.Ctx, api.SendRequest{Channel: public, Post: b.Post, Plane: traffic.Real, Precedence: b.Precedence, Words: said})
	if err != nil {
		return err
	}
	return b.Tell(s, node, sent)
}

// about states an act about an instrument that is named by the beginning of its id.
type about struct {
	Instrument string `arg:"" help:"The beginning of its id." placeholder:"INSTRUMENT"`
	by
}

func (a *about) run(s *session.Session, kind acts.Kind) error {
	node, err := s.Client(a.Wait != "")
	if err != nil {
		return err
	}
	i, err := registry.Client{Node: node}.Instrument(s.Ctx, a.Instrument)
	if err != nil {
		return err
	}
	return a.state(s, node, i.ID, kind, nil)
}

// regarding states an act about another act.
type regarding struct {
	Act string `arg:"" help:"The beginning of the id of the act." placeholder:"ACT"`
	by
}

func (r *regarding) run(s *session.Session, kind acts.Kind, fixed func(acts.Act) map[string]string) error {
	node, err := s.Client(r.Wait != "")
	if err != nil {
		return err
	}
	found, err := registry.Client{Node: node}.Act(s.Ctx, r.Act)
	if err != nil {
		return err
	}
	more := map[string]string{"regarding": found.Act.ID}
	if fixed != nil {
		for k, v := range fixed(found.Act) {
			more[k] = v
		}
	}
	return r.state(s, node, found.Instrument, kind, more)
}

func actHelp(about, example string) string {
	if about != "" {
		about += "\n\n"
	}
	return about + session.Detail(example, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

type signCmd struct{ about }

// Help gives an example and the exit codes.
func (signCmd) Help() string { return actHelp("", "detente act sign 7c1f manner=ad-referendum") }

// Run states it.
func (c *signCmd) Run(s *session.Session) error { return c.run(s, acts.Sign) }

type adhereCmd struct{ about }

// Help gives examples and the exit codes.
func (adhereCmd) Help() string {
	return actHelp("Joint: it has effect only together with others. Threshold: only once so many have adhered.", "detente act adhere 7c1f with=xs,xl at_least=3 --post council")
}

// Run states it.
func (c *adhereCmd) Run(s *session.Session) error { return c.run(s, acts.Adhere) }

type declareCmd struct{ about }

// Help gives an example and the exit codes.
func (declareCmd) Help() string {
	return actHelp("", `detente act declare 7c1f texts.en="Self-defence is not affected." texts.ru="Право на самооборону не затронуто."`)
}

// Run states it.
func (c *declareCmd) Run(s *session.Session) error { return c.run(s, acts.Declare) }

type reserveCmd struct{ about }

// Help gives an example and the exit codes.
func (reserveCmd) Help() string {
	return actHelp("", `detente act reserve 7c1f provision=art-4 texts.en="Article 4 does not apply to hospitals at sea."`)
}

// Run states it.
func (c *reserveCmd) Run(s *session.Session) error { return c.run(s, acts.Reserve) }

type stateCmd struct {
	Kind string `arg:"" help:"Kind of the act: docs/register.md lists them." placeholder:"KIND"`
	about
}

// Help gives an example and the exit codes.
func (stateCmd) Help() string {
	return actHelp("A depositary states the act of another with of=PARTY.", `detente act state ratify 7c1f date=2026-11-20 of=xk`)
}

// Run states it.
func (c *stateCmd) Run(s *session.Session) error {
	if !acts.Kind(c.Kind).Valid() {
		return session.Fail(session.ExitUse, "docs/register.md lists the kinds", "%q is no kind of act", c.Kind)
	}
	return c.run(s, acts.Kind(c.Kind))
}

type objectCmd struct {
	Opposing bool `help:"The instrument is not to be in force between the two."`
	regarding
}

// Help gives an example and the exit codes.
func (objectCmd) Help() string {
	return actHelp("", `detente act object 91e0 --opposing texts.en="It is incompatible with the purpose."`)
}

// Run states it.
func (c *objectCmd) Run(s *session.Session) error {
	return c.run(s, acts.Object, func(acts.Act) map[string]string {
		if c.Opposing {
			return map[string]string{"opposing": "true"}
		}
		return nil
	})
}

type correctCmd struct {
	Annul bool `help:"The act never was."`
	regarding
}

// Help gives an example and the exit codes.
func (correctCmd) Help() string {
	return actHelp("What is not given stays as it was, the date too.", `detente act correct 91e0 date=2026-11-19`)
}

// Run states it.
func (c *correctCmd) Run(s *session.Session) error {
	return c.run(s, acts.Correct, func(a acts.Act) map[string]string {
		fixed := map[string]string{"date": a.Date.String()}
		if a.Opposing {
			fixed["opposing"] = "true"
		}
		if c.Annul {
			fixed["manner"] = acts.Annulled
		}
		return fixed
	})
}

type withdrawCmd struct {
	ID string `arg:"" help:"The beginning of the id of an act to withdraw, or of an instrument to leave." placeholder:"ID"`
	by
}

// Help gives an example and the exit codes.
func (withdrawCmd) Help() string {
	return actHelp("Leaving has effect when the notice has run that the instrument's rules ask for.", `detente act withdraw 91e0`)
}

// Run states it.
func (c *withdrawCmd) Run(s *session.Session) error {
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	known := registry.Client{Node: node}
	if i, err := known.Instrument(s.Ctx, c.ID); err == nil {
		return c.state(s, node, i.ID, acts.Withdraw, nil)
	}
	found, err := known.Act(s.Ctx, c.ID)
	if err != nil {
		return err
	}
	return c.state(s, node, found.Instrument, acts.Withdraw, map[string]string{"regarding": found.Act.ID})
}

type revokeCmd struct{ regarding }

// Help gives an example and the exit codes.
func (revokeCmd) Help() string { return actHelp("", `detente act revoke 91e0`) }

// Run states it.
func (c *revokeCmd) Run(s *session.Session) error { return c.run(s, acts.Revoke, nil) }

// rules reads the rules, and takes title and text from the template where one is named.
func (c *openCmd) rules(s *session.Session) ([]byte, error) {
	if (c.Rules == "") == (c.Template == "") {
		return nil, session.Fail(session.ExitUse, "--rules FILE, or --template no-first-strike", "an instrument is opened with rules, or from a template")
	}
	if c.Rules != "" {
		return s.ReadFile(c.Rules, acts.MaxRules)
	}
	o, err := chancery.OpeningNamed(c.Template)
	if err != nil {
		return nil, session.Fail(session.ExitNotFound, "", "%w", err)
	}
	c.Fields = append(c.Fields, "languages="+strings.Join(o.Languages, " "), "kind="+o.Kind)
	for lang, title := range o.Title {
		c.Fields = append(c.Fields, "title."+lang+"="+title)
	}
	for lang, text := range o.Texts {
		c.Fields = append(c.Fields, "texts."+lang+"="+text)
	}
	return o.Rules, nil
}

type openCmd struct {
	Rules    string `help:"File with its rules, JSON: docs/register.md says what they can be." type:"existingfile" placeholder:"FILE"`
	Template string `help:"A model that ships in place of rules, title and text: no-first-strike." placeholder:"NAME"`
	by
}

// Help gives an example and the exit codes.
func (openCmd) Help() string {
	return actHelp("The rules cannot be changed afterwards: other rules are another instrument.",
		`detente act open --template no-first-strike --post council
detente act open --rules rules.json languages="en ru" title.en="Pledge not to strike first" title.ru="Обязательство не нападать первым" texts.en="We shall not strike first."`)
}

// Run states it.
func (c *openCmd) Run(s *session.Session) error {
	b, err := c.rules(s)
	if err != nil {
		return err
	}
	rules, err := acts.ParseRules(b)
	if err != nil {
		return session.Fail(session.ExitRefused, "docs/register.md says what rules have", "%s: %w", c.Rules, err)
	}
	said, err := c.Request(s, acts.FormOpening)
	if err != nil {
		return err
	}
	if b, err = rules.Bytes(); err != nil {
		return err
	}
	said.Text["rules"], said.Text["nature"] = string(b), rules.Nature
	if said.Text["languages"] == "" {
		var langs []string
		for name := range said.Text {
			if lang, ok := strings.CutPrefix(name, "title."); ok {
				langs = append(langs, lang)
			}
		}
		said.Text["languages"] = sorted(langs)
	}
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	return c.send(s, node, said)
}
