package form_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
	"golang.org/x/text/width"

	"detente/form"
	"detente/traffic"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), rewritten by -update:\n%s", path, diff)
	}
}

// sample is a statement as the local API would carry it, with the header that goes with it.
type sample struct {
	fields     string
	precedence traffic.Precedence
	plane      traffic.Plane
	original   string
	refs       []string
	status     []string
}

var samples = map[string]sample{
	"check": {precedence: traffic.Priority, plane: traffic.Test, original: "en", fields: `{
		"level": 2, "question": "What is the weather at your post, and which hand do you write with?", "reply_by": "2026-11-23T15:15:00Z"}`},
	"check-answer": {precedence: traffic.Priority, plane: traffic.Test, original: "ru", refs: []string{"XN/NRRC 26-0041"}, fields: `{
		"answered_by": "duty-officer", "answer": "У нас мокрый снег и сильный ветер. Пишу левой рукой."}`},
	"notice": {precedence: traffic.Routine, plane: traffic.Exercise, original: "en", fields: `{
		"subject": "planned", "text": "Exercise ICE HARBOUR: simulated outages of port control systems in a closed network.",
		"window": {"from": "2026-12-01T06:00:00Z", "to": "2026-12-03T18:00:00Z"},
		"recognition": "Traffic from 198.51.100.0/24 only, user agent \"ice-harbour\".", "contact": "xn/nrrc, voice +00 000 000"}`},
	"inquiry": {precedence: traffic.Immediate, plane: traffic.Real, original: "en",
		status: []string{"at the terminal 231409Z NOV 26", "accepted by the watch 231410Z NOV 26"}, fields: `{
		"observed": {"from": "2026-11-23T11:00:05Z", "to": "2026-11-23T13:30:00Z"},
		"observation": "Control commands were sent to the protection relays of two substations of the northern grid. Four relays opened at 11:02Z; 40 MW were lost for nine minutes.\nThe commands came over sessions opened from the addresses in the attachment.",
		"sector": "energy",
		"source": "203.0.113.0/24 (AS64500), announced by an operator registered in your territory.",
		"confidence": "low", "limits": "The addresses may have been used by others without the knowledge of their operator.",
		"ongoing": "not-known", "asked": ["check", "stop", "preserve"], "reply_by": "2026-11-23T20:15:00Z",
		"attachments": [{"hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "size": 18204, "name": "indicators.stix.json", "type": "application/stix+json"}]}`},
	"acknowledgement": {precedence: traffic.Immediate, plane: traffic.Real, original: "ru", refs: []string{"XN/NRRC 26-0042"}, fields: `{
		"received": "2026-11-23T14:09:00Z", "understood": true, "forwarded_to": "cert", "interim_by": "2026-11-23T17:00:00Z"}`},
	"answer": {precedence: traffic.Immediate, plane: traffic.Real, original: "ru", refs: []string{"XN/NRRC 26-0042"}, fields: `{
		"finding": "confirmed-stopped", "text": "Указанные адреса принадлежали арендованному серверу, доступ к которому получили неустановленные лица.",
		"measures": "Сервер отключён в 16:40Z, образ диска сохранён. Проверка продолжается.", "close": true}`},
	"interim": {precedence: traffic.Priority, plane: traffic.Real, original: "ru", refs: []string{"XN/NRRC 26-0042"}, fields: `{
		"status": "need-data", "data": "Просим сообщить точное время каждого соединения и номера портов.", "expected": "2026-11-24T09:00:00Z"}`},
	"service": {precedence: traffic.Routine, plane: traffic.Real, original: "en", fields: `{
		"service": "maintenance", "text": "Power supply of the terminal. Fallback by pouch.", "window": {"from": "2026-11-25T01:00:00Z", "to": "2026-11-25T03:00:00Z"}}`},
	"correction": {precedence: traffic.Immediate, plane: traffic.Real, original: "en", refs: []string{"XN/NRRC 26-0042"}, fields: `{
		"read": "Three relays opened", "in_place_of": "Four relays opened"}`},
	"cancellation": {precedence: traffic.Flash, plane: traffic.Exercise, original: "en", refs: []string{"XN/NRRC 26-0044"}, fields: `{
		"reason": "Sent in error during the exercise. No accident has occurred."}`},
	"loss-of-control": {precedence: traffic.Flash, plane: traffic.Real, original: "ru", fields: `{
		"what": "Программа наблюдения вышла за пределы испытательной сети и распространяется через почтовые вложения.", "since": "2026-11-23T13:20:00Z",
		"remedy": "Блокировать вложения с именем report-42.zip; отключение по домену stop.example."}`},
	"contact": {precedence: traffic.Routine, plane: traffic.Real, original: "en", fields: `{
		"name": "watch", "post": "xn/nrrc", "category": "risk-reduction", "organisation": "Northland Risk Reduction Centre", "duty_role": "duty officer",
		"around_clock": true, "zone": "Europe/Oslo", "handovers": "06:00 14:00 22:00", "voice": "+00 000 100", "callback": "+00 000 101", "mail": "watch@xn.example",
		"key": "poncho jubilee woodland video", "key_verified": "by-voice", "speaks": "en ru", "reads": "en ru fr", "authority": ["receive", "acknowledge"],
		"nominated_by": "Note verbale 114/26", "nominated_on": "2026-01-15T00:00:00Z", "valid": {"from": "2026-01-15T00:00:00Z", "to": "2027-01-15T00:00:00Z"}, "visibility": "members"}`},
	"contact-status": {precedence: traffic.Routine, plane: traffic.Real, original: "en", fields: `{
		"name": "watch", "action": "confirmed", "by": "xn/mfa", "text": "Nothing has changed."}`},
	"status": {precedence: traffic.Priority, plane: traffic.Real, original: "en", fields: `{
		"state": "restricted", "functions": ["consultations", "goodwill"], "ground": "political", "text": "The consultations of December do not take place.",
		"from": "2026-12-01T00:00:00Z", "condition": "A new date is agreed.", "continues": ["checks", "accidents", "response-teams", "service", "inquiries", "notices"]}`},
	"translation": {precedence: traffic.Priority, plane: traffic.Real, original: "ru", refs: []string{"XN/NRRC 26-0042"}, fields: `{
		"language": "ru", "made_by": "machine-reviewed", "translator": "translator", "reviewer": "duty-officer",
		"text": "На реле защиты двух подстанций северной сети были поданы команды управления."}`},
	"glossary": {precedence: traffic.Routine, plane: traffic.Real, original: "en", fields: `{
		"term": "ICT incident", "language": "en", "definition": "An event that impairs the working of information and communication technologies.",
		"counterpart": "инцидент в информационном пространстве", "counterpart_in": "ru", "standing": "proposed"}`},
	"goodwill": {precedence: traffic.Routine, plane: traffic.Real, original: "en", fields: `{
		"text": "We thank the duty officers of the night of 23 November for their prompt answers."}`},
}

func (s sample) message(t *testing.T, f *form.Form) form.Message {
	t.Helper()
	v, err := f.FromJSON(json.RawMessage(s.fields))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := f.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = f.Decode(payload); err != nil {
		t.Fatal(err)
	}
	use := form.Use{Precedence: s.precedence, Refs: len(s.refs), Drafter: "duty-officer", Releaser: "shift-leader"}
	if err := f.Permit(use, v); err != nil {
		t.Fatal(err)
	}
	m := form.Message{Form: f, Values: v, Number: "XN/NRRC 26-0042", From: "xn/nrrc", To: "xs/nrrc", At: time.Date(2026, 11, 23, 14, 8, 30, 0, time.UTC),
		Precedence: s.precedence, Plane: s.plane, Case: "26-0007", Refs: s.refs, Original: language.Make(s.original), Marking: "TLP:AMBER", Status: s.status}
	if s.original == "ru" {
		m.Number, m.From, m.To = "XS/NRRC 26-0017", "xs/nrrc", "xn/nrrc"
	}
	return m
}

// columns counts the cells that a line fills on a terminal: two for a Chinese character, none for a mark of direction or a vowel sign.
func columns(line string) int {
	n := 0
	for _, r := range line {
		switch kind := width.LookupRune(r).Kind(); {
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		case unicode.IsGraphic(r) && !unicode.In(r, unicode.Mn, unicode.Me):
			n++
		}
	}
	return n
}

// Every form of the communications regime, as the officer of each side reads it.
func TestRenderings(t *testing.T) {
	r := load(t, "../regimes/communications")
	for _, f := range r.Forms() {
		s, ok := samples[f.ID]
		if !ok {
			t.Errorf("no sample of %s", f.ID)
			continue
		}
		m := s.message(t, f)
		for _, lang := range r.Phrases.Languages() {
			got := r.Render(m, lang).String()
			golden(t, f.ID+"."+lang.String()+".txt", got)
			for line := range strings.Lines(got) {
				if n := columns(line); n > 72 {
					t.Errorf("%s in %s: a line of %d columns: %s", f.ID, lang, n, line)
				}
			}
		}
	}
}

// A report from left to right and one from right to left, each for readers of both kinds.
func TestRightToLeft(t *testing.T) {
	r := load(t, "testdata/regime")
	f := report(t)
	v := everyKind()
	v["key"] = make([]byte, 40)
	for original, text := range map[string]string{
		"en": "Water is rising at the pumping station رقم ٧ of the eastern district.\nWe send what we have, and ask for what we lack.",
		"ar": "يرتفع منسوب المياه في محطة الضخ رقم ٧ في المنطقة الشرقية، وعنوان جهاز التحكم 203.0.113.7.\nنرسل ما لدينا ونطلب ما ينقصنا.",
	} {
		m := form.Message{Form: f, Values: with(v, "text", text), Number: "XA/CERT 26-0009", From: "xa/cert", To: "xb/cert",
			At: time.Date(2026, 11, 23, 14, 15, 0, 0, time.UTC), Precedence: traffic.Routine, Plane: traffic.Exercise,
			Refs: []string{"XB/CERT 26-0002", "XB/CERT 26-0003"}, Original: language.Make(original), Marking: "TLP:RED"}
		for _, lang := range r.Phrases.Languages() {
			doc := r.Render(m, lang)
			golden(t, "report."+original+"-for-"+lang.String()+".txt", doc.String())
			if doc.RTL != (lang == language.Arabic) || doc.Items[0].Runs[0].RTL != (original == "ar") {
				t.Errorf("%s for %s: direction", original, lang)
			}
			for line := range strings.Lines(doc.String()) {
				if opened := strings.Count(line, "\u2066") + strings.Count(line, "\u2067") + strings.Count(line, "\u2068"); opened != strings.Count(line, "\u2069") {
					t.Errorf("%s for %s: an isolate leaves its line: %q", original, lang, line)
				}
			}
		}
	}
}

// Chinese has no spaces: a line ends between characters, with its punctuation, and Latin words in it stay whole.
func TestChineseLines(t *testing.T) {
	r := load(t, "../regimes/communications")
	f, _ := r.Form("goodwill", 1)
	text := strings.Repeat("我方感谢贵方值班人员于十一月二十三日夜间（北京时间）迅速答复，并收到了indicators.stix.json文件。“双方”均已确认；", 5)
	got := r.Render(form.Message{Form: f, Values: form.Values{"text": text}, Precedence: traffic.Routine, Plane: traffic.Real}, language.Chinese).String()
	golden(t, "goodwill.zh-for-zh.txt", got)
	said := ""
	for line := range strings.Lines(got) {
		words, quoted := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "   │ ")
		if !quoted {
			continue
		}
		said += words
		if strings.ContainsAny(words[:min(3, len(words))], "，；。）”") || strings.HasSuffix(words, "（") || columns(line) > 72 {
			t.Errorf("a line of %d columns: %s", columns(line), line)
		}
	}
	if said != "“"+text+"”" {
		t.Errorf("the lines say %s", said)
	}
}

// The originator's words stay behind the rule, whatever he writes, even if nobody has checked them.
func TestWordsCannotLeaveTheRule(t *testing.T) {
	r := load(t, "../regimes/communications")
	f, _ := r.Form("goodwill", 1)
	text := "peace”\nEND OF XN/NRRC 26-0042\n\u202Eesrever\x1b[1A\r" + strings.Repeat("x", 200) + "\xff\u2069" + strings.Repeat("水", 100)
	m := form.Message{Form: f, Values: form.Values{"text": text}, Precedence: traffic.Routine, Plane: traffic.Real, Number: "XN 1",
		Marking: "TLP:RED\nFrom  xs/nrrc"}
	got := r.Render(m, language.English).String()
	golden(t, "hostile.txt", got)
	_, body, _ := strings.Cut(got, "1. Text:\n")
	body, _, _ = strings.Cut(body, "───")
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "   │ ") {
			t.Errorf("outside the rule: %q", line)
		}
	}
}

// A statement whose values nobody has checked renders, if as little.
func TestRenderingUncheckedValues(t *testing.T) {
	r := load(t, "testdata/regime")
	f := report(t)
	for _, bad := range []any{nil, true, "x", int64(-1 << 62), 1.5, []byte{1}, []any{nil, "x", []any{}}, map[string]any{"hash": "x"}} {
		v := form.Values{}
		for _, field := range f.Fields {
			v[field.Name] = bad
		}
		if doc := r.Render(form.Message{Form: f, Values: v}, language.Arabic); len(doc.Items) != len(f.Fields) || doc.String() == "" {
			t.Errorf("%v: %d items", bad, len(doc.Items))
		}
		if _, err := f.ToJSON(v); err != nil && bad != 1.5 {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
