// Package models reads the instruments that ship as data, with which a negotiation can begin: their provisions in each language, in their order.
// It must never fill in what the parties are to agree on, nor take a model in which a language lacks a provision.
package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"detente/wording"
)

// ErrModel is returned, wrapped, for a model that is not well formed.
var ErrModel = errors.New("models: not a model of an instrument")

// Limits of a model.
const (
	maxSize    = 1 << 20
	maxClauses = 1000
)

// Model is an instrument to begin with.
type Model struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	// Kind and Nature are those that the form negotiation has, or instrument-opening.
	Kind       string   `json:"kind"`
	Nature     string   `json:"nature"`
	Languages  []string `json:"languages"` // in their order
	Prevailing string   `json:"prevailing,omitempty"`
	// About says in each language of the program what the model is for.
	About   map[string]string `json:"about"`
	Title   wording.Texts     `json:"title"`
	Clauses []Clause          `json:"clauses"`
	// Notes are what stands around the text where it is agreed by an exchange of notes.
	Notes *Notes `json:"notes,omitempty"`
	// Rules are those with which the instrument is opened to all, as package acts reads them; nil for one that is negotiated.
	Rules json.RawMessage `json:"rules,omitempty"`
}

// Clause is a provision in its place. A heading may have no texts.
type Clause struct {
	Kind  string        `json:"kind"` // as in an order of the structure, protocol.md#wording
	ID    string        `json:"id"`
	Texts wording.Texts `json:"texts,omitempty"`
}

// Notes are the frames of two notes. In the first {text} stands for the text agreed on; in the second {note} for the whole first note.
type Notes struct {
	First  wording.Texts `json:"first"`
	Second wording.Texts `json:"second"`
}

// Name is the id and version, such as "incidents-agreement/1".
func (m *Model) Name() string { return fmt.Sprintf("%s/%d", m.ID, m.Version) }

// Order is the structure as a position states it: one line for each clause, protocol.md#wording.
func (m *Model) Order() string {
	lines := make([]string, len(m.Clauses))
	for i, c := range m.Clauses {
		lines[i] = c.Kind + " " + c.ID
	}
	return strings.Join(lines, "\n")
}

// Clause gives the clause of that id.
func (m *Model) Clause(id string) (Clause, bool) {
	for _, c := range m.Clauses {
		if c.ID == id {
			return c, true
		}
	}
	return Clause{}, false
}

// Write makes the two notes of the text agreed on, in each of its languages. Error: ErrModel, where the model has no notes or the text is not in their languages.
func (m *Model) Write(text wording.Texts) (first, second wording.Texts, err error) {
	if m.Notes == nil || !text.Covers(m.Languages) {
		return nil, nil, fmt.Errorf("%w: %s makes no notes of that", ErrModel, m.Name())
	}
	first, second = wording.Texts{}, wording.Texts{}
	for _, lang := range m.Languages {
		first[lang] = strings.Replace(m.Notes.First[lang], tokenText, text[lang], 1)
		second[lang] = strings.Replace(m.Notes.Second[lang], tokenNote, first[lang], 1)
	}
	return first, second, nil
}

const (
	tokenText = "{text}"
	tokenNote = "{note}"
)

var (
	modelPattern  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	clausePattern = regexp.MustCompile(`^[a-z0-9.-]{1,64}$`)
	tokenPattern  = regexp.MustCompile(`\{[^{}]*\}?|\}`)
	namePattern   = regexp.MustCompile(`^\{(parties|(party|side):[1-9][0-9]?)(:[a-z]{1,8})?\}$`)
)

// kinds lists the kinds of clauses; heads are those whose texts are a heading, which may be missing.
func kinds() []string {
	return []string{"preamble", "chapter", "article", "paragraph", "point", "subpoint", "passage", "annex", "closing"}
}

func heads() []string { return []string{"chapter", "article", "annex"} }

// Parse reads a model. Error: ErrModel.
func Parse(b []byte) (*Model, error) {
	if len(b) > maxSize {
		return nil, fmt.Errorf("%w: over %d bytes", ErrModel, maxSize)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	m := &Model{}
	if err := dec.Decode(m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	if len(bytes.TrimSpace(b[dec.InputOffset():])) > 0 {
		return nil, fmt.Errorf("%w: something follows it", ErrModel)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrModel, m.ID, err)
	}
	return m, nil
}

func (m *Model) check() error {
	switch {
	case !modelPattern.MatchString(m.ID) || m.Version < 1:
		return errors.New("no id, or no version")
	case !modelPattern.MatchString(m.Kind) || m.Nature != "legal" && m.Nature != "political":
		return fmt.Errorf("kind %q, nature %q", m.Kind, m.Nature)
	case len(m.Languages) == 0 || len(m.Languages) > 24:
		return fmt.Errorf("%d languages", len(m.Languages))
	case m.Prevailing != "" && wording.CheckLanguage(m.Prevailing) != nil:
		return fmt.Errorf("the language %q", m.Prevailing)
	case len(m.Clauses) == 0 || len(m.Clauses) > maxClauses:
		return fmt.Errorf("%d clauses", len(m.Clauses))
	case len(m.Rules) > 0 && !bytes.HasPrefix(m.Rules, []byte("{")):
		return errors.New("rules that are no object")
	}
	for i, lang := range m.Languages {
		if err := wording.CheckLanguage(lang); err != nil || slices.Contains(m.Languages[:i], lang) {
			return fmt.Errorf("the language %q: %w", lang, errors.Join(err))
		}
	}
	if err := m.complete("the title", m.Title); err != nil {
		return err
	}
	seen := map[string]bool{"structure": true, "title": true, "names": true} // protocol.md#positions
	for _, c := range m.Clauses {
		if !clausePattern.MatchString(c.ID) || seen[c.ID] || !slices.Contains(kinds(), c.Kind) {
			return fmt.Errorf("the clause %q of the kind %q: no such kind, no id, or an id that is used", c.ID, c.Kind)
		}
		seen[c.ID] = true
		if c.Texts == nil && slices.Contains(heads(), c.Kind) {
			continue
		}
		if err := m.complete(c.ID, c.Texts); err != nil {
			return err
		}
	}
	if m.Notes == nil {
		return nil
	}
	if err := m.complete("the first note", m.Notes.First, tokenText); err != nil {
		return err
	}
	return m.complete("the second note", m.Notes.Second, tokenNote)
}

// complete tells whether texts are in all languages of the model and name the same parties in each. Of the tokens in must each stands there once.
func (m *Model) complete(what string, t wording.Texts, must ...string) error {
	if len(t) != len(m.Languages) || !t.Covers(m.Languages) {
		return fmt.Errorf("%s is not in all languages, or in others", what)
	}
	if err := t.Check(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	var first []string
	for i, lang := range m.Languages {
		tokens, err := tokensOf(t[lang], must)
		if err != nil {
			return fmt.Errorf("%s in %s: %w", what, lang, err)
		}
		if i == 0 {
			first = tokens
		} else if !slices.Equal(first, tokens) {
			return fmt.Errorf("%s names others in %s: %v, %v", what, lang, tokens, first)
		}
	}
	return nil
}

// tokensOf lists what stands for names in a text, without the form in which a language bends it, sorted and each once: languages differ in how often they say it.
func tokensOf(text string, must []string) ([]string, error) {
	var out []string
	for _, token := range tokenPattern.FindAllString(text, -1) {
		if slices.Contains(must, token) {
			continue
		}
		name := namePattern.FindStringSubmatch(token)
		if name == nil {
			return nil, fmt.Errorf("%q stands for nothing", token)
		}
		out = append(out, name[1])
	}
	for _, token := range must {
		if strings.Count(text, token) != 1 {
			return nil, fmt.Errorf("%s does not stand there once", token)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
