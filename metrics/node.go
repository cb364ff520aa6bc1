package metrics

import (
	"context"
	"sync"
	"time"

	"detente/feed"
	"detente/node"
	"detente/party"
	"detente/store"
	"detente/traffic"

	"github.com/prometheus/client_golang/prometheus"
)

// nodeCollector reads the node when it is asked: heads of feeds, links and alarms, never the statements themselves.
type nodeCollector struct {
	*Meter
	receipts *prometheus.HistogramVec

	mu       sync.Mutex
	cosigned map[delivery]int64 // as of the last collection; nil before the first

	statements, appended, receipted, waiting, up, silence, alarms, behind, feeds, entries, data, ahead, readable *prometheus.Desc
}

type delivery struct {
	feed traffic.Feed
	peer traffic.Party
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("detente_"+name, help, labels, nil)
}

func newNodeCollector(m *Meter) *nodeCollector {
	return &nodeCollector{
		Meter: m,
		receipts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "detente_receipt_seconds",
			Help:    "From when a statement was durable here to when its receipt was signed at the peer, in whole seconds.",
			Buckets: []float64{0, 1, 2, 5, 15, 60, 300, 900, 3600, 21600, 86400},
		}, []string{"peer", "precedence"}),
		statements: desc("statements", "Entries held, of own feeds and of those of peers, without the watch log.", "by", "plane", "precedence"),
		appended:   desc("appended_total", "Entries that this party has logged, without the watch log.", "plane", "precedence"),
		receipted:  desc("receipted_total", "Entries of own feeds that the peer has receipted.", "peer", "precedence"),
		waiting:    desc("waiting_statements", "Entries of own feeds that the peer has not receipted.", "peer", "precedence"),
		up:         desc("link_up", "1 while the peer is heard.", "peer"),
		silence:    desc("link_silence_seconds", "Since the peer was heard, or since the start if it was not.", "peer"),
		alarms:     desc("alarms", "Alarms that are listed.", "kind"),
		behind:     desc("feeds_behind", "Own feeds that may not speak until recover has fetched what was signed."),
		feeds:      desc("feeds", "Feeds held."),
		entries:    desc("log_entries_total", "Entries of the watch log."),
		data:       desc("database_bytes", "Size of the database."),
		ahead:      desc("database_log_bytes", "Size of what SQLite has written ahead of the database."),
		readable:   desc("source_readable", "0 where what is measured could not be read; its metrics are then missing.", "source"),
	}
}

// Describe is a part of prometheus.Collector.
func (c *nodeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.statements, c.appended, c.receipted, c.waiting, c.up, c.silence, c.alarms, c.behind, c.feeds, c.entries, c.data, c.ahead, c.readable,
	} {
		out <- d
	}
	c.receipts.Describe(out)
}

// Collect is a part of prometheus.Collector.
func (c *nodeCollector) Collect(out chan<- prometheus.Metric) {
	if c.cfg.Node == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	for source, read := range map[string]func(context.Context, chan<- prometheus.Metric) error{
		"feeds": c.collectFeeds, "alarms": c.collectAlarms, "database": c.collectSize,
	} {
		readable := 1.0
		if read(ctx, out) != nil {
			readable = 0
		}
		out <- gauge(c.readable, readable, source)
	}
	for _, l := range c.cfg.Node.Conditions() {
		up, since := 0.0, l.Heard
		if l.Up {
			up = 1
		}
		if since.IsZero() {
			since = l.Since
		}
		out <- gauge(c.up, up, string(l.Peer))
		out <- gauge(c.silence, max(0, time.Since(since).Seconds()), string(l.Peer))
	}
	c.receipts.Collect(out)
}

func gauge(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(d *prometheus.Desc, v float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

// key is a pair of labels.
type key struct{ a, b string }

func (c *nodeCollector) collectFeeds(ctx context.Context, out chan<- prometheus.Metric) error {
	feeds, err := c.cfg.Node.Feeds(ctx)
	if err != nil {
		return err
	}
	held, appended := make(map[bool]map[key]int64), make(map[key]int64)
	held[true], held[false] = make(map[key]int64), make(map[key]int64)
	receipted, waiting := make(map[key]int64), make(map[key]int64)
	behind, entries := 0, int64(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.cosigned == nil
	if first {
		c.cosigned = make(map[delivery]int64)
	}
	for _, f := range feeds {
		if f.Silent {
			behind++
		}
		if ch, _, err := c.cfg.Node.Channel(f.Feed.Channel); err == nil && ch.Kind == party.Internal {
			entries += f.Size
			continue
		}
		own := f.Feed.Party == c.cfg.Node.Self()
		at := key{string(f.Feed.Plane), f.Feed.Precedence.String()}
		held[own][at] += f.Size
		if !own {
			continue
		}
		appended[at] += f.Size
		for peer, n := range f.Cosigned {
			to := key{string(peer), f.Feed.Precedence.String()}
			receipted[to] += n
			waiting[to] += f.Size - n
		}
		if err := c.observeReceipts(ctx, f, first); err != nil {
			return err
		}
	}
	for own, by := range map[bool]string{true: "own", false: "peer"} {
		for k, n := range held[own] {
			out <- gauge(c.statements, float64(n), by, k.a, k.b)
		}
	}
	for k, n := range appended {
		out <- counter(c.appended, float64(n), k.a, k.b)
	}
	for k, n := range receipted {
		out <- counter(c.receipted, float64(n), k.a, k.b)
		out <- gauge(c.waiting, float64(waiting[k]), k.a, k.b)
	}
	out <- gauge(c.behind, float64(behind))
	out <- gauge(c.feeds, float64(len(feeds)))
	out <- counter(c.entries, float64(entries))
	return nil
}

// mostReceipts is the most receipts of a feed and peer that one collection looks at; the next goes on from there.
const mostReceipts = 64

// observeReceipts looks at what was receipted since the last collection, and for each receipt at the oldest entry that it is the first to cover: the
// longest wait that it ended. What was receipted before the first collection is passed over. c.mu is held.
func (c *nodeCollector) observeReceipts(ctx context.Context, f node.FeedState, first bool) error {
	for peer, to := range f.Cosigned {
		at := delivery{f.Feed, peer}
		from := c.cosigned[at]
		if first || to < from { // or data was lost
			c.cosigned[at] = to
			continue
		}
		if to == from {
			continue
		}
		waits, next, err := c.waits(ctx, f.Feed, peer, from)
		if err != nil {
			return err
		}
		for _, w := range waits {
			c.receipts.WithLabelValues(string(peer), f.Feed.Precedence.String()).Observe(w.Seconds())
		}
		c.cosigned[at] = next
	}
	return nil
}

// waits is how long entries from one index on waited for their receipt, and the size of the last receipt looked at.
func (c *nodeCollector) waits(ctx context.Context, f traffic.Feed, peer traffic.Party, from int64) (out []time.Duration, next int64, err error) {
	err = c.cfg.Node.DB.View(ctx, func(tx *store.Tx) error {
		out, next = nil, from
		h, err := feed.Find(ctx, tx, f)
		if err != nil {
			return err
		}
		receipts, err := h.ReceiptsAbove(ctx, tx, peer, from, mostReceipts)
		if err != nil {
			return err
		}
		for _, r := range receipts {
			if r.Size <= next {
				continue // the second algorithm
			}
			e, err := h.Entry(ctx, tx, next)
			if err != nil {
				return err
			}
			out = append(out, max(0, r.At.Sub(e.Held.Truncate(time.Second))))
			next = r.Size
		}
		return nil
	})
	return out, next, err
}

func (c *nodeCollector) collectAlarms(ctx context.Context, out chan<- prometheus.Metric) error {
	alarms, err := c.cfg.Node.Alarms(ctx)
	if err != nil {
		return err
	}
	kinds := make(map[string]int)
	for _, kind := range kindsOfAlarms() {
		kinds[kind] = 0 // a series that begins at 0 can be seen to rise
	}
	for _, a := range alarms {
		kinds[a.Kind]++
	}
	for kind, n := range kinds {
		out <- gauge(c.alarms, float64(n), kind)
	}
	return nil
}

func (c *nodeCollector) collectSize(ctx context.Context, out chan<- prometheus.Metric) error {
	data, ahead, err := c.cfg.Node.DB.Size(ctx)
	if err != nil {
		return err
	}
	out <- gauge(c.data, float64(data))
	out <- gauge(c.ahead, float64(ahead))
	return nil
}
