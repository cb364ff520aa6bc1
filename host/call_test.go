package host_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/call"
	"detente/host"
	"detente/party"
	"detente/traffic"
)

// What comes in calls the officer on duty, by every means that is set and that he has; the call tells nothing of what was said.
func TestTheOfficerOnDutyIsCalled(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bodies := make(chan []byte, 8)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if err := call.Verify([]byte("hush"), time.Now(), r.Header.Get(call.SignatureHeader), b); err != nil {
			t.Errorf("%s: %v", b, err)
		}
		bodies <- b
	}))
	defer hook.Close()
	paged := filepath.Join(t.TempDir(), "paged")
	north := found(t, "xn", "en")
	south := found(t, "xs", "ru", func(s *host.Settings) {
		s.Call.Webhook.SecretFile = secret
		s.Call.Command.Command = []string{"/bin/sh", "-c", `echo "$0" > ` + paged + `.new && mv ` + paged + `.new ` + paged, "{officer} {precedence}"}
		s.Console.Origin = "https://watch.xs.example"
	})
	north.meets(south)
	south.meets(north)
	ctx := t.Context()
	if _, err := south.node.SetOfficer(ctx, api.OfficerRequest{
		ID: "petrov", Name: "Petrov", Language: "ru", Webhook: hook.URL, Grants: []api.Grant{{Post: "nrrc", Role: "duty-officer"}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := south.node.SetRoster(ctx, "nrrc", api.RosterRequest{Text: "post = \"nrrc\"\nzone = \"UTC\"\nduty-officer = \"petrov\"\n"}); err != nil {
		t.Fatal(err)
	}
	if _, err := north.node.Propose(ctx, api.ProposeRequest{Name: "nrrc", Members: []traffic.Party{"xs"}, Posts: []traffic.Post{"nrrc"}}); err != nil {
		t.Fatal(err)
	}
	south.sees("the proposal", func() bool { _, ok := south.channel("nrrc"); return ok })
	if _, err := south.node.Accept(ctx, "nrrc", api.Decision{}); err != nil {
		t.Fatal(err)
	}
	north.sees("the channel in being", func() bool { c, _ := north.channel("nrrc"); return c.Established })
	if _, err := north.node.Send(ctx, api.SendRequest{Channel: "nrrc", To: "xs/nrrc", Precedence: "FLASH", Words: api.Words{
		Form: "notice", Text: map[string]string{"subject": "accident", "text": "Unspeakable."}, Releaser: "head-of-post",
	}}); err != nil {
		t.Fatal(err)
	}
	var body []byte
	select {
	case body = <-bodies:
	case <-time.After(30 * time.Second):
		t.Fatal("nobody was called by webhook")
	}
	var c call.Call
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	if c.Officer != "petrov" || c.Precedence != "FLASH" || c.Number != "XN/NRRC-Z-0001" || c.Post != "nrrc" || c.Console != "https://watch.xs.example" || c.Language != "ru" {
		t.Errorf("call %s", body)
	}
	for _, secret := range []string{"Unspeakable", "accident"} {
		if strings.Contains(string(body), secret) {
			t.Errorf("the call tells what was said: %s", body)
		}
	}
	south.sees("the page", func() bool {
		b, err := os.ReadFile(paged)
		return err == nil && string(b) == "petrov FLASH\n"
	})
}

// foundHome makes the home of a party whose node does not run.
func foundHome(t *testing.T, id traffic.Party) string {
	t.Helper()
	home := t.TempDir()
	_, err := host.Found(home, host.Founding{
		Plan: party.Plan{Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}}, Settings: host.DefaultSettings(id), Lock: lock(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return home
}

func lock() party.Lock {
	return party.Lock{Passphrase: "correct horse battery staple", WorkFactor: 10}
}

// What is set for calls and is not right keeps the node from starting, lest nobody notices until somebody must be called.
func TestSettingsOfCallsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*host.Settings){
		"no file":                        func(s *host.Settings) { s.Call.Webhook.SecretFile = "nowhere" },
		"no password":                    func(s *host.Settings) { s.Call.Mail.Server, s.Call.Mail.User = "mail:587", "watch" },
		"an origin that browsers refuse": func(s *host.Settings) { s.Console.Origin = "http://watch.example" },
		"a provider without a console": func(s *host.Settings) {
			s.Console.OpenID.Issuer = "https://login.example"
		},
	} {
		settings := host.DefaultSettings("xn")
		change(&settings)
		_, _, err := host.Invite(t.Context(), foundHome(t, "xn"), settings, lock())
		if !errors.Is(err, host.ErrSettings) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
