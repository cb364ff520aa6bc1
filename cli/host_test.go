package cli_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/cli"
	"detente/party"
	"detente/traffic"
)

// capital is a party with its node, as it runs in one of several capitals.
type capital struct {
	t    *testing.T
	id   traffic.Party
	host *cli.Host
	node *api.Client
	file []byte
}

// found founds a party and runs its node until the test ends.
func found(t *testing.T, id traffic.Party, language string) *capital {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	settings := cli.DefaultSettings(id)
	settings.API.Socket = ""
	lock := party.Lock{Passphrase: "correct horse battery staple", WorkFactor: 10}
	if _, err := cli.Found(home, cli.Founding{
		Plan: party.Plan{
			Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{language},
			Routes: []party.Route{{Name: "https", Address: l.Addr().String()}},
		},
		Settings: settings, Lock: lock,
	}); err != nil {
		t.Fatal(err)
	}
	host, err := cli.NewHost(t.Context(), cli.HostConfig{Home: home, Settings: settings, Lock: lock, Listener: l})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- host.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if err := host.Close(); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	})
	c := &capital{t: t, id: id, host: host, node: host.Client()}
	if c.file, err = c.node.CharterFile(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return c
}

// meets has a party pair with another, whose officer reads out the words.
func (c *capital) meets(other *capital) {
	c.t.Helper()
	if _, err := c.node.ImportCharter(c.t.Context(), other.file); err != nil {
		c.t.Fatal(err)
	}
	spoken, err := other.node.Charter(c.t.Context(), other.id, "en")
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.node.Confirm(c.t.Context(), other.id, strings.Join(spoken.Words["ru"], " ")); err != nil {
		c.t.Fatal(err)
	}
}

// sees waits until something that the node tells is as it should be.
func (c *capital) sees(what string, ready func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	if err := c.node.Events(ctx, func(api.Change) bool { return !ready() }); err != nil {
		c.t.Fatalf("%s does not see %s: %v", c.id, what, err)
	}
}

func (c *capital) channel(name string) (api.Channel, bool) {
	ch, err := c.node.Channel(c.t.Context(), name, "en")
	return ch, err == nil
}

func TestTwoCapitalsTalkOverHTTPS(t *testing.T) {
	ctx := t.Context()
	north, south := found(t, "xn", "en"), found(t, "xs", "ru")
	north.meets(south)
	south.meets(north)

	if _, err := north.node.Propose(ctx, api.ProposeRequest{Name: "nrrc", Members: []traffic.Party{"xs"}, Posts: []traffic.Post{"nrrc"}}); err != nil {
		t.Fatal(err)
	}
	south.sees("the proposal", func() bool { _, ok := south.channel("nrrc"); return ok })
	if _, err := south.node.Accept(ctx, "nrrc", api.Decision{}); err != nil {
		t.Fatal(err)
	}
	north.sees("the channel in being", func() bool { c, _ := north.channel("nrrc"); return c.Established })

	sent, err := north.node.Send(ctx, api.SendRequest{Channel: "nrrc", Precedence: "FLASH", Words: api.Words{
		Form: "notice", Text: map[string]string{"subject": "accident", "text": "A test server answers calls that it should not."}, Releaser: "head-of-post",
		Attachments: []api.Attachment{{Name: "indicators.json", Type: "application/stix+json;version=2.1", Data: []byte(`{"type":"bundle"}`)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if sent.Number != "XN/NRRC-Z-0001" {
		t.Errorf("number %s", sent.Number)
	}
	receipts, err := north.node.Receipts(ctx, sent.ID, 20*time.Second, "")
	if err != nil || len(receipts) != 1 || receipts[0].Mirror != "xs" {
		t.Fatalf("receipts %v, %v", receipts, err)
	}
	if _, err := south.node.Reply(ctx, sent.Number, api.ReplyRequest{Words: api.Words{
		Form: "acknowledgement", Text: map[string]string{"understood": "true"},
	}}); err != nil {
		t.Fatal(err)
	}
	north.sees("the acknowledgement", func() bool {
		s, err := north.node.Statement(ctx, sent.ID, "en")
		return err == nil && s.Standing == "acknowledged" && s.Level == "E2"
	})
	south.sees("the attachment", func() bool {
		s, err := south.node.Statement(ctx, sent.ID, "ru")
		return err == nil && len(s.Attachments) == 1 && s.Attachments[0].Held
	})
	links, err := north.node.Links(ctx)
	if err != nil || len(links) != 1 || !links[0].Up {
		t.Fatalf("links %+v, %v", links, err)
	}
	for _, f := range links[0].Feeds {
		if f.Sent != f.Cosigned+f.Waiting {
			t.Errorf("%s: sent %d, receipted %d, waiting %d", f.Feed, f.Sent, f.Cosigned, f.Waiting)
		}
	}
	r, err := south.node.Audit(ctx, nil)
	if err != nil || len(r.Faults) > 0 || r.Entries == 0 {
		t.Errorf("audit %+v, %v", r, err)
	}
}

// serve is what a service manager starts: it says when it is ready, answers on its socket and its port, and ends in good order.
func TestServe(t *testing.T) {
	dir, err := os.MkdirTemp("", "detente-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("DETENTE_TEST_SCRYPT", "10")
	if err := os.WriteFile(filepath.Join(dir, "phrase"), []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	manager, err := net.ListenPacket("unixgram", filepath.Join(dir, "notify"))
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	hears := func(want string) {
		t.Helper()
		manager.SetReadDeadline(time.Now().Add(20 * time.Second))
		b := make([]byte, 64)
		n, _, err := manager.ReadFrom(b)
		if err != nil || string(b[:n]) != want {
			t.Fatalf("heard %q, %v; want %q", b[:n], err, want)
		}
	}
	run := func(ctx context.Context, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := cli.Main(ctx, append([]string{"--home", dir, "--passphrase-file", filepath.Join(dir, "phrase")}, args...), nil, &out, &errs)
		return code, out.String(), errs.String()
	}
	if code, _, errs := run(t.Context(), "init", "--party", "xn", "--name", "en=Northland"); code != 0 {
		t.Fatal(errs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { code, _, _ := run(ctx, "serve"); ended <- code }()
	hears("READY=1")

	info, err := os.Stat(filepath.Join(dir, "node.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v", info.Mode(), err)
	}
	// The running node answers: no passphrase is needed, and the database is not opened twice.
	var out, errs bytes.Buffer
	if code := cli.Main(t.Context(), []string{"--home", dir, "status"}, nil, &out, &errs); code != 0 || !strings.Contains(out.String(), "xn") {
		t.Errorf("status: code %d\n%s%s", code, out.String(), errs.String())
	}
	if code, _, errs := run(t.Context(), "serve"); code != 3 {
		t.Errorf("a second node: code %d, %s", code, errs)
	}
	cancel()
	hears("STOPPING=1")
	if code := <-ended; code != 0 {
		t.Errorf("serve ended with %d", code)
	}
	if _, err := os.Stat(filepath.Join(dir, "node.sock")); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
