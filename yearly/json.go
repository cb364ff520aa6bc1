package yearly

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// MaxPack is the most bytes of a pack that are read.
const MaxPack = 32 << 20

// Encode writes the pack as the one JSON text that it has, protocol.md#pack, and a line end. It sets the digest.
func (p *Pack) Encode() ([]byte, error) {
	digest, err := p.digest()
	if err != nil {
		return nil, err
	}
	p.Digest = digest
	b, err := one(p)
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// digest is the SHA-256 of the pack without its digest, in hex.
func (p *Pack) digest() (string, error) {
	bare := struct {
		*Pack
		Digest string `json:"digest,omitempty"` // in place of the pack's own: always empty
	}{Pack: p}
	b, err := one(bare)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// one writes a value in the one text that RFC 8785 gives it. There are no numbers but whole ones that every reader of JSON holds exactly.
func one(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err == nil {
		b, err = jcs.Transform(b)
	}
	if err != nil {
		return nil, fmt.Errorf("yearly: %w", err)
	}
	return b, nil
}

// Parse reads a pack that somebody else made: with no member that is not known, and with the digest that it says. Spaces between are nobody's. Error: ErrPack.
func Parse(b []byte) (*Pack, error) {
	if len(b) > MaxPack {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrPack, len(b), MaxPack)
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrPack)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	p := &Pack{}
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPack, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more behind its end", ErrPack)
	}
	if p.Type != Type {
		return nil, fmt.Errorf("%w: of the type %.40q", ErrPack, p.Type)
	}
	if p.statements() > MaxStatements {
		return nil, fmt.Errorf("%w: more than %d statements", ErrPack, MaxStatements)
	}
	digest, err := p.digest()
	if err != nil || digest != p.Digest {
		return nil, fmt.Errorf("%w: its digest is of something else", ErrPack)
	}
	return p, nil
}

// MaxStatements is how many statements the period of a pack may have.
const MaxStatements = 200_000

func (p *Pack) statements() (n int) {
	for _, c := range p.Channels {
		for _, f := range c.Feeds {
			n += len(f.Statements)
		}
	}
	return n
}
