package chancery

import (
	"errors"
	"fmt"

	"detente/regimes/instruments/templates"
	"detente/wording"
)

// OpenModel is the model of an instrument that is open to all: what its opening says, and the rules by which acts about it are read.
type OpenModel struct {
	Title, Texts wording.Texts
	Languages    []string
	Kind, Nature string
	Rules        []byte // JSON, as package acts reads them
}

// OpeningNamed is one that the program has with it, such as no-first-strike; the version may be left out. Error: ErrTemplate.
func OpeningNamed(name string) (OpenModel, error) {
	m, err := templates.Load(name)
	if errors.Is(err, templates.ErrUnknown) || err == nil && len(m.Rules) == 0 {
		return OpenModel{}, fmt.Errorf("%w: %.70q", ErrTemplate, name)
	}
	if err != nil {
		return OpenModel{}, fmt.Errorf("chancery: %w", err)
	}
	x := ofModel(m)
	x.Renumber()
	o := OpenModel{Title: m.Title, Texts: make(wording.Texts), Languages: m.Languages, Kind: m.Kind, Nature: m.Nature, Rules: m.Rules}
	for _, lang := range m.Languages {
		original := x.Render(lang, nil, "")
		o.Texts[lang] = original.String()
	}
	return o, nil
}
