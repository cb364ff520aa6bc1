package yearly

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Difference is one thing that two packs do not have alike.
type Difference struct {
	What  string `json:"what"`            // subject, feed, statement, case, figure and so on
	Name  string `json:"name"`            // which
	Field string `json:"field,omitempty"` // of it; empty where only one pack has it
	Here  string `json:"here"`            // empty where this pack does not have it
	There string `json:"there"`
}

// String says it for a person.
func (d Difference) String() string {
	only := func(text string) string { return cmp.Or(text, "not there") }
	of := d.What + " " + d.Name
	if d.Field != "" {
		of += ", " + d.Field
	}
	return fmt.Sprintf("%s: here %s, there %s", of, only(d.Here), only(d.There))
}

// mostDifferences is how many are named.
const mostDifferences = 2000

// Compare names each statement and each figure that two packs of the same round do not have alike, at most 2000 of them. It gives none where they are the same.
func Compare(here, there *Pack) []Difference {
	c := &comparison{}
	if here.Digest != "" && here.Digest == there.Digest {
		return nil
	}
	c.rows("subject", []row{{"", subject(here)}}, []row{{"", subject(there)}})
	c.statements(here, there)
	c.rows("feed", feeds(here), feeds(there))
	c.rows("case", cases(here), cases(there))
	c.rows("figure", figures(here), figures(there))
	c.rows("sent", rowsOf(here.Sent, func(s Sent) string { return name(s.Channel, s.Party, s.Precedence) }), rowsOf(there.Sent, func(s Sent) string { return name(s.Channel, s.Party, s.Precedence) }))
	c.rows("check", rowsOf(here.Checks, nameCheck), rowsOf(there.Checks, nameCheck))
	c.rows("contact", rowsOf(here.Contacts, nameContact), rowsOf(there.Contacts, nameContact))
	c.rows("code", rowsOf(here.Codes, func(x CodeChange) string { return x.ID }), rowsOf(there.Codes, func(x CodeChange) string { return x.ID }))
	c.rows("charter", rowsOf(here.Charters, nameCharter), rowsOf(there.Charters, nameCharter))
	c.rows("action", rowsOf(here.Actions, nameAction), rowsOf(there.Actions, nameAction))
	return c.out
}

type comparison struct{ out []Difference }

func (c *comparison) add(d Difference) {
	if len(c.out) < mostDifferences {
		c.out = append(c.out, d)
	}
}

// row is one of a list, and what it is known by.
type row struct {
	name string
	is   any
}

func name(parts ...any) string { return strings.TrimSuffix(fmt.Sprintln(parts...), "\n") }

func nameCheck(x Checks) string          { return name(x.Channel, x.From, x.To, x.Level) }
func nameContact(x ContactChange) string { return name(x.Channel, x.Party, x.Name) }
func nameCharter(x CharterChange) string { return name(x.Party, x.Version) }
func nameAction(x Action) string         { return x.Number }

func rowsOf[T any](list []T, by func(T) string) []row {
	out := make([]row, len(list))
	for i, x := range list {
		out[i] = row{by(x), x}
	}
	return out
}

// subject is the pack without its lists.
func subject(p *Pack) any {
	return struct {
		Series, Number string
		Round          int
		Name           map[string]string
		Basis, Plane   string
		Parties        []string
		Members        []Member
		Languages      []string
		From, To       string
	}{p.Series, p.Number, p.Round, p.Name, p.Basis, string(p.Plane), strs(p.Parties), p.Members, p.Languages, p.From.String(), p.To.String()}
}

func strs[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

func feeds(p *Pack) (out []row) {
	for _, ch := range p.Channels {
		for _, f := range ch.Feeds {
			n := name(ch.Name, f.Party, f.Precedence, f.Epoch)
			f.Statements = nil // each for itself
			out = append(out, row{n, f})
		}
	}
	return out
}

func cases(p *Pack) (out []row) {
	for list, all := range map[string][]Case{"agreed": p.Agreed, "disputed": p.Disputed} {
		for _, c := range all {
			out = append(out, row{name(c.Case, c.Channel, c.Number), struct {
				Case
				List string `json:"list"`
			}{c, list}})
		}
	}
	return out
}

func figures(p *Pack) (out []row) {
	for _, a := range p.Accounts {
		for _, f := range a.Figures {
			out = append(out, row{name(a.Channel, f.From, f.To, f.Form, f.Precedence), f})
		}
		out = append(out, row{name(a.Channel), struct {
			Digest string `json:"digest"`
		}{a.Digest}})
	}
	return out
}

// statements names those that only one pack lists.
func (c *comparison) statements(here, there *Pack) {
	listed := func(p *Pack) map[string]bool {
		out := make(map[string]bool)
		for _, ch := range p.Channels {
			for _, f := range ch.Feeds {
				for _, s := range f.Statements {
					out[s] = true
				}
			}
		}
		return out
	}
	ours, theirs := listed(here), listed(there)
	only := func(a, b map[string]bool, side func(d *Difference, id string)) {
		for _, s := range slices.Sorted(maps.Keys(a)) {
			if !b[s] {
				number, id, _ := strings.Cut(s, " ")
				d := Difference{What: "statement", Name: number}
				side(&d, id)
				c.add(d)
			}
		}
	}
	only(ours, theirs, func(d *Difference, id string) { d.Here = id })
	only(theirs, ours, func(d *Difference, id string) { d.There = id })
}

// rows compares two lists by the names of their rows, and of rows that both have, each field.
func (c *comparison) rows(what string, here, there []row) {
	at := make(map[string]any, len(there))
	for _, r := range there {
		at[r.name] = r.is
	}
	slices.SortStableFunc(here, func(a, b row) int { return cmp.Compare(a.name, b.name) })
	slices.SortStableFunc(there, func(a, b row) int { return cmp.Compare(a.name, b.name) })
	seen := make(map[string]bool, len(here))
	for _, r := range here {
		other, ok := at[r.name]
		seen[r.name] = true
		if !ok {
			c.add(Difference{What: what, Name: r.name, Here: text(r.is)})
			continue
		}
		a, b := members(r.is), members(other)
		names := maps.Clone(a)
		maps.Copy(names, b)
		for _, field := range slices.Sorted(maps.Keys(names)) {
			if !bytes.Equal(a[field], b[field]) {
				c.add(Difference{what, r.name, field, string(a[field]), string(b[field])})
			}
		}
	}
	for _, r := range there {
		if !seen[r.name] {
			seen[r.name] = true
			c.add(Difference{What: what, Name: r.name, There: text(r.is)})
		}
	}
}

func text(v any) string {
	b, err := one(v)
	if err != nil {
		return "?" // unreachable: it was read from JSON, or will be written as it
	}
	return string(b)
}

// members are the members of a value as JSON has them.
func members(v any) map[string]json.RawMessage {
	out := make(map[string]json.RawMessage)
	b, err := one(v)
	if err != nil || json.Unmarshal(b, &out) != nil {
		return map[string]json.RawMessage{} // unreachable, as above
	}
	return out
}
