package secretariat

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/instrument"
	"detente/node"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// Agenda, minutes and reports are negotiations of package instrument on the channel of the series. What is special to them is said here: each side adds items
// without waiting for the other, and both come to one order by the same rule.

// Kinds lists what a text of a round may be.
func Kinds() []string { return []string{"agenda", "minutes", "report"} }

// TextOf is the agenda, the minutes or the report of a round, nil where there is none.
func (t *Talk) TextOf(number int, what string) *Text {
	if r := t.round(number); r != nil {
		return t.Texts[r.Texts[what]]
	}
	return nil
}

// Which names a text: of a round by its number and what it is, or any negotiation on the channel by its id, such as the report of a group.
type Which struct {
	Number      int
	What        string
	Negotiation statement.ID // zero for a text of a round
}

// Text finds a text. Error: ErrNothing.
func (s *Secretariat) Text(ctx context.Context, t *Talk, w Which) (*Text, error) {
	if w.Negotiation != (statement.ID{}) {
		return s.Negotiation(ctx, t, w.Negotiation)
	}
	if x := t.TextOf(w.Number, w.What); x != nil {
		return x, nil
	}
	return nil, fmt.Errorf("%w: round %d has no %s yet", ErrNothing, w.Number, w.What)
}

// OpenText opens the negotiation of a text: in a series that of a round, which is to name it then, see NameText; in a group a report or a mandate.
// Error: ErrNothing for a round that has one.
func (s *Secretariat) OpenText(t *Talk, number int, what string, title wording.Texts) (node.Draft, error) {
	switch {
	case t.Series == nil && what != "report" && what != "mandate", t.Series != nil && !slices.Contains(Kinds(), what):
		return node.Draft{}, fmt.Errorf("%w: no %.40q is opened here", ErrNothing, what)
	case t.TextOf(number, what) != nil:
		return node.Draft{}, fmt.Errorf("%w: round %d has its %s already", ErrNothing, number, what)
	}
	var langs []string
	switch {
	case t.Series != nil:
		langs = t.Series.Languages
	case len(title) > 0:
		langs = title.Languages()
	default:
		langs, title = t.Group.Name.Languages(), t.Group.Name
	}
	if len(title) == 0 {
		title = make(wording.Texts)
		for _, lang := range langs {
			title[lang] = fmt.Sprintf("%s, %d", wording.In(t.Series.Name, lang), number)
		}
	}
	if err := title.Check(); err != nil {
		return node.Draft{}, fmt.Errorf("secretariat: %w", err)
	}
	for _, lang := range langs {
		if err := wording.CheckLanguage(lang); err != nil {
			return node.Draft{}, fmt.Errorf("secretariat: %q: %w", lang, err)
		}
	}
	var parties []any
	for _, p := range t.Channel.Members {
		parties = append(parties, string(p))
	}
	d := t.draft("negotiation", form.Values{
		"title": map[string]string(title), "kind": what, "nature": "political", "languages": strings.Join(langs, " "), "parties": parties,
	})
	d.Dossier = statement.ID{} // its own
	return d, nil
}

// NameText has a round name the negotiation of a text.
func (t *Talk) NameText(number int, what string, negotiation statement.ID) node.Draft {
	return t.draft(FormText, form.Values{"number": int64(number), "what": what, "negotiation": negotiation[:]})
}

// AddItem tables one more item of a text: the wording, and an own order with the item at its end.
func (s *Secretariat) AddItem(t *Talk, x *Text, words wording.Texts) ([]node.Draft, error) {
	if err := words.Check(); err != nil {
		return nil, fmt.Errorf("secretariat: %w", err)
	}
	id := "p-" + strings.ToLower(rand.Text()[:10])
	order := x.joined()
	return []node.Draft{
		x.draft(t, "position", form.Values{"provision": id, "texts": map[string]string(words)}),
		x.draft(t, "position", form.Values{"provision": instrument.Structure, "order": strings.Join(append(order, string(instrument.Paragraph)+" "+id), "\n")}),
	}, nil
}

func (x *Text) draft(t *Talk, formID string, v form.Values) node.Draft {
	return node.Draft{
		Channel: t.Name.Channel, Plane: t.Name.Plane, Precedence: traffic.Routine, Post: t.post, Audience: statement.Everyone, Form: formID, Values: v, Dossier: x.ID,
	}
}

// joined is the order of all items that anybody has: those of the party first whose name comes first, each party's in its own order. Two parties that join at the
// same time, holding the same statements, come to the same order, and so to an agreed text.
func (x *Text) joined() (lines []string) {
	structure := x.Provisions[instrument.Structure]
	if structure == nil {
		return nil
	}
	seen := make(map[string]bool)
	for _, p := range slices.Sorted(maps.Keys(structure.Stands)) {
		for line := range strings.SplitSeq(structure.Stands[p].Order, "\n") {
			_, id, _ := strings.Cut(line, " ")
			if line != "" && !seen[id] {
				seen[id] = true
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// Agree stands on what the others have tabled: on each item on which this party has no wording of its own, and on the order of all items. Items of its own that it
// tabled in a text which another has since taken the place of are tabled anew, so that nothing is lost when both sides open the same text at once.
// It gives nothing where nothing is left to agree to.
func (s *Secretariat) Agree(t *Talk, x *Text) (out []node.Draft) {
	lines := x.joined()
	place := func(line string) {
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for _, old := range t.superseded(x) {
		structure, stands := old.stand(instrument.Structure, s.self)
		if !stands {
			continue
		}
		for line := range strings.SplitSeq(structure.Order, "\n") {
			_, id, _ := strings.Cut(line, " ")
			own, stands := old.stand(id, s.self)
			if !stands || own.Kind != "position" || x.Provisions[id] != nil {
				continue
			}
			place(line)
			out = append(out, x.draft(t, "position", form.Values{"provision": id, "texts": map[string]string(own.Texts)}))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(x.Provisions)) {
		p := x.Provisions[id]
		if _, stands := p.Stands[s.self]; stands || id == instrument.Structure {
			continue
		}
		digests := make(map[[32]byte]bool)
		for _, st := range p.Stands {
			digests[st.Digest] = true
		}
		if len(digests) != 1 {
			continue // the others differ among themselves: a person chooses
		}
		for digest := range digests {
			out = append(out, x.draft(t, "acceptance", form.Values{"provision": id, "digest": digest[:]}))
		}
	}
	if own, stands := x.stand(instrument.Structure, s.self); len(lines) > 0 && (!stands || own.Order != strings.Join(lines, "\n")) {
		out = append(out, x.draft(t, "position", form.Values{"provision": instrument.Structure, "order": strings.Join(lines, "\n")}))
	}
	return out
}

func (x *Text) stand(provision string, p traffic.Party) (instrument.Stand, bool) {
	if of := x.Provisions[provision]; of != nil {
		st, stands := of.Stands[p]
		return st, stands
	}
	return instrument.Stand{}, false
}

// superseded are the texts that a round has named for the same purpose before the one that counts.
func (t *Talk) superseded(counts *Text) (out []*Text) {
	type purpose struct {
		number int64
		what   string
	}
	of := make(map[purpose][]*Text)
	var serves purpose
	for i := range t.Entries {
		e := &t.Entries[i]
		if e.Form != FormText || e.Why != "" {
			continue
		}
		x, p := t.Texts[idOf(e.Values, "negotiation")], purpose{e.Values.Int("number"), e.Values.Text("what")}
		switch {
		case x == nil:
		case x == counts:
			serves = p
		default:
			of[p] = append(of[p], x)
		}
	}
	return of[serves]
}

// Clean is the text that all stand on. Errors: ErrNothing, ErrOpen with what is open.
func (t *Talk) Clean(number int, what string) (instrument.Text, error) {
	x := t.TextOf(number, what)
	if x == nil {
		return instrument.Text{}, fmt.Errorf("%w: round %d has no %s yet", ErrNothing, number, what)
	}
	text, err := x.Negotiation.Clean()
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrOpen, err)
	}
	return text, err
}

// Sign signs the minutes of a round: the digest of their clean text, in all languages. powers are the full powers of whoever signs, empty for none.
// Errors: ErrNothing, ErrOpen.
func (s *Secretariat) Sign(ctx context.Context, t *Talk, number int, powers string) (node.Draft, error) {
	if number == 0 {
		number = t.number(FormSignature, time.Now())
	}
	text, err := t.Clean(number, "minutes")
	if err != nil {
		return node.Draft{}, err
	}
	digest := text.Digest()
	v := form.Values{"number": int64(number), "text": digest[:]}
	if powers != "" {
		h, err := s.node.Named(ctx, powers)
		if err != nil {
			return node.Draft{}, err
		}
		v["powers"] = h.ID[:]
	}
	return t.draft(FormSignature, v), nil
}

// Adopt speaks on a report: with the consensus, or with a dissent that its words give. The text is the clean one of the negotiation. Errors: ErrNothing, ErrOpen.
func (s *Secretariat) Adopt(ctx context.Context, t *Talk, negotiation, how, words string) (node.Draft, error) {
	h, err := s.node.Named(ctx, negotiation)
	if err != nil {
		return node.Draft{}, err
	}
	x, err := s.Negotiation(ctx, t, h.ID)
	if err != nil {
		return node.Draft{}, err
	}
	if !x.Agreed {
		_, err := x.Negotiation.Clean()
		return node.Draft{}, fmt.Errorf("%w: %w", ErrOpen, err)
	}
	v := form.Values{"negotiation": x.ID[:], "text": x.Digest[:], "how": how}
	if words != "" {
		v["words"] = words
	}
	return t.draft("report-adoption", v), nil
}
