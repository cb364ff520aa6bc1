package pages_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"detente/transcript/pages"
)

func cell(lang, text string) pages.Cell {
	return pages.Cell{Lang: language.MustParse(lang), Text: text}
}

// sixScripts is a paper with the same article in six languages, two by two.
func sixScripts() pages.Paper {
	article := map[string]string{
		"en": "Each Party shall notify the other Party without delay of incidents (Article 12).",
		"ru": "Каждая Сторона незамедлительно уведомляет другую Сторону об инцидентах (статья 12).",
		"ar": "يخطر كل طرف الطرف الآخر دون تأخير بالحوادث (المادة 12).",
		"zh": "每一方应立即将事件通知另一方（第十二条）。",
		"fr": "Chaque Partie notifie sans délai à l’autre Partie les incidents (article 12).",
		"es": "Cada Parte notificará sin demora los incidentes a la otra Parte (artículo 12).",
	}
	p := pages.Paper{Title: "Agreement", Date: time.Unix(1795000600, 0), Foot: "SHA-256 " + strings.Repeat("0123456789abcdef", 4)}
	p.Blocks = append(p.Blocks, pages.Block{Kind: pages.Title, Cells: []pages.Cell{cell("en", "Agreement"), cell("ar", "اتفاق")}})
	for _, pair := range [][]string{{"en", "ru"}, {"ar", "zh"}, {"fr", "es"}, {"ar"}, {"zh"}} {
		b := pages.Block{}
		for _, lang := range pair {
			b.Cells = append(b.Cells, cell(lang, strings.Repeat(article[lang]+" ", 3)))
		}
		p.Blocks = append(p.Blocks, pages.Block{Kind: pages.Heading, Cells: []pages.Cell{cell(pair[0], "1")}}, b)
	}
	p.Blocks = append(p.Blocks, pages.Block{Kind: pages.Signature, Cells: []pages.Cell{cell("en", "For Northland"), cell("ru", "За Сутландию")}})
	return p
}

func set(t *testing.T, p pages.Paper) []byte {
	t.Helper()
	b, err := pages.Set(p, fonts(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whenever it is set, the same paper is the same bytes.
func TestTheSamePaperIsTheSameBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := set(t, sixScripts())
		time.Sleep(time.Hour)
		if !bytes.Equal(first, set(t, sixScripts())) {
			t.Error("set an hour later, the paper is other bytes")
		}
	})
	if to := os.Getenv("DETENTE_PAGES"); to != "" { // to look at
		if err := os.WriteFile(to, set(t, sixScripts()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// tool finds a program of poppler, which ./test installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	found, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("DETENTE_TEST_PG") != "" {
			t.Fatalf("%s is missing: install poppler-utils", name)
		}
		t.Skipf("%s is missing: install poppler-utils", name)
	}
	return found
}

// text is what another program reads out of a file, in reading order, with joined letters told apart again.
func text(t *testing.T, file []byte) string {
	t.Helper()
	reader := tool(t, "pdftotext")
	name := filepath.Join(t.TempDir(), "paper.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(reader, "-enc", "UTF-8", name, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// Another program reads every script out of the paper. The letters of Arabic are joined: what stands on the page are the forms of the beginning, the
// middle and the end of words, which it would not be if each letter had been set by itself.
func TestAnotherProgramReadsEveryScript(t *testing.T) {
	f := fonts(t)
	if len(f.Missing("每يд")) > 0 {
		t.Skip("no font for a script on this machine: install fonts-noto-core and fonts-droid-fallback")
	}
	got := text(t, set(t, sixScripts()))
	plain := norm.NFKC.String(got)
	for _, want := range []string{"without delay", "незамедлительно", "每一方应立即", "délai", "notificará", "الطرف", "تأخير", "بالحوادث", "0123456789abcdef", "За Сутландию"} {
		if !strings.Contains(plain, want) {
			t.Errorf("%q is not on the pages:\n%s", want, plain)
		}
	}
	joined := map[string]bool{}
	for _, r := range got {
		if r >= 0xfe70 && r <= 0xfefc {
			joined[string(r)] = true
		}
	}
	if len(joined) < 12 {
		t.Errorf("of the joined forms of Arabic only %d are on the page: its letters were set one by one", len(joined))
	}
}

// strokes renders a word and counts the stretches of ink in it from left to right: joined letters are one.
func strokes(t *testing.T, lang, word string) (n int) {
	t.Helper()
	renderer := tool(t, "pdftoppm")
	name := filepath.Join(t.TempDir(), "paper.pdf")
	if err := os.WriteFile(name, set(t, pages.Paper{Blocks: []pages.Block{{Cells: []pages.Cell{cell(lang, word)}}}}), 0o600); err != nil {
		t.Fatal(err)
	}
	picture, err := exec.Command(renderer, "-r", "200", "-gray", "-H", "400", name).Output() // the head of the page: the number is below
	if err != nil {
		t.Fatal(err)
	}
	var wide, high, most int
	if _, err := fmt.Sscanf(string(picture[:min(len(picture), 40)]), "P5\n%d %d\n%d", &wide, &high, &most); err != nil {
		t.Fatal(err)
	}
	points := picture[len(picture)-wide*high:]
	inked := false
	for x := range wide {
		ink := false
		for y := range high {
			ink = ink || points[y*wide+x] < 128
		}
		if ink && !inked {
			n++
		}
		inked = ink
	}
	return n
}

// On the page, as another program draws it, the letters of an Arabic word are one stroke, and those that join nothing are not; Chinese characters are drawn.
func TestLettersAreJoinedOnThePage(t *testing.T) {
	if len(fonts(t).Missing("每يд")) > 0 {
		t.Skip("no font for a script on this machine: install fonts-noto-core and fonts-droid-fallback")
	}
	for _, c := range []struct {
		lang, word string
		strokes    int
	}{{"ar", "سلسل", 1}, {"ar", "دار", 3}, {"ar", "سلم سلم", 2}, {"en", "llll", 4}, {"zh", "一一", 2}} {
		if n := strokes(t, c.lang, c.word); n != c.strokes {
			t.Errorf("%s is drawn in %d strokes, not %d", c.word, n, c.strokes)
		}
	}
}

// A row flows over pages, both columns beside each other; a paper too large is refused before it is set.
func TestARowFlowsOverPages(t *testing.T) {
	long := strings.Repeat("Each Party shall notify the other Party of incidents. ", 200)
	b := set(t, pages.Paper{Blocks: []pages.Block{{Cells: []pages.Cell{cell("en", long), cell("zh", strings.Repeat("每一方应立即将事件通知另一方。", 200))}}}})
	if n := bytes.Count(b, []byte("/Type/Page/")); n < 3 {
		t.Errorf("%d pages", n)
	}
	f := fonts(t)
	for _, p := range []pages.Paper{
		{Blocks: make([]pages.Block, 30_000)},
		{Blocks: []pages.Block{{Cells: make([]pages.Cell, 7)}}},
		{Blocks: []pages.Block{{Cells: []pages.Cell{cell("en", strings.Repeat("x", 300_000))}}}},
	} {
		if _, err := pages.Set(p, f); err == nil {
			t.Error("a paper that is too large was set")
		}
	}
}
