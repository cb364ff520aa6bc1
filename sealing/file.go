package sealing

import (
	"errors"
	"fmt"

	"detente/canonical"
)

// ErrFile is returned for what is no file of a verdict.
var ErrFile = errors.New("sealing: not a file of a verdict")

// MaxFile is the most bytes that a file of a verdict may have.
const MaxFile = MaxManifest + MaxEvidence + 1024

const fileType = "detente-verdict.v1"

type wireFile struct {
	Type     string `cbor:"type"`
	Manifest []byte `cbor:"manifest"`
	Evidence []byte `cbor:"evidence"`
}

// EncodeFile is a file from which anybody can compute the verdict: nothing else is needed.
func EncodeFile(manifest []byte, e Evidence) ([]byte, error) {
	b, err := e.Encode()
	if err != nil {
		return nil, err
	}
	return canonical.Marshal(wireFile{fileType, manifest, b})
}

// DecodeFile reads one. Errors: ErrFile, ErrObject; what the manifest is, [Open] tells.
func DecodeFile(b []byte) (manifest []byte, e Evidence, err error) {
	var w wireFile
	if err := canonical.Unmarshal(b, &w, MaxFile); err != nil {
		return nil, e, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if w.Type != fileType {
		return nil, e, fmt.Errorf("%w: it says it is %.40q", ErrFile, w.Type)
	}
	e, err = DecodeEvidence(w.Evidence)
	return w.Manifest, e, err
}
