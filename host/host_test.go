package host_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"detente/api"
	"detente/host"
	"detente/node"
	"detente/party"
	"detente/traffic"
)

// capital is a party with its node, as it runs in one of several capitals.
type capital struct {
	t     testing.TB
	id    traffic.Party
	node  *api.Client
	file  []byte
	host  *host.Host
	tools string // where its TAXII server listens; empty for none
}

// found founds a party and runs its node until the test ends.
func found(t testing.TB, id traffic.Party, language string, change ...func(*host.Settings)) *capital {
	t.Helper()
	return foundWith(t, id, language, nil, change...)
}

// foundWith is found with a listener for the tools of the response team; nil for none.
func foundWith(t testing.TB, id traffic.Party, language string, tools net.Listener, change ...func(*host.Settings)) *capital {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	settings := host.DefaultSettings(id)
	settings.API.Socket = ""
	for _, c := range change {
		c(&settings)
	}
	lock := party.Lock{Passphrase: "correct horse battery staple", WorkFactor: 10}
	if _, err := host.Found(home, host.Founding{
		Plan: party.Plan{
			Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{language},
			Routes: []party.Route{{Name: "https", Address: l.Addr().String()}},
		},
		Settings: settings, Lock: lock,
	}); err != nil {
		t.Fatal(err)
	}
	h, err := host.New(t.Context(), host.Config{Home: home, Settings: settings, Lock: lock, Listener: l, TAXIIListener: tools})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	})
	c := &capital{t: t, id: id, node: h.Client(), host: h}
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
	measured(t, north.host, `detente_link_up{peer="xs"} 1`, `detente_statements{by="own",plane="real",precedence="FLASH"} 1`,
		`detente_waiting_statements{peer="xs",precedence="FLASH"} 0`, `detente_receipted_total{peer="xs",precedence="FLASH"} 1`, `detente_alarms{kind="fork"} 0`,
		`detente_feeds_behind 0`, `detente_source_readable{source="database"} 1`, `detente_source_readable{source="feeds"} 1`)
	next, err := north.node.Send(ctx, api.SendRequest{Channel: "nrrc", Precedence: "R", Words: api.Words{Form: "goodwill", Text: map[string]string{"text": "Good morning."}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := north.node.Receipts(ctx, next.ID, 20*time.Second, ""); err != nil {
		t.Fatal(err)
	}
	measured(t, north.host, `detente_receipt_seconds_count{peer="xs",precedence="ROUTINE"} 1`)
	if ready := north.host.Meter().Ready(ctx); !ready.Ready {
		t.Errorf("not ready: %+v", ready)
	}
	r, err := south.node.Audit(ctx, nil)
	if err != nil || len(r.Faults) > 0 || r.Entries == 0 {
		t.Errorf("audit %+v, %v", r, err)
	}
}

// measured looks for lines among the metrics of a node.
func measured(t *testing.T, h *host.Host, lines ...string) {
	t.Helper()
	answer := httptest.NewRecorder()
	h.Meter().Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, line := range lines {
		if !strings.Contains(answer.Body.String(), "\n"+line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if t.Failed() {
		t.Log(answer.Body.String())
	}
}

// A node whose database takes nothing more says so, and why, to whoever decides where traffic goes.
func TestReadiness(t *testing.T) {
	home, settings := t.TempDir(), host.DefaultSettings("xn")
	settings.API.Socket = ""
	lock := party.Lock{Passphrase: "correct horse battery staple", WorkFactor: 10}
	_, err := host.Found(home, host.Founding{
		Plan: party.Plan{Party: "xn", Name: map[string]string{"en": "Northland"}, Languages: []string{"en"}}, Settings: settings, Lock: lock,
	})
	if err != nil {
		t.Fatal(err)
	}
	var broken, full atomic.Bool
	room := func() (int64, error) {
		if full.Load() {
			return 1 << 20, nil
		}
		return 1 << 40, nil
	}
	h, err := host.New(t.Context(), host.Config{Home: home, Settings: settings, Lock: lock, Free: room, Adjust: func(c *node.Config) {
		c.Fault = func(step string) error {
			if broken.Load() && step == "begin" {
				return errors.New("the disk is gone")
			}
			return nil
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	ask := func(path string) (int, string) {
		answer := httptest.NewRecorder()
		h.Meter().Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return answer.Code, answer.Body.String()
	}
	if code, text := ask("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "nobody is called") {
		t.Errorf("before it runs: %d %s", code, text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	deadline := time.After(20 * time.Second)
	for code, text := ask("/readyz"); code != http.StatusOK; code, text = ask("/readyz") {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%d %s", code, text)
		}
	}
	if _, text := ask("/readyz"); !strings.Contains(text, `{"ready":true,"checks":[{"name":"database","ok":true}`) {
		t.Error(text)
	}
	measured(t, h, `detente_watch_readable 1`, `detente_watch_items{precedence="FLASH",state="untaken"} 0`, `detente_sessions 0`)
	full.Store(true)
	if code, text := ask("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "1 MiB are free") {
		t.Errorf("a full disk: %d %s", code, text)
	}
	full.Store(false)
	broken.Store(true)
	if code, text := ask("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "the disk is gone") {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := ask("/livez"); code != http.StatusOK {
		t.Errorf("the process lives: %d", code)
	}
}
