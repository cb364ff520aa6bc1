package sim_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"detente/node"
	"detente/party"
	"detente/sim"
	"detente/traffic"
)

var onlySeed = flag.Uint64("seed", 0, "walk this seed alone, and say each step")

// Whatever happens, in whatever order, every invariant holds after each step; and once the network is whole and the nodes are up, everybody
// comes to hold everything, and to fold it to the same.
func TestRandomWalk(t *testing.T) {
	seeds := uint64(4)
	if long() {
		seeds = 10_000
	}
	from := uint64(1)
	if *onlySeed != 0 {
		from, seeds = *onlySeed, 1
	}
	cast := []sim.Founded{sim.Found(t, "xl", "en", false), sim.Found(t, "xn", "en", true), sim.Found(t, "xs", "ru", true)}
	start := time.Now()
	for seed := from; seed < from+seeds; seed++ {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &walk{t: t, rnd: rand.New(rand.NewPCG(seed, 0)), loud: *onlySeed != 0}
				if err := w.run(cast, seed); err != nil {
					t.Errorf("%v\nfor the steps: go test ./sim -run TestRandomWalk -seed %d -v", err, seed)
				}
			})
		})
		if !ok && !long() {
			return
		}
		if n := seed - from + 1; long() && n%100 == 0 {
			fmt.Printf("random walk: %d of %d seeds, %v\n", n, seeds, time.Since(start).Round(time.Second))
		}
	}
}

// walk is one random story.
type walk struct {
	t        *testing.T
	rnd      *rand.Rand
	loud     bool
	w        *sim.World
	channels [][32]byte
	members  [][]traffic.Party
	pouches  []pouch
	backups  map[traffic.Party]bool
	sent     []node.Sent
	restored map[traffic.Party]bool
}

type pouch struct {
	path string
	to   traffic.Party
}

func (w *walk) run(cast []sim.Founded, seed uint64) error {
	w.w = sim.New(w.t, 10*time.Minute, seed)
	defer w.w.Close()
	w.backups, w.restored = make(map[traffic.Party]bool), make(map[traffic.Party]bool)
	for _, f := range cast {
		w.w.Add(f)
	}
	w.w.Pair("xn", "xs")
	w.w.Pair("xn", "xl")
	w.w.Pair("xs", "xl")
	for _, members := range [][]traffic.Party{{"xn", "xs"}, {"xs", "xn", "xl"}} {
		w.channels = append(w.channels, w.w.Channel("council", members...))
		w.members = append(w.members, members)
	}
	for range 40 {
		what := w.step()
		if w.loud {
			w.t.Log(time.Now().Format("02 15:04:05"), what)
		}
		for _, c := range w.w.Parties() { // one that fell by a trap is put up again, now or later
			if !c.Up() && w.rnd.IntN(3) == 0 {
				c.Crash()
				c.Trap(nil)
				c.Start()
			}
		}
		if err := w.w.Check(); err != nil {
			return fmt.Errorf("after %q: %w", what, err)
		}
	}
	return w.heal()
}

// heal makes everything whole, and sees that all is well.
func (w *walk) heal() error {
	w.w.Net.Mend()
	for _, c := range w.w.Parties() {
		c.Trap(nil)
		c.SetClock(0)
		if !c.Up() {
			c.Crash()
			c.Start()
		}
	}
	for p := range w.restored {
		r, err := w.w.Recover(p, time.Hour)
		if errors.Is(err, context.DeadlineExceeded) { // nobody else had it yet
			err = w.w.Epoch(p, r)
		}
		if err == nil {
			err = w.w.Recovered(p, 6*time.Hour)
		}
		if err != nil {
			return fmt.Errorf("%s does not recover: %w", p, err)
		}
	}
	if err := w.w.Settle(6 * time.Hour); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	if err := errors.Join(w.w.Check(), w.w.Audit()); err != nil {
		return err
	}
	return w.w.Same()
}

func (w *walk) party() *sim.Capital { all := w.w.Parties(); return all[w.rnd.IntN(len(all))] }

func (w *walk) upTo(d time.Duration) time.Duration { return time.Duration(w.rnd.Int64N(int64(d))) }

// step does something at random, and says what.
func (w *walk) step() string {
	a, b := w.party(), w.party()
	switch n := w.rnd.IntN(100); {
	case n < 30:
		return w.send()
	case n < 40:
		return w.reply()
	case n < 60:
		d := w.upTo([]time.Duration{time.Second, time.Minute, time.Hour, 4 * time.Hour}[w.rnd.IntN(4)])
		time.Sleep(d)
		return fmt.Sprint("wait ", d)
	case n < 70:
		f := w.weather()
		w.w.Net.Set(a.ID, b.ID, f)
		return fmt.Sprintf("from %s to %s: %+v", a.ID, b.ID, f)
	case n < 74:
		w.w.Net.Mend()
		return "mend"
	case n < 80:
		return w.crash(a)
	case n < 84:
		a.SetClock(time.Duration(w.rnd.IntN(3)-1) * time.Hour)
		return fmt.Sprintf("clock of %s: %v", a.ID, time.Until(a.Now()).Round(time.Hour))
	case n < 88:
		return w.stumble(a)
	case n < 94:
		return w.courier(a, b)
	case n < 96:
		err := w.w.Rotate(a.ID, party.Withdrawal{}, []party.Slot{"post/nrrc/real", "node/bundle", "node/mirror", "node/sealing"}[w.rnd.IntN(4)])
		return fmt.Sprint("rotate ", a.ID, err)
	case n < 98:
		if a.Up() && !w.restored[a.ID] {
			a.Backup("copy")
			w.backups[a.ID] = true
			return fmt.Sprint("backup ", a.ID)
		}
	default:
		if w.backups[a.ID] {
			a.Crash()
			a.Restore("copy")
			a.Start()
			w.restored[a.ID] = true
			return fmt.Sprint("restore ", a.ID)
		}
	}
	return "nothing"
}

func (w *walk) send() string {
	i := w.rnd.IntN(len(w.channels))
	from := w.members[i][w.rnd.IntN(len(w.members[i]))]
	l := sim.Letter{
		From: from, To: "*", Channel: w.channels[i], Plane: traffic.Planes()[max(0, w.rnd.IntN(6)-3)], Precedence: traffic.Precedences()[w.rnd.IntN(4)],
		Form: []string{"check", "inquiry", "notice"}[w.rnd.IntN(3)], Text: "The sturgeon season opens.",
	}
	sent, err := w.w.Send(l)
	if err == nil {
		w.sent = append(w.sent, sent)
	}
	return fmt.Sprintf("%s sends %s %s: %v", from, l.Precedence, l.Form, err)
}

func (w *walk) reply() string {
	if len(w.sent) == 0 {
		return "nothing"
	}
	to := w.sent[w.rnd.IntN(len(w.sent))]
	by := w.party()
	form := []string{"acknowledgement", "answer", "interim", "check-answer", "correction", "cancellation"}[w.rnd.IntN(6)]
	sent, err := w.w.Reply(by.ID, to.ID, form, "The sturgeon season opens.")
	if err == nil {
		w.sent = append(w.sent, sent)
	}
	return fmt.Sprintf("%s: %s to %s: %v", by.ID, form, to.ID.Short(), err)
}

func (w *walk) weather() sim.Fault {
	switch w.rnd.IntN(6) {
	case 0, 1:
		return sim.Fault{Cut: true}
	case 2:
		return sim.Fault{Delay: w.upTo(20 * time.Second), Reorder: w.upTo(time.Minute)}
	case 3:
		return sim.Fault{Duplicate: w.rnd.Float64(), Reorder: w.upTo(time.Minute)}
	case 4:
		return sim.Fault{LoseBack: w.rnd.Float64()}
	}
	return sim.Fault{Corrupt: w.rnd.Float64()}
}

// crash kills a node now, or in one of its next durable steps.
func (w *walk) crash(c *sim.Capital) string {
	if w.rnd.IntN(2) == 0 {
		c.Crash()
		return fmt.Sprint("crash ", c.ID)
	}
	left := w.rnd.IntN(60)
	c.Trap(func(string) error {
		if left--; left < 0 {
			return sim.ErrCrashed
		}
		return nil
	})
	return fmt.Sprintf("crash %s in %d steps", c.ID, left)
}

// stumble fails some durable steps of a node that goes on.
func (w *walk) stumble(c *sim.Capital) string {
	if !c.Up() {
		return "nothing"
	}
	rnd := rand.New(rand.NewPCG(w.rnd.Uint64(), 0))
	left := 1 + w.rnd.IntN(3)
	c.Trap(func(step string) error {
		if left > 0 && rnd.IntN(10) == 0 {
			left--
			return errDisk
		}
		return nil
	})
	return fmt.Sprintf("%s stumbles %d times", c.ID, left)
}

// courier exports a pouch, and takes along any that was exported before.
func (w *walk) courier(from, to *sim.Capital) string {
	if from != to && from.Up() {
		path := filepath.Join(w.t.TempDir(), "pouch")
		if _, err := from.Node().ExportPouch(w.t.Context(), to.ID, path); err == nil {
			w.pouches = append(w.pouches, pouch{path, to.ID})
		}
	}
	if len(w.pouches) == 0 {
		return "nothing"
	}
	p := w.pouches[w.rnd.IntN(len(w.pouches))]
	c := w.w.Capital(p.to)
	if !c.Up() {
		return "nothing"
	}
	f, err := os.Open(p.path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	r, err := c.Node().ImportPouch(w.t.Context(), f)
	return fmt.Sprintf("pouch to %s: %+v %v", p.to, r, err)
}
