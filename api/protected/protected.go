// Package protected reads, by the local API, what parties have published about protected assets, and holds proofs against it: for the commands and the console alike.
// It must never take a list, its key or its secret file: what it knows are heads, which everybody has.
package protected

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/asset"
	"detente/observable"
	"detente/traffic"
)

const (
	// Form is that of the statements that publish a head.
	Form = "asset-list"
	// Notice is what lies between the publication of a head and its effect, by the model agreement.
	Notice = 7 * 24 * time.Hour
	most   = 500 // statements of one party that are looked at
)

// ErrUnknown says that no head of such a list is held here.
var ErrUnknown = errors.New("protected: no head of that list is known here")

// Head is a published head: what the statement says, and what is known of the statement.
type Head struct {
	asset.Head
	Effective time.Time
	Basis     string
	ID        string
	Number    string
	Issued    time.Time // by its author's clock
	Held      time.Time // here, or as a proof file says it; zero where that has no receipt
	First     time.Time // by anybody but its author; zero where nobody is known to hold it
}

// Short tells whether less than a week lies between when a head was first held and its effect. The author's clock counts only where there is no other.
func (h *Head) Short() bool {
	from := h.First
	if from.IsZero() {
		from = h.Issued
	}
	return h.Effective.Sub(from) < Notice
}

// fields are those of the form, as JSON has them.
type fields struct {
	Version   uint64    `json:"version"`
	Root      string    `json:"root"`
	Leaves    uint64    `json:"leaves"`
	Entries   uint64    `json:"entries"`
	Addresses uint64    `json:"addresses"`
	Subnets   uint64    `json:"subnets"`
	Names     uint64    `json:"names"`
	Numbers   uint64    `json:"numbers"`
	Effective time.Time `json:"effective"`
	Basis     string    `json:"basis"`
}

// Read reads the head from the fields of its statement, which is one of p. Error: asset.ErrHead.
func Read(raw []byte, p traffic.Party) (Head, error) {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return Head{}, fmt.Errorf("%w: %w", asset.ErrHead, err)
	}
	root, err := hex.DecodeString(f.Root)
	if err != nil || len(root) != 32 {
		return Head{}, fmt.Errorf("%w: its root", asset.ErrHead)
	}
	h := Head{Head: asset.Head{
		Party: p, Version: f.Version, Root: [32]byte(root), Leaves: f.Leaves,
		Totals: asset.Totals{Entries: f.Entries, Addresses: f.Addresses, Subnets: f.Subnets, Names: f.Names, Numbers: f.Numbers},
	}, Effective: f.Effective, Basis: f.Basis}
	return h, h.Check()
}

// Heads gives those that a party has published on a plane, in the order of their versions; those that are of no effect are left out, protocol.md#assets.
func Heads(ctx context.Context, node *api.Client, p traffic.Party, plane traffic.Plane) ([]Head, error) {
	lines, err := node.List(ctx, api.Listing{Direction: "all", Form: Form, Plane: plane, From: string(p), System: true, Newest: true, Limit: most})
	if err != nil {
		return nil, err
	}
	var out []Head
	for _, l := range slices.Backward(lines) { // as they were said
		if from, _, _ := strings.Cut(l.From, "/"); from != string(p) || l.Standing == "invalid" || l.Standing == "out-of-order" || l.Standing == "cancelled" {
			continue
		}
		st, err := node.Statement(ctx, l.ID, "en")
		if err != nil {
			return nil, err
		}
		h, err := Read(st.Fields, p)
		if err != nil {
			continue // it was said, and is of no effect
		}
		if n := len(out); n > 0 && h.Version <= out[n-1].Version {
			continue
		}
		h.ID, h.Number, h.Issued, h.Held = l.ID, l.Number, l.Issued, l.Held
		if !l.Own {
			h.First = l.Held
		}
		for _, r := range st.Receipts {
			if at := time.Unix(r.At, 0).UTC(); r.Mirror != p && (h.First.IsZero() || at.Before(h.First)) {
				h.First = at
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// InForce is the head that protects at a time; false if none does.
func InForce(all []Head, at time.Time) (best Head, found bool) {
	for _, h := range all {
		if !h.Effective.After(at) {
			best, found = h, true
		}
	}
	return best, found
}

// Until is when a later version takes the place of the one at i; zero if none is known. Where that is not after its own effect, it never holds.
func Until(all []Head, i int) (until time.Time) {
	for _, h := range all[i+1:] {
		if until.IsZero() || h.Effective.Before(until) {
			until = h.Effective
		}
	}
	return until
}

// Verify gives the head to which a proof leads, and whether that held at a time. Errors: ErrUnknown, asset.ErrRoot.
func Verify(p *asset.Proof, all []Head, at time.Time) (h Head, held bool, err error) {
	i := slices.IndexFunc(all, func(h Head) bool { return h.Version == p.Version && h.Party == p.Party })
	if i < 0 {
		return Head{}, false, ErrUnknown
	}
	if err := p.Verify(all[i].Head); err != nil {
		return Head{}, false, err
	}
	current, some := InForce(all, at)
	return all[i], some && current.Version == p.Version, nil
}

// Covers tells whether a proved entry covers what was hit, as a person types it: an address, a network, a name, or where a URL leads. Error: observable.ErrNot.
func Covers(p *asset.Proof, value string) (bool, error) {
	hit, err := observable.Guess(value)
	if err != nil {
		return false, err
	}
	if of, ok := hit.Host(); ok {
		hit = of
	}
	return p.Entry.Covers(hit), nil
}
