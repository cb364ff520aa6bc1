package models_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"detente/regimes/models"
	"detente/traffic"
	"detente/wording"
)

const pact = `{"id": "pact", "version": 2, "kind": "exchange-of-notes", "nature": "legal", "languages": ["en", "ru"], "about": {"en": "A pact"},
	"title": {"en": "Pact", "ru": "Пакт"},
	"clauses": [
		{"kind": "article", "id": "one"},
		{"kind": "paragraph", "id": "one-1", "texts": {"en": "{party:1} and {party:2} keep the peace.", "ru": "Мир хранят {party:2:nom} и {party:1}."}},
		{"kind": "annex", "id": "annex", "texts": {"en": "Channel", "ru": "Канал"}},
		{"kind": "passage", "id": "effects", "texts": {"en": "channel: peace\nregime: incidents/1\nposts: nrrc cert\n\nchannel: talks\nregime: instruments/1", "ru": "channel: peace\nregime: incidents/1\nposts: nrrc cert\n\nchannel: talks\nregime: instruments/1"}}],
	"notes": {"first": {"en": "Greetings.\n{text}", "ru": "Приветствия.\n{text}"}, "second": {"en": "Received:\n{note}", "ru": "Получено:\n{note}"}}}`

func TestAModelIsReadAsItIsTabled(t *testing.T) {
	m, err := models.Parse([]byte(pact))
	if err != nil {
		t.Fatal(err)
	}
	if m.Name() != "pact/2" || m.Order() != "article one\nparagraph one-1\nannex annex\npassage effects" {
		t.Errorf("%s: %q", m.Name(), m.Order())
	}
	channels, err := m.Channels()
	want := []models.Channel{{Name: "peace", Regime: "incidents", Version: 1, Posts: []traffic.Post{"nrrc", "cert"}}, {Name: "talks", Regime: "instruments", Version: 1}}
	if diff := cmp.Diff(want, channels); err != nil || diff != "" {
		t.Error(err, diff)
	}
	// What looks like a frame's token in the text stays what it is: the second note quotes the first to the byte.
	first, second, err := m.Write(wording.Texts{"en": "Peace, {note}.", "ru": "Мир, {text}."})
	if err != nil || first["en"] != "Greetings.\nPeace, {note}." || second["ru"] != "Получено:\nПриветствия.\nМир, {text}." {
		t.Error(err, first, second)
	}
	for lang := range first {
		if !strings.Contains(second[lang], first[lang]) {
			t.Errorf("%s: the second note does not quote the first: %s", lang, second[lang])
		}
	}
	if _, _, err := m.Write(wording.Texts{"en": "Peace."}); !errors.Is(err, models.ErrModel) {
		t.Errorf("notes of one language: %v", err)
	}
}

func TestWhatIsNoModel(t *testing.T) {
	for name, c := range map[string]struct{ old, new string }{
		"unknown field":             {`"version": 2`, `"version": 2, "colour": "red"`},
		"version 0":                 {`"version": 2`, `"version": 0`},
		"unknown nature":            {`"legal"`, `"moral"`},
		"no language":               {`["en", "ru"]`, `[]`},
		"a language twice":          {`["en", "ru"]`, `["en", "en"]`},
		"a language that is none":   {`["en", "ru"]`, `["en", "RU"]`},
		"title in one language":     {`, "ru": "Пакт"`, ``},
		"title in a third language": {`"ru": "Пакт"`, `"ru": "Пакт", "fr": "Pacte"`},
		"unknown kind of clause":    {`"kind": "annex"`, `"kind": "section"`},
		"a clause twice":            {`"id": "annex"`, `"id": "one"`},
		"a reserved id":             {`"id": "annex"`, `"id": "structure"`},
		"an id with a space":        {`"id": "annex"`, `"id": "an annex"`},
		"a paragraph without text":  {`{"kind": "article", "id": "one"}`, `{"kind": "paragraph", "id": "one"}`},
		"an empty text":             {`"en": "Channel"`, `"en": ""`},
		"a token for nothing":       {`{party:1} and`, `{state} and`},
		"a brace":                   {`{party:1} and`, `{ and`},
		"other parties":             {`"Мир хранят {party:2:nom} и {party:1}."`, `"Мир хранит {party:1}."`},
		"a frame without the text":  {`Greetings.\n{text}`, `Greetings.`},
		"a frame with it twice":     {`Received:\n{note}`, `Received:\n{note}{note}`},
		"something after":           {`"second": {"en": "Received:\n{note}", "ru": "Получено:\n{note}"}}}`, `"second": {"en": "Received:\n{note}", "ru": "Получено:\n{note}"}}} {}`},
		"rules that are no object":  {`"version": 2`, `"version": 2, "rules": []`},
	} {
		spoiled := strings.Replace(pact, c.old, c.new, 1)
		if spoiled == pact {
			t.Errorf("%s: nothing was spoiled", name)
		}
		if m, err := models.Parse([]byte(spoiled)); !errors.Is(err, models.ErrModel) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if _, err := models.Parse(make([]byte, 1<<20+1)); !errors.Is(err, models.ErrModel) {
		t.Errorf("a large one: %v", err)
	}
}

func TestWhatBringsNoChannel(t *testing.T) {
	for _, text := range []string{
		"", "channel: peace", "regime: incidents/1", "channel: peace\nregime: incidents", "channel: peace\nregime: incidents/0", "channel: Peace\nregime: incidents/1",
		"channel: peace\nchannel: war\nregime: incidents/1", "channel: peace\nregime: incidents/1\nposts: NRRC", "channel: peace\nregime: incidents/1\nowner: xn",
		"channel: peace\nregime: incidents/1\n", strings.Repeat("channel: peace\nregime: incidents/1\n\n", 9) + "channel: peace\nregime: incidents/1",
	} {
		if got, err := models.Channels(text); !errors.Is(err, models.ErrModel) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	m, err := models.Parse([]byte(strings.Replace(pact, `"ru": "channel: peace`, `"ru": "channel: war`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Channels(); !errors.Is(err, models.ErrModel) {
		t.Errorf("effects that differ: %v", err)
	}
}

// What is read is what is written, and brings nothing that its own reader refuses.
func FuzzParse(f *testing.F) {
	f.Add([]byte(pact))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := models.Parse(b)
		if err != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := models.Parse(again); err != nil || second.Order() != m.Order() {
			t.Fatalf("%s: %v", again, err)
		}
		if channels, err := m.Channels(); err == nil && len(channels) > 8 {
			t.Fatal("more channels than may be")
		}
	})
}
