package form_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/canonical"
	"detente/form"
	"detente/traffic"
)

func load(t testing.TB, dir string) *form.Regime {
	t.Helper()
	r, err := form.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// report is the form of the test regime that has a field of every kind.
func report(t testing.TB) *form.Form {
	t.Helper()
	f, ok := load(t, "testdata/regime").Form("report", 2)
	if !ok {
		t.Fatal("no report")
	}
	return f
}

func with(v form.Values, name string, value any) form.Values {
	out := form.Values{}
	for k, x := range v {
		out[k] = x
	}
	out[name] = value
	return out
}

var (
	id32 = bytes.Repeat([]byte{0xab}, 32)
	file = form.Blob{Hash: [32]byte(id32), Size: 3, Name: "plan.pdf", Type: "application/pdf"}
)

func everyKind() form.Values {
	return form.Values{
		"text": "water is rising\nsend pumps", "title": "Flood", "kind": "flood", "level": int64(7),
		"needs": []any{"pumps", "people"}, "at": int64(1795443300), "during": []any{int64(1795443300), int64(1795443305)},
		"lasting": int64(5400), "over": false, "asker": "xa/nrrc", "earlier": id32, "key": []byte{1, 2},
		"marks": []any{[]byte{1}, []byte{2}}, "name": map[string]any{"en": "Flood", "zh-Hans": "洪水"}, "map": file.Value(), "photos": []any{file.Value()},
	}
}

func TestWhatIsStatedIsWhatIsRead(t *testing.T) {
	f := report(t)
	payload, err := f.Encode(everyKind())
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(everyKind(), got); diff != "" {
		t.Error(diff)
	}
	if blobs := f.Blobs(got); len(blobs) != 2 || blobs[0] != file {
		t.Errorf("blobs %v", blobs)
	}

	// The types that are handy in Go give the same bytes.
	handy := everyKind()
	at := time.Unix(1795443300, 0)
	for name, value := range map[string]any{"level": 7, "needs": []string{"people", "pumps"}, "at": at,
		"during": [2]time.Time{at, at.Add(5 * time.Second)}, "lasting": 90 * time.Minute, "name": map[string]string{"en": "Flood", "zh-Hans": "洪水"}, "map": file, "photos": []form.Blob{file}} {
		handy[name] = value
	}
	if again, err := f.Encode(handy); err != nil || !bytes.Equal(again, payload) {
		t.Errorf("%x, %v", again, err)
	}
}

func TestValuesInJSON(t *testing.T) {
	f := report(t)
	raw, err := f.ToJSON(everyKind())
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("ab", 32)
	blob := `{"hash":"` + hash + `","size":3,"name":"plan.pdf","type":"application/pdf"}`
	want := `{"text":"water is rising\nsend pumps","title":"Flood","kind":"flood","level":7,"needs":["pumps","people"],` +
		`"at":"2026-11-23T14:15:00Z","during":{"from":"2026-11-23T14:15:00Z","to":"2026-11-23T14:15:05Z"},"lasting":"1h30m0s","over":false,` +
		`"asker":"xa/nrrc","earlier":"` + hash + `","key":"0102","marks":["01","02"],"name":{"en":"Flood","zh-Hans":"洪水"},"map":` + blob + `,"photos":[` + blob + `]}`
	if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Fatal(diff)
	}
	got, err := f.FromJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(everyKind(), got); diff != "" {
		t.Error(diff)
	}
	// What a web form leaves empty is absent.
	got, err = f.FromJSON(json.RawMessage(`{"text": "two\r\nlines", "title": " ", "needs": [], "photos": []}`))
	if diff := cmp.Diff(form.Values{"text": "two\nlines"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for raw, want := range map[string]error{
		`{"text":"x","text":"y"}`: form.ErrValue, // which of the two was meant?
		`{"colour":"red"}`:        form.ErrUnknownField,
		`{"level":1.5}`:           form.ErrValue,
		`{"text":7}`:              form.ErrValue,
		`{"text":null}`:           form.ErrValue,
		`{"at":"tomorrow"}`:       form.ErrValue,
		`{"during":{"from":"2026-11-23T14:15:00Z","until":"2026-11-23T14:15:05Z"}}`: form.ErrValue,
		`{"map":{"hash":"zz","size":3,"name":"plan.pdf","type":"a/b"}}`:             form.ErrValue,
		`[]`:      form.ErrValue,
		`{} true`: form.ErrValue,
		``:        form.ErrValue,
	} {
		if _, err := f.FromJSON(json.RawMessage(raw)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", raw, err, want)
		}
	}
}

func TestValuesOnACommandLine(t *testing.T) {
	f := report(t)
	got, err := f.FromText(map[string]string{
		"text": "water is rising\nsend pumps", "title": "Flood", "kind": "flood", "level": "7", "needs": "people,pumps", "at": "231415Z NOV 26",
		"during": "2026-11-23T14:15:00Z/231415:05Z NOV 26", "lasting": "90m", "over": "false", "asker": "xa/nrrc",
		"earlier": strings.Repeat("ab", 32), "key": "0102", "marks": "01,02", "name.EN": "Flood", "name.zh-hans": "洪水", "name.ru": " "})
	if err != nil {
		t.Fatal(err)
	}
	want := everyKind()
	delete(want, "map")
	delete(want, "photos")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := f.FromText(map[string]string{"map": "plan.pdf"}); !errors.Is(err, form.ErrValue) {
		t.Errorf("a file as text: %v", err)
	}
	if _, err := f.FromText(map[string]string{"colour": "red"}); !errors.Is(err, form.ErrUnknownField) {
		t.Errorf("an unknown field: %v", err)
	}
}

// Each value is refused on the way out, and on the way in when a peer did not refuse it on its way out.
func TestRefusedValues(t *testing.T) {
	f := report(t)
	plain := form.Values{"text": "water", "kind": "fire"}
	blob := func(key string, value any) form.Values {
		m := file.Value().(map[string]any)
		m[key] = value
		return with(plain, "map", m)
	}
	cases := map[string]struct {
		values form.Values
		want   error
		field  string
	}{
		"nothing at all":              {form.Values{}, form.ErrMissing, "text"},
		"a field of another form":     {with(plain, "colour", "red"), form.ErrUnknownField, `"colour"`},
		"empty text":                  {with(plain, "text", ""), form.ErrValue, "text"},
		"blank text":                  {with(plain, "text", " \n "), form.ErrValue, "text"},
		"text below the least":        {with(plain, "text", "x"), form.ErrValue, "text"},
		"text that drives a terminal": {with(plain, "text", "a\x1b[2Jb"), form.ErrValue, "text"},
		"text that reorders its line": {with(plain, "text", "a\u202Eb"), form.ErrValue, "text"},
		"text that opens an isolate":  {with(plain, "text", "a\u2067b"), form.ErrValue, "text"},
		"characters":                  {with(plain, "text", strings.Repeat("ж", 401)), form.ErrTooLong, "text"},
		"words":                       {with(plain, "text", strings.Repeat("a ", 31)), form.ErrTooLong, "text"},
		"words without spaces":        {with(plain, "text", strings.Repeat("水", 61)), form.ErrTooLong, "text"},
		"two lines in one":            {with(plain, "title", "a\nb"), form.ErrValue, "title"},
		"unknown code":                {with(plain, "kind", "storm"), form.ErrValue, "kind"},
		"level of a fire":             {with(plain, "level", int64(1)), form.ErrValue, "level"},
		"count above the most":        {with(with(plain, "kind", "flood"), "level", int64(10)), form.ErrValue, "level"},
		"count below the least":       {with(with(plain, "kind", "flood"), "level", int64(-1)), form.ErrValue, "level"},
		"no codes":                    {with(plain, "needs", []any{}), form.ErrValue, "needs"},
		"codes in another order":      {with(plain, "needs", []any{"people", "pumps"}), form.ErrValue, "needs"},
		"one code twice":              {with(plain, "needs", []any{"pumps", "pumps"}), form.ErrValue, "needs"},
		"codes that are numbers":      {with(plain, "needs", []any{int64(0)}), form.ErrValue, "needs"},
		"time before 1970":            {with(plain, "at", int64(-1)), form.ErrValue, "at"},
		"time after 9999":             {with(plain, "at", int64(253402300800)), form.ErrValue, "at"},
		"window that ends before":     {with(plain, "during", []any{int64(2), int64(1)}), form.ErrValue, "during"},
		"window of three":             {with(plain, "during", []any{int64(1), int64(1), int64(1)}), form.ErrValue, "during"},
		"truth as a number":           {with(plain, "over", int64(1)), form.ErrValue, "over"},
		"address in capitals":         {with(plain, "asker", "XA/NRRC"), form.ErrValue, "asker"},
		"short id":                    {with(plain, "earlier", id32[1:]), form.ErrValue, "earlier"},
		"bytes above the most":        {with(plain, "key", make([]byte, 65)), form.ErrTooLong, "key"},
		"bytes as text":               {with(plain, "key", "ab"), form.ErrValue, "key"},
		"too many in a list":          {with(plain, "marks", []any{[]byte{1}, []byte{1}, []byte{1}, []byte{1}}), form.ErrTooLong, "marks"},
		"empty bytes in a list":       {with(plain, "marks", []any{[]byte{}}), form.ErrValue, "marks"},
		"three photographs":           {with(plain, "photos", []any{file.Value(), file.Value(), file.Value()}), form.ErrTooLong, "photos"},
		"file with a path":            {blob("name", "../plan.pdf"), form.ErrValue, "map"},
		"file without a type":         {blob("type", "pdf"), form.ErrValue, "map"},
		"file of no bytes":            {blob("size", int64(0)), form.ErrValue, "map"},
		"file over the limit":         {blob("size", int64(64<<20+1)), form.ErrValue, "map"},
		"file with a short hash":      {blob("hash", id32[1:]), form.ErrValue, "map"},
		"file with a remark":          {blob("remark", "secret"), form.ErrValue, "map"},
	}
	for name, c := range cases {
		check := func(way string, err error) {
			t.Helper()
			var at *form.FieldError
			if !errors.Is(err, c.want) || !errors.As(err, &at) || at.Form != "report" || at.Field != c.field {
				t.Errorf("%s, %s: %v", name, way, err)
			}
		}
		_, err := f.Encode(c.values)
		check("out", err)
		payload, err := canonical.Marshal(map[string]any(c.values))
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Decode(payload)
		check("in", err)
	}
}

func TestRefusedPayloads(t *testing.T) {
	f := report(t)
	good, err := f.Encode(form.Values{"text": "water", "kind": "fire"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		payload []byte
		want    error
	}{
		"nothing":       {nil, canonical.ErrTruncated},
		"cut":           {good[:len(good)-1], canonical.ErrTruncated},
		"trailing":      {append(bytes.Clone(good), 0), canonical.ErrTrailing},
		"too large":     {make([]byte, 48<<10+1), canonical.ErrTooLarge},
		"not a map":     {[]byte{0x80}, canonical.ErrShape},
		"key of number": {[]byte{0xa1, 0x01, 0x01}, canonical.ErrShape},
		"null":          {[]byte{0xf6}, canonical.ErrForbidden},
	} {
		if _, err := f.Decode(c.payload); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestWhoMayStateWhat(t *testing.T) {
	f := report(t)
	fire := form.Values{"text": "smoke", "kind": "fire"}
	use := form.Use{Post: "cert", Precedence: traffic.Priority, Drafter: "duty-officer"}
	urgent := form.Use{Post: "cert", Precedence: traffic.Immediate, Drafter: "duty-officer", Releaser: "shift-leader"}
	long := form.Values{"text": strings.Repeat("word ", 200), "title": "Flood", "kind": "fire"}
	as := func(u form.Use, change func(*form.Use)) form.Use { change(&u); return u }
	for name, c := range map[string]struct {
		use    form.Use
		values form.Values
		want   error
	}{
		"as it should be":              {use, fire, nil},
		"two persons":                  {urgent, fire, nil},
		"any number of references":     {as(use, func(u *form.Use) { u.Refs = 9 }), fire, nil},
		"another post":                 {as(use, func(u *form.Use) { u.Post = "nrrc" }), fire, form.ErrPost},
		"above the ceiling":            {as(urgent, func(u *form.Use) { u.Precedence = traffic.Flash }), fire, form.ErrPrecedence},
		"no precedence":                {as(use, func(u *form.Use) { u.Precedence = "" }), fire, form.ErrPrecedence},
		"no releaser":                  {as(urgent, func(u *form.Use) { u.Releaser = "" }), fire, form.ErrReleaser},
		"drafter as releaser":          {as(urgent, func(u *form.Use) { u.Releaser = u.Drafter }), fire, form.ErrReleaser},
		"required field missing":       {use, form.Values{"text": "smoke"}, form.ErrMissing},
		"required beside another":      {use, form.Values{"text": "smoke", "kind": "flood"}, form.ErrMissing},
		"201 words when urgent":        {urgent, long, form.ErrTooLong},
		"201 words when there is time": {use, long, nil},
	} {
		if err := f.Permit(c.use, c.values); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// One field may say the same in several languages; each text has a language, and one spelling.
func TestTextsInSeveralLanguages(t *testing.T) {
	f := report(t)
	named := func(texts any) form.Values { return form.Values{"text": "smoke", "name": texts} }
	many := map[string]string{}
	for a := 'a'; a <= 'y'; a++ {
		many["x"+string(a)] = "word"
	}
	for name, c := range map[string]struct {
		texts any
		want  error
	}{
		"two":              {map[string]string{"en": "Flood", "ar": "فيضان"}, nil},
		"none":             {map[string]string{}, form.ErrValue},
		"a list":           {[]any{"Flood"}, form.ErrValue},
		"no language":      {map[string]string{"": "Flood"}, form.ErrValue},
		"another spelling": {map[string]string{"EN": "Flood"}, form.ErrValue},
		"a name":           {map[string]string{"english": "Flood"}, form.ErrValue},
		"blank":            {map[string]string{"en": "Flood", "ru": " "}, form.ErrValue},
		"no text":          {map[string]any{"en": int64(1)}, form.ErrValue},
		"decomposed":       {map[string]string{"fr": "e\u0301vacuer"}, form.ErrValue},
		"reordering":       {map[string]string{"en": "Flood\u202e"}, form.ErrValue},
		"too long":         {map[string]string{"en": strings.Repeat("x", 81)}, form.ErrTooLong},
		"25 languages":     {many, form.ErrTooLong},
	} {
		if _, err := f.Encode(named(c.texts)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	got, err := f.FromJSON(json.RawMessage(`{"name":{"FR":"e\u0301vacuer\r\nvite","ru":" "}}`))
	if diff := cmp.Diff(map[string]string{"fr": "évacuer\nvite"}, got.Texts("name")); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, raw := range []string{`{"name":{"en":"a","EN":"b"}}`, `{"name":{"en":"a","en":"b"}}`, `{"name":{"qq-1":"a"}}`, `{"name":"Flood"}`, `{"name":["Flood"]}`} {
		if _, err := f.FromJSON(json.RawMessage(raw)); !errors.Is(err, form.ErrValue) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, given := range []map[string]string{{"name": "Flood"}, {"name.en": "a", "name.EN": "b"}, {"name.": "a"}} {
		if _, err := f.FromText(given); !errors.Is(err, form.ErrValue) {
			t.Errorf("%v: %v", given, err)
		}
	}
	if _, err := f.FromText(map[string]string{"title.en": "Flood"}); !errors.Is(err, form.ErrUnknownField) {
		t.Errorf("a line by language: %v", err)
	}
	// Urgent words are counted once: the languages say the same.
	urgent := form.Use{Post: "cert", Precedence: traffic.Immediate, Drafter: "duty-officer", Releaser: "shift-leader"}
	v := form.Values{"text": strings.Repeat("word ", 199), "kind": "fire", "name": map[string]any{"en": "Fire", "ru": "Пожар"}}
	if err := f.Permit(urgent, v); err != nil {
		t.Error(err)
	}
	v["name"] = map[string]any{"en": "Fire", "ru": "Пожар в лесу"}
	if err := f.Permit(urgent, v); !errors.Is(err, form.ErrTooLong) {
		t.Errorf("202 words: %v", err)
	}
}

func TestTimeLimits(t *testing.T) {
	f := report(t)
	if got := f.AcknowledgeWithin(traffic.Routine); got != 11*time.Minute {
		t.Errorf("acknowledge within %v", got)
	}
	if got := f.AnswerWithin(traffic.Flash); got != 2*time.Hour {
		t.Errorf("answer within %v", got)
	}
	if link, _ := load(t, "../regimes/link").Latest("charter"); link.AnswerWithin(traffic.Flash) != 0 {
		t.Error("a charter asks for an answer")
	}
}

// The rules that a regime of urgent communications must keep, whatever its forms are.
func TestCommunications(t *testing.T) {
	r := load(t, "../regimes/communications")
	if r.ID != "communications" || r.Version != 1 {
		t.Errorf("%s %d", r.ID, r.Version)
	}
	one := map[string]bool{"check-answer": true, "acknowledgement": true, "answer": true, "interim": true, "correction": true, "cancellation": true, "translation": true}
	for _, f := range r.Forms() {
		always := 0
		for _, field := range f.Fields {
			if field.Always {
				always++
			}
		}
		if f.Ceiling == traffic.Flash && always != 1 {
			t.Errorf("%s: %d fields could hold up a FLASH", f.ID, always)
		}
		if (f.Refs == form.RefsOne) != one[f.ID] {
			t.Errorf("%s refers to %s", f.ID, f.Refs)
		}
		if f.AcknowledgeWithin(traffic.Flash) > 10*time.Minute || f.AcknowledgeWithin(traffic.Immediate) > 30*time.Minute {
			t.Errorf("%s: late acknowledgement", f.ID)
		}
	}
	// At FLASH the observation alone will do; below, what is asked is due as well.
	inquiry, _ := r.Form("inquiry", 1)
	flash := form.Use{Precedence: traffic.Flash, Drafter: "a", Releaser: "b"}
	only := form.Values{"observation": "relays open"}
	if err := inquiry.Permit(flash, only); err != nil {
		t.Error(err)
	}
	if err := inquiry.Permit(form.Use{Precedence: traffic.Routine}, only); !errors.Is(err, form.ErrMissing) {
		t.Error(err)
	}
	if _, ok := r.Form("inquiry", 2); ok {
		t.Error("a version that is not there")
	}
}

func TestDateTimeGroup(t *testing.T) {
	at := time.Date(2026, 11, 23, 17, 15, 59, 0, time.FixedZone("", 3*3600))
	if got := form.DTG(at); got != "231415Z NOV 26" {
		t.Error(got)
	}
	for _, year := range []int{1899, 1999, 2000, 2026, 2068, 2069, 2126} {
		at := time.Date(year, 1, 2, 3, 4, 0, 0, time.UTC)
		if back, err := form.ParseDTG(form.DTG(at)); err != nil || !back.Equal(at) || (len(form.DTG(at)) == 14) != (year >= 2000 && year <= 2068) {
			t.Errorf("%d: %s is read as %v, %v", year, form.DTG(at), back, err)
		}
	}
	for s, want := range map[string]string{"231415Z NOV 26": "2026-11-23T14:15:00Z", "231415:59Z nov 26": "2026-11-23T14:15:59Z", "231415:59Z NOV 2099": "2099-11-23T14:15:59Z"} {
		if got, err := form.ParseDTG(s); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, bad := range []string{"321415Z NOV 26", "231415Z NOV 99", "231415Z NOV 026"} {
		if at, err := form.ParseDTG(bad); err == nil {
			t.Errorf("%s is read as %v", bad, at)
		}
	}
}
