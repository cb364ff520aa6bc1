package yearly_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/dialogue"
	"detente/ledger"
	"detente/traffic"
	"detente/yearly"

	"github.com/google/go-cmp/cmp"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 9, 30, 0, 0, time.UTC) }

// small is a pack with a little of what packs have.
func small() *yearly.Pack {
	return &yearly.Pack{
		Type: yearly.Type, Series: strings.Repeat("0a", 32), Number: "XN/COUNCIL-R-0001", Round: 2, Name: map[string]string{"en": "Review <&> \u2028 \"quoted\"", "ru": "Обзор"}, Plane: traffic.Real,
		Parties: []traffic.Party{"xn", "xs"}, Members: []yearly.Member{}, Languages: []string{"en", "ru"}, From: day(1), To: day(31),
		Channels: []yearly.Channel{{ID: strings.Repeat("c1", 32), Name: "nrrc", Regime: "incidents/1", Feeds: []yearly.Feed{
			{Party: "xn", Precedence: traffic.Immediate, Size: 2, Root: "e1", Statements: []string{"XN/NRRC-O-0001 aa", "XN/NRRC-O-0002 bb"}},
		}}},
		Agreed:   []yearly.Case{{Case: "xn/26-0001", Number: "XN/NRRC-O-0001", Channel: "nrrc", Opener: "xn", Opened: day(2), State: "asked", Severity: []yearly.Severity{}, Contests: []yearly.Contest{}}},
		Disputed: []yearly.Case{}, Sent: []yearly.Sent{}, Checks: []yearly.Checks{}, Contacts: []yearly.ContactChange{}, Codes: []yearly.CodeChange{}, Charters: []yearly.CharterChange{},
		Accounts: []yearly.Account{{Channel: "nrrc", Digest: "ad", Figures: []yearly.Figure{{Figure: ledger.Figure{From: "xn", To: "xs", Form: "clarification", Precedence: traffic.Immediate, Requests: 2, InTime: 2}}}}},
		Actions:  []yearly.Action{{Number: "XN/COUNCIL-R-0002", Owner: "xs", Due: day(9), Words: map[string]string{"en": "Wait."}, Name: map[string]string{}}},
	}
}

func encoded(t testing.TB, p *yearly.Pack) []byte {
	t.Helper()
	b, err := p.Encode()
	must(t, err)
	return b
}

// The text of a pack is the one that RFC 8785 gives, and it is read back as it was.
func TestThePackHasOneText(t *testing.T) {
	b := encoded(t, small())
	if !bytes.HasPrefix(b, []byte(`{"accounts":[{"channel":"nrrc","digest":"ad","figures":[{"acknowledged":0,`)) || !bytes.Contains(b, []byte("\"name\":{\"en\":\"Review <&> \u2028 \\\"quoted\\\"\",\"ru\":\"Обзор\"}")) ||
		!bytes.HasSuffix(b, []byte("\"type\":\"detente-pack.v1\"}\n")) || bytes.Contains(b, []byte("behind")) {
		t.Errorf("%s", b)
	}
	p, err := yearly.Parse(b)
	must(t, err)
	if again := encoded(t, p); !bytes.Equal(again, b) {
		t.Error(cmp.Diff(string(b), string(again)))
	}
	var loose any // spaces change nothing
	must(t, json.Unmarshal(b, &loose))
	spaced, err := json.MarshalIndent(loose, "", "  ")
	must(t, err)
	if _, err := yearly.Parse(spaced); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{
		"another digest":    strings.Replace(string(b), `"in_time":2`, `"in_time":3`, 1),
		"an unknown member": strings.Replace(string(b), `{"accounts"`, `{"more":1,"accounts"`, 1),
		"more behind it":    string(b) + "{}",
		"another type":      strings.Replace(string(b), "detente-pack.v1", "detente-pack.v2", 1),
		"nothing":           "",
		"not UTF-8":         "{\"type\":\"\xff\"}",
		"too deep":          strings.Repeat("[", 20_000),
	} {
		if _, err := yearly.Parse([]byte(bad)); !errors.Is(err, yearly.ErrPack) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := yearly.Parse(make([]byte, yearly.MaxPack+1)); !errors.Is(err, yearly.ErrPack) {
		t.Error("too large:", err)
	}
}

// Each thing that two packs do not have alike is named once.
func TestTheComparisonNamesWhatDiffers(t *testing.T) {
	here := small()
	encoded(t, here)
	for name, c := range map[string]struct {
		change func(p *yearly.Pack)
		want   []string
	}{
		"nothing":     {func(*yearly.Pack) {}, nil},
		"a statement": {func(p *yearly.Pack) { f := &p.Channels[0].Feeds[0]; f.Statements = f.Statements[:1] }, []string{"statement XN/NRRC-O-0002: here bb, there not there"}},
		"a figure": {func(p *yearly.Pack) { p.Accounts[0].Figures[0].InTime = 1 },
			[]string{"figure nrrc xn xs clarification IMMEDIATE, in_time: here 2, there 1"}},
		"a list": {func(p *yearly.Pack) { p.Agreed, p.Disputed = p.Disputed, p.Agreed },
			[]string{`case xn/26-0001 nrrc XN/NRRC-O-0001, list: here "agreed", there "disputed"`}},
		"a feed":    {func(p *yearly.Pack) { p.Channels[0].Feeds[0].Root = "e2" }, []string{`feed nrrc xn IMMEDIATE 0, root: here "e1", there "e2"`}},
		"the round": {func(p *yearly.Pack) { p.Round = 3 }, []string{"subject , Round: here 2, there 3"}},
		"an action": {func(p *yearly.Pack) { p.Actions = nil }, []string{"action XN/COUNCIL-R-0002: here "}},
	} {
		there := small()
		c.change(there)
		encoded(t, there)
		var got []string
		for _, d := range yearly.Compare(here, there) {
			got = append(got, d.String())
		}
		ok := len(got) == len(c.want)
		for i := range c.want {
			ok = ok && strings.HasPrefix(got[i], c.want[i])
		}
		if !ok {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A comparison of packs that have nothing in common ends, and names no more than it may.
func TestTheComparisonHasAnEnd(t *testing.T) {
	here, there := small(), small()
	for i := range 5000 {
		here.Channels[0].Feeds[0].Statements = append(here.Channels[0].Feeds[0].Statements, fmt.Sprint("A-", i, " x"))
		there.Channels[0].Feeds[0].Statements = append(there.Channels[0].Feeds[0].Statements, fmt.Sprint("B-", i, " x"))
	}
	if got := len(yearly.Compare(here, there)); got != 2000 {
		t.Error(got)
	}
}

// The period of a round runs from the one that was held before it to its day, or today.
func TestThePeriodOfARound(t *testing.T) {
	held := func(from, to time.Time) map[traffic.Party]dialogue.Held {
		return map[traffic.Party]dialogue.Held{"xn": {From: from, To: to}}
	}
	s := &dialogue.Series{Opened: day(1), Every: 24 * time.Hour, Hosts: []string{"xn"}, Rounds: map[int]*dialogue.Round{
		1: {Number: 1, Held: held(day(3), day(4))},
		2: {Number: 2, Agreed: &dialogue.Proposal{From: day(10), To: day(11)}},
	}}
	midnight := func(n int) time.Time { return day(n).Truncate(24 * time.Hour) }
	for name, c := range map[string]struct {
		round    int
		from, to time.Time
		now      time.Time
		want     [2]time.Time
		refused  bool
	}{
		"the first":             {round: 1, now: day(20), want: [2]time.Time{day(1), midnight(20)}},
		"before its day":        {round: 2, now: day(8), want: [2]time.Time{day(4), midnight(8)}},
		"after its day":         {round: 2, now: day(20), want: [2]time.Time{day(4), midnight(10)}},
		"as asked":              {round: 2, from: day(2), to: day(7), now: day(8), want: [2]time.Time{day(2), day(7)}},
		"not over":              {round: 2, to: day(9), now: day(8), refused: true},
		"nothing between":       {round: 2, from: day(7), to: day(7), now: day(8), refused: true},
		"no such round":         {round: 7, now: day(20), refused: true},
		"round nought":          {round: 0, now: day(20), refused: true},
		"the same day as begun": {round: 1, now: day(1).Add(time.Hour), refused: true},
		"too long":              {round: 2, from: day(1).AddDate(-20, 0, 0), now: day(8), refused: true},
	} {
		from, to, err := yearly.Period(s, c.round, c.from, c.to, c.now)
		if c.refused != errors.Is(err, yearly.ErrPeriod) || err == nil && (!from.Equal(c.want[0]) || !to.Equal(c.want[1])) {
			t.Errorf("%s: %v to %v, %v", name, from, to, err)
		}
	}
}

// What a stranger gives as a pack is read with limits, written again as the same, and compared without end.
func FuzzParse(f *testing.F) {
	f.Add(encoded(f, small()))
	f.Add([]byte(`{"type":"detente-pack.v1","digest":""}`))
	f.Add([]byte(`{"type":"detente-pack.v1","channels":[{"feeds":[{"statements":["x"]}]}],"lacks":[{}]}`))
	here := small()
	encoded(f, here)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := yearly.Parse(b)
		if err != nil {
			if !errors.Is(err, yearly.ErrPack) {
				t.Fatal(err)
			}
			// The digest alone keeps most inputs out: what stands behind it is tried without.
			p = &yearly.Pack{}
			if json.Unmarshal(b, p) != nil {
				return
			}
			if _, err := p.Encode(); err != nil {
				return // a time that JSON cannot write
			}
		}
		text := encoded(t, p)
		again, err := yearly.Parse(text)
		if p.Type == yearly.Type && len(text) <= yearly.MaxPack {
			must(t, err)
			if other := encoded(t, again); !bytes.Equal(other, text) {
				t.Fatalf("%s\n%s", text, other)
			}
		}
		for _, d := range yearly.Compare(here, p) {
			_ = d.String()
		}
		if _, err := p.Whole(); err != nil {
			_ = err.Error()
		}
	})
}
