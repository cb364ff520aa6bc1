package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/api/acts"
	"detente/api/dialogue"
	"detente/api/drafts"
	"detente/api/mails"
	"detente/api/matches"
	"detente/api/reviews"
	"detente/api/seals"
	"detente/api/server"
	"detente/api/server/cases"
	"detente/api/server/guarantees"
	"detente/api/server/relations"
	"detente/api/tools"
	"detente/archive"
	"detente/casework"
	"detente/chancery"
	"detente/feed"
	"detente/floor"
	"detente/form"
	"detente/gateway"
	"detente/gateway/mailbox"
	"detente/gateway/matching"
	"detente/guarantee"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/programme"
	"detente/regimes"
	"detente/register/docket"
	"detente/sealer"
	"detente/secretariat"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite openapi.yaml")

// desk is a node with its API, as the tools of its party see it.
type desk struct {
	t      *testing.T
	node   *node.Node
	floor  *floor.Floor
	server *server.Server
	client *api.Client
}

func open(t *testing.T, id traffic.Party) *desk {
	t.Helper()
	dir := t.TempDir()
	charter, keys, _, err := party.Found(party.Plan{Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}})
	must(t, err)
	chain, err := party.NewChain(charter)
	must(t, err)
	pins, err := party.OpenPins(filepath.Join(dir, "keys"), key.Standard())
	must(t, err)
	must(t, pins.SetOwn(chain))
	link, err := form.Load(regimes.Link())
	must(t, err)
	open, err := form.Load(regimes.Public(), regimes.Link())
	must(t, err)
	communications, err := form.Load(regimes.Communications())
	must(t, err)
	internal, err := form.Load(regimes.Internal())
	must(t, err)
	n, err := node.Open(t.Context(), node.Config{
		DSN: filepath.Join(dir, "detente.db"), Keys: keys, Pins: pins, MarksDir: filepath.Join(dir, "marks"), Regimes: []*form.Regime{link, open, internal, communications},
	})
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	phrases, err := server.Phrases()
	must(t, err)
	watch, err := floor.New(n, floor.Config{Phrases: phrases})
	must(t, err)
	bridge, work := gateway.Open(gateway.Config{Node: n}), casework.New(watch, nil)
	pledges := guarantee.New(watch, nil, nil)
	rounds, err := sealer.New(watch, sealer.Config{})
	must(t, err)
	instruments, err := drafts.Extend(chancery.New(watch, nil), n)
	must(t, err)
	talks := secretariat.New(watch, nil)
	consultations, err := dialogue.Extend(talks, n, nil, nil)
	must(t, err)
	packs, err := reviews.Extend(talks, n)
	must(t, err)
	known := docket.New(n)
	boards, err := relations.Extend(programme.New(watch, programme.Config{Acts: known.Reading, Account: work.Account}))
	must(t, err)
	face, err := server.New(server.Config{Node: n, Floor: watch, Version: "test"}, tools.Extend(bridge), tools.Formats(bridge, work), cases.Register(work, n),
		matches.Extend(matching.New(matching.Config{Floor: watch, Shelf: bridge.Shelf()}), work), mails.Extend(mailbox.New(mailbox.Config{Floor: watch, Cases: work})), instruments, consultations, packs, guarantees.Extend(pledges, work), acts.Extend(known), boards, seals.Extend(rounds))
	must(t, err)
	return &desk{t, n, watch, face, api.InProcess(face.Handler())}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pair has two parties import each other's charters and compare words.
func (d *desk) pair(other *desk) {
	d.t.Helper()
	for _, x := range [][2]*desk{{d, other}, {other, d}} {
		st, err := x[1].client.Status(d.t.Context())
		must(d.t, err)
		file, err := x[1].client.CharterFile(d.t.Context(), st.Party)
		must(d.t, err)
		_, err = x[0].client.ImportCharter(d.t.Context(), file)
		must(d.t, err)
		spoken, err := x[1].client.Charter(d.t.Context(), st.Party, "en")
		must(d.t, err)
		_, err = x[0].client.Confirm(d.t.Context(), st.Party, strings.Join(spoken.Words["en"], " "))
		must(d.t, err)
	}
}

// pouch carries what one desk has for the other.
func (d *desk) pouch(to *desk) {
	d.t.Helper()
	st, err := to.client.Status(d.t.Context())
	must(d.t, err)
	p, err := d.client.ExportPouch(d.t.Context(), st.Party)
	must(d.t, err)
	r, err := to.client.ImportPouch(d.t.Context(), p.File)
	must(d.t, err)
	if r.Refused > 0 {
		d.t.Fatalf("pouch: %+v", r)
	}
}

// channel has two parties open the channel "nrrc".
func channel(t *testing.T, a, b *desk) {
	t.Helper()
	a.pair(b)
	_, err := a.client.Propose(t.Context(), api.ProposeRequest{Name: "nrrc", Members: []traffic.Party{"xs"}, Posts: []traffic.Post{"nrrc"}})
	must(t, err)
	a.pouch(b)
	_, err = b.client.Accept(t.Context(), "nrrc", api.Decision{})
	must(t, err)
	b.pouch(a)
}

// A reviewer sees every change of the API as a change of this file.
func TestOpenAPI(t *testing.T) {
	got, err := open(t, "xn").server.OpenAPI()
	must(t, err)
	if *update {
		must(t, os.WriteFile("openapi.yaml", got, 0o644))
	}
	want, err := os.ReadFile("openapi.yaml")
	must(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("openapi.yaml (rewrite it with -update):\n%s", diff)
	}
}

// Whatever a caller does wrong, he is told so as a problem, with a stable code, and never with what is inside.
func TestProblems(t *testing.T) {
	a, b, c := open(t, "xn"), open(t, "xs"), open(t, "xl")
	channel(t, a, b)
	file, err := c.client.CharterFile(t.Context(), "xl")
	must(t, err)
	_, err = a.client.ImportCharter(t.Context(), file)
	must(t, err)
	sent, err := a.client.Send(t.Context(), api.SendRequest{Channel: "nrrc", Words: api.Words{Form: "check", Text: map[string]string{"level": "1"}}})
	must(t, err)
	words, err := a.client.Charter(t.Context(), "xn", "en")
	must(t, err)

	send := func(fields string) string { return `{"channel":"nrrc",` + fields + `}` }
	for _, x := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"no such request", "GET", "/v1/nothing", "", 404, "no-such-request"},
		{"wrong method", "DELETE", "/v1/status", "", 404, "no-such-request"},
		{"not JSON", "POST", "/v1/statements", "{", 400, "request"},
		{"unknown key", "POST", "/v1/statements", send(`"form":"check","colour":"blue"`), 422, "request"},
		{"unknown query", "GET", "/v1/statements?colour=blue", "", 422, "request"},
		{"unknown plane", "POST", "/v1/statements", send(`"form":"check","plane":"astral"`), 422, "request"},
		{"unknown channel", "POST", "/v1/statements", `{"channel":"cert","form":"check"}`, 404, "no-channel"},
		{"unknown form", "POST", "/v1/statements", send(`"form":"poem"`), 422, "no-form"},
		{"missing field", "POST", "/v1/statements", send(`"form":"check"`), 422, "missing-field"},
		{"unknown field", "POST", "/v1/statements", send(`"form":"check","text":{"level":"1","colour":"blue"}`), 422, "unknown-field"},
		{"wrong value", "POST", "/v1/statements", send(`"form":"check","text":{"level":"9"}`), 422, "field-value"},
		{"too long", "POST", "/v1/statements", send(`"form":"goodwill","text":{"text":"` + strings.Repeat("long ", 5000) + `"}`), 422, "too-long"},
		{"both kinds of fields", "POST", "/v1/statements", send(`"form":"check","text":{"level":"1"},"fields":{"level":1}`), 422, "request"},
		{"one person only", "POST", "/v1/statements", send(`"form":"notice","precedence":"O","text":{"subject":"planned","text":"x"}`), 403, "no-releaser"},
		{"above the ceiling", "POST", "/v1/statements", send(`"form":"goodwill","precedence":"Z","text":{"text":"x"}`), 422, "precedence"},
		{"no reference", "POST", "/v1/statements", send(`"form":"check-answer","text":{"answered_by":"terminal"}`), 422, "refs"},
		{"to a stranger", "POST", "/v1/statements", send(`"form":"check","to":"xz","text":{"level":"1"}`), 403, "not-member"},
		{"to nobody", "POST", "/v1/statements", send(`"form":"check","to":"X Z","text":{"level":"1"}`), 422, "name"},
		{"as another post", "POST", "/v1/statements", send(`"form":"check","post":"cert","text":{"level":"1"}`), 403, "no-authority"},
		{"file where none goes", "POST", "/v1/statements", send(`"form":"goodwill","text":{"text":"x"},"attachments":[{"name":"a","type":"text/plain","data":"eA=="}]`), 422, "request"},
		{"unknown id", "GET", "/v1/statements/12345678", "", 404, "not-held"},
		{"unknown number", "GET", "/v1/statements/XS%2FNRRC-O-0007", "", 404, "not-held"},
		{"no id at all", "GET", "/v1/statements/zz", "", 422, "id"},
		{"not receipted yet", "GET", "/v1/statements/" + sent.ID + "/receipts?wait=1", "", 504, "not-yet"},
		{"reply to nothing", "POST", "/v1/statements/12345678/replies", `{"form":"answer"}`, 404, "not-held"},
		{"attachment not held", "GET", "/v1/blobs/" + strings.Repeat("0", 64), "", 404, "attachment-not-held"},
		{"no hash", "GET", "/v1/blobs/" + strings.Repeat("z", 64), "", 422, "request"},
		{"unknown party", "GET", "/v1/charters/xz", "", 404, "no-peer"},
		{"not a charter", "POST", "/v1/charters", "junk", 422, "not-a-charter"},
		{"no words", "POST", "/v1/charters/xl/confirm", `{"words":"one two"}`, 422, "words"},
		{"other words", "POST", "/v1/charters/xl/confirm", `{"words":"` + strings.Join(words.Words["en"], " ") + `"}`, 403, "words-differ"},
		{"not pending", "POST", "/v1/charters/xs/confirm", `{"words":"` + strings.Join(words.Words["en"], " ") + `"}`, 404, "not-pending"},
		{"words not compared", "POST", "/v1/channels", `{"name":"cert","members":["xl"]}`, 409, "words-not-compared"},
		{"unknown regime", "POST", "/v1/channels", `{"name":"cert","members":["xs"],"regime":"poetry/1"}`, 422, "no-regime"},
		{"malformed regime", "POST", "/v1/channels", `{"name":"cert","members":["xs"],"regime":"poetry"}`, 422, "request"},
		{"post that may not commit", "POST", "/v1/channels", `{"name":"cert","members":["xs"],"post":"nrrc"}`, 403, "no-authority"},
		{"refused without a reason", "POST", "/v1/channels/nrrc/refuse", `{}`, 422, "request"},
		{"pouch for a stranger", "POST", "/v1/pouches/xz", "", 404, "no-peer"},
		{"not a pouch", "POST", "/v1/pouches", strings.Repeat("junk ", 100), 422, "not-a-pouch"},
		{"keys that cannot change", "POST", "/v1/charter", `{"charter":"eA==","post":"mfa","by":"head"}`, 409, "no-key-file"},
		{"feed of a closed channel", "POST", "/v1/feeds/export", `{"feed":"` + sent.Feed + `","directory":"/nowhere"}`, 403, "closed-channel"},
		{"directory somewhere", "POST", "/v1/feeds/export", `{"feed":"` + sent.Feed + `","directory":"here"}`, 422, "request"},
		{"no feed", "POST", "/v1/feeds/export", `{"feed":"x","directory":"/nowhere"}`, 422, "name"},
		{"epoch without a reason", "POST", "/v1/epochs", `{"feed":"x","post":"mfa","by":"head","reason":""}`, 422, "name"},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := ask(t, a.server.Handler(), x.method, x.path, x.body)
			if p.Status != x.status || p.Code != x.code {
				t.Errorf("%d %s, want %d %s; %s %q", p.Status, p.Code, x.status, x.code, p.Detail, p.Fields)
			}
			if p.Detail == "" || strings.Contains(p.Detail, "api: ") || strings.Contains(p.Detail, "node: ") || strings.Contains(p.Detail, "sql") {
				t.Errorf("detail %q", p.Detail)
			}
		})
	}
}

// ask sends a request as any tool would, and reads the problem.
func ask(t *testing.T, h http.Handler, method, path, body string) api.Problem {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	defer func() { server.Close(); <-done }()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String()+path, strings.NewReader(body))
	must(t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		if !strings.HasPrefix(body, "{") {
			r.Header.Set("Content-Type", "application/octet-stream")
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	must(t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	must(t, err)
	var p api.Problem
	if err := json.Unmarshal(raw, &p); err != nil || answer.Header.Get("Content-Type") != "application/problem+json" || p.Status != answer.StatusCode {
		t.Fatalf("%d %s %q: %v", answer.StatusCode, answer.Header.Get("Content-Type"), raw, err)
	}
	return p
}

func TestTokenIsAskedOfEveryRequest(t *testing.T) {
	d := open(t, "xn")
	path := filepath.Join(t.TempDir(), "api.token")
	token, err := server.Token(path)
	must(t, err)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("token file: %v, %v", info.Mode(), err)
	}
	if again, err := server.Token(path); err != nil || again != token {
		t.Errorf("read again: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.server.Serve(ctx, l, token) }()
	defer func() { cancel(); must(t, <-ended) }()

	for _, wrong := range []string{"", "x", token[:len(token)-1], token + "x", strings.ToLower(token)} {
		c, err := api.NewClient("http://"+l.Addr().String(), wrong)
		must(t, err)
		_, err = c.Status(t.Context())
		if p, ok := errors.AsType[*api.Problem](err); !ok || p.Status != http.StatusUnauthorized || p.Code != "token" {
			t.Errorf("token %q: %v", wrong, err)
		}
		c.Close()
	}
	c, err := api.NewClient("http://"+l.Addr().String(), token)
	must(t, err)
	defer c.Close()
	if st, err := c.Status(t.Context()); err != nil || st.Party != "xn" {
		t.Errorf("the right token: %+v, %v", st, err)
	}

	must(t, os.Chmod(path, 0o644))
	if _, err := server.Token(path); err == nil {
		t.Error("a token that others can read is used")
	}
}

func TestSocketIsItsOwnersAlone(t *testing.T) {
	d := open(t, "xn")
	dir, err := os.MkdirTemp("", "detente-") // a socket's path is short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "node.sock")
	dead, err := net.Listen("unix", path) // what a killed process leaves
	must(t, err)
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, dead.Close())

	l, err := server.ListenUnix(path)
	must(t, err)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.server.Serve(ctx, l, "") }()
	if _, err := server.ListenUnix(path); err == nil {
		t.Error("the socket of a living node is taken from it")
	}
	c, err := api.NewClient("unix:"+path, "")
	must(t, err)
	if st, err := c.Status(t.Context()); err != nil || st.Party != "xn" {
		t.Errorf("%+v, %v", st, err)
	}
	c.Close()
	cancel()
	must(t, <-ended)

	must(t, os.WriteFile(path, []byte("a file"), 0o600))
	if _, err := server.ListenUnix(path); err == nil {
		t.Error("a file that is no socket is removed")
	}
}

// What the client asks for comes back as the node has it, whichever way it asks.
func TestStoryOfAStatement(t *testing.T) {
	ctx := t.Context()
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	data := bytes.Repeat([]byte("indicator\n"), 20_000) // larger than a piece
	sent, err := a.client.Send(ctx, api.SendRequest{Channel: "nrrc", Plane: traffic.Exercise, Precedence: "priority", Words: api.Words{
		Form: "notice", Fields: json.RawMessage(`{"subject":"accident","text":"An exercise."}`),
		Attachments: []api.Attachment{{Name: "i.json", Type: "application/stix+json; version=2.1", Data: data}},
	}})
	must(t, err)
	if sent.Number != "XN/NRRC-P-0001-EXERCISE" {
		t.Errorf("number %s", sent.Number)
	}
	a.pouch(b)
	lines, err := b.client.List(ctx, api.Listing{})
	must(t, err)
	if len(lines) != 1 || lines[0].Number != sent.Number || lines[0].Standing != "open" || len(lines[0].Owed) != 1 || lines[0].Owed[0].What != "acknowledgement" {
		t.Fatalf("inbox %+v", lines)
	}
	for _, None := range []api.Listing{{Plane: traffic.Real}, {Form: "inquiry"}, {From: "xl"}, {Direction: "out"}, {Precedence: "Z"}} {
		if lines, err := b.client.List(ctx, None); err != nil || len(lines) != 0 {
			t.Errorf("%+v lists %+v, %v", None, lines, err)
		}
	}
	ack, err := b.client.Reply(ctx, sent.Number, api.ReplyRequest{Words: api.Words{Form: "acknowledgement", Text: map[string]string{"understood": "true"}}})
	must(t, err)
	b.pouch(a)
	got, err := a.client.Statement(ctx, sent.ID[:8], "ru")
	must(t, err)
	if got.Standing != "acknowledged" || got.Level != "E2" || len(got.Replies) != 1 || got.Replies[0].ID != ack.ID || got.Replies[0].Drafter != "duty-officer" {
		t.Errorf("statement %+v", got)
	}
	if !strings.Contains(got.Text, "УЧЕНИЕ") && !strings.Contains(got.Text, "УЧЕНИЯ") {
		t.Errorf("the plane is not told:\n%s", got.Text)
	}
	file, err := a.client.Attachment(ctx, got.Attachments[0].Hash)
	must(t, err)
	if !bytes.Equal(file, data) {
		t.Errorf("attachment has %d bytes, want %d", len(file), len(data))
	}
	receipts, err := a.client.Receipts(ctx, sent.ID, 0, "")
	if err != nil || len(receipts) == 0 || receipts[0].Mirror != "xs" {
		t.Errorf("receipts %+v, %v", receipts, err)
	}
	if proof, err := a.client.Prove(ctx, sent.ID); err != nil || len(proof) == 0 {
		t.Errorf("proof: %v", err)
	}
	var last int64
	r, err := b.client.Audit(ctx, func(done, of int64) { last = done })
	if err != nil || len(r.Faults) > 0 || last != r.Entries {
		t.Errorf("audit %+v at %d, %v", r, last, err)
	}
	if r, err := b.client.Rebuild(ctx, nil); err != nil || len(r.Differing) > 0 || r.Checked == 0 {
		t.Errorf("rebuild %+v, %v", r, err)
	}
	if r, err := b.client.Recover(ctx, nil); err != nil || len(r.Behind) > 0 {
		t.Errorf("recover %+v, %v", r, err)
	}
	st, err := b.client.Status(ctx)
	if err != nil || st.Channels != 1 || st.Statements != 4 || st.Open != 0 {
		t.Errorf("status %+v, %v", st, err)
	}
}

func TestEventsTellOfWhatWasStored(t *testing.T) {
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	before := int64(-1)
	err := a.client.Events(t.Context(), func(c api.Change) bool {
		if before < 0 {
			before = c.Statements
			if _, err := a.client.Send(t.Context(), api.SendRequest{Channel: "nrrc", Words: api.Words{Form: "check", Text: map[string]string{"level": "1"}}}); err != nil {
				t.Error(err)
				return false
			}
		}
		return c.Statements != before+1
	})
	must(t, err)
}

// A process that is told to stop does not wait for those who only listen.
func TestStreamsEndWhenTheNodeStops(t *testing.T) {
	d, stopping := open(t, "xn"), make(chan struct{})
	face, err := server.New(server.Config{Node: d.node, Stopping: stopping})
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- face.Serve(ctx, l, "") }()
	c, err := api.NewClient("http://"+l.Addr().String(), "")
	must(t, err)
	defer c.Close()
	must(t, c.Events(t.Context(), func(api.Change) bool {
		cancel()
		close(stopping)
		return true // until the stream ends
	}))
	must(t, <-ended)
}

// A statement that its party should not have logged is shown as what it is: it hides no other, and nobody is taken for its author but whoever
// logged it.
func TestInvalidStatementsAreShownAsWhatTheyAre(t *testing.T) {
	d, peer := open(t, "xn"), open(t, "xs")
	channel(t, d, peer)
	k, err := key.Generate(key.Ed25519)
	must(t, err)
	forged, err := statement.Sign(statement.Header{
		Issuer: traffic.Address{Party: "xl", Post: "nrrc"}, Audience: "xn", IssuedAt: time.Unix(1_700_000_000, 0).UTC(), Channel: [32]byte{1},
		Plane: traffic.Real, Precedence: traffic.Flash, Form: "poem", Version: 1, Clock: 1, Language: "en", Drafter: "duty-officer", Charter: 1,
		Refs: []statement.ID{{7}}, Dossier: statement.ID{7},
	}, []byte{0xa0}, k)
	must(t, err)
	var logged traffic.Feed
	feeds, err := d.client.Feeds(t.Context())
	must(t, err)
	for _, f := range feeds {
		if f.Party == "xs" {
			logged, err = traffic.ParseOrigin(f.Origin)
			must(t, err)
		}
	}
	for _, b := range [][]byte{forged.Bytes(), []byte("no statement at all")} {
		s, _ := statement.Decode(b)
		h := archive.Held{Placed: feed.Placed{Feed: logged, Entry: feed.Entry{ID: statement.Hash(b), Bytes: b, Reason: "wrong-feed"}}, Statement: s}
		if s != nil {
			h.Issuer, h.Form, h.Dossier = s.Issuer.String(), s.Form, s.Case()
		}
		must(t, func() error {
			v, err := d.server.View(t.Context(), h)
			if err == nil && (v.From != "xs" || v.Standing != "invalid" || v.Reason != "wrong-feed" || len(v.Status) == 0 || v.Text != "") {
				t.Errorf("shown as %+v", v)
			}
			return err
		}())
	}
}
