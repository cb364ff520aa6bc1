package register

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"detente/acts"
	"detente/api/registry"
	"detente/cli/session"
	"detente/traffic"
	"detente/wording"
)

func sorted(list []string) string {
	slices.Sort(list)
	return strings.Join(list, " ")
}

// in is a text in a language, as a terminal may show it.
func in(lang string, texts map[string]string) string { return session.Safe(wording.In(texts, lang)) }

func short(id string) string { return session.Safe(id[:min(len(id), 12)]) }

type listCmd struct {
	Instrument string `arg:"" optional:"" help:"The beginning of its id: the acts about it." placeholder:"INSTRUMENT"`
	Known      string `help:"As known at a time, RFC 3339, or at the end of a day." placeholder:"TIME"`
	Lang       string `help:"Language of titles." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (listCmd) Help() string {
	return "Acts that change no status are in the list, with the reason.\n\n" +
		session.Detail("detente act list 7c1f", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run lists.
func (c *listCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	known := registry.Client{Node: node}
	if c.Instrument == "" {
		all, err := known.Instruments(s.Ctx)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return s.JSON(all)
		case len(all) == 0:
			s.Printf("No open instrument is known here. Open one with: detente act open\n")
			return nil
		}
		rows := [][]string{{"ID", "INSTRUMENT", "NATURE", "FROM", "ACTS", "BOUND", "IN FORCE"}}
		for _, i := range all {
			from := string(i.Party)
			if i.Source == "collection" {
				from = "imported"
			}
			rows = append(rows, []string{short(i.ID), in(c.Lang, i.Title), i.Nature, from, fmt.Sprint(i.Acts), fmt.Sprint(i.Parties), cmp.Or(i.Entry.String(), string(i.Why), "not yet")})
		}
		return s.Table(rows...)
	}
	list, err := known.Acts(s.Ctx, c.Instrument, registry.When{Known: c.Known})
	switch {
	case err != nil:
		return err
	case c.JSON:
		return s.JSON(list)
	}
	rows := [][]string{{"DATE", "PARTY", "ACT", "ABOUT", "WORKS FROM", "ID", "NO EFFECT"}}
	for _, n := range list.Acts {
		a := n.Act
		if n.As != nil {
			a = *n.As
		}
		what := string(a.Kind)
		if a.Manner != "" {
			what += " (" + a.Manner + ")"
		}
		who := string(a.Party)
		if a.By != "" && a.By != a.Party {
			who += " by " + string(a.By)
		}
		about := session.Safe(cmp.Or(a.Provision, a.Participant))
		if a.Regarding != "" {
			about = short(a.Regarding)
		}
		rows = append(rows, []string{a.Date.String(), who, what, about, n.Works.String(), short(a.ID), string(n.Why)})
	}
	return s.Table(rows...)
}

type statusCmd struct {
	Instrument string        `arg:"" help:"The beginning of its id." placeholder:"INSTRUMENT"`
	On         string        `help:"On a day; today by default." placeholder:"DAY"`
	Known      string        `help:"As known at a time, RFC 3339, or at the end of a day; all that is known by default." placeholder:"TIME"`
	Of         traffic.Party `help:"What there is between this participant and each other; of a pledge, against whom it runs." placeholder:"PARTY"`
	With       traffic.Party `help:"And this one alone." placeholder:"PARTY"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (statusCmd) Help() string {
	return session.Detail("detente act status 7c1f --on 2026-12-31 --known 2026-11-23\ndetente act status 7c1f --of xn --with xs",
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the status.
func (c *statusCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	known, when := registry.Client{Node: node}, registry.When{On: c.On, Known: c.Known}
	if c.Of != "" {
		b, err := known.Between(s.Ctx, c.Instrument, c.Of, c.With, when)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return s.JSON(b)
		}
		return between(s, &b)
	}
	status, err := known.Status(s.Ctx, c.Instrument, when)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return s.JSON(status)
	}
	return table(s, &status.Status)
}

func table(s *session.Session, t *acts.Status) error {
	s.Printf("On %s", t.On)
	if !t.Known.IsZero() {
		s.Printf(", as known on %s", session.Moment(t.Known))
	}
	switch {
	case t.Ended != 0:
		s.Printf(": it ended on %s\n", t.Ended)
	case t.InForce:
		s.Printf(": in force since %s\n", t.Entry)
	case t.Entry != 0:
		s.Printf(": it enters into force on %s\n", t.Entry)
	default:
		s.Printf(": not in force\n")
	}
	rows := [][]string{{"PARTY", "STATE", "SIGNED", "CONSENTED", "BY", "IN FORCE", "ENDS", "RESERVATIONS", "NO EFFECT"}}
	for _, r := range t.Rows {
		var held []string
		for _, h := range r.Held {
			held = append(held, cmp.Or(session.Safe(h.Provision), "whole"))
		}
		who := string(r.Party)
		if name := in("en", r.Names); cmp.Or(name, r.Name) != "" {
			who += " (" + cmp.Or(name, session.Safe(r.Name)) + ")"
		}
		state := string(r.State)
		if r.Other != "" {
			state += " " + string(r.Other)
		}
		none := ""
		if len(r.NoEffect) > 0 {
			none = fmt.Sprint(len(r.NoEffect), " acts")
		}
		rows = append(rows, []string{who, state, r.Signed.String(), r.Consented.String(), string(r.Way), r.InForce.String(), r.Ends.String(), strings.Join(held, ", "), none})
	}
	return s.Table(rows...)
}

func between(s *session.Session, b *registry.Between) error {
	if p := b.Pledge; p != nil {
		switch {
		case !p.Runs:
			s.Printf("The pledge of %s does not run on %s.\n", p.Party, p.On)
		case p.All:
			s.Printf("The pledge of %s runs against everybody%s.\n", p.Party, but(p.Except))
		default:
			s.Printf("The pledge of %s runs against %s.\n", p.Party, cmp.Or(names(p.Toward), "nobody"))
		}
	}
	rows := [][]string{{"WITH", "BOND", "SINCE", "BY"}}
	for _, r := range b.Relations {
		var by []string
		for _, m := range slices.Concat(r.Excluded, r.Modified) {
			x := fmt.Sprintf("reservation %s of %s", short(m.Reservation), m.By)
			if m.Provision != "" {
				x += " to " + session.Safe(m.Provision)
			}
			if m.Objection != "" {
				x += ", objection " + short(m.Objection)
			}
			by = append(by, x)
		}
		rows = append(rows, []string{string(r.Y), string(r.Bond), r.Since.String(), strings.Join(by, "; ")})
	}
	return s.Table(rows...)
}

func names(list []traffic.Party) string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = string(p)
	}
	return strings.Join(out, ", ")
}

func but(list []traffic.Party) string {
	if len(list) == 0 {
		return ""
	}
	return ", but for " + names(list)
}
