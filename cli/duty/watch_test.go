package duty

import (
	"strings"
	"testing"

	"detente/api"
	"detente/host"
	"detente/party"
)

// seat is a person before the terminal of a node that has just been founded.
func seat(t *testing.T) *floor {
	t.Helper()
	home, settings := t.TempDir(), host.DefaultSettings("xn")
	settings.API.Socket = ""
	lock := party.Lock{Passphrase: "correct horse battery staple", WorkFactor: 10}
	_, err := host.Found(home, host.Founding{
		Plan: party.Plan{Party: "xn", Name: map[string]string{"en": "Northland"}, Languages: []string{"en"}}, Settings: settings, Lock: lock,
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(t.Context(), host.Config{Home: home, Settings: settings, Lock: lock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return &floor{cmd: &WatchCmd{Plane: "real"}, words: say(t, "en"), node: h.Client(), view: view{plane: "real", keys: true}}
}

func (f *floor) presses(t *testing.T, keys string) {
	t.Helper()
	for _, k := range keys {
		if f.press(t.Context(), key(k)) {
			t.Fatalf("%q leaves the watch", k)
		}
	}
}

// A post that nobody mans stands on the watch until somebody takes it; what cannot be done says why, and stays undone.
func TestWhatKeysDo(t *testing.T) {
	f := seat(t)
	if _, err := f.node.SetRoster(t.Context(), "nrrc", api.RosterRequest{Text: "post = \"nrrc\"\nzone = \"UTC\"\ndeputy = \"ivanova\"\n"}); err != nil {
		t.Fatal(err)
	}
	if err := f.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	i, ok := f.view.item()
	if !ok || i.Kind != "roster" || i.Taken != nil || f.view.party != "Northland" {
		t.Fatalf("%+v", f.view)
	}
	for _, k := range "ufr\r" {
		f.presses(t, string(k))
		if f.view.message != f.words.say("no.statement") || f.view.prompt != "" {
			t.Errorf("%q on what is about no statement: %q, %q", k, f.view.message, f.view.prompt)
		}
	}
	f.presses(t, "a")
	if len(f.view.watch.Items) != 0 || len(f.view.watch.Taken) != 1 || !strings.Contains(f.view.message, "taken") {
		t.Errorf("%q, %d untaken, %d taken", f.view.message, len(f.view.watch.Items), len(f.view.watch.Taken))
	}
	if !f.press(t.Context(), 'q') {
		t.Error("q does not leave")
	}

	// On what is about a statement keys ask, and nothing is sent when the question is left. Here the statement is none that the node holds.
	f.view.watch.Items = []api.Item{{Key: "x", Kind: "answer", Form: "check", Statement: strings.Repeat("ab", 32), Number: "XS/NRRC-P-0001"}}
	f.view.chosen = "x"
	f.presses(t, "f")
	if f.view.prompt == "" || !strings.Contains(f.view.message, "foreign-ministry") {
		t.Errorf("f asks %q, %q", f.view.prompt, f.view.message)
	}
	f.presses(t, "cerx\x7ft\x1b")
	if f.view.prompt != "" || f.view.message != f.words.say("did.nothing") {
		t.Errorf("Esc: %q, %q", f.view.prompt, f.view.message)
	}
	f.presses(t, "r\rnonsense\ranswer=Snow.\r")
	if f.view.prompt == "" {
		t.Error("the fields end before an empty line")
	}
	f.presses(t, "\r")
	if f.view.prompt != "" || !strings.Contains(f.view.message, "no such statement") {
		t.Errorf("%q, %q", f.view.prompt, f.view.message)
	}
}

// When the node goes away, what stood there stays, and is called old.
func TestANodeThatHasGone(t *testing.T) {
	f := seat(t)
	if err := f.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	var err error
	if f.node, err = api.NewClient("unix:"+t.TempDir()+"/none.sock", ""); err != nil {
		t.Fatal(err)
	}
	if f.read(t.Context()) == nil || f.view.silent.IsZero() || f.view.party != "Northland" {
		t.Errorf("%+v", f.view)
	}
}
