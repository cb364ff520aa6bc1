package taxii

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"detente/stix"
	"detente/store"
)

// Errors of a remote server.
var (
	ErrRemote  = errors.New("taxii: the other server")
	ErrAddress = errors.New("taxii: the address is that of a collection, https://HOST/ROOT/collections/ID/; http is for this machine alone")
)

const (
	maxPage      = 32 << 20 // bytes of a page that is read
	pullLimit    = 1000
	remoteWithin = 2 * time.Minute
)

// Remote is a collection on another server, one of this party's own tools.
type Remote struct {
	URL    string // of the collection
	User   string // of Basic; empty: Secret is shown as Bearer
	Secret string // empty: nothing is shown
	HTTP   *http.Client
}

// Check sees that the address is that of a collection, and that no secret goes over a network in the clear. Error: ErrAddress.
func (r *Remote) Check() error {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || !strings.Contains(u.Path, "/collections/") {
		return ErrAddress
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return ErrAddress
	}
	return nil
}

func (r *Remote) ask(ctx context.Context, method, address string, body []byte) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, nil, ErrAddress
	}
	req.Header.Set("Accept", MediaType)
	if body != nil {
		req.Header.Set("Content-Type", MediaType)
	}
	switch {
	case r.User != "":
		req.SetBasicAuth(r.User, r.Secret)
	case r.Secret != "":
		req.Header.Set("Authorization", "Bearer "+r.Secret)
	}
	client := http.Client{}
	if r.HTTP != nil {
		client = *r.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the secret would go with it
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("%w cannot be reached: %w", ErrRemote, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%w broke off: %w", ErrRemote, err)
	}
	if len(b) > maxPage {
		return nil, nil, fmt.Errorf("%w answered with more than %d bytes", ErrRemote, maxPage)
	}
	if resp.StatusCode >= 300 {
		return nil, nil, &answered{resp.StatusCode, said(b)}
	}
	return resp.Header, b, nil
}

// answered is an answer that is an error.
type answered struct {
	status int
	text   string
}

func (a *answered) Error() string {
	return fmt.Sprintf("%v answered %d %s%s", ErrRemote, a.status, http.StatusText(a.status), a.text)
}

func (a *answered) Unwrap() error { return ErrRemote }

// said is what an error message of a server says, as far as a terminal may show it.
func said(b []byte) string {
	var m errorMessage
	if json.Unmarshal(b, &m) != nil || m.Title == "" {
		return ""
	}
	return ": " + shown(m.Title+" "+m.Description)
}

func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 300)], "?"))
}

// Pulled is how far a collection was pulled.
type Pulled struct {
	Objects int64     // in all, repetitions included
	At      time.Time // last
}

// place is the bookkeeping of a source.
type place struct {
	after, next, last string
	objects           int64
}

// Pull reads what a remote collection has that was not read under this name, page by page; take must have made a page durable when it returns.
// Where it stands is kept after each page, so whoever dies goes on there; a page may then come twice. Error: ErrRemote, ErrAddress, those of take.
func Pull(ctx context.Context, db *store.DB, name string, from Remote, take func([]stix.Item) error) (Pulled, error) {
	if err := from.Check(); err != nil {
		return Pulled{}, err
	}
	p, err := readPlace(ctx, db, name)
	if err != nil {
		return Pulled{}, err
	}
	resumed := p.next != ""
	for {
		q := url.Values{"limit": {strconv.Itoa(pullLimit)}, "match[version]": {"all"}}
		if p.after != "" {
			q.Set("added_after", p.after)
		}
		if p.next != "" {
			q.Set("next", p.next)
		}
		h, b, err := from.ask(ctx, http.MethodGet, strings.TrimRight(from.URL, "/")+"/objects/?"+q.Encode(), nil)
		if a, ok := errors.AsType[*answered](err); ok && resumed && a.status < 500 {
			p.next, p.last, resumed = "", "", false // it has forgotten its next: from where the last pull ended
			continue
		}
		if err != nil {
			return Pulled{}, err
		}
		resumed = false
		envelope, err := stix.Split(b, stix.Standard())
		if err != nil {
			return Pulled{}, fmt.Errorf("%w answered with no envelope: %w", ErrRemote, err)
		}
		if err := take(envelope.Items); err != nil {
			return Pulled{}, err
		}
		more, err := p.advance(h, envelope)
		if err != nil {
			return Pulled{}, err
		}
		now := time.Now()
		if err := p.save(ctx, db, name, now); err != nil {
			return Pulled{}, err
		}
		if !more {
			return Pulled{p.objects, now.UTC()}, nil
		}
	}
}

// advance moves behind a page, and tells whether there is another.
func (p *place) advance(h http.Header, envelope *stix.Bundle) (more bool, err error) {
	p.objects += int64(len(envelope.Items))
	if last := h.Get("X-TAXII-Date-Added-Last"); last != "" {
		if _, err := parseMoment(last); err != nil {
			return false, fmt.Errorf("%w has a last stamp that is no timestamp", ErrRemote)
		}
		p.last = last
	}
	more, _ = envelope.Rest["more"].(bool)
	next, _ := envelope.Rest["next"].(string)
	switch {
	case !more:
		p.next = ""
	case next != "":
		if next == p.next {
			return false, fmt.Errorf("%w gives the same next again", ErrRemote)
		}
		p.next = next
		return true, nil
	case p.last == "" || p.last == p.after:
		return false, fmt.Errorf("%w says that there is more, and not where", ErrRemote)
	}
	if p.last != "" { // without next, its own stamps are the way on
		p.after, p.last, p.next = p.last, "", ""
	}
	return more, nil
}

func readPlace(ctx context.Context, db *store.DB, name string) (p place, err error) {
	err = db.View(ctx, func(tx *store.Tx) (err error) {
		p, err = store.One(ctx, tx, func(p *place) []any { return []any{&p.after, &p.next, &p.last, &p.objects} }, "SELECT after, next, last, objects FROM taxii_pulls WHERE source = $1", name)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return p, err
}

const maxNext = 16 << 10

func (p *place) save(ctx context.Context, db *store.DB, name string, at time.Time) error {
	if len(p.next) > maxNext || strings.ContainsRune(p.next, 0) {
		return fmt.Errorf("%w has a next of %d bytes", ErrRemote, len(p.next))
	}
	return db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO taxii_pulls (source, after, next, last, pulled, objects) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (source) DO UPDATE SET after = excluded.after, next = excluded.next, last = excluded.last, pulled = excluded.pulled, objects = excluded.objects`,
			name, p.after, p.next, p.last, at.UnixMicro(), p.objects)
		return err
	})
}

// Pushed is what became of objects that were pushed.
type Pushed struct {
	Objects int64 // given, in all
	Refused int
	Reason  string // of the first
}

// Position is how far a collection was pushed under a name, as Push keeps it: zero for nothing.
func Position(ctx context.Context, db *store.DB, name string) (time.Time, int64, error) {
	p, err := readPlace(ctx, db, name)
	if err != nil || p.after == "" {
		return time.Time{}, p.objects, err
	}
	t, err := parseMoment(p.after)
	return t, p.objects, err
}

// MaxContent asks a remote API root how large a body may be; a server that does not say is taken for a cautious one.
func (r *Remote) MaxContent(ctx context.Context) (int64, error) {
	const cautious = 1 << 20
	if err := r.Check(); err != nil {
		return 0, err
	}
	root, _, _ := strings.Cut(r.URL, "/collections/")
	_, b, err := r.ask(ctx, http.MethodGet, root+"/", nil)
	if err != nil {
		return 0, err
	}
	var a APIRoot
	if json.Unmarshal(b, &a) != nil || a.MaxContentLength <= 0 {
		return cautious, nil
	}
	return min(a.MaxContentLength, DefaultContent), nil
}

// Push gives a remote collection an envelope, waits until it is done with it, and keeps under the name that it has everything up to a stamp. Dying before
// that, it is given again; a server takes the same version once.
func (r *Remote) Push(ctx context.Context, db *store.DB, name string, envelope []byte, count int, upTo time.Time) (Pushed, error) {
	_, b, err := r.ask(ctx, http.MethodPost, strings.TrimRight(r.URL, "/")+"/objects/", envelope)
	if err != nil {
		return Pushed{}, err
	}
	var st Status
	if err := json.Unmarshal(b, &st); err != nil {
		return Pushed{}, fmt.Errorf("%w answered with no status", ErrRemote)
	}
	root, _, _ := strings.Cut(r.URL, "/collections/")
	for tries := 0; st.Status == "pending" && tries < 60; tries++ {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return Pushed{}, ctx.Err()
		}
		if _, b, err = r.ask(ctx, http.MethodGet, root+"/status/"+url.PathEscape(st.ID)+"/", nil); err != nil {
			return Pushed{}, err
		}
		if err := json.Unmarshal(b, &st); err != nil {
			return Pushed{}, fmt.Errorf("%w answered with no status", ErrRemote)
		}
	}
	p, err := readPlace(ctx, db, name)
	if err != nil {
		return Pushed{}, err
	}
	p.after, p.objects = FormatStamp(upTo), p.objects+int64(count)
	out := Pushed{Objects: p.objects, Refused: st.FailureCount}
	if len(st.Failures) > 0 {
		out.Reason = shown(st.Failures[0].Message)
	}
	return out, p.save(ctx, db, name, time.Now())
}
