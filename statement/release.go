package statement

import (
	"crypto/sha256"

	"detente/canonical"
)

// releaseDomain keeps the digest apart from every other hash, protocol.md#release.
const releaseDomain = "detente.release.v1\n"

// decided is what a second person decides on: all that the reader of a statement will see, and nothing that only its sending settles.
type decided struct {
	Issuer     string   `cbor:"1,keyasint"`
	Audience   string   `cbor:"2,keyasint"`
	Channel    [32]byte `cbor:"3,keyasint"`
	Plane      string   `cbor:"4,keyasint"`
	Precedence string   `cbor:"5,keyasint"`
	Form       string   `cbor:"6,keyasint"`
	Version    int      `cbor:"7,keyasint"`
	Dossier    []byte   `cbor:"8,keyasint,omitempty"`
	Refs       []ID     `cbor:"9,keyasint,omitempty"`
	Language   string   `cbor:"10,keyasint"`
	Marking    string   `cbor:"11,keyasint,omitempty"`
	Drafter    string   `cbor:"12,keyasint"`
	Releaser   string   `cbor:"13,keyasint,omitempty"`
	Payload    []byte   `cbor:"14,keyasint"`
}

// Release is the digest that a second person approves, protocol.md#release. It is the same for the draft and for the statement that is sent, so anybody who has
// the statement can tell what was approved. Time, clock, what was seen and charter are not in it: they are settled when it is sent.
func (h Header) Release(payload []byte) ([32]byte, error) {
	d := decided{
		Issuer: h.Issuer.String(), Audience: h.Audience, Channel: h.Channel, Plane: string(h.Plane), Precedence: string(h.Precedence), Form: h.Form,
		Version: h.Version, Refs: h.Refs, Language: h.Language, Marking: h.Marking, Drafter: h.Drafter, Releaser: h.Releaser, Payload: payload,
	}
	if h.Dossier != (ID{}) {
		d.Dossier = h.Dossier[:]
	}
	b, err := canonical.Marshal(d)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(append([]byte(releaseDomain), b...)), nil
}
