package reviews

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/api/server"
	"detente/form"
	"detente/instrument"
	"detente/instrument/docx"
	"detente/ledger"
	"detente/regimes"
	"detente/traffic"
	"detente/transcript/pages"
	"detente/yearly"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var found = sync.OnceValues(func() (*pages.Fonts, error) { return pages.FindFonts(pages.Places()...) })

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func day(n int) time.Time { return time.Date(2026, 1, n, 9, 30, 0, 0, time.UTC) }

// whole is a pack that has one of everything.
func whole() *yearly.Pack {
	closed := day(20)
	id := func(s string) string { return strings.Repeat(s, 64/len(s)) }
	p := &yearly.Pack{
		Type: yearly.Type, Series: id("0a"), Number: "XN/COUNCIL-R-0001", Round: 2, Name: map[string]string{"en": "Yearly review", "ru": "Ежегодный обзор", "ar": "الاستعراض السنوي"}, Basis: id("b5"),
		Plane: traffic.Real, Parties: []traffic.Party{"xn", "xs"}, Languages: []string{"en", "ru", "ar", "es", "fr", "zh"}, From: day(1), To: day(31),
		Members: []yearly.Member{
			{Party: "xn", Charter: 1, Names: map[string]string{"en": "Northland", "ru": "Северия", "ar": "الشمال", "es": "Nortelandia", "fr": "Nordie", "zh": "北国"}, Languages: []string{"en"}},
			{Party: "xs", Charter: 2, Names: map[string]string{"en": "Southland", "ru": "Южания", "ar": "الجنوب", "es": "Surlandia", "fr": "Sudie", "zh": "南国"}, Languages: []string{"ru", "en"}},
		},
		Channels: []yearly.Channel{{ID: id("c1"), Name: "nrrc", Regime: "incidents/1", Feeds: []yearly.Feed{
			{Party: "xn", Precedence: traffic.Immediate, Size: 3, Root: id("e1"), Statements: []string{}}, {Party: "xs", Precedence: traffic.Routine, Size: 40, Root: id("e2"), Statements: []string{}},
		}}},
		Agreed: []yearly.Case{{
			Case: "xn/26-0001", Number: "XN/NRRC-P-0001", Channel: "nrrc", Opener: "xn", Opened: day(3), Form: "clarification", State: "closed-agreed", Leads: "closure", Outcome: "agreed", Closed: &closed,
			Severity: []yearly.Severity{{By: "xn", Level: "major"}}, Said: 5, Contests: []yearly.Contest{},
		}},
		Disputed: []yearly.Case{{
			Case: "xs/26-0004", Number: "XS/NRRC-O-0002", Channel: "nrrc", Opener: "xs", Opened: day(5), Form: "cease-request", State: "refused", Leads: "cease", Review: true, Overdue: 2,
			Severity: []yearly.Severity{{By: "xn", Level: "minor"}, {By: "xs", Level: "severe"}}, Said: 4,
		}},
		Sent:   []yearly.Sent{{Channel: "nrrc", Party: "xn", Precedence: traffic.Immediate, Valid: 3}, {Channel: "nrrc", Party: "xs", Precedence: traffic.Routine, Valid: 39, Invalid: 1}},
		Checks: []yearly.Checks{{Channel: "nrrc", From: "xn", To: "xs", Level: 2, Sent: 12, Answered: 9, Late: 1, Missed: 1, Waiting: 1}},
		Accounts: []yearly.Account{{Channel: "nrrc", Digest: id("ad"), Figures: []yearly.Figure{{Figure: ledger.Figure{
			From: "xs", To: "xn", Form: "cease-request", Precedence: traffic.Immediate, Requests: 4, Acknowledged: 4, InTime: 2, Late: 1, Withdrawn: 1, AnsweredMedian: 5400, AnsweredP90: 90000,
		}}, {Figure: ledger.Figure{
			From: "xn", To: "*", Form: "check", Precedence: traffic.Routine, Requests: 12, Pending: 12, AnsweredMedian: -1, AnsweredP90: -1,
		}}}}},
		Contacts: []yearly.ContactChange{
			{Channel: "nrrc", Party: "xn", Name: "watch", Change: "added", Fields: []yearly.FieldChange{{Field: "organisation", Is: "National Centre"}}},
			{Channel: "nrrc", Party: "xs", Name: "duty", Change: "changed", Fields: []yearly.FieldChange{{Field: "speaks", Was: "ru", Is: "ru,en"}, {Field: "nominated_by", Was: "Ministry"}}},
			{Channel: "nrrc", Party: "xs", Name: "old", Change: "withdrawn", Fields: []yearly.FieldChange{}},
		},
		Codes: []yearly.CodeChange{
			{Channel: "nrrc", By: "xn", Action: "try", Signal: 901, Meaning: "The line is being moved.", Agreed: day(7)},
			{Channel: "nrrc", By: "xs", Action: "adopt", Signal: 902, Meaning: "Wait.", Agreed: day(8)}, {Channel: "nrrc", By: "xs", Action: "retire", Signal: 12, Meaning: "No more.", Agreed: day(9)},
		},
		Charters: []yearly.CharterChange{{Party: "xs", Version: 2, Issued: day(11), Added: []traffic.Post{"observer"}, Gone: []traffic.Post{"embassy"}, Rekeyed: []traffic.Post{"cert", "nrrc"}}},
		Actions: []yearly.Action{
			{Talk: "XN/COUNCIL-R-0001", Round: 1, Number: "XN/COUNCIL-R-0010", Owner: "xs/cert", Due: day(15), Late: true, Words: map[string]string{"en": "Exchange the list of sectors.", "ru": "Обменяться перечнем секторов."}},
			{Talk: "XN/COUNCIL-R-0001", Round: 1, Number: "XN/COUNCIL-R-0011", Owner: "xn", Due: day(31), Words: map[string]string{"en": "Name an office."}},
		},
	}
	for i, what := range yearly.Contests() {
		p.Disputed[0].Contests = append(p.Disputed[0].Contests, yearly.Contest{By: []traffic.Party{"xn", "xs"}[i%2], What: what, Number: "XN/NRRC-O-0003", At: day(6)})
	}
	return p
}

func paper(t *testing.T, c yearly.Copy) *yearly.Paper {
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	must(t, err)
	phrases, err := server.Phrases()
	must(t, err)
	p := whole()
	_, err = p.Encode()
	must(t, err)
	out, err := p.Paper(c, words(phrases, all, p))
	must(t, err)
	return out
}

// What a delegation reads, in each language, and in the alternat of each side.
func TestThePaperInSixLanguages(t *testing.T) {
	for _, lang := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
		got := paper(t, yearly.Copy{Alternat: "xn", Languages: []string{lang}}).Text()
		path := filepath.Join("testdata", lang+".golden")
		if *update {
			must(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		must(t, err)
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (rewrite it with -update):\n%s", path, diff)
		}
	}
}

// Each side stands first in its own copy and reads its own language first; the rows are the same.
func TestEachSideHasItsAlternat(t *testing.T) {
	north, south := paper(t, yearly.Copy{Alternat: "xn"}), paper(t, yearly.Copy{Alternat: "xs"})
	if diff := cmp.Diff([]string{"en", "ru"}, north.Languages); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ru", "en"}, south.Languages); diff != "" {
		t.Error(diff)
	}
	if got := north.Blocks[0].Texts[0]; !strings.Contains(got, "Northland (XN) · Southland (XS)") {
		t.Error(got)
	}
	if got := south.Blocks[0].Texts[1]; !strings.Contains(got, "Southland (XS) · Northland (XN)") {
		t.Error(got)
	}
	count := func(p *yearly.Paper, at int) map[string]int {
		out := make(map[string]int)
		for _, b := range p.Blocks[1:] {
			out[b.Texts[at]]++
		}
		return out
	}
	// Within a row too the own assessment stands first, so those rows are left out.
	a, b := count(north, 0), count(south, 1)
	for text := range a {
		if strings.Contains(text, "Severity") {
			delete(a, text)
		}
	}
	for text := range b {
		if strings.Contains(text, "Severity") {
			delete(b, text)
		}
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	p := whole()
	if _, err := p.Paper(yearly.Copy{Alternat: "xw"}, yearly.Words{}); !errors.Is(err, yearly.ErrAlternat) {
		t.Error(err)
	}
	for _, bad := range [][]string{{"en", "ru", "ar"}, {"en", "en"}, {"de"}, {"EN"}, {"?"}} {
		if _, err := p.Paper(yearly.Copy{Alternat: "xn", Languages: bad}, yearly.Words{}); !errors.Is(err, yearly.ErrLanguage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	p.Languages = []string{"de", "?", "fr", "fr"} // what a stranger wrote when he opened the series
	if out, err := p.Paper(yearly.Copy{Alternat: "xn"}, yearly.Words{}); err != nil || !slices.Equal(out.Languages, []string{"fr"}) {
		t.Errorf("%+v, %v", out, err)
	}
}

// The same pack is the same file, in print and for a word processor; the latter is read back with every word.
func TestFilesAreReproducible(t *testing.T) {
	write := func() ([]byte, []byte) {
		p := paper(t, yearly.Copy{Alternat: "xs", Languages: []string{"ar", "en"}})
		var b bytes.Buffer
		must(t, p.DOCX(&b))
		fonts, err := found()
		if errors.Is(err, pages.ErrFonts) {
			return b.Bytes(), nil
		}
		must(t, err)
		sheet, err := p.PDF(fonts)
		if errors.Is(err, yearly.ErrFonts) {
			return b.Bytes(), nil
		}
		must(t, err)
		return b.Bytes(), sheet
	}
	word, sheet := write()
	again, sheetAgain := write()
	if !bytes.Equal(word, again) || !bytes.Equal(sheet, sheetAgain) {
		t.Error("the same pack is another file")
	}
	if sheet != nil && !bytes.HasPrefix(sheet, []byte("%PDF-")) {
		t.Error("no PDF")
	}
	d, err := docx.Read(bytes.NewReader(word), int64(len(word)), instrument.Text{Languages: []string{"ar", "en"}})
	must(t, err)
	p := paper(t, yearly.Copy{Alternat: "xs", Languages: []string{"ar", "en"}})
	if len(d.Rows) != len(p.Blocks)+2 || d.Rows[1].Cells["en"].New() != p.Blocks[0].Texts[1] || d.Rows[0].Cells["ar"].New() != p.Title["ar"] {
		t.Errorf("%d rows of %d: %+v", len(d.Rows), len(p.Blocks), d.Rows[:2])
	}
	if sheet == nil {
		t.Skip("no fonts")
	}
}
