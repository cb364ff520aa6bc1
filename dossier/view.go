package dossier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"detente/canonical"
	"detente/feed"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Limits of a view, protocol.md#view.
const (
	maxListed = 256  // dossiers whose digests it spells out
	maxViewed = 4096 // open dossiers that it is made of; where there are more, none is made
)

// ErrView is a text that is not a view.
var ErrView = errors.New("dossier: not a view")

// View is how a member sees the open dossiers of a channel's plane, protocol.md#view: what the others compare theirs with.
type View struct {
	Channel [32]byte
	Party   traffic.Party
	Plane   traffic.Plane
	Open    int      // open dossiers
	Root    [32]byte // over all of them
	Basis   [32]byte // over the feeds that they were folded from: only views of one basis can be compared
	Listed  []Seen   // the first of the open dossiers, by their ids
}

// Seen is a dossier in a view.
type Seen struct {
	_      struct{} `cbor:",toarray"`
	ID     statement.ID
	Digest [32]byte
}

// Observe makes the view that the index gives of a channel's plane. It gives none, ok false, while the index has not followed, or when nothing is held:
// a view costs no folding.
func Observe(ctx context.Context, tx *store.Tx, self traffic.Party, channel [32]byte, plane traffic.Plane) (v View, ok bool, err error) {
	v = View{Channel: channel, Party: self, Plane: plane}
	known, err := readMarks(ctx, tx)
	if err != nil {
		return v, false, err
	}
	heads, err := feed.Heads(ctx, tx, &channel)
	if err != nil {
		return v, false, fmt.Errorf("dossier: view: %w", err)
	}
	heads = slices.DeleteFunc(heads, func(h *feed.Head) bool { return h.Feed.Plane != plane || h.Size == 0 })
	if len(heads) == 0 || slices.ContainsFunc(heads, func(h *feed.Head) bool { return known[h.Feed] != h.Size }) {
		return v, false, nil
	}
	var stale int
	err = tx.QueryRow(ctx, `SELECT count(*) FROM dossiers WHERE folded < changes AND channel = $1 AND plane = $2`, channel[:], string(plane)).Scan(&stale)
	if err != nil || stale > 0 {
		return v, false, err
	}
	open, err := query(ctx, tx, `SELECT `+rowColumns+` FROM dossiers WHERE open > 0 AND channel = $1 AND plane = $2 ORDER BY id LIMIT $3`,
		channel[:], string(plane), maxViewed+1)
	if err != nil || len(open) > maxViewed {
		return v, false, err
	}
	seen := make([]Seen, len(open))
	for i, r := range open {
		seen[i] = Seen{ID: r.ID, Digest: r.Digest}
	}
	v.Open, v.Listed = len(seen), seen[:min(len(seen), maxListed)]
	v.Root, v.Basis = RootOf(seen), basisOf(heads)
	return v, true, nil
}

// RootOf is the hash over open dossiers, in the order of their ids.
func RootOf(seen []Seen) [32]byte {
	seen = append([]Seen{}, seen...) // an empty list, and not none
	slices.SortFunc(seen, func(a, b Seen) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return hashed("detente-view.v1", seen)
}

// basisOf is the hash over the feeds, each with its size and root, in the order of their origins.
func basisOf(heads []*feed.Head) [32]byte {
	type base struct {
		_          struct{} `cbor:",toarray"`
		Party      string
		Precedence string
		Epoch      int
		Size       int64
		Root       [32]byte
	}
	slices.SortFunc(heads, func(a, b *feed.Head) int { return strings.Compare(a.Feed.Origin(), b.Feed.Origin()) })
	out := make([]base, len(heads))
	for i, h := range heads {
		out[i] = base{Party: string(h.Feed.Party), Precedence: string(h.Feed.Precedence), Epoch: h.Feed.Epoch, Size: h.Size, Root: h.Root}
	}
	return hashed("detente-basis.v1", out)
}

func hashed(label string, list any) [32]byte {
	b, err := canonical.Marshal([]any{label, list})
	if err != nil {
		return [32]byte{} // unreachable: names, numbers and hashes always encode
	}
	return sha256.Sum256(b)
}

const viewPrefix = "detente.v1/view/"

// Text is the view as it is signed: name, number, root, basis, and a line for each dossier listed.
func (v View) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%x/%s/%s\n%d\n%s\n%s\n", viewPrefix, v.Channel, v.Party, v.Plane, v.Open, spell(v.Root), spell(v.Basis))
	for _, s := range v.Listed {
		fmt.Fprintf(&b, "%s %s\n", spell(s.ID), spell(s.Digest))
	}
	return b.String()
}

func spell(h [32]byte) string { return base64.StdEncoding.EncodeToString(h[:]) }

// IsView tells whether a note claims to be a view, at the cost of looking at its first bytes.
func IsView(note string) bool { return strings.HasPrefix(note, viewPrefix) }

// ParseView reads the text of a view in its one spelling. Error: ErrView.
func ParseView(text string) (v View, err error) {
	lines := strings.SplitN(text, "\n", maxListed+6)
	if len(lines) < 5 || len(lines) > maxListed+5 || lines[len(lines)-1] != "" {
		return v, fmt.Errorf("%w: %d lines", ErrView, len(lines))
	}
	name := strings.Split(strings.TrimPrefix(lines[0], viewPrefix), "/")
	if !IsView(text) || len(name) != 3 || len(name[0]) != 64 {
		return v, fmt.Errorf("%w: name %.160q", ErrView, lines[0])
	}
	if _, err := hex.Decode(v.Channel[:], []byte(name[0])); err != nil {
		return v, fmt.Errorf("%w: channel", ErrView)
	}
	v.Party, v.Plane = traffic.Party(name[1]), traffic.Plane(name[2])
	v.Open, err = strconv.Atoi(lines[1])
	if err != nil || !v.Party.Valid() || !v.Plane.Valid() || v.Open < 0 || v.Open > maxViewed || len(lines)-5 != min(v.Open, maxListed) {
		return v, fmt.Errorf("%w: head", ErrView)
	}
	if err := errors.Join(unspell(lines[2], &v.Root), unspell(lines[3], &v.Basis)); err != nil {
		return v, err
	}
	for _, l := range lines[4 : len(lines)-1] {
		id, digest, _ := strings.Cut(l, " ")
		var s Seen
		if err := errors.Join(unspell(id, (*[32]byte)(&s.ID)), unspell(digest, &s.Digest)); err != nil {
			return v, err
		}
		if n := len(v.Listed); n > 0 && bytes.Compare(v.Listed[n-1].ID[:], s.ID[:]) >= 0 {
			return v, fmt.Errorf("%w: dossiers out of order", ErrView)
		}
		v.Listed = append(v.Listed, s)
	}
	if v.Text() != text || v.Open == len(v.Listed) && RootOf(v.Listed) != v.Root {
		return v, fmt.Errorf("%w: not in its one spelling", ErrView)
	}
	return v, nil
}

func unspell(s string, into *[32]byte) error {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(into) {
		return fmt.Errorf("%w: hash", ErrView)
	}
	copy(into[:], b)
	return nil
}

// Difference is a dossier that two views of one basis see differently. A zero digest: it is not open there. With the zero id the views differ
// beyond the dossiers that they list.
type Difference struct {
	ID          statement.ID
	Mine, Other [32]byte
}

// Compare tells in what another's view differs from v: comparable is false when they do not rest on the same feeds.
func (v View) Compare(other View) (out []Difference, comparable bool) {
	if v.Channel != other.Channel || v.Plane != other.Plane || v.Basis != other.Basis {
		return nil, false
	}
	if v.Root == other.Root {
		return nil, true
	}
	// Where one of the lists is cut, what lies behind its end is not known of both.
	var end *statement.ID
	for _, x := range []View{v, other} {
		if n := len(x.Listed); n > 0 && x.Open > n && (end == nil || bytes.Compare(x.Listed[n-1].ID[:], end[:]) < 0) {
			end = &x.Listed[n-1].ID
		}
	}
	mine, theirs := v.Listed, other.Listed
	for len(mine)+len(theirs) > 0 {
		var d Difference
		switch {
		case len(theirs) == 0 || len(mine) > 0 && bytes.Compare(mine[0].ID[:], theirs[0].ID[:]) < 0:
			d, mine = Difference{ID: mine[0].ID, Mine: mine[0].Digest}, mine[1:]
		case len(mine) == 0 || bytes.Compare(mine[0].ID[:], theirs[0].ID[:]) > 0:
			d, theirs = Difference{ID: theirs[0].ID, Other: theirs[0].Digest}, theirs[1:]
		default:
			d = Difference{ID: mine[0].ID, Mine: mine[0].Digest, Other: theirs[0].Digest}
			mine, theirs = mine[1:], theirs[1:]
		}
		if d.Mine != d.Other && (end == nil || bytes.Compare(d.ID[:], end[:]) <= 0) {
			out = append(out, d)
		}
	}
	if out == nil {
		out = []Difference{{}}
	}
	return out, true
}
