package chancery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/instrument"
	"detente/node"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// What officers say in a negotiation. Each verb gives the draft of a statement: who may state it and in which role, and whether a second person is needed, is for
// whoever states it to say. No draft is given of what the fold would leave without effect.

// NoEffect says why something would have no effect. It wraps ErrNoEffect.
type NoEffect struct{ Form, Why string }

func (e *NoEffect) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrNoEffect, e.Form, e.Why)
}

// Unwrap gives ErrNoEffect.
func (e *NoEffect) Unwrap() error { return ErrNoEffect }

// Is tells as well whether it is for want of full powers, ErrUnempowered: what then helps is to issue them.
func (e *NoEffect) Is(target error) bool {
	return target == ErrUnempowered && slices.Contains([]string{instrument.NoPowers, instrument.PowersOther, instrument.PowersWindow, instrument.PowersRevoked}, e.Why)
}

// draft is a statement in the negotiation, for all who take part.
func (d *Draft) draft(formID string, v form.Values, refs ...statement.ID) node.Draft {
	return node.Draft{
		Channel: d.Name.Channel, Plane: d.Name.Plane, Precedence: traffic.Routine, Audience: statement.Everyone, Form: formID, Values: v, Dossier: d.Name.ID, Refs: refs,
	}
}

// Rehearse tells what the fold would make of statements by a post of a party, were they stated now, one after the other. Error: a *NoEffect for the first that it
// would leave without effect.
func (d *Draft) Rehearse(by traffic.Address, said ...node.Draft) (*instrument.Negotiation, error) {
	items := slices.Clone(d.heard)
	clock := int64(0)
	for i := range items {
		clock = max(clock, items[i].Clock)
	}
	ids := make(map[statement.ID]bool)
	for _, s := range said {
		f, ok := d.Regime.Latest(s.Form)
		if !ok {
			return nil, fmt.Errorf("%w: %s", node.ErrNoForm, s.Form)
		}
		payload, err := f.Encode(s.Values)
		if err != nil {
			return nil, err
		}
		v, err := f.Decode(payload)
		if err != nil {
			return nil, err
		}
		clock++
		it := instrument.Item{
			Issuer: by, Audience: s.Audience, At: time.Now().UTC().Truncate(time.Second), Channel: s.Channel, Plane: s.Plane, Form: s.Form, Refs: s.Refs, Clock: clock, Values: v,
		}
		rand.Read(it.ID[:])
		ids[it.ID] = true
		items = append(items, it)
	}
	n := instrument.Fold(items)
	for i := range n.Entries {
		if e := &n.Entries[i]; ids[e.ID] && e.Why != "" {
			return n, &NoEffect{e.Form, e.Why}
		}
	}
	return n, nil
}

// Wish is what somebody wants a provision to say.
type Wish struct {
	Provision string
	Texts     wording.Texts
	Order     string // in place of texts, of the structure
	Note      string // for the others to read
}

var provisionPattern = regexp.MustCompile(`^[a-z0-9.-]{1,64}$`)

// check tells whether the wish is a wording. Errors: ErrProvision, ErrWording, ErrFrozen.
func (d *Draft) check(w *Wish) error {
	switch {
	case d.Frozen != nil:
		return ErrFrozen
	case !provisionPattern.MatchString(w.Provision):
		return fmt.Errorf("%w: an id is small letters, digits, points and hyphens, 64 at most: %.70q", ErrProvision, w.Provision)
	case w.Provision == instrument.Structure:
		if w.Order == "" || len(w.Texts) > 0 {
			return fmt.Errorf("%w: the structure is an order of provisions", ErrWording)
		}
		return nil
	case w.Order != "":
		return fmt.Errorf("%w: only the structure is an order", ErrWording)
	}
	if err := w.Texts.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrWording, err)
	}
	for lang := range w.Texts {
		if !slices.Contains(d.Opening.Languages, lang) {
			return fmt.Errorf("%w: it is negotiated in %s, not in %s", ErrWording, strings.Join(d.Opening.Languages, ", "), lang)
		}
	}
	return nil
}

func (w *Wish) values() form.Values {
	v := form.Values{"provision": w.Provision}
	if len(w.Texts) > 0 {
		v["texts"] = map[string]string(w.Texts)
	}
	if w.Order != "" {
		v["order"] = w.Order
	}
	if w.Note != "" {
		v["note"] = w.Note
	}
	return v
}

// Table takes a position. Errors: ErrProvision, ErrWording, ErrFrozen.
func (d *Draft) Table(w Wish) (node.Draft, error) {
	if err := d.check(&w); err != nil {
		return node.Draft{}, err
	}
	return d.draft(FormPosition, w.values()), nil
}

// NewID is an id for a new provision.
func NewID() string { return "p-" + strings.ToLower(rand.Text()[:10]) }

// Order is the structure that a party's next proposal starts from: its own, or else the one that is shown.
func (d *Draft) Order(p traffic.Party) string {
	structure := d.Provisions[instrument.Structure]
	if structure == nil {
		return ""
	}
	if s, ok := structure.Stands[p]; ok {
		return s.Order
	}
	if r := d.Rolling(); r.Order != "" {
		return structure.Stands[r.Order].Order
	}
	for _, q := range slices.Sorted(maps.Keys(structure.Stands)) {
		return structure.Stands[q].Order
	}
	return ""
}

// Insert puts a clause into an order: behind another, or at its end. Error: ErrProvision where the other is not there.
func Insert(order string, kind instrument.Kind, id, after string) (string, error) {
	lines := orderLines(order)
	at := len(lines)
	if after != "" {
		i := slices.IndexFunc(lines, func(l string) bool { return orderID(l) == after })
		if i < 0 {
			return "", fmt.Errorf("%w: %q is not in the structure", ErrProvision, after)
		}
		at = i + 1
	}
	return strings.Join(slices.Insert(lines, at, string(kind)+" "+id), "\n"), nil
}

// Drop takes a clause out of an order. Error: ErrProvision where it is not there.
func Drop(order, id string) (string, error) {
	lines := orderLines(order)
	i := slices.IndexFunc(lines, func(l string) bool { return orderID(l) == id })
	if i < 0 {
		return "", fmt.Errorf("%w: %q is not in the structure", ErrProvision, id)
	}
	return strings.Join(slices.Delete(lines, i, i+1), "\n"), nil
}

func orderLines(order string) []string {
	if order == "" {
		return nil
	}
	return strings.Split(order, "\n")
}

func orderID(line string) string {
	_, id, _ := strings.Cut(line, " ")
	return id
}

// wanted finds a wording of a provision: by the party that stands on it, by digits of its digest, or, where of is empty, the only one of another party.
func (d *Draft) wanted(self traffic.Party, provision, of string) ([32]byte, error) {
	p := d.Provisions[provision]
	if p == nil {
		return [32]byte{}, fmt.Errorf("%w: %q", ErrProvision, provision)
	}
	if of == "" {
		found := make(map[[32]byte]bool)
		for q, s := range p.Stands {
			if q != self {
				found[s.Digest] = true
			}
		}
		if len(found) != 1 {
			return [32]byte{}, fmt.Errorf("%w: the others stand on %d wordings of %s: say whose", ErrWording, len(found), provision)
		}
		for digest := range found {
			return digest, nil
		}
	}
	if s, ok := p.Stands[traffic.Party(of)]; ok {
		return s.Digest, nil
	}
	var found [][32]byte
	for digest := range p.Wordings {
		if len(of) >= 4 && strings.HasPrefix(hex.EncodeToString(digest[:]), strings.ToLower(of)) {
			found = append(found, digest)
		}
	}
	if len(found) != 1 {
		return [32]byte{}, fmt.Errorf("%w: %d wordings of %s are %q", ErrWording, len(found), provision, of)
	}
	return found[0], nil
}

// Accept stands on a wording that was tabled: of a party, of a digest, or the only one of the others. Errors: ErrProvision, ErrWording, ErrFrozen.
func (c *Chancery) Accept(d *Draft, provision, of string) (node.Draft, error) {
	if d.Frozen != nil {
		return node.Draft{}, ErrFrozen
	}
	digest, err := d.wanted(c.self, provision, of)
	if err != nil {
		return node.Draft{}, err
	}
	return d.draft("acceptance", form.Values{"provision": provision, "digest": digest[:]}), nil
}

// Acceptable lists the provisions on which all others stand on one wording and this party does not: what it accepts where it accepts all.
func (c *Chancery) Acceptable(d *Draft) (out []string) {
	for _, id := range d.inOrder() {
		digest, err := d.wanted(c.self, id, "")
		if err != nil || len(d.Provisions[id].Stands) == 0 {
			continue
		}
		others := 0
		for q := range d.Provisions[id].Stands {
			if q != c.self {
				others++
			}
		}
		own, stands := d.Provisions[id].Stands[c.self]
		if others == len(d.Opening.Parties)-1 && (!stands || own.Digest != digest || own.Reserved != "") {
			out = append(out, id)
		}
	}
	return out
}

// Reserve stands on a wording with a reservation: a scrutiny, ad referendum. Where of is empty, it is the own one, or the only one of the others. Errors: as Accept.
func (c *Chancery) Reserve(d *Draft, provision, of, reason, words string) (node.Draft, error) {
	if d.Frozen != nil {
		return node.Draft{}, ErrFrozen
	}
	if p := d.Provisions[provision]; p != nil && of == "" {
		if _, stands := p.Stands[c.self]; stands {
			of = string(c.self)
		}
	}
	digest, err := d.wanted(c.self, provision, of)
	if err != nil {
		return node.Draft{}, err
	}
	v := form.Values{"provision": provision, "digest": digest[:], "reason": reason}
	if words != "" {
		v["words"] = words
	}
	return d.draft("reservation", v), nil
}

// Withdraw gives up the own stand on a provision. Errors: ErrProvision, ErrNothing, ErrFrozen.
func (c *Chancery) Withdraw(d *Draft, provision string) (node.Draft, error) {
	p := d.Provisions[provision]
	switch {
	case d.Frozen != nil:
		return node.Draft{}, ErrFrozen
	case p == nil:
		return node.Draft{}, fmt.Errorf("%w: %q", ErrProvision, provision)
	}
	if _, stands := p.Stands[c.self]; !stands {
		return node.Draft{}, fmt.Errorf("%w: %s does not stand on %s", ErrNothing, c.self, provision)
	}
	return d.draft("withdrawal", form.Values{"provision": provision}), nil
}

// Package agrees to several wordings only together. of has for each provision a party or a digest; empty is the own stand, or the only one of the others.
// Errors: as Accept.
func (c *Chancery) Package(d *Draft, name string, of map[string]string) (node.Draft, error) {
	if d.Frozen != nil {
		return node.Draft{}, ErrFrozen
	}
	var lines []string
	for _, provision := range slices.Sorted(maps.Keys(of)) {
		whose := of[provision]
		if p := d.Provisions[provision]; p != nil && whose == "" {
			if _, stands := p.Stands[c.self]; stands {
				whose = string(c.self)
			}
		}
		digest, err := d.wanted(c.self, provision, whose)
		if err != nil {
			return node.Draft{}, err
		}
		lines = append(lines, provision+" "+hex.EncodeToString(digest[:]))
	}
	return d.draft("package", form.Values{"name": name, "items": strings.Join(lines, "\n")}), nil
}

// Unpack withdraws an own package, named by digits of its id. Error: ErrNothing.
func (c *Chancery) Unpack(d *Draft, id string) (node.Draft, error) {
	for _, p := range d.Packages {
		if p.By == c.self && !p.Withdrawn && len(id) >= 4 && strings.HasPrefix(p.Statement.String(), strings.ToLower(id)) {
			return d.draft("package-withdrawal", nil, p.Statement), nil
		}
	}
	return node.Draft{}, fmt.Errorf("%w: no own package %q", ErrNothing, id)
}

// Comment says something about a provision, or about all where it is empty, without taking a position. A paper is a non-paper.
func (d *Draft) Comment(provision, words string, paper bool) (node.Draft, error) {
	switch {
	case paper && provision == "":
		return d.draft("non-paper", form.Values{"words": words}), nil
	case paper:
		return node.Draft{}, fmt.Errorf("%w: a non-paper is about no provision", ErrProvision)
	case provision != "" && !provisionPattern.MatchString(provision):
		return node.Draft{}, fmt.Errorf("%w: %.70q", ErrProvision, provision)
	}
	v := form.Values{"words": words}
	if provision != "" {
		v["provision"] = provision
	}
	return d.draft("comment", v), nil
}

// inOrder lists the provisions: what is no clause first, then those of the text in its order, then those that no structure names.
func (d *Draft) inOrder() (out []string) {
	for _, id := range []string{instrument.Title, instrument.Names, instrument.Structure} {
		if d.Provisions[id] != nil {
			out = append(out, id)
		}
	}
	for _, clause := range d.Rolling().Clauses {
		if d.Provisions[clause.ID] != nil {
			out = append(out, clause.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.Provisions)) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// Waiting lists the provisions on which the others wait for a party: they are open, and it was another that moved last.
func (d *Draft) Waiting(p traffic.Party) []string { return d.awaited[p] }

func (d *Draft) waiting(p traffic.Party) (out []string) {
	if d.Frozen != nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(d.Provisions)) {
		if agreed, _ := d.Agreed(id); agreed {
			continue
		}
		prov := d.Provisions[id]
		own, stands := prov.Stands[p]
		for q, s := range prov.Stands {
			if q != p && (!stands || s.Digest != own.Digest && d.later(s.Statement, own.Statement)) {
				out = append(out, id)
				break
			}
		}
	}
	return out
}

// later tells whether a statement comes after another in the negotiation.
func (d *Draft) later(a, b statement.ID) bool {
	return d.order[a] > d.order[b]
}

// Opening is what opens a negotiation.
type Opening struct {
	Channel    [32]byte
	Plane      traffic.Plane
	Title      wording.Texts
	Kind       string
	Nature     string
	Languages  []string
	Prevailing string
	Parties    []traffic.Party // empty: all members of the channel
	Template   string
	Amends     [32]byte // hash of a manifest
	Case       string
	Remarks    string
}

// Open opens a negotiation. Errors: ErrRegime, ErrWording, those of node.Channel.
func (c *Chancery) Open(ctx context.Context, o Opening) (node.Draft, error) {
	if _, err := c.Regime(o.Channel); err != nil {
		return node.Draft{}, err
	}
	ch, _, err := c.node.Channel(o.Channel)
	if err != nil {
		return node.Draft{}, err
	}
	if err := o.Title.Check(); err != nil {
		return node.Draft{}, fmt.Errorf("%w: title: %w", ErrWording, err)
	}
	if len(o.Languages) == 0 {
		o.Languages = o.Title.Languages()
	}
	for _, lang := range o.Languages {
		if err := wording.CheckLanguage(lang); err != nil {
			return node.Draft{}, fmt.Errorf("%w: %q: %w", ErrWording, lang, err)
		}
	}
	if o.Prevailing != "" && !slices.Contains(o.Languages, o.Prevailing) {
		return node.Draft{}, fmt.Errorf("%w: %s cannot prevail, it is no authentic language", ErrWording, o.Prevailing)
	}
	parties := o.Parties
	if len(parties) == 0 {
		parties = ch.Members
	}
	var list []any
	for _, p := range parties {
		list = append(list, string(p))
	}
	v := form.Values{
		"title": map[string]string(o.Title), "kind": o.Kind, "nature": o.Nature, "languages": strings.Join(o.Languages, " "), "parties": list,
	}
	for name, text := range map[string]string{"prevailing": o.Prevailing, "template": o.Template, "case": o.Case, "remarks": o.Remarks} {
		if text != "" {
			v[name] = text
		}
	}
	if o.Amends != ([32]byte{}) {
		v["amends"] = o.Amends[:]
	}
	return node.Draft{Channel: o.Channel, Plane: o.Plane, Precedence: traffic.Routine, Audience: statement.Everyone, Form: FormNegotiation, Values: v}, nil
}
