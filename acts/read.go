package acts

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// The forms of a public channel that concern instruments, protocol.md#acts.
const (
	FormOpening    = "instrument-opening"
	FormAct        = "act"
	FormPowers     = "full-powers"
	FormRevocation = "full-powers-revocation"
)

// Forms lists them.
func Forms() []string { return []string{FormOpening, FormAct, FormPowers, FormRevocation} }

// Item is a statement in the public feeds of one party.
type Item struct {
	ID      statement.ID
	Party   traffic.Party   // whose feed it is in
	Issuer  traffic.Address // as it says
	At      time.Time       // as it says
	Clock   int64
	Form    string
	Refs    []statement.ID
	Values  form.Values // nil for what the regime cannot read
	Commits bool        // its post may commit its party, by the charter that judges it
	Invalid string      // the judge's reason; empty for a valid one
	// Held is since when another than its party is known to have held it. It counts where it is later than At; zero says nothing.
	Held time.Time
}

// Opening is an instrument as it was opened.
type Opening struct {
	ID        string            `json:"id"`
	Party     traffic.Party     `json:"party"`
	At        time.Time         `json:"at"` // since when it is known
	Title     map[string]string `json:"title"`
	Kind      string            `json:"kind,omitempty"`
	Nature    string            `json:"nature"`
	Texts     map[string]string `json:"texts,omitempty"`
	Languages []string          `json:"languages"`
	Manifest  string            `json:"manifest,omitempty"` // in hex, of the negotiation's end
	Rules     *Rules            `json:"rules,omitempty"`    // nil if they cannot be read
	Why       Reason            `json:"why,omitempty"`      // why it opens nothing

	clock int64 // of the statement
}

// Stray is a statement that concerns no instrument that is known, or cannot be read. It is named all the same.
type Stray struct {
	ID         string        `json:"id"`
	Party      traffic.Party `json:"party"`
	At         time.Time     `json:"at"`
	Form       string        `json:"form"`
	Instrument string        `json:"instrument,omitempty"`
	Why        Reason        `json:"why"`
}

// Reading is what the public feeds say about instruments.
type Reading struct {
	Openings []*Opening       // by the time of opening, then the clock, then id
	Acts     map[string][]Act // by the id of the opening, which is an act of its own
	Strays   []Stray
}

// Opening finds an instrument by the beginning of its id; false for none, or several.
func (r *Reading) Opening(prefix string) (*Opening, bool) {
	var found *Opening
	for _, o := range r.Openings {
		if strings.HasPrefix(o.ID, prefix) {
			if found != nil {
				return nil, false
			}
			found = o
		}
	}
	return found, found != nil
}

// Record folds the acts about an instrument as known by a time, which may be zero. Nil for an opening that opens nothing.
func (r *Reading) Record(o *Opening, known time.Time) *Record {
	if o.Rules == nil || o.Why != "" {
		return nil
	}
	return Fold(o.Rules, r.Acts[o.ID], known)
}

// maxPowers is how many full powers of a post are looked through for those of an act that names none.
const maxPowers = 64

// powers are full powers as they were stated.
type powers struct {
	id         statement.ID
	post       traffic.Address
	may        []string
	instrument string
	window     [2]time.Time
	revoked    bool
}

// reader reads the feeds of one party.
type reader struct {
	*Reading
	openings map[string]*Opening
	given    map[traffic.Post][]*powers // the last maxPowers of each post
	byID     map[statement.ID]*powers
	forked   map[traffic.Party]time.Time
}

// Read makes openings and acts of the statements in public feeds, protocol.md#acts-statements. The order in which they come is immaterial. forked are the parties convicted of a fork, and
// since when that is known: their acts are read, and change no status from then.
func Read(items []Item, forked map[traffic.Party]time.Time) *Reading {
	out := &Reading{Acts: map[string][]Act{}}
	list := slices.Clone(items)
	slices.SortFunc(list, func(a, b Item) int {
		if c := strings.Compare(string(a.Party), string(b.Party)); c != 0 {
			return c
		}
		if a.Clock != b.Clock {
			if a.Clock < b.Clock {
				return -1
			}
			return 1
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	list = slices.CompactFunc(list, func(a, b Item) bool { return a.ID == b.ID })
	late(list)
	r := &reader{Reading: out, openings: map[string]*Opening{}, forked: forked}
	for i := range list {
		if list[i].Form == FormOpening {
			r.open(&list[i])
		}
	}
	var party traffic.Party
	for i := range list {
		it := &list[i]
		if it.Party != party || r.byID == nil {
			party, r.given, r.byID = it.Party, map[traffic.Post][]*powers{}, map[statement.ID]*powers{}
		}
		switch it.Form {
		case FormAct:
			r.act(it)
		case FormPowers:
			r.empower(it)
		case FormRevocation:
			if it.Invalid == "" && it.Commits {
				for _, ref := range it.Refs {
					if p := r.byID[ref]; p != nil {
						p.revoked = true
					}
				}
			}
		}
	}
	slices.SortFunc(out.Openings, func(a, b *Opening) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.clock, b.clock), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(out.Strays, func(a, b Stray) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// late moves each time to that of the statement before, where that is later: nobody makes known today what was known yesterday. What is invalid moves nothing.
func late(list []Item) {
	var last time.Time
	for i := range list {
		it := &list[i]
		if i == 0 || it.Party != list[i-1].Party {
			last = time.Time{}
		}
		if it.Held.After(it.At) {
			it.At = it.Held
		}
		if it.At.Before(last) {
			it.At = last
		}
		if it.Invalid == "" {
			last = it.At
		}
	}
}

func (r *reader) stray(it *Item, instrument string, why Reason) {
	r.Strays = append(r.Strays, Stray{it.ID.String(), it.Party, it.At, it.Form, instrument, why})
}

func (r *reader) open(it *Item) {
	if it.Values == nil {
		r.stray(it, "", Invalid)
		return
	}
	v := it.Values
	o := &Opening{
		ID: it.ID.String(), Party: it.Party, At: it.At, clock: it.Clock, Title: v.Texts("title"), Kind: v.Text("kind"), Nature: v.Text("nature"), Texts: v.Texts("texts"),
		Languages: strings.Fields(v.Text("languages")), Manifest: hex.EncodeToString(v.Bytes("manifest")),
	}
	rules, err := ParseRules([]byte(v.Text("rules")))
	switch {
	case it.Invalid != "" || it.Issuer.Party != it.Party:
		o.Why = Invalid
	case !it.Commits:
		o.Why = NoPowers
	case err != nil || rules.Nature != o.Nature:
		o.Why = Malformed
	}
	if err == nil {
		o.Rules = rules
	}
	r.Openings = append(r.Openings, o)
	r.openings[o.ID] = o
	if o.Why == "" {
		r.Acts[o.ID] = append(r.Acts[o.ID], Act{ID: o.ID, Party: o.Party, Kind: Open, Date: DayOf(it.At), Known: it.At, Clock: it.Clock, Texts: o.Title})
	}
}

func (r *reader) empower(it *Item) {
	if it.Invalid != "" || it.Values == nil || !it.Commits || it.Issuer.Party != it.Party {
		return
	}
	post, err := traffic.ParseAddress(it.Values.Text("post"))
	if err != nil || post.Party != it.Party || post.Post == it.Issuer.Post {
		return // no post gives itself powers
	}
	p := &powers{id: it.ID, post: post, may: list(it.Values, "may"), instrument: hex.EncodeToString(it.Values.Bytes("instrument"))}
	if w, ok := it.Values["window"].([]any); ok && len(w) == 2 {
		from, _ := w[0].(int64)
		to, _ := w[1].(int64)
		p.window = [2]time.Time{time.Unix(from, 0), time.Unix(to, 0)}
	}
	given := append(r.given[post.Post], p)
	r.given[post.Post] = given[max(0, len(given)-maxPowers):]
	r.byID[it.ID] = p
}

// permitted tells what is wrong with the powers of an act, as of its place.
func (r *reader) permitted(it *Item, a *Act, instrument string, rules *Rules) Reason {
	if !rules.Powers.Required || slices.Contains(rules.Powers.Exempt, it.Issuer.Post) {
		if it.Commits {
			return ""
		}
	}
	fits := func(p *powers) bool {
		return p.post == it.Issuer && slices.Contains(p.may, a.needs()) && (p.instrument == "" || p.instrument == instrument) &&
			(p.window[0].IsZero() || !it.At.Before(p.window[0]) && it.At.Before(p.window[1]))
	}
	if id := it.Values.Bytes("powers"); len(id) == len(statement.ID{}) {
		p := r.byID[statement.ID(id)]
		switch {
		case p == nil:
			return NoPowers
		case !fits(p):
			return PowersScope
		case p.revoked:
			return PowersRevoked
		}
		return ""
	}
	why := NoPowers
	for _, p := range slices.Backward(r.given[it.Issuer.Post]) {
		switch {
		case !fits(p):
			if why == NoPowers {
				why = PowersScope
			}
		case p.revoked:
			why = PowersRevoked
		default:
			return ""
		}
	}
	return why
}

// needs is what full powers must say for the act.
func (a *Act) needs() string {
	switch a.Kind {
	case Sign:
		return "sign"
	case Confirm:
		if a.Regarding == "" {
			return "sign"
		}
	case Ratify, Accept, Approve, Accede, FormallyConfirm, Consent, Succeed, Adhere, ApplyProvisional:
		return "consent"
	case Denounce, Revoke, Terminate:
		return "withdraw"
	case Withdraw:
		if a.Regarding == "" {
			return "withdraw"
		}
	}
	return "declare"
}

func (r *reader) act(it *Item) {
	if it.Values == nil {
		r.stray(it, "", Invalid)
		return
	}
	v := it.Values
	instrument := hex.EncodeToString(v.Bytes("instrument"))
	o := r.openings[instrument]
	if o == nil || o.Why != "" || o.Rules == nil {
		r.stray(it, instrument, UnknownOpening)
		return
	}
	a := Act{
		ID: it.ID.String(), Party: it.Party, Kind: Kind(v.Text("kind")), Manner: v.Text("manner"), Date: dayIn(v, "date"), Effect: dayIn(v, "effect"), Known: it.At, Clock: it.Clock,
		Provision: v.Text("provision"), Texts: v.Texts("texts"), Regarding: hex.EncodeToString(v.Bytes("regarding")), Participant: v.Text("participant"),
	}
	if of := v.Text("of"); of != "" && of != string(it.Party) {
		a.Party, a.By = traffic.Party(of), it.Party
	}
	a.AtLeast = int(min(v.Int("at_least"), maxThresh))
	a.Opposing, _ = v["opposing"].(bool)
	for _, w := range list(v, "with") {
		if address, err := traffic.ParseAddress(w); err == nil && !slices.Contains(a.With, address.Party) {
			a.With = append(a.With, address.Party)
		}
	}
	a.Void = r.permitted(it, &a, instrument, o.Rules)
	switch since, ok := r.forked[it.Party]; {
	case it.Invalid != "" || it.Issuer.Party != it.Party:
		a.Void = Invalid
	case !a.Kind.Valid() || a.Date == 0 || !a.Party.Valid():
		a.Void = Malformed
	case (a.Kind == Open || a.Kind == Adopt) && !slices.Contains(o.Rules.Depositary, it.Party) && it.Party != o.Party:
		a.Void = NotDepositary
	case ok && a.Void == "" && !a.Known.Before(since): // what was known before stands: else whoever wants to leave would fork its feed
		a.Void, a.VoidFrom = Forked, since
	}
	r.Acts[instrument] = append(r.Acts[instrument], a)
}

// dayIn reads a time as the day on which it falls; no day for none.
func dayIn(v form.Values, name string) Day {
	if _, ok := v[name]; !ok {
		return 0
	}
	return DayOf(v.Time(name))
}

func list(v form.Values, name string) []string {
	l, _ := v[name].([]any)
	out := make([]string, 0, len(l))
	for _, x := range l {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
