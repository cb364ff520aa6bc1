// Package server is the local face of a node: an HTTP API for the tools of its own party.
// It must never be reached by another party, nor tell a caller more of an error than what he can do about it.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"

	"detente/api"
	"detente/form"
	"detente/node"
	"detente/party"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Config is what the API is made of.
type Config struct {
	Node *node.Node
	// Keyring reads the key file anew, for a charter with new keys. nil where the keys cannot change.
	Keyring func(*party.Charter) (*party.Keyring, error)
	Version string // of the program
	// Stopping is closed when the process is told to stop, so that streams end. nil is never.
	Stopping <-chan struct{}
	Log      *slog.Logger // nil discards
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	cfg     Config
	node    *node.Node
	log     *slog.Logger
	phrases *form.Phrasebook
	api     huma.API
	mux     *http.ServeMux
}

// New makes a server. Error: form.ErrRegime for phrases of this program that are not well formed.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	phrases, err := loadPhrases()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, node: cfg.Node, log: cfg.Log, phrases: phrases, mux: http.NewServeMux()}
	c := huma.DefaultConfig("Detente", "1")
	c.Info.Description = "The local API of one node. It is for the tools of the party that runs the node; between parties travels only docs/protocol.md."
	c.CreateHooks = nil // no links to schemas in answers
	c.DocsPath, c.SchemasPath = "", ""
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{problems}
	s.api = humago.New(s.mux, c)
	s.register()
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		write(w, &api.Problem{Status: http.StatusNotFound, Code: "no-such-request", Detail: r.Method + " " + r.URL.Path + " is no request", Hint: "openapi.yaml describes every request"})
	})
	for _, name := range []string{"ErrorModel", "ErrorDetail"} { // huma's own, in whose place stands Problem
		delete(s.api.OpenAPI().Components.Schemas.Map(), name)
	}
	return s, nil
}

// Handler answers without asking who calls: it is for a unix socket, whose file mode says who may, and for this process.
func (s *Server) Handler() http.Handler { return s.mux }

// OpenAPI describes the API, version 3.1, in YAML.
func (s *Server) OpenAPI() ([]byte, error) { return s.api.OpenAPI().YAML() }

// register is the table of contents of the API.
func (s *Server) register() {
	s.registerStatus()
	s.registerCharters()
	s.registerChannels()
	s.registerStatements()
	s.registerPouches()
	s.registerLinks()
	s.registerTasks()
}

// body is an answer in JSON.
type body[T any] struct{ Body T }

// file is an answer in bytes.
type file struct {
	Type string `header:"Content-Type"`
	Body []byte
}

// none is a request without parameters.
type none struct{}

// operation names one request; the tag groups it in the description.
func operation(s *Server, tag, method, path, id, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tag},
		MaxBodyBytes: maxBody, BodyReadTimeout: -1,
		Responses: map[string]*huma.Response{
			"default": {Description: "Why not, and what to do.", Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Problem](), true, "Problem")},
			}},
		},
	}
}

// maxBody is the most bytes of a request: an attachment of 64 MiB in base64, or a pouch.
const maxBody = 128 << 20

// handle registers a request that is answered in JSON.
func handle[I, O any](s *Server, op huma.Operation, fn func(context.Context, *I) (O, error)) {
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*body[O], error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, s.problem(op.OperationID, err)
		}
		return &body[O]{out}, nil
	})
}

// handleFile registers a request that is answered with a file.
func handleFile[I any](s *Server, op huma.Operation, mediaType string, fn func(context.Context, *I) ([]byte, error)) {
	op.Responses["200"] = &huma.Response{Description: "The file.", Content: map[string]*huma.MediaType{
		mediaType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*file, error) {
		b, err := fn(ctx, in)
		if err != nil {
			return nil, s.problem(op.OperationID, err)
		}
		return &file{mediaType, b}, nil
	})
}
