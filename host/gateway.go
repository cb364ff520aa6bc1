package host

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"detente/gateway"
	"detente/gateway/matching"
	"detente/gateway/taxii"
	"detente/label"
	"detente/node"
	"detente/traffic"
)

// GatewaySettings is the section [gateway].
type GatewaySettings struct {
	Listen       string       `toml:"listen" doc:"host:port at which TAXII clients call, and MISPs under /misp, such as 127.0.0.1:7460. Empty: none. Tokens are made by detente gateway token add, keys by detente gateway misp key add."`
	Public       bool         `toml:"public" doc:"Listen also where other machines can reach it. Needs cert_file and key_file."`
	CertFile     string       `toml:"cert_file" doc:"Certificate of the server, in PEM. Empty: not encrypted, for this machine alone."`
	KeyFile      string       `toml:"key_file" doc:"Key of the certificate, in PEM."`
	Origin       string       `toml:"origin" doc:"Address by which clients call, such as https://taxii.xn.example. Empty: as each of them calls."`
	Release      string       `toml:"release" doc:"What may be shown as widely as this label of TLP is stated without a person: GREEN lets GREEN and CLEAR go. Empty: a person reviews everything."`
	ReleaseTypes []string     `toml:"release_types" doc:"Of these types of STIX alone, such as indicator and sighting. Empty: of any."`
	Unmarked     string       `toml:"unmarked" doc:"Label of TLP of what bears none. Empty: it is refused."`
	Own          string       `toml:"own" doc:"TOML file of the own networks, names and AS numbers; what others share is held against it, and what matches stands on the watch, docs/asking.md. Read anew when it changes. Empty: none."`
	Post         traffic.Post `toml:"post" doc:"Who speaks for the tools. Empty: the first post that speaks on the channel."`

	Mail   ReportSettings   `toml:"mail" doc:"Reports of cases by mail, and the answers. They go by the server of [call.mail]."`
	Remote []RemoteSettings `toml:"remote" doc:"A collection of a local TAXII server that is pulled, or pushed to, on schedule. As many of these as are wanted."`
}

// RemoteSettings is one of [[gateway.remote]].
type RemoteSettings struct {
	URL        string        `toml:"url" doc:"Of the collection there: https://HOST/ROOT/collections/ID/. http is for this machine alone."`
	Collection string        `toml:"collection" doc:"Of here, by id or title."`
	Direction  string        `toml:"direction" doc:"pull takes from there, push gives to there."`
	Interval   time.Duration `toml:"interval" doc:"At least 1m. A server that fails is asked at growing distances, up to an hour or the interval."`
	User       string        `toml:"user" doc:"Of Basic. Empty: the token is shown as Bearer."`
	TokenFile  string        `toml:"token_file" doc:"File with the token, or the password. Read each time. Empty: nothing is shown."`
}

func (r *RemoteSettings) check(path string) error {
	there := taxii.Remote{URL: r.URL}
	switch {
	case there.Check() != nil:
		return fmt.Errorf("%w: %s: [[gateway.remote]] url = %q: %w", ErrSettings, path, r.URL, taxii.ErrAddress)
	case r.Collection == "":
		return fmt.Errorf("%w: %s: [[gateway.remote]] of %s has no collection", ErrSettings, path, r.URL)
	case r.Direction != "pull" && r.Direction != "push":
		return fmt.Errorf("%w: %s: [[gateway.remote]] direction = %q is neither pull nor push", ErrSettings, path, r.Direction)
	case r.Interval < gateway.LeastEvery:
		return fmt.Errorf("%w: %s: [[gateway.remote]] interval = %q is less than 1m", ErrSettings, path, r.Interval)
	}
	return nil
}

func (g GatewaySettings) check(path string) error {
	for name, text := range map[string]string{"release": g.Release, "unmarked": g.Unmarked} {
		if _, ok := label.ParseTLP(text); text != "" && !ok {
			return fmt.Errorf("%w: %s: [gateway] %s = %q is no label of TLP", ErrSettings, path, name, text)
		}
	}
	seen := make(map[string]bool)
	for i := range g.Remote {
		r := &g.Remote[i]
		if err := r.check(path); err != nil {
			return err
		}
		key := r.Direction + " " + r.Collection + " " + r.URL
		if seen[key] {
			return fmt.Errorf("%w: %s: [[gateway.remote]] is there twice: %s", ErrSettings, path, key)
		}
		seen[key] = true
	}
	switch {
	case (g.CertFile == "") != (g.KeyFile == ""):
		return fmt.Errorf("%w: %s: [gateway] cert_file and key_file go together", ErrSettings, path)
	case g.Listen != "" && !loopback(g.Listen) && (!g.Public || g.CertFile == ""):
		return fmt.Errorf("%w: %s: [gateway] listen = %q can be reached from other machines; if that is meant, set public = true, cert_file and key_file", ErrSettings, path, g.Listen)
	}
	return nil
}

// bridge puts the gateway beside the floor.
func (h *Host) bridge() {
	s := h.cfg.Settings.Gateway
	upTo, _ := label.ParseTLP(s.Release)
	unmarked, _ := label.ParseTLP(s.Unmarked)
	h.gateway = gateway.Open(gateway.Config{
		Node: h.node, Floor: h.floor, Rule: gateway.Rule{UpTo: upTo, Types: s.ReleaseTypes}, Unmarked: unmarked, Post: s.Post, Log: h.log,
		Turned: func() { h.matching.Kick() }, Remotes: h.remotes(),
		Permit: func(ctx context.Context, d *node.Draft) error { return h.standing.Permit(ctx, d, false) },
	})
	h.matching = matching.New(matching.Config{Floor: h.floor, Shelf: h.gateway.Shelf(), Path: h.cfg.Settings.Path(h.cfg.Home, s.Own), Log: h.log})
}

// remotes is the schedule of the settings.
func (h *Host) remotes() (out []gateway.Scheduled) {
	for _, r := range h.cfg.Settings.Gateway.Remote {
		s := gateway.Scheduled{URL: r.URL, User: r.User, Collection: r.Collection, Push: r.Direction == "push", Every: r.Interval}
		if r.TokenFile != "" {
			s.Secret = func() (string, error) { return readToken(h.cfg.Settings.Path(h.cfg.Home, r.TokenFile)) }
		}
		out = append(out, s)
	}
	return out
}

const maxToken = 4 << 10

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("host: token of a local server: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err == nil && len(b) > maxToken {
		err = fmt.Errorf("host: %s has more than %d bytes: it is no token", path, maxToken)
	}
	return strings.TrimSpace(string(b)), err
}

// serveTAXII opens the server for the tools of the response team.
func (h *Host) serveTAXII(ctx context.Context, serve func(net.Listener, error, func(net.Listener) error) error) error {
	s := h.cfg.Settings.Gateway
	l := h.cfg.TAXIIListener
	if l == nil && s.Listen == "" {
		return nil
	}
	c := taxii.Config{Title: "Detente of " + string(h.node.Self()), Origin: s.Origin, Log: h.log}
	if s.CertFile != "" {
		c.TLS = &taxii.Certificate{CertFile: s.CertFile, KeyFile: s.KeyFile}
		c.TLS.CertFile, c.TLS.KeyFile = h.cfg.Settings.Path(h.cfg.Home, s.CertFile), h.cfg.Settings.Path(h.cfg.Home, s.KeyFile)
	}
	c.Also = map[string]http.Handler{"/misp/": h.gateway.MISPServer().Handler()}
	server := h.gateway.Server(c)
	var err error
	if l == nil {
		l, err = net.Listen("tcp", s.Listen)
	}
	return serve(l, err, func(l net.Listener) error { return server.Serve(ctx, l) })
}
