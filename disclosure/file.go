package disclosure

import (
	"fmt"

	"detente/canonical"
	"detente/traffic"
)

const fileType = "detente-disclosures.v1"

// File is disclosures as they are handed over or kept: with the digests that they open, protocol.md#disclosure.
type File struct {
	Issuer      traffic.Party
	Digests     []Digest
	Disclosures [][]byte
}

type fileShape struct {
	Type        string   `cbor:"type"`
	Issuer      string   `cbor:"issuer"`
	Digests     [][]byte `cbor:"digests"`
	Disclosures [][]byte `cbor:"disclosures"`
}

// Bytes is the file. What [File.Parts] would refuse in it is refused.
func (f *File) Bytes() ([]byte, error) {
	if _, err := f.Parts(); err != nil {
		return nil, err
	}
	s := fileShape{Type: fileType, Issuer: string(f.Issuer), Disclosures: f.Disclosures}
	for i := range f.Digests {
		s.Digests = append(s.Digests, f.Digests[i][:])
	}
	b, err := canonical.Marshal(s)
	if err == nil && len(b) > MaxFile {
		err = fmt.Errorf("%w: %d bytes", ErrFile, len(b))
	}
	return b, err
}

// ParseFile reads a file. That the disclosures open its digests is not yet said: [File.Parts] tells. Error: ErrFile.
func ParseFile(b []byte) (*File, error) {
	var s fileShape
	if err := canonical.Unmarshal(b, &s, MaxFile); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	f := &File{Issuer: traffic.Party(s.Issuer), Disclosures: s.Disclosures}
	if s.Type != fileType || !f.Issuer.Valid() || len(s.Digests) > MaxDigest || len(s.Disclosures) > MaxDigest {
		return nil, ErrFile
	}
	for _, d := range s.Digests {
		if len(d) != len(Digest{}) {
			return nil, ErrFile
		}
		f.Digests = append(f.Digests, Digest(d))
	}
	return f, nil
}

// Parts are the parts that the file shows. Errors: those of [Verify].
func (f *File) Parts() ([]Part, error) { return Verify(f.Issuer, f.Digests, f.Disclosures) }
