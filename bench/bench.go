// Package bench measures two nodes that talk over loopback HTTPS, beside the floor that the machine sets in the same run.
// It must never report a figure without its floor: on a noisy machine only the ratio means something.
package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/route"
	"detente/traffic"
)

// Figure is one thing measured, and what the machine alone would need for it.
type Figure struct {
	Value float64            `json:"value"`
	Floor float64            `json:"floor"`
	Ratio float64            `json:"ratio"` // Value / Floor
	Unit  string             `json:"unit"`
	Goal  string             `json:"goal"`
	Parts map[string]float64 `json:"parts"` // what else was seen, each in the unit that its name says
}

// Report is everything measured in one run.
type Report struct {
	Single         Figure             `json:"single"`
	Throughput     Figure             `json:"throughput"`
	FlashUnderLoad Figure             `json:"flash_under_load"`
	Audit          Figure             `json:"audit"`
	Bytes          Figure             `json:"bytes"`
	Memory         Figure             `json:"memory"`
	Machine        map[string]float64 `json:"machine"` // the floor: fsync, commit, sign, verify, round trip, in µs; cores
}

// Config says how much to measure.
type Config struct {
	Dir     string // for the databases; on the disk that is to be measured
	Singles int    // single statements; 0 is 500
	Flood   int    // statements for throughput, and ROUTINE statements under way while FLASH is sent; 0 is 100,000
	Flashes int    // FLASH statements sent under load; 0 is 200
	Regimes []*form.Regime
	Log     *slog.Logger                     // of the nodes; nil discards
	Say     func(format string, args ...any) // progress, a line at a time; nil is silence
}

// Run measures everything. It takes about a minute.
func Run(ctx context.Context, c Config) (r Report, err error) {
	if c.Singles == 0 {
		c.Singles = 500
	}
	if c.Flood == 0 {
		c.Flood = 100_000
	}
	if c.Flashes == 0 {
		c.Flashes = 200
	}
	if c.Say == nil {
		c.Say = func(string, ...any) {}
	}
	resting := residentMB()
	p, err := newPair(ctx, c)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.close()) }()

	c.Say("measuring the machine: fsync, commit, sign, verify, loopback round trip")
	m, err := measureMachine(ctx, c.Dir)
	if err != nil {
		return r, err
	}
	r.Machine = m.report()

	c.Say("single statements, one after the other: %d", c.Singles)
	if r.Single, err = p.single(ctx, c, m); err != nil {
		return r, err
	}
	idle := residentMB()
	c.Say("FLASH on an idle link: %d", c.Flashes)
	quiet, err := p.flashes(ctx, c.Flashes, nil)
	if err != nil {
		return r, err
	}
	c.Say("throughput: %d ROUTINE statements, durable and receipted", c.Flood)
	if err := p.flood(ctx, c, m, &r); err != nil {
		return r, err
	}
	c.Say("FLASH while %d ROUTINE statements are under way", c.Flood)
	if r.FlashUnderLoad, err = p.flashUnderLoad(ctx, c, quiet); err != nil {
		return r, err
	}
	loaded := residentMB()
	r.Memory = Figure{
		Value: loaded, Floor: idle, Ratio: loaded / idle, Unit: "MB resident, both nodes in one process, after the load",
		Parts: map[string]float64{"process_before_nodes_MB": resting, "two_nodes_idle_MB": idle, "peak_MB": peakMB()},
	}
	c.Say("audit of everything that the receiver holds")
	r.Audit, err = p.audit(ctx, m)
	return r, err
}

// pair is two nodes with a channel, each with its own database, joined by the https route on loopback.
type pair struct {
	a, b    *end
	channel [32]byte
	stop    context.CancelFunc
	running sync.WaitGroup
	wire    atomic.Int64 // bytes of sealed bundles, both ways
	next    atomic.Int64 // makes each question its own
}

// end is one node with its listener.
type end struct {
	*node.Node
	dir    string
	server *route.Server
	listen net.Listener
	https  *counted
}

// counted is a route that counts the bytes which it carries.
type counted struct {
	route.Route
	bytes *atomic.Int64
}

func (c *counted) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	answer, err := c.Route.Carry(ctx, p, sealed)
	c.bytes.Add(int64(len(sealed) + len(answer)))
	return answer, err
}

func newPair(ctx context.Context, c Config) (*pair, error) {
	p := &pair{}
	var err error
	if p.a, err = p.newEnd(ctx, c, "xn"); err != nil {
		return nil, err
	}
	if p.b, err = p.newEnd(ctx, c, "xs"); err != nil {
		return nil, err
	}
	if err := errors.Join(introduce(ctx, p.a.Node, p.b.Node), introduce(ctx, p.b.Node, p.a.Node)); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	p.stop = stop
	for _, e := range []*end{p.a, p.b} {
		p.running.Go(func() { e.server.Serve(running, e.listen) })
		p.running.Go(func() { e.Run(running) })
	}
	return p, p.openChannel(ctx)
}

func (p *pair) newEnd(ctx context.Context, c Config, id traffic.Party) (*end, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	dir, err := os.MkdirTemp(c.Dir, "detente-bench-"+string(id)+"-")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"},
		Routes: []party.Route{{Name: "https", Address: listen.Addr().String()}},
	})
	if err != nil {
		return nil, err
	}
	chain, err := party.NewChain(charter)
	if err != nil {
		return nil, err
	}
	pins, err := party.OpenPins(filepath.Join(dir, "keys"), key.Standard())
	if err != nil {
		return nil, err
	}
	if err := pins.SetOwn(chain); err != nil {
		return nil, err
	}
	https, err := route.NewHTTPS(keys.Transport, nil)
	if err != nil {
		return nil, err
	}
	e := &end{dir: dir, listen: listen, https: &counted{https, &p.wire}}
	e.Node, err = node.Open(ctx, node.Config{
		Log: c.Log, DSN: filepath.Join(dir, "detente.db"), Keys: keys, Pins: pins, MarksDir: filepath.Join(dir, "marks"), Regimes: c.Regimes,
		Routes: map[string]route.Route{"https": e.https}, Callable: true,
	})
	if err != nil {
		return nil, err
	}
	e.server, err = route.NewServer(route.Config{Transport: keys.Transport, Known: e.Known, Accept: e.Answer, Log: c.Log})
	return e, err
}

// introduce pairs a with b, as two officers on the telephone would.
func introduce(ctx context.Context, a, b *node.Node) error {
	file, err := b.Charters(b.Self())
	if err != nil {
		return err
	}
	chain, _, err := a.Import(ctx, file)
	if err != nil {
		return err
	}
	words, err := chain.Latest().Fingerprint().Words("en")
	if err != nil {
		return err
	}
	_, err = a.Confirm(ctx, b.Self(), strings.Join(words, " "))
	return err
}

func (p *pair) openChannel(ctx context.Context) error {
	made, err := p.a.Propose(ctx, party.Channel{Name: "nrrc", Regime: party.RegimeRef{ID: "communications", Version: 1}},
		[]traffic.Party{p.b.Self()}, "council", "head")
	if err != nil {
		return err
	}
	p.channel = made.ID()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		changed := p.b.Changed()
		err := p.b.Accept(ctx, p.channel, "council", "head")
		if err == nil {
			return p.a.WaitChannel(ctx, p.channel, time.Minute)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("bench: channel: %w", errors.Join(err, ctx.Err()))
		case <-changed:
		}
	}
}

func (p *pair) close() error {
	p.stop()
	p.running.Wait()
	err := errors.Join(p.a.Close(), p.b.Close())
	return errors.Join(err, os.RemoveAll(p.a.dir), os.RemoveAll(p.b.dir))
}

// draft makes a statement of about 500 bytes: header, one question, one Ed25519 signature.
func (p *pair) draft(precedence traffic.Precedence) node.Draft {
	q := fmt.Sprintf("Check %08d: ", p.next.Add(1)) + strings.Repeat("who is on duty? ", 8)
	return node.Draft{
		Channel: p.channel, Plane: traffic.Real, Precedence: precedence, Post: "nrrc", Audience: "xs/nrrc", Form: "check", Language: "en",
		Values: form.Values{"level": int64(2), "question": q}, Drafter: "duty-officer",
	}
}

// receipted says one thing and waits until the peer's verified cosignature of it is durable here.
func (p *pair) receipted(ctx context.Context, precedence traffic.Precedence) (time.Duration, error) {
	start := time.Now()
	s, err := p.a.Send(ctx, p.draft(precedence))
	if err != nil {
		return 0, err
	}
	err = p.a.WaitReceipt(ctx, s, p.b.Self())
	return time.Since(start), err
}

func (p *pair) size(ctx context.Context) (int, error) {
	u, err := p.a.Send(ctx, p.draft(traffic.Routine))
	if err != nil {
		return 0, err
	}
	held, err := p.a.Statement(ctx, u.ID)
	return len(held.Bytes), err
}

// quantile of durations, in microseconds.
func quantile(d []time.Duration, q float64) float64 {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return float64(d[min(len(d)-1, int(q*float64(len(d))))].Nanoseconds()) / 1e3
}
