// Package api is what a node tells and takes at its local face: the types, and the client that the tools of its own party use.
// It must never be used between parties: between them travels only docs/protocol.md.
package api

import (
	"bufio"
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

	"detente/archive"
	"detente/audit"
	"detente/exchange"
	"detente/node"
	"detente/traffic"
)

// ErrUnreachable means that no node answers at the client's address.
var ErrUnreachable = errors.New("api: no node answers")

// Client asks a node. Its errors are a *Problem for what the node refuses, ErrUnreachable, and those of ctx. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	base  string
	token string
}

// NewClient is a client of a node at unix:PATH, http://HOST:PORT or https://HOST:PORT; the token is for the latter two. It does not connect.
func NewClient(address, token string) (*Client, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial}}, base: "http://node"}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("api: %q is no address of a node: unix:PATH, http://HOST:PORT or https://HOST:PORT", address)
	}
	return &Client{http: &http.Client{Transport: &http.Transport{Proxy: nil}}, base: u.Scheme + "://" + u.Host, token: token}, nil
}

// InProcess is a client of a handler in this process.
func InProcess(h http.Handler) *Client {
	return &Client{http: &http.Client{Transport: inProcess{h}}, base: "http://node"}
}

// Close closes the connections that carry nothing at the moment.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// do sends a request; in is JSON, or bytes as they are. The caller closes the body.
func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var content io.Reader = http.NoBody
	mediaType := ""
	switch x := in.(type) {
	case nil:
	case []byte:
		content, mediaType = bytes.NewReader(x), "application/octet-stream"
	default:
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("api: %w", err)
		}
		content, mediaType = bytes.NewReader(b), "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if answer.StatusCode < 400 {
		return answer, nil
	}
	defer answer.Body.Close()
	p := &Problem{Status: answer.StatusCode, Title: answer.Status, Code: "unknown", Detail: "the node answered " + answer.Status}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(p); err != nil {
			return nil, fmt.Errorf("%w: the answer broke off: %w", ErrUnreachable, err)
		}
	}
	return nil, p
}

// call sends a request and reads its answer.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (out T, err error) {
	answer, err := c.do(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	defer answer.Body.Close()
	if raw, ok := any(&out).(*[]byte); ok {
		*raw, err = io.ReadAll(answer.Body)
	} else {
		err = json.NewDecoder(answer.Body).Decode(&out)
	}
	if err != nil {
		return out, fmt.Errorf("%w: the answer broke off: %w", ErrUnreachable, err)
	}
	return out, nil
}

// task runs a long request, and tells its progress.
func task[T any](ctx context.Context, c *Client, path string, progress func(done, of int64)) (out T, err error) {
	answer, err := c.do(ctx, http.MethodPost, path, nil)
	if err != nil {
		return out, err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var p Progress[T]
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return out, fmt.Errorf("api: %w", err)
		}
		if p.Problem != nil {
			return out, p.Problem
		}
		if progress != nil {
			progress(p.Done, p.Of)
		}
		if p.Result != nil {
			return *p.Result, nil
		}
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	return out, fmt.Errorf("%w: the answer broke off: %w", ErrUnreachable, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}

func seg(s string) string { return url.PathEscape(s) }

func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// Status tells how the node stands.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// Charters lists the own charter and those of other parties.
func (c *Client) Charters(ctx context.Context) ([]Charter, error) {
	return call[[]Charter](ctx, c, http.MethodGet, "/v1/charters", nil)
}

// Charter shows one party's charter, for a reader of lang.
func (c *Client) Charter(ctx context.Context, p traffic.Party, lang string) (Charter, error) {
	return call[Charter](ctx, c, http.MethodGet, "/v1/charters/"+seg(string(p))+query("lang", lang), nil)
}

// CharterFile gives a trusted party's charter file.
func (c *Client) CharterFile(ctx context.Context, p traffic.Party) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/charters/"+seg(string(p))+"/file", nil)
}

// ImportCharter takes in another party's charter file.
func (c *Client) ImportCharter(ctx context.Context, file []byte) (Charter, error) {
	return call[Charter](ctx, c, http.MethodPost, "/v1/charters", file)
}

// Confirm pairs with a party whose words were heard.
func (c *Client) Confirm(ctx context.Context, p traffic.Party, words string) (Charter, error) {
	return call[Charter](ctx, c, http.MethodPost, "/v1/charters/"+seg(string(p))+"/confirm", ConfirmRequest{words})
}

// Renew puts a new version of the own charter into force.
func (c *Client) Renew(ctx context.Context, r RenewRequest) (Charter, error) {
	return call[Charter](ctx, c, http.MethodPost, "/v1/charter", r)
}

// Channels lists every channel that the node knows of.
func (c *Client) Channels(ctx context.Context) ([]Channel, error) {
	return call[[]Channel](ctx, c, http.MethodGet, "/v1/channels", nil)
}

// Channel shows one channel with its forms, for a reader of lang.
func (c *Client) Channel(ctx context.Context, name, lang string) (Channel, error) {
	return call[Channel](ctx, c, http.MethodGet, "/v1/channels/"+seg(name)+query("lang", lang), nil)
}

// Propose proposes a channel.
func (c *Client) Propose(ctx context.Context, r ProposeRequest) (Channel, error) {
	return call[Channel](ctx, c, http.MethodPost, "/v1/channels", r)
}

// Accept agrees to a proposed channel.
func (c *Client) Accept(ctx context.Context, name string, d Decision) (Channel, error) {
	return call[Channel](ctx, c, http.MethodPost, "/v1/channels/"+seg(name)+"/accept", d)
}

// Refuse declines a proposed channel.
func (c *Client) Refuse(ctx context.Context, name string, d Decision) (Channel, error) {
	return call[Channel](ctx, c, http.MethodPost, "/v1/channels/"+seg(name)+"/refuse", d)
}

// Send makes a statement.
func (c *Client) Send(ctx context.Context, r SendRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/statements", r)
}

// Reply makes a statement that refers to another.
func (c *Client) Reply(ctx context.Context, id string, r ReplyRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/statements/"+seg(id)+"/replies", r)
}

// Listing narrows a list of statements; its zero value is the newest that came in.
type Listing struct {
	Direction  string // in, out or all
	Open       bool   // only those on which something is due
	Newest     bool   // the newest first, in place of what is open first
	Channel    string
	Plane      traffic.Plane
	Form       string
	Precedence string
	From       string
	System     bool // also on link and public channels
	Limit      int  // 50 when 0
	Lang       string
}

// List lists statements: what is open first, then the newest first.
func (c *Client) List(ctx context.Context, l Listing) ([]Line, error) {
	pairs := []string{
		"direction", l.Direction, "channel", l.Channel, "plane", string(l.Plane), "form", l.Form, "precedence", l.Precedence, "from", l.From, "lang", l.Lang,
	}
	if l.Open {
		pairs = append(pairs, "open", "true")
	}
	if l.Newest {
		pairs = append(pairs, "newest", "true")
	}
	if l.System {
		pairs = append(pairs, "system", "true")
	}
	if l.Limit > 0 {
		pairs = append(pairs, "limit", strconv.Itoa(l.Limit))
	}
	return call[[]Line](ctx, c, http.MethodGet, "/v1/statements"+query(pairs...), nil)
}

// Statement shows one statement, for a reader of lang.
func (c *Client) Statement(ctx context.Context, id, lang string) (Statement, error) {
	return call[Statement](ctx, c, http.MethodGet, "/v1/statements/"+seg(id)+query("lang", lang), nil)
}

// MostWait is the longest that a request waits for a receipt; a caller asks again.
const MostWait = 10 * time.Minute

// Receipts lists who has held a statement. With wait above zero it waits so long for the receipt of from, or of every member when that is
// empty; a *Problem with the code not-yet says that it has not come.
func (c *Client) Receipts(ctx context.Context, id string, wait time.Duration, from traffic.Party) ([]archive.Receipt, error) {
	seconds := ""
	if wait > 0 {
		seconds = strconv.Itoa(max(1, int(min(wait, MostWait).Seconds())))
	}
	return call[[]archive.Receipt](ctx, c, http.MethodGet, "/v1/statements/"+seg(id)+"/receipts"+query("wait", seconds, "from", string(from)), nil)
}

// Prove gives the proof file of a statement.
func (c *Client) Prove(ctx context.Context, id string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/statements/"+seg(id)+"/proof", nil)
}

// Attachment gives a file by its SHA-256 in hex.
func (c *Client) Attachment(ctx context.Context, hash string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/blobs/"+seg(hash), nil)
}

// ExportPouch gives what a peer has not receipted, as a pouch file.
func (c *Client) ExportPouch(ctx context.Context, p traffic.Party) (Pouched, error) {
	return call[Pouched](ctx, c, http.MethodPost, "/v1/pouches/"+seg(string(p)), nil)
}

// ImportPouch takes in a pouch file.
func (c *Client) ImportPouch(ctx context.Context, file []byte) (node.PouchReport, error) {
	return call[node.PouchReport](ctx, c, http.MethodPost, "/v1/pouches", file)
}

// Links tells how the link with each peer stands.
func (c *Client) Links(ctx context.Context) ([]Link, error) {
	return call[[]Link](ctx, c, http.MethodGet, "/v1/links", nil)
}

// Feeds lists every feed held by the node.
func (c *Client) Feeds(ctx context.Context) ([]Feed, error) {
	return call[[]Feed](ctx, c, http.MethodGet, "/v1/feeds", nil)
}

// ExportFeed writes the tiles of a feed of an open channel to a directory on the node's machine.
func (c *Client) ExportFeed(ctx context.Context, r ExportRequest) (Exported, error) {
	return call[Exported](ctx, c, http.MethodPost, "/v1/feeds/export", r)
}

// Alarms lists what a person must know.
func (c *Client) Alarms(ctx context.Context) ([]exchange.Alarm, error) {
	return call[[]exchange.Alarm](ctx, c, http.MethodGet, "/v1/alarms", nil)
}

// Audit verifies everything that the node holds.
func (c *Client) Audit(ctx context.Context, progress func(done, of int64)) (audit.Report, error) {
	return task[audit.Report](ctx, c, "/v1/audit", progress)
}

// Rebuild folds every dossier anew.
func (c *Client) Rebuild(ctx context.Context, progress func(done, of int64)) (Rebuilt, error) {
	return task[Rebuilt](ctx, c, "/v1/rebuild", progress)
}

// Recover fetches from the peers what the node has lost.
func (c *Client) Recover(ctx context.Context, progress func(done, of int64)) (node.Recovery, error) {
	return task[node.Recovery](ctx, c, "/v1/recover", progress)
}

// OpenEpoch leaves an own feed whose lost entries nobody can give back.
func (c *Client) OpenEpoch(ctx context.Context, r EpochRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/epochs", r)
}

// Events calls fn for every change until it returns false, or ctx ends; first with what is there now.
func (c *Client) Events(ctx context.Context, fn func(Change) bool) error {
	answer, err := c.do(ctx, http.MethodGet, "/v1/events", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var change Change
		if err := json.Unmarshal([]byte(data), &change); err != nil {
			return fmt.Errorf("api: %w", err)
		}
		if !fn(change) {
			return nil
		}
	}
	return ctx.Err()
}
