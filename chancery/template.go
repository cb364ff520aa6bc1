package chancery

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"detente/instrument"
	"detente/party"
	"detente/regimes/instruments/templates"
	"detente/regimes/models"
	"detente/traffic"
	"detente/wording"
)

// Templates are the texts that a negotiation can begin from, but for those that are opened to all. Error: models.ErrModel.
func Templates() ([]Document, error) {
	all, err := templates.All()
	if err != nil {
		return nil, fmt.Errorf("chancery: %w", err)
	}
	var out []Document
	for _, m := range all {
		if len(m.Rules) == 0 {
			out = append(out, ofModel(m))
		}
	}
	return out, nil
}

// Template is one of them, by its name; the version may be left out. Error: ErrTemplate.
func Template(name string) (Document, error) {
	m, err := templates.Load(name)
	if errors.Is(err, templates.ErrUnknown) || err == nil && len(m.Rules) > 0 {
		return Document{}, fmt.Errorf("%w: %.70q", ErrTemplate, name)
	}
	if err != nil {
		return Document{}, fmt.Errorf("chancery: %w", err)
	}
	return ofModel(m), nil
}

func ofModel(m *models.Model) Document {
	x := Document{Kind: m.Kind, Nature: m.Nature, Name: m.Name(), About: m.About}
	x.Title, x.Languages, x.Prevailing = m.Title, m.Languages, m.Prevailing
	for _, c := range m.Clauses {
		x.Clauses = append(x.Clauses, instrument.Clause{ID: c.ID, Kind: instrument.Kind(c.Kind), Texts: c.Texts})
	}
	return x
}

// Names proposes how the parties are called in each language: by their charters, and by their id where a charter has no name.
func (c *Chancery) Names(parties []traffic.Party, languages []string) wording.Texts {
	out := make(wording.Texts)
	for _, lang := range languages {
		var lines []string
		for _, p := range parties {
			name := string(p)
			if chain := c.node.Chain(p); chain != nil {
				names := chain.Latest().Name
				if given := names[lang]; given != "" {
					name = given
				} else if given := names["en"]; given != "" {
					name = given
				}
			}
			lines = append(lines, string(p)+" "+name)
		}
		out[lang] = strings.Join(lines, "\n")
	}
	return out
}

// foreseen reads which channels come into being with a text, out of the clause that says so for machines; nil where there is none. Error: ErrChannel.
func foreseen(text *instrument.Text) ([]ChannelTerms, error) {
	clause, ok := text.Clause(models.Effects)
	if !ok {
		return nil, nil
	}
	var out []ChannelTerms
	for i, lang := range slices.Sorted(maps.Keys(clause.Texts)) {
		list, err := models.Channels(clause.Texts[lang])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrChannel, err)
		}
		var terms []ChannelTerms
		for _, c := range list {
			terms = append(terms, ChannelTerms{Name: c.Name, Regime: fmt.Sprintf("%s/%d", c.Regime, c.Version), Posts: c.Posts})
		}
		if i > 0 && !slices.EqualFunc(out, terms, ChannelTerms.equal) {
			return nil, fmt.Errorf("%w: the text foresees other channels in %s", ErrChannel, lang)
		}
		out = terms
	}
	return out, nil
}

func (t ChannelTerms) equal(o ChannelTerms) bool {
	return t.Name == o.Name && t.Regime == o.Regime && t.Open == o.Open && t.Protected == o.Protected && slices.Equal(t.Posts, o.Posts)
}

// fulfils tells whether the channels of a manifest are those that its text foresees. A text that says nothing leaves them to the manifest. Error: ErrChannel.
func fulfils(text *instrument.Text, channels []*party.Channel) error {
	want, err := foreseen(text)
	if err != nil || want == nil {
		return err
	}
	var have []ChannelTerms
	for _, c := range channels {
		have = append(have, ChannelTerms{c.Name, fmt.Sprintf("%s/%d", c.Regime.ID, c.Regime.Version), c.Posts, c.Open, c.Protected})
	}
	if !slices.EqualFunc(want, have, ChannelTerms.equal) {
		return fmt.Errorf("%w: the manifest has other channels than its text foresees", ErrChannel)
	}
	return nil
}
