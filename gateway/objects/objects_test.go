package objects_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"detente/gateway/objects"
	"detente/store"
	"detente/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// each opens a shelf with one collection on each engine.
func each(t *testing.T, fn func(t *testing.T, s *objects.Shelf, c objects.Collection)) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) {
		s := objects.Open(open(objects.Schema()), nil)
		c, err := s.Create(t.Context(), objects.Collection{Title: "indicators", Flow: objects.Local})
		if err != nil {
			t.Fatal(err)
		}
		fn(t, s, c)
	})
}

func at(day int) time.Time { return time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC) }

// object makes a version of an object, of which the day is its version; 0 is none.
func object(typ string, n, day int) objects.Object {
	o := objects.Object{ID: fmt.Sprintf("%s--00000000-0000-4000-8000-%012d", typ, n), Type: typ, Spec: "2.1"}
	if day > 0 {
		o.Version = at(day)
	}
	o.Bytes = fmt.Appendf(nil, `{"id": %q, "day": %d}`, o.ID, day)
	return o
}

func add(t *testing.T, s *objects.Shelf, c objects.Collection, list ...objects.Object) []objects.Outcome {
	t.Helper()
	out, err := s.Add(t.Context(), c.Number, list, objects.Source{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// walk reads page after page and returns the bodies.
func walk(t *testing.T, s *objects.Shelf, c objects.Collection, f objects.Filter) []string {
	t.Helper()
	out := []string{}
	for {
		p, err := s.Page(t.Context(), c.Number, f, func(r *objects.Row) error { out = append(out, string(r.Bytes)); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if !p.More {
			return out
		}
		if !p.Next.After(f.After) {
			t.Fatalf("a page behind %v ends at %v and says that there is more", f.After, p.Next)
		}
		f.After = p.Next
	}
}

func bodies(list ...objects.Object) []string {
	out := []string{}
	for _, o := range list {
		out = append(out, string(o.Bytes))
	}
	return out
}

func TestEachFilterFindsWhatItMeansWhateverThePage(t *testing.T) {
	each(t, func(t *testing.T, s *objects.Shelf, c objects.Collection) {
		a1, a2, a3 := object("indicator", 1, 1), object("indicator", 1, 2), object("indicator", 1, 3)
		b2, m, d := object("malware", 2, 2), object("malware", 3, 9), object("ipv4-addr", 4, 0)
		out := add(t, s, c, a2, b2, a3, d, a1, m)
		bare := out[3].Added
		for name, test := range map[string]struct {
			filter objects.Filter
			want   []objects.Object
		}{
			"the newest of each":         {objects.Filter{}, []objects.Object{b2, a3, d, m}},
			"all":                        {objects.Filter{Versions: objects.Versions{All: true}}, []objects.Object{a2, b2, a3, d, a1, m}},
			"the oldest":                 {objects.Filter{Versions: objects.Versions{First: true}}, []objects.Object{b2, d, a1, m}},
			"oldest and newest":          {objects.Filter{Versions: objects.Versions{First: true, Last: true}}, []objects.Object{b2, a3, d, a1, m}},
			"of a moment":                {objects.Filter{Versions: objects.Versions{At: []time.Time{at(2)}}}, []objects.Object{a2, b2}},
			"of a moment, by type":       {objects.Filter{Types: []string{"malware"}, Versions: objects.Versions{At: []time.Time{at(2)}}}, []objects.Object{b2}},
			"of a moment, by id":         {objects.Filter{IDs: []string{a1.ID, m.ID}, Versions: objects.Versions{At: []time.Time{at(2), at(9)}}}, []objects.Object{a2, m}},
			"of a moment or the newest":  {objects.Filter{Types: []string{"indicator"}, Versions: objects.Versions{Last: true, At: []time.Time{at(1)}}}, []objects.Object{a3, a1}},
			"without a version":          {objects.Filter{Versions: objects.Versions{At: []time.Time{bare}}}, []objects.Object{d}},
			"by type":                    {objects.Filter{Types: []string{"malware", "malware", "ipv4-addr"}}, []objects.Object{b2, d, m}},
			"by type, all":               {objects.Filter{Types: []string{"indicator"}, Versions: objects.Versions{All: true}}, []objects.Object{a2, a3, a1}},
			"by id":                      {objects.Filter{IDs: []string{a1.ID, d.ID, a1.ID}}, []objects.Object{a3, d}},
			"by id, all":                 {objects.Filter{IDs: []string{a1.ID}, Versions: objects.Versions{All: true}}, []objects.Object{a2, a3, a1}},
			"by id and another type":     {objects.Filter{IDs: []string{a1.ID}, Types: []string{"malware"}}, nil},
			"by this specification":      {objects.Filter{Specs: []string{"2.0", "2.1"}, Types: []string{"malware"}}, []objects.Object{b2, m}},
			"by another specification":   {objects.Filter{Specs: []string{"2.0"}}, nil},
			"what nobody has heard of":   {objects.Filter{IDs: []string{"tool--x"}}, nil},
			"added after the second one": {objects.Filter{After: out[1].Added}, []objects.Object{a3, d, m}},
		} {
			for _, limit := range []int{1, 2, 100} {
				test.filter.Limit = limit
				if diff := cmp.Diff(bodies(test.want...), walk(t, s, c, test.filter)); diff != "" {
					t.Errorf("%s, %d a page: %s", name, limit, diff)
				}
			}
		}
	})
}

func TestTheSameVersionIsKeptOnceAndOtherBytesAreFlagged(t *testing.T) {
	each(t, func(t *testing.T, s *objects.Shelf, c objects.Collection) {
		o := object("indicator", 1, 1)
		first := add(t, s, c, o, o)
		if first[0].Fate != objects.Added || first[1].Fate != objects.Duplicate || !first[1].Added.Equal(first[0].Added) {
			t.Errorf("the same twice: %+v", first)
		}
		rival := o
		rival.Bytes = []byte(`{"id": "other"}`)
		if out := add(t, s, c, rival, rival); out[0].Fate != objects.Conflict || out[1].Fate != objects.Conflict {
			t.Errorf("other bytes: %+v", out)
		}
		if got := walk(t, s, c, objects.Filter{Versions: objects.Versions{All: true}}); !slices.Equal(got, bodies(o)) {
			t.Errorf("served: %q", got)
		}
		list, err := s.Conflicts(t.Context(), c.Number, 10)
		if err != nil || len(list) != 1 || string(list[0].Bytes) != string(rival.Bytes) || !list[0].Version.Equal(at(1)) {
			t.Errorf("flagged: %+v, %v", list, err)
		}
		for i := range 20 {
			rival.Bytes = fmt.Appendf(nil, "%d", i)
			add(t, s, c, rival)
		}
		if list, _ := s.Conflicts(t.Context(), c.Number, 100); len(list) != 8 {
			t.Errorf("%d conflicts of one version are kept", len(list))
		}
		for name, bad := range map[string]objects.Object{
			"without an id": {Type: "x", Spec: "2.1", Bytes: []byte("{}")}, "of STIX 2.0": {ID: "x--1", Type: "x", Spec: "2.0", Bytes: []byte("{}")}, "empty": {ID: "x--1", Type: "x", Spec: "2.1"},
		} {
			if out := add(t, s, c, bad); out[0].Fate != objects.Refused || !errors.Is(out[0].Err, objects.ErrObject) {
				t.Errorf("%s: %+v", name, out)
			}
		}
	})
}

func TestWhatIsDeletedIsNoLongerTheNewest(t *testing.T) {
	each(t, func(t *testing.T, s *objects.Shelf, c objects.Collection) {
		a1, a2, a3 := object("indicator", 1, 1), object("indicator", 1, 2), object("indicator", 1, 3)
		add(t, s, c, a1, a2, a3)
		if n, err := s.Delete(t.Context(), c.Number, a1.ID, objects.Versions{}, nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if got := walk(t, s, c, objects.Filter{}); !slices.Equal(got, bodies(a2)) {
			t.Errorf("the newest is %q", got)
		}
		refusal := errors.New("it was said")
		if _, err := s.Delete(t.Context(), c.Number, a1.ID, objects.Versions{All: true}, func(*store.Tx, time.Time) error { return refusal }); !errors.Is(err, refusal) {
			t.Errorf("what must stay: %v", err)
		}
		if n, err := s.Delete(t.Context(), c.Number, a1.ID, objects.Versions{First: true}, nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if got := walk(t, s, c, objects.Filter{Versions: objects.Versions{First: true}}); !slices.Equal(got, bodies(a2)) {
			t.Errorf("the oldest is %q", got)
		}
		if _, err := s.Delete(t.Context(), c.Number, "tool--x", objects.Versions{All: true}, nil); !errors.Is(err, objects.ErrNoObject) {
			t.Errorf("nothing to delete: %v", err)
		}
		if c, err := s.Collection(t.Context(), c.ID); err != nil || c.Size != 1 {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestCollectionsAreMadeOnce(t *testing.T) {
	each(t, func(t *testing.T, s *objects.Shelf, c objects.Collection) {
		in := objects.Collection{Title: "cert from nordland", Alias: "in", Flow: objects.In, Channel: [32]byte{1}, Party: "nordland", Plane: "real"}
		first, err := s.Create(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Create(t.Context(), in)
		if diff := cmp.Diff(first, again); err != nil || diff != "" {
			t.Errorf("made again: %v %s", err, diff)
		}
		for _, name := range []string{first.ID, "in"} {
			if found, err := s.Collection(t.Context(), name); err != nil || found.Number != first.Number {
				t.Errorf("%s: %+v, %v", name, found, err)
			}
		}
		if _, err := s.Collection(t.Context(), ""); !errors.Is(err, objects.ErrNoCollection) {
			t.Errorf("no name: %v", err)
		}
		if list, err := s.Collections(t.Context()); err != nil || len(list) != 2 || list[1].Channel != in.Channel {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// The clock goes backwards, stands still and jumps, eight write at once, and one follows: he sees every version once, in the order of stamps,
// and none ever appears behind what he has seen.
func TestTheOrderOfStampsIsTheOrderInWhichTheyBecomeVisible(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) {
		start := time.Now()
		clock := func() time.Time { return start.Add(time.Duration(rand.IntN(2000)-1000) * time.Microsecond) }
		s := objects.Open(open(objects.Schema()), clock)
		c, err := s.Create(t.Context(), objects.Collection{Title: "busy", Flow: objects.Local})
		if err != nil {
			t.Fatal(err)
		}
		const writers, rounds, each = 8, 12, 5
		ctx, done := context.WithCancel(t.Context())
		defer done()
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for round := range rounds {
					var list []objects.Object
					for i := range each {
						list = append(list, object("indicator", w*1000+round*each+i, 1))
					}
					if _, err := s.Add(ctx, c.Number, list, objects.Source{}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		finished := make(chan struct{})
		go func() { wg.Wait(); close(finished) }()
		seen := map[string]bool{}
		var last time.Time
		for ended := false; ; {
			select {
			case <-finished:
				ended = true
			default:
			}
			p, err := s.Page(t.Context(), c.Number, objects.Filter{After: last, Limit: 17}, func(r *objects.Row) error {
				if !r.Added.After(last) || seen[r.ID] {
					t.Errorf("%s at %v, behind %v", r.ID, r.Added, last)
				}
				seen[r.ID], last = true, r.Added
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if ended && p.Rows == 0 {
				break
			}
		}
		if len(seen) != writers*rounds*each {
			t.Errorf("%d of %d seen", len(seen), writers*rounds*each)
		}
	})
}

func TestAPageEndsBeforeItsBytes(t *testing.T) {
	each(t, func(t *testing.T, s *objects.Shelf, c objects.Collection) {
		var all []objects.Object
		for n := range 10 {
			all = append(all, object("indicator", n, 1))
		}
		add(t, s, c, all...)
		p, err := s.Page(t.Context(), c.Number, objects.Filter{Bytes: 3*len(all[0].Bytes) + 1}, func(*objects.Row) error { return nil })
		if err != nil || p.Rows != 3 || !p.More {
			t.Errorf("%+v, %v", p, err)
		}
		if got := walk(t, s, c, objects.Filter{Bytes: 1}); !slices.Equal(got, bodies(all...)) {
			t.Errorf("one at a time: %q", got)
		}
	})
}

// What a filter means and the index cannot tell is looked for in bounded steps: pages may be empty, and yet all is found.
func TestAFilterThatMeansLittleOfARangeFindsItInSteps(t *testing.T) {
	each(t, func(t *testing.T, s *objects.Shelf, c objects.Collection) {
		var all []objects.Object
		for n := range 300 {
			all = append(all, object("indicator", n, 1))
		}
		all = append(all, object("malware", 9999, 1))
		add(t, s, c, all...)
		if got := walk(t, s, c, objects.Filter{Types: []string{"malware"}, Versions: objects.Versions{At: []time.Time{at(1)}}, Limit: 10}); !slices.Equal(got, bodies(all[300])) {
			t.Errorf("found %q", got)
		}
	})
}
