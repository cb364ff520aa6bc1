package gateway

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/store"
)

// Scheduled is a collection of a local server that is pulled, or pushed to, again and again.
type Scheduled struct {
	URL        string // of the collection there
	User       string // of Basic; empty: the secret is shown as Bearer
	Collection string // of here: id, alias or title
	Push       bool
	Every      time.Duration          // at least LeastEvery
	Secret     func() (string, error) // asked before each time, so that it can be changed; nil shows none
	HTTP       *http.Client           // nil is the default one
}

// LeastEvery is the least time between two pulls of a collection.
const LeastEvery = time.Minute

// mostApart bounds the time between two tries of a server that fails, unless it is asked less often anyhow.
const mostApart = time.Hour

func (s *Scheduled) name() string {
	if s.Push {
		return "push " + s.Collection + " " + s.URL
	}
	return "pull " + s.Collection + " " + s.URL
}

// apart is the time until the next try, after so many that have failed: near the interval, and never exactly it, or the tools of a team that were
// started together would ask together for ever.
func (s *Scheduled) apart(failed int64) time.Duration {
	d := s.Every
	if failed > 0 {
		d = min(LeastEvery<<min(failed-1, 16), s.most())
	}
	return d + rand.N(d/5) - d/10
}

func (s *Scheduled) most() time.Duration { return max(s.Every, mostApart) }

// Remote is how it stands with a collection that is pulled or pushed on schedule.
type Remote struct {
	Scheduled
	Last    time.Time // when it went well last; zero for never
	Next    time.Time // when it is tried next; zero before this node has looked at it
	Failure string    // why the last try failed; empty if it went well
	Failed  int64     // tries in a row
	Added   int64     // objects, the last time that it went well
	Refused int64     // the same time
}

func (r *Remote) fields() []any {
	return []any{moment{&r.Last}, moment{&r.Next}, &r.Failure, &r.Failed, &r.Added, &r.Refused}
}

const remoteColumns = "last, next, failure, failed, added, refused"

// Remotes lists what is pulled and pushed on schedule, in the order of the settings.
func (g *Gateway) Remotes(ctx context.Context) ([]Remote, error) {
	out := make([]Remote, len(g.cfg.Remotes))
	err := g.db.View(ctx, func(tx *store.Tx) error {
		for i := range g.cfg.Remotes {
			r, err := readRemote(ctx, tx, g.cfg.Remotes[i].name(), "")
			if err != nil {
				return err
			}
			out[i], out[i].Scheduled = r, g.cfg.Remotes[i]
		}
		return nil
	})
	return out, err
}

func readRemote(ctx context.Context, tx *store.Tx, name, lock string) (Remote, error) {
	r, err := store.One(ctx, tx, (*Remote).fields, "SELECT "+remoteColumns+" FROM gateway_remotes WHERE name = $1"+lock, name)
	if errors.Is(err, store.ErrNotFound) {
		return Remote{}, nil
	}
	return r, err
}

// Named finds a collection by its id, alias or title. Error: objects.ErrNoCollection.
func (g *Gateway) Named(ctx context.Context, name string) (objects.Collection, error) {
	all, err := g.shelf.Collections(ctx)
	if err != nil {
		return objects.Collection{}, err
	}
	for _, c := range all {
		if name != "" && (c.ID == name || c.Title == name || c.Alias == name) {
			return c, nil
		}
	}
	return objects.Collection{}, fmt.Errorf("%w: %.64q", objects.ErrNoCollection, name)
}

// keepUp pulls or pushes one collection whenever it is time, until ctx ends.
func (g *Gateway) keepUp(ctx context.Context, s *Scheduled) {
	for ctx.Err() == nil {
		wait, err := g.visit(ctx, s)
		if err != nil {
			wait = retry
			if ctx.Err() == nil {
				g.log.Error("the schedule of a local server", "url", s.URL, "reason", err)
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// visit pulls or pushes if it is time, and tells how long to wait. err is that of the own database.
func (g *Gateway) visit(ctx context.Context, s *Scheduled) (wait time.Duration, err error) {
	wait, failed, err := g.claim(ctx, s)
	if err != nil || wait > 0 {
		return wait, err
	}
	done, why := g.exchange(ctx, s)
	if ctx.Err() != nil {
		return 0, nil // the next life goes on where this one was
	}
	now := g.cfg.Now()
	return 0, g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if why != nil {
			g.log.Warn("a local server", "url", s.URL, "push", s.Push, "failed", failed+1, "reason", why)
			_, err := tx.Exec(ctx, "UPDATE gateway_remotes SET failed = $2, failure = $3, next = $4 WHERE name = $1",
				s.name(), failed+1, short(why.Error()), now.Add(s.apart(failed+1)).UnixMicro())
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE gateway_remotes SET failed = 0, failure = '', last = $2, next = $3, added = $4, refused = $5 WHERE name = $1",
			s.name(), now.UnixMicro(), now.Add(s.apart(0)).UnixMicro(), done.Objects, done.Refused)
		return err
	})
}

// claim takes the next turn for this process, which moves the next but one: a process that dies in it costs one interval, and no other asks meanwhile.
// A time beyond what the settings give, of a longer interval or a clock that was wrong, counts as come.
func (g *Gateway) claim(ctx context.Context, s *Scheduled) (wait time.Duration, failed int64, err error) {
	now := g.cfg.Now()
	err = g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO gateway_remotes (name, "+remoteColumns+") VALUES ($1, 0, $2, '', 0, 0, 0) ON CONFLICT DO NOTHING",
			s.name(), now.UnixMicro()); err != nil {
			return err
		}
		r, err := readRemote(ctx, tx, s.name(), tx.ForUpdate())
		if err != nil {
			return err
		}
		most := s.Every
		if failed = r.Failed; failed > 0 {
			most = s.most()
		}
		if wait = r.Next.Sub(now); wait > 0 && wait <= most+most/10 {
			return nil
		}
		wait = 0
		_, err = tx.Exec(ctx, "UPDATE gateway_remotes SET next = $2 WHERE name = $1", s.name(), now.Add(s.Every).UnixMicro())
		return err
	})
	return wait, failed, err
}

func (g *Gateway) exchange(ctx context.Context, s *Scheduled) (Added, error) {
	c, err := g.Named(ctx, s.Collection)
	if err != nil {
		return Added{}, err
	}
	there := taxii.Remote{URL: s.URL, User: s.User, HTTP: s.HTTP}
	if s.Secret != nil {
		if there.Secret, err = s.Secret(); err != nil {
			return Added{}, err
		}
	}
	if s.Push {
		return g.Push(ctx, c, there)
	}
	return g.Pull(ctx, there, c)
}
