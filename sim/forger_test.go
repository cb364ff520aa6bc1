package sim_test

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/archive"
	"detente/bundle"
	"detente/canonical"
	"detente/envelope"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/sim"
	"detente/statement"
	"detente/traffic"
)

// forger is a party with good keys and bad intentions: it has no node, and makes its bundles by hand.
type forger struct {
	sim.Founded
	t      *testing.T
	w      *sim.World
	chain  *party.Chain
	logs   map[traffic.Feed][][]byte
	clocks map[traffic.Feed]int64
}

// newForger founds the forger xf and pairs it with the parties of the world, who do not know whom they trust.
func newForger(t *testing.T, w *sim.World) *forger { return newForgerNamed(t, w, "xf") }

func newForgerNamed(t *testing.T, w *sim.World, id traffic.Party) *forger {
	t.Helper()
	f := &forger{
		Founded: sim.Found(t, id, "en", false), t: t, w: w, logs: make(map[traffic.Feed][][]byte), clocks: make(map[traffic.Feed]int64),
	}
	var err error
	if f.chain, err = party.NewChain(f.Charter); err != nil {
		t.Fatal(err)
	}
	file, err := party.EncodeChain(f.chain)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range w.Parties() {
		if _, _, err := c.Node().Import(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		words, err := f.Charter.Fingerprint().Words("en")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Node().Confirm(t.Context(), id, strings.Join(words, " ")); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// join has the first party propose a channel with the forger, which agrees, as the others do.
func (f *forger) join(c party.Channel, members ...traffic.Party) *party.Channel {
	f.t.Helper()
	c.Regime = party.RegimeRef{ID: "communications", Version: 1}
	made, err := f.node(members[0]).Propose(f.t.Context(), c, append(slices.Clone(members), "xf"), "council", "head")
	if err != nil {
		f.t.Fatal(err)
	}
	id := made.ID()
	time.Sleep(time.Minute)
	for _, m := range members[1:] {
		if err := f.node(m).Accept(f.t.Context(), id, "council", "head"); err != nil {
			f.t.Fatal(err)
		}
	}
	for _, m := range members {
		link := party.LinkChannel(f.chain, f.node(m).Chain(m))
		log := traffic.Feed{Channel: link.ID(), Party: "xf", Plane: traffic.Real, Precedence: traffic.Priority}
		f.log(log, f.sign(log, draft{Post: "council", Form: "channel-acceptance", Values: form.Values{"channel": id[:]}, Audience: string(m), regime: "link"}))
		f.deliver(m, f.bundle(f.section(log, 0)))
		if err := f.node(m).WaitChannel(f.t.Context(), id, time.Minute); err != nil {
			f.t.Fatal(err)
		}
	}
	return made
}

func (f *forger) node(p traffic.Party) *node.Node { return f.w.Capital(p).Node() }

// draft is a statement of the forger, with what is wrong about it.
type draft struct {
	Post     traffic.Post // empty for nrrc
	Form     string       // empty for goodwill
	Version  int
	Values   form.Values
	Payload  []byte // instead of Values
	Audience string // empty for everyone
	Issuer   traffic.Party
	Plane    traffic.Plane // what the header says; empty for the feed's
	Signer   traffic.Post  // whose key signs; empty for Post
	Clock    int64         // 0 for the next
	Charter  int           // 0 for 1
	Releaser string
	regime   string // where the form stands; empty for communications
}

// sign makes a statement for a feed.
func (f *forger) sign(log traffic.Feed, d draft) []byte {
	f.t.Helper()
	if d.Post == "" {
		d.Post = "nrrc"
	}
	if d.Form == "" {
		d.Form, d.Values = "goodwill", form.Values{"text": "All is well."}
	}
	if d.Version == 0 {
		d.Version = 1
	}
	if d.Audience == "" {
		d.Audience = statement.Everyone
	}
	if d.Issuer == "" {
		d.Issuer = f.Charter.Party
	}
	if d.Plane == "" {
		d.Plane = log.Plane
	}
	if d.Signer == "" {
		d.Signer = d.Post
	}
	if d.Charter == 0 {
		d.Charter = 1
	}
	if d.Clock == 0 {
		f.clocks[log]++
		d.Clock = f.clocks[log]
	}
	if d.Payload == nil {
		d.Payload = f.payload(d)
	}
	signers, err := f.Keys.Signers(d.Signer, d.Plane, key.Ed25519)
	if err != nil {
		f.t.Fatal(err)
	}
	s, err := statement.Sign(statement.Header{
		Issuer: traffic.Address{Party: d.Issuer, Post: d.Post}, Audience: d.Audience, IssuedAt: time.Now().UTC().Truncate(time.Second),
		Channel: log.Channel, Plane: d.Plane, Precedence: log.Precedence, Form: d.Form, Version: d.Version, Clock: d.Clock, Language: "en",
		Drafter: "duty-officer", Releaser: d.Releaser, Charter: d.Charter,
	}, d.Payload, signers...)
	if err != nil {
		f.t.Fatal(err)
	}
	return s.Bytes()
}

func (f *forger) payload(d draft) []byte {
	for _, r := range f.w.Regimes() {
		if fm, ok := r.Form(d.Form, d.Version); ok && (d.regime == "" || d.regime == r.ID) {
			b, err := fm.Encode(d.Values)
			if err != nil {
				f.t.Fatal(err)
			}
			return b
		}
	}
	b, err := canonical.Marshal(map[string]string{"text": "of no form"})
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

func (f *forger) log(log traffic.Feed, entries ...[]byte) {
	f.logs[log] = append(f.logs[log], entries...)
}

// note is a signed checkpoint over any entries.
func (f *forger) note(log traffic.Feed, entries ...[]byte) string {
	tree := feed.NewTree()
	for _, e := range entries {
		tree.Append(e)
	}
	c := feed.Checkpoint{Feed: log, Size: tree.Size(), Root: tree.Root()}
	line, err := c.Sign(f.Keys.Checkpoint, time.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return c.Note(line)
}

// section is the honest section of what the forger has logged, from a start on.
func (f *forger) section(log traffic.Feed, start int) bundle.FeedPart {
	return bundle.FeedPart{Feed: log, Start: int64(start), Entries: f.logs[log][start:], Checkpoint: f.note(log, f.logs[log]...)}
}

func (f *forger) bundle(parts ...bundle.FeedPart) *bundle.Bundle { return &bundle.Bundle{Feeds: parts} }

func (f *forger) recipient(to traffic.Party) bundle.Recipient {
	r, err := bundle.NewRecipient(to, f.node(to).Chain(to).Latest().Node.Sealing.Public)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func (f *forger) seal(to traffic.Party, b *bundle.Bundle) []byte {
	f.t.Helper()
	b.From, b.To, b.At = f.Charter.Party, to, time.Now().UTC().Truncate(time.Second)
	sealed, err := bundle.Seal(b, f.Keys.Bundle, f.recipient(to))
	if err != nil {
		f.t.Fatal(err)
	}
	return sealed
}

// deliver brings a bundle to a party, which must take it: whatever is wrong inside is dealt with there.
func (f *forger) deliver(to traffic.Party, b *bundle.Bundle) {
	f.t.Helper()
	if _, err := f.node(to).Answer(f.t.Context(), f.seal(to, b)); err != nil {
		f.t.Fatal(err)
	}
}

// sealRaw seals any content, also one that package bundle would not write.
func (f *forger) sealRaw(to traffic.Party, from traffic.Party, content []byte) []byte {
	f.t.Helper()
	must := func(b []byte, err error) []byte {
		if err != nil {
			f.t.Fatal(err)
		}
		return b
	}
	hash := sha256.Sum256(content)
	payload := must(canonical.Marshal(map[string]any{
		"from": string(from), "to": string(to), "at": time.Now().Unix(), "size": int64(len(content)), "content": hash[:],
	}))
	head := must(envelope.Sign(envelope.Contents{ContentType: "application/vnd.detente.bundle", Payload: payload}, f.Keys.Bundle))
	plain := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	plain = append(append(plain, head...), content...)
	plain = append(plain, make([]byte, padding(len(plain)))...)
	r := f.recipient(to)
	enc, sender, err := hpke.NewSender(r.Key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte("detente.v1 bundle\n"+string(to)))
	if err != nil {
		f.t.Fatal(err)
	}
	id := bundle.SealingID(r.Key)
	return must(canonical.Marshal([]any{"detente-bundle.v1", string(to), id[:], enc, must(sender.Seal(nil, plain))}))
}

// padding is what Padmé adds to n bytes.
func padding(n int) int {
	e := 0
	for x := n; x > 1; x >>= 1 {
		e++
	}
	s := 0
	for x := e; x > 0; x >>= 1 {
		s++
	}
	mask := 1<<max(e-s, 0) - 1
	return (n+mask)&^mask - n
}

// state is how a party holds a feed of the forger.
func (f *forger) state(at traffic.Party, log traffic.Feed) node.FeedState {
	f.t.Helper()
	states, err := f.node(at).Feeds(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, s := range states {
		if s.Feed == log {
			return s
		}
	}
	return node.FeedState{}
}

// reasons is the judgement of each entry of a feed of the forger.
func (f *forger) reasons(at traffic.Party, log traffic.Feed) []string {
	f.t.Helper()
	held, err := f.node(at).List(f.t.Context(), 1000, func(h archive.Held) bool { return h.Feed == log })
	if err != nil {
		f.t.Fatal(err)
	}
	out := make([]string, len(held))
	for _, h := range held {
		out[h.Index] = h.Reason
	}
	return out
}

// alarms are those of a kind that a party has raised about a subject that begins like that.
func (f *forger) alarms(at traffic.Party, kind, subject string) []exchange.Alarm {
	f.t.Helper()
	all, err := f.node(at).Alarms(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(a exchange.Alarm) bool { return a.Kind != kind || !strings.HasPrefix(a.Subject, subject) })
}

// alive shows that after all that the link and the feed go on: what the forger says rightly is held and cosigned as before.
func (f *forger) alive(at traffic.Party, log traffic.Feed) {
	f.t.Helper()
	f.log(log, f.sign(log, draft{}))
	f.deliver(at, f.bundle(f.section(log, 0)))
	size := int64(len(f.logs[log]))
	if s := f.state(at, log); s.Size != size || s.Cosigned[at] != size {
		f.t.Fatalf("the feed is dead: %d entries held, %d cosigned, of %d", s.Size, s.Cosigned[at], size)
	}
	if reasons := f.reasons(at, log); reasons[size-1] != "" {
		f.t.Fatalf("the feed is dead: a good statement is invalid: %s", reasons[size-1])
	}
	if err := f.w.Check(); err != nil {
		f.t.Fatal(err)
	}
}

// flip turns one bit near the end of a statement: in its last signature.
func flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-7] ^= 1
	return b
}

// steal takes a statement of another party.
func (f *forger) steal(log traffic.Feed) []byte {
	f.t.Helper()
	sent, err := f.w.Send(sim.Letter{From: "xs", To: "xf", Channel: log.Channel, Precedence: log.Precedence, Form: "goodwill", Text: "Good day to you."})
	if err != nil {
		f.t.Fatal(err)
	}
	held, err := f.node("xs").Statement(f.t.Context(), sent.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return held.Bytes
}

// signBoth makes a good statement with both signatures, by the council.
func (f *forger) signBoth(log traffic.Feed) []byte {
	f.t.Helper()
	signers, err := f.Keys.Signers("council", log.Plane, key.Ed25519, key.MLDSA65)
	if err != nil {
		f.t.Fatal(err)
	}
	f.clocks[log]++
	s, err := statement.Sign(statement.Header{
		Issuer: traffic.Address{Party: "xf", Post: "council"}, Audience: statement.Everyone, IssuedAt: time.Now().UTC().Truncate(time.Second),
		Channel: log.Channel, Plane: log.Plane, Precedence: log.Precedence, Form: "goodwill", Version: 1, Clock: f.clocks[log], Language: "en",
		Drafter: "duty-officer", Charter: 1,
	}, f.payload(draft{Form: "goodwill", Version: 1, Values: form.Values{"text": "All is well."}}), signers...)
	if err != nil {
		f.t.Fatal(err)
	}
	return s.Bytes()
}

// sealFor seals a bundle for a party, and says that it is for another.
func (f *forger) sealFor(to, said traffic.Party) []byte {
	f.t.Helper()
	r := f.recipient(to)
	r.Party = said
	b := &bundle.Bundle{From: "xf", To: said, At: time.Now().UTC().Truncate(time.Second)}
	sealed, err := bundle.Seal(b, f.Keys.Bundle, r)
	if err != nil {
		f.t.Fatal(err)
	}
	return sealed
}

// rotate makes the second version of the forger's charter, and the keys for it.
func (f *forger) rotate(slots ...party.Slot) (*party.Charter, *party.Keyring) {
	f.t.Helper()
	draft, keys, roots, err := party.Rotate(f.Charter, f.Keys, party.Withdrawal{}, slots...)
	if err != nil {
		f.t.Fatal(err)
	}
	second, err := party.SignCharter(draft, append(roots, f.Roots...)...)
	if err == nil {
		keys, err = keys.Under(second)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return second, keys
}
