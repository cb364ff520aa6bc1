package seals_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"detente/api"
	"detente/api/seals"
	"detente/api/server"
	"detente/floor"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/regimes"
	"detente/route"
	"detente/sealer"
	"detente/sealing"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// capital is a party with its local API.
type capital struct {
	node   *node.Node
	client *api.Client
}

// wires carry bundles from one node to another.
type wires map[traffic.Party]*capital

func (w wires) Name() string { return "https" }
func (w wires) Limit() int   { return route.MaxBundle }
func (w wires) Carry(ctx context.Context, p route.Peer, sealed []byte) ([]byte, error) {
	if w[p.Party] == nil {
		return nil, route.ErrCut
	}
	return w[p.Party].node.Answer(ctx, sealed)
}

// Two parties seal over their local APIs: xn proposes, its own post cert is the depositary, both deposit, and the verdict is in a file.
func TestTwoPartiesSealOverTheirAPIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, err := form.LoadAll(regimes.All()...)
		must(t, err)
		w := wires{}
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		var closers []func() error
		for _, id := range []traffic.Party{"xn", "xs"} {
			charter, keys, _, err := party.Found(party.Plan{
				Party: id, Name: map[string]string{"en": string(id)}, Languages: []string{"en"}, Routes: []party.Route{{Name: "https", Address: string(id)}}, Roots: 1, Need: 1,
			})
			must(t, err)
			dir := filepath.Join(t.TempDir(), string(id))
			pins, err := party.OpenPins(filepath.Join(dir, "keys"), key.Standard())
			must(t, err)
			chain, err := party.NewChain(charter)
			must(t, err)
			must(t, pins.SetOwn(chain))
			n, err := node.Open(t.Context(), node.Config{
				DSN: filepath.Join(dir, "detente.db"), Keys: keys, Pins: pins, Schemas: []store.Schema{sealer.Schema()}, MarksDir: filepath.Join(dir, "marks"), Regimes: all,
				Routes: map[string]route.Route{"https": w}, Callable: true, Heartbeat: 10 * time.Minute, Silence: 9 * time.Hour,
			})
			must(t, err)
			f, err := floor.New(n, floor.Config{})
			must(t, err)
			desk, err := sealer.New(f, sealer.Config{MarksDir: filepath.Join(dir, "seals")})
			must(t, err)
			face, err := server.New(server.Config{Node: n, Floor: f, Version: "test"}, seals.Extend(desk))
			must(t, err)
			w[id] = &capital{n, api.InProcess(face.Handler())}
			wg.Go(func() { n.Run(ctx) })
			wg.Go(func() { f.Run(ctx) })
			closers = append(closers, f.Close, n.Close)
		}
		defer func() {
			cancel()
			wg.Wait()
			for _, c := range closers {
				c()
			}
		}()
		xn, xs := w["xn"], w["xs"]
		m, dossier, channel := meet(t, xn, xs)
		b, err := m.Encode()
		must(t, err)
		name := sealer.Name(sealing.HashOf(b))

		if _, err := xn.client.ProposeSeal(t.Context(), api.SealProposal{Manifest: name}); code(err) != "no-round" {
			t.Error(err)
		}
		_, err = xn.node.Send(t.Context(), node.Draft{
			Channel: channel, Plane: traffic.Real, Precedence: traffic.Routine, Post: "mfa", Audience: statement.Everyone, Form: sealer.FormManifest, Language: "en", Drafter: "head",
			Values: form.Values{"manifest": b}, Dossier: dossier, Refs: []statement.ID{dossier},
		})
		must(t, err)
		_, err = xn.client.ProposeSeal(t.Context(), api.SealProposal{Manifest: name[:10]})
		must(t, err)
		pass(time.Minute)
		if _, err := xs.client.CertifySeal(t.Context(), name); code(err) != "round-pending" {
			t.Error(err)
		}
		for _, c := range []*capital{xn, xs} {
			done, err := c.client.DepositSeal(t.Context(), name, api.SealDeposit{})
			if err != nil || done.Sent != 1 {
				t.Errorf("%+v, %v", done, err)
			}
		}
		pass(time.Hour)
		if _, err := xs.client.DepositSeal(t.Context(), name, api.SealDeposit{}); code(err) != "late" {
			t.Error(err)
		}
		for _, c := range []*capital{xn, xs} {
			list, err := c.client.Seals(t.Context())
			must(t, err)
			if len(list) != 1 || list[0].State != "in-force" || list[0].Certified != "in-force" || len(list[0].Sealers[0].Says) != 1 || len(list[0].Deposits) != 1 {
				t.Errorf("%+v", list)
			}
			if list[0].Sealers[0].Own != (c == xn) {
				t.Error("whose sealer is it?")
			}
		}
		file, err := xs.client.SealFile(t.Context(), name)
		must(t, err)
		manifest, e, err := sealing.DecodeFile(file)
		must(t, err)
		if o, err := sealing.Verdict(manifest, key.Standard(), e); err != nil || o.State != sealing.StateInForce {
			t.Error(o, err)
		}
	})
}

// code is what a program is told of a refusal.
func code(err error) string {
	if p, ok := errors.AsType[*api.Problem](err); ok {
		return p.Code
	}
	return ""
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// meet pairs the two, brings their channel into being and opens a negotiation; the manifest has xn/cert as its one sealer.
func meet(t *testing.T, xn, xs *capital) (*sealing.Manifest, statement.ID, [32]byte) {
	t.Helper()
	for _, x := range [][2]*capital{{xn, xs}, {xs, xn}} {
		file, err := x[1].node.Charters(x[1].node.Self())
		must(t, err)
		chain, _, err := x[0].node.Import(t.Context(), file)
		must(t, err)
		words, err := chain.Latest().Fingerprint().Words("en")
		must(t, err)
		_, err = x[0].node.Confirm(t.Context(), x[1].node.Self(), strings.Join(words, " "))
		must(t, err)
	}
	ch, err := xn.node.Propose(t.Context(), party.Channel{Name: "talks", Regime: party.RegimeRef{ID: "instruments", Version: 1}}, []traffic.Party{"xs"}, "council", "head")
	must(t, err)
	for {
		changed := xs.node.Changed()
		if xs.node.Accept(t.Context(), ch.ID(), "council", "head") == nil {
			break
		}
		<-changed
	}
	must(t, xn.node.WaitChannel(t.Context(), ch.ID(), time.Hour))
	sent, err := xn.node.Send(t.Context(), node.Draft{
		Channel: ch.ID(), Plane: traffic.Real, Precedence: traffic.Routine, Post: "mfa", Audience: statement.Everyone, Form: "negotiation", Language: "en", Drafter: "head",
		Values: form.Values{"title": map[string]any{"en": "Agreement"}, "kind": "treaty", "nature": "legal", "languages": "en", "parties": []any{"xn", "xs"}},
	})
	must(t, err)
	m := &sealing.Manifest{
		Kind: "treaty", Plane: traffic.Real, Instrument: sent.ID, Deadline: time.Now().Add(30 * time.Minute).UTC().Truncate(time.Second), Delta: time.Minute,
		Effect: sealing.Effect{Kind: sealing.OnSealing},
	}
	member := func(c *capital, post traffic.Post) sealing.Member {
		one := sealing.Member{Party: c.node.Self(), Post: post}
		entry, _ := c.node.Chain(one.Party).Latest().Post(post)
		for _, k := range entry.Keys {
			if k.Plane == traffic.Real {
				one.Keys = append(one.Keys, k.Key)
			}
		}
		return one
	}
	for _, c := range []*capital{xn, xs} {
		m.Parties = append(m.Parties, member(c, "mfa"))
		m.Texts = append(m.Texts, sealing.TextHash{Party: c.node.Self(), Lang: "en"})
	}
	m.Sealers = []sealing.Member{member(xn, "cert")}
	return m, sent.ID, ch.ID()
}
