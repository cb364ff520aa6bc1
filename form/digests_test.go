package form_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"detente/form"
	"detente/traffic"
)

// Parts withheld stand in a statement as a set of digests: in one order, and in words that say how many there may be.
func TestPartsWithheld(t *testing.T) {
	r := load(t, "../regimes/indicators")
	f, _ := r.Latest("indicators")
	digest := func(b byte) []byte { return append(make([]byte, 31), b) }
	share := func(digests ...any) form.Values {
		return form.Values{"attachments": []any{file.Value()}, "count": int64(1), "marking": "tlp-amber", "withheld": digests}
	}
	payload, err := f.Encode(share(digest(1), digest(2)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := f.ToJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.FromJSON(raw); err != nil || len(again["withheld"].([]any)) != 2 {
		t.Errorf("%s gives %v, %v", raw, again, err)
	}
	for name, bad := range map[string]form.Values{
		"out of order": share(digest(2), digest(1)), "twice": share(digest(1), digest(1)), "short": share(make([]byte, 31)), "text": share("x"), "none": share(),
	} {
		if _, err := f.Encode(bad); !errors.Is(err, form.ErrValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := r.Render(form.Message{Form: f, Values: v, Precedence: traffic.Routine, Plane: traffic.Real}, language.English).String(); !strings.Contains(text, "up to 2 parts") {
		t.Error(text)
	}
}
