package guarantee_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/form"
	"detente/guarantee"
	"detente/incident"
	"detente/key"
	"detente/node"
	"detente/statement"
	"detente/traffic"
)

func (c *capital) says(channel, formID string, v form.Values, refs ...statement.ID) statement.ID {
	c.World.T.Helper()
	to := "xs"
	if c.ID == "xs" {
		to = "xn"
	}
	sent, err := c.Node.Send(c.World.T.Context(), node.Draft{
		Channel: c.World.Channels[channel], Plane: traffic.Real, Precedence: traffic.Routine, Post: "council", Audience: to + "/council", Form: formID, Values: v, Refs: refs,
		Language: "en", Drafter: "duty-officer",
	})
	must(c.World.T, err)
	return sent.ID
}

func election(from, to time.Time) form.Values {
	return form.Values{
		"name": map[string]string{"en": "General election", "ru": "Всеобщие выборы"}, "process": "election", "window": [2]time.Time{from, to}, "scope": "Systems of the electoral commission.",
		"duty": []any{"xn/nrrc"}, "rhythm": time.Hour,
	}
}

// asked counts the checks of a line that a party has sent in a time.
func (c *capital) asked(since time.Time) (n int) {
	c.World.T.Helper()
	list, _, err := c.checks.Checks(c.World.T.Context(), "", since, 1000)
	must(c.World.T, err)
	for _, k := range list {
		if k.From == c.ID {
			n++
		}
	}
	return n
}

func (c *capital) board() (says []string) {
	items, _ := c.Items(time.Now())
	for _, it := range items {
		says = append(says, it.Say)
		if !strings.Contains(it.Words().Code(), "xn/nrrc, xs/council") && it.Say != "guarantee.unopened" {
			c.World.T.Errorf("%s does not name the points of both sides: %s", it.Say, it.Words().Code())
		}
	}
	return says
}

// While a protected process goes on, both sides check the line as often as agreed, and the points on duty on both sides stand on both boards. Before and after, nothing is checked
// that the plan does not ask for.
func TestAWindowOfSpecialCaution(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		begin := time.Now()
		from := begin.Add(10 * 24 * time.Hour)
		id := xn.says("talks", guarantee.FormProcess, election(from, from.Add(12*time.Hour)))
		pass(time.Hour)
		for _, c := range []*capital{xn, xs} {
			if got := c.board(); len(got) != 0 {
				t.Errorf("%s is told ten days before: %v", c.ID, got)
			}
		}
		pass(4 * 24 * time.Hour)
		for _, c := range []*capital{xn, xs} {
			if got := c.board(); !slices.Equal(got, []string{"guarantee.upcoming"}) {
				t.Errorf("the board of %s a week before: %v", c.ID, got)
			}
			if n := c.asked(begin); n != 0 {
				t.Errorf("%s has sent %d checks before the window", c.ID, n)
			}
		}
		pass(time.Until(from) + 6*time.Hour)
		for _, c := range []*capital{xn, xs} {
			if got := c.board(); !slices.Equal(got, []string{"guarantee.open"}) {
				t.Errorf("the board of %s in the window: %v", c.ID, got)
			}
		}
		pass(24 * time.Hour)
		for _, c := range []*capital{xn, xs} {
			if n := c.asked(begin); n < 11 || n > 13 {
				t.Errorf("%s has sent %d checks in a window of twelve hours", c.ID, n)
			}
			if got := c.board(); len(got) != 0 {
				t.Errorf("the board of %s afterwards: %v", c.ID, got)
			}
			must(t, c.Read(t.Context(), func(k *guarantee.Calendar) {
				if list := k.Processes(traffic.Real); len(list) != 1 || list[0].ID != id || list[0].State(time.Now()) != guarantee.Past {
					t.Errorf("the calendar of %s: %v", c.ID, list)
				}
			}))
		}
	})
}

// A process that is called off raises nothing; another party's word does not call it off.
func TestAProcessIsCalledOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		begin := time.Now()
		id := xn.says("talks", guarantee.FormProcess, election(begin.Add(time.Hour), begin.Add(25*time.Hour)))
		pass(time.Minute)
		xs.says("talks", guarantee.FormCancellation, form.Values{"reason": "We do not want it."}, id)
		pass(4 * time.Hour)
		if n := xs.asked(begin); n < 2 {
			t.Errorf("%d checks after the other side has spoken", n)
		}
		xn.says("talks", guarantee.FormCancellation, form.Values{"reason": "It is put off."}, id)
		pass(time.Minute)
		before := xs.asked(begin) + xn.asked(begin)
		pass(12 * time.Hour)
		if n := xs.asked(begin) + xn.asked(begin); n != before {
			t.Errorf("%d checks after it was called off", n-before)
		}
		if got := slices.Concat(xn.board(), xs.board()); len(got) != 0 {
			t.Errorf("on the boards: %v", got)
		}
	})
}

// A complaint opens a case on the channel of the watch, on both sides, with the guarantee that it relies on. Dying between the two statements, the next process states the second.
func TestAComplaintOpensACase(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		basis := bytes.Repeat([]byte{7}, 32)
		number, err := xn.cases.Allot(t.Context())
		must(t, err)
		xn.Stop()
		xn.Start() // what was allotted stays so
		id := xn.says("talks", guarantee.FormComplaint, form.Values{
			"basis": basis, "case": number.String(), "words": "Accounts of the electoral commission were entered, apparently from or through your territory.",
			"observed": [2]time.Time{time.Now().Add(-time.Hour), time.Now()},
		})
		// It dies here: nobody asks for the case to be opened.
		pass(10 * time.Minute)
		for _, c := range []*capital{xn, xs} {
			file, err := c.cases.File(t.Context(), number.String())
			if err != nil {
				t.Fatalf("%s: %v", c.ID, err)
			}
			first := file.Sheets[0].Case.Entries[0]
			if first.Form != "clarification" || !bytes.Equal(first.Values.Bytes("basis"), basis) || first.Issuer.Party != "xn" {
				t.Errorf("%s: the case begins with %s of %s", c.ID, first.Form, first.Issuer)
			}
			must(t, c.Read(t.Context(), func(k *guarantee.Calendar) {
				if list := k.Complaints(traffic.Real); len(list) != 1 || list[0].ID != id || list[0].Opened != first.ID {
					t.Errorf("%s: %v", c.ID, list)
				}
			}))
		}
		// To open it again is to find it.
		again, err := xn.OpenCase(t.Context(), id)
		must(t, err)
		pass(time.Hour)
		if file, err := xs.cases.File(t.Context(), number.String()); err != nil || len(file.Sheets[0].Case.Entries) != 1 || file.Sheets[0].Case.Entries[0].ID != again {
			t.Errorf("opened twice: %v, %v", file, err)
		}
		if _, err := xs.OpenCase(t.Context(), id); !errors.Is(err, guarantee.ErrNoComplaint) {
			t.Errorf("another's complaint: %v", err)
		}
	})
}

// The calendar is the same whatever the order in which statements come.
func TestOneCalendarWhateverTheOrder(t *testing.T) {
	signer, err := key.Generate(key.Ed25519)
	must(t, err)
	var all []*statement.Statement
	var values []form.Values
	say := func(party traffic.Party, formID string, v form.Values, refs ...statement.ID) *statement.Statement {
		s, err := statement.Sign(statement.Header{
			Issuer: traffic.Address{Party: party, Post: "council"}, Audience: statement.Everyone, IssuedAt: time.Unix(int64(len(all)), 0).UTC(), Channel: [32]byte{1}, Plane: traffic.Real,
			Precedence: traffic.Routine, Form: formID, Version: 1, Refs: refs, Clock: int64(len(all) + 1), Language: "en", Drafter: "duty-officer", Charter: 1,
		}, []byte{0xa0}, signer)
		must(t, err)
		all, values = append(all, s), append(values, v)
		return s
	}
	for n := range int64(6) {
		p := say("xn", guarantee.FormProcess, form.Values{"window": []any{n, n + 5}})
		say([]traffic.Party{"xn", "xs"}[n%2], guarantee.FormCancellation, nil, p.ID())
		c := incident.Number{Party: "xn", Year: 26, Serial: int(n) + 1}.String()
		say("xn", guarantee.FormComplaint, form.Values{"basis": make([]byte, 32), "case": c})
		say("xn", "clarification", form.Values{"case": c})
		say("xn", "clarification", form.Values{"case": c})
	}
	var want []any
	for range 60 {
		k := guarantee.NewCalendar()
		for _, i := range rand.Perm(len(all)) {
			k.Add(all[i], values[i], "common", "")
		}
		got := []any{k.Processes(""), k.Complaints(""), k.Instruments("")}
		if want == nil {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}
