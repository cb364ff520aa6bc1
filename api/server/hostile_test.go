package server_test

import (
	"errors"
	"strings"
	"testing"

	"detente/api"
)

// What a program sends about cases has its limits before anything reads it, and a refusal holds nothing that moves a cursor or turns text; markup is for each page to escape.
func TestHostileValuesAboutCasesAreRefused(t *testing.T) {
	c := open(t, "xn").client
	const observed, nasty = "2026-11-24T22:00:00Z/2026-11-25T04:00:00Z", "\u202e<script>alert(1)</script>\u2066\x1b[2J"
	refused := func(what string, err error) {
		t.Helper()
		var p *api.Problem
		if !errors.As(err, &p) || p.Status < 400 || p.Status >= 500 {
			t.Errorf("%s: %v", what, err)
		} else if text := p.Error(); len(text) > 4000 || strings.ContainsAny(text, "\u202e\u2066\x1b") {
			t.Errorf("%s: the refusal reads %.200q", what, text)
		}
	}
	for what, r := range map[string]api.ObservationRequest{
		"a window of markup":         {Observed: nasty},
		"a long window":              {Observed: observed + strings.Repeat(" ", 1000)},
		"markup among the sources":   {Observed: observed, Sources: nasty},
		"sources without end":        {Observed: observed, Sources: strings.Repeat("198.51.100.7 ", 100_000)},
		"more sources than are read": {Observed: observed, Sources: strings.Repeat("::1 ", 900)},
		"networks without end":       {Observed: observed, Networks: strings.Repeat("198.51.100.0/24,", 100_000)},
		"numbers without end":        {Observed: observed, Numbers: strings.Repeat("AS64496;", 100_000)},
		"markup among the numbers":   {Observed: observed, Numbers: nasty},
		"a long sector":              {Observed: observed, Sector: strings.Repeat("x", 1000)},
	} {
		_, err := c.MatchObservation(t.Context(), r, "en")
		refused(what, err)
	}
	for what, number := range map[string]string{"a number of markup": nasty, "a long number": strings.Repeat("xn/26-", 1000)} {
		_, err := c.OpenCase(t.Context(), api.CaseRequest{Case: number})
		refused(what, err)
		_, err = c.Case(t.Context(), number, "en")
		refused(what, err)
	}
}
