// Package dialogue folds consultations and groups of experts from their statements: which rounds are proposed, agreed, declined and held, what was
// resolved there, who is in a group and what it adopted.
// It must never look at a clock, nor let anything but the statements decide: how something stands at a moment is asked with At, from outside.
package dialogue

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// Item is a statement of the dossier, as the fold takes it.
type Item struct {
	ID     statement.ID
	Issuer traffic.Address
	At     time.Time // by its author's clock
	Form   string
	Refs   []statement.ID
	Clock  int64
	Values form.Values // nil for what the regime cannot read
	// Void says why the dossier leaves it without effect (invalid, or out of its order); empty for a statement that counts.
	Void      string
	Cancelled bool // by its own author: it has no effect
}

// Entry is a statement and what the fold made of it.
type Entry struct {
	Item
	Why string // why it has no effect; empty for one that has, see Reasons
}

// Why a statement has no effect. It is shown all the same.
const (
	Void          = "void"           // the dossier leaves it without effect
	Cancelled     = "cancelled"      // by its author
	Malformed     = "malformed"      // its values do not fit together
	NotOpen       = "not-open"       // before the opening
	OpenedAlready = "opened-already" // a second opening
	NotHere       = "not-here"       // of rounds in a group, of groups in a series
	Unknown       = "unknown"        // refers to nothing that it could be about
	NotYours      = "not-yours"      // only the party whose it is may do that
	Over          = "over"           // the round was held
	NoMember      = "no-member"      // by a party that has no member in the group
	NoRapporteur  = "no-rapporteur"  // only the rapporteur's party may do that
	UnderRule     = "under-rule"     // a signed contribution in a group under the Chatham House rule
	Limit         = "limit"          // beyond what a dossier holds
)

// Reasons lists why a statement may have no effect, for whoever has words for each.
func Reasons() []string {
	return []string{Void, Cancelled, Malformed, NotOpen, OpenedAlready, NotHere, Unknown, NotYours, Over, NoMember, NoRapporteur, UnderRule, Limit}
}

// Limits of a dossier, whose statements strangers may have written to be dear.
const (
	maxRounds    = 1000
	maxProposals = 64 // of a round
	maxThings    = 4096
)

// Mode is how a round takes place.
type Mode string

// The modes.
const (
	InPerson       Mode = "in-person"
	ThirdVenue     Mode = "third-venue"
	Virtual        Mode = "virtual"
	Correspondence Mode = "correspondence"
)

// Lighter is the next form that asks less of both sides; correspondence is the lightest.
func (m Mode) Lighter() Mode {
	switch m {
	case InPerson, ThirdVenue:
		return Virtual
	}
	return Correspondence
}

// Dialogue is what the statements of a dossier make of it: a series or a group. It is the same on every side that holds the same statements.
type Dialogue struct {
	ID      statement.ID // of the opening statement; zero while there is none
	Parties []traffic.Party
	Series  *Series // nil for a group
	Group   *Group  // nil for a series
	Papers  []Paper
	Entries []Entry // in the canonical order
}

// Paper is a document that somebody put on the table.
type Paper struct {
	Statement statement.ID
	By        traffic.Address
	At        time.Time
	Number    int // of the round; 0 for none
	Kind      string
	Title     wording.Texts
	Words     string
	File      form.Blob // of size 0 where there is none
}

// Fold computes the dialogue of a dossier between the members of its channel. It brings the items into the canonical order itself, and drops nothing: what does
// not fit stands in its place with the reason.
func Fold(items []Item, members []traffic.Party) *Dialogue {
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.Issuer.String(), b.Issuer.String()), bytes.Compare(a.ID[:], b.ID[:]))
	})
	items = slices.CompactFunc(items, func(a, b Item) bool { return a.ID == b.ID })
	d := &Dialogue{Parties: slices.Sorted(slices.Values(members)), Entries: make([]Entry, len(items))}
	f := fold{Dialogue: d, proposals: map[statement.ID]*Proposal{}, acceptances: map[statement.ID]*Proposal{}, actions: map[statement.ID]*Action{}, sessions: map[statement.ID]*Session{}}
	for i, it := range items {
		e := &d.Entries[i]
		e.Item = it
		switch {
		case it.Void != "":
			e.Why = Void
		case it.Cancelled:
			e.Why = Cancelled
		default:
			e.Why = f.take(e)
		}
	}
	return d
}

// fold is a dialogue while it is computed.
type fold struct {
	*Dialogue
	proposals   map[statement.ID]*Proposal
	acceptances map[statement.ID]*Proposal
	actions     map[statement.ID]*Action
	sessions    map[statement.ID]*Session
}

// take lets an entry have its effect, or says why it has none.
func (f *fold) take(e *Entry) string {
	act, group := f.act(e.Form)
	switch {
	case act == nil:
		return "" // of another layer: acknowledgements, the texts that are negotiated
	case e.Values == nil:
		return Malformed
	case e.Form == "series" || e.Form == "group":
		if f.ID != (statement.ID{}) {
			return OpenedAlready
		}
		return act(e)
	case f.ID == statement.ID{}:
		return NotOpen
	case group == inSeries && f.Series == nil, group == inGroup && f.Group == nil:
		return NotHere
	case f.Group != nil && !f.Group.has(e.Issuer.Party) && e.Form != "group-member":
		return NoMember
	}
	return act(e)
}

type where int

const (
	anywhere where = iota
	inSeries
	inGroup
)

// act is what the fold does with statements of a form, and where that has a meaning; nil for those that do not concern it.
func (f *fold) act(formID string) (func(*Entry) string, where) {
	switch formID {
	case "series":
		return f.series, anywhere
	case "group":
		return f.group, anywhere
	case "paper":
		return f.paper, anywhere
	case "round-proposal":
		return f.propose, inSeries
	case "round-acceptance":
		return f.accept, inSeries
	case "round-withdrawal":
		return f.withdraw, inSeries
	case "round-refusal":
		return f.refuse, inSeries
	case "round-held":
		return f.held, inSeries
	case "delegation":
		return f.delegation, inSeries
	case "round-text":
		return f.text, inSeries
	case "minutes-signature":
		return f.sign, inSeries
	case "action":
		return f.action, anywhere
	case "action-status":
		return f.status, anywhere
	case "group-member":
		return f.member, inGroup
	case "contribution":
		return f.contribute, inGroup
	case "report-adoption":
		return f.adopt, inGroup
	case "session":
		return f.session, inGroup
	case "attribution":
		return f.attribute, inGroup
	case "session-output":
		return f.output, inGroup
	}
	return nil, anywhere
}

func (f *fold) paper(e *Entry) string {
	if len(f.Papers) >= maxThings {
		return Limit
	}
	p := Paper{Statement: e.ID, By: e.Issuer, At: e.At, Number: int(e.Values.Int("number")), Kind: e.Values.Text("kind"), Title: texts(e.Values, "title"), Words: e.Values.Text("words")}
	p.File, _ = e.Values.Blob("paper")
	f.Papers = append(f.Papers, p)
	return ""
}

// texts reads a field that says the same in several languages.
func texts(v form.Values, name string) wording.Texts {
	m, _ := v[name].(map[string]any)
	out := make(wording.Texts, len(m))
	for lang, text := range m {
		out[lang], _ = text.(string)
	}
	return out
}

// digest reads 32 bytes.
func digest(v form.Values, name string) (d [32]byte) {
	copy(d[:], v.Bytes(name))
	return d
}

// window reads a period.
func window(v form.Values, name string) (from, to time.Time) {
	w, _ := v[name].([]any)
	if len(w) != 2 {
		return from, to
	}
	a, _ := w[0].(int64)
	b, _ := w[1].(int64)
	return time.Unix(a, 0).UTC(), time.Unix(b, 0).UTC()
}

// addresses reads a list of parties or posts.
func addresses(v form.Values, name string) (out []string) {
	list, _ := v[name].([]any)
	for _, a := range list {
		if s, ok := a.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// partyOf is the party of an address.
func partyOf(address string) traffic.Party {
	p, _, _ := strings.Cut(address, "/")
	return traffic.Party(p)
}
