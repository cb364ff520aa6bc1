// Package standing is what stands between the parties beside dossiers: checks, contacts, suspensions, terms, silence; read, stated and watched.
// It must never let a machine pass for a person, nor take what a party says of itself for what another says of it.
package standing

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"detente/check"
	"detente/directory"
	"detente/floor"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/traffic"
	"detente/watch"

	"golang.org/x/text/language"
)

// Standing follows what a floor reads. Its methods may be called at the same time.
type Standing struct {
	floor *floor.Floor
	node  *node.Node
	self  traffic.Party
	lang  language.Tag // of the party
	log   *slog.Logger

	mu       sync.RWMutex // guards what follows. The floor's own lock comes before it: nothing here asks the floor while it holds this one
	checks   *check.History
	contacts *directory.Contacts
	statuses *directory.Statuses
	glossary *directory.Glossary
	plan     plan
	named    map[string]*party.Channel // channels by name, as they were at namedAt
	namedAt  time.Time
	sent     map[asking]time.Time         // when this party sent the last check of a kind
	toAnswer map[statement.ID]*floor.Told // checks that the terminal is to answer
	floods   map[traffic.Party]*flood
	ignored  map[statement.ID]bool  // checks beyond the share of their party, which the terminal leaves unanswered
	answered map[statement.ID]bool  // checks that this party has answered
	places   map[statement.ID]place // of what is listed here: where it stands
	tally    tally
	doubles  doubles
	versions map[statement.ID][]Translation
	index    index
	raise    func(now time.Time) []Rhythm // nil: nothing raises the rhythm
}

// New joins a floor. It must be called before the floor runs, and before anything is asked of it. log may be nil.
func New(f *floor.Floor, log *slog.Logger) *Standing {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	n := f.Node()
	s := &Standing{
		floor: f, node: n, self: n.Self(), lang: language.English, log: log,
		checks: check.NewHistory(), contacts: directory.NewContacts(), statuses: directory.NewStatuses(), glossary: directory.NewGlossary(),
		sent: make(map[asking]time.Time), toAnswer: make(map[statement.ID]*floor.Told), floods: make(map[traffic.Party]*flood), ignored: make(map[statement.ID]bool), answered: make(map[statement.ID]bool),
		places: make(map[statement.ID]place), tally: make(tally), doubles: newDoubles(), versions: make(map[statement.ID][]Translation),
	}
	if own := n.Chain(n.Self()).Latest(); len(own.Languages) > 0 {
		s.lang = language.Make(own.Languages[0])
	}
	f.Join(s)
	return s
}

// Read brings everything up to now, for whoever asks.
func (s *Standing) Read(ctx context.Context) error { return s.floor.CatchUp(ctx) }

// Items are what needs somebody: checks that are overdue, entries that are stale.
func (s *Standing) Items(now time.Time) (items []*watch.Item, again time.Time) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	checks, nextCheck := s.overdue(now)
	entries, nextEntry := s.stale(now)
	floods, nextFlood := s.flooded(now)
	return slices.Concat(checks, entries, floods), sooner(sooner(nextCheck, nextEntry), nextFlood)
}

// sooner is the earlier of two moments, of which a zero one is never.
func sooner(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}
