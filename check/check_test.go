package check

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"detente/form"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

func plan(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlansAreReadStrictly(t *testing.T) {
	got := plan(t, Example)
	want := &Plan{Quiet: 20 * time.Minute, Lines: []Line{{
		Channel: "nrrc", Peer: "xs", Plane: traffic.Real, Terminal: time.Hour, Shift: true, PerWeek: 2, RandLevel: 2,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if p := plan(t, ""); len(p.Lines) != 0 {
		t.Error("an empty plan checks something")
	}
	line := "[[check]]\nchannel = \"nrrc\"\npeer = \"xs\"\n"
	for name, text := range map[string]string{
		"unknown key":          "colour = \"blue\"",
		"unknown key in a row": line + "shift = true\nhourly = true",
		"not TOML":             "[[check",
		"quiet too long":       "quiet = \"3h\"",
		"quiet in the past":    "quiet = \"-1m\"",
		"no channel":           "[[check]]\npeer = \"xs\"\nshift = true",
		"no peer":              "[[check]]\nchannel = \"nrrc\"\nshift = true",
		"no such plane":        line + "shift = true\nplane = \"astral\"",
		"no post":              line + "shift = true\npost = \"N R\"",
		"nothing":              line,
		"every second":         line + "terminal = \"1s\"",
		"no duration":          line + "terminal = \"hourly\"",
		"too many":             line + "random = { per_week = 99 }",
		"scenario at random":   line + "random = { per_week = 1, level = 4 }",
		"twice":                line + "shift = true\n" + line + "terminal = \"1h\"",
		"too large":            strings.Repeat("#", MaxPlan+1),
	} {
		if _, err := Parse(text); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHandoversOfAStrangerAreReadLeniently(t *testing.T) {
	h := func(n int) time.Duration { return time.Duration(n) * time.Hour }
	for s, want := range map[string][]time.Duration{
		"":                           nil,
		"06:00 14:00 22:00":          {h(6), h(14), h(22)},
		"22:00, 0600Z; 14:00 14:00":  {h(6), h(14), h(22)},
		"after the prayer, 25:00 9h": nil,
		"23:59":                      {h(23) + 59*time.Minute},
	} {
		if diff := cmp.Diff(want, ParseHandovers(s)); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

// world is a plan with a watch that meets it, minute after minute.
type world struct {
	plan  *Plan
	own   []time.Duration
	peer  []time.Duration
	last  map[string]time.Time
	key   []byte
	sent  map[string][]time.Time
	holds int
}

func (w *world) run(from, until time.Time, step time.Duration) {
	if w.last == nil {
		w.last, w.sent = make(map[string]time.Time), make(map[string][]time.Time)
	}
	for now := from; now.Before(until); now = now.Add(step) {
		for _, p := range w.next(now) {
			if p.Held != "" {
				w.holds++
			}
			if p.Due(now) {
				w.last[p.Occasion] = now
				w.sent[p.Occasion] = append(w.sent[p.Occasion], now)
			}
		}
	}
}

func (w *world) next(now time.Time) []Planned {
	return Next(w.plan, Inputs{
		Now: now, Secret: w.key,
		Handovers: func(*Line) Handovers { return Handovers{Daily(w.own, now), Daily(w.peer, now)} },
		Last:      func(_ *Line, occasion string) time.Time { return w.last[occasion] },
	})
}

// Over four weeks every check is sent once, and none while a watch is being handed over, on either side.
func TestAMonthOfChecks(t *testing.T) {
	w := &world{plan: plan(t, Example), own: ParseHandovers("06:00 14:00 22:00"), peer: ParseHandovers("05:00 17:00"), key: []byte("secret")}
	from := at("2026-11-02 00:00") // a Monday
	w.run(from, from.AddDate(0, 0, 28), time.Minute)
	if n := len(w.sent[Scheduled]); n < 28*24-3 || n > 28*24+1 {
		t.Errorf("%d checks of level 1 in 28 days", n)
	}
	if n := len(w.sent[Shift]); n < 3*28-1 || n > 3*28+1 {
		t.Errorf("%d checks of level 2 in 84 shifts", n)
	}
	if n := len(w.sent[Random]); n < 5 || n > 9 {
		t.Errorf("%d random checks in 4 weeks", n)
	}
	if w.holds == 0 {
		t.Error("none was put off")
	}
	for occasion, times := range w.sent {
		for _, s := range times {
			h := Handovers{Daily(w.own, s), Daily(w.peer, s)}
			if _, side := w.plan.Quieted(s, h); side != "" {
				t.Errorf("%s check at %s, while the %s watch is handed over", occasion, s, side)
			}
		}
	}
	shiftOf := func(s time.Time) time.Time { return s.Add(-6 * time.Hour).Truncate(8 * time.Hour) }
	for i := 1; i < len(w.sent[Shift]); i++ {
		if shiftOf(w.sent[Shift][i]).Equal(shiftOf(w.sent[Shift][i-1])) {
			t.Errorf("two checks in the shift of %s", w.sent[Shift][i])
		}
	}
}

func TestRandomChecksAreDrawnFromTheSecret(t *testing.T) {
	from := at("2026-11-02 00:00")
	moments := func(key string) []time.Time {
		w := &world{plan: plan(t, Example), key: []byte(key)}
		w.run(from, from.AddDate(0, 0, 28), time.Minute)
		return w.sent[Random]
	}
	one := moments("one")
	if diff := cmp.Diff(one, moments("one")); diff != "" {
		t.Errorf("the same secret draws differently: %s", diff)
	}
	if cmp.Equal(one, moments("two")) {
		t.Error("another secret draws the same")
	}
	for _, p := range (&world{plan: plan(t, Example), key: []byte("one")}).next(from) {
		if p.Secret() != (p.Occasion == Random) {
			t.Errorf("%s is told beforehand: %v", p.Occasion, !p.Secret())
		}
	}
}

// A node that stood still sends one check for what it has missed, not all of them; and none for what is long past.
func TestStandstill(t *testing.T) {
	w := &world{plan: plan(t, Example), key: []byte("secret")}
	from := at("2026-11-02 00:00")
	w.run(from, from.Add(3*time.Hour), time.Minute)
	was := len(w.sent[Scheduled])
	w.run(from.AddDate(0, 0, 3), from.AddDate(0, 0, 3).Add(time.Minute), time.Minute)
	if n := len(w.sent[Scheduled]) - was; n != 1 {
		t.Errorf("%d checks at once", n)
	}
}

// Where hand-overs leave no time between them, checks go out all the same: a plan must not fall silent.
func TestHandoversWithoutEnd(t *testing.T) {
	w := &world{plan: plan(t, "quiet = \"2h\"\n[[check]]\nchannel=\"nrrc\"\npeer=\"xs\"\nterminal=\"1h\""), key: []byte("secret")}
	for h := range 24 {
		w.peer = append(w.peer, time.Duration(h)*time.Hour)
	}
	if p := w.next(at("2026-11-02 12:00")); len(p) != 1 || p[0].Held != PeerSide {
		t.Errorf("%+v", p)
	}
}

type said struct {
	id     byte
	form   string
	from   string
	to     string
	clock  int64
	at     time.Time
	refs   []statement.ID
	values form.Values
}

func (h *History) say(s said) {
	from, _ := traffic.ParseAddress(s.from)
	h.Add(statement.ID{s.id}, &statement.Header{
		Issuer: from, Audience: s.to, Form: s.form, Clock: s.clock, IssuedAt: s.at, Refs: s.refs, Plane: traffic.Real,
	}, s.values, s.at.Add(time.Second), 30*time.Minute)
}

func TestHistory(t *testing.T) {
	noon := at("2026-11-23 12:00")
	check := func(level int64) said {
		return said{1, "check", "xn/nrrc", "xs/nrrc", 1, noon, nil, form.Values{"level": level, "question": "Which day is it?"}}
	}
	answer := func(id byte, from, by string, after time.Duration) said {
		return said{id, "check-answer", from, "xn/nrrc", int64(id), noon.Add(after), []statement.ID{{1}}, form.Values{"answered_by": by, "answer": "x"}}
	}
	for _, x := range []struct {
		name  string
		all   []said
		after time.Duration
		state string
		by    string
	}{
		{"nothing yet", []said{check(1)}, time.Minute, Waiting, ""},
		{"nothing in time", []said{check(1)}, time.Hour, Missed, ""},
		{"the terminal at once", []said{check(1), answer(2, "xs/nrrc", ByTerminal, time.Second)}, time.Hour, Answered, ByTerminal},
		{"late", []said{check(1), answer(2, "xs/nrrc", ByOfficer, 31*time.Minute)}, time.Hour, Late, ByOfficer},
		{"a machine is no officer", []said{check(2), answer(2, "xs/nrrc", ByTerminal, time.Second)}, time.Hour, Missed, ""},
		{"an officer is no authority", []said{check(3), answer(2, "xs/nrrc", ByOfficer, time.Second)}, time.Hour, Missed, ""},
		{"the officer after the machine", []said{check(2), answer(2, "xs/nrrc", ByTerminal, time.Second), answer(3, "xs/nrrc", ByOfficer, time.Minute)}, time.Hour, Answered, ByOfficer},
		{"an authority may do the officer's", []said{check(2), answer(2, "xs/nrrc", ByAuthority, time.Minute)}, time.Hour, Answered, ByAuthority},
		{"by a third party", []said{check(1), answer(2, "xl/nrrc", ByTerminal, time.Second)}, time.Minute, Waiting, ""},
		{"by oneself", []said{check(1), answer(2, "xn/nrrc", ByTerminal, time.Second)}, time.Minute, Waiting, ""},
		{"the first counts", []said{check(1), answer(2, "xs/nrrc", ByTerminal, time.Second), answer(3, "xs/nrrc", ByOfficer, time.Minute)}, time.Hour, Answered, ByTerminal},
	} {
		t.Run(x.name, func(t *testing.T) {
			var states []string
			for _, backwards := range []bool{false, true} {
				h := NewHistory()
				for i := range x.all {
					if backwards {
						i = len(x.all) - 1 - i
					}
					h.say(x.all[i])
					h.say(x.all[i]) // once more: nothing comes of it
				}
				c := h.Find(statement.ID{1})
				by := ""
				if c.Answer != nil {
					by = c.Answer.By
				}
				states = append(states, c.State(true, noon.Add(x.after))+" "+by)
			}
			if want := x.state + " " + x.by; states[0] != want || states[1] != want {
				t.Errorf("%q, want %q", states, want)
			}
		})
	}
}

// A machine may send several within one second: the clock says which is the newest, whatever their ids are.
func TestChecksOfOneSecondStandInTheOrderOfTheirClocks(t *testing.T) {
	h := NewHistory()
	for _, s := range []said{{id: 2, clock: 3}, {id: 9, clock: 1}, {id: 5, clock: 2}} {
		s.form, s.from, s.to, s.at, s.values = "check", "xn/nrrc", "xs/nrrc", at("2026-11-23 12:00"), form.Values{"level": int64(1)}
		h.say(s)
	}
	var got []byte
	for _, c := range h.All() {
		got = append(got, c.ID[0])
	}
	if diff := cmp.Diff([]byte{2, 5, 9}, got); diff != "" {
		t.Error(diff)
	}
}

func TestElapsedIsOfOneClock(t *testing.T) {
	noon := at("2026-11-23 12:00")
	h := NewHistory()
	h.say(said{1, "check", "xn/nrrc", "xs", 1, noon, nil, form.Values{"level": int64(1)}})
	h.say(said{2, "check-answer", "xs/nrrc", "xn/nrrc", 2, noon.Add(90 * time.Second), []statement.ID{{1}}, form.Values{"answered_by": "terminal"}})
	c := h.Find(statement.ID{1})
	if got := c.Elapsed(true); got != 91*time.Second { // sent here, and the answer held here
		t.Error(got)
	}
	if got := c.Elapsed(false); got != 89*time.Second { // held here, and answered here
		t.Error(got)
	}
}

// words is a phrasebook of a test.
func words(key string, args ...any) string {
	names := map[string]string{
		"check.year.title": "Communication checks with %s, %s to %s", "check.year.desc": "%d sent, %d answered in time, %d late, %d missed",
		"check.year.day": "%s: %d sent, %d answered in time, %d late, %d missed", "check.year.none": "%s: no check", "check.year.all": "all answered",
		"check.year.late": "one late", "check.year.missed": "one missed <&>", "check.year.waiting": "waiting", "check.year.empty": "no check",
	}
	if f, ok := names[key]; ok {
		return fmt.Sprintf(f, args...)
	}
	_, n, _ := strings.Cut(key, ".")
	return n
}

func TestYear(t *testing.T) {
	last := at("2026-11-25 00:00")
	var days []Day
	for i := range 400 {
		d := Day{Peer: "xs", Day: last.AddDate(0, 0, -i), Sent: 24, Answered: 24}
		switch {
		case i%31 == 7:
			d.Answered, d.Missed = 20, 4
		case i%17 == 3:
			d.Answered, d.Late = 23, 1
		case i%29 == 5:
			d = Day{Peer: "xs", Day: d.Day}
		case i == 0:
			d.Answered = 12
		}
		days = append(days, d)
	}
	for _, rtl := range []bool{false, true} {
		p := &Picture{Peer: "xs", Days: days, Last: last, Say: words, RTL: rtl}
		got := string(p.SVG())
		for _, banned := range []string{"<script", "style=", "<style", "href", "#0", "#f", "<&>"} {
			if strings.Contains(got, banned) {
				t.Errorf("the picture holds %s", banned)
			}
		}
		cells := strings.Count(got, `<g class="day `)
		if titles := strings.Count(got, "<title"); titles != cells+1 {
			t.Errorf("%d texts for %d days and the whole", titles, cells)
		}
		name := filepath.Join("testdata", "year.svg")
		if rtl {
			name = filepath.Join("testdata", "year-rtl.svg")
		}
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (rewrite it with -update): %s", name, diff)
		}
	}
}

// What is asked stands in the form that asks it, in every language, and differs from one time to the next.
func TestQuestions(t *testing.T) {
	r, err := form.Load(regimes.Communications())
	if err != nil {
		t.Fatal(err)
	}
	f, _ := r.Latest("check")
	many := len(questions("en"))
	for _, lang := range Languages() {
		if n := len(questions(lang)); n != many {
			t.Errorf("%s has %d questions, en has %d", lang, n, many)
		}
		last, seen := "", map[string]bool{}
		for draw := range uint64(200) {
			q := Question(lang, draw/2|draw<<32, last)
			if q == last || strings.Contains(q, "{") {
				t.Fatalf("%s: %q after %q", lang, q, last)
			}
			for _, pattern := range questions(lang) {
				if same(pattern, q) && same(pattern, last) {
					t.Fatalf("%s: %q after %q", lang, q, last)
				}
			}
			if _, err := f.Encode(form.Values{"level": int64(2), "question": q}); err != nil {
				t.Errorf("%s: %q: %v", lang, q, err)
			}
			last, seen[q] = q, true
		}
		if len(seen) < 50 {
			t.Errorf("%s: %d different ones in 200", lang, len(seen))
		}
	}
	if Question("tlh", 0, "") != Question("en-GB", 0, "") {
		t.Error("where there are none, they are in English")
	}
}

func TestScriptsHoldEveryScript(t *testing.T) {
	text := Scripts()
	for _, script := range []string{"Latin", "Cyrillic", "Han", "Arabic"} {
		if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Scripts[script], r) }) {
			t.Errorf("no %s", script)
		}
	}
	for _, r := range "0٠一éß\u0301\u064e<&\"'№،。𠀀" {
		if !strings.ContainsRune(text, r) {
			t.Errorf("no %U", r)
		}
	}
	r, err := form.Load(regimes.Communications())
	if err != nil {
		t.Fatal(err)
	}
	f, _ := r.Latest("check")
	if _, err := f.Encode(form.Values{"level": int64(1), "question": text}); err != nil {
		t.Error(err)
	}
	large := Largest(MaxText, 40<<10)
	if n := utf8.RuneCountInString(large); n > MaxText || n < MaxText-200 {
		t.Errorf("%d characters", n)
	}
	f, _ = r.Latest("goodwill")
	if _, err := f.Encode(form.Values{"text": large}); err != nil {
		t.Error(err)
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(Example)
	f.Add("quiet = \"0s\"\n[[check]]\nchannel=\"a\"\npeer=\"xs\"\nrandom={per_week=14}")
	now := at("2026-11-25 12:00")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrPlan) {
				t.Fatal(err)
			}
			return
		}
		next := Next(p, Inputs{
			Now: now, Secret: []byte("x"),
			Handovers: func(*Line) Handovers { return Handovers{Own: Daily(ParseHandovers(text), now)} },
			Last:      func(*Line, string) time.Time { return now },
		})
		for _, n := range next {
			if n.Due(now) {
				t.Errorf("%+v is due, though it was just met", n)
			}
		}
	})
}
