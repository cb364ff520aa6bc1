package standing

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"detente/floor"
	"detente/form"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

// index is what search looks through: the words of every statement on common channels, in memory, so that a search does not read 100,000 of them
// from the disk. It costs about as much as the words themselves.
type index struct{ words []indexed }

// indexed is one statement. Its text is in lower case.
type indexed struct {
	id      statement.ID
	held    time.Time
	channel [32]byte
	plane   traffic.Plane
	form    string
	text    string
}

// mostIndexed is how much of a statement's own words is looked through.
const mostIndexed = 2000

func (x *index) add(t *floor.Told) {
	s := t.Statement
	var b strings.Builder
	b.WriteString(floor.Number(s.Issuer, t.Feed, t.Index) + " " + s.Issuer.String() + " " + s.Audience + " " + s.ID().Short())
	room := mostIndexed
	for i := range t.Form.Fields {
		field := &t.Form.Fields[i]
		if field.Kind != form.KindText && field.Kind != form.KindLine {
			continue
		}
		if text := t.Values.Text(field.Name); text != "" && room > 0 {
			text = strings.ToValidUTF8(text[:min(room, len(text))], "")
			room -= len(text)
			b.WriteString("\n" + text)
		}
	}
	x.words = append(x.words, indexed{s.ID(), t.Held, s.Channel, s.Plane, s.Form, strings.ToLower(b.String())})
}

// Query is what is searched for.
type Query struct {
	Text    string
	Channel *[32]byte     // nil for every one
	Plane   traffic.Plane // empty for every one
	Lang    language.Tag  // in which forms are called
	Limit   int
}

// Search gives the statements of which the number, the form's title, the parties or the originator's words hold every word of the text, the newest
// first. Of long texts it knows the first 2000 bytes.
func (s *Standing) Search(ctx context.Context, q Query) ([]statement.ID, error) {
	if err := s.Read(ctx); err != nil {
		return nil, err
	}
	words := strings.Fields(strings.ToLower(q.Text))
	if len(words) == 0 {
		return nil, nil
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // the rarest, likely, first
	titles := make(map[string]string)
	title := func(e *indexed) string {
		key := string(e.channel[:]) + e.form
		t, ok := titles[key]
		if !ok {
			t = e.form
			if _, regime, err := s.node.Channel(e.channel); err == nil {
				t += " " + strings.ToLower(regime.Phrases.Phrase(q.Lang, e.form))
			}
			titles[key] = t
		}
		return t
	}
	s.mu.RLock()
	all := s.index.words // it is only added to: what is seen now stays
	s.mu.RUnlock()
	var found []*indexed
	for i := range all {
		e := &all[i]
		if q.Plane != "" && e.plane != q.Plane || q.Channel != nil && e.channel != *q.Channel {
			continue
		}
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.text, w) && !strings.Contains(title(e), w) }) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b *indexed) int { return b.held.Compare(a.held) })
	var out []statement.ID
	for _, e := range found[:min(len(found), q.Limit)] {
		out = append(out, e.id)
	}
	return out, ctx.Err()
}
