package officer

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"detente/store"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OpenID is the organisation's provider of sign-in. Whom it vouches for must be enrolled here already: it makes nobody an officer.
type OpenID struct {
	Issuer   string
	Client   string
	Secret   string
	Redirect string       // address of the console that the provider sends the browser back to
	HTTP     *http.Client // nil: one that waits ten seconds
}

// provider is asked for when first needed: a node starts, and is manned, also while the organisation's provider is down.
type provider struct {
	mu    sync.Mutex
	found *oidc.Provider
}

type openidCeremony struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Browser  []byte `json:"browser"`
}

// HasOpenID tells whether officers can sign in through the organisation's provider.
func (r *Roll) HasOpenID() bool { return r.cfg.OpenID != nil }

func (r *Roll) openid(ctx context.Context) (context.Context, *oidc.Provider, *oauth2.Config, error) {
	c := r.cfg.OpenID
	if c == nil {
		return ctx, nil, nil, fmt.Errorf("%w: no OpenID provider is set", ErrSignIn)
	}
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	ctx = oidc.ClientContext(ctx, client)
	r.provider.mu.Lock()
	defer r.provider.mu.Unlock()
	if r.provider.found == nil {
		// The provider keeps the context for the keys that it fetches later; it must outlive this request.
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), c.Issuer)
		if err != nil {
			return ctx, nil, nil, fmt.Errorf("%w: the provider does not answer: %w", ErrSignIn, err)
		}
		r.provider.found = p
	}
	return ctx, r.provider.found, &oauth2.Config{
		ClientID: c.Client, ClientSecret: c.Secret, Endpoint: r.provider.found.Endpoint(), RedirectURL: c.Redirect, Scopes: []string{oidc.ScopeOpenID},
	}, nil
}

// BeginOpenID gives the address that the browser is to be sent to, and a secret for a cookie of that browser, which FinishOpenID asks for: so
// nobody is signed in by an answer that somebody else has begun. Errors: ErrSignIn, ErrBusy.
func (r *Roll) BeginOpenID(ctx context.Context) (address, browser string, err error) {
	ctx, _, config, err := r.openid(ctx)
	if err != nil {
		return "", "", err
	}
	state, nonce, verifier := base64.RawURLEncoding.EncodeToString(random(32)), base64.RawURLEncoding.EncodeToString(random(32)), oauth2.GenerateVerifier()
	browser, hash := secret("")
	data, err := json.Marshal(openidCeremony{nonce, verifier, hash})
	if err != nil {
		return "", "", fmt.Errorf("officer: openid: %w", err)
	}
	if err := r.begin(ctx, state, ceremony{kind: kindOpenID, data: data}); err != nil {
		return "", "", err
	}
	return config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), browser, nil
}

// FinishOpenID begins a session for the officer whom the provider vouches for. answer is the query that the browser came back with, browser what its cookie
// holds. Error: ErrSignIn.
func (r *Roll) FinishOpenID(ctx context.Context, answer url.Values, browser, device string) (token string, s Session, err error) {
	ctx, p, config, err := r.openid(ctx)
	if err != nil {
		return "", s, err
	}
	c, err := r.take(ctx, answer.Get("state"), kindOpenID)
	if err != nil {
		return "", s, err
	}
	var begun openidCeremony
	if err := json.Unmarshal(c.data, &begun); err != nil {
		return "", s, fmt.Errorf("officer: openid: %w", err)
	}
	if subtle.ConstantTimeCompare(begun.Browser, hashOf(browser)) != 1 {
		return "", s, fmt.Errorf("%w: another browser has begun it", ErrSignIn)
	}
	if why := answer.Get("error"); why != "" {
		return "", s, fmt.Errorf("%w: the provider says %q", ErrSignIn, why)
	}
	granted, err := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		return "", s, fmt.Errorf("%w: the provider refuses the code", ErrSignIn)
	}
	raw, _ := granted.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return "", s, fmt.Errorf("%w: the provider's word is not right: %w", ErrSignIn, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(begun.Nonce)) != 1 || id.Subject == "" {
		return "", s, fmt.Errorf("%w: the provider's word is for another sign-in", ErrSignIn)
	}
	err = r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		o, err := bySubject(ctx, tx, id.Subject)
		if errors.Is(err, ErrNoOfficer) {
			return fmt.Errorf("%w: subject %q is no officer here: an administrator enrols him", ErrSignIn, id.Subject)
		} else if err != nil {
			return err
		}
		token, s, err = open(ctx, tx, o.ID, ByOpenID, device)
		return err
	})
	return r.signedIn(ctx, token, s, ByOpenID, err)
}
