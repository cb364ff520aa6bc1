package console

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"detente/console/cases"
	"detente/console/habits"
	"detente/console/instruments"
	"detente/console/programme"
	"detente/console/talks"

	"github.com/jba/templatecheck"
	"golang.org/x/text/language"
)

// pages is every template that is a page of its own, with the data that it is made of.
func pages() map[string]any {
	return map[string]any{
		"watch": &watchPage{}, "traffic": &trafficPage{}, "statement": &statementPage{}, "compose": &composePage{}, "reply": &composePage{},
		"loss": &lossPage{}, "releases": &releasesPage{}, "links": &linksPage{}, "directory": &directoryPage{}, "checks": &checksPage{},
		"roster": &rosterPage{}, "log": &logPage{}, "officers": &officersPage{}, "system": &systemPage{}, "help": &helpPage{},
		"cases": &sheet[*cases.List]{}, "case": &sheet[*cases.File]{}, "notices": &sheet[*cases.Notices]{}, "ledger": &sheet[*cases.Ledger]{},
		"collections": &sheet[*cases.Collections]{},
		"instruments": &sheet[*instruments.List]{}, "pledges": &sheet[*instruments.Pledges]{}, "instrument": &sheet[*instruments.File]{}, "provision": &sheet[*instruments.Editor]{}, "instrument.new": &sheet[*instruments.New]{},
		"programme": &sheet[*programme.List]{}, "relation": &sheet[*programme.Board]{},
		"talks": &sheet[*talks.List]{}, "talk": &sheet[*talks.File]{}, "talks.month": &sheet[*talks.Month]{}, "talks.new": &sheet[*talks.New]{},
		"assets":          &sheet[*instruments.Assets]{},
		"instrument.read": &sheet[*instruments.Reading]{},
		"passkey":         &passkeyPage{}, "sign-in": &signInPage{}, "continue": &continuePage{}, "error": &errorPage{},
	}
}

func TestTemplatesFitTheirData(t *testing.T) {
	s := words(t)
	known := pages()
	for name, data := range known {
		tmpl := s.paper.Template(language.English, name)
		if tmpl == nil {
			t.Errorf("no template %s", name)
			continue
		}
		if err := templatecheck.CheckHTML(tmpl, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := templatecheck.CheckHTML(s.paper.Template(language.English, "compose.preview"), &preview{}); err != nil {
		t.Errorf("compose.preview: %v", err)
	}
	if err := templatecheck.CheckHTML(s.paper.Template(language.English, "instrument.preview"), &instruments.Preview{}); err != nil {
		t.Errorf("instrument.preview: %v", err)
	}
	for _, sc := range screens() {
		data := known[sc.name]
		if data == nil {
			t.Errorf("screen %s is in no test", sc.name)
		}
		for _, r := range named(sc) {
			if tmpl := s.paper.Template(language.English, r); tmpl == nil {
				t.Errorf("screen %s has no region %s", sc.name, r)
			} else if err := templatecheck.CheckHTML(tmpl, data); err != nil {
				t.Errorf("%s: %v", r, err)
			}
		}
	}
}

// words is a console without a node: its phrases and templates.
func words(t testing.TB) *Server {
	t.Helper()
	s, err := New(Config{Party: "xn"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryPhraseIsThereInEveryLanguage(t *testing.T) {
	s := words(t)
	var have []string
	for _, l := range s.paper.Book.Languages() {
		have = append(have, l.String())
	}
	if want := []string{"ar", "en", "es", "fr", "ru", "zh"}; !slices.Equal(have, want) {
		t.Errorf("languages %v, want %v", have, want)
	}
	phrase := func(key string) bool { return s.paper.Book.Phrase(language.English, key) != key }
	// What templates and code say in so many words must be there.
	literal := regexp.MustCompile(`(?:\bt |\bsay\(|Name: |Phrase\(lang, )"([a-z][A-Za-z0-9.-]*)"`)
	for name, text := range sources(t) {
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			if strings.HasSuffix(m[1], ".") || !strings.Contains(text, `t "`+m[1]) && strings.HasSuffix(name, ".go") && strings.Contains(m[0], "Name:") {
				continue // the rest of the key is a code
			}
			if !phrase(m[1]) {
				t.Errorf("%s says %q, and no phrase has that key", name, m[1])
			}
		}
	}
	// Codes of the node that have words of their own.
	for prefix, codes := range map[string][]string{
		"kind":         {"acknowledge", "answer", "missed", "alarm", "check", "directory", "roster", "release", "match", "review", "case", "instrument", "dialogue"},
		"role":         {"duty-officer", "deputy", "head-of-post", "senior-official", "translator", "administrator", "auditor"},
		"means":        {"console", "mail", "webhook", "command"},
		"outcome":      {"under-way", "placed", "failed"},
		"rung":         {"held", "accepted", "understood", "passed-on", "answered"},
		"standing":     {"noted", "open", "acknowledged", "answered", "corrected", "cancelled", "out-of-order", "invalid"},
		"owed":         {"acknowledgement", "answer"},
		"channel":      {"open", "degraded", "restricted", "suspended"},
		"stale":        {"unconfirmed", "expired", "withdrawn"},
		"check":        {"waiting", "answered", "late", "missed", "level.1", "level.2", "level.3", "level.4"},
		"precedence":   {"Z", "O", "P", "R"},
		"cost":         {"Z", "O", "P", "R"},
		"plane":        {"real", "exercise", "test"},
		"session":      {"passkey", "openid", "link", "token"},
		"assets.state": {"in-force", "coming", "replaced", "never"}, "assets.wrong": {"file", "unknown", "root"}, "assets.hit": {"covers", "not", "unread"},
		"annex.file": {"coming", "large", "broken"}, "collections.flow": {"in", "out", "local"},
		"collections.state": {"waiting", "released", "refused", "drafted", "sent"}, "ledger.period": {"month", "quarter", "year"},
		"deed":       {"accept", "understood", "passed", "reply", "correct", "new", "loss", "releases", "again", "case", "review", "match", "talk"},
		"event":      {"round-agreed", "round-proposed", "round-held", "round-due", "action", "mode.in-person", "mode.third-venue", "mode.virtual", "mode.correspondence", "mode.later"},
		"talk.state": {"open", "done", "dropped", "transferred"}, "talk.text": {"agenda", "minutes", "report"}, "talk.lacks": {"agenda", "minutes"},
		"talk.paper": {"position", "non-paper", "chair", "technical"}, "talk.credentials": {"presented", "accepted"}, "talk.keep": {"24h", "72h", "168h", "720h"},
		"programme.stands": {"none", "waiting", "alive", "overdue", "suspended", "ended", "unseen"}, "programme.measure": {"1", "2", "3", "4", "5", "6"}, "programme.file": {"case", "draft", "talk"},
		"talks.every": {"month", "quarter", "half-year", "year"}, "talks.open": {"series", "group"},
		"talks.month-of": {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}, "weekday": {"1", "2", "3", "4", "5", "6", "7"},
	} {
		for _, code := range codes {
			if !phrase(prefix + "." + code) {
				t.Errorf("no phrase %s.%s", prefix, code)
			}
		}
	}
	for _, sc := range screens() {
		if !phrase("screen." + sc.name) {
			t.Errorf("no phrase screen.%s", sc.name)
		}
	}
	for _, b := range habits.Bindings() {
		if !phrase("key." + b.Name) {
			t.Errorf("no phrase key.%s", b.Name)
		}
	}
}

// sources is the text of every template and every file of code.
func sources(t *testing.T) map[string]string {
	out := map[string]string{}
	for _, pattern := range []string{"templates/*.html", "cases/templates/*.html", "instruments/templates/*.html", "talks/templates/*.html", "programme/templates/*.html", "*.go", "cases/*.go", "instruments/*.go", "talks/*.go", "programme/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = string(b)
		}
	}
	return out
}

func TestNothingIsInline(t *testing.T) {
	bad := regexp.MustCompile(`(?i)\s(on[a-z]+|style)=|<style|<script[^>]*>[^<]|javascript:`)
	for name, text := range sources(t) {
		if filepath.Ext(name) != ".html" {
			continue
		}
		for _, m := range bad.FindAllString(text, -1) {
			t.Errorf("%s has %q: the policy would refuse it", name, m)
		}
	}
}

func TestAssetsAreImmutableAndSmall(t *testing.T) {
	s := words(t)
	fonts := 0
	entries, err := files.ReadDir("static/fonts")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if path.Ext(e.Name()) == ".woff2" { // beside them lie their licence and where they are from
			fonts += len(s.paper.Asset(e.Name()))
		}
	}
	if fonts > 300<<10 {
		t.Errorf("the fonts have %d bytes", fonts)
	}
	entries, err = files.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".css" {
			continue
		}
		sheet := s.paper.Asset(e.Name())
		if strings.Contains(string(sheet), `"fonts/`) {
			t.Errorf("%s names a font that is not there", e.Name())
		}
		for _, l := range []string{"left", "right", "margin-left", "margin-right", "padding-left", "padding-right", "border-left", "border-right"} {
			if regexp.MustCompile(`[\s;{]` + l + `:`).Match(sheet) {
				t.Errorf("%s uses %s: write a logical property, so that the page turns with its language", e.Name(), l)
			}
		}
	}
}
