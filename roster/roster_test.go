package roster_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/roster"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const vienna = `
# The watch of the national risk reduction centre.
post   = "nrrc"
covers = ["council"]
zone   = "Europe/Vienna"

deputy          = "petrov"
head-of-post    = "ivanova"
senior-official = "sorokin"

[[shift]]
name   = "day"
start  = "08:00"
length = "12h"

[[shift]]
name   = "night"
start  = "20:00"
length = "12h"

[[rota]]
shift    = "day"
start    = 2026-01-05
officers = ["anna", "boris", "clara"]

[[rota]]
shift    = "night"
start    = 2026-01-05
every    = "week"
officers = ["dmitri", "elena"]

[[rota]]
role     = "deputy"
start    = 2026-06-01
every    = "week"
officers = ["fedor"]

[[holiday]]
day  = 2026-12-25
name = "Christmas"
duty-officer = "greta"

[[holiday]]
day    = 2026-12-26
shift  = "day"
closed = true
`

func parse(t testing.TB, text string) *roster.Roster {
	t.Helper()
	r, err := roster.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func moment(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWhoIsOnDuty(t *testing.T) {
	r := parse(t, vienna)
	for _, c := range []struct {
		at, shift, duty, deputy, from, until string
	}{
		{"2026-01-05T07:00:00Z", "day", "anna", "petrov", "2026-01-05T07:00:00Z", "2026-01-05T19:00:00Z"},
		{"2026-01-05T18:59:59Z", "day", "anna", "petrov", "2026-01-05T07:00:00Z", "2026-01-05T19:00:00Z"},
		{"2026-01-05T19:00:00Z", "night", "dmitri", "petrov", "2026-01-05T19:00:00Z", "2026-01-06T07:00:00Z"},
		{"2026-01-06T03:00:00Z", "night", "dmitri", "petrov", "2026-01-05T19:00:00Z", "2026-01-06T07:00:00Z"}, // the turn of the day on which it began
		{"2026-01-07T12:00:00Z", "day", "clara", "petrov", "2026-01-07T07:00:00Z", "2026-01-07T19:00:00Z"},
		{"2026-01-08T12:00:00Z", "day", "anna", "petrov", "2026-01-08T07:00:00Z", "2026-01-08T19:00:00Z"},
		{"2026-01-12T23:00:00Z", "night", "elena", "petrov", "2026-01-12T19:00:00Z", "2026-01-13T07:00:00Z"},
		{"2026-07-01T12:00:00Z", "day", "anna", "fedor", "2026-07-01T06:00:00Z", "2026-07-01T18:00:00Z"}, // summer time, and the later rota
		{"2026-03-29T00:30:00Z", "night", "elena", "petrov", "2026-03-28T19:00:00Z", "2026-03-29T06:00:00Z"},
		{"2026-10-25T00:30:00Z", "night", "elena", "fedor", "2026-10-24T18:00:00Z", "2026-10-25T07:00:00Z"},
		{"2026-12-25T12:00:00Z", "day", "greta", "fedor", "2026-12-25T07:00:00Z", "2026-12-25T19:00:00Z"},
		{"2026-12-26T05:00:00Z", "night", "greta", "fedor", "2026-12-25T19:00:00Z", "2026-12-26T07:00:00Z"},
		{"2026-12-26T12:00:00Z", "", "", "petrov", "2026-12-26T07:00:00Z", "2026-12-26T19:00:00Z"},
		{"2025-12-31T12:00:00Z", "day", "", "petrov", "2025-12-31T07:00:00Z", "2025-12-31T19:00:00Z"}, // before the rota begins
	} {
		d := r.At(moment(t, c.at), nil)
		got := []string{
			d.Shift, d.Officers[roster.DutyOfficer], d.Officers[roster.Deputy], d.From.UTC().Format(time.RFC3339), d.Until.UTC().Format(time.RFC3339),
		}
		if diff := cmp.Diff([]string{c.shift, c.duty, c.deputy, c.from, c.until}, got); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", c.at, diff)
		}
	}
}

func TestOverrides(t *testing.T) {
	r := parse(t, vienna)
	ill := roster.Override{
		Post: "nrrc", Role: roster.DutyOfficer, Officer: "hans", From: moment(t, "2026-01-05T10:00:00Z"), Until: moment(t, "2026-01-05T22:00:00Z"),
	}
	elsewhere := ill
	elsewhere.Post, elsewhere.Officer = "cert", "nobody"
	for _, c := range []struct{ at, duty, until string }{
		{"2026-01-05T09:00:00Z", "anna", "2026-01-05T10:00:00Z"},
		{"2026-01-05T10:00:00Z", "hans", "2026-01-05T19:00:00Z"},
		{"2026-01-05T20:00:00Z", "hans", "2026-01-05T22:00:00Z"},
		{"2026-01-05T22:00:00Z", "dmitri", "2026-01-06T07:00:00Z"},
	} {
		d := r.At(moment(t, c.at), []roster.Override{ill, elsewhere})
		if got := d.Officers[roster.DutyOfficer]; got != c.duty || !d.Until.Equal(moment(t, c.until)) {
			t.Errorf("at %s: %s until %s, want %s until %s", c.at, got, d.Until.UTC().Format(time.RFC3339), c.duty, c.until)
		}
	}
}

func TestHandovers(t *testing.T) {
	var got []string
	for _, at := range parse(t, vienna).Handovers(moment(t, "2026-10-24T00:00:00Z"), moment(t, "2026-10-26T00:00:00Z")) {
		got = append(got, at.Format("02 15:04"))
	}
	if diff := cmp.Diff([]string{"24 06:00", "24 18:00", "25 07:00", "25 19:00"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whoever makes a mistake hears in which line, and what to write.
func TestErrorsSayWhatToWrite(t *testing.T) {
	for _, c := range []struct{ name, old, new, says string }{
		{"no TOML", `post   = "nrrc"`, `post = nrrc`, "line 3"},
		{"an unknown key", `name = "Christmas"`, `nmae = "Christmas"`, "line 40: there is no key holiday.nmae"},
		{"a post that is none", `post   = "nrrc"`, `post = "NRRC!"`, `line 3: post "NRRC!": write the post`},
		{"a zone that is none", "Europe/Vienna", "Europe/Atlantis", `line 5: zone "Europe/Atlantis": write a time zone such as`},
		{"a zone that is a file", "Europe/Vienna", "../../etc/passwd", "line 5"},
		{"the zone of the machine", "Europe/Vienna", "Local", "line 5"},
		{"an officer who is none", `deputy          = "petrov"`, `deputy = "Petrov, A."`, `line 7: deputy "Petrov, A.": write the officer's id`},
		{"an hour that is none", `start  = "20:00"`, `start = "25:00"`, `line 18: start "25:00": write the local time`},
		{"a length that is none", `start  = "20:00"` + "\nlength = \"12h\"", `start  = "20:00"` + "\nlength = \"12 hours\"", `line 19: length "12 hours": write from one hour to a day`},
		{"shifts that overlap", `start  = "20:00"` + "\nlength = \"12h\"", `start  = "19:00"` + "\nlength = \"13h\"", `line 18: shift "night" overlaps shift "day"`},
		{"minutes without a shift", `start  = "20:00"` + "\nlength = \"12h\"", `start  = "20:00"` + "\nlength = \"11h\"", `no shift covers Sunday 07:00: lengthen a shift or add one, or write around_clock = false`},
		{"a shift that is not there", `shift    = "night"`, `shift = "evening"`, `line 27: there is no shift "evening"`},
		{"a role that is none", `role     = "deputy"`, `role = "boss"`, `line 33: role "boss": write one of duty-officer, deputy`},
		{"a date that is none", `start    = 2026-06-01`, `start = 2026-06-01T10:00:00`, "line 34: write a date, such as start = 2026-11-23"},
		{"a turn that is none", "every    = \"week\"\nofficers = [\"fedor\"]", "every = \"month\"\nofficers = [\"fedor\"]", `line 35: every "month": write how long`},
		{"nobody in a rota", `officers = ["fedor"]`, `officers = []`, "line 36: write those who take turns"},
		{"a holiday with nothing in it", "closed = true", "closed = false", "line 46: a holiday names who is on duty, or has closed = true"},
		{"two rotas at once", `role     = "deputy"` + "\nstart    = 2026-06-01", `role     = "duty-officer"` + "\nstart    = 2026-01-05", "line 33: two rotas of duty-officer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(vienna, c.old, c.new, 1)
			if text == vienna {
				t.Fatal("nothing was changed")
			}
			_, err := roster.Parse(text)
			if !errors.Is(err, roster.ErrRoster) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q in it", err, c.says)
			}
		})
	}
}

// Where the shifts leave no minute out, there is exactly one duty officer at each minute, also on the days on which the clocks are changed; and what At
// says of a moment holds until Until.
func TestEveryMinuteIsManned(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Africa/Casablanca", "America/Santiago"}).Draw(t, "zone")
		first := rapid.IntRange(0, 24*60-1).Draw(t, "first")
		var b strings.Builder
		fmt.Fprintf(&b, "post = \"nrrc\"\nzone = %q\n", zone)
		left, start, n := 24*60, first, 0
		for left > 0 {
			length := min(left, rapid.IntRange(100, 24*60).Draw(t, "length"))
			if left-length < 60 {
				length = left
			}
			fmt.Fprintf(&b, "[[shift]]\nname = \"s-%d\"\nstart = \"%02d:%02d\"\nlength = \"%dm\"\n", n, start/60%24, start%60, length)
			left, start, n = left-length, start+length, n+1
		}
		fmt.Fprintf(&b, "[[rota]]\nstart = 2025-01-01\nofficers = [\"anna\", \"boris\", \"clara\"]\n")
		r := parse(outer, b.String())
		day := rapid.SampledFrom([]string{"2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31", "2026-09-05"}).Draw(t, "day")
		from := moment(outer, day+"T00:00:00Z")
		var was roster.Duty
		for m := range 3 * 24 * 12 {
			at := from.Add(time.Duration(m) * 5 * time.Minute)
			d := r.At(at, nil)
			if d.Unmanned() {
				t.Fatalf("nobody at %s\n%s", at, b.String())
			}
			if d.From.After(at) || !at.Before(d.Until) {
				t.Fatalf("at %s: from %s until %s", at, d.From, d.Until)
			}
			if m > 0 && at.Before(was.Until) && (was.Shift != d.Shift || !maps.Equal(was.Officers, d.Officers)) {
				t.Fatalf("at %s there are others than those who stay until %s", at, was.Until)
			}
			was = d
		}
		for _, at := range r.Handovers(from, from.Add(72*time.Hour)) {
			if d := r.At(at, nil); !d.From.Equal(at) {
				t.Fatalf("a hand-over at %s, and the duty is from %s", at, d.From)
			}
		}
	})
}

func TestOfficers(t *testing.T) {
	want := []string{"anna", "boris", "clara", "dmitri", "elena", "fedor", "greta", "ivanova", "petrov", "sorokin"}
	if got := parse(t, vienna).Officers(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(vienna)
	f.Add("post = \"nrrc\"\nzone = \"UTC\"\nduty-officer = \"anna\"\n")
	f.Add("post = \"nrrc\"\nzone = \"UTC\"\n[[shift]]\nname = \"day\"\nstart = \"00:00\"\nlength = \"24h\"\ndays = [\"mon\"]\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := roster.Parse(text)
		if err != nil {
			if !errors.Is(err, roster.ErrRoster) {
				t.Fatalf("%v", err)
			}
			return
		}
		at := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
		if d := r.At(at, nil); d.Post != r.Post {
			t.Fatalf("of %s", d.Post)
		}
		r.Handovers(at, at.Add(48*time.Hour))
	})
}
