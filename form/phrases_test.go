package form_test

import (
	"errors"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/text/language"

	"detente/form"
)

func TestPhrases(t *testing.T) {
	at := time.Date(2026, 11, 23, 14, 15, 0, 0, time.UTC)
	communications, trial := load(t, "../regimes/communications").Phrases, load(t, "testdata/regime").Phrases
	for _, c := range []struct {
		book *form.Phrasebook
		lang string
		key  string
		args []any
		want string
	}{
		{communications, "en", "value.minutes", []any{1}, "1 minute"},
		{communications, "en", "value.minutes", []any{30}, "30 minutes"},
		{communications, "en", "value.file", []any{1234567, "text/csv", "ab"}, "1,234,567 bytes, text/csv, SHA-256: ab"},
		{communications, "ru", "value.minutes", []any{1}, "1 минута"},
		{communications, "ru", "value.minutes", []any{3}, "3 минуты"},
		{communications, "ru", "value.minutes", []any{11}, "11 минут"},
		{communications, "ru", "value.minutes", []any{21}, "21 минута"},
		{communications, "ru", "value.hours", []any{int64(1_000_002)}, "1\u00a0000\u00a0002 часа"},
		{communications, "ru-BY", "frame.from", nil, "От кого"},
		{communications, "de", "frame.from", nil, "From"},
		{communications, "en", "no.such.key", nil, "no.such.key"},
		{communications, "en", "value.window", []any{at, "{1}"}, "from 231415Z NOV 26 to {1}"}, // a slot in an argument is no slot
		{communications, "en", "frame.end", []any{"رقم 7"}, "END OF \u2068رقم 7\u2069"},
		{trial, "ar", "value.minutes", []any{0}, "0 دقيقة"},
		{trial, "ar", "value.minutes", []any{1}, "دقيقة واحدة"},
		{trial, "ar", "value.minutes", []any{2}, "دقيقتان"},
		{trial, "ar", "value.minutes", []any{10}, "10 دقائق"},
		{trial, "ar", "value.days", []any{99}, "99 يوماً"},
		{trial, "ar", "value.days", []any{100}, "100 يوم"},
		{trial, "ar", "frame.end", []any{"26-0007"}, "نهاية \u206826-0007\u2069"}, // else it reads 0007-26
		{trial, "ar", "frame.end", []any{"XN/NRRC 26-0042"}, "نهاية \u2068XN/NRRC 26-0042\u2069"},
		{trial, "ar", "frame.end", []any{"رقم 7"}, "نهاية رقم 7"},
	} {
		if got := c.book.Phrase(language.Make(c.lang), c.key, c.args...); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.key, c.lang, got, c.want)
		}
	}
	if !trial.RTL(language.Arabic) || trial.RTL(language.English) {
		t.Error("Arabic runs from right to left, English does not")
	}
	if got := trial.Match(language.Chinese, language.Make("ar-EG")); got != language.Arabic {
		t.Errorf("an Egyptian who would rather read Chinese reads %s", got)
	}
	if got := trial.Match(language.Chinese); got != language.English {
		t.Errorf("a Chinese reads %s", got)
	}
}

// Screens may fall back to English; a phrasebook that is not complete says where.
func TestIncompletePhrasebook(t *testing.T) {
	m := fstest.MapFS{
		"phrases/en.json": {Data: []byte(`{"language": "en", "direction": "ltr", "phrases": {"watch": "Watch", "due": "due {1}"}}`)},
		"phrases/zh.json": {Data: []byte(`{"language": "zh", "direction": "ltr", "phrases": {"watch": "值班"}}`)},
	}
	p, err := form.LoadPhrases(m)
	if err != nil {
		t.Fatal(err)
	}
	zh := language.Chinese
	if watch, due := p.Phrase(zh, "watch"), p.Phrase(zh, "due", "now"); watch != "值班" || due != "due now" {
		t.Errorf("%s, %s", watch, due)
	}
	if err := p.Complete(); err == nil || err.Error() != `1 faults in phrases: zh lacks "due"` {
		t.Error(err)
	}
	for _, dir := range []string{"../regimes/communications", "../regimes/link", "testdata/regime"} {
		p, err := form.LoadPhrases(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Complete(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if _, err := form.LoadPhrases(fstest.MapFS{}); !errors.Is(err, form.ErrRegime) {
		t.Error(err)
	}
}
