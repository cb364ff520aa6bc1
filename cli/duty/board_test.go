package duty

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/exchange"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("testdata/%s (rewrite it with -update):\n%s", name, diff)
	}
}

// night is a watch at three in the morning, as the node tells it.
func night() view {
	now := time.Date(2026, 11, 23, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration) time.Time { return now.Add(d) }
	return view{
		now: now, party: "Northland", plane: traffic.Real, keys: true, chosen: "a",
		watch: api.Watch{
			Items: []api.Item{
				{
					Key: "a", Kind: "acknowledge", Precedence: traffic.Flash, Number: "XS/NRRC-Z-0002", Title: "XS/NRRC-Z-0002 from xs/nrrc: to be acknowledged", Detail: "NOTICE", Form: "notice",
					Since: at(-4 * time.Minute), Due: at(6*time.Minute + 12*time.Second),
					Calls:    []api.Call{{Officer: "petrov", Role: "duty-officer", Means: "mail", At: at(-4 * time.Minute), Outcome: "placed"}, {Officer: "petrov", Role: "duty-officer", Means: "command", At: at(-4 * time.Minute), Outcome: "failed", Detail: "exit status 1"}},
					NextCall: &api.NextCall{Role: "deputy", Officer: "ivanova", At: at(90 * time.Second)},
				},
				{Key: "b", Kind: "answer", Precedence: traffic.Immediate, Number: "XS/NRRC-O-0001", Title: "XS/NRRC-O-0001 from xs/nrrc: to be answered", Detail: "INQUIRY ABOUT AN APPARENT SOURCE IN THE TERRITORY OF THE ADDRESSEE", Overdue: true, Due: at(-62 * time.Minute)},
				{Key: "c", Kind: "roster", Precedence: traffic.Priority, Title: "Nobody is on duty at mfa", Since: at(-time.Hour)},
				{Key: "d", Kind: "missed", Precedence: traffic.Routine, Number: "XN/NRRC-R-0007", Title: "XN/NRRC-R-0007: not answered by xs/nrrc", Detail: "COMMUNICATION CHECK", Overdue: true, Due: at(-200 * time.Hour)},
			},
			Taken: []api.Item{{
				Key: "e", Kind: "acknowledge", Precedence: traffic.Priority, Number: "XL/MFA-P-0003", Title: "XL/MFA-P-0003 from xl/mfa", Detail: "GOODWILL MESSAGE", Due: at(2 * time.Hour),
				Taken: &api.Taken{By: "petrov", Role: "duty-officer", At: at(-20 * time.Minute)},
			}},
			Done: make([]api.Item, 14),
			Duty: []api.Duty{
				{Post: "nrrc", Until: at(3 * time.Hour), Officers: []api.DutyOfficer{{Role: "duty-officer", Officer: "petrov", Name: "P. Petrov"}, {Role: "deputy", Officer: "ivanova"}}},
				{Post: "mfa", Unmanned: true},
			},
			Sound: "flash",
		},
		links: []api.Link{
			{Condition: exchange.Condition{Peer: "xl", Since: at(-time.Hour), Failure: "dial tcp: connection refused"}},
			{Condition: exchange.Condition{Peer: "xs", Up: true, Since: at(-time.Hour)}},
		},
	}
}

func say(t *testing.T, lang string) words {
	t.Helper()
	w, err := loadWords(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// show sets a screen in a frame, with a sign for each line that stands out.
func show(lines []line, columns int) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s│%s│\n", []string{" ", "s", "U", "C", "A", "B", "_"}[l.style], pad(l.text, columns, false))
	}
	return b.String()
}

func TestTheBoardInEachLanguage(t *testing.T) {
	for _, lang := range []string{"en", "ru", "ar", "zh", "fr", "es"} {
		v := night()
		golden(t, "board."+lang+".txt", show(v.draw(say(t, lang), 80, 24), 80))
	}
}

func TestOtherScreens(t *testing.T) {
	w := say(t, "en")
	quiet := view{now: night().now, party: "Northland", plane: traffic.Exercise, keys: true}
	golden(t, "quiet.txt", show(quiet.draw(w, 80, 24), 80))

	lost := night()
	lost.silent, lost.message, lost.prompt, lost.typed = lost.now.Add(-time.Minute), "no node answers", w.say("ask.category", "superior, cert"), "cer"
	golden(t, "lost.txt", show(lost.draw(w, 80, 24), 80))

	read := night()
	read.text, read.scroll = "NOTICE\n\n1. What happened\n   │ "+strings.Repeat("A tool of ours has got loose. ", 9)+"\n   │ "+strings.Repeat("水", 60)+"\n"+strings.Repeat("line\n", 30), 1
	golden(t, "statement.txt", show(read.draw(w, 80, 24), 80))

	printed := night()
	printed.keys = false
	golden(t, "once.txt", show(printed.draw(w, 100, 0), 100))

	many := night()
	for n := range 300 {
		many.watch.Items = append(many.watch.Items, api.Item{Key: fmt.Sprint(n), Kind: "acknowledge", Precedence: traffic.Routine, Title: fmt.Sprintf("Number %d", n)})
	}
	many.chosen, many.watch.More = "40", 1000
	golden(t, "many.txt", show(many.draw(w, 80, 24), 80))
}

// Whatever is shown, in whatever size, nothing is longer than the line, and no line less or more than the screen has.
func TestNothingLeavesTheScreen(t *testing.T) {
	hostile := "\x1b[2J\u202eevil\u2069\u2066" + strings.Repeat("界", 40) + "\r\n\u2028\u200f\u0007" + strings.Repeat("e\u0301", 50)
	for _, lang := range []string{"en", "ru", "ar", "zh", "fr", "es"} {
		w := say(t, lang)
		for _, size := range [][2]int{{80, 24}, {20, 8}, {41, 12}, {200, 60}} {
			for _, state := range []string{"board", "text", "prompt"} {
				v := night()
				v.party, v.message, v.plane = hostile, hostile, traffic.Test
				v.links[0].Failure, v.links[0].Peer = hostile, traffic.Party(hostile)
				for i := range v.watch.Items {
					it := &v.watch.Items[i]
					it.Title, it.Detail, it.Number, it.Kind = hostile, hostile, hostile, hostile
					it.Calls = []api.Call{{Officer: hostile, Role: hostile, Means: hostile, Outcome: hostile, Detail: hostile}}
					it.NextCall = &api.NextCall{Role: hostile, Officer: hostile}
				}
				v.watch.Duty[0].Officers[0].Name, v.watch.Duty[0].Post = hostile, traffic.Post(hostile)
				switch state {
				case "text":
					v.text = hostile + "\n" + hostile
				case "prompt":
					v.prompt, v.typed = hostile, hostile
				}
				lines := v.draw(w, size[0], size[1])
				if len(lines) != size[1] {
					t.Errorf("%s %v %s: %d lines", lang, size, state, len(lines))
				}
				for _, l := range lines {
					if n := widthOf(l.text); n > size[0] {
						t.Errorf("%s %v %s: %d columns: %q", lang, size, state, n, l.text)
					}
					if strings.ContainsAny(l.text, "\x1b\r\n\a\u202e\u2028\u200f") {
						t.Errorf("%s %v %s: %q", lang, size, state, l.text)
					}
					open := strings.Count(l.text, "\u2066") + strings.Count(l.text, "\u2067") + strings.Count(l.text, "\u2068")
					if open != strings.Count(l.text, "\u2069") {
						t.Errorf("%s %v %s: what is isolated stays open: %q", lang, size, state, l.text)
					}
				}
			}
		}
	}
}

// What stands out by colour has a word or a shape too, so that a screen without colour says the same.
func TestColourIsNeverAlone(t *testing.T) {
	for _, l := range night().lines(t) {
		painted, without := paint(l, false), paint(l, true)
		if strings.Contains(without, "31") {
			t.Errorf("coloured without colour: %q", without)
		}
		red := l.style == urgent || l.style == alarmed
		if red && !strings.Contains(painted, "31") {
			t.Errorf("a FLASH that is not red: %q", painted)
		}
		if red && !strings.Contains(l.text, "FLASH") {
			t.Errorf("red without its word: %q", l.text)
		}
	}
}

func (v view) lines(t *testing.T) []line { return v.draw(say(t, "en"), 80, 24) }

func TestKeys(t *testing.T) {
	var got []key
	for rest := []byte("jя\x1b[A\x1bOB\x1b[3~\r\x7f\x03\x1b"); len(rest) > 0; {
		k, n := decodeKey(rest)
		if n == 0 {
			t.Fatalf("stuck at %q", rest)
		}
		got, rest = append(got, k), rest[n:]
	}
	if want := []key{'j', 'я', up, down, 0, enter, back, stop, esc}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, n := decodeKey([]byte("я")[:1]); n != 0 {
		t.Error("half a letter is taken for one")
	}
	keys := make(chan key, 10)
	readKeys(strings.NewReader("ok"), keys)
	if a, b := <-keys, <-keys; a != 'o' || b != 'k' {
		t.Errorf("%v %v", a, b)
	}
	if _, ok := <-keys; ok {
		t.Error("more than was typed")
	}
}

func TestALineIsTyped(t *testing.T) {
	text := ""
	for _, k := range []key{'c', 'x', back, 'я', 1, 'e'} {
		text, _, _ = edit(text, k)
	}
	if text != "cяe" {
		t.Errorf("%q", text)
	}
	if after, done, _ := edit(text, enter); !done || after != text {
		t.Errorf("%q %v", after, done)
	}
	if _, _, left := edit(text, esc); !left {
		t.Error("Esc does not leave")
	}
}

// A FLASH rings each ten seconds, until somebody has taken it.
func TestBell(t *testing.T) {
	f := &floor{cmd: &WatchCmd{}, view: night()}
	rings := 0
	for range 60 {
		rings += len(f.bell())
		f.view.now = f.view.now.Add(time.Second)
	}
	if rings != 6 {
		t.Errorf("%d rings in a minute", rings)
	}
	f.view.watch.Sound = "none"
	f.view.now = f.view.now.Add(time.Hour)
	if f.bell() != "" {
		t.Error("rings for nothing")
	}
}

// What comes in while somebody reaches for a key does not become what the key was meant for.
func TestTheChosenItemStaysChosen(t *testing.T) {
	f := &floor{cmd: &WatchCmd{}, view: night()}
	f.move(1)
	f.view.watch.Items = slices.Insert(f.view.watch.Items, 0, api.Item{Key: "new", Precedence: traffic.Flash})
	if i, _ := f.view.item(); i.Key != "b" {
		t.Errorf("chosen is %q", i.Key)
	}
	f.move(-5)
	if i, _ := f.view.item(); i.Key != "new" {
		t.Errorf("chosen is %q", i.Key)
	}
	f.move(100)
	if i, _ := f.view.item(); i.Key != "e" {
		t.Errorf("chosen is %q", i.Key)
	}
}

// Every code that the API may tell has its words here.
func TestEveryCodeHasItsWords(t *testing.T) {
	w := say(t, "en")
	for group, field := range map[string]reflect.StructField{
		"kind": fieldOf(reflect.TypeFor[api.Item](), "Kind"), "means": fieldOf(reflect.TypeFor[api.Call](), "Means"),
		"outcome": fieldOf(reflect.TypeFor[api.Call](), "Outcome"), "role": fieldOf(reflect.TypeFor[api.Grant](), "Role"),
		"plane": fieldOf(reflect.TypeFor[api.CheckRequest](), "Plane"),
	} {
		for _, code := range strings.Split(field.Tag.Get("enum"), ",") {
			if !slices.Contains(codes()[group], code) {
				t.Errorf("%s %q is shown as it is, without words", group, code)
			}
			if text := w.or(group, code); text == group+"."+code {
				t.Errorf("%s %q has no phrase", group, code)
			}
		}
	}
}

func fieldOf(t reflect.Type, name string) reflect.StructField {
	f, _ := t.FieldByName(name)
	return f
}
