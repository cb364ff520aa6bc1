// Package metrics tells a monitoring system of the own party how the node and its watch stand: OpenMetrics, liveness, readiness.
// It must never tell what was said or who the officers are, nor bear a label that a peer could multiply.
package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"detente/node"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config is what is measured. All but the registry may be set after New, and before Handler.
type Config struct {
	Registry *prometheus.Registry // takes the metrics
	Version  string               // of the program
	Node     *node.Node
	// Watch tells how the watch floor stands; nil where there is none.
	Watch func(context.Context) (Watch, error)
	// Alive tells why the loop of the watch floor does not run; nil where there is none.
	Alive func() error
	// Free is how many bytes are free where the database lies; nil where nobody can tell.
	Free func() (int64, error)
}

// Meter measures one node. Committed may be called from the moment it is made; the rest is collected when somebody asks.
type Meter struct {
	cfg     Config
	commits prometheus.Histogram
	nodes   *nodeCollector
}

// New registers what is measured. Error: a metric that is in the registry already.
func New(cfg Config) (*Meter, error) {
	m := &Meter{cfg: cfg}
	m.commits = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "detente_commit_seconds", Help: "How long the database took for a commit.",
		Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, 1, 5},
	})
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "detente_build_info", Help: "1, with the version of the program.",
		ConstLabels: prometheus.Labels{"version": cfg.Version, "go": runtime.Version()},
	})
	info.Set(1)
	m.nodes = newNodeCollector(m)
	var errs []error
	for _, c := range []prometheus.Collector{
		m.commits, info, m.nodes, watchCollector{m}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		errs = append(errs, cfg.Registry.Register(c))
	}
	return m, errors.Join(errs...)
}

// Committed notes how long a commit took, for [store.Config].
func (m *Meter) Committed(took time.Duration) { m.commits.Observe(took.Seconds()) }

// Observe sets what is measured, where it could not be known to New. Nobody may have been answered yet.
func (m *Meter) Observe(n *node.Node, watch func(context.Context) (Watch, error), alive func() error, free func() (int64, error)) {
	m.cfg.Node, m.cfg.Watch, m.cfg.Alive, m.cfg.Free = n, watch, alive, free
}

// most is how long a collection, or a look at the database, may take.
const most = 5 * time.Second

// Handler answers at /metrics, /livez and /readyz.
func (m *Meter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.cfg.Registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, MaxRequestsInFlight: 4, ErrorHandling: promhttp.ContinueOnError,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, "the process answers")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), most)
		defer cancel()
		ready := m.Ready(ctx)
		w.Header().Set("Content-Type", "application/json")
		if !ready.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		json.NewEncoder(w).Encode(ready) // whoever has gone away needs no answer
	})
	return mux
}

// Serve answers on a listener until ctx ends.
func (m *Meter) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: m.Handler(), ReadHeaderTimeout: most, WriteTimeout: 2 * most, MaxHeaderBytes: 16 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("metrics: %w", err)
	case <-ctx.Done():
	}
	err := server.Close() // nothing is lost that is not asked for again
	<-ended
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}
