package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"detente/api"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/traffic"

	"golang.org/x/sync/errgroup"
)

// HostConfig is what a node and its surroundings are made of. Only Home, Settings and Lock are needed.
type HostConfig struct {
	Home     string
	Settings Settings
	Lock     party.Lock   // opens the keyring
	Log      *slog.Logger // nil discards

	Listener net.Listener                                                         // in place of Settings.Listen
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // how peers are called; nil is the network of this machine
	Adjust   func(*node.Config)                                                   // has the last word on the node, for tests
}

// Host is a node with everything around it: keys, database, routes, and the local API. Several may live in one process.
type Host struct {
	cfg      HostConfig
	log      *slog.Logger
	node     *node.Node
	keys     *party.Keyring
	route    *route.HTTPS
	api      *api.Server
	stopping chan struct{}
	stop     func() // closes stopping, once
}

func keysDir(home string) string     { return filepath.Join(home, "keys") }
func keyringPath(home string) string { return filepath.Join(home, "keys", "keyring.age") }
func rootPath(home string, n int) string {
	return filepath.Join(home, "keys", fmt.Sprintf("root-%d.age", n))
}

// NewHost opens the keys and the node. It starts nothing. Errors: party.ErrLocked for a wrong passphrase, store.ErrInUse.
func NewHost(ctx context.Context, cfg HostConfig) (*Host, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	pins, err := party.OpenPins(keysDir(cfg.Home), key.Standard())
	if err != nil {
		return nil, err
	}
	own := pins.Own()
	if own == nil || own.Party() != cfg.Settings.Party {
		return nil, fail(exitNotFound, "found it with: detente init", "%s holds no charter of %s", keysDir(cfg.Home), cfg.Settings.Party)
	}
	keys, err := party.OpenKeyring(keyringPath(cfg.Home), cfg.Lock, own.Latest())
	if err != nil {
		return nil, err
	}
	https, err := route.NewHTTPS(keys.Transport, cfg.Dial)
	if err != nil {
		return nil, err
	}
	all, err := embedded()
	if err != nil {
		return nil, err
	}
	if err := mkdirs(cfg.Home, "data"); err != nil {
		return nil, err
	}
	c := node.Config{
		DSN: cfg.Settings.dsn(cfg.Home), Keys: keys, Pins: pins, MarksDir: filepath.Join(keysDir(cfg.Home), "marks"), Regimes: all,
		Routes: map[string]route.Route{https.Name(): https}, PouchDir: cfg.Settings.path(cfg.Home, cfg.Settings.Pouches),
		Callable: cfg.Listener != nil || cfg.Settings.Listen != "", Heartbeat: cfg.Settings.Heartbeat, Silence: cfg.Settings.Silence, Log: cfg.Log,
	}
	if cfg.Adjust != nil {
		cfg.Adjust(&c)
	}
	h := &Host{cfg: cfg, log: cfg.Log, keys: keys, route: https, stopping: make(chan struct{})}
	h.stop = sync.OnceFunc(func() { close(h.stopping) })
	if h.node, err = node.Open(ctx, c); err != nil {
		return nil, err
	}
	h.api, err = api.New(api.Config{Node: h.node, Keyring: h.keyring, Version: version(), Stopping: h.stopping, Log: cfg.Log})
	if err != nil {
		return nil, errors.Join(err, h.node.Close())
	}
	return h, nil
}

// embedded loads the regimes that the program ships with.
func embedded() ([]*form.Regime, error) {
	link, err := form.Load(regimes.Link())
	if err != nil {
		return nil, err
	}
	communications, err := form.Load(regimes.Communications())
	return []*form.Regime{link, communications}, err
}

// keyring reads the key file anew, under a charter that is about to come into force.
func (h *Host) keyring(c *party.Charter) (*party.Keyring, error) {
	return party.OpenKeyring(keyringPath(h.cfg.Home), h.cfg.Lock, c)
}

// Node is the node itself.
func (h *Host) Node() *node.Node { return h.node }

// Client asks the node within this process.
func (h *Host) Client() *api.Client { return api.InProcess(h.api) }

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
			Transport: h.keys.Transport, Known: h.known, Accept: h.node.Answer, Log: h.log,
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
	if path := settings.path(h.cfg.Home, settings.API.Socket); path != "" {
		l, err := api.ListenUnix(path)
		if err := serve(l, err, func(l net.Listener) error { return h.api.Serve(ctx, l, "") }); err != nil {
			return err
		}
	}
	if settings.API.Listen == "" {
		return nil
	}
	token, err := api.Token(settings.path(h.cfg.Home, settings.API.TokenFile))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", settings.API.Listen)
	return serve(l, err, func(l net.Listener) error { return h.api.Serve(ctx, l, token) })
}

// known tells whose transport key calls. Any charter version counts until its key is withdrawn: a peer that has just rotated still calls with
// the one or the other.
func (h *Host) known(k key.Public) (traffic.Party, bool) { return h.node.TransportKey(k.ID()) }

// Close closes the node. Run must have returned.
func (h *Host) Close() error { return h.node.Close() }

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
