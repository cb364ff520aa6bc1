package incident

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Codebook is the table of signals of a regime, its table "codebook": numbers that both sides know, each with its appropriate response. What a
// signal means stands in the regime's phrases, in every language.
type Codebook struct {
	Version int `json:"version"`
	// Otherwise are responses that fit every signal: that one cannot, that one has not understood.
	Otherwise []string `json:"otherwise"`
	Signals   []Signal `json:"signals"`
}

// Signal is one row of a codebook.
type Signal struct {
	Code      string   `json:"code,omitempty"` // of the form's field signal; empty for one that the sides have agreed on since
	Number    int64    `json:"number"`
	Responses []string `json:"responses,omitempty"` // codes of the form's field response, the usual one first
	Trial     bool     `json:"trial,omitempty"`
	// Of a signal that the sides have agreed on: the proposer's words, and the proposal.
	Meaning  string       `json:"-"`
	Response string       `json:"-"`
	Agreed   statement.ID `json:"-"`
	Retired  bool         `json:"-"`
}

// codeAgreed is the code of a signal that stands in no codebook, but that the sides have agreed on.
const codeAgreed = "agreed"

// LoadCodebook reads the codebook of a regime: a row for each code of the form signal, and for none besides. It returns ErrNone where the regime has
// none, and ErrTable, wrapped.
func LoadCodebook(r *form.Regime) (*Codebook, error) {
	raw, ok := r.Table("codebook")
	if !ok {
		return nil, ErrNone
	}
	b := &Codebook{}
	if err := form.DecodeStrict(raw, b); err != nil {
		return nil, fmt.Errorf("%w: codebook: %w", ErrTable, err)
	}
	if err := b.check(r); err != nil {
		return nil, fmt.Errorf("%w: codebook: %w", ErrTable, err)
	}
	return b, nil
}

func (b *Codebook) check(r *form.Regime) error {
	signals, err := codesIn(r, formSignal, "signal")
	if err != nil {
		return err
	}
	responses, err := codesIn(r, formSignalAnswer, "response")
	if err != nil {
		return err
	}
	if len(b.Signals) != len(signals)-1 || b.Version < 1 || !slices.Contains(signals, codeAgreed) {
		return fmt.Errorf("version %d has %d signals, the form %d", b.Version, len(b.Signals), len(signals)-1)
	}
	seen := map[string]bool{codeAgreed: true}
	numbers := map[int64]bool{}
	for _, s := range b.Signals {
		if !slices.Contains(signals, s.Code) || seen[s.Code] || numbers[s.Number] || s.Number < 1 || s.Number > 9999 || len(s.Responses) == 0 {
			return fmt.Errorf("signal %q, number %d", s.Code, s.Number)
		}
		seen[s.Code], numbers[s.Number] = true, true
		for _, response := range s.Responses {
			if !slices.Contains(responses, response) {
				return fmt.Errorf("signal %q: no response %q", s.Code, response)
			}
		}
	}
	for _, response := range b.Otherwise {
		if !slices.Contains(responses, response) {
			return fmt.Errorf("no response %q", response)
		}
	}
	return nil
}

func codesIn(r *form.Regime, formID, name string) ([]string, error) {
	f, ok := r.Latest(formID)
	if !ok {
		return nil, fmt.Errorf("no form %q", formID)
	}
	field, ok := f.Field(name)
	if !ok || field.Kind != form.KindCode {
		return nil, fmt.Errorf("%s has no code %q", formID, name)
	}
	return field.Codes, nil
}

// Find gives the signal of a code.
func (b *Codebook) Find(code string) (Signal, bool) {
	if i := slices.IndexFunc(b.Signals, func(s Signal) bool { return s.Code == code && code != "" }); i >= 0 {
		return b.Signals[i], true
	}
	return Signal{}, false
}

// Appropriate tells whether a response is one that the codebook names for a signal. To a signal that stands in no codebook any is.
func (b *Codebook) Appropriate(code, response string) bool {
	s, ok := b.Find(code)
	return !ok || slices.Contains(s.Responses, response) || slices.Contains(b.Otherwise, response)
}

// Change is a change to the codebook that the sides have agreed on.
type Change struct {
	Statement statement.ID
	By        traffic.Party
	Action    string // try, adopt or retire
	Number    int64
	Meaning   string
	Response  string

	clock int64
}

// Changes lists what the sides have agreed to change, over several cases of one channel, in the canonical order of the proposals.
func Changes(cases []*Case) (out []Change) {
	for _, c := range cases {
		for _, m := range c.Matters {
			if v := m.opening.Values; m.opening.Form == formCodebook && m.State == "agreed" {
				out = append(out, Change{m.ID, m.Asker, v.Text("action"), v.Int("number"), v.Text("meaning"), v.Text("response"), m.opening.Clock})
			}
		}
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.clock, b.clock), cmp.Compare(a.By, b.By), bytes.Compare(a.Statement[:], b.Statement[:]))
	})
	return out
}

// With lists the signals as they stand after the changes, by their numbers. A number that is taken stays with its signal: a proposal to adopt it ends its
// trial, one to retire it takes it out of use, and neither gives it another meaning.
func (b *Codebook) With(changes []Change) []Signal {
	out := slices.Clone(b.Signals)
	for _, c := range changes {
		i := slices.IndexFunc(out, func(s Signal) bool { return s.Number == c.Number })
		switch {
		case i >= 0 && c.Action == "retire":
			out[i].Retired = true
		case i >= 0 && c.Action == "adopt":
			out[i].Trial, out[i].Retired = false, false
		case i < 0 && c.Action != "retire":
			out = append(out, Signal{Number: c.Number, Trial: c.Action == "try", Meaning: c.Meaning, Response: c.Response, Agreed: c.Statement})
		}
	}
	slices.SortFunc(out, func(a, b Signal) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

// Level is a level of one side's own scale of severity, and what it corresponds to on the common one.
type Level struct {
	By        traffic.Party
	Own       string
	Common    string
	Meaning   string
	Statement statement.ID
}

// Scales lists the levels that each side has declared, its last word on each counting. The items are those of one channel, in the canonical order.
func Scales(items []Item) (out []Level) {
	for _, it := range items {
		if it.Form != formScale || it.Void != "" || it.Cancelled {
			continue
		}
		v := it.Values
		l := Level{it.Issuer.Party, v.Text("level"), v.Text("common"), v.Text("meaning"), it.ID}
		i := slices.IndexFunc(out, func(o Level) bool { return o.By == l.By && o.Own == l.Own })
		withdrawn, _ := v["withdrawn"].(bool)
		switch {
		case i >= 0 && withdrawn:
			out = slices.Delete(out, i, i+1)
		case i >= 0:
			out[i] = l
		case !withdrawn:
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b Level) int {
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(slices.Index(Severities(), a.Common), slices.Index(Severities(), b.Common)), cmp.Compare(a.Own, b.Own))
	})
	return out
}

// Severities are the levels of the common scale, from the lowest.
func Severities() []string { return []string{"none", "minor", "moderate", "major", "severe"} }

// Common maps a level of a party's own scale; empty where the party has declared none of that name.
func Common(scales []Level, by traffic.Party, own string) string {
	for _, l := range scales {
		if l.By == by && l.Own == own {
			return l.Common
		}
	}
	return ""
}

// Consent is a set of figures that both sides have signed for, and that may be published.
type Consent struct {
	Statement statement.ID // the proposal
	By        traffic.Party
	Figures   []byte // SHA-256 of what is published
}

// Consents lists the figures of the case that may be published.
func (c *Case) Consents() (out []Consent) {
	for _, m := range c.Matters {
		if m.opening.Form == formPublication && m.State == "consented" {
			out = append(out, Consent{m.ID, m.Asker, m.opening.Values.Bytes("figures")})
		}
	}
	return out
}
