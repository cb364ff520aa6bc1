package metrics

import (
	"context"
	"time"

	"detente/exchange"
	"detente/traffic"

	"github.com/prometheus/client_golang/prometheus"
)

// Watch is how the watch floor stands, in numbers alone.
type Watch struct {
	Items    []Item
	Unmanned int // posts for which the roster names nobody now
	Calls    []Calls
	Checks   []Checks
	Stale    int // own and others' entries of the directory that cannot be relied on
	Sessions int
	Releases int // that wait for a second person
}

// Item is one thing that needs somebody.
type Item struct {
	Precedence traffic.Precedence
	Taken      bool
	Overdue    bool
	Since      time.Time
}

// Calls is how many calls of a means ended so, since the database was made.
type Calls struct {
	Means, Outcome string
	N              int
}

// Checks is how many own communication checks with a peer stand so, of the last 30 days.
type Checks struct {
	Peer  traffic.Party
	State string // waiting, answered, late or missed
	N     int
}

// watchCollector asks the watch floor.
type watchCollector struct{ *Meter }

// watchDescs are made anew for each collection: they are small, and a package keeps nothing.
type watchDescs struct {
	items, overdue, oldest, unmanned, calls, checks, stale, sessions, releases, readable *prometheus.Desc
}

func describeWatch() watchDescs {
	return watchDescs{
		items:    desc("watch_items", "What needs somebody, by whether a person has taken it.", "precedence", "state"),
		overdue:  desc("watch_items_overdue", "What needs somebody and is past its time, taken or not.", "precedence"),
		oldest:   desc("watch_oldest_untaken_seconds", "Since the oldest item that nobody has taken came up; 0 when there is none.", "precedence"),
		unmanned: desc("posts_unmanned", "Posts for which the roster names nobody now."),
		calls:    desc("calls_total", "Calls of persons, by means and outcome.", "means", "outcome"),
		checks:   desc("checks", "Own communication checks of the last 30 days.", "peer", "state"),
		stale:    desc("directory_stale", "Entries of the directory that cannot be relied on."),
		sessions: desc("sessions", "Sign-ins of officers that have not ended."),
		releases: desc("releases_waiting", "What waits for a second person."),
		readable: desc("watch_readable", "0 where the watch floor could not be read; its metrics are then missing."),
	}
}

// Describe is a part of prometheus.Collector.
func (c watchCollector) Describe(out chan<- *prometheus.Desc) {
	d := describeWatch()
	for _, d := range []*prometheus.Desc{
		d.items, d.overdue, d.oldest, d.unmanned, d.calls, d.checks, d.stale, d.sessions, d.releases, d.readable,
	} {
		out <- d
	}
}

// Collect is a part of prometheus.Collector.
func (c watchCollector) Collect(out chan<- prometheus.Metric) {
	if c.cfg.Watch == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	d := describeWatch()
	w, err := c.cfg.Watch(ctx)
	if err != nil {
		out <- gauge(d.readable, 0)
		return
	}
	out <- gauge(d.readable, 1)
	now := time.Now()
	untaken, taken, overdue, oldest := map[traffic.Precedence]int{}, map[traffic.Precedence]int{}, map[traffic.Precedence]int{}, map[traffic.Precedence]time.Duration{}
	for _, i := range w.Items {
		if i.Overdue {
			overdue[i.Precedence]++
		}
		if i.Taken {
			taken[i.Precedence]++
			continue
		}
		untaken[i.Precedence]++
		oldest[i.Precedence] = max(oldest[i.Precedence], now.Sub(i.Since))
	}
	for _, p := range []traffic.Precedence{traffic.Flash, traffic.Immediate, traffic.Priority, traffic.Routine} {
		out <- gauge(d.items, float64(untaken[p]), p.String(), "untaken")
		out <- gauge(d.items, float64(taken[p]), p.String(), "taken")
		out <- gauge(d.overdue, float64(overdue[p]), p.String())
		out <- gauge(d.oldest, oldest[p].Seconds(), p.String())
	}
	for _, n := range w.Calls {
		out <- counter(d.calls, float64(n.N), n.Means, n.Outcome)
	}
	for _, n := range w.Checks {
		out <- gauge(d.checks, float64(n.N), string(n.Peer), n.State)
	}
	out <- gauge(d.unmanned, float64(w.Unmanned))
	out <- gauge(d.stale, float64(w.Stale))
	out <- gauge(d.sessions, float64(w.Sessions))
	out <- gauge(d.releases, float64(w.Releases))
}

func kindsOfAlarms() []string {
	return []string{
		exchange.AlarmFork, exchange.AlarmRollback, exchange.AlarmBehind, exchange.AlarmExtend, exchange.AlarmInvalid, exchange.AlarmHostile, exchange.AlarmSilent,
		exchange.AlarmView,
	}
}
