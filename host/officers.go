package host

import (
	"context"
	"errors"
	"fmt"
	"net"

	"detente/api"
	"detente/floor/release"
	"detente/journal"
	"detente/officer"
	"detente/party"
)

// ConsoleSettings is the section [console].
type ConsoleSettings struct {
	Listen      string         `toml:"listen" doc:"host:port of the pages. Empty: none. Without a certificate they are not encrypted: off this machine, give one, or put a server with TLS before them."`
	Origin      string         `toml:"origin" doc:"How browsers call them, such as https://watch.example; passkeys hold for its host alone. Empty: localhost and the port of listen."`
	Certificate string         `toml:"certificate" doc:"File with the certificate, PEM, for https without a server before it. Empty: http."`
	Key         string         `toml:"key" doc:"File with the certificate's key, PEM."`
	OpenID      OpenIDSettings `toml:"openid" doc:"Sign-in through the organisation's provider, beside passkeys."`
}

// OpenIDSettings is the section [console.openid].
type OpenIDSettings struct {
	Issuer     string `toml:"issuer" doc:"Address of the provider. Empty: none. Whom it vouches for must be an officer already."`
	Client     string `toml:"client" doc:"Client id that the provider has given to this console."`
	SecretFile string `toml:"secret_file" doc:"File with the client's secret."`
}

// origin is the address at which browsers reach the console; empty when there is none.
func (s ConsoleSettings) origin() string {
	if s.Origin != "" || s.Listen == "" {
		return s.Origin
	}
	_, port, err := net.SplitHostPort(s.Listen)
	if err != nil || port == "0" {
		return "" // whoever opens the port knows it, and sets the origin
	}
	if s.Certificate != "" {
		return "https://localhost:" + port
	}
	return "http://localhost:" + port
}

// enrol opens the roll of the officers, who sign in at the console's address.
func (h *Host) enrol(diary *journal.Journal) (*officer.Roll, error) {
	console := h.cfg.Settings.Console
	c := officer.Config{
		DB: h.node.DB, Origin: console.origin(), Title: "Detente " + string(h.node.Self()),
		Record: func(ctx context.Context, e officer.Event) {
			if err := release.Record(ctx, diary, e); err != nil {
				h.log.Error("the journal cannot be written", "officer", e.Officer, "action", e.Action, "reason", err)
			}
		},
	}
	if o := console.OpenID; o.Issuer != "" {
		secret, err := h.secret("console.openid.secret_file", o.SecretFile)
		if err != nil {
			return nil, err
		}
		if c.Origin == "" {
			return nil, fmt.Errorf("%w: console.openid needs console.origin, to which the provider sends the browser back", ErrSettings)
		}
		c.OpenID = &officer.OpenID{Issuer: o.Issuer, Client: o.Client, Secret: secret, Redirect: c.Origin + OpenIDPath}
	}
	r, err := officer.New(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return r, nil
}

// OpenIDPath is where the console takes the provider's answer.
const OpenIDPath = "/sign-in/openid"

// Officers is the roll of the officers.
func (h *Host) Officers() *officer.Roll { return h.officers }

// FirstAdministrator is the id of the officer that a new party begins with.
const FirstAdministrator = "admin"

// Invite enrols the first administrator of a party that was just founded, and makes his link. It opens the node, so that the journal begins with it.
func Invite(ctx context.Context, home string, settings Settings, lock party.Lock) (link string, in officer.Invitation, err error) {
	h, err := New(ctx, Config{Home: home, Settings: settings, Lock: lock})
	if err != nil {
		return "", in, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	_, err = h.officers.Set(ctx, officer.Officer{
		ID: FirstAdministrator, Name: "Administrator", Grants: []officer.Grant{{Post: officer.Everywhere, Role: officer.Administrator}},
	}, officer.Terminal().ID)
	if err != nil {
		return "", in, err
	}
	in, err = h.officers.Invite(ctx, FirstAdministrator, officer.Terminal().ID)
	return h.officers.Origin() + api.LinkPath + in.Secret, in, err
}
