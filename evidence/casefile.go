package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"detente/canonical"
	"detente/feed"
	"detente/key"
	"detente/statement"
	"detente/traffic"
)

// Limits of a case file, protocol.md#case.
const (
	MaxCase        = 64 << 20
	maxCaseEntries = 4096
	MaxCaseBlobs   = 256
	maxRenderings  = 32
)

const caseType = "detente-case.v1"

// ErrCaseShape is a file that is no case file, or whose parts do not belong together.
var ErrCaseShape = errors.New("evidence: not a case file")

// CaseFile is a whole dossier as its exporter hands it out, protocol.md#case. It holds no opinion: [Reader.Case] reads it.
type CaseFile struct {
	Channel     []byte            `cbor:"channel"`
	Plane       traffic.Plane     `cbor:"plane"`
	Dossier     statement.ID      `cbor:"dossier"`
	Charters    [][]byte          `cbor:"charters"`
	Checkpoints []string          `cbor:"checkpoints"` // each with all cosignatures
	Entries     []CaseEntry       `cbor:"entries"`     // in the canonical order
	State       [32]byte          `cbor:"state"`       // digest of the folded dossier, protocol.md#state
	Blobs       [][]byte          `cbor:"blobs,omitempty"`
	Renderings  map[string]string `cbor:"renderings,omitempty"` // by language; for people, never authoritative
	Paper       []byte            `cbor:"paper,omitempty"`      // a PDF; likewise
}

// CaseEntry is a statement of a case with its place.
type CaseEntry struct {
	Feed       traffic.Feed    `cbor:"feed"`
	Index      int64           `cbor:"index"`
	Statement  []byte          `cbor:"statement"`
	Path       [][32]byte      `cbor:"path"`
	Checkpoint int             `cbor:"checkpoint"` // which of the checkpoints
	Adoptions  []feed.Adoption `cbor:"adoptions,omitempty"`
	Reason     string          `cbor:"reason,omitempty"` // why it is invalid, protocol.md#held
}

// Encode seals the case with the node key checkpoint of the party that exports it, and gives the bytes of the file.
func (c *CaseFile) Encode(by traffic.Party, channel [32]byte, signer key.Signer) ([]byte, error) {
	content, err := canonical.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("evidence: case: %w", err)
	}
	seal, err := feed.SignText(sealText(channel, by, c.Plane, c.Dossier, len(c.Entries), content), signer)
	if err != nil {
		return nil, fmt.Errorf("evidence: case: %w", err)
	}
	b, err := canonical.Marshal([]any{caseType, content, seal})
	if err != nil || len(b) > MaxCase {
		return nil, fmt.Errorf("evidence: case of %d bytes, over %d: %w", len(b), MaxCase, errors.Join(canonical.ErrTooLarge, err))
	}
	return b, nil
}

const sealPrefix = "detente.v1/case/"

// sealText is what the exporter signs: that these statements are all that it holds of the dossier.
func sealText(channel [32]byte, by traffic.Party, plane traffic.Plane, dossier statement.ID, entries int, content []byte) string {
	sum := sha256.Sum256(content)
	return fmt.Sprintf("%s%x/%s/%s\n%s\n%d\n%s\n", sealPrefix, channel, by, plane,
		base64.StdEncoding.EncodeToString(dossier[:]), entries, base64.StdEncoding.EncodeToString(sum[:]))
}

// sealer is the party that a seal names. Whether it signed it is another question.
func sealer(seal string) traffic.Party {
	name, _, _ := strings.Cut(seal, "\n")
	parts := strings.Split(strings.TrimPrefix(name, sealPrefix), "/")
	if len(parts) != 3 || !traffic.Party(parts[1]).Valid() {
		return ""
	}
	return traffic.Party(parts[1])
}

// DecodeCase reads a case file, at most 64 MiB, and gives its content as it was sealed too. Errors: those of package canonical, ErrCaseShape.
func DecodeCase(b []byte) (c *CaseFile, content []byte, seal string, err error) {
	var outer struct {
		_       struct{} `cbor:",toarray"`
		Type    string
		Content []byte
		Seal    string
	}
	if err := canonical.Unmarshal(b, &outer, MaxCase); err != nil {
		return nil, nil, "", caseShape(err)
	}
	c = &CaseFile{}
	if err := canonical.Unmarshal(outer.Content, c, MaxCase); err != nil {
		return nil, nil, "", caseShape(err)
	}
	if outer.Type != caseType || len(outer.Seal) > 1024 || !c.Plane.Valid() || len(c.Entries) == 0 || len(c.Entries) > maxCaseEntries ||
		len(c.Checkpoints) > maxCaseEntries || len(c.Blobs) > MaxCaseBlobs || len(c.Renderings) > maxRenderings {
		return nil, nil, "", fmt.Errorf("%w: type, plane or a number of parts", ErrCaseShape)
	}
	for i := range c.Entries {
		e := &c.Entries[i]
		if !e.Feed.Valid() || e.Index < 0 || len(e.Path) > maxCasePath || len(e.Adoptions) > 1 || e.Checkpoint < 0 || e.Checkpoint >= len(c.Checkpoints) {
			return nil, nil, "", fmt.Errorf("%w: entry %s", ErrCaseShape, strconv.Itoa(i))
		}
		for _, a := range e.Adoptions {
			if a.Index < 0 || len(a.Path) > maxCasePath {
				return nil, nil, "", fmt.Errorf("%w: adoption of entry %d", ErrCaseShape, i)
			}
		}
	}
	return c, outer.Content, outer.Seal, nil
}

const maxCasePath = 64

func caseShape(err error) error {
	if errors.Is(err, canonical.ErrShape) {
		return fmt.Errorf("%w: %v", ErrCaseShape, err)
	}
	return err
}

// isCase tells whether bytes claim to be a case file.
func isCase(b []byte) bool { return bytes.HasPrefix(b, []byte("\x83\x6f"+caseType)) }
