// Package taxii is TAXII 2.1 for the tools of this party: a server of collections, and a client of the servers that the party runs.
// It must never show a collection to whoever has no token for it, nor be taken for a line between parties: that is the node's alone.
package taxii

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"detente/gateway/objects"
	"detente/store"
)

// The media types of TAXII 2.1, section 1.6.8.
const (
	MediaType     = "application/taxii+json;version=2.1"
	StixMediaType = "application/stix+json;version=2.1"
)

// Limits and defaults.
const (
	DefaultPage    = 1000     // objects: clients read one page only, and go on with what it told
	DefaultContent = 10 << 20 // bytes of a body that is taken
	pageBytes      = 8 << 20  // of objects in a page
	maxReads       = 16       // requests that are answered at once
	maxWrites      = 4        // of them with a body
)

// Errors of [Config.Accept] that the caller hears of.
var (
	ErrEnvelope = errors.New("taxii: the body is no envelope of STIX 2.1 objects")
	ErrReadOnly = errors.New("taxii: nothing can be added to or taken from this collection")
)

// Config is what a server is made of.
type Config struct {
	Shelf  *objects.Shelf
	DB     *store.DB // where the outcome of requests is kept
	Tokens *Tokens   // who may ask; nil: those of the database
	Title  string    // of the server
	Origin string    // scheme and host by which clients call it; empty: as each request says

	// Accept takes an envelope for a collection that the caller may write, and tells of each object what became of it.
	Accept func(ctx context.Context, by Token, c objects.Collection, envelope []byte) ([]Result, error)
	// Delete takes versions of an object out of a collection that the caller may write, section 5.7.
	Delete func(ctx context.Context, by Token, c objects.Collection, id string, which objects.Versions) error

	// Also are handlers beside TAXII, by the beginning of their paths, such as "/misp/". Each decides itself who may ask.
	Also map[string]http.Handler

	Page       int              // objects in a page where a client asks for no number; 0 is DefaultPage
	MaxContent int64            // bytes of a body; 0 is DefaultContent
	TLS        *Certificate     // nil: not encrypted
	Log        *slog.Logger     // nil discards
	Now        func() time.Time // nil is time.Now
}

// Certificate is the files of a server's certificate and key, in PEM.
type Certificate struct{ CertFile, KeyFile string }

// Server answers TAXII clients. It is safe for concurrent use.
type Server struct {
	cfg    Config
	shelf  *objects.Shelf
	tokens *Tokens
	reads  chan struct{}
	writes chan struct{}
}

// New makes a server.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Page == 0 {
		cfg.Page = DefaultPage
	}
	if cfg.MaxContent == 0 {
		cfg.MaxContent = DefaultContent
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Tokens == nil {
		cfg.Tokens = OpenTokens(cfg.DB)
	}
	return &Server{cfg: cfg, shelf: cfg.Shelf, tokens: cfg.Tokens, reads: make(chan struct{}, maxReads), writes: make(chan struct{}, maxWrites)}
}

// Tokens is who may ask.
func (s *Server) Tokens() *Tokens { return s.tokens }

// Serve answers on a listener until ctx ends, and then lets what is under way end.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() {
		if c := s.cfg.TLS; c != nil {
			failed <- server.ServeTLS(l, c.CertFile, c.KeyFile)
			return
		}
		failed <- server.Serve(l)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("taxii: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if server.Shutdown(ending) != nil {
		server.Close()
	}
	<-failed
	return nil
}

// Root is the path of the one API root; discovery is at /taxii2/, section 4.1.
const Root = "/taxii2/node/"

// call is one request.
type call struct {
	*Server
	w    http.ResponseWriter
	r    *http.Request
	by   Token
	path []string // below the API root
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Server: s, w: w, r: r}
	if s.cfg.TLS != nil {
		w.Header().Set("Strict-Transport-Security", "max-age=86400")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	for prefix, h := range s.cfg.Also {
		if strings.HasPrefix(r.URL.Path, prefix) {
			http.StripPrefix(strings.TrimSuffix(prefix, "/"), h).ServeHTTP(w, r)
			return
		}
	}
	if err := c.answer(); err != nil {
		c.refuse(err)
	}
}

// answer routes a request. Whether it is permitted comes first, so that a stranger learns nothing of what there is.
func (c *call) answer() error {
	if err := c.authenticate(); err != nil {
		return err
	}
	room := c.reads
	if c.r.Method == http.MethodPost {
		room = c.writes
	}
	select {
	case room <- struct{}{}:
		defer func() { <-room }()
	case <-c.r.Context().Done():
		return c.r.Context().Err()
	}
	if err := acceptable(c.r.Header.Values("Accept")); err != nil {
		return err
	}
	// A path counts with and without its last slash: clients differ, and a redirection would lose the body of some.
	path := strings.Trim(c.r.URL.Path, "/")
	if path == "taxii2" {
		return c.on(method{http.MethodGet: c.discovery})
	}
	rest, ok := strings.CutPrefix(path+"/", strings.TrimPrefix(Root, "/"))
	if !ok {
		return notFound("there is no resource at this path; discovery is at /taxii2/")
	}
	if rest = strings.Trim(rest, "/"); rest != "" {
		c.path = strings.Split(rest, "/")
	}
	at := func(i int, word string) bool { return len(c.path) > i && c.path[i] == word }
	switch n := len(c.path); {
	case n == 0:
		return c.on(method{http.MethodGet: c.apiRoot})
	case n == 2 && at(0, "status"):
		return c.on(method{http.MethodGet: c.status})
	case n == 1 && at(0, "collections"):
		return c.on(method{http.MethodGet: c.collections})
	case n == 2 && at(0, "collections"):
		return c.on(method{http.MethodGet: c.collection})
	case n == 3 && at(0, "collections") && at(2, "manifest"):
		return c.on(method{http.MethodGet: c.manifest})
	case n == 3 && at(0, "collections") && at(2, "objects"):
		return c.on(method{http.MethodGet: c.objects, http.MethodPost: c.add})
	case n == 4 && at(0, "collections") && at(2, "objects"):
		return c.on(method{http.MethodGet: c.object, http.MethodDelete: c.remove})
	case n == 5 && at(0, "collections") && at(2, "objects") && at(4, "versions"):
		return c.on(method{http.MethodGet: c.versions})
	}
	return notFound("there is no resource at this path of the API root")
}

// method is what a resource can be asked.
type method map[string]func() error

func (c *call) on(m method) error {
	asked := c.r.Method
	if asked == http.MethodHead {
		asked = http.MethodGet
	}
	if fn := m[asked]; fn != nil {
		return fn()
	}
	var allowed []string
	for _, name := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if m[name] != nil {
			allowed = append(allowed, name)
		}
	}
	c.w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &refusal{http.StatusMethodNotAllowed, "Method not allowed", "this resource can be asked by " + strings.Join(allowed, ", ")}
}

// body reads what was sent, within the limit that the API root tells, section 5.5.
func (c *call) body() ([]byte, error) {
	tooLarge := &refusal{http.StatusRequestEntityTooLarge, "Too large", fmt.Sprintf("a body has at most %d bytes, max_content_length of the API root: send the objects in several", c.cfg.MaxContent)}
	if c.r.ContentLength > c.cfg.MaxContent {
		return nil, tooLarge
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, c.cfg.MaxContent))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge
	}
	if err != nil {
		return nil, badRequest("the body ended before it was complete")
	}
	return b, nil
}
