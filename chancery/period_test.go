package chancery_test

import (
	"errors"
	"testing"

	"detente/chancery"
	"detente/sealing"
)

func TestPeriods(t *testing.T) {
	for text, want := range map[string]sealing.Period{"": {}, "P3Y": {Years: 3}, "P6M": {Months: 6}, "P90D": {Days: 90}, "P1Y2M3D": {Years: 1, Months: 2, Days: 3}} {
		if got, err := chancery.ParsePeriod(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"P", "3Y", "P3", "PY", "P-3Y", "P+3Y", "P3D2Y", "P3Y ", "PT3H", "P9999999Y"} {
		if got, err := chancery.ParsePeriod(text); !errors.Is(err, chancery.ErrTerms) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzParsePeriod(f *testing.F) {
	f.Add("P1Y2M3D")
	f.Add("P0D")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := chancery.ParsePeriod(text)
		if err != nil || text == "" {
			return
		}
		if again, err := chancery.ParsePeriod(p.String()); err != nil || again != p {
			t.Errorf("%q is %v, and that is read as %v (%v)", text, p, again, err)
		}
	})
}
