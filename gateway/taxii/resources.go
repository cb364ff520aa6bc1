package taxii

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"detente/gateway/objects"
	"detente/store"
)

// Discovery is the discovery resource, section 4.1.1.
type Discovery struct {
	Title    string   `json:"title"`
	Default  string   `json:"default,omitempty"`
	APIRoots []string `json:"api_roots,omitempty"`
}

// APIRoot is the API root resource, section 4.2.1.
type APIRoot struct {
	Title            string   `json:"title"`
	Description      string   `json:"description,omitempty"`
	Versions         []string `json:"versions"`
	MaxContentLength int64    `json:"max_content_length"`
}

// Collection is the collection resource, section 5.2.1.
type Collection struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Alias       string   `json:"alias,omitempty"`
	CanRead     bool     `json:"can_read"`
	CanWrite    bool     `json:"can_write"`
	MediaTypes  []string `json:"media_types,omitempty"`
}

// Record is one entry of a manifest, section 5.3.1.
type Record struct {
	ID        string `json:"id"`
	DateAdded string `json:"date_added"`
	Version   string `json:"version"`
	MediaType string `json:"media_type,omitempty"`
}

// Status is the status resource, section 4.3.1.
type Status struct {
	ID               string         `json:"id"`
	Status           string         `json:"status"` // complete: nothing is left for later
	RequestTimestamp string         `json:"request_timestamp"`
	TotalCount       int            `json:"total_count"`
	SuccessCount     int            `json:"success_count"`
	Successes        []StatusDetail `json:"successes,omitempty"`
	FailureCount     int            `json:"failure_count"`
	Failures         []StatusDetail `json:"failures,omitempty"`
	PendingCount     int            `json:"pending_count"`
}

// StatusDetail is what became of one object, section 4.3.1.
type StatusDetail struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Message string `json:"message,omitempty"`
}

// Result is what became of one object that was added.
type Result struct {
	ID      string
	Version time.Time // zero where the object has none, or could not be read
	Failed  bool
	Known   bool   // this version was here
	Message string // for the client's operator
}

// errorMessage is section 3.6.1.
type errorMessage struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	ErrorID     string `json:"error_id,omitempty"`
	HTTPStatus  string `json:"http_status"`
}

func (c *call) write(status int, body []byte) {
	c.w.Header().Set("Content-Type", MediaType)
	c.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		c.w.Write(body)
	}
}

func (c *call) give(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.write(status, b)
	return nil
}

// refuse answers with an error object. What is not the caller's doing is logged under an id, and he is told that only.
func (c *call) refuse(err error) {
	r, known := errors.AsType[*refusal](err)
	m := errorMessage{}
	switch {
	case known:
	case errors.Is(err, objects.ErrFilter), errors.Is(err, objects.ErrNext):
		r = &refusal{http.StatusBadRequest, "Bad request", err.Error()}
	case errors.Is(err, objects.ErrNoCollection):
		r = &refusal{http.StatusNotFound, "Not found", "there is no such collection, or not for this token"}
	case errors.Is(err, objects.ErrNoObject):
		r = &refusal{http.StatusNotFound, "Not found", "there is no such object in the collection"}
	case errors.Is(err, ErrEnvelope):
		r = &refusal{http.StatusUnprocessableEntity, "Unprocessable", err.Error()}
	case errors.Is(err, ErrReadOnly):
		r = &refusal{http.StatusForbidden, "Forbidden", err.Error()}
	case c.r.Context().Err() != nil:
		r = &refusal{http.StatusServiceUnavailable, "Gone", "the request was given up"}
	default:
		m.ErrorID = rand.Text()
		r = &refusal{http.StatusInternalServerError, "Internal error", "the log of the server has more under this id"}
		if errors.Is(err, store.ErrFull) {
			r = &refusal{http.StatusServiceUnavailable, "No room", "the disk of the server is full"}
		}
		c.cfg.Log.Error("taxii", "id", m.ErrorID, "method", c.r.Method, "reason", err)
	}
	m.Title, m.Description, m.HTTPStatus = r.title, r.text, strconv.Itoa(r.status)
	if err := c.give(r.status, m); err != nil {
		c.cfg.Log.Error("taxii", "reason", err)
	}
}

// discovery is section 4.1.
func (c *call) discovery() error {
	origin := c.cfg.Origin
	if origin == "" {
		scheme := "http"
		if c.r.TLS != nil {
			scheme = "https"
		}
		origin = scheme + "://" + c.r.Host
	}
	return c.give(http.StatusOK, Discovery{c.cfg.Title, origin + Root, []string{origin + Root}})
}

// apiRoot is section 4.2.
func (c *call) apiRoot() error {
	return c.give(http.StatusOK, APIRoot{c.cfg.Title, "What the members of this party's channels share with it, and what it shares with them.", []string{MediaType}, c.cfg.MaxContent})
}

// shown is a collection as this caller sees it; false when he does not.
func (c *call) shown(k *objects.Collection) (Collection, bool) {
	read, write := c.by.May(k)
	return Collection{k.ID, k.Title, k.Description, k.Alias, read, write, []string{StixMediaType}}, read || write
}

// collections is section 5.1.
func (c *call) collections() error {
	list, err := c.shelf.Collections(c.r.Context())
	if err != nil {
		return err
	}
	var out struct {
		Collections []Collection `json:"collections,omitempty"`
	}
	for i := range list {
		if k, ok := c.shown(&list[i]); ok {
			out.Collections = append(out.Collections, k)
		}
	}
	return c.give(http.StatusOK, out)
}

// named is the collection of the path, which the caller sees.
func (c *call) named() (objects.Collection, Collection, error) {
	k, err := c.shelf.Collection(c.r.Context(), c.path[1])
	if err != nil {
		return k, Collection{}, err
	}
	shown, ok := c.shown(&k)
	if !ok {
		return k, shown, objects.ErrNoCollection
	}
	return k, shown, nil
}

func (c *call) readable() (objects.Collection, error) {
	k, shown, err := c.named()
	if err == nil && !shown.CanRead {
		err = forbidden("this token may add to the collection, and not read it")
	}
	return k, err
}

func (c *call) writable() (objects.Collection, error) {
	k, shown, err := c.named()
	if err == nil && !shown.CanWrite {
		err = forbidden("this token may read the collection, and not add to it")
	}
	return k, err
}

// collection is section 5.2.
func (c *call) collection() error {
	_, shown, err := c.named()
	if err != nil {
		return err
	}
	return c.give(http.StatusOK, shown)
}

// page reads one page and answers with it: before the rows, between them and behind them stands what makes JSON of them. It is made whole
// first, because its headers tell its first and last stamp, section 3.2.
func (c *call) page(k objects.Collection, q Query, list string, row func(*bytes.Buffer, *objects.Row) error) error {
	var b bytes.Buffer
	q.Filter.Bytes = pageBytes
	p, err := c.shelf.Page(c.r.Context(), k.Number, q.Filter, func(o *objects.Row) error {
		if b.Len() == 0 {
			fmt.Fprintf(&b, `{"%s":[`, list)
		} else {
			b.WriteByte(',')
		}
		return row(&b, o)
	})
	if err != nil {
		return err
	}
	switch {
	case p.Rows > 0:
		b.WriteByte(']')
	case p.More:
		b.WriteByte('{')
		p.First, p.Last = p.Next, p.Next
	}
	h := c.w.Header()
	if p.Rows > 0 || p.More {
		h.Set("X-TAXII-Date-Added-First", FormatStamp(p.First))
		h.Set("X-TAXII-Date-Added-Last", FormatStamp(p.Last))
	}
	switch {
	case p.More && p.Rows == 0:
		fmt.Fprintf(&b, `"more":true,"next":"%s"}`, q.Next(p.Next))
	case p.More:
		fmt.Fprintf(&b, `,"more":true,"next":"%s"}`, q.Next(p.Next))
	case p.Rows > 0:
		b.WriteString(`,"more":false}`)
	default:
		b.WriteString("{}") // an empty envelope, section 3.7
	}
	c.write(http.StatusOK, b.Bytes())
	return nil
}

func bodyOf(b *bytes.Buffer, o *objects.Row) error {
	b.Write(o.Bytes) // as received: a signature over it holds
	return nil
}

// objects is section 5.4.
func (c *call) objects() error {
	k, err := c.readable()
	if err != nil {
		return err
	}
	q, err := ParseQuery(c.r.URL.RawQuery, matchObjects, c.cfg.Page)
	if err != nil {
		return err
	}
	return c.page(k, q, "objects", bodyOf)
}

// manifest is section 5.3.
func (c *call) manifest() error {
	k, err := c.readable()
	if err != nil {
		return err
	}
	q, err := ParseQuery(c.r.URL.RawQuery, matchObjects, c.cfg.Page)
	if err != nil {
		return err
	}
	q.Filter.NoBodies = true
	return c.page(k, q, "objects", func(b *bytes.Buffer, o *objects.Row) error {
		raw, err := json.Marshal(Record{o.ID, FormatStamp(o.Added), formatVersion(o), StixMediaType})
		b.Write(raw)
		return err
	})
}

// oneObject is the query of a resource about one object, which must be there.
func (c *call) oneObject(fields string) (k objects.Collection, q Query, err error) {
	if k, err = c.readable(); err != nil {
		return k, q, err
	}
	if q, err = ParseQuery(c.r.URL.RawQuery, fields, c.cfg.Page); err != nil {
		return k, q, err
	}
	id := c.path[3]
	if len(id) > maxWord || !isText(id) {
		return k, q, objects.ErrNoObject
	}
	q.Filter.IDs = []string{id}
	there, err := c.shelf.Has(c.r.Context(), k.Number, id)
	if err == nil && !there {
		err = objects.ErrNoObject
	}
	return k, q, err
}

// object is section 5.6.
func (c *call) object() error {
	k, q, err := c.oneObject(matchObject)
	if err != nil {
		return err
	}
	return c.page(k, q, "objects", bodyOf)
}

// versions is section 5.8.
func (c *call) versions() error {
	k, q, err := c.oneObject(matchVersions)
	if err != nil {
		return err
	}
	q.Filter.Versions, q.Filter.NoBodies = objects.Versions{All: true}, true
	return c.page(k, q, "versions", func(b *bytes.Buffer, o *objects.Row) error {
		fmt.Fprintf(b, `"%s"`, formatVersion(o))
		return nil
	})
}

// remove is section 5.7. It needs both permissions; without a version it means all.
func (c *call) remove() error {
	k, shown, err := c.named()
	if err != nil {
		return err
	}
	if !shown.CanRead || !shown.CanWrite {
		return forbidden("to delete, a token must read and write the collection")
	}
	q, err := ParseQuery(c.r.URL.RawQuery, matchObject, c.cfg.Page)
	if err != nil {
		return err
	}
	which := q.Filter.Versions
	if len(q.match["match[version]"]) == 0 {
		which.All = true
	}
	for _, spec := range q.Filter.Specs {
		if spec == objects.Spec {
			q.Filter.Specs = nil
		}
	}
	if q.Filter.Specs != nil {
		return objects.ErrNoObject
	}
	if err := c.cfg.Delete(c.r.Context(), c.by, k, c.path[3], which); err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", MediaType)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// add is section 5.5. Whatever it answers 202 to is durable and done: nothing is left pending for a process that may die.
func (c *call) add() error {
	k, err := c.writable()
	if err != nil {
		return err
	}
	if err := sent(c.r.Header); err != nil {
		return err
	}
	began := c.cfg.Now()
	envelope, err := c.body()
	if err != nil {
		return err
	}
	results, err := c.cfg.Accept(c.r.Context(), c.by, k, envelope)
	if err != nil {
		return err
	}
	st := Status{ID: newUUID(), Status: "complete", RequestTimestamp: FormatStamp(began), TotalCount: len(results)}
	for _, r := range results {
		d := StatusDetail{ID: r.ID, Version: FormatStamp(began), Message: r.Message}
		if !r.Version.IsZero() {
			d.Version = formatVersion(&objects.Row{Object: objects.Object{Version: r.Version}})
		}
		count, list := &st.SuccessCount, &st.Successes
		if r.Failed {
			count, list = &st.FailureCount, &st.Failures
		}
		if *count++; len(*list) < mostDetails {
			*list = append(*list, d)
		}
	}
	body, err := json.Marshal(st)
	if err != nil {
		return err
	}
	if err := c.keepStatus(c.r.Context(), st.ID, began, body); err != nil {
		return err
	}
	c.write(http.StatusAccepted, body)
	return nil
}

// statusAge is how long the outcome of a request can be asked for; mostStatus is how many are kept, mostDetails how many objects each names.
const (
	statusAge   = 24 * time.Hour
	mostStatus  = 1000
	mostDetails = 1000 // of failures, and of successes
)

func (c *call) keepStatus(ctx context.Context, id string, made time.Time, body []byte) error {
	return c.cfg.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM taxii_status WHERE made < $1", made.Add(-statusAge).UnixMicro()); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM taxii_status").Scan(&n); err != nil {
			return err
		}
		if n >= mostStatus {
			if _, err := tx.Exec(ctx, "DELETE FROM taxii_status WHERE id IN (SELECT id FROM taxii_status ORDER BY made LIMIT $1)", mostStatus/10); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "INSERT INTO taxii_status (id, token, made, body) VALUES ($1, $2, $3, $4)", id, c.by.Name, made.UnixMicro(), body)
		return err
	})
}

// status is section 4.3: for whoever made the request.
func (c *call) status() error {
	var body []byte
	ctx := c.r.Context()
	err := c.cfg.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, "SELECT body FROM taxii_status WHERE id = $1 AND token = $2", c.path[1], c.by.Name).Scan(&body)
	})
	if errors.Is(err, store.ErrNotFound) {
		return notFound("there is no such status, or not for this token")
	}
	if err != nil {
		return err
	}
	c.write(http.StatusOK, body)
	return nil
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
