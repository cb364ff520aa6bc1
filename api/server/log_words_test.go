package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"detente/api"
	"detente/api/server"
	"detente/call"
	"detente/dossier"
	"detente/form"
	"detente/judge"
	"detente/officer"
	"detente/regimes"
	"detente/roster"
	"detente/watch"
)

// What people have written in the story below: it stands in the log as it was written, whoever reads.
const theirOwn = "Ζεύς 77"

// every gives each kind of entry of the journal with each of its codes, as they are written: what a new form, code, role, phrase or operation
// adds is in it without anybody thinking of it.
func every(t *testing.T, d *desk) (entries []struct {
	form string
	v    form.Values
}) {
	t.Helper()
	r, err := form.Load(regimes.Internal())
	must(t, err)
	open := map[string][]string{ // fields with codes that the regime does not list
		"role": append(officer.Roles(), "node", "terminal"), "title": watch.Says(), "failure": call.Failures(), "what": nil, "by": {"terminal", "anna"},
	}
	d.server.Operations(func(id, method, _ string) {
		if method != http.MethodGet {
			open["what"] = append(open["what"], id)
		}
	})
	at := time.Date(2026, 11, 23, 14, 15, 0, 0, time.UTC)
	args := watch.Words{Args: []any{"XS/NRRC-P-0001", "xs/nrrc", at, roster.Deputy}}
	texts := map[string]string{
		"post": "nrrc", "officer": "anna", "off": "anna", "on": "boris", "key": "alarm:silent:1:xs", "args": args.Code(), "also": "answer:00", "detail": "550 no such mailbox",
		"grants": "nrrc duty-officer\n* auditor", "text": theirOwn, "remarks": theirOwn, "reason": theirOwn, "items": `{"open":[` +
			`{"precedence":"Z","title":"acknowledge","args":"[\"XS/NRRC-Z-0001\",\"xs/nrrc\"]","due":"2026-11-23T14:00:00Z","role":"deputy","by":"anna"}],"more":3}`,
	}
	for _, f := range r.Forms() {
		rounds := 1
		for _, field := range f.Fields {
			rounds = max(rounds, len(field.Codes), len(open[field.Name]))
		}
		for i := range rounds {
			v := form.Values{}
			for _, field := range f.Fields {
				switch {
				case field.Kind == form.KindCode:
					v[field.Name] = field.Codes[i%len(field.Codes)]
				case open[field.Name] != nil:
					v[field.Name] = open[field.Name][i%len(open[field.Name])]
				case field.Kind == form.KindWindow:
					v[field.Name] = []any{at.Unix(), at.Add(time.Hour).Unix()}
				case field.Kind == form.KindCount:
					v[field.Name] = int64(7)
				case field.Kind == form.KindBytes || field.Kind == form.KindStatement:
					v[field.Name] = make([]byte, 32)
				case texts[field.Name] != "":
					v[field.Name] = texts[field.Name]
				case field.Kind != form.KindBytesList:
					t.Fatalf("the story has no value for the field %s of %s: give it one, and words if it is a code", field.Name, f.ID)
				}
			}
			entries = append(entries, struct {
				form string
				v    form.Values
			}{f.ID, v})
		}
	}
	return entries
}

// The watch log is in its reader's language, on the screen, on paper and as a table: no code, and no word of another language but what people wrote.
func TestTheWholeLogIsInItsReadersLanguage(t *testing.T) {
	d := open(t, "xn")
	entries := every(t, d)
	kinds := map[string]bool{}
	var codes []string // as they must not be seen
	for _, e := range entries {
		kinds[e.form] = true
		by := "duty-officer"
		if e.form == "call" {
			by = "node"
		}
		if _, err := d.floor.Journal().Record(t.Context(), "nrrc", by, e.form, e.v); err != nil {
			t.Fatal(e.form, err)
		}
		for name, value := range e.v {
			if text, ok := value.(string); ok && strings.Contains(text, "-") && slices.Contains([]string{"role", "what", "failure", "action"}, name) {
				codes = append(codes, text)
			}
		}
	}
	for _, f := range must1(form.Load(regimes.Internal())).Forms() {
		if !kinds[f.ID] {
			t.Errorf("the story has no %s", f.ID)
		}
	}
	codes = append(codes, watch.Says()[3:6]...)
	handler := httptest.NewServer(d.server.Handler())
	defer handler.Close()
	for _, lang := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
		list, err := d.client.Log(t.Context(), api.LogListing{Limit: 100_000, Lang: lang})
		must(t, err)
		if len(list) != len(entries) {
			t.Fatalf("%d lines of %d", len(list), len(entries))
		}
		foreign, own := phrasesOfOthers(t, lang)
		codes := slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return whole(own, code) }) // a hand-over is a word, too
		for _, e := range list {
			complain(t, lang, foreign, codes, e.Title+"\n"+e.Who+"\n"+e.Text)
		}
		for _, name := range []string{"log.txt", "log.csv"} {
			complain(t, lang, foreign, codes, get(t, handler.URL+"/v1/"+name+"?limit=100000&lang="+lang))
		}
		if !strings.Contains(get(t, handler.URL+"/v1/log.txt?limit=100000&lang="+lang), theirOwn) {
			t.Errorf("%s: what a person wrote is not there as he wrote it", lang)
		}
	}
}

// complain tells of what a reader of lang cannot read.
func complain(t *testing.T, lang string, foreign map[string]string, codes []string, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		for _, code := range codes {
			if strings.Contains(line, code) {
				t.Errorf("%s: the code %s in %q", lang, code, line)
			}
		}
		if strings.ContainsRune(line, '\uFFFD') {
			t.Errorf("%s: a sign was taken out of %q", lang, line)
		}
		if key := dotted.FindString(line); key != "" {
			t.Errorf("%s: the key %s in %q", lang, key, line)
		}
		for phrase, of := range foreign {
			if strings.Contains(line, phrase) && whole(line, phrase) {
				t.Errorf("%s: %q of the language %s in %q", lang, phrase, of, line)
			}
		}
		if script := map[string]*regexp.Regexp{"ar": latin, "ru": latin, "zh": latin}[lang]; script != nil {
			if word := script.FindString(known.ReplaceAllString(line, "")); word != "" {
				t.Errorf("%s: the word %q in %q", lang, word, line)
			}
		}
	}
}

// dotted finds what looks like a key of a phrasebook, known what stands in Latin letters in every language: names, numbers, ids, precedences.
var (
	dotted = regexp.MustCompile(`\b(?:item|role|operation|failure|reason|log|call|release|session|action|officer)\.[a-z]`)
	latin  = regexp.MustCompile(`[A-Za-z]{3,}`)
	known  = regexp.MustCompile(`XS/NRRC-[A-Z]-[0-9]+|xs/nrrc|nrrc|anna|boris|[0-9A-Za-z]{12,}|\[[0-9a-f]+\]|[0-9]{6}Z [A-Z]{3} [0-9]{2}|[0-9T:-]+Z|FLASH|webhook|OpenID Connect|UTC|MISP|TAXII|STIX`)
)

func whole(line, phrase string) bool {
	for from := 0; ; from++ {
		i := strings.Index(line[from:], phrase)
		if i < 0 {
			return false
		}
		from += i
		before, _ := utf8.DecodeLastRuneInString(line[:from])
		after, _ := utf8.DecodeRuneInString(line[from+len(phrase):])
		if !unicode.IsLetter(before) && !unicode.IsLetter(after) {
			return true
		}
	}
}

// phrasesOfOthers are the phrases without slots that other languages have for what a log may say, and that this language does not use itself.
func phrasesOfOthers(t *testing.T, lang string) (out map[string]string, own string) {
	t.Helper()
	read := func(lang string) (all []string) {
		for _, folder := range []string{"phrases", filepath.Join("..", "..", "regimes", "internal", "phrases")} {
			b, err := os.ReadFile(filepath.Join(folder, lang+".json"))
			must(t, err)
			var file struct{ Phrases map[string]any }
			must(t, json.Unmarshal(b, &file))
			for key, phrase := range file.Phrases {
				text, _ := phrase.(string)
				first, _, _ := strings.Cut(key, ".")
				if first != "month" && first != "weekday" && first != "plane" {
					all = append(all, strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("{}0123456789,;:()", r) })...)
				}
			}
		}
		return all
	}
	own = strings.Join(read(lang), "\n")
	out = map[string]string{}
	for _, other := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
		if other == lang {
			continue
		}
		for _, phrase := range read(other) {
			if phrase = strings.TrimSpace(phrase); len([]rune(phrase)) > 3 && !whole(own, phrase) {
				out[phrase] = other
			}
		}
	}
	return out, own
}

// Each code for which people read a phrase has one: why a statement counts for nothing too.
func TestEveryCodeHasItsPhrase(t *testing.T) {
	book, err := server.Phrases()
	must(t, err)
	var keys []string
	for _, say := range watch.Says() {
		keys = append(keys, "item."+say)
	}
	for _, role := range append(officer.Roles(), "node", "terminal") {
		keys = append(keys, "role."+role)
	}
	for _, code := range call.Failures() {
		keys = append(keys, "failure."+code)
	}
	for _, why := range slices.Concat(judge.Reasons(), dossier.Objections()) {
		keys = append(keys, "reason."+why)
	}
	b, err := os.ReadFile(filepath.Join("phrases", "en.json"))
	must(t, err)
	for _, m := range regexp.MustCompile(`"item\.([a-z.]+)":`).FindAllSubmatch(b, -1) {
		if !slices.Contains(watch.Says(), string(m[1])) {
			t.Errorf("item.%s has words, and is not on the list of watch.Says", m[1])
		}
	}
	for _, key := range keys {
		if !book.Has(key) {
			t.Errorf("no phrase for %s", key)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	must(t, err)
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode != http.StatusOK {
		t.Fatal(url, answer.Status, string(b))
	}
	return string(b)
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprint(err))
	}
	return v
}
