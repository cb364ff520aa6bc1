// Package host is a node with its surroundings: home directory, settings, keys, database, routes, and the local API.
// It must never start what its caller did not ask for: New opens, Run runs, and several hosts live in one process.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"detente/api"
	"detente/api/acts"
	"detente/api/dialogue"
	"detente/api/drafts"
	"detente/api/editions"
	"detente/api/lookups"
	"detente/api/mails"
	"detente/api/matches"
	"detente/api/reviews"
	"detente/api/seals"
	"detente/api/server"
	"detente/api/server/cases"
	"detente/api/server/guarantees"
	"detente/api/server/relations"
	"detente/api/tools"
	"detente/casework"
	"detente/chancery"
	"detente/floor"
	"detente/floor/release"
	"detente/form"
	"detente/gateway"
	"detente/gateway/mailbox"
	"detente/gateway/matching"
	"detente/guarantee"
	"detente/journal"
	"detente/key"
	"detente/lookup"
	"detente/metrics"
	"detente/node"
	"detente/officer"
	"detente/party"
	"detente/programme"
	"detente/regimes"
	"detente/register/docket"
	"detente/register/keeper"
	"detente/route"
	"detente/sealer"
	"detente/secretariat"
	"detente/standing"
	"detente/store"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Config is what a node and its surroundings are made of. Only Home, Settings and Lock are needed.
type Config struct {
	Home     string
	Settings Settings
	Lock     party.Lock   // opens the keyring
	Version  string       // of the program, for the API to tell
	Log      *slog.Logger // nil discards

	Listener        net.Listener                                                         // in place of Settings.Listen
	ConsoleListener net.Listener                                                         // in place of Settings.Console.Listen; Settings.Console.Origin says its address
	TAXIIListener   net.Listener                                                         // in place of Settings.Gateway.Listen
	Dial            func(ctx context.Context, network, address string) (net.Conn, error) // how peers are called; nil is the network of this machine
	Free            func() (int64, error)                                                // how many bytes are free where the database lies; nil asks the system
	Adjust          func(*node.Config)                                                   // has the last word on the node, for tests
}

// Host is a node with everything around it: keys, database, routes, and the local API. Several may live in one process.
type Host struct {
	cfg      Config
	log      *slog.Logger
	node     *node.Node
	floor    *floor.Floor
	keys     *party.Keyring
	route    *route.HTTPS
	officers *officer.Roll
	releases *release.Desk
	api      *server.Server
	meter    *metrics.Meter
	standing *standing.Standing
	lookups  *lookup.Desk
	chancery *chancery.Chancery
	talks    *secretariat.Secretariat
	gateway  *gateway.Gateway
	matching *matching.Matching
	mailbox  *mailbox.Mailbox
	stopping chan struct{}
	stop     func() // closes stopping, once
}

// KeysDir is where a party's keys and the charters that it trusts are.
func KeysDir(home string) string { return filepath.Join(home, "keys") }

// KeyringPath is the file with the keys of the node and its posts.
func KeyringPath(home string) string { return filepath.Join(home, "keys", "keyring.age") }

// LookupKeysPath is the file with the keys of the lists that blinded questions are answered about.
func LookupKeysPath(home string) string { return filepath.Join(home, "keys", "lookup.age") }

// SealMarksDir is where it is kept what the own sealers have signed; never to be restored with the database.
func SealMarksDir(home string) string { return filepath.Join(home, "keys", "seals") }

// RootPath is the file that init makes for the n-th holder of a root key, from 1.
func RootPath(home string, n int) string {
	return filepath.Join(home, "keys", fmt.Sprintf("root-%d.age", n))
}

// New opens the keys and the node. It starts nothing. Errors: ErrNoParty, party.ErrLocked for a wrong passphrase, store.ErrInUse.
func New(ctx context.Context, cfg Config) (*Host, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	pins, err := party.OpenPins(KeysDir(cfg.Home), key.Standard())
	if err != nil {
		return nil, err
	}
	own := pins.Own()
	if own == nil || own.Party() != cfg.Settings.Party {
		return nil, fmt.Errorf("%w: %s holds no charter of %s", ErrNoParty, KeysDir(cfg.Home), cfg.Settings.Party)
	}
	keys, err := party.OpenKeyring(KeyringPath(cfg.Home), cfg.Lock, own.Latest())
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory() // what opening a passphrase took is not needed again: a quarter of a gigabyte
	https, err := route.NewHTTPS(keys.Transport, cfg.Dial)
	if err != nil {
		return nil, err
	}
	all, err := Regimes()
	if err != nil {
		return nil, err
	}
	if err := mkdirs(cfg.Home, "data"); err != nil {
		return nil, err
	}
	c := node.Config{
		DSN: cfg.Settings.dsn(cfg.Home), Keys: keys, Pins: pins, MarksDir: filepath.Join(KeysDir(cfg.Home), "marks"), Regimes: all,
		Routes: map[string]route.Route{https.Name(): https}, Schemas: above(), PouchDir: cfg.Settings.Path(cfg.Home, cfg.Settings.Pouches),
		Callable: cfg.Listener != nil || cfg.Settings.Listen != "", Heartbeat: cfg.Settings.Heartbeat, Silence: cfg.Settings.Silence, Log: cfg.Log,
	}
	h := &Host{cfg: cfg, log: cfg.Log, keys: keys, route: https, stopping: make(chan struct{})}
	if h.meter, err = metrics.New(metrics.Config{Registry: prometheus.NewRegistry(), Version: cfg.Version}); err != nil {
		return nil, err
	}
	c.Committed = h.meter.Committed
	if cfg.Adjust != nil {
		cfg.Adjust(&c)
	}
	h.stop = sync.OnceFunc(func() { close(h.stopping) })
	if h.node, err = node.Open(ctx, c); err != nil {
		return nil, err
	}
	if err := h.man(); err != nil {
		return nil, errors.Join(err, h.node.Close())
	}
	free := h.free()
	if cfg.Free != nil {
		free = cfg.Free
	}
	h.meter.Observe(h.node, h.measure, h.floor.Alive, free)
	return h, nil
}

// above are the tables of what stands above the node and shares its database.
func above() []store.Schema {
	return append(gateway.Schemas(), matching.Schema(), mailbox.Schema(), lookup.Schema(), chancery.Schema(), docket.Schema(), secretariat.Schema(), sealer.Schema())
}

// Schemas are all the tables of a host's database, for who opens one beside it.
func Schemas() []store.Schema { return append(node.Schemas(), above()...) }

// man puts officers, journal and local API around the node.
func (h *Host) man() error {
	diary, err := journal.Open(h.node)
	if err != nil {
		return err
	}
	if h.officers, err = h.enrol(diary); err != nil {
		return err
	}
	h.releases = release.New(h.node, h.officers, diary, h.log)
	phrases, err := server.Phrases()
	if err != nil {
		return err
	}
	callers, err := h.callers()
	if err != nil {
		return err
	}
	book := &addressBook{host: h, set: callers, last: make(map[string][]floor.Means)}
	if h.floor, err = floor.New(h.node, floor.Config{
		Callers: callers, Means: book.means, Phrases: phrases, Patience: h.cfg.Settings.Watch.Patience, Approvals: h.releases, Log: h.log,
	}); err != nil {
		return err
	}
	h.releases.HandedOver, h.releases.Changed = release.HandOver(h.floor), h.floor.Kick
	h.floor.Join(h.releases)
	h.standing = standing.New(h.floor, h.log)
	h.bridge()
	if h.lookups, err = lookup.New(h.floor, lookup.Config{
		KeysPath: LookupKeysPath(h.cfg.Home), Lock: h.cfg.Lock, Answer: h.cfg.Settings.Lookup.Answer, Log: h.log,
	}); err != nil {
		return err
	}
	known := docket.New(h.node)
	work := casework.New(h.floor, h.log)
	h.chancery = chancery.New(h.floor, h.log)
	h.talks = secretariat.New(h.floor, h.log)
	pledges := guarantee.New(h.floor, h.standing, h.log)
	rounds, err := sealer.New(h.floor, sealer.Config{MarksDir: SealMarksDir(h.cfg.Home), Log: h.log})
	if err != nil {
		return err
	}
	instruments, err := drafts.Extend(h.chancery, h.node)
	if err != nil {
		return err
	}
	letters, err := h.mailServer()
	if err != nil {
		return err
	}
	consultations, err := dialogue.Extend(h.talks, h.node, h.standing, letters)
	if err != nil {
		return err
	}
	boards, err := relations.Extend(programme.New(h.floor, programme.Config{Acts: known.Reading, Account: work.Account}))
	if err != nil {
		return err
	}
	packs, err := reviews.Extend(h.talks, h.node)
	if err != nil {
		return err
	}
	if err := h.post(work); err != nil {
		return err
	}
	h.api, err = server.New(server.Config{
		Node: h.node, Floor: h.floor, Standing: h.standing, Officers: h.officers, Releases: h.releases, Journal: diary, Keyring: h.keyring, Version: h.cfg.Version, Stopping: h.stopping, Log: h.log,
	}, lookups.Extend(h.lookups), seals.Extend(rounds), tools.Extend(h.gateway), tools.Formats(h.gateway, work), matches.Extend(h.matching, work), mails.Extend(h.mailbox), cases.Register(work, h.node), instruments, consultations, boards, packs, guarantees.Extend(pledges, work),
		acts.Extend(known), editions.Extend(&keeper.Keeper{Node: h.node, Regimes: h.node.Regimes(), Collections: known.Files}))
	return err
}

// Regimes loads the regimes that the program ships with.
func Regimes() ([]*form.Regime, error) { return form.LoadAll(regimes.All()...) }

// keyring reads the key file anew, under a charter that is about to come into force.
func (h *Host) keyring(c *party.Charter) (*party.Keyring, error) {
	return party.OpenKeyring(KeyringPath(h.cfg.Home), h.cfg.Lock, c)
}

// Node is the node itself.
func (h *Host) Node() *node.Node { return h.node }

// Meter measures the node for a monitoring system.
func (h *Host) Meter() *metrics.Meter { return h.meter }

// Floor is the watch floor around the node.
func (h *Host) Floor() *floor.Floor { return h.floor }

// Gateway is the collections of the response team's tools.
func (h *Host) Gateway() *gateway.Gateway { return h.gateway }

// Client asks the node within this process.
func (h *Host) Client() *api.Client { return api.InProcess(h.api.Handler()) }

// Run exchanges with the peers and answers the local API until ctx ends; then it takes nothing new, and lets what is under way end.
func (h *Host) Run(ctx context.Context) error {
	defer h.stop()
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			l.Close() // those that nobody came to serve; closing twice harms nothing
		}
	}()
	g, ctx := errgroup.WithContext(ctx)
	serve := func(l net.Listener, err error, fn func(net.Listener) error) error {
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
		g.Go(func() error { return fn(l) })
		return nil
	}
	err := h.listen(ctx, serve)
	if err != nil {
		g.Go(func() error { return err })
	} else {
		h.log.Info("serving", "party", h.node.Self(), "peers", h.node.Peers())
		notify("READY=1")
	}
	g.Go(func() error { return h.node.Run(ctx) })
	g.Go(func() error { return h.floor.Run(ctx) })
	g.Go(func() error { return h.releases.Run(ctx) })
	g.Go(func() error { return h.gateway.Run(ctx) })
	g.Go(func() error { return h.matching.Run(ctx) })
	g.Go(func() error { return h.mailbox.Run(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		notify("STOPPING=1")
		h.stop()
		return nil
	})
	err = g.Wait()
	h.route.Close()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// listen opens what others call: the https route, and the local API on its socket and its port.
func (h *Host) listen(ctx context.Context, serve func(net.Listener, error, func(net.Listener) error) error) error {
	settings := h.cfg.Settings
	if l := h.cfg.Listener; l != nil || settings.Listen != "" {
		server, err := route.NewServer(route.Config{
			Transport: h.keys.Transport, Known: h.node.Known, Accept: h.node.Answer, Log: h.log,
		})
		if err != nil {
			return err
		}
		if l == nil {
			l, err = net.Listen("tcp", settings.Listen)
		}
		if err := serve(l, err, func(l net.Listener) error { return server.Serve(ctx, l) }); err != nil {
			return err
		}
	}
	if path := settings.Path(h.cfg.Home, settings.API.Socket); path != "" {
		l, err := server.ListenUnix(path)
		if err := serve(l, err, func(l net.Listener) error { return h.api.Serve(ctx, l, "") }); err != nil {
			return err
		}
	}
	if err := h.serveConsole(ctx, serve); err != nil {
		return err
	}
	if err := h.serveTAXII(ctx, serve); err != nil {
		return err
	}
	if settings.Metrics.Listen != "" {
		l, err := net.Listen("tcp", settings.Metrics.Listen)
		if err := serve(l, err, func(l net.Listener) error { return h.meter.Serve(ctx, l) }); err != nil {
			return err
		}
	}
	if settings.API.Listen == "" {
		return nil
	}
	token, err := server.Token(settings.Path(h.cfg.Home, settings.API.TokenFile))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", settings.API.Listen)
	return serve(l, err, func(l net.Listener) error { return h.api.Serve(ctx, l, token) })
}

// Close closes the node. Run must have returned.
func (h *Host) Close() error { return errors.Join(h.floor.Close(), h.node.Close()) }

// notify tells systemd how the service stands, if systemd started it.
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	c, err := net.Dial("unixgram", path)
	if err != nil {
		return // nobody listens: nothing depends on it
	}
	defer c.Close()
	c.Write([]byte(state))
}
