package evidence_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/evidence"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/regimes"
	"detente/statement"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"
)

// noon is when the stories begin; nothing in them asks a clock.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// capital is a party with its keys.
type capital struct {
	t     testing.TB
	id    traffic.Party
	chain *party.Chain
	ring  *party.Keyring
	roots []*party.RootKey
	clock int64
}

func found(t testing.TB, id traffic.Party) *capital {
	t.Helper()
	charter, ring, roots, err := party.Found(party.Plan{
		Party: id, Name: map[string]string{"en": strings.ToUpper(string(id))}, Languages: []string{"en"}, Roots: 1, Need: 1,
		Posts: []party.PostPlan{{Name: "nrrc", May: []string{party.Receive, party.Answer}}, {Name: "mfa", May: []string{party.Commit}, Lattice: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	chain, err := party.NewChain(charter)
	if err != nil {
		t.Fatal(err)
	}
	return &capital{t: t, id: id, chain: chain, ring: ring, roots: roots}
}

// rotate takes the next version of the charter into force, with new keys in the slots.
func (c *capital) rotate(w party.Withdrawal, slots ...party.Slot) {
	c.t.Helper()
	d, ring, _, err := party.Rotate(c.chain.Latest(), c.ring, w, slots...)
	if err != nil {
		c.t.Fatal(err)
	}
	next, err := party.SignCharter(d, c.roots...)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.chain, err = c.chain.Extend(next); err != nil {
		c.t.Fatal(err)
	}
	if c.ring, err = ring.Under(next); err != nil {
		c.t.Fatal(err)
	}
}

// charters is the party's chain as a proof file carries it.
func (c *capital) charters() [][]byte {
	var out [][]byte
	for _, v := range c.chain.All() {
		out = append(out, v.Bytes())
	}
	return out
}

// word is a statement in the making.
type word struct {
	statement.Header
	fields  string // JSON
	payload []byte // in the place of fields
	signers []key.Signer
}

// says makes a notice at PRIORITY of the nrrc to everyone, changed by change.
func (w *world) says(c *capital, change func(*word)) []byte {
	w.t.Helper()
	c.clock++
	d := word{Header: statement.Header{
		Issuer: traffic.Address{Party: c.id, Post: "nrrc"}, Audience: statement.Everyone, IssuedAt: noon, Channel: w.channel.ID(), Plane: traffic.Real,
		Precedence: traffic.Priority, Form: "notice", Version: 1, Clock: c.clock, Language: "en", Drafter: "duty-officer", Charter: c.chain.Latest().Version,
	}, fields: `{"subject": "information", "text": "A drill begins tomorrow."}`}
	if change != nil {
		change(&d)
	}
	if d.payload == nil {
		f, ok := w.regime.Latest(d.Form)
		if !ok {
			w.t.Fatalf("no form %s", d.Form)
		}
		v, err := f.FromJSON(json.RawMessage(d.fields))
		if err != nil {
			w.t.Fatal(err)
		}
		if d.payload, err = f.Encode(v); err != nil {
			w.t.Fatal(err)
		}
	}
	if d.signers == nil {
		var err error
		if d.signers, err = c.ring.Signers(d.Issuer.Post, d.Plane, judge.Demanded(w.channel, d.Form)...); err != nil {
			w.t.Fatal(err)
		}
	}
	s, err := statement.Sign(d.Header, d.payload, d.signers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Bytes()
}

// world is three capitals and a channel of theirs; the feed of xn at PRIORITY stands in a database.
type world struct {
	t          testing.TB
	xn, xs, xl *capital
	channel    *party.Channel
	regime     *form.Regime
	db         *store.DB
	feed       traffic.Feed
}

func newWorld(t *testing.T, members ...traffic.Party) *world {
	t.Helper()
	w := &world{t: t, xn: found(t, "xn"), xs: found(t, "xs"), xl: found(t, "xl"), db: storetest.Open(t, feed.Schema())}
	var err error
	if w.regime, err = form.Load(regimes.Communications()); err != nil {
		t.Fatal(err)
	}
	if members == nil {
		members = []traffic.Party{"xn", "xs"}
	}
	w.establish(party.Channel{Name: "nrrc"}, members...)
	return w
}

// establish makes the channel, under the regime of communications.
func (w *world) establish(c party.Channel, members ...traffic.Party) {
	w.t.Helper()
	c.Regime = party.RegimeRef{ID: w.regime.ID, Version: w.regime.Version, Hash: w.regime.Hash}
	var chains []*party.Chain
	for _, m := range members {
		chains = append(chains, w.capital(m).chain)
	}
	var err error
	if w.channel, err = party.NewChannel(c, chains...); err != nil {
		w.t.Fatal(err)
	}
	w.feed = traffic.Feed{Channel: w.channel.ID(), Party: "xn", Plane: traffic.Real, Precedence: traffic.Priority}
}

func (w *world) capital(p traffic.Party) *capital {
	return map[traffic.Party]*capital{"xn": w.xn, "xs": w.xs, "xl": w.xl}[p]
}

// logs appends to the feed, whatever it is.
func (w *world) logs(bodies ...[]byte) {
	w.t.Helper()
	ctx := context.Background()
	var entries []feed.Entry
	for _, b := range bodies {
		entries = append(entries, feed.Entry{ID: statement.Hash(b), Bytes: b})
	}
	err := w.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		h, err := feed.Open(ctx, tx, w.feed)
		if err != nil {
			return err
		}
		return h.Extend(ctx, tx, entries)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(fn func(ctx context.Context, tx *store.Tx, h *feed.Head) error) {
	w.t.Helper()
	ctx := context.Background()
	err := w.db.View(ctx, func(tx *store.Tx) error {
		h, err := feed.Find(ctx, tx, w.feed)
		if err != nil {
			return err
		}
		return fn(ctx, tx, h)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// checkpoint is the head of the feed.
func (w *world) checkpoint() (c feed.Checkpoint) {
	w.t.Helper()
	w.view(func(_ context.Context, _ *store.Tx, h *feed.Head) error { c = h.Checkpoint(); return nil })
	return c
}

// signed is the checkpoint with both signatures of its party.
func (w *world) signed(c feed.Checkpoint) string {
	w.t.Helper()
	return c.Note(w.line(c.Sign(w.xn.ring.Checkpoint, noon)) + w.line(c.Sign(w.xn.ring.CheckpointPQ, noon.Add(time.Second))))
}

// receipt is the cosignatures of a member.
func (w *world) receipt(c feed.Checkpoint, by *capital, at time.Time) string {
	w.t.Helper()
	return w.line(c.Cosign(by.id, by.ring.Mirror, at)) + w.line(c.Cosign(by.id, by.ring.MirrorPQ, at.Add(time.Second)))
}

func (w *world) line(line string, err error) string {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return line
}

// proves makes the proof of an entry under the head, with the author's signatures and the receipts of the other members.
func (w *world) proves(index int64) *feed.Proof {
	w.t.Helper()
	c := w.checkpoint()
	note := w.signed(c)
	charters := w.xn.charters()
	for i, m := range w.channel.Others("xn") {
		note += w.receipt(c, w.capital(m), noon.Add(time.Duration(i+1)*time.Minute))
		charters = append(charters, w.capital(m).charters()...)
	}
	p := &feed.Proof{Channel: w.channel.Bytes(), Feed: w.feed, Index: index, Checkpoint: note, Charters: charters}
	p.Statement, p.Path = w.entry(index, c.Size)
	return p
}

func (w *world) entry(index, size int64) (body []byte, path [][32]byte) {
	w.t.Helper()
	w.view(func(ctx context.Context, tx *store.Tx, h *feed.Head) error {
		e, err := h.Entry(ctx, tx, index)
		if err != nil {
			return err
		}
		hashes, err := h.Inclusion(ctx, tx, index, size)
		body, path = e.Bytes, feed.Path[[32]byte](hashes)
		return err
	})
	return body, path
}

// adopts adds an entry to a proof as the adoption.
func (w *world) adopts(p *feed.Proof, index int64) {
	w.t.Helper()
	a := feed.Adoption{Index: index}
	a.Statement, a.Path = w.entry(index, w.checkpoint().Size)
	p.Adoptions = []feed.Adoption{a}
}

// reader trusts the first charters of the parties.
func (w *world) reader(trusts ...traffic.Party) *evidence.Reader {
	w.t.Helper()
	r := &evidence.Reader{Registry: key.Standard(), Trusted: map[traffic.Party]*party.Chain{}, Regimes: []*form.Regime{w.regime}}
	for _, p := range trusts {
		first, _ := w.capital(p).chain.At(1)
		chain, err := party.NewChain(first)
		if err != nil {
			w.t.Fatal(err)
		}
		r.Trusted[p] = chain
	}
	return r
}

func encoded(t testing.TB, p interface{ Encode() ([]byte, error) }) []byte {
	t.Helper()
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flip changes one bit in the middle of a signature line's base64, so that it is still base64.
func flip(line string) string {
	b := []byte(line)
	i := len(b) - 20
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

func algorithms(v *evidence.Verdict, signed string) (out []string) {
	for _, k := range v.Keys {
		if k.Signed == signed {
			out = append(out, k.Algorithm)
		}
	}
	return out
}

func hasNote(notes []string, part string) bool {
	return slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, part) })
}

// stranger is a key that no charter holds.
func stranger(t testing.TB, a key.Algorithm) *key.Private {
	t.Helper()
	seed := sha256.Sum256([]byte("stranger"))
	k, err := key.FromSeed(a, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}
