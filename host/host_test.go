package host_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/host"
	"detente/party"
	"detente/traffic"
)

// capital is a party with its node, as it runs in one of several capitals.
type capital struct {
	t    *testing.T
	id   traffic.Party
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
	settings := host.DefaultSettings(id)
	settings.API.Socket = ""
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
	h, err := host.New(t.Context(), host.Config{Home: home, Settings: settings, Lock: lock, Listener: l})
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
	c := &capital{t: t, id: id, node: h.Client()}
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
