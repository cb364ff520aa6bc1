package standing

import (
	"cmp"
	"slices"
	"time"

	"detente/floor"
	"detente/statement"
	"detente/traffic"
)

// Translation is a translation of a statement: a statement of its own, by whichever party made it. The original is authoritative, always.
type Translation struct {
	ID         statement.ID
	Number     string
	From       traffic.Address
	Language   string // of the translation
	MadeBy     string // person, machine or machine-reviewed
	Translator string
	Reviewer   string
	Certifier  string
	Text       string
	At         time.Time

	clock int64
}

// Machine tells whether a machine made it, also where a person has looked it over.
func (t *Translation) Machine() bool { return t.MadeBy != "person" }

// mostTranslations is how many translations of one statement are kept, the first: nobody is to fill another's screen.
const mostTranslations = 32

func (s *Standing) addTranslation(t *floor.Told) {
	h := &t.Statement.Header
	if len(h.Refs) != 1 || len(s.versions[h.Refs[0]]) == mostTranslations {
		return
	}
	v := t.Values
	s.versions[h.Refs[0]] = append(s.versions[h.Refs[0]], Translation{
		ID: t.Statement.ID(), Number: traffic.Number(h.Issuer, t.Feed, t.Index), From: h.Issuer, Language: v.Text("language"), MadeBy: v.Text("made_by"),
		Translator: v.Text("translator"), Reviewer: v.Text("reviewer"), Certifier: v.Text("certifier"), Text: v.Text("text"), At: h.IssuedAt, clock: h.Clock,
	})
}

// Translations lists those of a statement: persons' first, certified before reviewed, the newest first. What was read is asked: it does not wait.
func (s *Standing) Translations(of statement.ID) []Translation {
	s.mu.RLock()
	out := slices.Clone(s.versions[of])
	s.mu.RUnlock()
	rank := func(t *Translation) int {
		switch {
		case t.Machine():
			return 3
		case t.Certifier != "":
			return 0
		case t.Reviewer != "":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b Translation) int {
		return cmp.Or(rank(&a)-rank(&b), b.At.Compare(a.At), cmp.Compare(b.clock, a.clock))
	})
	return out
}
