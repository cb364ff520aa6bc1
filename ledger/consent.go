package ledger

import (
	"bytes"
	"slices"
	"time"

	"detente/dossier"
	"detente/form"
	"detente/statement"
	"detente/traffic"
)

// Forms by which the members agree to publish figures.
const (
	formPublication = "publication"
	formConsent     = "publication-answer"
	consented       = "consented"
)

// Publication is a proposal to publish the figures of a period, and who has signed for it.
type Publication struct {
	ID       statement.ID    `json:"id"`
	Period   Period          `json:"period"`
	Figures  [32]byte        `json:"-"` // the digest of the account
	By       traffic.Party   `json:"by"`
	Consents []Reply         `json:"consents"`
	For      []traffic.Party `json:"for"`     // who has signed for these figures, the proposer first
	Against  []traffic.Party `json:"against"` // who has declined, or signed for others
	Agreed   bool            `json:"agreed"`  // every member has signed for these figures
}

// Publications reads every proposal to publish in the dossiers of a channel, in the order of the states. Figures that are not Agreed are nobody's to publish.
func Publications(states []*dossier.State, regime *form.Regime, members []traffic.Party) []Publication {
	var out []Publication
	for _, s := range states {
		out = agreed(out, proposals(s, regime), members)
	}
	return out
}

// Proposed is Publications from what was taken of the dossiers before, in the order of their ids: the dossiers may be given in any order.
func Proposed(parts []*Part, members []traffic.Party) []Publication {
	var out []Publication
	for _, p := range slices.SortedFunc(slices.Values(parts), func(a, b *Part) int { return bytes.Compare(a.ID[:], b.ID[:]) }) {
		out = agreed(out, p.proposals, members)
	}
	return out
}

// agreed appends proposals, with whether every member has signed for them.
func agreed(out, all []Publication, members []traffic.Party) []Publication {
	for _, p := range all {
		p.Consents, p.For, p.Against = slices.Clone(p.Consents), slices.Clone(p.For), slices.Clone(p.Against)
		p.Agreed = len(p.Against) == 0 && !slices.ContainsFunc(members, func(m traffic.Party) bool { return !slices.Contains(p.For, m) })
		out = append(out, p)
	}
	return out
}

// proposals reads those of one dossier and what the members have said to them.
func proposals(s *dossier.State, regime *form.Regime) (out []Publication) {
	by := make(map[statement.ID]int)
	for i := range s.Entries {
		if p, ok := publication(&s.Entries[i], regime); ok {
			by[p.ID] = len(out)
			out = append(out, p)
		}
	}
	for i := range s.Entries {
		if len(out) == 0 {
			break
		}
		if v, ok := values(&s.Entries[i], formConsent, regime); ok {
			for _, ref := range s.Entries[i].Statement.Refs {
				if at, ok := by[ref]; ok {
					out[at].word(s.Entries[i].Statement, v)
				}
			}
		}
	}
	return out
}

func publication(e *dossier.Entry, regime *form.Regime) (p Publication, ok bool) {
	v, ok := values(e, formPublication, regime)
	figures := v.Bytes("figures")
	if !ok || e.Standing == dossier.Corrected || len(figures) != len(p.Figures) {
		return p, false
	}
	p.ID, p.By, p.Figures, p.For = e.Statement.ID(), e.Statement.Issuer.Party, [32]byte(figures), []traffic.Party{e.Statement.Issuer.Party}
	if w, is := v["period"].([]any); is && len(w) == 2 {
		from, _ := w[0].(int64)
		to, _ := w[1].(int64)
		p.Period = Period{From: time.Unix(from, 0).UTC(), To: time.Unix(to, 0).UTC(), Until: time.Unix(to, 0).UTC()}
	}
	return p, true
}

// word takes a member's answer to the proposal: of each member the first counts.
func (p *Publication) word(s *statement.Statement, v form.Values) {
	who := s.Issuer.Party
	if slices.Contains(p.For, who) || slices.Contains(p.Against, who) {
		return
	}
	if v.Text("decision") != consented || string(v.Bytes("figures")) != string(p.Figures[:]) {
		p.Against = append(p.Against, who)
		return
	}
	p.For = append(p.For, who)
	p.Consents = append(p.Consents, Reply{s.ID(), s.IssuedAt.UTC()})
}

// values reads an entry that is of a form, in order and not taken back.
func values(e *dossier.Entry, id string, regime *form.Regime) (form.Values, bool) {
	fm, known := regime.Form(e.Statement.Form, e.Statement.Version)
	if !known || e.Statement.Form != id || e.Standing == dossier.Invalid || e.Standing == dossier.OutOfOrder || e.Standing == dossier.Cancelled {
		return nil, false
	}
	v, err := fm.Decode(e.Statement.Payload)
	return v, err == nil
}

// Published tells whether every member has signed for exactly this account: only then is it anybody's to publish. The publication says who and when.
func (a *Account) Published(states []*dossier.State, regime *form.Regime, members []traffic.Party) (Publication, bool) {
	digest := a.Digest()
	all := Publications(states, regime, members)
	i := slices.IndexFunc(all, func(p Publication) bool { return p.Agreed && p.Figures == digest })
	if i < 0 {
		return Publication{}, false
	}
	return all[i], true
}
