package exchange_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"detente/exchange"
	"detente/route"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"
)

func TestAlarmIsRaisedOnce(t *testing.T) {
	db := storetest.Open(t, exchange.Schema())
	raise := func() (fresh bool) {
		t.Helper()
		err := db.Update(t.Context(), store.Calm, func(tx *store.Tx) (err error) {
			fresh, err = exchange.Raise(t.Context(), tx, exchange.Alarm{Kind: exchange.AlarmFork, Subject: "a feed", Detail: "two histories"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return fresh
	}
	if !raise() || raise() {
		t.Error("an alarm is news the first time and never again")
	}
	err := db.Update(t.Context(), store.Calm, func(tx *store.Tx) error {
		alarms, err := exchange.Alarms(t.Context(), tx)
		if len(alarms) != 1 || alarms[0].Detail != "two histories" {
			t.Errorf("alarms: %+v", alarms)
		}
		return errors.Join(err, exchange.Clear(t.Context(), tx, exchange.AlarmFork, "a feed"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if !raise() {
		t.Error("an alarm whose cause has gone and come again is news")
	}
}

func TestWaitersAreReleasedByTheReceiptTheyWaitFor(t *testing.T) {
	var w exchange.Waiters
	f := traffic.Feed{Party: "xn", Plane: traffic.Real, Precedence: traffic.Flash}
	third, _ := w.Add(exchange.Receipt{Feed: f, Mirror: "xs", Size: 3})
	fifth, drop := w.Add(exchange.Receipt{Feed: f, Mirror: "xs", Size: 5})
	open := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return false
		default:
			return true
		}
	}
	w.Release(exchange.Receipt{Feed: f, Mirror: "xl", Size: 9})
	if !open(third) {
		t.Error("the receipt of another party releases nobody")
	}
	w.Release(exchange.Receipt{Feed: f, Mirror: "xs", Size: 4})
	if open(third) || !open(fifth) {
		t.Error("a receipt covers everything below its size, and nothing above")
	}
	drop()
	if left := w.Waited(); len(left) != 0 {
		t.Errorf("still waited for: %v", left)
	}
}

func TestCalmWorkWaitsWhileUrgentWorkIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r exchange.RightOfWay
		r.Give() // nobody is in a hurry
		first, second := r.Take(), r.Take()
		done := make(chan struct{})
		go func() { r.Give(); close(done) }()
		synctest.Wait()
		first()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("calm work went on while urgent work was being done")
		default:
		}
		second()
		<-done
		begin := time.Now()
		defer r.Take()()
		if r.Give(); time.Since(begin) == 0 || time.Since(begin) > time.Second {
			t.Errorf("calm work waited %v for urgent work that does not end", time.Since(begin))
		}
	})
}

// lane is a route that fails as it is told.
type lane struct {
	name  string
	err   error
	calls int
}

func (l *lane) Name() string { return l.name }
func (l *lane) Limit() int   { return 1 << 20 }
func (l *lane) Carry(context.Context, route.Peer, []byte) ([]byte, error) {
	l.calls++
	return nil, l.err
}

func TestCalmGoesByTheHealthiestWayAndFlashByAll(t *testing.T) {
	broken, sound := &lane{name: "https", err: errors.New("no cable")}, &lane{name: "pouch"}
	ways := []exchange.Way{{Route: broken}, {Route: sound}}
	l := exchange.NewLink("xn", "xs")
	answer := func(exchange.Way, []byte) {}
	for range 3 {
		if err := l.Carry(t.Context(), ways, []byte("x"), false, answer); err != nil {
			t.Fatal(err)
		}
	}
	if broken.calls != 1 || sound.calls != 3 {
		t.Errorf("the broken way was tried %d times, the sound one %d: want 1 and 3", broken.calls, sound.calls)
	}
	if err := l.Carry(t.Context(), ways, []byte("x"), true, answer); err != nil {
		t.Fatal(err)
	}
	if broken.calls != 2 || sound.calls != 4 {
		t.Errorf("a FLASH goes by every way: %d and %d calls", broken.calls, sound.calls)
	}
	if err := l.Carry(t.Context(), nil, []byte("x"), true, answer); !errors.Is(err, exchange.ErrNoRoute) {
		t.Errorf("no way at all: %v", err)
	}
}

func TestLinkTellsNewsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := exchange.NewLink("xn", "xs")
		if !l.Heard("https") || l.Heard("https") {
			t.Error("a link comes up once")
		}
		time.Sleep(time.Minute)
		if !l.Lost("no cable") || l.Lost("no cable") {
			t.Error("a link goes down once")
		}
		c := l.Condition()
		if c.Up || c.Failure != "no cable" || !c.Since.Equal(time.Now()) || c.Heard.Equal(c.Since) {
			t.Errorf("condition: %+v", c)
		}
		if !l.Reached() || l.Reached() {
			t.Error("a call that arrives again is news once")
		}
	})
}
