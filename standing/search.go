package standing

import (
	"cmp"
	"context"
	"maps"
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
type index struct {
	words  []indexed // by held, unless late
	late   bool      // an entry was added that was held before another
	latest time.Time
}

// indexed is one statement. Its text is in lower case.
type indexed struct {
	id      statement.ID
	held    time.Time
	channel [32]byte
	plane   traffic.Plane
	form    string
	text    string
	parts   sieve // of text
}

// sieve says which parts of three bytes a text may hold, by their hashes: what one of its parts is not in it does not hold. Nine texts of ten need not be
// looked through.
type sieve [16]uint64

// slot is where a part of three bytes stands in a sieve.
func slot(a, b, c byte) (word, bit uint32) {
	h := (uint32(a) | uint32(b)<<8 | uint32(c)<<16) * 2654435761 >> 22
	return h >> 6, h & 63
}

func sift(text string) (s sieve) {
	for i := 2; i < len(text); i++ {
		word, bit := slot(text[i-2], text[i-1], text[i])
		s[word] |= 1 << bit
	}
	return s
}

// lacks tells that a text does not hold a word of which every part is in want.
func (s *sieve) lacks(want *sieve) bool {
	for i := range s {
		if want[i]&^s[i] != 0 {
			return true
		}
	}
	return false
}

// mostIndexed is how much of a statement's own words is looked through.
const mostIndexed = 2000

func (x *index) add(t *floor.Told) {
	s := t.Statement
	var b strings.Builder
	b.WriteString(traffic.Number(s.Issuer, t.Feed, t.Index) + " " + s.Issuer.String() + " " + s.Audience + " " + s.ID().Short())
	room := mostIndexed
	for i := range t.Form.Fields {
		field := &t.Form.Fields[i]
		var words []string
		switch field.Kind {
		case form.KindText, form.KindLine:
			words = []string{t.Values.Text(field.Name)}
		case form.KindTexts:
			texts := t.Values.Texts(field.Name)
			for _, tag := range slices.Sorted(maps.Keys(texts)) {
				words = append(words, texts[tag])
			}
		}
		for _, text := range words {
			if text == "" || room <= 0 {
				continue
			}
			text = strings.ToValidUTF8(text[:min(room, len(text))], "")
			room -= len(text)
			b.WriteString("\n" + text)
		}
	}
	text := strings.ToLower(b.String())
	x.words = append(x.words, indexed{s.ID(), t.Held, s.Channel, s.Plane, s.Form, text, sift(text)})
	x.late = x.late || t.Held.Before(x.latest)
	if t.Held.After(x.latest) {
		x.latest = t.Held
	}
}

// ordered gives all entries by when they were held. Feeds are read one after the other at the start, so they must be put in order once.
func (x *index) ordered() []indexed {
	if x.late {
		x.words = slices.SortedStableFunc(slices.Values(x.words), func(a, b indexed) int { return a.held.Compare(b.held) }) // a new slice: the old one may be being read
		x.late = false
	}
	return x.words
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
	s.mu.Lock()
	all := s.index.ordered() // it is only added to: what is seen now stays
	s.mu.Unlock()
	found := find(all, words, q, title)
	var out []statement.ID
	for _, e := range found {
		out = append(out, e.id)
	}
	return out, ctx.Err()
}

// find gives those that hold every word, the newest first, at most q.Limit of them. all are by when they were held.
func find(all []indexed, words []string, q Query, title func(*indexed) string) []*indexed {
	sieves := make([]sieve, len(words))
	for i, w := range words {
		sieves[i] = sift(w)
	}
	var found []*indexed
	for i := len(all) - 1; i >= 0 && len(found) < q.Limit; i-- {
		e := &all[i]
		if (q.Plane == "" || e.plane == q.Plane) && (q.Channel == nil || e.channel == *q.Channel) && e.holds(words, sieves, title) {
			found = append(found, e)
		}
	}
	return found
}

func (e *indexed) holds(words []string, sieves []sieve, title func(*indexed) string) bool {
	for i, w := range words {
		if (e.parts.lacks(&sieves[i]) || !strings.Contains(e.text, w)) && !strings.Contains(title(e), w) {
			return false
		}
	}
	return true
}
