package directory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/form"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

func noon() time.Time { return time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC) }

func day(n int) time.Time { return noon().AddDate(0, 0, n) }

// said is a statement of a test; its clock is its place in the canonical order.
type said struct {
	clock   int64
	from    string
	at      time.Time
	form    string
	values  form.Values
	plane   traffic.Plane
	channel byte
}

func (s said) parts() (statement.ID, *statement.Header, form.Values) {
	from, err := traffic.ParseAddress(s.from)
	if err != nil {
		panic(err)
	}
	if s.plane == "" {
		s.plane = traffic.Real
	}
	return statement.ID{byte(s.clock), s.channel}, &statement.Header{
		Issuer: from, Form: s.form, Clock: s.clock, IssuedAt: s.at, Plane: s.plane, Channel: [32]byte{s.channel},
	}, s.values
}

// everyOrder calls fn with the statements in several orders: a fold must not depend on it.
func everyOrder(all []said, fn func([]said)) {
	fn(all)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		shuffled := make([]said, len(all))
		for i, j := range r.Perm(len(all)) {
			shuffled[i] = all[j]
		}
		fn(append(shuffled, shuffled...)) // and twice
	}
}

func contact(clock int64, from string, at time.Time, more form.Values) said {
	v := form.Values{"name": "watch", "category": "technical", "organisation": "Centre"}
	for k, x := range more {
		v[k] = x
	}
	return said{clock: clock, from: from, at: at, form: "contact", values: v}
}

func confirm(clock int64, from string, at time.Time, action string) said {
	return said{clock: clock, from: from, at: at, form: "contact-status", values: form.Values{"name": "watch", "action": action}}
}

func TestContacts(t *testing.T) {
	for _, x := range []struct {
		name  string
		all   []said
		now   time.Time
		stale string
		org   string
	}{
		{"stated", []said{contact(1, "xs/nrrc", day(0), nil)}, day(366), "", "Centre"},
		{"unconfirmed for a year and a day", []said{contact(1, "xs/nrrc", day(0), nil)}, day(366).Add(time.Second), Unconfirmed, "Centre"},
		{"confirmed since", []said{contact(1, "xs/nrrc", day(0), nil), confirm(2, "xs/mfa", day(300), "confirmed")}, day(500), "", "Centre"},
		{"withdrawn", []said{contact(1, "xs/nrrc", day(0), nil), confirm(2, "xs/mfa", day(1), "withdrawn")}, day(2), Withdrawn, "Centre"},
		{"stated anew", []said{
			contact(1, "xs/nrrc", day(0), nil), confirm(2, "xs/mfa", day(1), "withdrawn"), contact(3, "xs/nrrc", day(2), form.Values{"organisation": "Office"}),
		}, day(3), "", "Office"},
		{"withdrawn by another party", []said{contact(1, "xs/nrrc", day(0), nil), confirm(2, "xn/mfa", day(1), "withdrawn")}, day(2), "", "Centre"},
		{"overwritten by another party", []said{contact(1, "xs/nrrc", day(0), nil), contact(2, "xn/mfa", day(1), form.Values{"organisation": "False"})}, day(2), "", "Centre"},
		{"confirmed before it was stated", []said{confirm(1, "xs/mfa", day(-1), "withdrawn"), contact(2, "xs/nrrc", day(0), nil)}, day(2), "", "Centre"},
		{"expired", []said{contact(1, "xs/nrrc", day(0), form.Values{"valid": []any{day(0).Unix(), day(10).Unix()}})}, day(11), Expired, "Centre"},
		{"the clock decides, not the date", []said{
			contact(2, "xs/nrrc", day(0), form.Values{"organisation": "Second"}), contact(1, "xs/nrrc", day(5), form.Values{"organisation": "First"}),
		}, day(6), "", "Second"},
	} {
		t.Run(x.name, func(t *testing.T) {
			everyOrder(x.all, func(all []said) {
				d := NewContacts()
				for _, s := range all {
					d.Add(s.parts())
				}
				c := d.Find(Key{Plane: traffic.Real, Party: "xs", Name: "watch"})
				if got := c.Stale(x.now); got != x.stale || c.Values.Text("organisation") != x.org {
					t.Errorf("%q %q, want %q %q", got, c.Values.Text("organisation"), x.stale, x.org)
				}
				if at := c.StaleAt(); x.stale == "" && (at.IsZero() || at.Before(x.now)) || x.stale == Unconfirmed && at.After(x.now) {
					t.Errorf("stale at %s, looked at %s", at, x.now)
				}
			})
		})
	}
}

func TestAnExerciseChangesNoDirectory(t *testing.T) {
	d := NewContacts()
	s := contact(1, "xs/nrrc", day(0), nil)
	d.Add(s.parts())
	s = contact(2, "xs/nrrc", day(1), form.Values{"organisation": "Exercise"})
	s.plane = traffic.Exercise
	d.Add(s.parts())
	if all := d.All(traffic.Real); len(all) != 1 || all[0].Values.Text("organisation") != "Centre" {
		t.Error(all)
	}
}

func TestChangesAreToldWithinThirtyDays(t *testing.T) {
	for n, late := range map[int]bool{0: false, 30: false, 31: true} {
		d := NewContacts()
		d.Add(contact(1, "xs/nrrc", day(n), form.Values{"changed": day(0).Unix()}).parts())
		if c := d.All(traffic.Real)[0]; c.ToldLate() != late {
			t.Errorf("told after %d days: late %v", n, c.ToldLate())
		}
	}
}

func status(clock int64, from string, at time.Time, state string, more form.Values) said {
	v := form.Values{"state": state, "ground": "political"}
	for k, x := range more {
		v[k] = x
	}
	return said{clock: clock, from: from, at: at, form: "status", values: v}
}

func service(clock int64, from string, at time.Time, what string, more form.Values) said {
	v := form.Values{"service": what}
	for k, x := range more {
		v[k] = x
	}
	return said{clock: clock, from: from, at: at, form: "service", values: v}
}

func only(functions ...any) form.Values { return form.Values{"functions": functions} }

func TestSuspension(t *testing.T) {
	inquiry := Utterance{Form: "inquiry", Post: "nrrc", Audience: "xs", Precedence: traffic.Immediate}
	with := func(u Utterance, change func(*Utterance)) Utterance { change(&u); return u }
	all := status(1, "xs/council", day(0), Suspended, nil)
	own := status(1, "xn/council", day(0), Suspended, nil)
	minimize := service(1, "xs/nrrc", day(0), "minimize", nil)
	for _, x := range []struct {
		name string
		said []said
		u    Utterance
		now  time.Time
		want error
	}{
		{"nothing stated", nil, inquiry, day(1), nil},
		{"all, by the other side", []said{all}, inquiry, day(1), ErrDeclined},
		{"all, by the own side", []said{own}, inquiry, day(1), ErrSuspended},
		{"not yet", []said{status(1, "xs/council", day(0), Suspended, form.Values{"from": day(2).Unix()})}, inquiry, day(1), nil},
		{"no longer", []said{status(1, "xs/council", day(0), Suspended, form.Values{"until": day(2).Unix()})}, inquiry, day(3), nil},
		{"resumed", []said{all, status(2, "xs/council", day(1), Open, nil)}, inquiry, day(2), nil},
		{"resumed by the other", []said{all, status(2, "xn/council", day(1), Open, nil)}, inquiry, day(2), ErrDeclined},
		{"another function", []said{status(1, "xs/council", day(0), Restricted, only("goodwill", "notices"))}, inquiry, day(1), nil},
		{"this function", []said{status(1, "xs/council", day(0), Restricted, only("inquiries"))}, inquiry, day(1), ErrDeclined},
		{"restricted, without saying in what", []said{status(1, "xs/council", day(0), Restricted, nil)}, inquiry, day(1), nil},
		{"degraded stops nothing", []said{status(1, "xs/council", day(0), Degraded, only("all"))}, inquiry, day(1), nil},
		{"continues by exception", []said{status(1, "xs/council", day(0), Suspended, form.Values{"continues": []any{"inquiries"}})}, inquiry, day(1), nil},
		{"a later restriction stands behind", []said{all, status(2, "xs/council", day(1), Open, form.Values{"from": day(5).Unix()})}, inquiry, day(2), ErrDeclined},
		{"a FLASH is never held up", []said{all, own}, with(inquiry, func(u *Utterance) { u.Precedence = traffic.Flash }), day(1), nil},
		{"essential, in spite of the other side", []said{all}, with(inquiry, func(u *Utterance) { u.Essential = true }), day(1), nil},
		{"essential, in spite of the own", []said{own}, with(inquiry, func(u *Utterance) { u.Essential = true }), day(1), ErrSuspended},
		{"checks continue", []said{all, own}, Utterance{Form: "check", Precedence: traffic.Routine}, day(1), nil},
		{"accidents continue", []said{all, own}, Utterance{Form: "loss-of-control", Precedence: traffic.Immediate}, day(1), nil},
		{"accidents continue, as a notice", []said{all, own}, Utterance{Form: "notice", Subject: "accident", Precedence: traffic.Immediate}, day(1), nil},
		{"other notices do not", []said{all}, Utterance{Form: "notice", Subject: "planned", Precedence: traffic.Immediate}, day(1), ErrDeclined},
		{"response teams continue", []said{all, own}, with(inquiry, func(u *Utterance) { u.Post, u.Audience = "cert", "xs/cert" }), day(1), nil},
		{"acknowledging continues", []said{all, own}, Utterance{Form: "acknowledgement", Precedence: traffic.Routine}, day(1), nil},
		{"resuming continues", []said{all, own}, Utterance{Form: "status", Precedence: traffic.Priority}, day(1), nil},
		{"what is not known does not", []said{all}, Utterance{Form: "poem", Precedence: traffic.Routine}, day(1), ErrDeclined},
		{"MINIMIZE", []said{minimize}, Utterance{Form: "goodwill", Precedence: traffic.Routine}, day(1), ErrMinimize},
		{"MINIMIZE, PRIORITY", []said{minimize}, Utterance{Form: "notice", Precedence: traffic.Priority}, day(1), ErrMinimize},
		{"MINIMIZE, IMMEDIATE", []said{minimize}, inquiry, day(1), nil},
		{"MINIMIZE, essential", []said{minimize}, Utterance{Form: "goodwill", Precedence: traffic.Routine, Essential: true}, day(1), nil},
		{"MINIMIZE, an answer", []said{minimize}, Utterance{Form: "answer", Precedence: traffic.Routine}, day(1), nil},
		{"MINIMIZE ended", []said{minimize, service(2, "xs/nrrc", day(1), "minimize-ends", nil)}, Utterance{Form: "goodwill", Precedence: traffic.Routine}, day(2), nil},
		{"MINIMIZE ended by another", []said{minimize, service(2, "xn/nrrc", day(1), "minimize-ends", nil)}, Utterance{Form: "goodwill", Precedence: traffic.Routine}, day(2), ErrMinimize},
		{"MINIMIZE over", []said{service(1, "xs/nrrc", day(0), "minimize", form.Values{"window": []any{day(0).Unix(), day(1).Unix()}})}, Utterance{Form: "goodwill", Precedence: traffic.Routine}, day(2), nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			everyOrder(x.said, func(all []said) {
				f := NewStatuses()
				for _, s := range all {
					f.Add(s.parts())
				}
				here, members := Where{Plane: traffic.Real}, []traffic.Party{"xn", "xs"}
				if err := f.Permit(here, "xn", members, x.u, x.now); !errors.Is(err, x.want) {
					t.Errorf("%v, want %v", err, x.want)
				}
				// Nothing of it touches another channel, or another plane.
				for _, elsewhere := range []Where{{Channel: [32]byte{7}, Plane: traffic.Real}, {Plane: traffic.Exercise}} {
					if err := f.Permit(elsewhere, "xn", members, x.u, x.now); err != nil || f.State(elsewhere, members, x.now) != Open {
						t.Errorf("elsewhere: %v", err)
					}
				}
			})
		})
	}
}

func TestTheNarrowestStateIsTheChannels(t *testing.T) {
	f := NewStatuses()
	f.Add(status(1, "xs/council", day(0), Degraded, nil).parts())
	f.Add(status(2, "xn/council", day(0), Suspended, nil).parts())
	f.Add(status(3, "xl/council", day(0), Restricted, nil).parts())
	here := Where{Plane: traffic.Real}
	if got := f.State(here, []traffic.Party{"xl", "xn", "xs"}, day(1)); got != Suspended {
		t.Error(got)
	}
	if got := f.State(here, []traffic.Party{"xs"}, day(1)); got != Degraded {
		t.Error("one who is no member is heard:", got)
	}
}

func TestUnmanned(t *testing.T) {
	all := []said{
		service(1, "xs/nrrc", day(0), "unmanned", nil), service(2, "xs/nrrc", day(1), "manned", nil),
		service(3, "xs/nrrc", day(2), "unmanned", form.Values{"window": []any{day(3).Unix(), day(4).Unix()}}),
	}
	everyOrder(all, func(all []said) {
		f := NewStatuses()
		for _, s := range all {
			f.Add(s.parts())
		}
		nrrc := traffic.Address{Party: "xs", Post: "nrrc"}
		for n, want := range map[int]bool{2: false, 3: true, 4: true, 5: false} {
			if _, got := f.Unmanned(Where{Plane: traffic.Real}, nrrc, day(n)); got != want {
				t.Errorf("day %d: %v", n, got)
			}
		}
		if _, got := f.Unmanned(Where{Plane: traffic.Real}, traffic.Address{Party: "xs", Post: "cert"}, day(3)); got {
			t.Error("another post is unmanned")
		}
	})
}

func TestGlossary(t *testing.T) {
	term := func(clock int64, from, term, lang, other, in, standing string) said {
		return said{clock: clock, from: from, at: day(0), form: "glossary", values: form.Values{
			"term": term, "language": lang, "definition": "d", "counterpart": other, "counterpart_in": in, "standing": standing,
		}}
	}
	all := []said{
		term(1, "xn/mfa", "incident", "en", "инцидент", "ru", "proposed"), term(2, "xs/mfa", "инцидент", "ru", "incident", "en", "agreed"),
		term(3, "xn/mfa", "attack", "en", "атака", "ru", "differs"), term(4, "xn/mfa", "incident", "en", "инцидент", "ru", "agreed"),
		term(5, "xn/mfa", "aardvark", "en", "", "", "withdrawn"),
	}
	everyOrder(all, func(all []said) {
		g := NewGlossary()
		for _, s := range all {
			g.Add(s.parts())
		}
		var got []string
		for _, x := range g.All(Where{Plane: traffic.Real}) {
			got = append(got, string(x.Party)+" "+x.Term+" "+x.Standing)
		}
		if diff := cmp.Diff([]string{"xn attack differs", "xn incident agreed", "xs инцидент agreed", "xn aardvark withdrawn"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func contactForm(t testing.TB) *form.Form {
	r, err := form.Load(regimes.Communications())
	if err != nil {
		t.Fatal(err)
	}
	f, _ := r.Latest("contact")
	return f
}

func full(text string) form.Values {
	return form.Values{
		"name": text, "category": "technical", "organisation": text, "around_clock": true, "speaks": text, "reads": text, "alternates": text + "\n" + text,
		"authority": []any{"receive", "answer"}, "nominated_by": text, "nominated_on": noon().Unix(), "valid": []any{noon().Unix(), day(7).Unix()},
		"post": "xs/nrrc", "visibility": "members",
	}
}

// What was exported and imported says the same, whatever stands in it; and no spreadsheet finds a formula in it.
func TestTablesRoundTrip(t *testing.T) {
	f := contactForm(t)
	for _, text := range []string{
		"plain", "=cmd|' /C calc'!A0", "+7 495 000", "-1", "@SUM(A1)", "'=1+1", "'", "''quoted''", `"a","b"`, "a,b;c", "<b>&", "مرحبا", "＝1", "%x", "|x", " space ",
	} {
		payload, err := f.Encode(full(text))
		if err != nil {
			t.Fatal(text, err)
		}
		v, err := f.Decode(payload)
		if err != nil {
			t.Fatal(err)
		}
		file, err := Export(f, []Row{{Channel: "=1", Party: "xs", Values: v}})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range slices.Concat(rows...) {
			if cell != "" && strings.ContainsAny(cell[:1], "=+@-|%\t") {
				t.Errorf("%q is a cell of %q", cell, text)
			}
		}
		entries, err := Import(f, append([]byte("\uFEFF"), file...))
		if err != nil || len(entries) != 1 {
			t.Fatal(text, err, entries)
		}
		back, err := f.FromText(entries[0].Fields)
		if err != nil {
			t.Fatal(text, err)
		}
		again, err := f.Encode(back)
		if err != nil || string(again) != string(payload) {
			t.Errorf("%q: %v\n%v\n%v", text, err, v, back)
		}
	}
}

func TestTablesAreReadStrictly(t *testing.T) {
	f := contactForm(t)
	for name, file := range map[string]string{
		"empty":           "",
		"unknown column":  "name,colour\nwatch,blue\n",
		"column twice":    "name,name\na,b\n",
		"no name":         "category\ntechnical\n",
		"too many cells":  "name,category\na,b,c\n",
		"open quotes":     "name\n\"a\n",
		"too many lines":  "name\n" + strings.Repeat("x\n", maxRows+1),
		"too large":       strings.Repeat("x", MaxCSV+1),
		"not even a text": "\x00\xff\"",
	} {
		if _, err := Import(f, []byte(file)); !errors.Is(err, ErrCSV) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := Import(f, []byte("category, name,stale\ntechnical,watch,expired\n,,\n"))
	if err != nil || len(got) != 1 || got[0].Line != 2 || got[0].Fields["name"] != "watch" || got[0].Fields["stale"] != "" {
		t.Error(got, err)
	}
}

func FuzzImport(f *testing.F) {
	of := contactForm(f)
	f.Add([]byte("name,category\nwatch,technical\n"))
	file, err := Export(of, []Row{{Values: full("=1")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		entries, err := Import(of, file)
		if err != nil {
			if !errors.Is(err, ErrCSV) {
				t.Fatal(err)
			}
			return
		}
		var rows []Row
		var payloads []string
		for _, e := range entries {
			v, err := of.FromText(e.Fields)
			if err != nil {
				continue
			}
			payload, err := of.Encode(v)
			if err != nil {
				continue
			}
			v, _ = of.Decode(payload)
			rows, payloads = append(rows, Row{Values: v}), append(payloads, string(payload))
		}
		table, err := Export(of, rows)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Import(of, table)
		if err != nil || len(back) != len(payloads) {
			t.Fatal(err, len(back), len(payloads))
		}
		for i, e := range back {
			v, err := of.FromText(e.Fields)
			if err != nil {
				t.Fatal(err)
			}
			if payload, err := of.Encode(v); err != nil || string(payload) != payloads[i] {
				t.Fatal(err, e)
			}
		}
	})
}
