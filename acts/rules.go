package acts

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"detente/form"
	"detente/traffic"
)

// Limits of the rules of an instrument.
const (
	MaxRules   = 32 << 10 // bytes of JSON
	maxListed  = 1024     // parties, provisions, posts in a list
	maxGroups  = 16
	maxDays    = 36600
	maxMonths  = 1200
	maxWith    = 64
	maxThresh  = 10000
	maxLine    = 256
	rulesFirst = 1
)

// ErrRules is returned, wrapped, for rules that are not well formed, or ask for what cannot be.
var ErrRules = errors.New("acts: not the rules of an instrument")

// Natures of an instrument.
const (
	Legal     = "legal"     // a treaty obligation: reservations and objections work between each two
	Political = "political" // a commitment: against whom it runs is for its rules to say
)

// Rules are those of an instrument, as data, protocol.md#acts-rules. Its opening carries them, and nobody can change them afterwards.
type Rules struct {
	Version     int             `json:"version"` // 1
	Nature      string          `json:"nature"`
	Depositary  []traffic.Party `json:"depositary,omitempty"` // may record acts of others
	Eligibility Eligibility     `json:"eligibility"`
	// Consent lists the ways in, Sign for definitive signature. Empty: Sign, Consent, Succeed and, in a political instrument, Adhere; in a legal one the rest.
	Consent []Kind `json:"consent,omitempty"`
	Entry   Entry  `json:"entry"`
	Notice  Delay  `json:"notice,omitzero"` // from a denunciation to its effect
	// BackDate is the most days that an act may be dated before it is known; 0 sets no bound.
	BackDate     int          `json:"back_date,omitempty"`
	Reservations Reservations `json:"reservations"`
	// Runs says against whom a political pledge runs: RunsAll or RunsAdherents. Absent in a legal instrument.
	Runs   string `json:"runs,omitempty"`
	Powers Powers `json:"powers"`
}

// Against whom a political pledge runs.
const (
	RunsAll       = "all"       // everybody, whether they adhere or not
	RunsAdherents = "adherents" // those who adhere on that day
)

// Eligibility says who may take part. Nothing else does.
type Eligibility struct {
	Who     string          `json:"who"` // EligibleAll or EligibleListed
	Parties []traffic.Party `json:"parties,omitempty"`
}

// Who may take part.
const (
	EligibleAll    = "all"
	EligibleListed = "listed" // those in the list, and who continues or succeeds one of them
)

// Delay is a time from a day, reckoned in this order: months (to the month's last day where it is too short), days, then the first day of the month after.
type Delay struct {
	Months       int  `json:"months,omitempty"`
	Days         int  `json:"days,omitempty"`
	FirstOfMonth bool `json:"first_of_month,omitempty"`
}

// After is the day on which the time has run.
func (d Delay) After(from Day) Day {
	if from == 0 {
		return 0
	}
	to := from.months(d.Months)
	if d.Days != 0 {
		to = to.add(d.Days)
	}
	if d.FirstOfMonth {
		to = to.nextMonth()
	}
	return to
}

// Entry says when the instrument enters into force, and for whom afterwards.
type Entry struct {
	Threshold int     `json:"threshold"`           // consents that it takes; 0 and 1 are the first
	Among     []Group `json:"among,omitempty"`     // and of those, so many of each group
	Delay     Delay   `json:"delay,omitzero"`      // from the day on which they were there
	NotBefore Day     `json:"not_before,omitzero"` // whatever else
	// Later is the delay for whoever consents afterwards; absent: as Delay.
	Later *Delay `json:"later,omitempty"`
	// LaterFrom says who that is: LaterThreshold (who consents after the day on which the threshold was met; the default) or LaterEntry (after entry into force).
	LaterFrom string `json:"later_from,omitempty"`
}

// From when on a consent is a later one.
const (
	LaterThreshold = "threshold"
	LaterEntry     = "entry"
)

// Group is parties of whom some must have consented.
type Group struct {
	Parties []traffic.Party `json:"parties"`
	AtLeast int             `json:"at_least"`
}

// Reservations is the regime of reservations.
type Reservations struct {
	Regime string `json:"regime"` // ReservePermitted, ReserveProhibited, ReserveOnly, ReserveExcept
	// Provisions are those to which alone, or not, reservations may be made. One stands for what is within it: art-4 for art-4.2.
	Provisions []string `json:"provisions,omitempty"`
	// TacitMonths after which whoever has not objected has accepted; 0: an objection is never too late.
	TacitMonths int `json:"tacit_months,omitempty"`
	// Late says what a reservation after consent does: LateRefused, LateTacit. Absent: refused.
	Late string `json:"late,omitempty"`
	// Confirm demands that a reservation made before consent is confirmed by then.
	Confirm bool `json:"confirm,omitempty"`
	// DropOnSuccession: who succeeds does not keep the reservations of the predecessor.
	DropOnSuccession bool `json:"drop_on_succession,omitempty"`
}

// The regimes of reservations.
const (
	ReservePermitted  = "permitted"
	ReserveProhibited = "prohibited"
	ReserveOnly       = "only"
	ReserveExcept     = "except"
	LateRefused       = "refused"
	LateTacit         = "tacit" // has effect after TacitMonths, unless a party objects by then
)

// Powers says who may state acts.
type Powers struct {
	Required bool `json:"required"`
	// Exempt are posts that need none, such as those of the head of state, the head of government and the foreign minister.
	Exempt []traffic.Post `json:"exempt,omitempty"`
}

// ParseRules reads rules strictly: no unknown key, none twice, within the limits. Error: ErrRules.
func ParseRules(b []byte) (*Rules, error) {
	if len(b) > MaxRules {
		return nil, fmt.Errorf("%w: over %d bytes", ErrRules, MaxRules)
	}
	r := &Rules{}
	if err := form.DecodeStrict(b, r); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrRules, err)
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return r, nil
}

// Bytes writes the rules as ParseRules reads them.
func (r *Rules) Bytes() ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrRules, err)
	}
	if len(b) > MaxRules {
		return nil, fmt.Errorf("%w: over %d bytes", ErrRules, MaxRules)
	}
	return b, nil
}

// Check tells whether the rules are well formed. Error: ErrRules.
func (r *Rules) Check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrRules, what) }
	switch {
	case r.Version != rulesFirst:
		return bad("version")
	case r.Nature != Legal && r.Nature != Political:
		return bad("nature")
	case !parties(r.Depositary):
		return bad("depositary")
	case r.Eligibility.Who != EligibleAll && r.Eligibility.Who != EligibleListed, !parties(r.Eligibility.Parties),
		(r.Eligibility.Who == EligibleListed) != (len(r.Eligibility.Parties) > 0):
		return bad("eligibility")
	case r.Entry.Threshold < 0 || r.Entry.Threshold > maxThresh || len(r.Entry.Among) > maxGroups, !r.Entry.Delay.ok(), r.Entry.Later != nil && !r.Entry.Later.ok(),
		!slices.Contains([]string{"", LaterThreshold, LaterEntry}, r.Entry.LaterFrom):
		return bad("entry")
	case !r.Notice.ok():
		return bad("notice")
	case r.BackDate < 0 || r.BackDate > maxDays:
		return bad("back_date")
	case (r.Nature == Political) != (r.Runs != ""), !slices.Contains([]string{"", RunsAll, RunsAdherents}, r.Runs):
		return bad("runs")
	}
	for _, g := range r.Entry.Among {
		if len(g.Parties) == 0 || !parties(g.Parties) || g.AtLeast < 1 || g.AtLeast > len(g.Parties) {
			return bad("entry.among")
		}
	}
	for i, k := range r.Consent {
		if k != Sign && !slices.Contains(Consents(), k) || slices.Contains(r.Consent[:i], k) {
			return bad("consent")
		}
	}
	v := &r.Reservations
	limited := v.Regime == ReserveOnly || v.Regime == ReserveExcept
	switch {
	case !limited && v.Regime != ReservePermitted && v.Regime != ReserveProhibited, limited != (len(v.Provisions) > 0), len(v.Provisions) > maxListed,
		v.TacitMonths < 0 || v.TacitMonths > maxMonths, !slices.Contains([]string{"", LateRefused, LateTacit}, v.Late), v.Late == LateTacit && v.TacitMonths == 0:
		return bad("reservations")
	case slices.ContainsFunc(v.Provisions, func(p string) bool { return p == "" || !line(p, maxLine) }):
		return bad("reservations.provisions")
	}
	if len(r.Powers.Exempt) > maxListed || slices.ContainsFunc(r.Powers.Exempt, func(p traffic.Post) bool { return !p.Valid() }) {
		return bad("powers.exempt")
	}
	return nil
}

func (d Delay) ok() bool {
	return d.Months >= 0 && d.Months <= maxMonths && d.Days >= 0 && d.Days <= maxDays
}

// parties tells whether a list of parties is well formed and names none twice.
func parties(list []traffic.Party) bool {
	if len(list) > maxListed {
		return false
	}
	seen := make(map[traffic.Party]bool, len(list))
	for _, p := range list {
		if !p.Valid() || seen[p] {
			return false
		}
		seen[p] = true
	}
	return true
}

// way tells whether the instrument may be entered by acts of a kind.
func (r *Rules) way(k Kind) bool {
	if len(r.Consent) > 0 {
		return slices.Contains(r.Consent, k)
	}
	switch k {
	case Sign, Consent, Succeed:
		return true
	case Adhere:
		return r.Nature == Political
	}
	return r.Nature == Legal && slices.Contains(Consents(), k)
}

// permits tells whether a reservation to a provision may be made at all.
func (r *Reservations) permits(provision string) bool {
	listed := slices.ContainsFunc(r.Provisions, func(p string) bool {
		rest, ok := strings.CutPrefix(provision, p)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '-')
	})
	switch r.Regime {
	case ReservePermitted:
		return true
	case ReserveOnly:
		return listed
	case ReserveExcept:
		return !listed && provision != "" // one to the whole touches what is excepted
	}
	return false
}
