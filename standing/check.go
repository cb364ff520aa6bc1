package standing

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"detente/check"
	"detente/feed"
	"detente/floor"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/party"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// Errors of checks.
var (
	ErrHandover = errors.New("standing: a watch is being handed over")
	ErrQuestion = errors.New("standing: a check of this level needs a question or a task")
)

// Ask is a check to be sent.
type Ask struct {
	Channel  [32]byte
	Audience string // party or party/post
	Post     traffic.Post
	Plane    traffic.Plane
	Level    int
	Occasion string
	Question string // empty for a fresh one of the program, up to level 2
	Force    bool   // both shifts have agreed that it may fall into a hand-over
}

// replyWithin is how long the other side has for a check. A machine, and a watch that is awake, need no more.
func replyWithin(level int) time.Duration {
	switch level {
	case check.Terminal:
		return 15 * time.Minute
	case check.Officer:
		return 30 * time.Minute
	}
	return 0 // as the regime has it
}

// RunCheck sends a check. drafter is the duty role of the person, or [journal.Machine]. Errors: ErrHandover, ErrQuestion, those of [node.Node.Send].
func (s *Standing) RunCheck(ctx context.Context, a Ask, drafter string) (node.Sent, error) {
	if err := s.Read(ctx); err != nil {
		return node.Sent{}, err
	}
	now := time.Now()
	to, err := traffic.ParseAddress(a.Audience)
	if err != nil {
		return node.Sent{}, err
	}
	h := check.Handovers{Own: s.ownHandovers(a.Post, now)}
	s.mu.RLock()
	p := s.plan.Plan
	h.Peer = s.peerHandovers(a.Channel, to, now)
	s.mu.RUnlock()
	if p == nil {
		p, _ = check.Parse("")
	}
	if until, side := p.Quieted(now, h); side != "" && !a.Force {
		return node.Sent{}, fmt.Errorf("%w: %s side, until %s", ErrHandover, side, form.DTG(until.Add(59*time.Second)))
	}
	v := form.Values{"level": int64(a.Level)}
	if a.Occasion != "" {
		v["occasion"] = a.Occasion
	}
	language := s.lang.String()
	switch {
	case a.Question != "":
		v["question"] = a.Question
	case a.Level == check.Terminal:
		v["question"] = check.Scripts() // what a machine answers need not be read: it shows that every script arrives
	case a.Level == check.Officer:
		language = s.readBy(to.Party)
		s.mu.RLock()
		last := s.lastQuestion(to.Party)
		s.mu.RUnlock()
		var draw [8]byte
		rand.Read(draw[:])
		v["question"] = check.Question(language, binary.BigEndian.Uint64(draw[:]), last)
	default:
		return node.Sent{}, fmt.Errorf("%w: level %d", ErrQuestion, a.Level)
	}
	if d := replyWithin(a.Level); d > 0 {
		v["reply_by"] = now.Add(d).Unix()
	}
	return s.node.Send(ctx, node.Draft{
		Channel: a.Channel, Plane: a.Plane, Precedence: traffic.Routine, Post: a.Post, Audience: a.Audience, Form: formCheck, Values: v,
		Language: language, Drafter: drafter,
	})
}

// largest is how many bytes of words a statement takes beside what else stands in it.
const largest = 44 << 10

// SendLargest sends a text of every script and the largest size to whom a check goes, on the plane test: its receipt shows that it came whole. Errors: those
// of [node.Node.Send].
func (s *Standing) SendLargest(ctx context.Context, a Ask, drafter string) (node.Sent, error) {
	return s.node.Send(ctx, node.Draft{
		Channel: a.Channel, Plane: traffic.Test, Precedence: traffic.Routine, Post: a.Post, Audience: a.Audience, Form: "goodwill",
		Values: form.Values{"text": check.Largest(check.MaxText, largest)}, Language: s.lang.String(), Drafter: drafter,
	})
}

// readBy is the first language of a party in which there are questions.
func (s *Standing) readBy(p traffic.Party) string {
	if c := s.node.Chain(p); c != nil {
		for _, l := range c.Latest().Languages {
			if slices.Contains(check.Languages(), l) {
				return l
			}
		}
	}
	return "en"
}

// lastQuestion is what a party was asked last. f.mu is held.
func (s *Standing) lastQuestion(p traffic.Party) string {
	for _, c := range s.checks.All() {
		if c.From == s.self && c.Level == check.Officer && c.Peer(s.self) == p {
			return c.Question
		}
	}
	return ""
}

// ownHandovers are those around now of an own post, by its roster. The floor is asked: s.mu must not be held.
func (s *Standing) ownHandovers(post traffic.Post, now time.Time) []time.Time {
	return s.floor.Handovers(post, now.AddDate(0, 0, -1), now.AddDate(0, 0, 2))
}

// peerHandovers are those around now of another party, as its entries of the directory state them. s.mu is held.
func (s *Standing) peerHandovers(channel [32]byte, to traffic.Address, now time.Time) []time.Time {
	var out []time.Time
	for _, c := range s.contacts.All(traffic.Real) {
		of, err := traffic.ParseAddress(c.Values.Text("post"))
		if c.Party != to.Party || c.Channel != channel || !c.Withdrawn.IsZero() || to.Post != "" && err == nil && of.Post != "" && of.Post != to.Post {
			continue
		}
		out = append(out, check.Daily(check.ParseHandovers(c.Values.Text("handovers")), now)...)
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// SetPlan puts a plan of checks into force. Error: check.ErrPlan.
func (s *Standing) SetPlan(ctx context.Context, text string, by floor.By) error {
	if _, err := check.Parse(text); err != nil {
		return err
	}
	_, err := s.floor.Journal().Record(ctx, "", cmp.Or(by.Role, "terminal"), formPlan, form.Values{"text": cmp.Or(text, "#"), "by": by.Officer})
	return err
}

// Plan is the text of the plan in force, empty when there is none.
func (s *Standing) Plan(ctx context.Context) (text string, err error) {
	if err := s.Read(ctx); err != nil {
		return "", err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.plan.text, nil
}

// CheckShown is a check and its number.
type CheckShown struct {
	check.Check
	Number string
}

// Checks is the history, the newest first, narrowed by peer (empty for all) and time, at most limit; with the days of the last year on the real plane.
func (s *Standing) Checks(ctx context.Context, peer traffic.Party, since time.Time, limit int) (list []CheckShown, days []check.Day, err error) {
	if err := s.Read(ctx); err != nil {
		return nil, nil, err
	}
	now := time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.checks.All() {
		if len(list) == limit || c.Sent.Before(since) {
			break
		}
		if peer == "" || c.Peer(s.self) == peer {
			list = append(list, CheckShown{*c, s.places[c.ID].number()})
		}
	}
	for _, d := range s.checks.Days(s.self, traffic.Real, now.AddDate(0, 0, -378), now) {
		if peer == "" || d.Peer == peer {
			days = append(days, d)
		}
	}
	return list, days, nil
}

// lastCheck is the last check on a channel that this party sent to a party; nil when there was none. What was read is asked.
func (s *Standing) lastCheck(channel [32]byte, p traffic.Party) *check.Check {
	for _, c := range s.checks.All() {
		if c.From == s.self && c.Channel == channel && c.Plane == traffic.Real && c.Peer(s.self) == p {
			return c
		}
	}
	return nil
}

// NextCheck is a check that is to come.
type NextCheck struct {
	check.Planned
	Channel [32]byte
}

// NextChecks are the checks to come by the plan. Random ones are left out: nobody is told beforehand.
func (s *Standing) NextChecks(ctx context.Context) ([]NextCheck, error) {
	all, _, err := s.planned(ctx, time.Now())
	return slices.DeleteFunc(all, func(n NextCheck) bool { return n.Secret() }), err
}

// planned is what the plan has next, of the lines whose channel is in being; missing tells that some line has none.
func (s *Standing) planned(ctx context.Context, now time.Time) (out []NextCheck, missing bool, err error) {
	s.mu.RLock()
	p, raise := s.plan, s.raise
	s.mu.RUnlock()
	var raised []Rhythm
	if raise != nil {
		raised = raise(now)
	}
	if (p.Plan == nil || len(p.Lines) == 0) && len(raised) == 0 {
		return nil, false, nil
	}
	named, err := s.channelsNamed(ctx, now)
	if err != nil {
		return nil, false, err
	}
	as := p.raised(raised, named)
	live := &check.Plan{Quiet: as.Quiet}
	for _, l := range as.Lines {
		if c := named[l.Channel]; c != nil && c.Member(l.Peer) && l.Peer != s.self {
			live.Lines = append(live.Lines, l)
		} else {
			missing = true
		}
	}
	own := make(map[traffic.Post][]time.Time)
	for _, l := range live.Lines {
		own[l.Post] = s.ownHandovers(l.Post, now)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, next := range check.Next(live, check.Inputs{
		Now: now, Secret: p.secret,
		Handovers: func(l *check.Line) check.Handovers {
			return check.Handovers{Own: own[l.Post], Peer: s.peerHandovers(named[l.Channel].ID(), traffic.Address{Party: l.Peer, Post: l.To}, now)}
		},
		Last: func(l *check.Line, occasion string) time.Time {
			return s.last(named[l.Channel].ID(), l, occasion)
		},
	}) {
		out = append(out, NextCheck{next, named[next.Line.Channel].ID()})
	}
	return out, missing, nil
}

// Rhythm is how often a link is checked for a time, whatever the plan says.
type Rhythm struct {
	Channel [32]byte // on which it is checked where the plan has no line with the peer
	Peer    traffic.Party
	Plane   traffic.Plane
	Every   time.Duration // between two checks of level 1, a quarter of an hour at least
}

// leastRhythm bounds what another party's word can bring about here.
const leastRhythm = 15 * time.Minute

// Raise has a function say which links are to be checked more often than the plan has it. It must be called before the floor runs. The function is called without a lock
// of this package, and looks at nothing but the time.
func (s *Standing) Raise(f func(now time.Time) []Rhythm) {
	s.mu.Lock()
	s.raise = f
	s.mu.Unlock()
}

// raised is the plan with a rhythm that is no slower than asked for. A peer without a line in the plan has one for the time.
func (p *plan) raised(rhythms []Rhythm, named map[string]*party.Channel) check.Plan {
	out := check.Plan{Quiet: usualQuiet}
	if p.Plan != nil {
		out = check.Plan{Quiet: p.Quiet, Lines: slices.Clone(p.Lines)}
	}
	for _, r := range rhythms {
		every, found := max(r.Every, leastRhythm), false
		for i := range out.Lines {
			if l := &out.Lines[i]; l.Peer == r.Peer && l.Plane == r.Plane {
				found = true
				if l.Terminal == 0 || l.Terminal > every {
					l.Terminal = every
				}
			}
		}
		for name, c := range named {
			if !found && c.ID() == r.Channel {
				out.Lines = append(out.Lines, check.Line{Channel: name, Peer: r.Peer, Plane: r.Plane, Terminal: every})
			}
		}
	}
	return out
}

// usualQuiet is that of a plan that does not say.
const usualQuiet = 20 * time.Minute

// last is when this party sent the last check of a line.
func (s *Standing) last(channel [32]byte, l *check.Line, occasion string) (at time.Time) {
	audience := traffic.Address{Party: l.Peer, Post: l.To}.String()
	for a, t := range s.sent {
		if a.channel == channel && a.plane == l.Plane && a.occasion == occasion && a.audience == audience && (l.Post == "" || l.Post == a.post) && t.After(at) {
			at = t
		}
	}
	return at
}

// channelsNamed are the common channels that are in being, by name; of several with one name the first. They are remembered for a while: to list them
// is to fold what was ever said of channels.
func (s *Standing) channelsNamed(ctx context.Context, now time.Time) (map[string]*party.Channel, error) {
	s.mu.RLock()
	named, at := s.named, s.namedAt
	s.mu.RUnlock()
	if named != nil && now.Sub(at) < rename && !now.Before(at) {
		return named, nil
	}
	all, err := s.node.Channels(ctx)
	if err != nil {
		return nil, err
	}
	named = make(map[string]*party.Channel)
	for _, c := range all {
		if c.Kind == party.Common && c.Established && named[c.Name] == nil {
			named[c.Name] = c.Channel
		}
	}
	s.mu.Lock()
	s.named, s.namedAt = named, now
	s.mu.Unlock()
	return named, nil
}

// rename is for how long the names of channels are remembered.
const rename = time.Minute

// answerWithin is for how long after it has come a check is answered by the machine: nobody waits longer.
const answerWithin = 24 * time.Hour

// Errand does what the machine itself has to say: it answers checks of level 1, and sends those that the plan has due. It tells when it is to be
// asked again.
func (s *Standing) Errand(ctx context.Context, now time.Time) (again time.Time) {
	for _, t := range s.unanswered(now) {
		if err := s.answerCheck(ctx, t); err != nil {
			s.log.Error("a check cannot be answered", "id", t.Statement.ID(), "reason", err)
			again = sooner(again, now.Add(time.Minute))
		}
	}
	planned, missing, err := s.planned(ctx, now)
	if err != nil {
		s.log.Error("the plan of checks cannot be followed", "reason", err)
		return sooner(again, now.Add(time.Minute))
	}
	if missing {
		again = sooner(again, now.Add(rename)) // it may come into being
	}
	for _, p := range planned {
		if !p.Due(now) {
			again = sooner(again, p.At)
			continue
		}
		if err := s.sendPlanned(ctx, &p); err != nil {
			s.log.Error("a check of the plan cannot be sent", "channel", p.Line.Channel, "peer", p.Line.Peer, "reason", err)
		}
		again = sooner(again, now.Add(time.Minute))
	}
	return again
}

// unanswered are the checks that the machine is to answer, the oldest first.
func (s *Standing) unanswered(now time.Time) []*floor.Told {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*floor.Told
	for id, t := range s.toAnswer {
		if now.Sub(t.Held) > answerWithin {
			delete(s.toAnswer, id)
			continue
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *floor.Told) int {
		return cmp.Or(a.Held.Compare(b.Held), cmp.Compare(a.Statement.Clock, b.Statement.Clock), bytes.Compare(a.Statement.Bytes(), b.Statement.Bytes()))
	})
	return out
}

// answerCheck answers a check of level 1 as what it is: a machine. Once: whichever process of this party claims it does it. Dying after the claim,
// the next process claims it anew; dying after the answer was stored, the next finds the answer and leaves it.
func (s *Standing) answerCheck(ctx context.Context, t *floor.Told) error {
	id := t.Statement.ID()
	return s.floor.Once(ctx, watch.Key("check-answer", id.String()), "answered", func() error {
		s.mu.RLock()
		done := s.answered[id]
		s.mu.RUnlock()
		if done {
			return nil
		}
		_, err := s.node.Reply(ctx, node.Reply{
			To: id, Post: s.floor.PostFor(t.Statement), Form: formCheckAnswer, Values: form.Values{"answered_by": check.ByTerminal}, Language: s.lang.String(), Drafter: journal.Machine,
		})
		if err == nil || !errors.Is(err, feed.ErrBehind) && !errors.Is(err, store.ErrStopped) {
			s.mu.Lock()
			delete(s.toAnswer, id) // what this party may not say now it may not say in a minute
			s.mu.Unlock()
		}
		return err
	})
}

// sendPlanned sends a check that is due, once.
func (s *Standing) sendPlanned(ctx context.Context, p *NextCheck) error {
	l := p.Line
	key := watch.Key("check", hex.EncodeToString(p.Channel[:4]), string(l.Peer), string(l.Plane), string(l.Post), string(l.To), p.Occasion, strconv.FormatInt(p.Slot.Unix(), 10))
	return s.floor.Once(ctx, key, "sent", func() error {
		post, err := s.speaks(p.Channel, l.Post)
		if err != nil {
			return err
		}
		_, err = s.RunCheck(ctx, Ask{
			Channel: p.Channel, Audience: traffic.Address{Party: l.Peer, Post: l.To}.String(), Post: post, Plane: l.Plane, Level: p.Level, Occasion: p.Occasion,
		}, journal.Machine)
		return err
	})
}

// speaks is the post that speaks on a channel: the one wanted, or the first that may.
func (s *Standing) speaks(channel [32]byte, want traffic.Post) (traffic.Post, error) {
	c, err := s.node.Charter(channel)
	if err != nil || want != "" {
		return want, err
	}
	for _, p := range s.node.Chain(s.self).Latest().Posts {
		if c.Speaks(p.Name) {
			return p.Name, nil
		}
	}
	return "", node.ErrAuthority
}

// overdueSince is how far back an unanswered check is something that anybody can still do anything about.
const overdueSince = 14 * 24 * time.Hour

// overdue is the checks that nobody has answered in time. One item stands for all since the last that was answered, so that a line that is down for
// a day does not ring once an hour; it ends with the next answer. s.mu is held.
func (s *Standing) overdue(now time.Time) (items []*watch.Item, again time.Time) {
	type key struct {
		channel [32]byte
		peer    traffic.Party
		plane   traffic.Plane
		person  bool
	}
	settled, open := make(map[key]bool), make(map[key]*watch.Item)
	var keys []key
	for _, c := range s.checks.All() { // the newest first
		if now.Sub(c.Sent) > overdueSince {
			break
		}
		k := key{c.Channel, c.Peer(s.self), c.Plane, c.Level > check.Terminal}
		if c.From != s.self || k.peer == "" || settled[k] {
			continue
		}
		switch state := c.State(true, now); state {
		case check.Waiting:
			if !c.Due.IsZero() {
				again = sooner(again, c.Due.Add(time.Second))
			}
		case check.Missed:
			line := s.places[c.ID]
			it := &watch.Item{
				Key: watch.Key(watch.Check, c.ID.String()), Kind: watch.Check, Post: line.issuer.Post, Plane: c.Plane, Precedence: traffic.Priority,
				Say: "check", Args: []any{string(k.peer), line.number(), c.Sent, c.Level}, Statement: c.ID, Number: line.number(), Form: formCheck, Channel: c.Channel, Peer: k.peer, Since: c.Due,
			}
			if open[k] == nil {
				keys = append(keys, k)
			}
			open[k] = it // the oldest since the last answer
		default:
			settled[k] = true
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(bytes.Compare(a.channel[:], b.channel[:]), cmp.Compare(a.peer, b.peer), cmp.Compare(a.plane, b.plane))
	})
	for _, k := range keys {
		items = append(items, open[k])
	}
	return items, again
}
