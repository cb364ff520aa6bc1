package form_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/language"

	"detente/form"
)

// allForms are the forms of every regime at hand, each with its regime.
func allForms(t testing.TB) map[*form.Form]*form.Regime {
	forms := map[*form.Form]*form.Regime{}
	for _, dir := range []string{"../regimes/communications", "../regimes/link", "testdata/regime"} {
		r := load(t, dir)
		for _, f := range r.Forms() {
			forms[f] = r
		}
	}
	return forms
}

// What decodes encodes to the same bytes, and survives the local API and both renderings.
func FuzzDecode(f *testing.F) {
	r := load(f, "../regimes/communications")
	for id, s := range samples {
		of, _ := r.Latest(id)
		v, err := of.FromJSON(json.RawMessage(s.fields))
		if err != nil {
			f.Fatal(err)
		}
		payload, err := of.Encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	payload, err := report(f).Encode(everyKind())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	forms := allForms(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		for of, r := range forms {
			v, err := of.Decode(payload)
			if err != nil {
				continue
			}
			again, err := of.Encode(v)
			if err != nil || !bytes.Equal(again, payload) {
				t.Fatalf("%s: %x became %x, %v", of.ID, payload, again, err)
			}
			raw, err := of.ToJSON(v)
			if err != nil {
				t.Fatalf("%s: %v", of.ID, err)
			}
			if v, err = of.FromJSON(raw); err != nil {
				t.Fatalf("%s: %s: %v", of.ID, raw, err)
			}
			if again, err = of.Encode(v); err != nil || !bytes.Equal(again, payload) {
				t.Fatalf("%s: %x became %x through %s, %v", of.ID, payload, again, raw, err)
			}
			for _, lang := range r.Phrases.Languages() {
				_ = r.Render(form.Message{Form: of, Values: v, Original: language.Russian}, lang).String()
			}
		}
	})
}

// The seed is small: the fuzzer spends its time on shrinking large ones.
func FuzzLoad(f *testing.F) {
	english, err := os.ReadFile("testdata/regime/phrases/en.json")
	if err != nil {
		f.Fatal(err)
	}
	frame, _, _ := strings.Cut(string(english), `    "report"`)
	f.Add([]byte(`{"id":"a","version":1,"languages":["en"],"time_limits":{"b":{"Z":"1m"}},"forms":[{"id":"c","version":1,"ceiling":"Z","refs":"any",`+
		`"must_answer":"b","answers_with":["c"],"fields":[{"name":"d","kind":"code","codes":["e"]},{"name":"f","kind":"text","max":9}]}]}`),
		[]byte(frame+`"c":"C","c.d":"D","c.d.e":"E","c.f":"F"}}`))
	f.Fuzz(func(t *testing.T, regime, phrases []byte) {
		r, err := form.Load(fstest.MapFS{"regime.json": {Data: regime}, "phrases/en.json": {Data: phrases}})
		if err != nil {
			return
		}
		for _, of := range r.Forms() {
			doc := r.Render(form.Message{Form: of, Precedence: of.Ceiling, Plane: "test"}, language.English)
			if doc.Title == "" || doc.Title == of.ID && !bytes.Contains(phrases, []byte(of.ID)) {
				t.Fatalf("%s has no title", of.ID)
			}
			if _, err := of.Decode([]byte{0xa0}); err != nil && len(of.Fields) == 0 {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	r := load(b, "../regimes/communications")
	for _, id := range []string{"acknowledgement", "goodwill", "inquiry"} {
		f, _ := r.Form(id, 1)
		v, err := f.FromJSON(json.RawMessage(samples[id].fields))
		if err != nil {
			b.Fatal(err)
		}
		payload, err := f.Encode(v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(id, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if _, err := f.Decode(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
