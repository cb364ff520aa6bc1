package sim

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/traffic"
)

// The checks are worth what they can see: each of these worlds is broken on purpose.
func TestCheckSeesWhatIsBroken(t *testing.T) {
	for _, c := range []struct {
		name, sees string
		breaks     func(t *testing.T, w *World, l Letter)
	}{
		{"a mirror that has lost what it cosigned", "and now has 0", func(t *testing.T, w *World, l Letter) {
			w.Capital("xs").vanish(t)
		}},
		{"a mirror that was never looked at", "has cosigned|of which its party holds 0", // whichever feed comes first
			func(t *testing.T, w *World, l Letter) {
				w.record = newRecord()
				w.Capital("xs").vanish(t)
			}},
		{"an author that has lost what it said", "holds 1 entries|and holds 0", func(t *testing.T, w *World, l Letter) {
			w.record = newRecord()
			w.Capital("xn").vanish(t)
		}},
		{"a statement that was taken and is nowhere", "is not there", func(t *testing.T, w *World, l Letter) {
			sent, err := w.Send(l)
			if err != nil {
				t.Fatal(err)
			}
			sent.Index += 5
			w.record.said(sent, traffic.Real)
		}},
		{"a statement on another plane than it was said on", "said on the plane", func(t *testing.T, w *World, l Letter) {
			sent, err := w.Send(l)
			if err != nil {
				t.Fatal(err)
			}
			w.record.said(sent, traffic.Exercise)
		}},
		{"another history", "was", func(t *testing.T, w *World, l Letter) {
			for f, ids := range w.record.truth {
				ids[0][0] ^= 1
				w.record.truth[f] = ids
			}
		}},
		{"words in clear on the network", "readable", func(t *testing.T, w *World, l Letter) {
			w.Net.inspect(direction{"xn", "xs"}, []byte("…"+l.Text+"…"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := New(t, 5*time.Minute, 1)
				defer w.Close()
				w.Add(Found(t, "xn", "en", true))
				w.Add(Found(t, "xs", "ru", true))
				w.Pair("xn", "xs")
				l := Letter{
					From: "xn", To: "xs", Channel: w.Channel("nrrc", "xn", "xs"), Precedence: traffic.Routine, Form: "goodwill", Text: "The sturgeon season opens.",
				}
				if _, err := w.Send(l); err != nil {
					t.Fatal(err)
				}
				if err := w.Settle(time.Hour); err != nil {
					t.Fatal(err)
				}
				if err := w.Check(); err != nil {
					t.Fatal(err)
				}
				c.breaks(t, w, l)
				err := w.Check()
				if err == nil || !slices.ContainsFunc(strings.Split(c.sees, "|"), func(s string) bool { return strings.Contains(err.Error(), s) }) {
					t.Errorf("the check says %v, and should see %q", err, c.sees)
				}
			})
		})
	}
}

// vanish takes the database away behind everybody's back, while nobody can give it back.
func (c *Capital) vanish(t *testing.T) {
	c.Crash()
	c.world.Net.Cut("xn", "xs")
	if err := os.Remove(c.database()); err != nil {
		t.Fatal(err)
	}
	c.Start()
}
