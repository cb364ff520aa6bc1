package check

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// Handovers are the moments at which a watch is handed over, in ascending order, from a day before now to two days after it.
type Handovers struct {
	Own  []time.Time
	Peer []time.Time
}

// Side is whose hand-over puts a check off.
const (
	OwnSide  = "own"
	PeerSide = "peer"
)

// Planned is one check that is to be sent.
type Planned struct {
	Line     *Line
	Level    int
	Occasion string
	Slot     time.Time // when the plan has it
	At       time.Time // when it may be sent: after the hand-over that it falls into
	Held     string    // OwnSide or PeerSide, whose hand-over puts it off; empty when none does
}

// Due tells whether it is to be sent now.
func (p *Planned) Due(now time.Time) bool { return !p.At.After(now) }

// Secret reports whether the peer, and the own watch, must not be told of it beforehand.
func (p *Planned) Secret() bool { return p.Occasion == Random }

// Inputs is what a schedule depends on beside the plan.
type Inputs struct {
	Now time.Time
	// Secret is what random checks are drawn with. Whoever does not know it cannot tell when they come.
	Secret []byte
	// Handovers gives those that a line must keep clear of.
	Handovers func(*Line) Handovers
	// Last is when the last check of a line was sent on an occasion; zero for never.
	Last func(l *Line, occasion string) time.Time
}

// patience is how late a check may still be sent. After a longer standstill one is left out: the history shows that, and a burst would prove
// nothing more.
const patience = 6 * time.Hour

// Next gives the next check of each kind of each line, the earliest first. Those that are [Planned.Due] are to be sent; after that it gives the ones
// after them. It is a function of its arguments: every process of the party, and after every restart, comes to the same.
func Next(p *Plan, in Inputs) []Planned {
	var out []Planned
	for i := range p.Lines {
		l := &p.Lines[i]
		h := in.Handovers(l)
		if l.Terminal > 0 {
			out = append(out, p.next(l, h, in, Terminal, Scheduled, l.terminals(in.Now)))
		}
		if l.Shift {
			out = append(out, p.next(l, h, in, Officer, Shift, shifts(h.Own, in.Now)))
		}
		if l.PerWeek > 0 {
			out = append(out, p.next(l, h, in, l.RandLevel, Random, l.draws(in)))
		}
	}
	slices.SortStableFunc(out, func(a, b Planned) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Line.Channel, b.Line.Channel), cmp.Compare(a.Line.Peer, b.Line.Peer), cmp.Compare(a.Level, b.Level))
	})
	return out
}

// next chooses among slots in ascending order: the last one that has come, unless it was met or is too long ago, else the first to come. A slot
// is never skipped for another that has come after it: a check proves the link now, not then.
func (p *Plan) next(l *Line, h Handovers, in Inputs, level int, occasion string, slots []time.Time) Planned {
	met := in.Last(l, occasion)
	var chosen time.Time
	for _, s := range slots {
		if s.After(in.Now) {
			if chosen.IsZero() {
				chosen = s
			}
			break
		}
		if chosen = (time.Time{}); s.After(met) && in.Now.Sub(s) < patience {
			chosen = s
		}
	}
	out := Planned{Line: l, Level: level, Occasion: occasion, Slot: chosen}
	out.At, out.Held = p.clear(chosen, h)
	if out.At.Before(in.Now) {
		if at, held := p.clear(in.Now, h); held != "" { // it is late, and now is no time for it
			out.At, out.Held = at, held
		}
	}
	return out
}

// clear gives the first moment from t on that is near no hand-over of either side, and whose hand-over t was near, if any.
func (p *Plan) clear(t time.Time, h Handovers) (at time.Time, held string) {
	for range 96 { // more hand-overs than two days can have; else they leave no time between them, and the check goes out all the same
		end, side := p.busy(t, h)
		if side == "" {
			return t, held
		}
		t, held = end, cmp.Or(held, side)
	}
	return t, held
}

// Quieted tells whether a moment is within the quiet time around a hand-over, whose it is, and when it is over.
func (p *Plan) Quieted(t time.Time, h Handovers) (until time.Time, side string) {
	if _, side = p.busy(t, h); side == "" {
		return time.Time{}, ""
	}
	until, _ = p.clear(t, h)
	return until, side
}

func (p *Plan) busy(t time.Time, h Handovers) (end time.Time, side string) {
	for _, s := range []struct {
		side  string
		times []time.Time
	}{{OwnSide, h.Own}, {PeerSide, h.Peer}} {
		for _, at := range s.times {
			if !t.Before(at.Add(-p.Quiet)) && t.Before(at.Add(p.Quiet)) {
				return at.Add(p.Quiet), s.side
			}
		}
	}
	return time.Time{}, ""
}

// terminals are the slots of level 1 around now. They do not fall on the hour for every line, so that not everybody calls at once.
func (l *Line) terminals(now time.Time) []time.Time {
	step := int64(l.Terminal / time.Second)
	sum := sha256.Sum256([]byte(l.key()))
	shift := int64(binary.BigEndian.Uint32(sum[:])) % step
	first := (now.Unix()-shift)/step*step + shift
	return []time.Time{time.Unix(first, 0).UTC(), time.Unix(first+step, 0).UTC()}
}

// shifts are the slots of level 2 around now: the middle of each shift, when a watch is at work. Without a roster a day has three.
func shifts(handovers []time.Time, now time.Time) []time.Time {
	if len(handovers) < 2 {
		handovers = Daily([]time.Duration{6 * time.Hour, 14 * time.Hour, 22 * time.Hour}, now)
	}
	var out []time.Time
	for i := 1; i < len(handovers); i++ {
		from, to := handovers[i-1].UTC(), handovers[i].UTC()
		out = append(out, from.Add(to.Sub(from)/2).Truncate(time.Minute))
	}
	if n := len(out); !out[n-1].After(now) { // the roster ends: the next shift is thought as long as the last
		out = append(out, now.Add(handovers[n].Sub(handovers[n-1])/2).UTC().Truncate(time.Minute))
	}
	return out
}

const week = 7 * 24 * time.Hour

// monday is the beginning of a week, before every time that can be asked for.
func monday() time.Time { return time.Date(1970, time.January, 5, 0, 0, 0, 0, time.UTC) }

// draws are the random slots of last week, this week and the next. A week is drawn anew from the secret, so knowing those that have been tells
// nothing of those to come.
func (l *Line) draws(in Inputs) []time.Time {
	this := int64(in.Now.Sub(monday()) / week)
	var out []time.Time
	for w := this - 1; w <= this+1; w++ {
		from := monday().Add(time.Duration(w) * week)
		for i := range l.PerWeek {
			mac := hmac.New(sha256.New, in.Secret)
			fmt.Fprintf(mac, "detente.v1/check/random\x00%s\x00%s\x00%d", l.key(), from.Format(time.DateOnly), i)
			n := binary.BigEndian.Uint64(mac.Sum(nil)) % uint64(week/time.Second)
			out = append(out, from.Add(time.Duration(n)*time.Second))
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}
