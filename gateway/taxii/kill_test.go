package taxii_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/stix"
	"detente/store"
	"detente/store/storetest"
)

// childEnv makes the test binary a server in a process of its own: the DSN of its database.
const childEnv = "DETENTE_TAXII_TEST_CHILD"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childEnv); dsn != "" {
		serveForEver(dsn)
	}
	os.Exit(m.Run())
}

// serveForEver serves one collection, and says where, which, and with what token.
func serveForEver(dsn string) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{DSN: dsn, Schemas: []store.Schema{objects.Schema(), taxii.Schema()}})
	if err != nil {
		log.Fatal(err)
	}
	shelf := objects.Open(db, nil)
	c, err := shelf.Create(ctx, objects.Collection{Title: "indicators", Flow: objects.Local})
	if err != nil {
		log.Fatal(err)
	}
	server := taxii.New(taxii.Config{
		Shelf: shelf, DB: db, Title: "child",
		Accept: func(ctx context.Context, _ taxii.Token, c objects.Collection, envelope []byte) ([]taxii.Result, error) {
			return accept(ctx, shelf, c, envelope)
		},
	})
	secret, err := server.Tokens().Add(ctx, taxii.Token{Name: fmt.Sprint("t", os.Getpid()), Reads: []string{taxii.Every}, Writes: []string{taxii.Every}})
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s%scollections/%s/ %s\n", l.Addr(), taxii.Root, c.ID, secret)
	log.Fatal(server.Serve(ctx, l))
}

// live is a server's process.
type live struct {
	cmd    *exec.Cmd
	url    string
	secret string
}

func startServer(t *testing.T, dsn string) *live {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dsn)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, secret, _ := strings.Cut(strings.TrimSpace(line), " ")
	return &live{cmd, url, secret}
}

func (s *live) ask(verb, path, body string) (*http.Response, error) {
	r, err := http.NewRequest(verb, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", taxii.MediaType)
	r.Header.Set("Content-Type", taxii.MediaType)
	r.Header.Set("Authorization", "Bearer "+s.secret)
	return http.DefaultClient.Do(r)
}

// poller reads page after page, and remembers what it has seen.
type poller struct {
	query func(last, next string) string
	last  string
	next  string
	seen  map[string]int
}

// read reads one page; more tells that the page said so, or held something.
func (p *poller) read(s *live) (more bool, err error) {
	resp, err := s.ask("GET", "objects/?match[version]=all&limit=7"+p.query(p.last, p.next), "")
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var page struct {
		Objects []struct{ ID string }
		More    bool
		Next    string
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		return false, err
	}
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%s", resp.Status)
	}
	for _, o := range page.Objects {
		p.seen[o.ID]++
	}
	if last := resp.Header.Get("X-TAXII-Date-Added-Last"); last != "" {
		p.last = last
	}
	p.next = page.Next
	return page.More || len(page.Objects) > 0, nil
}

// Eight tools post, one reads by added_after and one by next; in between the server is killed and begins anew, and the tools post again what they have no
// answer to. At the end both readers have had every object, and none twice.
func TestNothingIsMissedOrRepeatedThoughTheServerIsKilled(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			dsn := filepath.Join(t.TempDir(), "node.db")
			if engine == "postgres" {
				dsn = storetest.Postgres(t)
			}
			var server atomic.Pointer[live]
			server.Store(startServer(t, dsn))
			const writers, rounds, each = 8, 12, 5
			var posted atomic.Int64
			var wg sync.WaitGroup
			restarted := make(chan struct{})
			for w := range writers {
				wg.Go(func() {
					for round := range rounds {
						var list []string
						for i := range each {
							list = append(list, version(w*1000+round*each+i, 1))
						}
						for {
							resp, err := server.Load().ask("POST", "objects/", envelope(list...))
							if err == nil {
								resp.Body.Close()
								if resp.StatusCode == http.StatusAccepted {
									break
								}
							}
							<-restarted
						}
						posted.Add(each)
					}
				})
			}
			after := &poller{seen: map[string]int{}, query: func(last, _ string) string {
				if last == "" {
					return ""
				}
				return "&added_after=" + last
			}}
			// By next, a page that was the last one is asked for again from where it began: that is how a client goes on that keeps its next only.
			byNext := &poller{seen: map[string]int{}, query: func(last, next string) string {
				switch {
				case next != "":
					return "&next=" + next
				case last != "":
					return "&added_after=" + last
				}
				return ""
			}}
			finished := make(chan struct{})
			go func() { wg.Wait(); close(finished) }()
			killed, ended := false, false
			for {
				if !killed && posted.Load() > writers*rounds*each/3 {
					s := server.Load()
					if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
						t.Fatal(err)
					}
					s.cmd.Wait()
					server.Store(startServer(t, dsn))
					close(restarted)
					killed = true
				}
				select {
				case <-finished:
					ended = true
				default:
				}
				found := false
				for _, p := range []*poller{after, byNext} {
					more, err := p.read(server.Load())
					if err != nil {
						t.Fatal(err)
					}
					found = found || more
				}
				if ended && !found {
					break
				}
			}
			if !killed {
				t.Error("the server was never killed")
			}
			for name, p := range map[string]*poller{"added_after": after, "next": byNext} {
				for id, n := range p.seen {
					if n > 1 {
						t.Errorf("by %s: %s %d times", name, id, n)
					}
				}
				if len(p.seen) != writers*rounds*each {
					t.Errorf("by %s: %d of %d objects", name, len(p.seen), writers*rounds*each)
				}
			}
		})
	}
}

// A client pulls what is new, page by page, dies between two pages, and goes on; what it has it pushes to another server.
func TestAPullGoesOnWhereItWas(t *testing.T) {
	db := storetest.Open(t, objects.Schema(), taxii.Schema())
	d := openDesk(t, db, 0)
	const n = 2500
	for first := 0; first < n; first += 500 {
		var list []string
		for i := range 500 {
			list = append(list, version(first+i, 1))
		}
		d.ask("both", "POST", d.path("objects/"), envelope(list...))
	}
	from := taxii.Remote{URL: d.http.URL + d.path(""), Secret: d.tokens["reader"]}
	seen := map[string]bool{}
	pages := 0
	take := func(most int) func([]stix.Item) error {
		return func(items []stix.Item) error {
			if pages++; pages > most {
				return context.Canceled
			}
			for _, it := range items {
				if seen[it.Object.ID] {
					t.Errorf("%s came twice", it.Object.ID)
				}
				seen[it.Object.ID] = true
			}
			return nil
		}
	}
	if _, err := taxii.Pull(t.Context(), db, "here", from, take(1)); err != context.Canceled {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing new
		if _, err := taxii.Pull(t.Context(), db, "here", from, take(100)); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d", len(seen), n)
	}
	d.ask("both", "POST", d.path("objects/"), envelope(version(1, 9), version(9999, 1)))
	p, err := taxii.Pull(t.Context(), db, "here", from, func(items []stix.Item) error {
		if len(items) != 2 {
			t.Errorf("%d are new", len(items))
		}
		return nil
	})
	if err != nil || p.Objects != n+2 {
		t.Errorf("%+v, %v", p, err)
	}
	for name, wrong := range map[string]taxii.Remote{
		"in the clear": {URL: "http://taxii.example/api/collections/x/"}, "no collection": {URL: "https://taxii.example/api/"}, "with a password": {URL: "https://a:b@taxii.example/api/collections/x/"},
	} {
		if _, err := taxii.Pull(t.Context(), db, name, wrong, take(100)); err != taxii.ErrAddress {
			t.Errorf("%s: %v", name, err)
		}
	}
}
