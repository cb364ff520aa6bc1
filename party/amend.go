package party

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
)

// Errors of the approval of a draft.
var (
	ErrNotAsked = errors.New("party: these keys are not asked to sign this draft")
	ErrCircular = errors.New("party: not a draft in circulation")
)

const (
	circularType = "detente-circular.v1"
	maxCircular  = MaxCharter + 64<<10
	maxSigners   = 16 // of an envelope
	maxHolders   = maxSigners / 2
)

// Draft is the next version of a charter, which nobody has approved yet. It may be changed at will until it is circulated.
type Draft struct {
	Contents

	previous *Charter // nil for version 1
	registry key.Registry
}

// NewDraft drafts version 1 of a charter whose keys were made elsewhere, in tokens for example; [Found] makes them all here.
func NewDraft(c Contents, r key.Registry) *Draft { return &Draft{Contents: c, registry: r} }

// Amend drafts the version after previous, issued now, with what change makes of it; change may be nil.
func Amend(previous *Charter, change func(*Contents)) (*Draft, error) {
	// Decoded anew, so that nothing the draft changes is shared with the charter in force.
	c, err := readContents(previous.env.Payload)
	if err != nil {
		return nil, err
	}
	c.Version, c.Previous, c.Issued, c.Revoked = previous.Version+1, previous.Hash(), time.Now().UTC().Truncate(time.Second), nil
	if change != nil {
		change(&c)
	}
	return &Draft{Contents: c, previous: previous, registry: previous.registry}, nil
}

// SignCharter makes the charter at once, when all its approving roots are at hand. Errors: those of [Draft.Circulate] and of the decoder.
func SignCharter(d *Draft, roots ...*RootKey) (*Charter, error) {
	var holders [][]key.Public
	for _, r := range roots {
		holders = append(holders, r.Public())
	}
	c, err := d.Circulate(holders...)
	if err != nil {
		return nil, err
	}
	for _, r := range roots {
		if err := c.Sign(r.Signers()...); err != nil {
			return nil, err
		}
	}
	return c.Charter()
}

// Circulate fixes the draft and who is to approve it: every signature names all the others, so this cannot change later. The holders are
// roots of the version before and of the draft, enough of both. Errors: ErrNotApproved when they are too few, ErrNotAsked when one of them
// is no root of either, ErrRoots when their signatures are more than an envelope holds, those of a charter's decoder.
func (d *Draft) Circulate(holders ...[]key.Public) (*Circular, error) {
	sortPosts(d.Posts)
	payload, err := d.payload()
	if err != nil {
		return nil, err
	}
	c := &Circular{registry: d.registry, payload: payload, contents: d.Contents}
	asked := map[key.ID]bool{}
	for _, root := range holders {
		if !isRoot(d.Roots, root) && (d.previous == nil || !isRoot(d.previous.Roots, root)) {
			return nil, fmt.Errorf("%w: not a root of version %d or the one before", ErrNotAsked, d.Version)
		}
		for _, k := range root {
			if id := k.ID(); !asked[id] {
				asked[id] = true
				c.keys = append(c.keys, k)
			}
		}
	}
	if n := approvals(d.Roots, asked); n < d.Need {
		return nil, fmt.Errorf("%w: %d of its own roots are asked, %d needed", ErrNotApproved, n, d.Need)
	}
	if d.previous != nil {
		if n := approvals(d.previous.Roots, asked); n < d.previous.Need {
			return nil, fmt.Errorf("%w: %d roots of version %d are asked, %d needed", ErrNotApproved, n, d.previous.Version, d.previous.Need)
		}
	}
	if len(c.keys) > maxSigners {
		return nil, fmt.Errorf("%w: %d signatures; at most %d fit a charter", ErrRoots, len(c.keys), maxSigners)
	}
	c.signatures = make([][]byte, len(c.keys))
	return c, nil
}

func isRoot(roots [][]key.Public, root []key.Public) bool {
	return slices.ContainsFunc(roots, func(r []key.Public) bool {
		return slices.EqualFunc(r, root, func(a, b key.Public) bool { return a.ID() == b.ID() })
	})
}

// Circular is a draft on its way from root holder to root holder, each of whom signs on a machine of their own.
type Circular struct {
	registry   key.Registry
	contents   Contents
	payload    []byte
	keys       []key.Public
	signatures [][]byte // of keys[i]; empty until signed
}

type wireCircular struct {
	_          struct{} `cbor:",toarray"`
	Type       string
	Payload    []byte
	Keys       []key.Public
	Signatures [][]byte
}

// Contents is what the holders are asked to approve.
func (c *Circular) Contents() Contents { return c.contents }

// Sign adds a holder's signatures. Error: ErrNotAsked when none of the keys is asked for.
func (c *Circular) Sign(signers ...key.Signer) error {
	added := 0
	_, err := c.envelope(func(i int, message []byte) ([]byte, error) {
		j := slices.IndexFunc(signers, func(s key.Signer) bool { return s.ID() == c.keys[i].ID() })
		if j < 0 {
			return c.signatures[i], nil
		}
		signature, err := signers[j].Sign(message)
		if err != nil {
			return nil, err
		}
		c.signatures[i] = signature
		added++
		return signature, nil
	})
	if err == nil && added == 0 {
		err = ErrNotAsked
	}
	return err
}

// Missing is the keys that have not signed yet.
func (c *Circular) Missing() []key.Public {
	var out []key.Public
	for i, s := range c.signatures {
		if len(s) == 0 {
			out = append(out, c.keys[i])
		}
	}
	return out
}

// Charter is the approved charter. Errors: ErrNotApproved while a signature is missing, those of the decoder.
func (c *Circular) Charter() (*Charter, error) {
	if n := len(c.Missing()); n > 0 {
		return nil, fmt.Errorf("%w: %d of %d signatures are missing", ErrNotApproved, n, len(c.keys))
	}
	b, err := c.envelope(c.verified)
	if err != nil {
		return nil, err
	}
	return DecodeCharter(b, c.registry)
}

// Encode is the file that travels.
func (c *Circular) Encode() ([]byte, error) {
	return canonical.Marshal(wireCircular{Type: circularType, Payload: c.payload, Keys: c.keys, Signatures: c.signatures})
}

// DecodeCircular reads a draft in circulation and verifies the signatures it already bears. Errors: ErrCircular, those of a charter's
// decoder, envelope.ErrBadSignature.
func DecodeCircular(b []byte, r key.Registry) (*Circular, error) {
	var w wireCircular
	if err := canonical.Unmarshal(b, &w, maxCircular); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCircular, err)
	}
	if w.Type != circularType || len(w.Keys) == 0 || len(w.Keys) > maxSigners || len(w.Keys) != len(w.Signatures) {
		return nil, ErrCircular
	}
	c := &Circular{registry: r, payload: w.Payload, keys: w.Keys, signatures: w.Signatures}
	var err error
	if c.contents, err = readContents(w.Payload); err != nil {
		return nil, err
	}
	if _, err := index(&c.contents); err != nil {
		return nil, err
	}
	for _, k := range c.keys {
		if !wellFormed(k) {
			return nil, fmt.Errorf("%w: algorithm %d", ErrKey, k.Algorithm)
		}
	}
	if _, err := c.envelope(c.verified); err != nil {
		return nil, err
	}
	return c, nil
}

// verified passes a signature on when it is missing or verifies.
func (c *Circular) verified(i int, message []byte) ([]byte, error) {
	if len(c.signatures[i]) == 0 {
		return nil, nil
	}
	v, err := c.registry.Verifier(c.keys[i])
	if err != nil {
		return nil, err
	}
	if !v.Verify(message, c.signatures[i]) {
		return nil, fmt.Errorf("party: draft: %w: key %v", envelope.ErrBadSignature, c.keys[i].ID())
	}
	return c.signatures[i], nil
}

// envelope goes through the places of the envelope that the draft becomes, asking sign for each signature.
func (c *Circular) envelope(sign func(i int, message []byte) ([]byte, error)) ([]byte, error) {
	signers := make([]key.Signer, len(c.keys))
	for i, k := range c.keys {
		signers[i] = seat{k, func(message []byte) ([]byte, error) { return sign(i, message) }}
	}
	return envelope.Sign(envelope.Contents{ContentType: contentType, Payload: c.payload}, signers...)
}

// seat is the place of one signature, whoever fills it and when.
type seat struct {
	public key.Public
	sign   func(message []byte) ([]byte, error)
}

func (s seat) Public() key.Public                  { return s.public }
func (s seat) ID() key.ID                          { return s.public.ID() }
func (s seat) Sign(message []byte) ([]byte, error) { return s.sign(message) }
