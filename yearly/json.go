package yearly

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
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

// one writes a value as RFC 8785 does: no spaces, members by their names, one spelling for each character. There are no numbers but whole ones.
func one(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("yearly: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("yearly: %w", err)
	}
	var b bytes.Buffer
	write(&b, tree)
	return b.Bytes(), nil
}

// write appends a decoded value. The names of members are ASCII, so their bytes are in the order that the RFC asks for.
func write(b *bytes.Buffer, v any) {
	switch x := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(x))
	case json.Number:
		b.WriteString(string(x))
	case string:
		quote(b, x)
	case []any:
		b.WriteByte('[')
		for i, item := range x {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, item)
		}
		b.WriteByte(']')
	case map[string]any:
		b.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(x)) {
			if i > 0 {
				b.WriteByte(',')
			}
			quote(b, name)
			b.WriteByte(':')
			write(b, x[name])
		}
		b.WriteByte('}')
	}
}

func quote(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\b':
			b.WriteString(`\b`)
		case '\t':
			b.WriteString(`\t`)
		case '\n':
			b.WriteString(`\n`)
		case '\f':
			b.WriteString(`\f`)
		case '\r':
			b.WriteString(`\r`)
		default:
			if r < 0x20 {
				fmt.Fprintf(b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
}

// Parse reads a pack that somebody else made: with no member that is not known, in the one text that it has, and with the digest that it says. Error: ErrPack.
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
