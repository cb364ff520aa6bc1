// Package secretariat is what officers do about consultations and groups of experts over the node: rounds, their texts, actions, sessions.
// It must never let into a statement, a journal or a log what was said in a session, nor keep it beyond the time that was agreed on.
package secretariat

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"detente/dialogue"
	"detente/dossier"
	"detente/floor"
	"detente/form"
	"detente/instrument"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/wording"
)

// Errors that a caller decides on.
var (
	ErrNoTalk      = errors.New("secretariat: no such series or group")
	ErrAmbiguous   = errors.New("secretariat: several begin like that")
	ErrRegime      = errors.New("secretariat: the regime of the channel knows no consultations")
	ErrUnprotected = errors.New("secretariat: a group lives on a protected channel")
	ErrNothing     = errors.New("secretariat: there is nothing there for that")
	ErrOpen        = errors.New("secretariat: it waits for agreement")
	ErrNoEffect    = errors.New("secretariat: it would have no effect")
	ErrSession     = errors.New("secretariat: no such session, or it is not open to this party")
	ErrFile        = errors.New("secretariat: not a file of a session")
	ErrFull        = errors.New("secretariat: there is no room for more in this session")
)

// The forms of the regime dialogue/1 that are spoken of by name, protocol.md#dialogue.
const (
	FormSeries    = "series"
	FormGroup     = "group"
	FormSession   = "session"
	FormOutput    = "session-output"
	FormSignature = "minutes-signature"
	FormText      = "round-text"
)

// Secretariat follows what a floor reads. Its methods may be called at the same time.
type Secretariat struct {
	floor *floor.Floor
	node  *node.Node
	self  traffic.Party
	log   *slog.Logger

	reading sync.Mutex // held by whoever folds, so that a dossier is folded once for each change

	mu      sync.RWMutex                           // guards what follows. The floor's own lock comes before it: nothing here asks the floor while it holds this one
	regimes map[[32]byte]*form.Regime              // by channel; nil for one that knows no consultations
	known   map[dossier.Name]bool                  // dossiers of series and groups
	talks   map[dossier.Name]*Talk                 // as folded last
	texts   map[dossier.Name]map[dossier.Name]bool // by negotiation, the talks that name it
	changed map[dossier.Name]bool                  // to be folded anew
}

// Talk is a series or a group, as folded. It is not changed any more.
type Talk struct {
	*dialogue.Dialogue
	Name    dossier.Name
	Regime  *form.Regime
	Channel *party.Channel
	Places  map[statement.ID]Place // of its statements
	Texts   map[statement.ID]*Text // agendas, minutes and reports, by the negotiation

	heard []dialogue.Item
	post  traffic.Post // of this party, that speaks; empty where it is not clear
}

// Place is what is known here of a statement beside what it says.
type Place struct {
	Number string
	Held   time.Time // when it came to be held here
}

// Text is an agenda, minutes or a report, as far as it has come.
type Text struct {
	*instrument.Negotiation
	Number string
	Agreed bool
	Digest [32]byte // of the clean text; zero while something is open
	Last   time.Time

	heard []instrument.Item
}

// New joins a floor. It must be called before the floor runs, and before anything is asked of it. log may be nil.
func New(f *floor.Floor, log *slog.Logger) *Secretariat {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Secretariat{
		floor: f, node: f.Node(), self: f.Node().Self(), log: log, regimes: make(map[[32]byte]*form.Regime), talks: make(map[dossier.Name]*Talk),
		known: make(map[dossier.Name]bool), texts: make(map[dossier.Name]map[dossier.Name]bool), changed: make(map[dossier.Name]bool),
	}
	f.Join(s)
	return s
}

// Self is the party whose secretariat it is.
func (s *Secretariat) Self() traffic.Party { return s.self }

// Add marks the dossier of a statement to be folded anew, if it is a series or a group, and those whose text it belongs to.
func (s *Secretariat) Add(t *floor.Told) {
	if t.Kind != party.Common {
		return
	}
	name := dossier.Name{ID: t.Statement.Case(), Channel: t.Feed.Channel, Plane: t.Feed.Plane}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.regimeOf(t.Feed.Channel) == nil {
		return
	}
	if t.Statement.Form == FormSeries || t.Statement.Form == FormGroup {
		s.known[name] = true
	}
	if s.known[name] { // of a dossier whose opening has not come, all is read once it has
		s.changed[name] = true
	}
	for of := range s.texts[name] {
		s.changed[of] = true
	}
}

// regimeOf looks once whether the regime of a channel knows consultations. s.mu is held.
func (s *Secretariat) regimeOf(channel [32]byte) *form.Regime {
	if r, known := s.regimes[channel]; known {
		return r
	}
	_, r, err := s.node.Channel(channel)
	if err != nil {
		return nil // it is not in being here yet
	}
	if _, ok := r.Latest(FormSeries); !ok {
		r = nil
	}
	s.regimes[channel] = r
	return r
}

// Regime is the regime of a channel on which consultations can be held. Error: ErrRegime.
func (s *Secretariat) Regime(channel [32]byte) (*form.Regime, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.regimeOf(channel); r != nil {
		return r, nil
	}
	return nil, ErrRegime
}

// Read brings every series and group up to now.
func (s *Secretariat) Read(ctx context.Context) error {
	if err := s.floor.CatchUp(ctx); err != nil {
		return err
	}
	folded, err := s.fold(ctx)
	if folded {
		s.floor.Kick()
	}
	return err
}

// retry is how long until something is tried again that has failed.
const retry = 15 * time.Second

// fold folds what has changed since. Where it fails, what is left is folded the next time.
func (s *Secretariat) fold(ctx context.Context) (folded bool, err error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	for {
		s.mu.RLock()
		var name dossier.Name
		for name = range s.changed { // any of them: the order does not matter
			break
		}
		regime := s.regimes[name.Channel]
		s.mu.RUnlock()
		if regime == nil {
			return folded, nil
		}
		ch, _, err := s.node.Channel(name.Channel)
		if err != nil {
			return folded, fmt.Errorf("secretariat: %w", err)
		}
		t := &Talk{Name: name, Regime: regime, Channel: ch}
		err = s.node.DB.View(ctx, func(tx *store.Tx) error {
			s.mu.Lock()
			delete(s.changed, name) // before it is read: what comes while it is read marks it again
			s.mu.Unlock()
			return s.read(ctx, tx, t)
		})
		s.mu.Lock()
		if err == nil && t.ID != (statement.ID{}) {
			t.post = s.speaks(t)
			s.talks[name] = t
		} else if err != nil {
			s.changed[name] = true
		}
		s.mu.Unlock()
		if err != nil {
			return folded, fmt.Errorf("secretariat: %w", err)
		}
		folded = true
	}
}

// read folds a dossier and the texts that it names.
func (s *Secretariat) read(ctx context.Context, tx *store.Tx, t *Talk) error {
	state, err := dossier.Read(ctx, tx, t.Name, t.Regime)
	if err != nil {
		return err
	}
	t.Places, t.Texts = make(map[statement.ID]Place), make(map[statement.ID]*Text)
	for i := range state.Entries {
		e := &state.Entries[i]
		t.Places[e.Statement.ID()] = Place{traffic.Number(e.Statement.Issuer, e.Feed, e.Index), e.Held}
	}
	t.heard = state.Talk(t.Regime)
	t.Dialogue = dialogue.Fold(t.heard, t.Channel.Members)
	for id := range t.named() {
		name := dossier.Name{ID: id, Channel: t.Name.Channel, Plane: t.Name.Plane}
		s.mu.Lock() // before it is read, as above
		if s.texts[name] == nil {
			s.texts[name] = make(map[dossier.Name]bool)
		}
		s.texts[name][t.Name] = true
		s.mu.Unlock()
		state, err := dossier.Read(ctx, tx, name, t.Regime)
		if err != nil {
			return err
		}
		if text := textOf(state, t.Regime); text != nil {
			t.Texts[id] = text
		}
	}
	return nil
}

// named are the negotiations that the statements of a dossier name, each that was ever named: the last one counts, and what was tabled in another is not lost.
func (t *Talk) named() map[statement.ID]bool {
	out := make(map[statement.ID]bool)
	for i := range t.Entries {
		e := &t.Entries[i]
		if e.Why != "" || len(out) >= maxTexts {
			continue
		}
		switch e.Form {
		case FormText, "report-adoption":
			out[idOf(e.Values, "negotiation")] = true
		case FormGroup:
			if id := idOf(e.Values, "mandate"); id != (statement.ID{}) {
				out[id] = true
			}
		}
	}
	return out
}

// maxTexts is of how many texts a series or a group is followed: a stranger may name as many as he likes.
const maxTexts = 1024

func idOf(v form.Values, name string) (id statement.ID) {
	copy(id[:], v.Bytes(name))
	return id
}

// textOf folds a negotiation, nil where its opening is not held.
func textOf(state *dossier.State, r *form.Regime) *Text {
	x := &Text{heard: state.Text(r)}
	x.Negotiation = instrument.Fold(x.heard)
	if x.ID == (statement.ID{}) || len(x.Opening.Parties) == 0 {
		return nil
	}
	for i := range state.Entries {
		e := &state.Entries[i]
		if e.Statement.ID() == x.ID {
			x.Number = traffic.Number(e.Statement.Issuer, e.Feed, e.Index)
		}
		if at := e.Statement.IssuedAt; at.After(x.Last) {
			x.Last = at
		}
	}
	if clean, err := x.Clean(); err == nil {
		x.Agreed, x.Digest = true, clean.Digest()
	}
	return x
}

// speaks is the own post that speaks of a talk: of several the one that opened it, or the first.
func (s *Secretariat) speaks(t *Talk) traffic.Post {
	var by traffic.Address
	if t.Series != nil {
		by = t.Series.By
	} else {
		by = t.Group.By
	}
	if by.Party == s.self {
		return by.Post
	}
	for _, p := range s.node.Chain(s.self).Latest().Posts {
		if t.Channel.Speaks(p.Name) && (p.Name == by.Post || len(t.Channel.Posts) > 0) {
			return p.Name
		}
	}
	return ""
}

// Post is the own post that speaks where none is named; empty where that is for the channel to say.
func (t *Talk) Post() traffic.Post { return t.post }

// Errand folds what has changed, and takes away what is no longer to be kept.
func (s *Secretariat) Errand(ctx context.Context, now time.Time) (again time.Time) {
	folded, err := s.fold(ctx)
	if folded {
		s.floor.Kick()
	}
	if err == nil {
		again, err = s.forget(ctx, now)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("consultations wait", "reason", err)
		again = sooner(again, now.Add(retry))
	}
	return again
}

// Work does now what Errand does in its time, for whoever looks at a node that does not run: with a pouch, nobody else would.
func (s *Secretariat) Work(ctx context.Context) error {
	if err := s.Read(ctx); err != nil {
		return err
	}
	_, err := s.forget(ctx, time.Now())
	return err
}

// sooner is the earlier of two moments, of which a zero one is never.
func sooner(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// Filter narrows a list; its zero value is all of it.
type Filter struct {
	Channel *[32]byte
	Plane   traffic.Plane
	Groups  bool // groups; series otherwise
	All     bool // both
}

// Talks lists series or groups, the one first in which something was said last.
func (s *Secretariat) Talks(ctx context.Context, only Filter) ([]*Talk, error) {
	if err := s.Read(ctx); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*Talk
	for name, t := range s.talks {
		switch {
		case only.Channel != nil && *only.Channel != name.Channel, only.Plane != "" && only.Plane != name.Plane:
		case !only.All && only.Groups != (t.Group != nil):
		default:
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Talk) int {
		return cmp.Or(b.Last().Compare(a.Last()), cmp.Compare(b.clock(), a.clock()), bytes.Compare(a.Name.ID[:], b.Name.ID[:]))
	})
	return out, nil
}

// clock is the latest in it, which tells apart what was said within one second.
func (t *Talk) clock() int64 {
	if n := len(t.Entries); n > 0 {
		return t.Entries[n-1].Clock
	}
	return 0
}

// Last is when something was said in it last.
func (t *Talk) Last() (last time.Time) {
	for i := range t.Entries {
		if at := t.Entries[i].At; at.After(last) {
			last = at
		}
	}
	return last
}

// Number is that of the statement that opened it.
func (t *Talk) Number() string { return t.Places[t.ID].Number }

// Named is its name in a language, or in the first that it has.
func (t *Talk) Named(lang string) string {
	names := map[string]string{}
	if t.Series != nil {
		names = t.Series.Name
	} else if t.Group != nil {
		names = t.Group.Name
	}
	return wording.In(names, lang)
}

// Talk finds a series or a group by the number of one of its statements, or by four or more digits of an id. Errors: ErrNoTalk, ErrAmbiguous.
func (s *Secretariat) Talk(ctx context.Context, notation string) (*Talk, error) {
	all, err := s.Talks(ctx, Filter{All: true})
	if err != nil {
		return nil, err
	}
	wanted := strings.ToLower(strings.TrimSpace(notation))
	var found []*Talk
	for _, t := range all {
		if len(wanted) >= 4 && strings.HasPrefix(t.ID.String(), wanted) || strings.EqualFold(t.Number(), wanted) {
			return t, t.one(all, wanted)
		}
		if slices.ContainsFunc(t.Entries, func(e dialogue.Entry) bool { return t.is(e.ID, wanted) }) {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: %q", ErrNoTalk, notation)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%w: %q", ErrAmbiguous, notation)
}

// one refuses a notation that opens another talk as well.
func (t *Talk) one(all []*Talk, wanted string) error {
	for _, other := range all {
		if other != t && (len(wanted) >= 4 && strings.HasPrefix(other.ID.String(), wanted) || strings.EqualFold(other.Number(), wanted)) {
			return fmt.Errorf("%w: %q", ErrAmbiguous, wanted)
		}
	}
	return nil
}

// is tells whether a statement goes by a notation, in small letters.
func (t *Talk) is(id statement.ID, wanted string) bool {
	return strings.EqualFold(t.Places[id].Number, wanted) || len(wanted) >= 4 && strings.HasPrefix(id.String(), wanted)
}
