package host_test

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"detente/api"
	"detente/dossier"
	"detente/form"
	"detente/node"
	"detente/statement"
	"detente/traffic"
)

var (
	held   = flag.Int("held", 100_000, "statements that the node holds in BenchmarkPages")
	inWork = flag.Int("cases", 2_000, "open cases of five statements each that are among them")
)

// BenchmarkPages measures each page of the console on a node that holds many statements; none is to take more than 50 ms.
// go test ./host -run '^$' -bench Pages -benchtime 20x
func BenchmarkPages(b *testing.B) {
	north, south := found(b, "xn", "en"), found(b, "xs", "ru")
	north.meets(south)
	south.meets(north)
	fill(b, north, south, *held, *inWork)

	console, err := north.host.OpenConsole()
	if err != nil {
		b.Fatal(err)
	}
	pages := console.Handler()
	session := north.signedIn(pages, "head-of-post")
	lines, err := north.node.List(b.Context(), api.Listing{Direction: "all", Limit: 1})
	if err != nil || len(lines) == 0 {
		b.Fatal(lines, err)
	}
	for _, path := range []string{"watch", "traffic", "traffic?q=4242", "statement/" + lines[0].ID, "compose", "releases", "links", "directory", "checks", "roster", "log", "officers", "help",
		"cases", "case?n=" + url.QueryEscape("xn/26-0042"), "notices", "ledger", "collections", "talks", "talks/month"} {
		b.Run(path[:min(len(path), 20)], func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest("GET", "/real/"+path, nil)
				r.AddCookie(session)
				w := httptest.NewRecorder()
				pages.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(path, w.Code, w.Body)
				}
			}
		})
	}
}

// fill has one party say n things, five of them in each of some cases, and waits until all are indexed.
func fill(b *testing.B, north, south *capital, n, cases int) {
	b.Helper()
	ctx := b.Context()
	if _, err := north.node.Propose(ctx, api.ProposeRequest{Name: "nrrc", Members: []traffic.Party{"xs"}, Regime: "incidents/1"}); err != nil {
		b.Fatal(err)
	}
	south.sees("the proposal", func() bool { _, there := south.channel("nrrc"); return there })
	if _, err := south.node.Accept(ctx, "nrrc", api.Decision{}); err != nil {
		b.Fatal(err)
	}
	north.sees("the channel", func() bool { c, _ := north.channel("nrrc"); return c.Established })
	c, _ := north.channel("nrrc")
	id, err := hex.DecodeString(c.ID)
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	var said atomic.Int64
	var failed sync.Once
	var group sync.WaitGroup
	for range 256 {
		group.Go(func() {
			for i := said.Add(1); i <= int64(n); i = said.Add(1) {
				// Not by the API, whose journal would grow as fast as the traffic.
				draft := node.Draft{
					Channel: [32]byte(id), Plane: traffic.Real, Precedence: traffic.Routine, Post: "nrrc", Audience: "xs/nrrc", Form: "goodwill", Language: "en",
					Drafter: "duty-officer", Values: form.Values{"text": fmt.Sprintf("Good morning, for the time %d.", i)},
				}
				err := error(nil)
				if i <= int64(cases) {
					err = openCase(ctx, north.host.Node(), draft, i)
				} else if i <= int64(n-4*cases) {
					_, err = north.host.Node().Send(ctx, draft)
				}
				if err != nil {
					failed.Do(func() { b.Error(err) })
					return
				}
			}
		})
	}
	group.Wait()
	// Until the index of dossiers has followed, lists fold by themselves and are slow.
	filled := time.Now()
	if err := dossier.Settle(ctx, north.host.Node().DB, north.host.Node().RegimeOf); err != nil {
		b.Fatal(err)
	}
	fmt.Fprintf(b.Output(), "%d statements said in %.0f s, indexed in %.0f s more\n", n, filled.Sub(began).Seconds(), time.Since(filled).Seconds())
}

// openCase asks for clarification and says four things more about it.
func openCase(ctx context.Context, n *node.Node, d node.Draft, serial int64) error {
	number := fmt.Sprintf("xn/26-%04d", serial)
	now := time.Now().UTC().Truncate(time.Second)
	d.Form = "clarification"
	d.Values = form.Values{"case": number, "observed": []any{now.Add(-time.Hour).Unix(), now.Unix()}, "observation": "Scans of a power utility.", "sources": "198.51.100.7", "asked": []string{"check"}}
	first, err := n.Send(ctx, d)
	for range 4 {
		if err != nil {
			return err
		}
		d.Form, d.Values, d.Refs, d.Dossier = "particulars", form.Values{"case": number, "text": "More of it."}, []statement.ID{first.ID}, first.ID
		_, err = n.Send(ctx, d)
	}
	return err
}
