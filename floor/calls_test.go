package floor_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"detente/floor"
	"detente/form"
	"detente/journal"
	"detente/roster"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
)

var errDisk = errors.New("the disk failed")

// who lists who was called for what, without the time.
func (p *phone) who() (out []string) {
	for _, c := range p.said(time.Time{}) {
		f := strings.Fields(c)
		out = append(out, f[1]+" "+f[3])
	}
	return out
}

// Every durable step around the deputy's call fails, or fails and persists, for a minute: he is called all the same, once, and after a restart too nobody
// is called twice.
func TestPeopleAreCalledThoughTheDiskFails(t *testing.T) {
	for _, step := range []string{"begin", "write", "commit", "committed"} {
		t.Run(step, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
				xs.roster(fourOfThem)
				xn.notice(traffic.Flash, "Loss of control of a test system.")
				time.Sleep(2*time.Minute + 59*time.Second)
				same(t, "called before", xs.phone.who(), []string{"anna acknowledge"})
				var failed atomic.Int64
				xs.trap(func(s string) error {
					if s == step {
						failed.Add(1)
						return errDisk
					}
					return nil
				})
				time.Sleep(time.Minute)
				if failed.Load() == 0 {
					t.Errorf("no %s failed", step)
				}
				same(t, "called while it fails", xs.phone.who(), []string{"anna acknowledge", "boris acknowledge"})
				xs.trap(nil)
				time.Sleep(time.Minute)
				xs.restart()
				time.Sleep(10 * time.Minute)
				same(t, "called after all", xs.phone.who(), []string{"anna acknowledge", "boris acknowledge", "clara acknowledge", "dmitri acknowledge"})
				calls := map[string]int{}
				_, err := xs.floor.Journal().Each(t.Context(), 0, func(e journal.Entry) bool {
					if e.Statement.Form == "call" && e.Values.Text("means") == "mail" {
						calls[e.Values.Text("officer")]++
					}
					return true
				})
				must(t, err)
				for _, officer := range []string{"anna", "boris", "clara", "dmitri"} {
					if calls[officer] != 1 {
						t.Errorf("the journal has %d calls of %s", calls[officer], officer)
					}
				}
			})
		})
	}
}

// A means that fails is no call: the next of the ladder is called at once. One that hangs is given up after a minute.
func TestACallThatCannotBePlaced(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem)
		xs.phone.set(func(p *phone) {
			p.broken = func(c floor.Call) error {
				if c.Officer == "anna" {
					return errors.New("no such mailbox")
				}
				return nil
			}
		})
		sent := xn.notice(traffic.Flash, "Loss of control of a test system.")
		begun := time.Now().Truncate(time.Second)
		time.Sleep(time.Second)
		same(t, "called", xs.phone.said(begun), []string{"0s boris deputy acknowledge"})
		v := xs.watch()
		if len(v.Items) != 1 || v.Items[0].Statement != sent.ID {
			t.Fatalf("on the board: %v", xs.names(v.Items))
		}
		var outcomes []string
		for _, c := range v.Items[0].Calls {
			outcomes = append(outcomes, c.Officer+" "+c.Means+" "+c.Outcome+" "+c.Detail)
		}
		if want := "anna mail failed other no such mailbox"; !strings.Contains(strings.Join(outcomes, "\n"), want) {
			t.Errorf("%v, want %q among them", outcomes, want)
		}
		xs.phone.set(func(p *phone) { p.rings = time.Hour })
		time.Sleep(5*time.Minute + 59*time.Second) // clara's turn comes after six minutes, and her telephone hangs
		xs.phone.set(func(p *phone) { p.rings = 0 })
		time.Sleep(90 * time.Second)
		same(t, "called", xs.phone.said(begun)[1:], []string{"7m0s dmitri senior-official acknowledge"})
	})
}

// A process that dies while it places a call leaves the claim to the next one.
func TestAProcessDiesWhileItCalls(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem)
		xs.phone.set(func(p *phone) { p.rings = 30 * time.Second })
		xn.notice(traffic.Flash, "Loss of control of a test system.")
		time.Sleep(10 * time.Second)
		xs.restart()
		time.Sleep(40 * time.Second)
		same(t, "called", xs.phone.who(), []string{"anna acknowledge"})
		xs.restart()
		time.Sleep(time.Minute)
		same(t, "called", xs.phone.who(), []string{"anna acknowledge"})
	})
}

// At night the shift changes while an item waits: whoever comes on duty is called, whoever has gone is not called again.
func TestTheShiftChangesWhileAnItemWaits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(`
post = "nrrc"
zone = "UTC"
head-of-post = "clara"
[[shift]]
name = "day"
start = "00:00"
length = "1h"
[[shift]]
name = "rest"
start = "01:00"
length = "23h"
[[rota]]
shift = "day"
start = 2000-01-01
officers = ["anna"]
[[rota]]
shift = "rest"
start = 2000-01-01
officers = ["boris"]
`)
		begun := time.Now().Truncate(time.Hour)
		time.Sleep(time.Until(begun.Add(30 * time.Minute)))
		xn.notice(traffic.Routine, "The sturgeon season opens.")
		time.Sleep(time.Hour)
		same(t, "called", xs.phone.said(begun), []string{"30m0s anna duty-officer acknowledge", "1h0m0s boris duty-officer acknowledge"})
		time.Sleep(24 * time.Hour)
		same(t, "called", xs.phone.said(begun)[2:], []string{"2h18m0s clara head-of-post acknowledge"})
	})
}

// An information addressee has the statement on his board, by the precedence that is meant for him, until he has taken it.
func TestInformationAddressees(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem + "covers = [\"cert\"]\n")
		xn.send(traffic.Routine, "notice", form.Values{
			"subject": "information", "text": "Malware on routers.", "info": []any{"xs/cert", "xn/cert"}, "info_precedence": "immediate",
		})
		time.Sleep(time.Second)
		v := xs.watch()
		same(t, "board", xs.names(v.Items), []string{"info XN/NRRC-R-0001", "acknowledge XN/NRRC-R-0001"})
		if it := v.Items[0]; it.Post != "cert" || it.Precedence != traffic.Immediate || it.Within() != 30*time.Minute {
			t.Errorf("%+v", it.Item)
		}
		if len(xn.watch().Items) != 0 {
			t.Error("the author has it on its own board")
		}
		_, err := xs.floor.Take(t.Context(), v.Items[0].Key, floor.By{Officer: "anna", Role: "duty-officer"}, "")
		must(t, err)
		xs.restart()
		time.Sleep(time.Second)
		same(t, "board", xs.names(xs.watch().Items), []string{"acknowledge XN/NRRC-R-0001"})
	})
}

// An alarm stays until a person takes it, though its cause has gone and the process is another; when the cause comes again it is another alarm.
func TestAlarmsStayUntilAPersonTakesThem(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem)
		cut := func(yes bool) {
			w.mu.Lock()
			w.cut = yes
			w.mu.Unlock()
		}
		cut(true)
		time.Sleep(45 * time.Minute)
		v := xs.watch()
		if len(v.Items) != 1 || v.Items[0].Kind != watch.Alarm || v.Items[0].Peer != "xn" {
			t.Fatalf("board: %v", xs.names(v.Items))
		}
		cut(false)
		time.Sleep(30 * time.Minute)
		xs.restart()
		time.Sleep(3 * time.Hour)
		v = xs.watch()
		if len(v.Items) != 1 || v.Items[0].Kind != watch.Alarm || v.Items[0].Ended.IsZero() {
			t.Fatalf("board after its cause has gone: %+v", v.Items)
		}
		same(t, "called", xs.phone.who(), []string{"anna alarm", "boris alarm", "clara alarm", "dmitri alarm"})
		first := v.Items[0].Key
		_, err := xs.floor.Take(t.Context(), first, floor.By{Officer: "boris", Role: "deputy"}, "The line was cut.")
		must(t, err)
		if v := xs.watch(); len(v.Items)+len(v.Taken) != 0 {
			t.Errorf("taken, and still there: %v %v", xs.names(v.Items), xs.names(v.Taken))
		}
		cut(true)
		time.Sleep(45 * time.Minute)
		if v := xs.watch(); len(v.Items) != 1 || v.Items[0].Key == first {
			t.Errorf("the second alarm: %v", xs.names(v.Items))
		}
	})
}

// What another party does not say in time its author's watch is told of, from when it was held there; never while it has not arrived.
func TestAPeerMissesItsTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xn.roster(fourOfThem)
		xs.stop()
		sent := xn.notice(traffic.Flash, "Loss of control of a test system.")
		time.Sleep(20 * time.Minute)
		if v := xn.watch(); len(v.Items) != 0 {
			t.Errorf("missed before it has arrived: %v", xn.names(v.Items))
		}
		xs.start()
		time.Sleep(30 * time.Minute)
		v := xn.watch()
		same(t, "board", xn.names(v.Items), []string{"missed XN/NRRC-Z-0001"})
		if it := v.Items[0]; it.Statement != sent.ID || it.Peer != "xs" || it.Post != "nrrc" {
			t.Errorf("%+v", it.Item)
		}
		if v.Items[0].Calls[0].Officer != "anna" {
			t.Errorf("called first: %+v", v.Items[0].Calls[0])
		}
	})
}

// A roster with a hole in it is an alarm of its own, and calls those who are there.
func TestNobodyIsOnDuty(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(`
post = "nrrc"
zone = "UTC"
deputy = "boris"
[[shift]]
name = "all-day"
start = "00:00"
length = "24h"
[[rota]]
start = 2000-01-02
officers = ["anna"]
`)
		begun := time.Now().Truncate(time.Hour)
		time.Sleep(time.Minute)
		same(t, "called", xs.phone.said(begun), []string{"0s boris deputy roster"})
		xn.notice(traffic.Flash, "Loss of control of a test system.")
		time.Sleep(time.Second)
		same(t, "called", xs.phone.who(), []string{"boris roster", "boris acknowledge"})
		_, err := xs.floor.Override(t.Context(), roster.Override{
			Post: "nrrc", Role: roster.DutyOfficer, Officer: "greta", From: time.Now(), Until: time.Now().Add(3 * time.Hour), Reason: "The rota begins tomorrow.",
		}, floor.By{Officer: "clara", Role: "head-of-post"})
		must(t, err)
		time.Sleep(time.Second)
		same(t, "called", xs.phone.who(), []string{"boris roster", "boris acknowledge", "greta acknowledge"})
		same(t, "board", xs.names(xs.watch().Items), []string{"acknowledge XN/NRRC-Z-0001"})
	})
}

// Nothing here is ever acknowledged by the machine.
func TestTheMachineAcknowledgesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xs.roster(fourOfThem)
		sent := xn.notice(traffic.Flash, "Loss of control of a test system.")
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		h, err := xn.node.Statement(t.Context(), sent.ID)
		must(t, err)
		state, err := xn.node.Dossier(t.Context(), h)
		must(t, err)
		if e := state.Find(sent.ID); e.AcknowledgedBy != (statement.ID{}) {
			t.Error("it was acknowledged, and no person did")
		}
		if _, err := xs.floor.Take(t.Context(), watch.Key(watch.Acknowledge, sent.ID.String()), floor.By{Officer: journal.Machine}, ""); !errors.Is(err, floor.ErrNoPerson) {
			t.Errorf("the machine takes an item: %v", err)
		}
	})
}
