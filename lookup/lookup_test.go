package lookup_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"detente/lookup"
	"detente/observable"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

func (c *capital) publishes(perDay, total int64, values ...string) statement.ID {
	c.World.T.Helper()
	_, p, err := c.Publish(c.World.T.Context(), lookup.List{
		Channel: c.World.Channels["cert"], Plane: traffic.Real, Post: "nrrc", Values: c.guess(values), For: 26 * time.Hour, PerDay: perDay, Total: total,
		About: "What our sensors saw.", Drafter: "duty-officer",
	})
	must(c.World.T, err)
	return p.ID
}

func (c *capital) guess(values []string) (out []observable.Observable) {
	for _, v := range values {
		o, err := observable.Guess(v)
		must(c.World.T, err)
		out = append(out, o)
	}
	return out
}

func (c *capital) asks(list statement.ID, values ...string) error {
	_, err := c.Ask(c.World.T.Context(), lookup.Question{List: list, Values: c.guess(values), Post: "nrrc", Officer: "ivanova", Drafter: "duty-officer"})
	return err
}

// heard is what came of the last question, in short.
func (c *capital) heard() []string {
	c.World.T.Helper()
	all, err := c.Results(c.World.T.Context(), "ivanova", false)
	must(c.World.T, err)
	if len(all) == 0 {
		return nil
	}
	out := []string{all[0].State}
	if all[0].Reason != "" {
		out = append(out, string(all[0].Reason))
	}
	for _, f := range all[0].Found {
		if f.Known {
			out = append(out, f.Value)
		}
	}
	return out
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// North asks while the line is cut, is started anew, and has its answer when the line comes back. What was asked is nowhere at South, what South knows
// is nowhere but in its list.
func TestAQuestionSurvivesARestartAndTellsNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		list := xs.publishes(100, 1000, "evil.example", "192.0.2.7", "known-to-south.example")
		pass(time.Minute)
		w.Sever(true)
		must(t, xn.asks(list, "asked-by-north.example", "evil[.]example", "192.0.2.7"))
		pass(time.Minute)
		same(t, xn.heard(), lookup.Waiting)
		xn.Stop()
		xn.Start()
		w.Sever(false)
		pass(15 * time.Minute)
		same(t, xn.heard(), lookup.Answered, "evil.example", "192.0.2.7")
		if all, err := xn.Results(t.Context(), "petrov", false); err != nil || len(all) != 0 {
			t.Errorf("another officer sees it: %v, %v", all, err)
		}

		for _, c := range []*capital{xn, xs} {
			states, err := c.Lists(t.Context())
			must(t, err)
			if n := states[0].Counts["xn"]; len(states) != 1 || n.Today != 3 || n.Total != 3 || n.Limit != 1000 || states[0].Own != (c == xs) {
				t.Errorf("%s counts %+v", c.ID, states)
			}
		}
		xn.Stop()
		xs.Stop()
		for dir, words := range map[string][]string{xs.Dir: {"asked-by-north", "known-to-south"}, xn.Dir: {"known-to-south"}} {
			must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				b, err := os.ReadFile(path)
				for _, word := range words {
					if bytes.Contains(b, []byte(word)) {
						t.Errorf("%s is in %s", word, filepath.Base(path))
					}
				}
				return err
			}))
		}
	})
}
