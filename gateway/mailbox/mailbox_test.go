package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"detente/casework"
	"detente/floor"
	"detente/form"
	"detente/gateway/mailbox"
	"detente/gateway/report"
	"detente/key"
	"detente/label"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/store"
	"detente/traffic"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// world is two parties and the line between them, in one bubble.
type world struct {
	t        *testing.T
	capitals map[traffic.Party]*capital
	channel  [32]byte

	mu   sync.Mutex
	sent map[traffic.Party]int // bundles that left a node
}

type capital struct {
	world *world
	id    traffic.Party
	dir   string
	keys  *party.Keyring
	node  *node.Node
	floor *floor.Floor
	cases *casework.Casework
	*mailbox.Mailbox
	end     func()
	team    report.Known // with its public key
	desk    *report.Desk
	others  []report.Known
	outbox  []*report.Message
	refuses bool // its mail server
}

// wires carry bundles from one node to another, and count them.
type wires struct {
	*world
	from traffic.Party
}

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	w.mu.Lock()
	to := w.capitals[p.Party].node
	w.sent[w.from]++
	w.mu.Unlock()
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if to == nil {
		return nil, route.ErrCut
	}
	return to.Answer(ctx, sealed)
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, capitals: make(map[traffic.Party]*capital), sent: make(map[traffic.Party]int)}
		xn, xs := w.found("xn"), w.found("xs")
		xn.start()
		xs.start()
		defer func() {
			xn.stop()
			xs.stop()
		}()
		w.pair(xn, xs)
		story(t, w, xn, xs)
	})
}

func (w *world) found(id traffic.Party) *capital {
	charter, keys, _, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}, Routes: []party.Route{{Name: "https", Address: string(id)}},
	})
	must(w.t, err)
	c := &capital{world: w, id: id, dir: filepath.Join(w.t.TempDir(), string(id)), keys: keys}
	chain, err := party.NewChain(charter)
	must(w.t, err)
	must(w.t, c.pins().SetOwn(chain))
	c.openpgp()
	w.capitals[id] = c
	return c
}

func (c *capital) pins() *party.Pins {
	pins, err := party.OpenPins(filepath.Join(c.dir, "keys"), key.Standard())
	must(c.world.t, err)
	return pins
}

func (c *capital) start() {
	t := c.world.t
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	must(t, err)
	log := slog.New(slog.DiscardHandler)
	n, err := node.Open(t.Context(), node.Config{
		DSN: filepath.Join(c.dir, "detente.db"), Keys: c.keys, Pins: c.pins(), Schemas: []store.Schema{mailbox.Schema()}, MarksDir: filepath.Join(c.dir, "marks"),
		Regimes: all, Routes: map[string]route.Route{"https": wires{c.world, c.id}}, Callable: true, Heartbeat: 12 * time.Hour, Silence: 48 * time.Hour, Log: log,
	})
	must(t, err)
	f, err := floor.New(n, floor.Config{Log: log})
	must(t, err)
	work := casework.New(f, log)
	m := mailbox.New(mailbox.Config{
		Floor: f, Cases: work, Desk: c.desk, Queue: string(c.id) + "-cert", Team: report.Team{Name: "CERT of " + string(c.id), Mail: c.mail()}, Maildir: filepath.Join(c.dir, "mail"),
		Teams: func() ([]report.Known, error) { return c.others, nil },
		Send: func(_ context.Context, m *report.Message) error {
			if c.refuses {
				return report.ErrSend
			}
			c.outbox = append(c.outbox, m)
			return nil
		}, Log: log,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.Run(ctx) })
	wg.Go(func() { f.Run(ctx) })
	wg.Go(func() { m.Run(ctx) })
	c.world.mu.Lock()
	c.node, c.floor, c.cases, c.Mailbox = n, f, work, m
	c.world.mu.Unlock()
	c.end = func() {
		cancel()
		wg.Wait()
		f.Close()
		n.Close()
	}
}

func (c *capital) mail() string { return "cert@" + string(c.id) + ".example" }

func (c *capital) stop() {
	synctest.Wait()
	c.world.mu.Lock()
	running := c.node != nil
	c.node = nil
	c.world.mu.Unlock()
	if running {
		c.end()
	}
}

func (w *world) pair(xn, xs *capital) {
	for _, x := range [][2]*capital{{xn, xs}, {xs, xn}} {
		file, err := x[1].node.Charters(x[1].id)
		must(w.t, err)
		chain, _, err := x[0].node.Import(w.t.Context(), file)
		must(w.t, err)
		words, err := chain.Latest().Fingerprint().Words("en")
		must(w.t, err)
		_, err = x[0].node.Confirm(w.t.Context(), x[1].id, strings.Join(words, " "))
		must(w.t, err)
	}
	ch, err := xn.node.Propose(w.t.Context(), party.Channel{Name: "cert", Regime: party.RegimeRef{ID: "incidents", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
	must(w.t, err)
	for {
		changed := xs.node.Changed()
		if xs.node.Accept(w.t.Context(), ch.ID(), "council", "head") == nil {
			break
		}
		<-changed
	}
	must(w.t, xn.node.WaitChannel(w.t.Context(), ch.ID(), time.Hour))
	w.channel = ch.ID()
	pass(time.Minute)
}

// openpgp makes the key of the team, and its maildir.
func (c *capital) openpgp() {
	t := c.world.t
	e, err := openpgp.NewEntity("CERT of "+string(c.id), "", c.mail(), &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return time.Now().Add(-time.Hour) }})
	must(t, err)
	armoured := func(kind string, write func(io.Writer) error) *report.Key {
		var b bytes.Buffer
		w, err := armor.Encode(&b, kind, nil)
		must(t, err)
		must(t, errors.Join(write(w), w.Close()))
		k, err := report.ReadKey(b.Bytes(), nil)
		must(t, err)
		return k
	}
	own := armoured(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivate(w, nil) })
	c.team = report.Known{Name: string(c.id), Key: armoured(openpgp.PublicKeyType, e.Serialize)}
	c.desk, err = report.NewDesk(own, bytes.Repeat([]byte(c.id), 32))
	must(t, err)
	must(t, report.Maildir{Folder: filepath.Join(c.dir, "mail")}.Create())
}

// opens has a party open a case, and waits until the other has it.
func (c *capital) opens(number, marking string) {
	t := c.world.t
	t.Helper()
	_, regime, err := c.node.Channel(c.world.channel)
	must(t, err)
	f, ok := regime.Latest("clarification")
	if !ok {
		t.Fatal("no form")
	}
	v, err := f.FromText(map[string]string{
		"case": number, "observed": "2026-11-23T06:00:00Z/2026-11-23T07:00:00Z", "observation": "Attempts to sign in.", "asked": "check",
	})
	must(t, err)
	to := "xs"
	if c.id == "xs" {
		to = "xn"
	}
	_, err = c.node.Send(t.Context(), node.Draft{
		Channel: c.world.channel, Plane: traffic.Real, Precedence: traffic.Routine, Post: "mfa", Audience: to, Form: "clarification", Language: "en", Drafter: "duty-officer", Values: v,
		Marking: marking,
	})
	must(t, err)
	pass(time.Minute)
}

// ready is a report with all that is compulsory.
func ready() report.Report {
	at := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	class, _ := label.ParseClassification("intrusion-attempts.brute-force")
	return report.Report{
		Kind: report.Opening, Action: "Please look whose host it is.", Until: at.Add(24 * time.Hour), Label: label.Parcel{TLP: label.TLPAmber}, Identifier: "198.51.100.7", First: at,
		Clock: "1s", Evidence: report.Evidence{Source: "198.51.100.7", SourcePort: 50123}, Class: class, Confidence: "high", Text: "It began in the morning.",
	}
}

// board is what the watch says of mail.
func (c *capital) board() (out []string) {
	v, err := c.floor.Watch(c.world.t.Context(), "", "")
	must(c.world.t, err)
	for _, it := range v.Items {
		if it.Say == "case.mail" {
			out = append(out, fmt.Sprint(it.Args...))
		}
	}
	return out
}

// notes counts the notes on mail in the journal.
func (c *capital) notes() (n int) {
	lines, err := c.floor.Log(c.world.t.Context(), floor.LogFilter{Kind: "entry"})
	must(c.world.t, err)
	for _, l := range lines {
		if strings.Contains(l.Values.Text("text"), "xn/26-0001") {
			n++
		}
	}
	return n
}

func (c *capital) delivers(name string, raw []byte) {
	must(c.world.t, os.WriteFile(filepath.Join(c.dir, "mail", "new", name), raw, 0o600))
	pass(2 * time.Minute)
}

// One team reports a case by mail, the other acknowledges by mail: the answer comes back into the case.
func TestAReportByMailAndItsAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xn.others, xs.others = []report.Known{xs.team}, []report.Known{xn.team}
		xn.opens("xn/26-0001", "TLP:AMBER")
		ctx := t.Context()

		// All that is missing is listed, and nothing is sent.
		_, err := xn.Send(ctx, "xn/26-0001", "cert@xs.example", report.Report{Kind: report.Opening, Label: label.Parcel{TLP: label.TLPAmber}}, nil, "duty-officer")
		for _, missing := range []string{"what is asked for", "one network identifier", "first seen", "evidence", "RSIT", "confidence"} {
			if !errors.Is(err, report.ErrMissing) || !strings.Contains(err.Error(), missing) {
				t.Errorf("%v does not say %q", err, missing)
			}
		}
		// Without a key nothing goes that may not be read on the way, and unmarked nothing at all.
		if _, err = xn.Send(ctx, "xn/26-0001", "cert@elsewhere.example", ready(), nil, "duty-officer"); !errors.Is(err, report.ErrPlain) {
			t.Errorf("in the clear: %v", err)
		}
		bare := ready()
		bare.Label.TLP = label.Unmarked
		if _, err = xn.Send(ctx, "xn/26-0001", "cert@xs.example", bare, nil, "duty-officer"); !errors.Is(err, label.ErrRefused) {
			t.Errorf("unmarked: %v", err)
		}
		xn.refuses = true
		if m, err := xn.Send(ctx, "xn/26-0001", "cert@xs.example", ready(), nil, "duty-officer"); !errors.Is(err, report.ErrSend) || m.State != mailbox.Failed {
			t.Errorf("a server that refuses: %+v, %v", m, err)
		}
		xn.refuses = false
		sent, err := xn.Send(ctx, "xn/26-0001", "cert@xs.example", ready(), nil, "duty-officer")
		must(t, err)
		if len(xn.outbox) != 1 || !xn.outbox[0].Sealed || sent.State != mailbox.Sent || sent.Team != "xs" || bytes.Contains(xn.outbox[0].Raw, []byte("morning")) {
			t.Errorf("%+v", sent)
		}

		// What the other side reads names the ticket; it answers, and the answer comes by the maildir, twice.
		got, err := xs.desk.Receive(xn.outbox[0].Raw, "xs-cert", xs.others, time.Now())
		must(t, err)
		if !got.Signed || got.Team != "xn" || !strings.Contains(got.Subject, "[xn-cert #xn_26-0001]") || !strings.Contains(got.Text, "morning") {
			t.Fatalf("%+v", got)
		}
		answer, err := xs.desk.Write(&report.Report{
			Kind: report.Acknowledgement, Team: report.Team{Name: "CERT of xs", Mail: "cert@xs.example"}, Ticket: report.Ticket{Queue: "xs-cert", Number: "4711"},
			Theirs: report.Ticket{Queue: "xn-cert", Number: "xn_26-0001"}, Label: label.Parcel{TLP: label.TLPAmber, Plane: label.Real, Own: true}, Text: "We look into it.", At: time.Now(),
		}, report.Recipient{Name: "xn", Mail: "cert@xn.example", Key: xn.team.Key})
		must(t, err)
		before := xn.notes()
		xn.delivers("1.a", answer.Raw)
		xn.delivers("2.a", answer.Raw)
		if got := xn.board(); len(got) != 1 || got[0] != "xn/26-0001 cert@xs.example" && got[0] != "xn/26-0001cert@xs.example" {
			t.Errorf("on the watch: %q", got)
		}
		if n := xn.notes() - before; n != 1 {
			t.Errorf("%d notes on it in the journal", n)
		}
		list, err := xn.List(ctx, mailbox.Filter{Case: "xn/26-0001", Open: true})
		must(t, err)
		if len(list) != 1 || list[0].Proof != mailbox.Signed || list[0].Team != "xs" || list[0].Text == "" {
			t.Fatalf("%+v", list)
		}

		// After a restart it stands there once; seen, it goes. The next mail of the thread bears their number.
		xn.stop()
		xn.start()
		xn.delivers("3.a", answer.Raw)
		if got := xn.board(); len(got) != 1 || xn.notes()-before != 1 {
			t.Errorf("after a restart: %q", got)
		}
		must(t, xn.Seen(ctx, list[0].Number, "duty-officer"))
		if got := xn.board(); len(got) != 0 || !errors.Is(xn.Seen(ctx, list[0].Number, "duty-officer"), mailbox.ErrNoMail) {
			t.Errorf("seen, and there: %q", got)
		}
		_, err = xn.Send(ctx, "xn/26-0001", "cert@xs.example", ready(), nil, "duty-officer")
		must(t, err)
		got, err = xs.desk.Receive(xn.outbox[1].Raw, "xs-cert", xs.others, time.Now())
		must(t, err)
		if got.Ticket.Number != "4711" {
			t.Errorf("%q", got.Subject)
		}

		// Anybody can write a number into a subject: kept with its case, and said to prove nothing. What names no case is listed only.
		plain := func(subject, id string) []byte {
			return []byte("From: stranger@elsewhere.example\r\nTo: cert@xn.example\r\nSubject: " + subject + "\r\nMessage-ID: <" + id + ">\r\n\r\nHello.\r\n")
		}
		xn.delivers("4.a", plain("Re: [xn-cert #xn_26-0001]", "1@elsewhere.example"))
		xn.delivers("5.a", plain("Cheap watches [xn-cert #xn_26-9999]", "2@elsewhere.example"))
		xn.delivers("6.a", []byte("no mail"))
		if list, err = xn.List(ctx, mailbox.Filter{}); err != nil || len(list) != 6 || list[0].Case != "" || list[1].Case != "xn/26-0001" || list[1].Proof != "" {
			t.Errorf("%+v, %v", list, err)
		}
		if got := xn.board(); len(got) != 1 {
			t.Errorf("on the watch: %q", got)
		}
	})
}

// What the other side has stated in a case under a narrow label leaves by mail to nobody but whom its channel names, and never wider.
func TestMailNeverWidensWhatOthersHaveStated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		xn.others = []report.Known{xs.team, {Name: "elsewhere", Key: xn.team.Key}}
		xs.opens("xs/26-0001", "TLP:AMBER")
		refused := func(to string, tlp label.TLP, reason label.Reason) {
			t.Helper()
			r := ready()
			r.Label.TLP = tlp
			_, err := xn.Send(t.Context(), "xs/26-0001", to, r, nil, "duty-officer")
			if x, ok := errors.AsType[*label.Refusal](err); !ok || x.Reason != reason {
				t.Errorf("%s as %s: %v", to, tlp, err)
			}
		}
		refused("cert@xs.example", label.TLPGreen, label.ReasonWidened)
		refused("cert@xn.example", label.TLPAmber, label.ReasonRecipients)
		refused("cert@xn.example", label.TLPRed, label.ReasonRecipients)
		if _, err := xn.Send(t.Context(), "xs/26-0001", "cert@xs.example", ready(), nil, "duty-officer"); err != nil || len(xn.outbox) != 1 {
			t.Errorf("back to whom it is from: %v", err)
		}
	})
}
