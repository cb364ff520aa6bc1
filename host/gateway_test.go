package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"detente/api"
	"detente/gateway/taxii"
	"detente/host"
	"detente/traffic"
)

// asks has a tool ask the TAXII server of a node.
func (c *capital) asks(token, verb, path, body string) (*http.Response, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), verb, "http://"+c.tools+taxii.Root+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Accept", taxii.MediaType)
	r.Header.Set("Content-Type", taxii.MediaType)
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp, b
}

// collection finds one by its title.
func (c *capital) collection(title string) (api.Collection, bool) {
	st, err := c.node.Gateway(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, k := range st.Collections {
		if k.Title == title {
			return k, true
		}
	}
	return api.Collection{}, false
}

// polls asks until it is so, as a tool does: what the gateway does with what has come is no change of the node.
func (c *capital) polls(what string, ready func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for !ready() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			c.t.Fatalf("%s does not have %s", c.id, what)
		}
	}
}

// pairWithTools is two whole nodes with the channel cert, on which what is green goes without a person; the collections of what the north says, on both
// sides; and a token for a tool of each.
func pairWithTools(t testing.TB) (north, south *capital, from, to api.Collection, writer, reader string) {
	ctx := t.Context()
	with := func(s *host.Settings) { s.Gateway.Release = "GREEN" }
	north, south = foundWithTools(t, "xn", with), foundWithTools(t, "xs", with)
	north.meets(south)
	south.meets(north)
	if _, err := north.node.Propose(ctx, api.ProposeRequest{Name: "cert", Regime: "indicators/1", Members: []traffic.Party{"xs"}, Posts: []traffic.Post{"cert"}}); err != nil {
		t.Fatal(err)
	}
	south.sees("the proposal", func() bool { _, ok := south.channel("cert"); return ok })
	if _, err := south.node.Accept(ctx, "cert", api.Decision{}); err != nil {
		t.Fatal(err)
	}
	north.polls("its collection", func() (ok bool) { from, ok = north.collection("cert to members"); return ok })
	south.polls("its collection", func() (ok bool) { to, ok = south.collection("cert from xn"); return ok })
	give := func(c *capital) string {
		token, err := c.node.AddGatewayToken(ctx, api.GatewayTokenRequest{Name: "tool", Reads: []string{"*"}, Writes: []string{"*"}})
		if err != nil {
			t.Fatal(err)
		}
		return token.Secret
	}
	return north, south, from, to, give(north), give(south)
}

// Two whole nodes, HTTPS between them, HTTP to the tools of each: what a tool posts in one capital a tool in the other has, byte for byte.
func TestObjectsFromToolToToolOverTheNetwork(t *testing.T) {
	north, south, from, to, writer, reader := pairWithTools(t)

	var list []string
	for n := range 20 {
		list = append(list, shared(n))
	}
	resp, b := north.asks(writer, "POST", "collections/"+from.ID+"/objects/", `{"objects":[`+strings.Join(list, ",")+`]}`)
	var st taxii.Status
	if err := json.Unmarshal(b, &st); err != nil || resp.StatusCode != http.StatusAccepted || st.FailureCount != 0 {
		t.Fatalf("%s %s %v", resp.Status, b, err)
	}
	south.polls("the objects", func() bool { to, _ = south.collection("cert from xn"); return to.Objects == int64(len(list)) })
	resp, b = south.asks(reader, "GET", "collections/"+to.ID+"/objects/", "")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != taxii.MediaType {
		t.Fatalf("%s %v", resp.Status, resp.Header)
	}
	for _, raw := range list {
		if !bytes.Contains(b, []byte(raw)) {
			t.Errorf("not byte for byte: %.200s", raw)
		}
	}
	if resp, _ := south.asks(writer, "GET", "collections/"+to.ID+"/objects/", ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the other's token: %s", resp.Status)
	}
}

// foundWithTools is found with a TAXII server on this machine.
func foundWithTools(t testing.TB, id traffic.Party, change func(*host.Settings)) *capital {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := foundWith(t, id, "en", l, change)
	c.tools = l.Addr().String()
	return c
}

// shared is an indicator that is green.
func shared(n int) string {
	return fmt.Sprintf(`{ "type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-%012d","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z",`+
		`"name":"Ñ %d 名","pattern":"[domain-name:value = 'n%d.example']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z","object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}`, n, n, n)
}

// BenchmarkTools is the tools of two whole nodes in one process: four connections post envelopes of 100, each object validated, held against its marking, reviewed
// by rule and synced before the answer, while the node states them and the other takes them in; then a tool of the other reads them by pages of 1,000.
// DETENTE_OBJECTS says how many, 20,000 by default.
func BenchmarkTools(b *testing.B) {
	total := 20_000
	if n, err := strconv.Atoi(os.Getenv("DETENTE_OBJECTS")); err == nil {
		total = n
	}
	for b.Loop() {
		north, south, from, to, writer, reader := pairWithTools(b)
		began := time.Now()
		var next atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					first := int(next.Add(100)) - 100
					if first >= total {
						return
					}
					var list []string
					for n := range 100 {
						list = append(list, shared(first+n))
					}
					if resp, body := north.asks(writer, "POST", "collections/"+from.ID+"/objects/", `{"objects":[`+strings.Join(list, ",")+`]}`); resp.StatusCode != http.StatusAccepted {
						b.Errorf("%s %s", resp.Status, body)
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(total)/time.Since(began).Seconds(), "posted/s")
		south.polls("the objects", func() bool { to, _ = south.collection("cert from xn"); return to.Objects == int64(total) })
		b.ReportMetric(float64(total)/time.Since(began).Seconds(), "received/s")
		began = time.Now()
		read, query := 0, "?limit=1000"
		for more := true; more; {
			_, body := south.asks(reader, "GET", "collections/"+to.ID+"/objects/"+query, "")
			var page struct {
				Objects []json.RawMessage
				More    bool
				Next    string
			}
			if err := json.Unmarshal(body, &page); err != nil {
				b.Fatal(err)
			}
			read, more, query = read+len(page.Objects), page.More, "?limit=1000&next="+page.Next
		}
		if read != total {
			b.Errorf("%d read", read)
		}
		b.ReportMetric(time.Since(began).Seconds()*100_000/float64(total), "s/100000-read")
	}
}
