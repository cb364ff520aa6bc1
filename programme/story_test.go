package programme_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/form"
	"detente/ledger"
	"detente/programme"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
)

const day = 24 * time.Hour

// years plays most of what may happen between two parties, and calls pause between the acts.
func years(xn, xs *capital, pause func()) {
	step := func(d time.Duration) {
		pass(d)
		pause()
		pass(2 * time.Second) // times are whole seconds: what is said within that of a board is in it
	}
	step(time.Minute)
	// A series, a round that is proposed, agreed, held; then one that nobody proposes.
	series := xn.says("council", "series", form.Values{
		"name": map[string]string{"en": "Consultations", "ru": "Консультации"}, "level": "high-level", "every": int64(60 * day / time.Second), "hosts": []any{"xn", "xs"}, "languages": "en ru",
	})
	step(day)
	from := time.Now().Add(10 * day)
	offered := xn.saysIn("council", series, "round-proposal", form.Values{
		"number": int64(1), "mode": "virtual", "host": "xn", "window": []any{from.Unix(), from.Add(time.Hour).Unix()},
	})
	step(day)
	xs.saysIn("council", series, "round-acceptance", form.Values{}, offered)
	step(day)
	// The agreement, by an exchange of notes; a case under it.
	talks := xn.says("council", "negotiation", form.Values{
		"title": map[string]string{"en": "Agreement on incidents", "ru": "Соглашение об инцидентах"}, "kind": "exchange-of-notes", "nature": "political", "languages": "en ru",
		"parties": []any{"xn", "xs"}, "template": "incidents-agreement/1",
	})
	step(day)
	first := xn.saysIn("council", talks, "note", form.Values{"order": "first", "number": "1", "texts": map[string]string{"en": "We propose.", "ru": "Предлагаем."}})
	step(day)
	xs.saysIn("council", talks, "note", form.Values{"order": "second", "number": "2", "texts": map[string]string{"en": "Agreed: We propose.", "ru": "Согласны: Предлагаем."}, "quotes": first[:]})
	step(day)
	now := time.Now()
	asked := xn.says("incidents", "clarification", form.Values{
		"case": "xn/26-0001", "observed": [2]time.Time{now.Add(-time.Hour), now}, "observation": "Traffic, apparently from or through your territory.", "asked": []string{"check", "explain"},
	})
	step(day)
	xs.saysIn("incidents", asked, "acknowledgement", form.Values{"received": time.Now(), "understood": true}, asked)
	step(9 * day) // the answer is overdue
	xs.saysIn("incidents", asked, "reply", form.Values{"finding": "not-ours"}, asked)
	// Meanwhile the round was held.
	held := time.Now().Add(-time.Hour)
	xs.saysIn("council", series, "round-held", form.Values{"number": int64(1), "window": []any{held.Unix(), held.Add(time.Minute).Unix()}, "mode": "virtual"})
	xs.saysIn("council", series, "action", form.Values{"number": int64(1), "words": map[string]string{"en": "Send the list."}, "owner": "xs/council", "due": time.Now().Add(20 * day).Unix()})
	step(day)
	// Guarantees, and a window.
	pact := xs.says("council", "negotiation", form.Values{
		"title": map[string]string{"en": "Guarantees of non-interference"}, "kind": "exchange-of-notes", "nature": "political", "languages": "en", "parties": []any{"xn", "xs"}, "template": "guarantees-notes/1",
	})
	step(day)
	first = xs.saysIn("council", pact, "note", form.Values{"order": "first", "number": "3", "texts": map[string]string{"en": "We propose."}})
	step(day)
	xn.saysIn("council", pact, "note", form.Values{"order": "second", "number": "4", "texts": map[string]string{"en": "Agreed: We propose."}, "quotes": first[:]})
	vote := time.Now().Add(5 * day)
	xn.says("council", "protected-process", form.Values{
		"name": map[string]string{"en": "General election", "ru": "Всеобщие выборы"}, "process": "election", "window": [2]time.Time{vote, vote.Add(10 * day)}, "scope": "Systems of the electoral commission.",
		"basis": pact[:],
	})
	step(day)
	step(6 * day)
	// Experts, and the council suspended.
	group := xn.says("experts", "group", form.Values{
		"name": map[string]string{"en": "Experts on control systems"}, "members": []any{"xn/council", "xs/council"}, "rapporteur": "xn/council", "rule": "open",
	})
	step(day)
	xs.saysIn("experts", group, "contribution", form.Values{"words": "Ours do it monthly."})
	step(day)
	xs.says("council", "status", form.Values{"state": "suspended", "functions": []string{"all"}, "ground": "political"})
	step(day)
	xn.saysIn("experts", group, "contribution", form.Values{"words": "Ours once a year."})
	step(day)
	// Checks: one that people answer, and two that nobody does.
	check := xn.says("council", "check", form.Values{"level": int64(2), "occasion": "demand", "question": "Who is on duty?"})
	step(time.Minute)
	xs.says("council", "check-answer", form.Values{"answered_by": "duty-officer", "answer": "The watch."}, check)
	step(day)
	for range 2 {
		xn.says("council", "check", form.Values{"level": int64(2), "occasion": "demand", "question": "Who is on duty?"})
		step(2 * day)
	}
	xs.says("council", "status", form.Values{"state": "open", "ground": "resumed"})
	step(day)
	// The pledge.
	pledge := xn.says("public", "instrument-opening", form.Values{
		"title": map[string]string{"en": "Declaration", "ru": "Декларация"}, "kind": "declaration", "nature": "political", "languages": "en ru",
		"rules": `{"version":1,"nature":"political","eligibility":{"who":"all"},"consent":["adhere","sign"],"entry":{"threshold":1},"notice":{"months":12},"reservations":{"regime":"prohibited"},"runs":"all","powers":{"required":false}}`,
	})
	step(day)
	for _, c := range []*capital{xs, xn} {
		c.says("public", "act", form.Values{"instrument": pledge[:], "kind": "adhere", "date": time.Now()})
		step(day)
	}
	step(60 * day) // the next round is overdue
}

// board draws a board as one party does.
func (c *capital) board(on time.Time, public bool) *programme.Board {
	t := c.World.T
	t.Helper()
	b, err := c.Board(t.Context(), "xs", "xn", traffic.Real, on, public)
	must(t, err)
	return b
}

// told is a board in words, with the evidence of each fact.
func told(t *testing.T, b *programme.Board, lang string) string {
	t.Helper()
	book, err := programme.Phrases()
	must(t, err)
	say := programme.Speaker{Book: book, Lang: language.Make(lang)}
	var out strings.Builder
	for i := range b.Lines {
		l := &b.Lines[i]
		fmt.Fprintf(&out, "%d %s: %s: %s %s\n", l.Measure, say.Measure(l.Measure), l.Stands, say.Sentence(l), numbers(l.Evidence))
		for j := range l.Facts {
			f := &l.Facts[j]
			fmt.Fprintf(&out, "    %s  %s %s\n", f.At.Format(time.DateOnly), say.Fact(f), numbers(f.Evidence))
		}
	}
	return out.String()
}

func numbers(list []programme.Evidence) []string {
	var out []string
	for _, e := range list {
		out = append(out, e.Number)
	}
	return out
}

// stands is how the six measures stand, in a row.
func stands(b *programme.Board) string {
	var out []string
	for _, l := range b.Lines {
		out = append(out, string(l.Stands))
	}
	return strings.Join(out, " ")
}

// What both hold is shown alike at both ends; what a board showed on a date it shows of that date for ever; and nothing is said to have happened that no statement says.
func TestTheSameBoardAtBothEndsAndForEveryDate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs, xl *capital) {
		type then struct {
			at     time.Time
			board  *programme.Board
			public *programme.Board
		}
		var kept []then
		var last then
		var rows []string
		years(xn, xs, func() {
			now := time.Now()
			b, dated := xn.board(time.Time{}, false), xn.board(now, false)
			if diff := cmp.Diff(b, dated); diff != "" {
				t.Errorf("now, and of this date: %s", diff)
			}
			if diff := cmp.Diff(b, xs.board(now, false)); diff != "" {
				t.Errorf("at both ends: %s", diff)
			}
			proven(t, b)
			if last = (then{now, b, nil}); len(rows)%3 == 0 { // the others stand between these
				last.public = xn.board(now, true)
				kept = append(kept, last)
			}
			if row := stands(b); len(rows) == 0 || rows[len(rows)-1] != row {
				rows = append(rows, row)
			}
		})
		for _, k := range kept {
			if diff := cmp.Diff(k.board, xs.board(k.at, false)); diff != "" {
				t.Errorf("of %s, when it was, and later: %s", k.at, diff)
			}
			if diff := cmp.Diff(k.public, xs.board(k.at, true)); diff != "" {
				t.Errorf("public, of %s: %s", k.at, diff)
			}
			for _, l := range k.public.Lines {
				for _, f := range l.Facts {
					if f.Reach != programme.Anyone {
						t.Errorf("for everybody: %s %v", f.Key, f.Args)
					}
				}
			}
		}
		// A third party, which is on none of the channels, is shown the pledge and nothing else; and it is told so.
		if third := xl.board(time.Time{}, false); stands(third) != "unseen unseen unseen unseen unseen alive" {
			t.Error(told(t, third, "en"))
		}
		// The year as a line ends where the board of the day stands, begins where nothing was, and each change names what decided it.
		line, err := xs.Timeline(t.Context(), "xn", "xs", traffic.Real, kept[0].at, time.Now(), false)
		must(t, err)
		var ends [programme.Measures]programme.Stands
		copy(ends[:], line.Begins[:])
		for _, c := range line.Changes {
			at := ends[c.Line.Measure-1]
			if at != c.From || c.Line.Stands == at || len(c.Line.Evidence) == 0 && c.Line.Stands != programme.None {
				t.Errorf("%s: measure %d from %s to %s, was %s, by %v", c.Day, c.Line.Measure, c.From, c.Line.Stands, at, c.Line.Evidence)
			}
			ends[c.Line.Measure-1] = c.Line.Stands
			if b := xn.board(c.Day.Add(day-time.Second), false); b.Lines[c.Line.Measure-1].Stands != c.Line.Stands && c.Day.Add(day).Before(time.Now()) {
				t.Errorf("%s: the line has %s, the board %s", c.Day, c.Line.Stands, stands(b))
			}
		}
		for i, l := range last.board.Lines {
			if l.Stands != ends[i] {
				t.Errorf("measure %d ends %s, the board has %s", i+1, ends[i], l.Stands)
			}
		}
		if diff := cmp.Diff(strings.Split(strings.TrimSpace(wantRows), "\n"), rows); diff != "" {
			t.Error(diff)
		}
		if t.Failed() {
			t.Log(told(t, last.board, "en"))
		}
	})
}

// wantRows is how the six measures stood, one row for each time that one came to stand otherwise.
const wantRows = `
none waiting none none none none
waiting alive none none none none
alive alive none none none none
alive alive waiting none none none
alive alive alive none none none
alive alive overdue none none none
overdue alive overdue none none none
alive alive alive none none none
alive alive alive waiting none none
alive alive alive alive none none
alive alive alive alive waiting none
alive alive alive alive alive none
suspended suspended alive alive alive none
suspended suspended overdue alive alive none
alive overdue overdue alive alive none
alive overdue overdue alive alive waiting
alive overdue overdue alive alive alive
overdue overdue overdue alive alive alive
`

// proven holds that every fact and every sentence has the statements it rests on, each by number, feed and index.
func proven(t *testing.T, b *programme.Board) {
	t.Helper()
	check := func(what string, list []programme.Evidence) {
		t.Helper()
		if len(list) == 0 {
			t.Errorf("%s rests on nothing", what)
		}
		for _, e := range list {
			if e.Statement == (statement.ID{}) || e.Number == "" || e.Feed == "" || e.Kind == "" {
				t.Errorf("%s rests on %+v", what, e)
			}
		}
	}
	for _, l := range b.Lines {
		if l.Stands != programme.None && l.Stands != programme.Unseen {
			check(fmt.Sprint(l.Measure, " ", l.Key), l.Evidence)
		}
		for _, f := range l.Facts {
			check(fmt.Sprint(l.Measure, " ", f.Key, f.Args), f.Evidence)
		}
	}
}

// Figures about how the other side acted are for the two. Once both have signed for them they are shown to others too: those that were signed, and no others.
func TestFiguresAreForOthersOnceBothHaveSigned(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs, _ *capital) {
		pass(time.Minute)
		for i := range 3 {
			now := time.Now()
			asked := xn.says("incidents", "clarification", form.Values{
				"case": fmt.Sprintf("xn/00-%04d", i+1), "observed": [2]time.Time{now.Add(-time.Hour), now}, "observation": "Traffic.", "asked": []string{"check"},
			})
			pass(time.Hour)
			if i > 0 {
				xs.saysIn("incidents", asked, "reply", form.Values{"finding": "not-ours"}, asked)
			}
			pass(day)
		}
		pass(40 * day)
		incidents := w.Channels["incidents"]
		account, _, err := xn.cases.Account(t.Context(), incidents, traffic.Real, ledger.Month(time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)))
		must(t, err)
		digest := account.Digest()
		conduct := func(b *programme.Board) (conduct, figures int) {
			for _, l := range b.Lines {
				for _, f := range l.Facts {
					if f.Reach == programme.Conduct {
						conduct++
					}
					if f.Key == "figures" {
						figures++
						if diff := cmp.Diff([]any{"incidents", "xn", "xs", int64(3), int64(2), int64(0), int64(1), account.Period.From, account.Period.To}, f.Args); diff != "" {
							t.Error(diff)
						}
					}
				}
			}
			return conduct, figures
		}
		before := time.Now()
		if c, f := conduct(xn.board(time.Time{}, true)); c != 0 || f != 0 {
			t.Errorf("before anybody has signed: %d facts about conduct, %d figures", c, f)
		}
		if c, _ := conduct(xn.board(time.Time{}, false)); c == 0 {
			t.Error("the two see that an answer is late")
		}
		pass(time.Minute)
		proposed := xn.says("incidents", "publication", form.Values{"period": []any{account.Period.From.Unix(), account.Period.To.Unix()}, "figures": digest[:]})
		pass(time.Minute)
		if _, f := conduct(xs.board(time.Time{}, true)); f != 0 {
			t.Error("shown to others by the word of one side")
		}
		xs.saysIn("incidents", proposed, "publication-answer", form.Values{"decision": "consented", "figures": digest[:]}, proposed)
		pass(time.Minute)
		for _, c := range []*capital{xn, xs} {
			b := c.board(time.Time{}, true)
			if c, f := conduct(b); c != 0 || f != 1 {
				t.Errorf("both have signed: %d facts about conduct, %d figures", c, f)
			}
			proven(t, b)
		}
		if _, f := conduct(xs.board(before, true)); f != 0 {
			t.Error("the board of a day on which nobody had signed has the figures")
		}
	})
}

// Who dates a statement back, says it when the one before it in the feed was said: no board of the past is changed by it.
func TestNothingIsSaidToHaveBeenStatedBeforeWhatStandsBeforeIt(t *testing.T) {
	at := time.Date(2000, 3, 1, 0, 0, 0, 0, time.UTC)
	var stated []time.Time
	d := programme.NewClock()
	f := traffic.Feed{Party: "xn", Plane: traffic.Real, Precedence: traffic.Routine}
	for i, offset := range []int{0, 5, -3, 2, 9} {
		stated = append(stated, d.Stated(f, int64(i), at.AddDate(0, 0, offset)))
	}
	want := []time.Time{at, at.AddDate(0, 0, 5), at.AddDate(0, 0, 5), at.AddDate(0, 0, 5), at.AddDate(0, 0, 9)}
	if diff := cmp.Diff(want, stated); diff != "" {
		t.Error(diff)
	}
	if got := d.Stated(f, 2, at); !got.Equal(at) {
		t.Error("what waited for a charter counts from its own time, and not", got)
	}
}
