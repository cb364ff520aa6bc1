package officer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"detente/canonical"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// ErrAssertion says that an assertion does not approve a digest; the text says why.
var ErrAssertion = errors.New("officer: the assertion is no approval of this")

// maxAssertion is the most bytes of an assertion, and of a public key: what the journal takes.
const (
	maxAssertion = 8192
	maxPublicKey = 4096
)

// assertion is what a passkey has signed, kept so that it can be verified for as long as the journal is, protocol.md#release.
type assertion struct {
	AuthenticatorData []byte `cbor:"1,keyasint"`
	ClientData        []byte `cbor:"2,keyasint"`
	Signature         []byte `cbor:"3,keyasint"`
}

// The flags of authenticator data.
const (
	flagPresent  = 1 << 0
	flagVerified = 1 << 2
)

// VerifyApproval tells whether an assertion, as the journal keeps it, is the approval of a digest by the passkey of that public key (a COSE key), with the person
// verified, protocol.md#release. It needs no database and no network. It returns the origin of the page on which it was given; a reader who knows the party's
// console compares it. Error: ErrAssertion.
func VerifyApproval(publicKey, kept []byte, digest [32]byte) (origin string, err error) {
	no := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("%w: %s", ErrAssertion, fmt.Sprintf(format, args...))
	}
	if len(publicKey) > maxPublicKey {
		return no("the key has more than %d bytes", maxPublicKey)
	}
	var a assertion
	if err := canonical.Unmarshal(kept, &a, maxAssertion); err != nil {
		return no("it is malformed")
	}
	var client struct {
		Type        string `json:"type"`
		Challenge   string `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
	}
	if err := json.Unmarshal(a.ClientData, &client); err != nil {
		return no("the client data is malformed")
	}
	challenge, err := base64.RawURLEncoding.DecodeString(client.Challenge)
	u, badOrigin := url.Parse(client.Origin)
	switch {
	case client.Type != "webauthn.get":
		return no("it is of another ceremony")
	case err != nil || string(challenge) != string(digest[:]):
		return no("it approves another digest")
	case client.CrossOrigin:
		return no("it was given in a page within another's")
	case badOrigin != nil || u.Host == "":
		return no("the origin is malformed")
	case len(a.AuthenticatorData) < 37:
		return no("the authenticator data is cut off")
	case a.AuthenticatorData[32]&flagPresent == 0 || a.AuthenticatorData[32]&flagVerified == 0:
		return no("the person was not verified")
	case !ofHost([32]byte(a.AuthenticatorData[:32]), u.Hostname()):
		return no("the key belongs to another site")
	}
	public, err := webauthncose.ParsePublicKey(publicKey)
	if err != nil {
		return no("the key is malformed")
	}
	client256 := sha256.Sum256(a.ClientData)
	ok, err := webauthncose.VerifySignature(public, append(append([]byte{}, a.AuthenticatorData...), client256[:]...), a.Signature)
	if err != nil || !ok {
		return no("the signature is not of that key")
	}
	return client.Origin, nil
}

// ofHost tells whether a hash is that of a host or of a domain that the host is in.
func ofHost(hash [32]byte, host string) bool {
	for host != "" {
		if sha256.Sum256([]byte(host)) == hash {
			return true
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return false
}

// keep packs what a passkey has signed.
func keep(p *protocol.ParsedCredentialAssertionData) ([]byte, error) {
	r := p.Raw.AssertionResponse
	b, err := canonical.Marshal(assertion{r.AuthenticatorData, r.ClientDataJSON, r.Signature})
	if err == nil && len(b) > maxAssertion {
		err = fmt.Errorf("%w: it has more than %d bytes", ErrAssertion, maxAssertion)
	}
	return b, err
}
