// Package proposal holds what a document says against the text of an instrument, whatever the format of the document.
// It must never change the text: what a document says otherwise binds nobody before a delegate has tabled it.
package proposal

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"detente/instrument"
)

// ErrMisfit is that a document has what the text has not, or elsewhere.
var ErrMisfit = errors.New("proposal: the document does not fit the text")

// Seen is what a document says of a provision in one language, whatever its format.
type Seen struct {
	Provision string
	Number    string
	Lang      string
	Old, New  string   // before and after its tracked changes
	Authors   []string // of the changes, as the document calls them
}

// Proposal is what a document says otherwise than a text. It binds nobody: a delegate tables it, or does not.
type Proposal struct {
	Provision string   `json:"provision"`
	Lang      string   `json:"lang"`
	Old       string   `json:"old"` // as the text has it
	New       string   `json:"new"`
	Authors   []string `json:"authors,omitempty"` // for the eyes of whoever imports: never stated
	// Untracked tells that the document without its changes is not the text either: somebody wrote without tracking, or the text has gone on since.
	Untracked bool `json:"untracked,omitempty"`
}

// Of is what a document proposes to change in a text, in its order, and which provisions of the text it does not have, as "provision" or
// "provision language". Error: ErrMisfit, with the provision, for a provision or language that the text does not have, for another number or another
// order: what stands where is a provision of its own.
func Of(t instrument.Text, seen []Seen) (out []Proposal, missing []string, err error) {
	clauses := make(map[string]int, len(t.Clauses))
	for i, c := range t.Clauses {
		clauses[c.ID] = i
	}
	last := -1
	has := make(map[string]bool, len(seen))
	for _, s := range seen {
		old, number, at := t.Title[s.Lang], "", -1
		if s.Provision == instrument.Names {
			old = t.Names[s.Lang]
		} else if s.Provision != instrument.Title {
			i, ok := clauses[s.Provision]
			if !ok {
				return nil, nil, fmt.Errorf("%w: %s is no provision of it", ErrMisfit, s.Provision)
			}
			old, number, at = t.Clauses[i].Texts[s.Lang], t.Clauses[i].Number, i
		}
		switch {
		case !slices.Contains(t.Languages, s.Lang):
			return nil, nil, fmt.Errorf("%w: %s is in %q, the text is not", ErrMisfit, s.Provision, s.Lang)
		case at < last:
			return nil, nil, fmt.Errorf("%w: %s stands elsewhere in it", ErrMisfit, s.Provision)
		case s.Number != number:
			return nil, nil, fmt.Errorf("%w: the number of %s is %q", ErrMisfit, s.Provision, number)
		case has[s.Provision+" "+s.Lang]:
			return nil, nil, fmt.Errorf("%w: %s stands there twice", ErrMisfit, s.Provision)
		}
		last = at
		has[s.Provision], has[s.Provision+" "+s.Lang] = true, true
		if wanted := strings.Trim(s.New, "\n"); wanted != old {
			out = append(out, Proposal{s.Provision, s.Lang, old, wanted, s.Authors, strings.Trim(s.Old, "\n") != old})
		}
	}
	for i := -1; i < len(t.Clauses); i++ {
		id, texts := instrument.Title, t.Title
		if i >= 0 {
			id, texts = t.Clauses[i].ID, t.Clauses[i].Texts
		}
		if i >= 0 && !has[id] {
			missing = append(missing, id)
			continue
		}
		for _, lang := range t.Languages {
			if has[id] && texts[lang] != "" && !has[id+" "+lang] {
				missing = append(missing, id+" "+lang)
			}
		}
	}
	return out, missing, nil
}
