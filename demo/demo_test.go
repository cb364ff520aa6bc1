//go:build !race

package demo_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"detente/demo"
)

// stage takes the story down, and tells when the nodes are up for others to play on.
type stage struct {
	strings.Builder
	up chan string // the whole text, once
}

func (s *stage) Write(b []byte) (int, error) {
	n, err := s.Builder.Write(b)
	if strings.Contains(string(b), "Ctrl-C ends it") {
		s.up <- s.String()
	}
	return n, err
}

// Under the race detector it takes minutes; nodes that serve are raced in cli and sim.
func TestTheStoryIsTold(t *testing.T) {
	out := &stage{up: make(chan string, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	verified := 0
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Config{Out: out, Stay: true, Verify: func(context.Context, []string) (string, error) {
			verified++
			return "proved", nil
		}})
	}()
	var story string
	select {
	case story = <-out.up:
	case err := <-ended:
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log(story)
	signIn(t, story)
	curl(t, story)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, seen := range []string{
		"ЗАПРОС", "НЕМЕДЛЕННО", "pouch", "no fault", "NUMBER", "Nobody takes it", "calls Иван Петров (duty officer)", "by a signed webhook: XN/NRRC-P-0001",
		"calls Ольга Иванова (deputy)", "OVERDUE on Southland's watch", "post-unmanned", "● Ольга Иванова takes it", "acknowledged, late", "needs a second person",
		"both have signed", "is the duty officer now", "in his own words", "watch log",
		"matches, of Northland", "nothing that was announced is like it", "REQUEST FOR CLARIFICATION. It needs a second person", "interim: checking", "reply: stopped",
		"closed by both, with 10 statements", "both have the digest", "answered in time", "byte for byte", "of the indicators XN/CERT-R-0001",
		"[XN: three] [XS: five]", "initialled by both", "both are bound at one instant", "nobody has done anything for it", "repeats Northland's to the letter", "Lakeland with a declaration of its own", "the open register, as files",
		"the two proposals crossed", "the two agendas are one", "signed by both. Carried over to round 2", "under that mandate", "The experts go on: their channel is protected", "a participant: ",
		"only what the session agreed on is stated and signed", "consultations and experts go on",
	} {
		if !strings.Contains(story, seen) {
			t.Errorf("the story does not show %q", seen)
		}
	}
	alive(t, story)
	if verified < 40 {
		t.Errorf("%d proofs verified", verified)
	}
}

// alive looks at the end of the story: the board, with the six measures in their order, each at work and with what it rests on.
func alive(t *testing.T, story string) {
	t.Helper()
	_, board, found := strings.Cut(story, "the programme of Northland and Southland")
	lines := regexp.MustCompile(`(?m)^  ([1-6])  .+: (.+)\n     .+  \[X[NS]/.+\]$`).FindAllStringSubmatch(board, -1)
	if !found || len(lines) != 6 || strings.Count(board, "no fault") > 0 {
		t.Fatalf("the story does not end on a board of six lines:\n%s", board)
	}
	for i, l := range lines {
		if l[1] != strconv.Itoa(i+1) || l[2] != "AT WORK" {
			t.Errorf("line %s stands %s", l[1], l[2])
		}
	}
}

// signIn follows every link that the demo prints, as browsers do: each signs one officer in, once, and his screen is in his language.
func signIn(t *testing.T, story string) {
	t.Helper()
	links := regexp.MustCompile(`(?m) (\w\w) +(http://localhost:\d+)(/\S+)$`).FindAllStringSubmatch(story, -1)
	if len(links) != 6 {
		t.Fatalf("%d links", len(links))
	}
	for _, l := range links {
		lang, origin, path := l[1], l[2], l[3]
		secret := path[strings.LastIndex(path, "/")+1:]
		for try := range 2 {
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, origin+"/sign-in/link", strings.NewReader(url.Values{"link": {secret}}.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", origin)
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if in := answer.StatusCode == http.StatusSeeOther && len(answer.Cookies()) > 0; in != (try == 0) {
				t.Errorf("%s, try %d: %s", origin+path, try+1, answer.Status)
			}
			if try == 0 {
				page(t, origin+answer.Header.Get("Location"), lang, answer.Cookies())
				page(t, origin+"/real/programme/xn..xs", lang, answer.Cookies())
			}
		}
	}
}

// curl does what the lines for TAXII clients say, and gets what was shared: the same at both ends.
func curl(t *testing.T, story string) {
	t.Helper()
	lines := regexp.MustCompile(`curl -H '(Accept): ([^']+)' -H '(Authorization): ([^']+)' (http://127\.0\.0\.1:\d+/taxii2/\S+)`).FindAllStringSubmatch(story, -1)
	if len(lines) != 2 {
		t.Fatalf("%d lines for TAXII clients", len(lines))
	}
	var got []string
	for _, l := range lines {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l[5], nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(l[1], l[2])
		r.Header.Set(l[3], l[4])
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || strings.Count(string(b), `"type":"indicator"`) != 7 {
			t.Errorf("%s: %s, %v: %.300s", l[5], answer.Status, err, b)
		}
		got = append(got, string(b))
	}
	if got[0] != got[1] {
		t.Error("the two ends of the line serve different bytes")
	}
}

func page(t *testing.T, address, lang string, cookies []*http.Cookie) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(b), `<html lang="`+lang+`"`) {
		t.Errorf("%s: %s, %v: not in %s", address, answer.Status, err, lang)
	}
}
