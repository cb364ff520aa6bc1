package floor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"detente/call"
	"detente/form"
	"detente/journal"
	"detente/roster"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/watch"
)

// line is something that the journal is to say.
type line struct {
	act   string // what makes it once, beside the item: a state, a step, a call
	key   string
	post  traffic.Post
	form  string
	v     form.Values
	about statement.ID
	by    string // duty role of a person; empty for the machine
}

// scribe holds what is to be written, so that a journal that cannot be written holds up nobody.
type scribe struct {
	mu      sync.Mutex
	pending []*line
	queued  map[string]bool // key and act: pending, or written and not read back from the journal yet
	doubted []*line         // of which it is not known whether the journal has them
	wake    chan struct{}
}

func (s *scribe) init() {
	s.queued, s.wake = make(map[string]bool), make(chan struct{}, 1)
}

// put queues a line, unless the same one is queued.
func (s *scribe) put(l *line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name := l.key + " " + l.act; !s.queued[name] {
		s.queued[name] = true
		s.pending = append(s.pending, l)
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// heard forgets a line that the journal has.
func (s *scribe) heard(key, act string) {
	s.mu.Lock()
	delete(s.queued, key+" "+act)
	s.mu.Unlock()
}

func (s *scribe) take() []*line {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.pending[:min(len(s.pending), writeAtOnce)]
	s.pending = slices.Clone(s.pending[len(out):])
	return out
}

// doubt keeps a line of which the outcome is unknown until the journal has been read again.
func (s *scribe) doubt(l *line) {
	s.mu.Lock()
	s.doubted = append(s.doubted, l)
	s.mu.Unlock()
}

// doubts are the lines in doubt. The journal is read after the call, and then [scribe.resolve] is told what it has.
func (s *scribe) doubts() []*line {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.doubted
	s.doubted = nil
	return out
}

// resolve queues again those lines that the journal turns out not to have.
func (s *scribe) resolve(lines []*line, has func(key, act string) bool) {
	for _, l := range lines {
		s.heard(l.key, l.act)
		if !has(l.key, l.act) {
			s.put(l)
		}
	}
}

func (s *scribe) giveBack(lines []*line) {
	s.mu.Lock()
	s.pending = append(slices.Clone(lines), s.pending...)
	s.mu.Unlock()
}

// writeAtOnce is how many lines are given to the node together, to share a commit.
const writeAtOnce = 64

// write writes the journal until ctx ends. What cannot be written is tried again; what is not written when the process dies is found missing by the
// next one, which reads the journal, and written by it.
func (f *Floor) write(ctx context.Context) {
	for ctx.Err() == nil {
		lines := f.scribe.take()
		if len(lines) == 0 {
			select {
			case <-ctx.Done():
			case <-f.scribe.wake:
			}
			continue
		}
		// One after another into the node's queue, so that they stand in their order; the node makes them durable together.
		failed := f.writeAll(ctx, lines)
		if len(failed) == 0 {
			continue
		}
		f.scribe.giveBack(failed)
		timer := time.NewTimer(retry)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// writeAll writes lines, and gives back those that could not be.
func (f *Floor) writeAll(ctx context.Context, lines []*line) (failed []*line) {
	errs := make([]error, len(lines))
	var wg sync.WaitGroup
	for i, l := range lines {
		wg.Go(func() { errs[i] = f.writeLine(ctx, l) })
	}
	wg.Wait()
	for i, err := range errs {
		switch {
		case errors.Is(err, store.ErrUnknownOutcome):
			f.scribe.doubt(lines[i])
			f.kick()
		case err != nil:
			failed = append(failed, lines[i])
		}
	}
	if len(failed) > 0 && ctx.Err() == nil {
		f.log.Error("the watch journal cannot be written; people are called all the same", "lines", len(failed), "reason", errors.Join(errs...))
	}
	return failed
}

// writeLine writes one line once, whichever process of the party does.
func (f *Floor) writeLine(ctx context.Context, l *line) error {
	multi := f.node.DB.Multi()
	if multi {
		mine := false
		err := f.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) (err error) {
			mine, err = watch.Act(ctx, tx, l.key, l.act, f.cfg.Process, time.Now(), f.cfg.Patience)
			return err
		})
		if err != nil || !mine {
			return err
		}
	}
	var refs []statement.ID
	if l.about != (statement.ID{}) {
		refs = append(refs, l.about)
	}
	if _, err := f.journal.Record(ctx, l.post, cmp.Or(l.by, journal.Machine), l.form, l.v, refs...); err != nil {
		return err
	}
	if !multi {
		return nil
	}
	return f.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error { return watch.Acted(ctx, tx, l.key, l.act) })
}

// writeDown has the journal say what has become of items since it last did.
func (f *Floor) writeDown(now time.Time) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, it := range slices.Concat(f.board.items, f.board.taken) {
		p := f.record.items[it.Key]
		has := func(state string) bool { return p != nil && !p.states[state].IsZero() }
		if !has(raised) {
			f.scribe.put(f.itemLine(it, raised, raised, nil))
		}
		if it.Taken == nil && it.Overdue(now) && !has(missed) {
			f.scribe.put(f.itemLine(it, missed, missed, nil))
		}
		for _, c := range f.calls[it.Key] {
			if c.Role != "" && c.Role != string(roster.DutyOfficer) && (p == nil || !p.steps[c.Role]) {
				f.scribe.put(f.itemLine(it, escalated, actStep(c.Role), form.Values{"role": c.Role}))
			}
			if c.Outcome != watch.UnderWay && (p == nil || !p.calls[c.Officer+"/"+c.Means]) && !strings.HasPrefix(c.Detail, withPrefix) {
				f.noteCall([]*watch.Item{it}, c) // the process that made it died before the journal had it, or is about to say so
			}
		}
	}
	for key, p := range f.record.live {
		if f.board.byKey[key] == nil {
			f.scribe.put(&line{act: ended, key: key, post: p.post, form: formItem, about: p.about, v: form.Values{
				"key": key, "state": ended, "by": journal.Machine, "post": orPost(p.post, f.firstPost()), "title": p.words.Say, "args": p.words.Code(),
			}})
		}
	}
}

// withPrefix begins the detail of a call that was placed as one with that for another item, whose entry in the journal names it.
const withPrefix = "with "

func orPost(post, other traffic.Post) string {
	if post == "" {
		return string(other)
	}
	return string(post)
}

// told has an entry of the journal say what an item is, in code: whoever reads the log has it in his own language.
func told(v form.Values, it *watch.Item) {
	if it.Say != "" {
		v["title"], v["args"] = it.Say, it.Words().Code()
	}
}

func (f *Floor) itemLine(it *watch.Item, state, act string, more form.Values) *line {
	v := form.Values{"key": it.Key, "state": state, "by": journal.Machine, "post": string(it.Post)}
	told(v, it)
	for name, value := range more {
		v[name] = value
	}
	return &line{act: act, key: it.Key, post: it.Post, form: formItem, v: v, about: it.Statement}
}

// noteCall has the journal say that an officer was called.
func (f *Floor) noteCall(items []*watch.Item, c *watch.Call) {
	v := form.Values{
		"key": c.Item, "post": string(items[0].Post), "officer": c.Officer, "role": c.Role, "means": c.Means, "outcome": c.Outcome,
	}
	told(v, items[0])
	var also []string
	for _, it := range items[1:min(len(items), 9)] {
		also = append(also, it.Key)
	}
	if len(also) > 0 {
		v["others"], v["also"] = int64(len(items)-1), strings.Join(also, "\n")
	}
	if c.Outcome == watch.Failed {
		v["failure"] = call.CodeOf(c.Detail)
		if _, detail, _ := strings.Cut(c.Detail, " "); detail != "" {
			v["detail"] = cut(detail, 1000)
		}
	}
	f.scribe.put(&line{act: actCall(c.Officer, c.Means), key: c.Item, post: items[0].Post, form: formCall, v: v, about: items[0].Statement})
}
