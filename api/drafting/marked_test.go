package drafting

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

func example() *Text {
	return &Text{
		Title: map[string]string{"en": "Agreement", "ru": "Соглашение"}, Kind: "treaty", Nature: "legal", Languages: []string{"ru", "en"}, Names: map[string]string{"en": "xn Northland\nxs Southland"},
		Clauses: []Clause{
			{ID: "a1", Kind: "article"},
			{ID: "a1.1", Kind: "paragraph", Texts: map[string]string{"en": "The first line.\n\n== not a clause\n[no] wording\n> nor this\n\\ nor this", "ru": "Первая строка."}},
			{ID: "a1.2", Kind: "paragraph", Texts: map[string]string{"en": "own"}, Open: map[string][]Piece{"en": {{Text: "It shall "}, {Text: "now", Parties: []traffic.Party{"xn"}}}}},
		},
	}
}

// What is written is read as it was, but for what is told only to whoever reads.
func TestAMarkedTextIsReadAsItWasWritten(t *testing.T) {
	x := example()
	text := x.Marked()
	if !strings.Contains(text, "> en: It shall [XN: now]") {
		t.Error(text)
	}
	got, err := ParseMarked(text)
	if err != nil {
		t.Fatal(err)
	}
	x.Clauses[2].Open = nil
	if diff := cmp.Diff(x, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoMarkedTextIsRefusedWithItsLine(t *testing.T) {
	for name, text := range map[string]string{
		"first line": "kind: treaty", "line 2": markedTitle + "\ncolour: red", "line 3": markedTitle + "\n== title\nwords before a language", "line 4": markedTitle + "\n== title\n[en] A\n[en] B",
		"title and names stand once": markedTitle + "\n== title\n[en] A\n== title",
	} {
		if _, err := ParseMarked(text); !errors.Is(err, ErrMarked) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseMarked(f *testing.F) {
	f.Add(example().Marked())
	f.Add(markedTitle + "\r\nlanguages: en\r\n== title\r\n[en] \r\n\\\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		x, err := ParseMarked(s)
		if err != nil {
			return
		}
		again, err := ParseMarked(x.Marked())
		if err != nil {
			t.Fatalf("%v\n%s", err, x.Marked())
		}
		same := func(a, b map[string]string) bool { return maps.Equal(a, b) }
		if !same(x.Title, again.Title) || !same(x.Names, again.Names) || !slices.EqualFunc(x.Clauses, again.Clauses, func(a, b Clause) bool {
			return a.ID == b.ID && a.Kind == b.Kind && same(a.Texts, b.Texts)
		}) {
			t.Fatalf("%+v\n%+v", x, again)
		}
	})
}
