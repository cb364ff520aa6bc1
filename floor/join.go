package floor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"detente/dossier"
	"detente/form"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
)

// Companion is what watches beside the floor: it folds what the floor reads, tells of what needs somebody, and does what a machine has to do. Its
// methods are called with the floor's lock held, except Errand; they do not wait, and ask the floor nothing.
type Companion interface {
	// Add takes a valid statement, as fold does.
	Add(t *Told)
	// Items are as those of a source. An item without a post is of the party as a whole.
	Items(now time.Time) (items []*watch.Item, again time.Time)
	// Errand does what is due, and tells when it is to be asked again; zero for when something has come.
	Errand(ctx context.Context, now time.Time) (again time.Time)
}

// Quieter is a companion that tells in one item of its own of many statements that would each have one.
type Quieter interface {
	Companion
	// Quiet tells whether it does so for a check. It is called as Items is.
	Quiet(check statement.ID) bool
}

// Herald is a companion that knows what was announced beforehand.
type Herald interface {
	Companion
	// Announced is the number of the statement that announced what another is about; empty where none did. It is called as Items is.
	Announced(id statement.ID) string
}

// announced asks the companions.
func (f *Floor) announced(id statement.ID) string {
	for _, h := range f.heralds {
		if number := h.Announced(id); number != "" {
			return number
		}
	}
	return ""
}

// Join adds a companion. It must be called before the floor runs and before anything is asked of it.
func (f *Floor) Join(c Companion) {
	f.folds = append(f.folds, joined{f, c})
	f.sources = append(f.sources, joined{f, c})
	f.errands = append(f.errands, c.Errand)
	if h, ok := c.(Herald); ok {
		f.heralds = append(f.heralds, h)
	}
}

// joined is a companion as a fold and a source.
type joined struct {
	floor *Floor
	Companion
}

func (j joined) add(t *Told) { j.Add(t) }

func (j joined) items(now time.Time) ([]*watch.Item, time.Time) {
	items, again := j.Items(now)
	for _, it := range items {
		if it.Post == "" {
			it.Post = j.floor.firstPost()
		}
	}
	return items, again
}

// errand has the companions do what they have to do, beside the loop that calls people: what a machine has to say must never hold that up.
func (f *Floor) errand(ctx context.Context) {
	for len(f.errands) > 0 && ctx.Err() == nil {
		changed := f.node.Changed()
		err := f.CatchUp(ctx)
		now := time.Now()
		again := now.Add(idle)
		if err != nil {
			again = now.Add(retry) // the loop has told the log
		} else {
			for _, e := range f.errands {
				again = earlier(again, e(ctx, now))
			}
		}
		wait := time.NewTimer(time.Until(again))
		select {
		case <-ctx.Done():
		case <-changed:
		case <-wait.C:
		}
		wait.Stop()
	}
}

// CatchUp reads all that was stored, so that whoever asks a fold afterwards is told of what was stored before. Between two parts it lets others read: whoever
// calls people does not wait for the end of a backlog.
func (f *Floor) CatchUp(ctx context.Context) error {
	for {
		f.turning.Lock()
		more, err := f.catchUp(ctx)
		warm := f.ledger.warm
		f.turning.Unlock()
		if err != nil {
			return err
		}
		if !more && warm {
			return nil
		}
	}
}

// Kick has the floor look again.
func (f *Floor) Kick() { f.kick() }

// Once does something that all processes of this party together are to do once, as watch.Once says.
func (f *Floor) Once(ctx context.Context, thing, state string, do func() error) error {
	return watch.Once(ctx, f.node.DB, watch.Claimant{Process: f.cfg.Process, Patience: f.cfg.Patience}, thing, state, do)
}

// Handovers are the moments from one time to another at which the watch of a post changes, by every roster that is about it; of an empty post, by
// every roster.
func (f *Floor) Handovers(post traffic.Post, from, until time.Time) []time.Time {
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []time.Time
	for _, name := range sortedPosts(f.record.rosters) {
		if r := f.record.rosters[name]; post == "" || name == post || slices.Contains(r.Covers, post) {
			out = append(out, r.Handovers(from, until)...)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// Awaited is an own statement from which something is due from another party.
type Awaited struct {
	dossier.Entry
	Form  *form.Form
	There time.Time // when the first of its addressees held it; zero when none is known to
}

// Awaits lists the own statements from which something is due, the oldest first. It observes first what the feeds do not tell.
func (f *Floor) Awaits(ctx context.Context) ([]Awaited, error) {
	if err := f.current(ctx); err != nil {
		return nil, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []Awaited
	for _, m := range f.matters {
		for _, d := range m.open {
			if d.own {
				out = append(out, Awaited{d.entry, d.form, d.held})
			}
		}
	}
	slices.SortFunc(out, func(a, b Awaited) int {
		return cmp.Or(a.Statement.IssuedAt.Compare(b.Statement.IssuedAt), cmp.Compare(a.Statement.Clock, b.Statement.Clock), compareIDs(a.Statement.ID(), b.Statement.ID()))
	})
	return out, nil
}

// Addressees are the parties that a statement is addressed to.
func (f *Floor) Addressees(s *statement.Statement) []traffic.Party { return f.addressees(s) }

// PostFor is the post of this party that a statement concerns.
func (f *Floor) PostFor(s *statement.Statement) traffic.Post {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.postOf(s)
}
