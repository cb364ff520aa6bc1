package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"detente/api"
	"detente/console"
)

// openConsole makes the pages of this node.
func (h *Host) openConsole() (*console.Server, error) {
	return console.New(console.Config{
		API: api.InProcess(h.api.Guarded()), Roll: h.officers, Party: h.node.Self(), Name: h.node.Chain(h.node.Self()).Latest().Name,
		Origin: h.officers.Origin(), Stopping: h.stopping, Log: h.log,
	})
}

// listenConsole opens the console's port, with TLS where the settings name a certificate.
func (h *Host) listenConsole() (net.Listener, error) {
	settings := h.cfg.Settings.Console
	l, err := h.cfg.ConsoleListener, error(nil)
	if l == nil {
		if l, err = net.Listen("tcp", settings.Listen); err != nil {
			return nil, err
		}
	}
	if settings.Certificate == "" {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(h.cfg.Settings.Path(h.cfg.Home, settings.Certificate), h.cfg.Settings.Path(h.cfg.Home, settings.Key))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: console.certificate: %w", ErrSettings, err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}), nil
}

// serveConsole is a part of listen.
func (h *Host) serveConsole(ctx context.Context, serve func(net.Listener, error, func(net.Listener) error) error) error {
	if h.cfg.ConsoleListener == nil && h.cfg.Settings.Console.Listen == "" {
		return nil
	}
	pages, err := h.openConsole()
	if err != nil {
		return err
	}
	l, err := h.listenConsole()
	return serve(l, err, func(l net.Listener) error { return pages.Serve(ctx, l) })
}
