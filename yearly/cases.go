package yearly

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"detente/incident"
	"detente/statement"
	"detente/traffic"
)

// What a side does not grant, protocol.md#pack.
const (
	ClosedDisagreed  = "closed-disagreed"  // both have closed the case, and say that they do not agree
	ClosingDisagreed = "closing-disagreed" // it proposes to close without agreement
	ClosingDeclined  = "closing-declined"  // it does not agree to close as was proposed
	NotConfirmed     = "not-confirmed"     // it has not found what it was asked about
	NotOurs          = "not-ours"          // it says that it is not the one
	Refused          = "refused"           // it does not deal with the request
	MatchDiffers     = "match-differs"     // what was declared is not what it sees
	SeverityDiffers  = "severity-differs"  // the sides take the case for differently serious
)

// Contests lists what a side may contest, for whoever has words for each.
func Contests() []string {
	return []string{ClosedDisagreed, ClosingDisagreed, ClosingDeclined, NotConfirmed, NotOurs, Refused, MatchDiffers, SeverityDiffers}
}

const agreed = "agreed" // the outcome that ends every contest

// bearing tells whether a case is one that a review is given: it bears a number, or is opened as what an agreement on incidents is about. Signals, changes to the
// codebook and consents to publish are none.
func bearing(c *incident.Case) bool {
	switch c.Matters[0].Machine.ID {
	case "signal", "codebook", "publication":
		return false
	}
	return true
}

// cases takes those of the channel in which something was said in the period, and those that were open at its beginning.
func (a *Assembly) cases(w *work) {
	for _, k := range w.cases {
		c := k.Case
		if !bearing(c) {
			continue
		}
		v := c.At(a.about.To)
		said := slices.ContainsFunc(c.Entries, func(e incident.Entry) bool { return a.about.in(e.At) })
		open := c.Opened.Before(a.about.From) && (v.Open() || !v.ClosedAt.Before(a.about.From))
		if !said && !open {
			continue
		}
		out := Case{
			Case: c.Number.String(), Number: a.numbers[c.ID], Dossier: k.ID.String(), Channel: w.Name, Opener: c.Opener, Opened: c.Opened.UTC(), Form: c.Matters[0].Machine.Opens,
			State: v.State, Leads: v.Machine, Outcome: v.Outcome, Review: c.Review, Overdue: len(v.Overdue()), Severity: []Severity{}, Said: len(c.Entries),
			Digest: hex.EncodeToString(k.state[:]), Contests: a.contests(c, v),
		}
		if out.Case == "" {
			out.Case = out.Number
		}
		if !v.Open() {
			at := v.ClosedAt.UTC()
			out.Closed = &at
		}
		for _, s := range c.Severity {
			out.Severity = append(out.Severity, Severity{s.By, cmp.Or(s.Common, "not-assessed")})
		}
		slices.SortFunc(out.Severity, func(x, y Severity) int { return cmp.Compare(x.By, y.By) })
		a.pack.Agreed = append(a.pack.Agreed, out)
	}
}

// judge parts the cases: one that is contested on a channel is disputed on all.
func (a *Assembly) judge() {
	p := a.pack
	all := p.Agreed
	slices.SortFunc(all, func(x, y Case) int {
		return cmp.Or(cmp.Compare(x.Case, y.Case), cmp.Compare(x.Channel, y.Channel), cmp.Compare(x.Dossier, y.Dossier))
	})
	contested := make(map[string]bool)
	for i := range all {
		contested[all[i].Case] = contested[all[i].Case] || len(all[i].Contests) > 0
	}
	p.Agreed = []Case{}
	for _, c := range all {
		if contested[c.Case] {
			p.Disputed = append(p.Disputed, c)
		} else {
			p.Agreed = append(p.Agreed, c)
		}
	}
}

// contests reads what a side does not grant, from the last words of each. A case that both have closed as agreed is not contested by anybody.
func (a *Assembly) contests(c *incident.Case, v *incident.View) []Contest {
	out := []Contest{}
	if v.Outcome == agreed {
		return out
	}
	add := func(by traffic.Party, what string, id statement.ID, at time.Time) {
		out = append(out, Contest{by, what, a.numbers[id], id.String(), at.UTC()})
	}
	found := make(map[statement.ID]*incident.Entry)    // the last finding in each matter
	answered := make(map[statement.ID]*incident.Entry) // the answer to each proposal to close
	for i := range c.Entries {
		switch e := &c.Entries[i]; {
		case e.Why != "" || !e.Moved():
		case e.Form == "reply":
			found[e.Matter] = e
		case e.Form == "closure-answer":
			answered[e.Matter] = e
		}
	}
	closing := -1 // the last proposal to close
	for i, m := range v.Matters {
		switch {
		case len(m.Machine.Closes) > 0:
			if m.State != "withdrawn" {
				closing = i
			}
		case found[m.ID] != nil && m.State != "withdrawn":
			e := found[m.ID]
			switch said := e.Values.Text("finding"); said {
			case NotConfirmed, NotOurs, Refused:
				add(e.Issuer.Party, said, e.ID, e.At)
			}
		}
	}
	if closing >= 0 {
		switch m := v.Matters[closing]; m.State {
		case "closed-disagreed":
			add(m.Asker, ClosedDisagreed, m.ID, m.Since)
		case "proposed-disagreed":
			add(m.Asker, ClosingDisagreed, m.ID, m.Since)
		case "declined":
			if e := answered[m.ID]; e != nil {
				add(e.Issuer.Party, ClosingDeclined, e.ID, e.At)
			}
		}
	}
	differs := make(map[traffic.Party]incident.Link)
	for _, l := range c.Links { // in their order: the last word of each side stands
		delete(differs, l.By)
		if l.Conclusion == "differs" {
			differs[l.By] = l
		}
	}
	at := func(id statement.ID) (at time.Time) {
		for i := range c.Entries {
			if c.Entries[i].ID == id {
				at = c.Entries[i].At
			}
		}
		return at
	}
	for _, l := range differs {
		add(l.By, MatchDiffers, l.Statement, at(l.Statement))
	}
	if levels := assessed(c); len(levels) > 1 {
		for _, s := range levels {
			add(s.By, SeverityDiffers, s.Statement, at(s.Statement))
		}
	}
	slices.SortFunc(out, func(x, y Contest) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.What, y.What), cmp.Compare(x.By, y.By), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// assessed are the assessments on the common scale, if there are two that differ.
func assessed(c *incident.Case) (out []incident.Assessment) {
	differ := false
	for _, s := range c.Severity {
		if s.Common == "" || s.Common == "not-assessed" {
			continue
		}
		differ = differ || len(out) > 0 && out[0].Common != s.Common
		out = append(out, s)
	}
	if !differ {
		return nil
	}
	return out
}
