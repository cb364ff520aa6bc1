package instrument

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"detente/statement"
	"detente/traffic"
)

// ErrOrder is returned for an order of clauses that is none.
var ErrOrder = errors.New("instrument: not an order of clauses")

// line is one clause in the structure.
type line struct {
	kind Kind
	id   string
}

// parseOrder reads lines "<kind> <provision>"; blank ones count for nothing. canonical is the one spelling.
func parseOrder(order string) (lines []line, canonical string, err error) {
	seen := make(map[string]bool)
	var b strings.Builder
	for text := range strings.SplitSeq(order, "\n") {
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if len(words) != 2 || !slices.Contains(Kinds(), Kind(words[0])) || !provisionPattern.MatchString(words[1]) || reserved(words[1]) {
			return nil, "", fmt.Errorf("%w: %.80q", ErrOrder, text)
		}
		if seen[words[1]] || len(lines) == maxClauses {
			return nil, "", fmt.Errorf("%w: %s stands twice, or there are too many", ErrOrder, words[1])
		}
		seen[words[1]] = true
		if len(lines) > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(words[0] + " " + words[1])
		lines = append(lines, line{Kind(words[0]), words[1]})
	}
	if len(lines) == 0 {
		return nil, "", ErrOrder
	}
	return lines, b.String(), nil
}

func reserved(id string) bool { return id == Structure || id == Title || id == Names }

// OrderDigest names an order of clauses as a position on the structure has it, protocol.md#wording. Error: ErrOrder.
func OrderDigest(order string) ([32]byte, error) {
	_, canonical, err := parseOrder(order)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256([]byte("detente/structure/v1\n" + canonical)), nil
}

// CommitmentDigest is what a party commits itself to a wording by, protocol.md#positions. The salt has 16 to 32 bytes that nobody else knows.
func CommitmentDigest(salt []byte, wordingDigest [32]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("detente/commitment/v1\n"))
	h.Write(salt)
	h.Write(wordingDigest[:])
	return [32]byte(h.Sum(nil))
}

// provision gives the one of that id, made if need be; nil with the reason if it cannot be.
func (f *fold) provision(e *Entry) (*Provision, string) {
	id := e.Values.Text("provision")
	if p := f.Provisions[id]; p != nil {
		return p, ""
	}
	switch {
	case !provisionPattern.MatchString(id):
		return nil, Malformed
	case !f.spend("provision", [32]byte{}, e.Issuer.Party, 1, maxClauses):
		return nil, Limit
	}
	return &Provision{ID: id, Stands: make(map[traffic.Party]Stand), Wordings: make(map[[32]byte]Wording)}, ""
}

// position tables a wording, and has its author stand on it.
func (f *fold) position(e *Entry) string {
	p, why := f.provision(e)
	if p == nil {
		return why
	}
	w := Wording{By: e.Issuer.Party, First: e.ID}
	var d [32]byte
	if p.ID == Structure {
		_, order, err := parseOrder(e.Values.Text("order"))
		if err != nil || e.Values["texts"] != nil {
			return Malformed
		}
		w.Order = order
		d, _ = OrderDigest(order)
	} else {
		if w.Texts = e.Values.Texts("texts"); w.Texts.Check() != nil || e.Values["order"] != nil {
			return Malformed
		}
		for lang := range w.Texts {
			if !slices.Contains(f.Opening.Languages, lang) {
				return OtherLanguage
			}
		}
		d = w.Texts.Digest()
	}
	if why := f.reveal(e, p, d); why != "" {
		return why
	}
	f.Provisions[p.ID] = p
	if _, known := p.Wordings[d]; !known {
		p.Wordings[d] = w
	}
	f.stand(e, p, d, "", "")
	return ""
}

// reveal holds a position against the commitment that it reveals, or against one that its author passes over.
func (f *fold) reveal(e *Entry, p *Provision, d [32]byte) string {
	id, reveals := digest(e.Values, "reveals")
	if !reveals {
		for _, c := range p.Commitments {
			if c.By == e.Issuer.Party && c.Revealed == (statement.ID{}) && !c.Passed {
				c.Passed = true
				e.Remarks = append(e.Remarks, Passes)
			}
		}
		return ""
	}
	i := slices.IndexFunc(p.Commitments, func(c *Commitment) bool { return c.Statement == id && c.By == e.Issuer.Party })
	if i < 0 {
		return Unknown
	}
	c, salt := p.Commitments[i], e.Values.Bytes("salt")
	switch {
	case c.Revealed != statement.ID{}:
		return Already
	case len(salt) < 16 || len(salt) > 32 || CommitmentDigest(salt, d) != c.Digest:
		return RevealDiffers
	}
	for _, other := range c.With {
		if other != c.By && !slices.ContainsFunc(p.Commitments, func(o *Commitment) bool { return o.By == other }) {
			e.Remarks = append(e.Remarks, Early)
			break
		}
	}
	c.Revealed = e.ID
	return ""
}

// commit notes that a party has committed itself to a wording.
func (f *fold) commit(e *Entry) string {
	p, why := f.provision(e)
	if p == nil {
		return why
	}
	d, ok := digest(e.Values, "digest")
	if !ok {
		return Malformed
	}
	if !f.spend(e.Form, sha256.Sum256([]byte(p.ID)), e.Issuer.Party, 1, maxCommitments) {
		return Limit
	}
	c := &Commitment{Provision: p.ID, By: e.Issuer.Party, Digest: d, Statement: e.ID}
	for _, a := range addresses(e.Values, "with") {
		if slices.Contains(f.Opening.Parties, a.Party) && !slices.Contains(c.With, a.Party) {
			c.With = append(c.With, a.Party)
		}
	}
	f.Provisions[p.ID] = p
	p.Commitments = append(p.Commitments, c)
	return ""
}

// Complete tells whether all whom a commitment names have committed themselves too, so that it is time to reveal.
func (p *Provision) Complete(c *Commitment) bool {
	for _, other := range c.With {
		if other != c.By && !slices.ContainsFunc(p.Commitments, func(o *Commitment) bool { return o.By == other }) {
			return false
		}
	}
	return true
}

// accept has a party stand on a wording that was tabled, with a reservation or without.
func (f *fold) accept(e *Entry) string {
	p := f.Provisions[e.Values.Text("provision")]
	d, ok := digest(e.Values, "digest")
	switch {
	case p == nil:
		return Unknown
	case !ok:
		return Malformed
	}
	if _, tabled := p.Wordings[d]; !tabled {
		return NotTabled
	}
	reason := ""
	if e.Form == "reservation" {
		if reason = e.Values.Text("reason"); reason == "" {
			return Malformed
		}
	}
	f.stand(e, p, d, reason, e.Values.Text("words"))
	return ""
}

// withdraw has a party stand nowhere.
func (f *fold) withdraw(e *Entry) string {
	p := f.Provisions[e.Values.Text("provision")]
	if p == nil {
		return Unknown
	}
	if _, stands := p.Stands[e.Issuer.Party]; !stands {
		return Unknown
	}
	delete(p.Stands, e.Issuer.Party)
	f.settle(e, false, p.ID)
	return ""
}

// stand moves a party to a wording.
func (f *fold) stand(e *Entry, p *Provision, d [32]byte, reason, words string) {
	p.Stands[e.Issuer.Party] = newStand(e, p, d, reason, words)
	f.settle(e, false, p.ID)
}

func newStand(e *Entry, p *Provision, d [32]byte, reason, words string) Stand {
	w := p.Wordings[d]
	return Stand{Digest: d, Texts: w.Texts, Order: w.Order, Reserved: reason, Words: words, Kind: e.Form, Statement: e.ID, At: e.At}
}

// pack ties wordings together: its author stands on each, and on none without the others.
func (f *fold) pack(e *Entry) string {
	p := &Package{Name: e.Values.Text("name"), By: e.Issuer.Party, Items: make(map[string][32]byte), Statement: e.ID}
	for text := range strings.SplitSeq(e.Values.Text("items"), "\n") {
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		var d [32]byte
		if len(words) != 2 || len(words[1]) != 64 {
			return Malformed
		}
		if _, err := hex.Decode(d[:], []byte(words[1])); err != nil {
			return Malformed
		}
		if _, twice := p.Items[words[0]]; twice {
			return Malformed
		}
		p.Items[words[0]] = d
	}
	if len(p.Items) == 0 {
		return Malformed
	}
	for _, id := range sortedKeys(p.Items) { // in one order: of two faults all sides name the same
		if f.Provisions[id] == nil {
			return Unknown
		}
		if _, tabled := f.Provisions[id].Wordings[p.Items[id]]; !tabled {
			return NotTabled
		}
	}
	if !f.spend(e.Form, [32]byte{}, p.By, p.weight(), maxTied) {
		return Limit
	}
	for id, d := range p.Items {
		s := newStand(e, f.Provisions[id], d, "", "")
		s.Package = e.ID
		f.Provisions[id].Stands[p.By] = s
		f.on[id] = append(f.on[id], p)
	}
	f.Packages = append(f.Packages, p)
	f.settle(e, true, sortedKeys(p.Items)...)
	return ""
}

// weight is what a package counts for: many small ones on one provision are as much work as a large one.
func (p *Package) weight() int { return max(8, len(p.Items)) }

// unpack withdraws a package, and the stands that its author took by it alone: what was accepted on a condition is not accepted without.
func (f *fold) unpack(e *Entry) string {
	about := f.about(e)
	if about == nil {
		return Unknown
	}
	i := slices.IndexFunc(f.Packages, func(p *Package) bool { return p.Statement == about.ID })
	switch {
	case i < 0:
		return Unknown
	case f.Packages[i].By != e.Issuer.Party:
		return NotParty
	case f.Packages[i].Withdrawn:
		return Already
	}
	p := f.Packages[i]
	bond := f.bond(sortedKeys(p.Items)[0])
	p.Withdrawn = true
	f.spend("package", [32]byte{}, p.By, -p.weight(), maxTied)
	for id := range p.Items {
		f.on[id] = slices.DeleteFunc(f.on[id], func(o *Package) bool { return o == p })
		if f.Provisions[id].Stands[p.By].Package == p.Statement {
			delete(f.Provisions[id].Stands, p.By)
		}
	}
	f.settle(e, true, bond.ids...)
	return ""
}
