package instrument

import (
	"slices"
	"strings"
	"time"

	"detente/key"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// What a signature or consent says of itself.
const (
	Definitive  = "definitive"
	AdReferend  = "ad-referendum"
	ToRatify    = "subject-to-ratification"
	Accession   = "accession"
	Notified    = "notification"
	decideYes   = "accept"
	decideNo    = "object"
	noteSecond  = "second"
	kindNotes   = "exchange-of-notes"
	kindLetters = "letters"
)

// certify takes in that an officer has compared the languages of the clean text.
func (f *fold) certify(e *Entry) string {
	d, ok := digest(e.Values, "text")
	if !ok {
		return Malformed
	}
	if _, current, ok := f.text(); !ok || current != d {
		return Incomplete
	}
	langs := strings.Fields(e.Values.Text("languages"))
	for _, lang := range langs {
		if !slices.Contains(f.Opening.Languages, lang) {
			return OtherLanguage
		}
	}
	full := !slices.ContainsFunc(f.Opening.Languages, func(lang string) bool { return !slices.Contains(langs, lang) })
	f.Steps = append(f.Steps, &Step{Form: e.Form, By: e.Issuer, Text: d, Full: full, Ground: e.Values.Text("officer"), Statement: e.ID, At: e.At})
	return ""
}

// manifest tables a set of terms. It is complete if its text is the clean one; tabled again it may become so again.
func (f *fold) manifest(e *Entry) string {
	b := e.Values.Bytes("manifest")
	terms, err := sealing.DecodeManifest(b)
	if err != nil {
		return Malformed
	}
	if terms.Instrument != [32]byte(f.ID) || terms.Plane != e.Plane || !f.sameParties(terms) {
		return Incomplete
	}
	hash := sealing.HashOf(b)
	m := f.ManifestOf(hash)
	if m != nil && m.Complete {
		return "" // a round about a manifest that was tabled
	}
	if m == nil {
		if !f.spend("manifest", [32]byte{}, e.Issuer.Party, 1, maxManifests) {
			return Limit
		}
		m = &Manifest{Hash: hash, Bytes: b, Terms: terms}
		f.Manifests = append(f.Manifests, m)
	}
	m.Statement, m.By, m.At = e.ID, e.Issuer.Party, e.At
	text, d, ok := f.text()
	if !ok || d != terms.Text {
		return Incomplete
	}
	named, all := text.Named(f.Opening.Parties)
	m.Unchecked = !all || text.size()*len(named) > maxRendered
	if !m.Unchecked && !f.Acts(m) && !originals(&text, named, terms) {
		return Incomplete
	}
	m.Text, m.Complete = text, true
	return ""
}

// text is Text and its digest, computed once for as long as nothing moves.
func (f *fold) text() (Text, [32]byte, bool) {
	if f.Frozen != nil {
		return f.Frozen.Text, f.Frozen.Terms.Text, true
	}
	if !f.clean() {
		return Text{}, [32]byte{}, false
	}
	if f.current == nil {
		t, err := f.Clean()
		if err != nil {
			return Text{}, [32]byte{}, false // unreachable while clean counts rightly
		}
		f.current, f.digest = &t, t.Digest()
	}
	return *f.current, f.digest, true
}

// size is the bytes of all clauses in all languages.
func (t *Text) size() int {
	n := 0
	for _, c := range t.Clauses {
		for _, text := range c.Texts {
			n += len(text)
		}
	}
	return n
}

// originals tells whether a manifest has the digest of each party's original in each language.
func originals(t *Text, named []Named, m *sealing.Manifest) bool {
	if len(m.Texts) != len(named)*len(t.Languages) {
		return false
	}
	for _, h := range m.Texts {
		if !slices.Contains(t.Languages, h.Lang) {
			return false
		}
		o := t.Render(h.Lang, named, h.Party)
		if o.Digest() != h.Digest {
			return false
		}
	}
	return true
}

// Text is the text that is frozen, else the clean one; false if there is neither.
func (n *Negotiation) Text() (Text, bool) {
	if n.Frozen != nil {
		return n.Frozen.Text, true
	}
	t, err := n.Clean()
	return t, err == nil
}

// named gives the manifest that a step names, or why it must not be taken.
func (f *fold) named(e *Entry, field string) (*Manifest, string) {
	hash, ok := digest(e.Values, field)
	if !ok {
		return nil, Malformed
	}
	m := f.ManifestOf(hash)
	switch {
	case m == nil:
		return nil, NoManifest
	case !m.Complete:
		return nil, Incomplete
	}
	return m, ""
}

// step is an initialling, signature or consent.
func (f *fold) step(e *Entry) string {
	m, why := f.named(e, "manifest")
	if m == nil {
		return why
	}
	s := &Step{Form: e.Form, Manifest: m.Hash, By: e.Issuer, Manner: e.Values.Text("manner"), Statement: e.ID, At: e.At}
	if f.taken(m.Hash, e.Form, e.Issuer.Party) != nil {
		return Already
	}
	may := []string{mayConsent}
	switch e.Form {
	case "initialling":
		may = []string{mayInitial, maySign}
		if s.Manner = ""; f.taken(m.Hash, "signature", e.Issuer.Party) != nil {
			return Already // who has signed has authenticated
		}
	case "signature":
		may = []string{maySign}
	case "consent":
		if f.Acts(m) && m.Terms.Kind == KindTermination {
			may = []string{mayWithdraw}
			break
		}
		signed := f.taken(m.Hash, "signature", e.Issuer.Party)
		switch s.Manner {
		case "ratification", "acceptance", "approval":
			if signed == nil {
				return NotYet
			}
		case Accession:
			if signed != nil {
				return Already
			}
		}
	}
	if s.Powers, why = f.empowered(e, may...); why != "" {
		return why
	}
	f.add(s)
	f.freeze(m)
	return ""
}

func (f *fold) add(s *Step) {
	f.Steps = append(f.Steps, s)
	if s.LapsedAt.IsZero() {
		f.steps[stepOf{s.Manifest, s.Form, s.By.Party}] = s
	}
}

// stepOf finds a step that has not lapsed.
type stepOf struct {
	manifest [32]byte
	form     string
	party    traffic.Party
}

func (f *fold) taken(manifest [32]byte, formID string, party traffic.Party) *Step {
	return f.steps[stepOf{manifest, formID, party}]
}

// freeze holds the text fast once all have authenticated one manifest of it.
func (f *fold) freeze(m *Manifest) {
	if f.Frozen != nil || f.Acts(m) {
		return
	}
	for _, party := range f.Opening.Parties {
		if f.taken(m.Hash, "initialling", party) == nil && f.taken(m.Hash, "signature", party) == nil {
			return
		}
	}
	f.Frozen = m
}

// confirm makes a signature ad referendum a full one.
func (f *fold) confirm(e *Entry) string {
	about := f.about(e)
	if about == nil || about.Form != "signature" {
		return Unknown
	}
	hash, _ := digest(about.Values, "manifest")
	s := f.taken(hash, "signature", about.Issuer.Party)
	switch {
	case about.Issuer.Party != e.Issuer.Party:
		return NotParty
	case s == nil || s.Statement != about.ID:
		return Incomplete
	case s.Manner != AdReferend || f.taken(hash, e.Form, e.Issuer.Party) != nil:
		return Already
	}
	powers, why := f.empowered(e, maySign)
	if why != "" {
		return why
	}
	f.add(&Step{Form: e.Form, Manifest: hash, By: e.Issuer, Powers: powers, Regarding: about.ID, Statement: e.ID, At: e.At})
	return ""
}

// note is one of an exchange, protocol.md#ladder. The first of all first notes that is answered counts.
func (f *fold) note(e *Entry) string {
	switch {
	case f.Opening.Kind != kindNotes && f.Opening.Kind != kindLetters || len(f.Opening.Parties) != 2:
		return NotHere
	case f.Exchanged() != nil:
		return Already
	}
	n := &Note{Second: e.Values.Text("order") == noteSecond, Number: e.Values.Text("number"), By: e.Issuer, Texts: e.Values.Texts("texts"), Statement: e.ID, At: e.At}
	if n.Texts.Check() != nil {
		return Malformed
	}
	for lang := range n.Texts {
		if !slices.Contains(f.Opening.Languages, lang) {
			return OtherLanguage
		}
	}
	if n.Second {
		id, _ := digest(e.Values, "quotes")
		i := slices.IndexFunc(f.Notes, func(o *Note) bool { return o.Statement == statement.ID(id) && !o.Second })
		switch {
		case i < 0:
			return Unknown
		case f.Notes[i].By.Party == e.Issuer.Party:
			return NotParty
		case f.Opening.Kind == kindNotes && !Quotes(n.Texts, f.Notes[i].Texts):
			return QuoteDiffers
		}
		n.Quotes = id
	} else if !f.spend(e.Form, [32]byte{}, e.Issuer.Party, 1, maxNotes) {
		return Limit
	}
	var why string
	if n.Powers, why = f.empowered(e, mayConsent, maySign); why != "" {
		return why
	}
	f.Notes = append(f.Notes, n)
	return ""
}

// Quotes tells whether the texts of a second note have those of the first in them, byte for byte, in each language of the first.
func Quotes(second, first wording.Texts) bool {
	for lang, text := range first {
		if !strings.Contains(second[lang], text) {
			return false
		}
	}
	return len(first) > 0
}

// Exchanged gives the second note of an exchange that is complete; nil while it is not.
func (n *Negotiation) Exchanged() *Note {
	if i := slices.IndexFunc(n.Notes, func(o *Note) bool { return o.Second }); i >= 0 {
		return n.Notes[i]
	}
	return nil
}

// verdict takes in what the evidence of a certificate says of a round. Whoever brings it: the signatures in it decide, and nobody takes back a consent
// by re-opening the text while the round runs.
func (f *fold) verdict(e *Entry) string {
	hash, ok := digest(e.Values, "round")
	m := f.ManifestOf(hash)
	switch {
	case !ok || m == nil:
		return NoManifest
	case len(m.Text.Clauses) == 0:
		return Incomplete // it never was about the clean text: what it brings into force is not known here
	}
	if !f.spend(e.Form, hash, e.Issuer.Party, 1, maxVerdicts) {
		return Limit // each costs as many signatures as there are parties and sealers
	}
	evidence, err := sealing.DecodeEvidence(e.Values.Bytes("evidence"))
	if err != nil {
		return Malformed
	}
	o, err := sealing.Verdict(m.Bytes, key.Standard(), evidence)
	switch {
	case err != nil:
		return Malformed
	case o.State == sealing.StatePlain || o.State == sealing.StatePending:
		return NoVerdict
	case m.Sealed == o.State:
		return "" // said again
	case m.Sealed != "":
		o.State = sealing.StateContested // two certificates of one round that contradict each other: no party is bound
	}
	m.Sealed = o.State
	if o.State == sealing.StateInForce && !f.Acts(m) && f.Frozen == nil {
		m.Complete, f.Frozen = true, m // all have consented to it, which says more than initials
	}
	f.Steps = append(f.Steps, &Step{Form: e.Form, Manifest: m.Hash, By: e.Issuer, Decision: string(o.State), Statement: e.ID, At: e.At})
	return ""
}

// afterwards is what is done with an instrument that all have authenticated.
func (f *fold) afterwards(e *Entry) string {
	hash, ok := digest(e.Values, "manifest")
	if !ok {
		return Malformed
	}
	exchange := f.Exchanged() != nil && [32]byte(f.Exchanged().Quotes) == hash
	m := f.ManifestOf(hash)
	switch {
	case m == nil && !exchange:
		return NoManifest
	case !exchange && (f.Frozen == nil || !m.Complete):
		return NotYet
	}
	if !f.spend(e.Form, hash, e.Issuer.Party, 1, maxLater) {
		return Limit
	}
	s := &Step{Form: e.Form, Manifest: hash, By: e.Issuer, Ground: e.Values.Text("ground"), Statement: e.ID, At: e.At, From: e.At}
	may := ""
	switch e.Form {
	case "rectification":
		s.Provision, s.Texts, s.Ground = e.Values.Text("provision"), e.Values.Texts("texts"), e.Values.Text("reason")
		if exchange {
			return NotHere
		}
		if c, ok := m.Text.Clause(s.Provision); !ok || len(c.Texts) == 0 {
			return Unknown
		}
		if s.Texts.Check() != nil || !s.Texts.Covers(f.Opening.Languages) {
			return OtherLanguage
		}
	case "suspension-notice", "resumption":
		s.Provs, may = strings.Fields(e.Values.Text("provisions")), mayWithdraw
		for _, id := range s.Provs {
			if exchange {
				return NotHere
			}
			if _, ok := m.Text.Clause(id); !ok {
				return Unknown
			}
		}
		if t := e.Values.Time("from"); t.After(s.From) {
			s.From = t
		}
	case "termination-notice":
		may = mayWithdraw
		earliest := f.notice(m).From(e.At)
		s.From = earliest
		if t := e.Values.Time("effect"); t.After(earliest) {
			s.From = t
		} else if !t.IsZero() && t.Before(earliest) {
			e.Remarks = append(e.Remarks, ShortNotice)
		}
	case "extension":
		s.From, may = e.Values.Time("until"), mayConsent
	}
	if may != "" {
		var why string
		if s.Powers, why = f.empowered(e, may); why != "" {
			return why
		}
	}
	f.Steps = append(f.Steps, s)
	f.byID[e.ID] = s
	return ""
}

// notice is the period between a notice of termination and its effect. Where nothing was said of it a legal instrument takes twelve months, as article
// 56 (2) of the Vienna Convention has it; a political one ends at once.
func (f *fold) notice(m *Manifest) sealing.Period {
	switch {
	case m != nil && !m.Terms.Notice.Zero():
		return m.Terms.Notice
	case f.Opening.Legal():
		return sealing.Period{Months: 12}
	}
	return sealing.Period{}
}

// answer accepts or objects to a rectification, or takes back a notice.
func (f *fold) answer(e *Entry) string {
	about := f.about(e)
	if about == nil || f.byID[about.ID] == nil {
		return Unknown
	}
	on := f.byID[about.ID]
	s := &Step{Form: e.Form, Manifest: on.Manifest, By: e.Issuer, Regarding: on.Statement, Decision: e.Values.Text("decision"), Ground: e.Values.Text("words"), Statement: e.ID, At: e.At}
	k := answerOf{on.Statement, e.Issuer.Party}
	switch {
	case f.answered[k]:
		return Already
	case e.Form == "rectification-answer":
		if on.Form != "rectification" || on.By.Party == e.Issuer.Party || s.Decision != decideYes && s.Decision != decideNo {
			return Malformed
		}
	case on.Form != "termination-notice" && on.Form != "suspension-notice":
		return Malformed
	case on.By.Party != e.Issuer.Party:
		return NotParty
	case on.Form == "termination-notice" && !e.At.Before(on.From):
		return Already // it has taken effect
	default:
		var why string
		if s.Powers, why = f.empowered(e, mayWithdraw); why != "" {
			return why
		}
	}
	f.answered[k] = true
	f.Steps = append(f.Steps, s)
	return ""
}

type answerOf struct {
	statement statement.ID
	party     traffic.Party
}

// tacit is after how long a rectification counts to which nobody has objected, as depositaries have it.
const tacit = 90 * 24 * time.Hour
