// Package guarantee is guarantees of non-interference at work: the calendar of protected processes, what is done while their windows are open, the complaint that opens a case.
// It must never say that a guarantee was broken, nor do at another party's word more than check a line more often.
package guarantee

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"detente/floor"
	"detente/form"
	"detente/node"
	"detente/party"
	"detente/standing"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
	"detente/wording"
)

// Errors that a caller decides on.
var (
	ErrNoInstrument = errors.New("guarantee: no such instrument is known here")
	ErrNoComplaint  = errors.New("guarantee: no such complaint of this party")
	ErrNoCases      = errors.New("guarantee: no channel of the same parties has a regime of incidents")
)

// Ahead is how long before its window a process stands on the board.
const Ahead = 7 * 24 * time.Hour

// shownAtOnce bounds how many processes of one party stand on the board at once: whoever notifies a thousand elections fills no screen of another.
const shownAtOnce = 12

// Desk follows what a floor reads. Its methods may be called at the same time.
type Desk struct {
	floor *floor.Floor
	node  *node.Node
	self  traffic.Party
	log   *slog.Logger

	mu       sync.RWMutex // guards what follows. The floor's own lock comes before it: nothing here asks the floor while it holds this one
	calendar *Calendar
	unopened map[statement.ID]string // own complaints whose case could not be opened, and why
}

// New joins a floor, and has the checks of standing follow the windows. It must be called before the floor runs. checks and log may be nil.
func New(f *floor.Floor, checks *standing.Standing, log *slog.Logger) *Desk {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{floor: f, node: f.Node(), self: f.Node().Self(), log: log, calendar: NewCalendar(), unopened: make(map[statement.ID]string)}
	f.Join(d)
	if checks != nil {
		checks.Raise(d.Rhythms)
	}
	return d
}

// Add takes in what the floor has read.
func (d *Desk) Add(t *floor.Told) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calendar.Add(t.Statement, t.Values, t.Kind, traffic.Number(t.Statement.Issuer, t.Feed, t.Index))
}

// Read gives the calendar up to now. fn must keep nothing of it.
func (d *Desk) Read(ctx context.Context, fn func(*Calendar)) error {
	if err := d.floor.CatchUp(ctx); err != nil {
		return err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	fn(d.calendar)
	return nil
}

// concerns tells whether a process is of this party, or notified to it.
func (d *Desk) concerns(p *Process) bool {
	if p.By.Party == d.self || p.Audience == statement.Everyone {
		return true
	}
	to, err := traffic.ParseAddress(p.Audience)
	return err == nil && to.Party == d.self
}

// peers are the other sides of a process: of an own one those whom it was notified to, else its party.
func (d *Desk) peers(p *Process) []traffic.Party {
	if p.By.Party != d.self {
		return []traffic.Party{p.By.Party}
	}
	if p.Audience != statement.Everyone {
		if to, err := traffic.ParseAddress(p.Audience); err == nil {
			return []traffic.Party{to.Party}
		}
		return nil
	}
	c, _, err := d.node.Channel(p.Channel)
	if err != nil {
		return nil
	}
	return c.Others(d.self)
}

// Rhythms are how often links are to be checked because of windows that are open: the shortest interval of each, both sides alike.
func (d *Desk) Rhythms(now time.Time) (out []standing.Rhythm) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, p := range d.calendar.Processes("") {
		if !p.raises(now) || !d.concerns(&p) {
			continue
		}
		for _, peer := range d.peers(&p) {
			i := slices.IndexFunc(out, func(r standing.Rhythm) bool { return r.Channel == p.Channel && r.Peer == peer && r.Plane == p.Plane })
			if i < 0 {
				out = append(out, standing.Rhythm{Channel: p.Channel, Peer: peer, Plane: p.Plane, Every: p.Every})
			} else {
				out[i].Every = min(out[i].Every, p.Every)
			}
		}
	}
	return out
}

// Points are who is on duty for a process, on both sides: whom it names; of a side that it does not name, the post that spoke or was spoken to.
func (d *Desk) Points(p *Process) []traffic.Address {
	out := slices.Clone(p.Duty)
	add := func(a traffic.Address) {
		if !slices.ContainsFunc(out, func(b traffic.Address) bool { return b.Party == a.Party }) {
			out = append(out, a)
		}
	}
	add(p.By)
	if to, err := traffic.ParseAddress(p.Audience); err == nil {
		add(to)
	} else {
		for _, peer := range d.peers(p) {
			add(traffic.Address{Party: peer})
		}
		if p.By.Party != d.self {
			add(traffic.Address{Party: d.self})
		}
	}
	slices.SortFunc(out, func(a, b traffic.Address) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// Items are the windows that are open, or soon will be, and cases that could not be opened.
func (d *Desk) Items(now time.Time) (items []*watch.Item, again time.Time) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	shown := make(map[traffic.Party]int)
	for _, p := range d.calendar.Processes("") {
		state := p.State(now)
		if state != Upcoming && state != Open || !d.concerns(&p) {
			continue
		}
		again = sooner(again, p.next(now))
		if state == Upcoming && p.From.Sub(now) > Ahead || shown[p.By.Party] == shownAtOnce {
			continue
		}
		shown[p.By.Party]++
		items = append(items, d.item(&p, state))
	}
	for _, k := range d.calendar.Complaints("") {
		if why := d.unopened[k.ID]; why != "" && k.Opened == (statement.ID{}) {
			items = append(items, &watch.Item{
				Kind: watch.Instrument, Key: watch.Key(watch.Instrument, "guarantee-unopened", k.ID.String()), Plane: k.Plane, Precedence: traffic.Priority, Post: k.By.Post,
				Say: "guarantee.unopened", Args: []any{k.Case, why}, Statement: k.ID, Number: k.Number, Form: FormComplaint, Channel: k.Channel, Since: k.At,
			})
		}
	}
	return items, again
}

// item is a process on the board. While it is open it is for the watch; before, for whoever names the points that will be on duty.
func (d *Desk) item(p *Process, state string) *watch.Item {
	var points []string
	for _, a := range d.Points(p) {
		points = append(points, a.String())
	}
	it := &watch.Item{
		Kind: watch.Instrument, Key: watch.Key(watch.Instrument, "guarantee-"+state, p.ID.String()), Plane: p.Plane, Precedence: traffic.Routine, Say: "guarantee.upcoming",
		Args: []any{named(p.Name), p.From, strings.Join(points, ", ")}, Statement: p.ID, Number: p.Number, Form: FormProcess, Channel: p.Channel, Since: p.From.Add(-Ahead), Handling: Ahead,
	}
	if p.At.After(it.Since) {
		it.Since, it.Handling = p.At, p.From.Sub(p.At)
	}
	if p.By.Party == d.self {
		it.Post = p.By.Post
	} else {
		it.Peer = p.By.Party
		if to, err := traffic.ParseAddress(p.Audience); err == nil {
			it.Post = to.Post
		}
	}
	if state == Open {
		it.Precedence, it.Say, it.Since, it.Handling = traffic.Priority, "guarantee.open", p.From, 0
		if p.At.After(p.From) {
			it.Since = p.At
		}
		it.Args = []any{named(p.Name), p.To, strings.Join(points, ", "), int64(p.Every / time.Minute)}
	}
	return it
}

// named is a name as it stands on a board that is read in any language: English where there is one, else the first.
func named(t wording.Texts) string {
	if s := t["en"]; s != "" {
		return form.Clean(s, true, 80)
	}
	for _, lang := range t.Languages() {
		return form.Clean(t[lang], true, 80)
	}
	return ""
}

// Errand opens the cases of own complaints for which that was left undone, and looks again when the state of a window changes.
func (d *Desk) Errand(ctx context.Context, now time.Time) (again time.Time) {
	d.mu.RLock()
	for _, p := range d.calendar.Processes("") {
		if d.concerns(&p) && p.CancelledAt.IsZero() {
			again = sooner(again, p.next(now))
		}
	}
	var left []statement.ID
	for _, k := range d.calendar.Complaints("") {
		if k.By.Party == d.self && k.Opened == (statement.ID{}) && d.calendar.cancelled[k.ID][d.self].IsZero() {
			left = append(left, k.ID)
		}
	}
	d.mu.RUnlock()
	for _, id := range left {
		if _, err := d.OpenCase(ctx, id); err != nil {
			d.log.Error("the case of a complaint cannot be opened", "complaint", id, "reason", err)
			again = sooner(again, now.Add(retry))
		}
	}
	return again
}

// retry is how long until a case is tried again that could not be opened.
const retry = 5 * time.Minute

// OpenCase states the question with which the case of an own complaint begins, on the channel on which the same parties work cases, and gives its id. A case that was opened already is left as it is.
//
// The complaint comes first and has the case's number. Dying before the question was stated, the next errand states it; dying after, that finds it. Errors: ErrNoComplaint, ErrNoCases, those of
// node.Send.
func (d *Desk) OpenCase(ctx context.Context, complaint statement.ID) (id statement.ID, err error) {
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if err != nil {
			d.unopened[complaint] = err.Error()
		} else if id != (statement.ID{}) {
			delete(d.unopened, complaint)
		} // else another process has it in hand, or this one had and may try again in a while
	}()
	find := func() (k Complaint, err error) {
		found := false
		err = d.Read(ctx, func(c *Calendar) {
			for _, k = range c.Complaints("") {
				if found = k.ID == complaint && k.By.Party == d.self; found {
					return
				}
			}
		})
		if err == nil && !found {
			err = ErrNoComplaint
		}
		return k, err
	}
	k, err := find()
	if err != nil || k.Opened != (statement.ID{}) {
		return k.Opened, err
	}
	draft, err := d.question(ctx, &k)
	if err != nil {
		return id, err
	}
	err = d.floor.Once(ctx, "complaint-case:"+complaint.String(), "opened", func() error {
		if k, err = find(); err != nil || k.Opened != (statement.ID{}) {
			return err
		}
		_, err := d.node.Send(ctx, draft)
		return err
	})
	if err == nil {
		k, err = find()
	}
	return k.Opened, err
}

// question is the request for clarification with which a case begins: what the complaint says, and the instrument that it relies on.
func (d *Desk) question(ctx context.Context, k *Complaint) (node.Draft, error) {
	ch, err := d.cases(ctx, k.Channel)
	if err != nil {
		return node.Draft{}, err
	}
	to := d.addressee(ch, k)
	if to == "" {
		return node.Draft{}, fmt.Errorf("%w: nobody to ask", ErrNoCases)
	}
	post := k.By.Post
	if !ch.Speaks(post) {
		post = ""
		for _, p := range d.node.Chain(d.self).Latest().Posts {
			if ch.Speaks(p.Name) {
				post = p.Name
				break
			}
		}
	}
	return node.Draft{
		Channel: ch.ID(), Plane: k.Plane, Precedence: traffic.Priority, Post: post, Audience: to, Form: formQuestion, Language: k.Language, Drafter: k.Drafter,
		Values: form.Values{
			"case": k.Case, "observed": [2]time.Time{k.From, k.To}, "observation": k.Words, "asked": []string{"check", "explain"}, "basis": bytes.Clone(k.Basis[:]),
		},
	}, nil
}

// Ready tells whether the case of a complaint on a channel could be opened. Error: ErrNoCases.
func (d *Desk) Ready(ctx context.Context, channel [32]byte) error {
	_, err := d.cases(ctx, channel)
	return err
}

// cases is the channel on which the members of another work cases. Of several the one named like those of the model agreement and of its practice.
func (d *Desk) cases(ctx context.Context, channel [32]byte) (*party.Channel, error) {
	on, _, err := d.node.Channel(channel)
	if err != nil {
		return nil, err
	}
	all, err := d.node.Channels(ctx)
	if err != nil {
		return nil, err
	}
	usual := []string{"incidents", "nrrc", "cert", "council"}
	var best *party.Channel
	rank := func(c *party.Channel) int {
		if i := slices.Index(usual, c.Name); i >= 0 {
			return i
		}
		return len(usual)
	}
	for _, c := range all {
		if c.Kind != party.Common || !c.Established || !slices.Equal(c.Members, on.Members) {
			continue
		}
		_, regime, err := d.node.Channel(c.ID())
		if err != nil {
			continue
		}
		f, ok := regime.Latest(formQuestion)
		if !ok {
			continue
		}
		if _, ok := f.Field("basis"); ok && (best == nil || rank(c.Channel) < rank(best)) {
			best = c.Channel
		}
	}
	if best == nil {
		return nil, ErrNoCases
	}
	return best, nil
}

// addressee is the party that a complaint is addressed to, at the post that speaks on the channel of cases.
func (d *Desk) addressee(ch *party.Channel, k *Complaint) string {
	others := ch.Others(d.self)
	to, err := traffic.ParseAddress(k.Audience)
	if err != nil {
		if len(others) != 1 {
			return statement.Everyone
		}
		to = traffic.Address{Party: others[0]}
	}
	if !slices.Contains(others, to.Party) {
		return ""
	}
	switch {
	case slices.Contains(ch.Posts, traffic.Post(ch.Name)):
		to.Post = traffic.Post(ch.Name)
	case len(ch.Posts) > 0:
		to.Post = ch.Posts[0]
	default:
		to.Post = ""
	}
	return to.String()
}

// Relied finds the instrument that a person means, by the beginning of its id. Errors: ErrNoInstrument.
func (c *Calendar) Relied(plane traffic.Plane, prefix string) (Instrument, error) {
	var found []Instrument
	for _, i := range c.Instruments(plane) {
		if id := hex.EncodeToString(i.ID[:]); len(prefix) >= 4 && strings.HasPrefix(id, strings.ToLower(prefix)) {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		return Instrument{}, fmt.Errorf("%w: %d begin with %.64q", ErrNoInstrument, len(found), prefix)
	}
	return found[0], nil
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
