// Package server is the local face of a node: an HTTP API for the tools of its own party.
// It must never be reached by another party, nor tell a caller more of an error than what he can do about it.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strings"

	"detente/api"
	"detente/api/compose"
	"detente/api/view"
	"detente/floor"
	"detente/floor/release"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/officer"
	"detente/party"
	"detente/standing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"golang.org/x/text/language"
)

// Config is what the API is made of.
type Config struct {
	Node *node.Node
	// Floor is the watch floor around the node.
	Floor *floor.Floor
	// Standing is what stands beside it: checks, directory, suspensions. nil makes one.
	Standing *standing.Standing
	// Keyring reads the key file anew, for a charter with new keys. nil where the keys cannot change.
	Keyring func(*party.Charter) (*party.Keyring, error)
	// Officers are who may ask beside the terminal. nil is a roll of the node's own, to which nobody signs in by a console.
	Officers *officer.Roll
	// Releases is where drafts wait for a second person. nil makes one; whoever gives one runs it.
	Releases *release.Desk
	// Journal takes what is done here. nil keeps none.
	Journal *journal.Journal
	Version string // of the program
	// Stopping is closed when the process is told to stop, so that streams end. nil is never.
	Stopping <-chan struct{}
	Log      *slog.Logger // nil discards
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	cfg     Config
	node    *node.Node
	floor   *floor.Floor
	stands  *standing.Standing
	log     *slog.Logger
	phrases *form.Phrasebook
	api     huma.API
	mux     *http.ServeMux
	rights  map[string][]officer.Action // which actions permit an operation, by its id
	rules   []Rule

	refusals sparing
}

// Extension registers the operations of another package on a server.
type Extension func(*Server)

// New makes a server. Each extension adds its operations to those that are here. Error: form.ErrRegime for phrases of this program that are not well formed.
func New(cfg Config, more ...Extension) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	phrases, err := Phrases()
	if err != nil {
		return nil, err
	}
	if cfg.Officers == nil {
		if cfg.Officers, err = officer.New(officer.Config{DB: cfg.Node.DB}); err != nil {
			return nil, err
		}
	}
	if cfg.Standing == nil && cfg.Floor != nil {
		cfg.Standing = standing.New(cfg.Floor, cfg.Log)
	}
	if cfg.Releases == nil {
		cfg.Releases = release.New(cfg.Node, cfg.Officers, cfg.Journal, cfg.Log)
	}
	if cfg.Standing != nil {
		cfg.Releases.Permit = cfg.Standing.Permit
	}
	s := &Server{cfg: cfg, node: cfg.Node, floor: cfg.Floor, stands: cfg.Standing, log: cfg.Log, phrases: phrases, mux: http.NewServeMux(), rights: make(map[string][]officer.Action), rules: rules()}
	c := huma.DefaultConfig("Detente", "1")
	c.Info.Description = "The local API of one node. It is for the tools of the party that runs the node; between parties travels only docs/protocol.md."
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", compose.SchemaName)
	c.CreateHooks = nil // no links to schemas in answers
	c.DocsPath, c.SchemasPath = "", ""
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{problems}
	s.api = humago.New(s.mux, c)
	s.register()
	for _, extend := range more {
		extend(s)
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		write(w, &api.Problem{Status: http.StatusNotFound, Code: "no-such-request", Detail: r.Method + " " + r.URL.Path + " is no request", Hint: "openapi.yaml describes every request"})
	})
	for _, name := range []string{"ErrorModel", "ErrorDetail"} { // huma's own, in whose place stands Problem
		delete(s.api.OpenAPI().Components.Schemas.Map(), name)
	}
	return s, nil
}

// Handler answers whoever calls as the terminal, and who shows a session's or an officer's token as that officer: it is for a unix socket, whose file
// mode says who may, and for this process.
func (s *Server) Handler() http.Handler { return s.admit(true, "") }

// Guarded answers only who shows a session's or an officer's token. It is for a face that speaks for others, such as the console: whatever such a
// face forgets to show, it is never taken for the terminal.
func (s *Server) Guarded() http.Handler { return s.admit(false, "") }

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
	s.registerOfficers()
	s.registerReleases()
	s.registerWatch()
	s.registerChecks()
	s.registerDirectory()
	s.registerStanding()
}

// Viewer turns what is held into what a reader of lang sees, for one request.
func (s *Server) Viewer(ctx context.Context, lang language.Tag) *view.Viewer {
	return view.New(ctx, s.node, s.stands, s.phrases, lang)
}

// body is an answer in JSON.
type body[T any] struct{ Body T }

// file is an answer in bytes.
type file struct {
	Type string `header:"Content-Type"`
	Body []byte
}

// None is a request without parameters.
type None struct{}

// Request is one operation of the API. Only the function Operation makes one, so none is registered that says not what it takes to be permitted.
type Request struct {
	huma.Operation
	may   []officer.Action // any of them suffices
	quiet bool             // it changes nothing, or its verb records it in a form of its own
}

// Operation names one request, and what whoever asks must be permitted to do: an action, or one of several. The tag groups it in the description.
func Operation(s *Server, may officer.Action, tag, method, path, id, summary string, also ...officer.Action) Request {
	r := Request{may: append([]officer.Action{may}, also...), quiet: method == http.MethodGet}
	s.rights[id] = r.may
	r.Operation = huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tag}, Middlewares: huma.Middlewares{s.require(r.may)},
		MaxBodyBytes: maxBody, BodyReadTimeout: -1,
		Responses: map[string]*huma.Response{
			"default": {Description: "Why not, and what to do.", Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Problem](), true, "Problem")},
			}},
		},
	}
	return r
}

// Recorded is the same request for a verb that writes its own entry in the journal.
func (r Request) Recorded() Request {
	r.quiet = true
	return r
}

// maxBody is the most bytes of a request: an attachment of 64 MiB in base64, or a pouch.
const maxBody = 128 << 20

// Handle registers a request that is answered in JSON.
func Handle[I, O any](s *Server, op Request, fn func(context.Context, officer.Actor, *I) (O, error)) {
	huma.Register(s.api, op.Operation, func(ctx context.Context, in *I) (*body[O], error) {
		by := actor(ctx)
		out, err := fn(ctx, by, in)
		if err != nil {
			if errors.Is(err, officer.ErrRole) {
				s.declined(ctx, by, op.OperationID, op.Method, op.may)
			}
			return nil, s.problem(op.OperationID, err)
		}
		if !op.quiet {
			s.journal(ctx, by, op, subject(in))
		}
		return &body[O]{out}, nil
	})
}

// subject is what a request is about, as its path has it.
func subject(in any) string {
	var words []string
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); v.Type().Field(i).Tag.Get("path") != "" && f.Kind() == reflect.String {
			words = append(words, f.String())
		}
	}
	return strings.Join(words, " ")
}

// HandleFile registers a request that is answered with a file.
func HandleFile[I any](s *Server, op Request, mediaType string, fn func(context.Context, officer.Actor, *I) ([]byte, error)) {
	op.Responses["200"] = &huma.Response{Description: "The file.", Content: map[string]*huma.MediaType{
		mediaType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}
	huma.Register(s.api, op.Operation, func(ctx context.Context, in *I) (*file, error) {
		b, err := fn(ctx, actor(ctx), in)
		if err != nil {
			return nil, s.problem(op.OperationID, err)
		}
		return &file{mediaType, b}, nil
	})
}
