package sim_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"detente/exchange"
	"detente/form"
	"detente/node"
	"detente/party"
	"detente/sim"
	"detente/store"
	"detente/traffic"
)

// long tells whether the campaigns run in full.
func long() bool { return os.Getenv("DETENTE_LONG") != "" }

var errDisk = errors.New("the disk failed")

// A mishap is what becomes of one durable step.
type mishap struct {
	name  string
	steps []string // at which it can happen
	err   error
}

func mishaps() []mishap {
	return []mishap{
		{"fails", []string{"begin", "write", "commit"}, errDisk},
		{"fails but persists", []string{"committed"}, errDisk},
		{"finds the disk full", []string{"write", "commit"}, store.ErrFull},
		{"is the last of the process", []string{"begin", "write", "commit"}, sim.ErrCrashed},
		{"is the last of the process but persists", []string{"committed"}, sim.ErrCrashed},
	}
}

// Each durable step of each party of a story fails once, and the process dies in it once: what was receipted is there afterwards, what
// was not is sent again, and every invariant holds.
func TestEveryDurableStepFails(t *testing.T) {
	cast := []sim.Founded{sim.Found(t, "xn", "en", true), sim.Found(t, "xs", "ru", true)}
	for _, victim := range []traffic.Party{"xn", "xs"} {
		steps := make(map[string]int)
		synctest.Test(t, func(t *testing.T) {
			play := &drama{t: t, victim: victim, trap: func(step string) error { steps[step]++; return nil }}
			play.run(cast)
		})
		for _, m := range mishaps() {
			for _, step := range m.steps {
				stride := 1
				if !long() { // as many of each
					stride = max(1, steps[step]/3)
				}
				for at := 1 + len(m.name)%stride; at <= steps[step]; at += stride {
					t.Run(fmt.Sprintf("%s/%s %d %s", victim, step, at, m.name), func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							left := int64(at)
							play := &drama{t: t, victim: victim, trap: func(s string) error {
								if s == step && atomic.AddInt64(&left, -1) == 0 {
									return m.err
								}
								return nil
							}}
							play.run(cast)
						})
					})
				}
			}
		}
	}
}

// drama is a story in which one party has mishaps.
type drama struct {
	t      *testing.T
	victim traffic.Party
	trap   sim.Trap

	w       *sim.World
	channel [32]byte
}

func (d *drama) run(cast []sim.Founded) {
	d.t.Helper()
	d.w = sim.New(d.t, 5*time.Minute, 1)
	defer d.w.Close()
	for _, f := range cast {
		d.w.Add(f)
	}
	d.w.Pair("xn", "xs")
	d.channel = d.w.Channel("nrrc", "xn", "xs")
	victim := d.w.Capital(d.victim)
	victim.Trap(d.trap)
	var first node.Sent
	for _, act := range []func() error{
		func() (err error) { first, err = d.send("xn", traffic.Immediate, "inquiry"); return err },
		func() error {
			_, err := d.w.Reply("xs", first.ID, "acknowledgement", "")
			return err
		},
		d.attach,
		func() error { _, err := d.send("xs", traffic.Routine, "goodwill"); return err },
		d.pouch,
		d.rotate,
		func() error { _, err := d.send("xn", traffic.Flash, "check"); return err },
		func() error { _, err := d.send("xn", traffic.Routine, "goodwill"); return err },
	} {
		if err := act(); err != nil {
			d.t.Log("refused:", err) // whoever spoke was told; what he does about it is his business
		}
		time.Sleep(20 * time.Second)
		if !victim.Up() {
			victim.Crash()
			victim.Start()
		}
		if err := d.w.Check(); err != nil {
			d.t.Fatal(err)
		}
	}
	victim.Trap(nil)
	if err := d.w.Settle(2 * time.Hour); err != nil {
		d.t.Fatal(err)
	}
	time.Sleep(time.Minute) // for the ML-DSA signatures
	if err := errors.Join(d.w.Check(), d.w.Audit()); err != nil {
		d.t.Fatal(err)
	}
}

func (d *drama) send(from traffic.Party, p traffic.Precedence, id string) (node.Sent, error) {
	to := traffic.Party("xs")
	if from == "xs" {
		to = "xn"
	}
	return d.w.Send(sim.Letter{From: from, To: to, Channel: d.channel, Precedence: p, Form: id, Text: "The sturgeon season opens."})
}

// attach has xn send a file.
func (d *drama) attach() error {
	file := make([]byte, 300_000)
	for i := range file {
		file[i] = byte(i * i >> 3)
	}
	return d.w.Speak("xn", node.Draft{
		Channel: d.channel, Plane: traffic.Real, Precedence: traffic.Priority, Post: "nrrc", Audience: "xs/nrrc", Form: "notice", Language: "en",
		Values: form.Values{"subject": "information", "text": "See the file.", "attachments": []any{
			map[string]any{"hash": sum(file), "size": int64(len(file)), "name": "report", "type": "application/octet-stream"},
		}},
		Drafter: "duty-officer", Blobs: [][]byte{file},
	})
}

func sum(b []byte) []byte { h := sha256.Sum256(b); return h[:] }

// pouch brings what xs has to xn by hand.
func (d *drama) pouch() error {
	from, to := d.w.Capital("xs"), d.w.Capital("xn")
	if !from.Up() || !to.Up() {
		return sim.ErrCrashed
	}
	path := filepath.Join(d.t.TempDir(), "pouch")
	if _, err := from.Node().ExportPouch(d.t.Context(), "xn", path); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = to.Node().ImportPouch(d.t.Context(), file)
	return err
}

// rotate gives xn's post and node new keys.
func (d *drama) rotate() error {
	return d.w.Rotate("xn", party.Withdrawal{}, "post/nrrc/real", "node/checkpoint", "node/mirror", "node/bundle")
}

// A full disk is told to whoever speaks, in so many words. Once there is room again everything goes on, and nothing that came meanwhile is lost.
func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, 5*time.Minute, 1)
		defer w.Close()
		w.Add(sim.Found(t, "xn", "en", true))
		w.Add(sim.Found(t, "xs", "ru", true))
		w.Pair("xn", "xs")
		channel := w.Channel("nrrc", "xn", "xs")
		letter := sim.Letter{From: "xn", To: "xs", Channel: channel, Precedence: traffic.Flash, Form: "check", Text: "The sturgeon season opens."}
		full := func(step string) error {
			if step == "write" || step == "commit" {
				return store.ErrFull
			}
			return nil
		}

		w.Capital("xn").Trap(full)
		if _, err := w.Send(letter); !errors.Is(err, store.ErrFull) {
			t.Fatalf("xn says %v on a full disk", err)
		}
		w.Capital("xn").Trap(nil)

		w.Capital("xs").Trap(full)
		sent, err := w.Send(letter)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		states, err := w.Capital("xn").Node().Feeds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range states {
			if s.Feed == sent.Feed && s.Cosigned["xs"] != 0 {
				t.Fatal("receipted, and there was no room for it")
			}
		}
		w.Capital("xs").Trap(nil)
		if err := w.Settle(time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Check(), w.Audit()); err != nil {
			t.Fatal(err)
		}
	})
}

// Who is back is silent no more: once a recovery has heard a peer, no alarm says that nothing is heard of it. The disk is so slow here that the
// recovery looks between any two commits.
func TestWhoIsHeardIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, 5*time.Minute, 1)
		defer w.Close()
		xn := w.Add(sim.Found(t, "xn", "en", true))
		w.Add(sim.Found(t, "xs", "ru", true))
		w.Pair("xn", "xs")
		w.Channel("nrrc", "xn", "xs")
		w.Net.Cut("xn", "xs")
		time.Sleep(time.Hour)
		if silent(t, xn) == 0 {
			t.Fatal("an hour without a word is no alarm")
		}
		xn.Crash()
		w.Net.Mend()
		xn.Trap(func(step string) error {
			if step == "commit" {
				time.Sleep(46 * time.Second)
			}
			return nil
		})
		xn.Start()
		r, err := w.Recover("xn", time.Hour)
		if err != nil || len(r.Behind)+len(r.Unheard) > 0 {
			t.Fatalf("recovered: %+v, %v", r, err)
		}
		if n := silent(t, xn); n > 0 {
			t.Errorf("xs was heard, and %d alarms say that it was not", n)
		}
		xn.Trap(nil)
	})
}

// silent counts the alarms of peers that are not heard.
func silent(t *testing.T, c *sim.Capital) (n int) {
	alarms, err := c.Node().Alarms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alarms {
		if a.Kind == exchange.AlarmSilent {
			n++
		}
	}
	return n
}
