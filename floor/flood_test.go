//go:build !race

// Under the race detector ten thousand statements take minutes; ./test runs this file without it. What it runs is run under the detector by the other tests.

package floor_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"detente/floor"
	"detente/form"
	"detente/journal"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/traffic"
)

// Ten thousand statements come in a minute, and a FLASH among them: it is first on the board, and its officer called, within a second of its arrival.
// He is not called ten thousand times for the others.
func TestAFlashAmongTenThousand(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem)
		var wg sync.WaitGroup
		const workers, each = 50, 200
		var flash time.Time
		for i := range workers {
			wg.Go(func() {
				for j := range each {
					time.Sleep(time.Minute / each)
					if i == 0 && j == each/2 {
						xn.notice(traffic.Flash, "Loss of control of a test system.")
						flash = time.Now()
						continue
					}
					xn.notice(traffic.Routine, fmt.Sprintf("The sturgeon season opens, %d %d.", i, j))
				}
			})
		}
		wg.Go(func() {
			time.Sleep(time.Minute/2 + time.Second + time.Minute/each)
			v := xs.watch()
			if len(v.Items) == 0 || v.Items[0].Precedence != traffic.Flash {
				t.Error("the FLASH is not first on the board within a second")
			}
		})
		wg.Wait()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		v := xs.watch()
		if len(v.Items)+v.More != workers*each || v.Items[0].Precedence != traffic.Flash {
			t.Errorf("%d items, the first %s", len(v.Items), v.Items[0].Number)
		}
		calls, flashes := 0, 0
		for _, c := range xs.phone.calls {
			if c.call.Item.Precedence == traffic.Flash {
				flashes++
				if c.call.Officer == "anna" && c.at.Sub(flash) > time.Second {
					t.Errorf("called for the FLASH after %v", c.at.Sub(flash))
				}
				continue
			}
			calls++
		}
		if flashes == 0 || calls == 0 || calls > 300 {
			t.Errorf("called %d times for the FLASH, and %d times for the others", flashes, calls)
		}
	})
}

// BenchmarkBoard is a look at the watch with 100,000 statements held, of which a thousand are open.
func BenchmarkBoard(b *testing.B) {
	dir := b.TempDir()
	charter, keys, _, err := party.Found(party.Plan{Party: "xn", Name: map[string]string{"en": "xn"}, Languages: []string{"en"}})
	if err != nil {
		b.Fatal(err)
	}
	pins, err := party.OpenPins(filepath.Join(dir, "keys"), key.Standard())
	if err != nil {
		b.Fatal(err)
	}
	chain, err := party.NewChain(charter)
	if err == nil {
		err = pins.SetOwn(chain)
	}
	if err != nil {
		b.Fatal(err)
	}
	n, err := node.Open(b.Context(), node.Config{
		DSN: filepath.Join(dir, "detente.db"), Keys: keys, Pins: pins, MarksDir: filepath.Join(dir, "marks"), Regimes: allRegimes(b),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	f, err := floor.New(n, floor.Config{})
	if err != nil {
		b.Fatal(err)
	}
	fill(b, n, f)
	if _, err := f.Watch(b.Context(), "", ""); err != nil { // reads everything once
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Watch(b.Context(), "", ""); err != nil {
			b.Fatal(err)
		}
	}
}

// fill puts 100,000 entries into the journal, of a thousand items that are raised and not taken.
func fill(b *testing.B, n *node.Node, f *floor.Floor) {
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			for j := range 1000 {
				key, state := fmt.Sprintf("alarm:silent:%d:x%d", 1e9+100*j+i, i), "raised"
				if j >= 10 {
					state = "ended"
				}
				_, err := f.Journal().Record(context.Background(), "nrrc", journal.Machine, "item", form.Values{"key": key, "state": state, "post": "nrrc", "text": "Nothing is heard."})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
