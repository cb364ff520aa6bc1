package incident

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// mostListed bounds the networks and the numbers of one list; what goes beyond counts as not read.
const mostListed = 256

// Observation is what was observed, or declared beforehand, as far as a machine can compare it. What is empty was not stated. Networks are masked; lists
// are in order, as ObservationOf gives them.
type Observation struct {
	From, To time.Time
	Sources  []netip.Prefix // addresses that it comes from, apparently
	Numbers  []uint32       // of the autonomous systems of the source
	Networks []netip.Prefix // affected
	Sectors  []string
}

// ObservationOf reads the fields observed or window, sources, as_numbers, networks, sector or sectors of any form. unread counts what stands in the
// lists and is no address, network or number.
func ObservationOf(v form.Values) (o Observation, unread int) {
	if o.From, o.To = windowOf(v, "observed"); o.To.IsZero() {
		o.From, o.To = windowOf(v, "window")
	}
	var bad int
	o.Sources, bad = networks(v.Text("sources"))
	unread += bad
	o.Networks, bad = networks(v.Text("networks"))
	unread += bad
	o.Numbers, bad = numbers(v.Text("as_numbers"))
	unread += bad
	o.Sectors = codes(v, "sectors")
	if s := v.Text("sector"); s != "" && s != "several" {
		o.Sectors = append(o.Sectors, s)
	}
	return o, unread
}

func listed(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\t' })
}

// networks reads addresses and prefixes, in order and each once.
func networks(s string) (out []netip.Prefix, unread int) {
	for _, word := range listed(s) {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(word); err == nil && a.Zone() == "" {
				a = a.Unmap()
				p = netip.PrefixFrom(a, a.BitLen())
			}
		}
		if err != nil || !p.IsValid() || p.Addr().Is4In6() || len(out) == mostListed {
			unread++
			continue
		}
		out = append(out, p.Masked())
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	return slices.Compact(out), unread
}

// numbers reads numbers of autonomous systems, with AS before them or without.
func numbers(s string) (out []uint32, unread int) {
	for _, word := range listed(s) {
		if len(word) > 2 && strings.EqualFold(word[:2], "AS") {
			word = word[2:]
		}
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil || len(out) == mostListed {
			unread++
			continue
		}
		out = append(out, uint32(n))
	}
	slices.Sort(out)
	return slices.Compact(out), unread
}

// Notice is a declared activity as it stands after every word about it.
type Notice struct {
	ID          statement.ID
	Case        Number
	By          traffic.Party
	Audience    string
	Channel     [32]byte
	Plane       traffic.Plane
	Given       time.Time
	Class       string
	Intensity   string
	Declared    Observation // its window is the one that was stated last
	Activated   time.Time   // zero while no word says so
	Ended       time.Time   // completed or cancelled, likewise
	Extended    int
	Short       bool   // given later than the regime asks for
	State       string // of its matter at the time of asking: planned, unconfirmed, activated, overdue, completed, cancelled, withdrawn
	Recognition string // the originator's words
	Contact     string
}

// Notices lists the activities that were declared in the case, as they stand at now.
func (c *Case) Notices(now time.Time) (out []Notice) {
	for _, m := range c.Matters {
		if m.opening.Form != formActivity {
			continue
		}
		o := m.opening
		n := Notice{
			ID: m.ID, Case: c.Number, By: m.Asker, Audience: o.Audience, Channel: c.Channel, Plane: c.Plane, Given: o.At, Class: o.Values.Text("class"),
			Intensity: o.Values.Text("intensity"), State: m.at(now).State, Recognition: o.Values.Text("recognition"), Contact: o.Values.Text("contact"),
		}
		n.Declared, _ = ObservationOf(o.Values)
		n.Short = n.Declared.From.Sub(o.At) < c.table.regime.Limit("notice", o.Precedence)
		for i := range c.Entries {
			if e := &c.Entries[i]; e.Matter == m.ID && e.Form == formStatus && e.Moved() {
				n.heard(e)
			}
		}
		out = append(out, n)
	}
	return out
}

// heard takes in one word about the activity.
func (n *Notice) heard(e *Entry) {
	at := timeOr(e.Values.Time("at"), e.At)
	switch e.Values.Text("status") {
	case "activated":
		n.Activated = at
	case "completed", "cancelled":
		n.Ended = at
	case "extended":
		n.Extended++
		if from, to := windowOf(e.Values, "window"); !to.IsZero() {
			n.Declared.From, n.Declared.To = from, to
		}
	}
}

// Void tells whether the notice announces nothing any more.
func (n *Notice) Void() bool {
	return n.State == "withdrawn" || n.State == "cancelled" && n.Activated.IsZero()
}

// Criteria that are compared, as the form activity-match names them.
const (
	CriterionWindow   = "window"
	CriterionSources  = "sources"
	CriterionNumbers  = "as-numbers"
	CriterionNetworks = "networks"
	CriterionSectors  = "sectors"
)

// Conclusions of a comparison, as the form activity-match names them.
const (
	Matches = "matches" // nothing that both state differs, and the source or what is affected is the same
	InPart  = "in-part" // the period and something else, or the period while little else is stated
	Differ  = "differs" // another period, or nothing but the period
)

// Match is what comes of holding an observation against a notice.
type Match struct {
	Notice     Notice
	Conclusion string
	Hit        []string // criteria that match
	Missed     []string // criteria that both state and that do not match
}

// Compare holds an observation against a notice. Recognition data are words, so a person compares those.
func Compare(o Observation, n Notice) Match {
	m := Match{Notice: n, Conclusion: Differ}
	d := n.Declared
	say := func(criterion string, stated, hit bool) {
		switch {
		case stated && hit:
			m.Hit = append(m.Hit, criterion)
		case stated:
			m.Missed = append(m.Missed, criterion)
		}
	}
	// A word that it went on longer counts, and that it ended sooner.
	to := d.To
	if !n.Ended.IsZero() && n.Ended.Before(to) {
		to = n.Ended
	}
	say(CriterionWindow, !o.To.IsZero() && !d.To.IsZero(), !o.From.After(to) && !o.To.Before(d.From))
	say(CriterionSources, len(o.Sources) > 0 && len(d.Sources) > 0, overlap(o.Sources, d.Sources))
	say(CriterionNumbers, len(o.Numbers) > 0 && len(d.Numbers) > 0, slices.ContainsFunc(o.Numbers, func(a uint32) bool { _, ok := slices.BinarySearch(d.Numbers, a); return ok }))
	say(CriterionNetworks, len(o.Networks) > 0 && len(d.Networks) > 0, overlap(o.Networks, d.Networks))
	say(CriterionSectors, len(o.Sectors) > 0 && len(d.Sectors) > 0, slices.ContainsFunc(o.Sectors, func(s string) bool { return slices.Contains(d.Sectors, s) }))
	where := slices.ContainsFunc(m.Hit, func(c string) bool { return c != CriterionWindow && c != CriterionSectors })
	switch {
	case n.Void() || !slices.Contains(m.Hit, CriterionWindow):
	case where && len(m.Missed) == 0:
		m.Conclusion = Matches
	case where || slices.Contains(m.Hit, CriterionSectors) && len(m.Missed) == 0:
		m.Conclusion = InPart
	}
	return m
}

// CompareAll holds an observation against many notices and gives those that it matches, wholly or in part, the best first. An observer's own notices
// are not left out: that is what own activity looks like to oneself.
func CompareAll(o Observation, notices []Notice) (out []Match) {
	for _, n := range notices {
		if m := Compare(o, n); m.Conclusion != Differ {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(rankOf(a.Conclusion), rankOf(b.Conclusion)), cmp.Compare(len(b.Hit), len(a.Hit)), cmp.Compare(len(a.Missed), len(b.Missed)), a.Notice.Given.Compare(b.Notice.Given))
	})
	return out
}

func rankOf(conclusion string) int {
	return slices.Index([]string{Matches, InPart, Differ}, conclusion)
}

// overlap tells whether some network of a shares an address with some of b. Both are in order.
func overlap(a, b []netip.Prefix) bool {
	for _, p := range a {
		// Prefixes nest or are apart: one of b that begins within p overlaps it, and so does a wider one, which begins before.
		at, _ := slices.BinarySearchFunc(b, p.Addr(), func(q netip.Prefix, addr netip.Addr) int { return q.Addr().Compare(addr) })
		if at < len(b) && p.Contains(b[at].Addr()) {
			return true
		}
		for bits := range p.Bits() {
			wide := netip.PrefixFrom(p.Addr(), bits).Masked()
			if _, ok := slices.BinarySearchFunc(b, wide, func(q, w netip.Prefix) int {
				return cmp.Or(q.Addr().Compare(w.Addr()), cmp.Compare(q.Bits(), w.Bits()))
			}); ok {
				return true
			}
		}
	}
	return false
}
