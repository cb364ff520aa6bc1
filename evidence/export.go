package evidence

import (
	"encoding/base64"
	"fmt"
	"strings"

	"detente/feed"
)

// TLogProof writes the part of a proof file that shows its place in the feed in the text format of C2SP tlog-proof@v1, for the tools of
// others: the magic line, the index, the path, and the checkpoint with all its signatures. It is a translation and no verdict. The record
// that it proves is the statement's bytes. Errors: those of [Reader.Proof] for what is no proof file.
func (r *Reader) TLogProof(b []byte) (text string, err error) {
	p, err := feed.DecodeProof(b)
	if err != nil {
		return "", decoding("proof-shape", fmt.Errorf("%w: %w", ErrShape, err))
	}
	var out strings.Builder
	fmt.Fprintf(&out, "c2sp.org/tlog-proof@v1\nindex %d\n", p.Index)
	for _, h := range p.Path {
		out.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	out.WriteString("\n" + p.Checkpoint)
	return out.String(), nil
}
