// Package demo plays a story between three parties on loopback, with real nodes, keys, databases and routes, and shows what each side sees.
// It must never show anything that did not happen: each line is printed after the node has confirmed what it says.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"detente/api"
	"detente/host"
	"detente/node"
	"detente/party"
	"detente/traffic"
)

// actor is one party of the story with its node.
type actor struct {
	id       traffic.Party
	name     string
	language string
	home     string
	keyFile  string
	people   []person
	as       map[string]*api.Client // by officer
	origin   string                 // of its console
	taxii    string                 // address of its gateway
	phones   *phones
	host     *host.Host
	*api.Client
}

// world is the three parties and the network between them.
type world struct {
	dir     string
	network *network
	phones  *phones
	actors  []*actor
	stop    context.CancelFunc
	running sync.WaitGroup
	failed  chan error
}

// network dials for every node, and can be cut.
type network struct {
	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

var errCut = errors.New("demo: the cable is cut")

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	n.mu.Lock()
	cut := n.cut
	n.mu.Unlock()
	if cut {
		return nil, errCut
	}
	c, err := (&net.Dialer{}).DialContext(ctx, kind, address)
	if err == nil {
		n.mu.Lock()
		n.conns[c] = true
		n.mu.Unlock()
	}
	return c, err
}

// set cuts every connection, or lets new ones be made.
func (n *network) set(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
	if cut {
		for c := range n.conns {
			c.Close()
		}
		clear(n.conns)
	}
}

type casting struct {
	id        traffic.Party
	name      map[string]string
	languages []string
	people    []person
}

// cast are the parties of the story, each with two officers who read in its language.
func cast() []casting {
	watch, behind := []string{"duty-officer", "translator"}, []string{"deputy", "head-of-post", "administrator"}
	return []casting{
		{
			"xn", map[string]string{"en": "Northland", "ru": "Северная страна"}, []string{"en"},
			[]person{{"anna", "Anna Berg", "en", watch}, {"carl", "Carl Lind", "en", behind}},
		},
		{
			"xs", map[string]string{"en": "Southland", "ru": "Южная страна"}, []string{"ru", "en"},
			[]person{{"ivan", "Иван Петров", "ru", watch}, {"olga", "Ольга Иванова", "ru", behind}},
		},
		{
			"xl", map[string]string{"en": "Lakeland", "ru": "Озёрная страна"}, []string{"en", "ru"},
			[]person{{"lea", "Léa Morel", "fr", watch}, {"salim", "سليم حداد", "ar", behind}},
		},
	}
}

// newWorld founds the parties, each in a home of its own below dir, and starts their nodes.
func newWorld(ctx context.Context, dir string) (*world, error) {
	w := &world{dir: dir, network: &network{conns: make(map[net.Conn]bool)}, failed: make(chan error, 3)}
	running, stop := context.WithCancel(ctx)
	w.stop = stop
	var err error
	if w.phones, err = install(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "calls.secret"), []byte(w.phones.secret+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("demo: %w", err), w.close())
	}
	for _, c := range cast() {
		a, err := w.found(running, c)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.actors = append(w.actors, a)
	}
	return w, nil
}

func (w *world) found(ctx context.Context, c casting) (*actor, error) {
	a := &actor{
		id: c.id, name: c.name["en"], language: c.languages[0], home: filepath.Join(w.dir, string(c.id)), people: c.people, as: make(map[string]*api.Client),
	}
	a.keyFile = filepath.Join(w.dir, string(c.id)+".key")
	if err := party.NewKeyFile(a.keyFile); err != nil {
		return nil, err
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	settings := host.DefaultSettings(c.id)
	settings.Listen, settings.KeyFile, settings.Pouches = listen.Addr().String(), a.keyFile, "pouches"
	pages, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	a.origin = fmt.Sprintf("http://localhost:%d", pages.Addr().(*net.TCPAddr).Port) // a name: passkeys do not hold for an address
	settings.Console.Listen, settings.Console.Origin = pages.Addr().String(), a.origin
	settings.Call.Webhook.SecretFile = filepath.Join(w.dir, "calls.secret")
	tools, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	a.taxii = "http://" + tools.Addr().String()
	settings.Gateway.Listen, settings.Gateway.Post = tools.Addr().String(), "cert"
	a.phones = w.phones
	lock := party.Lock{KeyFile: a.keyFile}
	_, err = host.Found(a.home, host.Founding{
		Plan: party.Plan{
			Party: c.id, Name: c.name, Languages: c.languages, Routes: []party.Route{{Name: "https", Address: settings.Listen}},
		},
		Settings: settings, Lock: lock,
	})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(a.home, "pouches"), 0o700); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	drill, err := loadDrill()
	if err != nil {
		return nil, err
	}
	a.host, err = host.New(ctx, host.Config{
		Home: a.home, Settings: settings, Lock: lock, Listener: listen, ConsoleListener: pages, TAXIIListener: tools, Dial: w.network.dial,
		Adjust: func(c *node.Config) { c.Regimes = append(c.Regimes, drill) },
	})
	if err != nil {
		return nil, err
	}
	a.Client = a.host.Client()
	w.running.Go(func() {
		if err := a.host.Run(ctx); err != nil {
			w.failed <- fmt.Errorf("demo: %s: %w", a.name, err)
		}
	})
	return a, nil
}

func (w *world) close() error {
	w.stop()
	w.running.Wait()
	var errs []error
	for _, a := range w.actors {
		errs = append(errs, a.host.Close())
	}
	errs = append(errs, w.phones.close())
	close(w.failed)
	for err := range w.failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// until calls done until it says yes, each time that something has been stored at a.
func (a *actor) until(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		changed := a.host.Node().Changed()
		yes, err := done()
		if yes || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-time.After(250 * time.Millisecond): // a deadline passes without anything being stored
		case <-ctx.Done():
			return fmt.Errorf("demo: %s did not see it in time: %s", a.name, what)
		}
	}
}

// pair has a take in b's charter and compare its words, as two officers do on the telephone.
func pair(ctx context.Context, a, b *actor) (words []string, err error) {
	file, err := b.CharterFile(ctx, b.id)
	if err != nil {
		return nil, err
	}
	pending, err := a.ImportCharter(ctx, file)
	if err != nil {
		return nil, err
	}
	words = pending.Words[a.language]
	_, err = a.Confirm(ctx, b.id, strings.Join(words, " "))
	return words, err
}

// propose proposes a channel for a and has the others accept it.
func (a *actor) propose(ctx context.Context, r api.ProposeRequest, others ...*actor) error {
	name := r.Name
	for _, o := range others {
		r.Members = append(r.Members, o.id)
	}
	made, err := a.Propose(ctx, r)
	if err != nil {
		return err
	}
	for _, o := range others {
		err := o.until(ctx, "the proposal of channel "+name, func() (bool, error) {
			_, err := o.Accept(ctx, made.ID, api.Decision{})
			return err == nil, ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	for _, x := range append(others, a) {
		err := x.until(ctx, "everybody's agreement to channel "+name, func() (bool, error) {
			c, err := x.Channel(ctx, made.ID, "en")
			return c.Established, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
