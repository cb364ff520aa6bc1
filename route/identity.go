package route

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"time"

	"detente/key"
)

// identity is the TLS configuration of both ends: the own key, and a judgement of the other's. A certificate is only the envelope that TLS
// wants around a key: names, dates and issuers in it mean nothing. judge is asked at every handshake.
func identity(transport key.Signer, judge func(key.Public) bool) (*tls.Config, error) {
	signer, err := newTLSSigner(transport)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280: no well-defined expiration
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.public, signer)
	if err != nil {
		return nil, fmt.Errorf("route: certificate: %w", err)
	}
	return &tls.Config{
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: signer}},
		MinVersion:             tls.VersionTLS13,
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // there is nobody to vouch for a key but the charter it is pinned by
		SessionTicketsDisabled: true, // so that each connection proves the key anew
		VerifyConnection: func(state tls.ConnectionState) error {
			shown, ok := shownKey(&state)
			if !ok || !judge(shown) {
				return ErrPin
			}
			return nil
		},
	}, nil
}

// shownKey is the key that the other end of a connection proved to have.
func shownKey(state *tls.ConnectionState) (key.Public, bool) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return key.Public{}, false
	}
	public, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	return key.Public{Algorithm: key.Ed25519, Bytes: public}, ok
}

// tlsSigner shows a key.Signer, which may live in a token, to crypto/tls.
type tlsSigner struct {
	public ed25519.PublicKey
	signer key.Signer
}

func newTLSSigner(transport key.Signer) (tlsSigner, error) {
	p := transport.Public()
	if p.Algorithm != key.Ed25519 || len(p.Bytes) != ed25519.PublicKeySize {
		return tlsSigner{}, fmt.Errorf("route: the transport key must be Ed25519: %w", key.ErrMalformed)
	}
	return tlsSigner{p.Bytes, transport}, nil
}

// Public implements crypto.Signer.
func (s tlsSigner) Public() crypto.PublicKey { return s.public }

// Sign implements crypto.Signer; for Ed25519 the message comes as it is, not as a digest.
func (s tlsSigner) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	return s.signer.Sign(message)
}
