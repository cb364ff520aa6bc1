package misp

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"detente/gateway/mint"
	"detente/label"
)

// Errors that the functions of a [Server] may return.
var (
	ErrNoEvent = errors.New("misp: no such event")             // what is asked for is not there, or not for whoever asks
	ErrOld     = errors.New("misp: a later one is here")       // what was pushed is older than what is held
	ErrOwn     = errors.New("misp: it was made on this side")  // an own event came back: nothing of it is taken
	ErrKept    = errors.New("misp: nothing of it may go on")   // its labels keep all of it here; the text says why
	ErrClosed  = errors.New("misp: nothing is taken from him") // whoever pushes may not
)

// Version is what the server says it speaks: the oldest version of MISP whose ways of synchronising are met here.
const Version = "2.4.165"

// keyLetters is how long a key is, as MISP demands it.
const keyLetters = 40

// Key lets a MISP in.
type Key struct {
	Name string
	Sum  [sha256.Size]byte // of the 40 letters
	Path label.Path        // who is behind it, and on which plane
	Push bool              // it may push
}

// NewKey gives a key by its letters. MISP demands 40 of them.
func NewKey(name, letters string, over label.Path, push bool) (Key, error) {
	if len(letters) != keyLetters {
		return Key{}, fmt.Errorf("misp: a key of %d letters, must have 40", len(letters))
	}
	return Key{Name: name, Sum: sha256.Sum256([]byte(letters)), Path: over, Push: push}, nil
}

// Pushed is an event that a MISP pushed.
type Pushed struct {
	From      string // name of the key
	Path      label.Path
	Event     *Event
	Raw       []byte // the body as it came, unpacked: to be kept
	Signature string // of a protected event, over Raw; "" if there is none
}

// Server is as much of a MISP as another needs in order to pull from it and to push to it, and a feed beside. The functions must be set before it
// serves, and are called by many goroutines.
type Server struct {
	UUID string // of this instance
	Keys []Key
	// Find gives the key of a sum where it is none of Keys; nil: there are no others. It returns false for one that is not there.
	Find func(ctx context.Context, sum [sha256.Size]byte) (Key, bool, error)

	// List lists the published events that may go over a path, in any order.
	List func(ctx context.Context, over label.Path) ([]Entry, error)
	// Event gives one of them. It returns ErrNoEvent for one that may not go over the path.
	Event func(ctx context.Context, over label.Path, uuid string) (*Event, error)
	// Take keeps what was pushed, once and for all before it returns. It returns ErrOld, ErrOwn or ErrClosed if it takes nothing.
	Take func(ctx context.Context, p Pushed) error
	// Log is told what went wrong; nil: nobody is.
	Log *slog.Logger
}

const (
	maxIndex  = 16 << 20 // bytes of a request that is no event
	maxPacked = 16 << 20 // bytes of a body as it is sent
)

// Handler serves the endpoints under the paths of a MISP, and the feed under /feed/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request, Key){
		"GET /servers/getVersion":                s.version,
		"GET /servers/getVersion.json":           s.version,
		"POST /servers/postTest":                 s.postTest,
		"POST /events/index":                     s.index,
		"GET /events/view/{uuid}":                s.view,
		"GET /events/view/{uuid}/{options...}":   s.view,
		"POST /events/filterEventIdsForPush":     s.filter,
		"POST /events/add":                       s.push,
		"POST /events/add/{options...}":          s.push,
		"POST /events/edit/{uuid}":               s.push,
		"POST /events/edit/{uuid}/{options...}":  s.push,
		"GET /shadow_attributes/index/{rest...}": s.nothing("[]"),
		"POST /sightings/restSearch/{rest...}":   s.nothing(`{"response":[]}`),
		"GET /feed/{file}":                       s.feed,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-store")
			k, ok, err := s.key(r.Context(), r.Header.Get("Authorization"))
			if err != nil {
				s.fail(w, r, k, err)
				return
			}
			if !ok {
				refuse(w, r, http.StatusForbidden, "Authentication failed. Please make sure you pass the API key of an API enabled user along in the Authorization header.")
				return
			}
			h(w, r, k)
		})
	}
	return mux
}

// key finds a key by the header, in a time that does not depend on the letters. MISP sends them bare; a feed may be read with "Bearer" before them.
func (s *Server) key(ctx context.Context, header string) (Key, bool, error) {
	header = strings.TrimSpace(header)
	if scheme, rest, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "bearer") {
		header = strings.TrimSpace(rest)
	}
	sum := sha256.Sum256([]byte(header))
	found := -1
	for i, k := range s.Keys {
		if subtle.ConstantTimeCompare(sum[:], k.Sum[:]) == 1 {
			found = i
		}
	}
	switch {
	case len(header) != keyLetters:
		return Key{}, false, nil
	case found >= 0:
		return s.Keys[found], true, nil
	case s.Find == nil:
		return Key{}, false, nil
	}
	return s.Find(ctx, sum)
}

// refuse answers as MISP does.
func refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	answer(w, status, map[string]string{"name": message, "message": message, "url": r.URL.Path})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the other side is gone
}

// fail logs what went wrong, and tells the other side nothing of it.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, k Key, err error) {
	if s.Log != nil {
		s.Log.ErrorContext(r.Context(), "misp: a request failed", "key", k.Name, "path", r.URL.Path, "error", err)
	}
	refuse(w, r, http.StatusInternalServerError, "An Internal Error Has Occurred.")
}

// body reads a request's body, unpacked, within limits that hold before and after.
func body(r *http.Request, most int64) ([]byte, int, error) {
	var in io.Reader = io.LimitReader(r.Body, maxPacked+1)
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "", "identity":
		in = io.LimitReader(r.Body, most+1)
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, http.StatusBadRequest, err
		}
		defer z.Close()
		in = z
	default: // such as br, which getVersion does not offer
		return nil, http.StatusUnsupportedMediaType, errors.New("the encoding is not known")
	}
	b, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, http.StatusBadRequest, err
	}
	if int64(len(b)) > most {
		return nil, http.StatusRequestEntityTooLarge, errors.New("the body is too large")
	}
	return b, 0, nil
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request, k Key) {
	answer(w, http.StatusOK, map[string]any{
		"version": Version, "pymisp_recommended_version": Version, "perm_sync": k.Push, "perm_sighting": false, "perm_galaxy_editor": false, "perm_analyst_data": false,
		"request_encoding": []string{"gzip"}, "filter_sightings": false, "uuid": s.UUID,
	})
}

// postTest gives back what was posted, and the headers by which MISP sees that nothing between changed them.
func (s *Server) postTest(w http.ResponseWriter, r *http.Request, _ Key) {
	b, status, err := body(r, 1<<20)
	if err != nil {
		refuse(w, r, status, err.Error())
		return
	}
	var posted map[string]json.RawMessage
	if !shallow(b) || json.Unmarshal(b, &posted) != nil {
		refuse(w, r, http.StatusBadRequest, "The body is not JSON.")
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"body":    posted,
		"headers": map[string]string{"Content-type": r.Header.Get("Content-Type"), "Accept": r.Header.Get("Accept"), "Content-Encoding": r.Header.Get("Content-Encoding")},
	})
}

func (s *Server) nothing(text string) func(http.ResponseWriter, *http.Request, Key) {
	return func(w http.ResponseWriter, _ *http.Request, _ Key) { answer(w, http.StatusOK, json.RawMessage(text)) }
}

// indexLine is an event in the index, as MISP asks for it: the smallest that it takes.
type indexLine struct {
	ID        Text `json:"id"`
	UUID      Text `json:"uuid"`
	Timestamp Text `json:"timestamp"`
	Sighted   Text `json:"sighting_timestamp"`
	Published bool `json:"published"`
	Orgc      Text `json:"orgc_uuid"`
}

func (s *Server) index(w http.ResponseWriter, r *http.Request, k Key) {
	if _, status, err := body(r, maxIndex); err != nil { // its filters are for the whole of MISP: what is here is for this key
		refuse(w, r, status, err.Error())
		return
	}
	list, err := s.List(r.Context(), k.Path)
	if err != nil {
		s.fail(w, r, k, err)
		return
	}
	lines := make([]indexLine, 0, len(list))
	for _, e := range list {
		lines = append(lines, indexLine{ID: e.UUID, UUID: e.UUID, Timestamp: stamp(e.Changed), Sighted: "0", Published: true, Orgc: e.Orgc.UUID})
	}
	slices.SortFunc(lines, func(a, b indexLine) int { return strings.Compare(string(a.UUID), string(b.UUID)) })
	h := sha256.New()
	for _, l := range lines {
		fmt.Fprintf(h, "%s %s\n", l.UUID, l.Timestamp)
	}
	tag := `"` + hex.EncodeToString(h.Sum(nil)[:16]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	answer(w, http.StatusOK, lines)
}

func (s *Server) view(w http.ResponseWriter, r *http.Request, k Key) {
	uuid := strings.ToLower(strings.TrimSuffix(r.PathValue("uuid"), ".json"))
	e, err := s.find(r.Context(), k, uuid)
	switch {
	case errors.Is(err, ErrNoEvent):
		refuse(w, r, http.StatusNotFound, "Invalid event")
	case err != nil:
		s.fail(w, r, k, err)
	default:
		answer(w, http.StatusOK, envelope{e})
	}
}

// find gives an event that may go to a key. One that may not is not there.
func (s *Server) find(ctx context.Context, k Key, uuid string) (*Event, error) {
	if !mint.IsUUID(uuid) {
		return nil, ErrNoEvent
	}
	e, err := s.Event(ctx, k.Path, uuid)
	if err != nil {
		return nil, err
	}
	if e.Leave(k.Path, false) != nil {
		return nil, ErrNoEvent
	}
	return e, nil
}

// filter answers which of the offered events are wanted: those that are not here, or are newer there.
func (s *Server) filter(w http.ResponseWriter, r *http.Request, k Key) {
	if !k.Push {
		refuse(w, r, http.StatusForbidden, "You do not have permission to use this functionality.")
		return
	}
	b, status, err := body(r, maxIndex)
	if err != nil {
		refuse(w, r, status, err.Error())
		return
	}
	var offered []struct {
		Event struct {
			UUID      Text `json:"uuid"`
			Timestamp Text `json:"timestamp"`
		} `json:"Event"`
	}
	if !shallow(b) || json.Unmarshal(b, &offered) != nil || len(offered) > maxEvents {
		refuse(w, r, http.StatusBadRequest, "The body is not a list of events.")
		return
	}
	list, err := s.List(r.Context(), k.Path)
	if err != nil {
		s.fail(w, r, k, err)
		return
	}
	held := map[string]time.Time{}
	for _, e := range list {
		held[strings.ToLower(string(e.UUID))] = e.Changed
	}
	wanted := []Text{}
	for _, o := range offered {
		at, ok := seconds(o.Event.Timestamp)
		have, known := held[strings.ToLower(string(o.Event.UUID))]
		if ok && mint.IsUUID(string(o.Event.UUID)) && (!known || at.After(have)) {
			wanted = append(wanted, o.Event.UUID)
		}
	}
	answer(w, http.StatusOK, wanted)
}

// push takes an event. The two ways of pushing differ in MISP and not here: what is newer is taken.
func (s *Server) push(w http.ResponseWriter, r *http.Request, k Key) {
	if !k.Push {
		refuse(w, r, http.StatusForbidden, "You do not have permission to use this functionality.")
		return
	}
	b, status, err := body(r, MaxEvent)
	if err != nil {
		refuse(w, r, status, err.Error())
		return
	}
	e, err := Read(b)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error()) // it speaks of what was sent, and of nothing else
		return
	}
	if uuid := r.PathValue("uuid"); uuid != "" && !strings.EqualFold(uuid, string(e.UUID)) {
		refuse(w, r, http.StatusNotFound, "Invalid event")
		return
	}
	if m := readTags(e.Tags); m.plane != k.Path.Plane {
		refuse(w, r, http.StatusForbidden, "The event is for "+m.plane.Flag()+", this server takes "+k.Path.Plane.Flag()+".")
		return
	}
	switch err := s.Take(r.Context(), Pushed{From: k.Name, Path: k.Path, Event: e, Raw: b, Signature: r.Header.Get("x-pgp-signature")}); {
	case errors.Is(err, ErrOld):
		refuse(w, r, http.StatusForbidden, "Event could not be saved: Event in the request not newer than the local copy.")
	case errors.Is(err, ErrOwn):
		refuse(w, r, http.StatusForbidden, "Event could not be saved: it was made here.")
	case errors.Is(err, ErrKept):
		refuse(w, r, http.StatusForbidden, "Event could not be saved: "+err.Error())
	case errors.Is(err, ErrClosed):
		refuse(w, r, http.StatusForbidden, "You do not have permission to use this functionality.")
	case err != nil:
		s.fail(w, r, k, err)
	default:
		head := *e
		head.Attributes, head.Objects = []Attribute{}, nil
		answer(w, http.StatusOK, envelope{&head})
	}
}

// feed serves what may go to a key as the files of a feed.
func (s *Server) feed(w http.ResponseWriter, r *http.Request, k Key) {
	file := r.PathValue("file")
	uuid, isEvent := strings.CutSuffix(file, ".json")
	switch {
	case file == manifestFile:
		list, err := s.List(r.Context(), k.Path)
		if err != nil {
			s.fail(w, r, k, err)
			return
		}
		manifest := make(map[string]Entry, len(list))
		for _, e := range list {
			manifest[string(e.UUID)] = e
		}
		answer(w, http.StatusOK, manifest)
	case file == hashesFile:
		s.serveHashes(w, r, k)
	case isEvent && mint.IsUUID(uuid):
		r.SetPathValue("uuid", uuid)
		s.view(w, r, k)
	default:
		refuse(w, r, http.StatusNotFound, "Not found")
	}
}

func (s *Server) serveHashes(w http.ResponseWriter, r *http.Request, k Key) {
	list, err := s.List(r.Context(), k.Path)
	if err != nil {
		s.fail(w, r, k, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv")
	for _, line := range list { // one event at a time is in memory
		e, err := s.find(r.Context(), k, string(line.UUID))
		if err != nil {
			continue // it went between
		}
		for _, h := range e.hashes() {
			if _, err := io.WriteString(w, h+","+string(line.UUID)+"\n"); err != nil {
				return
			}
		}
	}
}
