package instrument

import (
	"bytes"
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// Why a statement has no effect. It is shown all the same.
const (
	Void          = "void"           // the dossier leaves it without effect: its standing there says why
	Cancelled     = "cancelled"      // by its author
	Malformed     = "malformed"      // its values do not fit together
	NotOpen       = "not-open"       // before the opening
	OpenedAlready = "opened-already" // a second opening
	NotParty      = "not-party"      // by a party that does not negotiate
	NotHere       = "not-here"       // has no meaning in an instrument of this kind
	Unknown       = "unknown"        // of a provision or statement that is not there
	NotTabled     = "not-tabled"     // of a wording that nobody has tabled before
	OtherLanguage = "other-language" // has a language that the opening does not
	RevealDiffers = "reveal-differs" // shows another wording than was committed to
	Frozen        = "frozen"         // all have authenticated the text
	Limit         = "limit"          // beyond what a negotiation holds
	NoManifest    = "no-manifest"    // names a manifest that is not there
	Incomplete    = "incomplete"     // the manifest or certificate is not about the clean text as it was then
	Already       = "already"        // its author has taken that step
	NotYet        = "not-yet"        // a step before it is missing
	NoPowers      = "no-powers"      // there are no full powers for it
	PowersOther   = "powers-other"   // they are for another office, act or instrument
	PowersWindow  = "powers-window"  // they had not begun, or had run out
	PowersRevoked = "powers-revoked" // they were revoked before
	QuoteDiffers  = "quote-differs"  // the second note does not have the first in it
	NoVerdict     = "no-verdict"     // the evidence does not decide the round
)

// Remarks on a statement that has effect.
const (
	Reopens     = "reopens"      // a provision that was agreed is open again
	Early       = "early"        // revealed before all had committed themselves
	Passes      = "passes"       // takes a position without showing what its author had committed to
	SelfGranted = "self-granted" // full powers that an office gives to itself
	ShortNotice = "short-notice" // names an effect earlier than the notice period allows
	NoForce     = "no-force"     // the text was re-opened after it, and the step has lapsed
)

// Reasons lists why a statement may have no effect, for whoever has words for each.
func Reasons() []string {
	return []string{Void, Cancelled, Malformed, NotOpen, OpenedAlready, NotParty, NotHere, Unknown, NotTabled, OtherLanguage, RevealDiffers, Frozen, Limit, NoManifest,
		Incomplete, Already, NotYet, NoPowers, PowersOther, PowersWindow, PowersRevoked, QuoteDiffers, NoVerdict}
}

// Remarks lists what may be remarked on one, likewise.
func Remarks() []string { return []string{Reopens, Early, Passes, SelfGranted, ShortNotice, NoForce} }

// Limits of a negotiation, whose statements strangers may have written to be dear. Most are for each party, so that none can use up what another needs.
const (
	maxClauses     = 2048 // of an order, and provisions that one party brings in
	maxCommitments = 16   // by one party on one provision
	maxTied        = 2048 // items of all packages of one party that are not withdrawn
	maxManifests   = 32   // by one party
	maxNotes       = 32
	maxVerdicts    = 8        // certificates about one manifest by one party
	maxLater       = 256      // notices and the like of one form about one manifest by one party
	maxRendered    = 64 << 20 // bytes of all originals of a text, to be held against a manifest
	maxParties     = 256
)

var provisionPattern = regexp.MustCompile(`^[a-z0-9.-]{1,64}$`)

// Fold computes the negotiation of a dossier. It brings the items into the canonical order itself, and drops nothing: what does not fit stands in its
// place with the reason.
func Fold(items []Item) *Negotiation {
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(
			cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.Issuer.String(), b.Issuer.String()), bytes.Compare(a.ID[:], b.ID[:]),
			cmp.Compare(len(a.Void), len(b.Void)), cmp.Compare(a.Void, b.Void),
		)
	})
	items = slices.CompactFunc(items, func(a, b Item) bool { return a.ID == b.ID })
	n := &Negotiation{Provisions: make(map[string]*Provision), Entries: make([]Entry, len(items))}
	f := fold{
		Negotiation: n, of: make(map[statement.ID]*Entry), fine: make(map[string]bool), in: make(map[string]Kind), on: make(map[string][]*Package),
		granted: make(map[statement.ID]*Powers), steps: make(map[stepOf]*Step), byID: make(map[statement.ID]*Step), answered: make(map[answerOf]bool), counts: make(map[stepOf]int),
	}
	for i, it := range items {
		e := &n.Entries[i]
		e.Item = it
		switch {
		case it.Void != "":
			e.Why = Void
		case it.Cancelled:
			e.Why = Cancelled
		default:
			e.Why = f.take(e)
		}
		if e.Why == "" {
			f.of[e.ID] = e
		}
	}
	return n
}

// fold is a negotiation while it is computed.
type fold struct {
	*Negotiation
	of map[statement.ID]*Entry // that have effect

	// The clean text, kept as statements come: what is in the agreed structure, and what of it is not agreed.
	lines []line
	in    map[string]Kind
	fine  map[string]bool
	open  int
	on    map[string][]*Package // packages that are not withdrawn, by provision

	granted  map[statement.ID]*Powers
	steps    map[stepOf]*Step       // those that have not lapsed
	byID     map[statement.ID]*Step // what may be answered or revoked
	answered map[answerOf]bool
	counts   map[stepOf]int // of what is limited for each party: see spend
	lapsed   int            // steps that were looked at when the text was last re-opened

	current *Text // the clean text, if it was asked for since anything moved
	digest  [32]byte
}

// take lets an entry have its effect, or says why it has none.
func (f *fold) take(e *Entry) string {
	switch e.Form {
	case "full-powers":
		return f.grant(e)
	case "full-powers-revocation":
		return f.revoke(e)
	case "negotiation":
		return f.begin(e)
	}
	act := f.act(e.Form)
	switch {
	case act == nil:
		return "" // of another layer: acknowledgements, packets of sealers
	case f.ID == statement.ID{}:
		return NotOpen
	case e.Values == nil:
		return Malformed
	case e.Form != "certificate" && !slices.Contains(f.Opening.Parties, e.Issuer.Party):
		return NotParty
	}
	return act(e)
}

// act is what the fold does with statements of a form; nil for those that do not concern it.
func (f *fold) act(formID string) func(*Entry) string {
	switch formID {
	case "position":
		return f.unlessFrozen(f.position)
	case "commitment":
		return f.unlessFrozen(f.commit)
	case "acceptance", "reservation":
		return f.unlessFrozen(f.accept)
	case "withdrawal":
		return f.unlessFrozen(f.withdraw)
	case "package":
		return f.unlessFrozen(f.pack)
	case "package-withdrawal":
		return f.unlessFrozen(f.unpack)
	case "comment", "non-paper":
		return f.comment
	case "conformity":
		return f.certify
	case "manifest", "seal-round":
		return f.manifest
	case "initialling", "signature", "consent":
		return f.step
	case "confirmation":
		return f.confirm
	case "note":
		return f.note
	case "certificate":
		return f.verdict
	case "rectification", "suspension-notice", "resumption", "termination-notice", "extension":
		return f.afterwards
	case "rectification-answer", "notice-revocation":
		return f.answer
	}
	return nil
}

func (f *fold) unlessFrozen(act func(*Entry) string) func(*Entry) string {
	return func(e *Entry) string {
		if f.Frozen != nil {
			return Frozen
		}
		return act(e)
	}
}

// spend counts what a party has used of something that is limited, and tells whether it may use n more.
func (f *fold) spend(what string, about [32]byte, party traffic.Party, n, most int) bool {
	k := stepOf{about, what, party}
	if f.counts[k]+n > most {
		return false
	}
	f.counts[k] += n
	return true
}

// begin opens the negotiation: the first opening that is well formed does.
func (f *fold) begin(e *Entry) string {
	if f.ID != (statement.ID{}) {
		return OpenedAlready
	}
	v := e.Values
	o := Opening{
		Statement: e.ID, By: e.Issuer, At: e.At, Title: v.Texts("title"), Kind: v.Text("kind"), Nature: v.Text("nature"), Languages: strings.Fields(v.Text("languages")),
		Prevailing: v.Text("prevailing"), Template: v.Text("template"), Case: v.Text("case"), Remarks: v.Text("remarks"),
	}
	copy(o.Amends[:], v.Bytes("amends"))
	for _, a := range addresses(v, "parties") {
		if !slices.Contains(o.Parties, a.Party) {
			o.Parties = append(o.Parties, a.Party)
		}
	}
	if len(o.Parties) < 2 || len(o.Parties) > maxParties || len(o.Languages) == 0 || len(o.Languages) > wording.MaxLanguages || o.Title.Check() != nil || o.Kind == "" || o.Nature == "" {
		return Malformed
	}
	seen := make(map[string]bool)
	for _, lang := range o.Languages {
		if seen[lang] || wording.CheckLanguage(lang) != nil {
			return Malformed
		}
		seen[lang] = true
	}
	if o.Prevailing != "" && wording.CheckLanguage(o.Prevailing) != nil {
		return Malformed
	}
	f.ID, f.Opening = e.ID, o
	return ""
}

// comment keeps what a party says without taking a position.
func (f *fold) comment(e *Entry) string {
	f.Comments = append(f.Comments, Comment{
		By: e.Issuer, Provision: e.Values.Text("provision"), Words: e.Values.Text("words"), Paper: e.Form == "non-paper", Statement: e.ID, At: e.At,
	})
	return ""
}

// about is the entry that a statement of exactly one reference refers to, if that has effect and comes before it.
func (f *fold) about(e *Entry) *Entry {
	if len(e.Refs) != 1 {
		return nil
	}
	return f.of[e.Refs[0]]
}

func addresses(v form.Values, name string) (out []traffic.Address) {
	list, _ := v[name].([]any)
	for _, item := range list {
		s, _ := item.(string)
		if a, err := traffic.ParseAddress(s); err == nil {
			out = append(out, a)
		}
	}
	return out
}

func codes(v form.Values, name string) (out []string) {
	list, _ := v[name].([]any)
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// digest gives 32 bytes of a field.
func digest(v form.Values, name string) (d [32]byte, ok bool) {
	b := v.Bytes(name)
	if len(b) != len(d) {
		return d, false
	}
	return [32]byte(b), true
}

// window gives the edges of a window, zero where there is none.
func window(v form.Values, name string) (from, to time.Time) {
	w, _ := v[name].([]any)
	if len(w) != 2 {
		return from, to
	}
	a, _ := w[0].(int64)
	b, _ := w[1].(int64)
	return time.Unix(a, 0).UTC(), time.Unix(b, 0).UTC()
}

// sameParties tells whether a manifest is between the parties of the opening.
func (f *fold) sameParties(m *sealing.Manifest) bool {
	have := make([]traffic.Party, len(m.Parties))
	for i, p := range m.Parties {
		have[i] = p.Party
	}
	want := slices.Clone(f.Opening.Parties)
	slices.Sort(want)
	return slices.Equal(have, want)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
