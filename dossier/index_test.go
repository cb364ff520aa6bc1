package dossier_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"detente/dossier"
	"detente/feed"
	"detente/form"
	"detente/statement"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"
)

// registry is a node's database with feeds and the index of dossiers.
type registry struct {
	t      failing
	db     *store.DB
	regime *form.Regime
}

func newRegistry(t testing.TB, open func(...store.Schema) *store.DB) *registry {
	return &registry{t, open(feed.Schema(), dossier.Schema()), communications(t)}
}

func (r *registry) regimes([32]byte) (*form.Regime, bool) { return r.regime, true }

func (r *registry) update(fn func(ctx context.Context, tx *store.Tx) error) {
	r.t.Helper()
	ctx := context.Background()
	if err := r.db.Update(ctx, store.Calm, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		r.t.Fatal(err)
	}
}

func (r *registry) view(fn func(ctx context.Context, tx *store.Tx) error) {
	r.t.Helper()
	ctx := context.Background()
	if err := r.db.View(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		r.t.Fatal(err)
	}
}

// holds logs items in their feeds, as a node does that has judged them.
func (r *registry) holds(items ...dossier.Item) {
	r.t.Helper()
	r.update(func(ctx context.Context, tx *store.Tx) error {
		for _, it := range items {
			h, err := feed.Open(ctx, tx, it.Feed)
			if err != nil {
				return err
			}
			s := it.Statement
			e := feed.Entry{ID: s.ID(), Dossier: s.Case(), Clock: s.Clock, Issuer: s.Issuer.String(), Form: s.Form, Reason: it.Reason, Bytes: s.Bytes()}
			if err := h.Extend(ctx, tx, []feed.Entry{e}); err != nil {
				return err
			}
		}
		return nil
	})
}

// rejudges gives an entry another reason, as a node does when a charter has come.
func (r *registry) rejudges(id statement.ID, reason string) {
	r.t.Helper()
	r.update(func(ctx context.Context, tx *store.Tx) error {
		placed, err := feed.ByID(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, p := range placed {
			h, err := feed.Find(ctx, tx, p.Feed)
			if err != nil {
				return err
			}
			if err := h.SetReason(ctx, tx, p.Index, reason); err != nil {
				return err
			}
			if err := dossier.Note(ctx, tx, p.Feed, []feed.Entry{p.Entry}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *registry) catchesUp(limit int) (more bool) {
	r.t.Helper()
	r.update(func(ctx context.Context, tx *store.Tx) (err error) {
		more, err = dossier.CatchUp(ctx, tx, limit)
		return err
	})
	return more
}

func (r *registry) refreshes(limit int) (n int) {
	r.t.Helper()
	r.update(func(ctx context.Context, tx *store.Tx) (err error) {
		n, err = dossier.Refresh(ctx, tx, limit, r.regimes)
		return err
	})
	return n
}

func (r *registry) list(f dossier.Filter) (out []dossier.Summary) {
	r.t.Helper()
	r.view(func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = dossier.Dossiers(ctx, tx, f, r.regimes)
		return err
	})
	return out
}

func (r *registry) reads(n dossier.Name) (s *dossier.State) {
	r.t.Helper()
	r.view(func(ctx context.Context, tx *store.Tx) (err error) {
		s, err = dossier.Read(ctx, tx, n, r.regime)
		return err
	})
	return s
}

func (r *registry) rebuilds() (checked int, differing []dossier.Name) {
	r.t.Helper()
	checked, differing, err := dossier.Rebuild(context.Background(), r.db, r.regimes, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return checked, differing
}

func (r *registry) compares() (differing []dossier.Name) {
	r.t.Helper()
	r.view(func(ctx context.Context, tx *store.Tx) (err error) {
		_, differing, err = dossier.Compare(ctx, tx, r.regimes)
		return err
	})
	return differing
}

// What is read from the database is what is folded from the statements.
func TestReadIsTheFold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) {
		r := newRegistry(t, open)
		s := tell(t, "q xn inquiry again=xs", "ack xs acknowledgement q", "a xs answer q invalid=clock", "odd xs answer q plane=exercise")
		r.holds(s.items...)
		want := dossier.Fold(s.name, s.items, r.regime)
		got := r.reads(s.name)
		if got.Digest != want.Digest || !cmp.Equal(s.standings(got), s.standings(want)) {
			t.Errorf("read %q, folded %q", s.standings(got), s.standings(want))
		}
		exercise := dossier.Name{ID: s.name.ID, Channel: s.name.Channel, Plane: traffic.Exercise}
		if e := r.reads(exercise); e.Opened || len(e.Entries) != 1 {
			t.Errorf("the exercise: %+v", e)
		}
	})
}

// The list is right at every moment: before the index has seen an entry, before it has folded it, and after.
func TestListOfDossiers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) {
		r := newRegistry(t, open)
		var stories []*story
		for i := range 5 {
			s := tell(t, fmt.Sprintf("q%d xn inquiry", i))
			stories = append(stories, s)
			r.holds(s.items...)
		}
		check := func(when string, open ...int) {
			t.Helper()
			var want []statement.ID
			for _, i := range open {
				want = append(want, stories[i].name.ID)
			}
			var got []statement.ID
			for _, s := range r.list(dossier.Filter{Open: true}) {
				got = append(got, s.ID)
			}
			for _, ids := range [][]statement.ID{want, got} {
				slices.SortFunc(ids, func(a, b statement.ID) int { return slices.Compare(a[:], b[:]) })
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: open are %v, want %v", when, got, want)
			}
			if all := r.list(dossier.Filter{}); len(all) != len(stories) {
				t.Errorf("%s: %d dossiers, want %d", when, len(all), len(stories))
			}
			if bad := r.compares(); bad != nil {
				t.Errorf("%s: differing %v", when, bad)
			}
		}
		check("unseen", 0, 1, 2, 3, 4)
		for r.catchesUp(2) {
		}
		check("seen", 0, 1, 2, 3, 4)
		if n := r.refreshes(3); n != 3 {
			t.Errorf("refreshed %d", n)
		}
		check("half folded", 0, 1, 2, 3, 4)
		if n := r.refreshes(3); n != 2 {
			t.Errorf("refreshed %d", n)
		}
		check("folded", 0, 1, 2, 3, 4)
		for _, i := range []int{1, 3} {
			stories[i].line(fmt.Sprintf("a xs answer q%d", i))
			stories[i].line("k xn acknowledgement a")
			r.holds(stories[i].items[1:]...)
		}
		check("answered, unseen", 0, 2, 4)
		for r.catchesUp(1) {
		}
		check("answered, seen", 0, 2, 4)
		r.refreshes(10)
		check("answered, folded", 0, 2, 4)
		r.rejudges(stories[3].ids["a"], "charter-unknown")
		check("judged anew", 0, 2, 3, 4)
		r.refreshes(10)
		check("judged anew, folded", 0, 2, 3, 4)
		if n := r.refreshes(10); n != 0 {
			t.Errorf("refreshed %d that were fresh", n)
		}
		if checked, bad := r.rebuilds(); checked != 5 || bad != nil {
			t.Errorf("rebuild of %d: %v", checked, bad)
		}
	})
}

func TestListIsFilteredAndPaged(t *testing.T) {
	r := newRegistry(t, func(s ...store.Schema) *store.DB { return storetest.Open(t, s...) })
	for i := range 7 {
		r.holds(tell(t, fmt.Sprintf("q%d xn inquiry", i)).items...)
		r.holds(tell(t, fmt.Sprintf("e%d xn inquiry plane=exercise", i)).items...)
		if i == 3 {
			for r.catchesUp(100) {
			}
			r.refreshes(100)
		}
	}
	all := r.list(dossier.Filter{Plane: traffic.Exercise})
	if len(all) != 7 {
		t.Fatalf("%d of the exercise", len(all))
	}
	var paged []dossier.Summary
	f := dossier.Filter{Plane: traffic.Exercise, Limit: 3}
	for {
		page := r.list(f)
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
		f.After = &page[len(page)-1]
	}
	if diff := cmp.Diff(all, paged); diff != "" {
		t.Error(diff)
	}
	here, elsewhere := [32]byte{7}, [32]byte{8}
	if n := len(r.list(dossier.Filter{Channel: &here})); n != 14 {
		t.Errorf("%d on the channel", n)
	}
	if n := len(r.list(dossier.Filter{Channel: &elsewhere})); n != 0 {
		t.Errorf("%d on another channel", n)
	}
}

// Whatever was done to the index, rebuild finds it and puts it right.
func TestRebuild(t *testing.T) {
	for _, harm := range []string{
		`UPDATE dossiers SET open = 0`,
		`UPDATE dossiers SET entries = 7`,
		`UPDATE dossiers SET digest = id`,
		`DELETE FROM dossiers`,
	} {
		t.Run(harm, func(t *testing.T) {
			r := newRegistry(t, func(s ...store.Schema) *store.DB { return storetest.Open(t, s...) })
			s := tell(t, "q xn inquiry", "ack xs acknowledgement q")
			r.holds(s.items...)
			for r.catchesUp(100) {
			}
			r.refreshes(100)
			want := r.list(dossier.Filter{})
			r.update(func(ctx context.Context, tx *store.Tx) error { _, err := tx.Exec(ctx, harm); return err })
			if checked, bad := r.rebuilds(); checked != 1 || !slices.Equal(bad, []dossier.Name{s.name}) {
				t.Errorf("rebuild of %d: %v", checked, bad)
			}
			if _, bad := r.rebuilds(); bad != nil {
				t.Errorf("rebuilt, and still differing: %v", bad)
			}
			if diff := cmp.Diff(want, r.list(dossier.Filter{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("a line for nothing", func(t *testing.T) {
		r := newRegistry(t, func(s ...store.Schema) *store.DB { return storetest.Open(t, s...) })
		r.update(func(ctx context.Context, tx *store.Tx) error {
			return dossier.Note(ctx, tx, traffic.Feed{}, []feed.Entry{{Dossier: statement.ID{1}}})
		})
		if _, bad := r.rebuilds(); len(bad) != 1 {
			t.Errorf("differing %v", bad)
		}
		if all := r.list(dossier.Filter{}); len(all) != 0 {
			t.Errorf("%v", all)
		}
	})
}

// At any pace of the index, in any order of events, the list is what folding everything afresh gives; and rebuild finds nothing.
func TestIndexNeverMisleads(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRegistry(t, func(s ...store.Schema) *store.DB { return storetest.Open(t, s...) })
		var stories []*story
		for step := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"open", "open", "reply", "reply", "catch up", "refresh", "rejudge", "rebuild"}).Draw(rt, "event") {
			case "open":
				stories = append(stories, tell(t, fmt.Sprintf("q%d xn inquiry", step)))
				r.holds(stories[len(stories)-1].items...)
			case "reply":
				if len(stories) == 0 {
					continue
				}
				s := rapid.SampledFrom(stories).Draw(rt, "dossier")
				first := s.labels[s.name.ID]
				s.line(fmt.Sprintf("r%d xs %s %s", step, rapid.SampledFrom([]string{"answer", "acknowledgement"}).Draw(rt, "form"), first))
				r.holds(s.items[len(s.items)-1])
			case "catch up":
				r.catchesUp(rapid.IntRange(1, 4).Draw(rt, "entries"))
			case "refresh":
				r.refreshes(rapid.IntRange(1, 3).Draw(rt, "dossiers"))
			case "rejudge":
				if len(stories) == 0 {
					continue
				}
				s := rapid.SampledFrom(stories).Draw(rt, "dossier")
				it := &s.items[rapid.IntRange(0, len(s.items)-1).Draw(rt, "item")]
				it.Reason = rapid.SampledFrom([]string{"", "charter-unknown"}).Draw(rt, "reason")
				r.rejudges(it.Statement.ID(), it.Reason)
			case "rebuild":
				if _, bad := r.rebuilds(); bad != nil {
					rt.Fatalf("differing %v", bad)
				}
			}
			want := map[dossier.Name][3]any{}
			for _, s := range stories {
				st := dossier.Fold(s.name, s.items, r.regime)
				want[s.name] = [3]any{len(st.Entries), len(st.Open), st.Digest}
			}
			got := map[dossier.Name][3]any{}
			for _, s := range r.list(dossier.Filter{}) {
				if _, twice := got[s.Name]; twice {
					rt.Fatalf("%v is listed twice", s.Name.ID)
				}
				got[s.Name] = [3]any{s.Entries, s.Open, s.Digest}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatal(diff)
			}
			if bad := r.compares(); bad != nil {
				rt.Fatalf("differing %v", bad)
			}
		}
	})
}

// Reading a dossier is almost all decoding: a kept fold would save little of it.
func BenchmarkRead(b *testing.B) {
	lines := []string{"s0 xn inquiry"}
	for i := 1; i < 1000; i++ {
		lines = append(lines, fmt.Sprintf("s%d xs acknowledgement s0", i))
	}
	s := tell(b, lines...)
	db, err := store.Open(context.Background(), store.Config{DSN: b.TempDir() + "/node.db", Schemas: []store.Schema{feed.Schema(), dossier.Schema()}})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	r := &registry{b, db, communications(b)}
	r.holds(s.items...)
	for b.Loop() {
		if st := r.reads(s.name); len(st.Entries) != 1000 {
			b.Fatal(len(st.Entries))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/statement")
}
