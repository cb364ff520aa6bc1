// Package officertest has the devices on which officers keep their passkeys, for tests.
// It must never be imported by anything but tests.
package officertest

import (
	"net/url"
	"testing"

	"detente/officer"

	"github.com/descope/virtualwebauthn"
)

// Device is an authenticator with one passkey, and the browser before it. Its fields are levers.
type Device struct {
	t    testing.TB
	roll *officer.Roll

	Auth virtualwebauthn.Authenticator
	Cred virtualwebauthn.Credential
	RP   virtualwebauthn.RelyingParty // the page that asks
}

// Passkey has an officer add a passkey on a new device.
func Passkey(t testing.TB, roll *officer.Roll, id string) *Device {
	t.Helper()
	u, err := url.Parse(roll.Origin())
	if err != nil {
		t.Fatal(err)
	}
	d := &Device{
		t: t, roll: roll, Auth: virtualwebauthn.NewAuthenticator(), Cred: Credential(),
		RP: virtualwebauthn.RelyingParty{ID: u.Hostname(), Name: "Detente", Origin: roll.Origin()},
	}
	options, err := roll.BeginPasskey(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	answer := virtualwebauthn.CreateAttestationResponse(d.RP, d.Auth, d.Cred, *asked)
	if _, err := roll.FinishPasskey(t.Context(), id, []byte(answer), "key of "+id); err != nil {
		t.Fatal(err)
	}
	d.Auth.Options.UserHandle = []byte(asked.UserID)
	return d
}

// Credential is a new passkey. The library writes one coordinate in 128 a byte too short, which no authenticator does: such keys are passed over.
func Credential() virtualwebauthn.Credential {
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(c.Key.AttestationData()) == 77 { // a COSE key with both coordinates whole
			return c
		}
	}
}

// Sign answers options that a page has been given.
func (d *Device) Sign(options []byte) []byte {
	d.t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		d.t.Fatal(err)
	}
	d.Cred.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(d.RP, d.Auth, d.Cred, *asked))
}

// Approve signs the digest of a release.
func (d *Device) Approve(digest [32]byte) []byte {
	d.t.Helper()
	d.Cred.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(d.RP, d.Auth, d.Cred, virtualwebauthn.AssertionOptions{Challenge: digest[:], RelyingPartyID: d.RP.ID}))
}

// SignIn begins a session with the passkey.
func (d *Device) SignIn() (token string, s officer.Session, err error) {
	d.t.Helper()
	options, err := d.roll.BeginSignIn(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return d.roll.FinishSignIn(d.t.Context(), d.Sign(options), "Firefox")
}
