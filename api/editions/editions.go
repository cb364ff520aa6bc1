// Package editions is the requests of the local API by which a node keeps a register: it signs editions, and builds the site. An extension of api/server.
// It must never write where its caller has not said, nor build from a bundle that its own reader refuses.
package editions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/api/server"
	"detente/officer"
	"detente/party"
	"detente/register"
	"detente/register/keeper"
	"detente/statement"
	"detente/traffic"
)

// Limits of the files that a build reads.
const (
	maxWasm    = 64 << 20
	maxScript  = 1 << 20
	maxParties = 8 << 20
)

// EditionRequest asks for an edition of an instrument.
type EditionRequest struct {
	Instrument string       `json:"instrument" doc:"Beginning of the id of its opening, four digits or more"`
	Post       traffic.Post `json:"post,omitempty" doc:"Post that signs it, where several may"`
	Releaser   string       `json:"releaser,omitempty"`
}

// BuildRequest asks for the site.
type BuildRequest struct {
	Directory   string   `json:"directory" doc:"Where to, on the node's machine, named from its root"`
	Instruments []string `json:"instruments,omitempty" doc:"Beginnings of ids; all of which this party has signed an edition, if empty"`
	Verifier    string   `json:"verifier,omitempty" doc:"verifier.wasm, with wasm_exec.js beside it; none: the site says so"`
	Parties     string   `json:"parties,omitempty" doc:"File with the names and regions of participants"`
	NoTiles     bool     `json:"no_tiles,omitempty" doc:"Leave the feeds out"`
}

// Built is what a build has done.
type Built struct {
	register.Report
	Directory   string   `json:"directory"`
	Instruments []string `json:"instruments"`
	Verifier    bool     `json:"verifier"`
}

// Sign asks a node to sign an edition.
func Sign(ctx context.Context, c *api.Client, r EditionRequest) (api.Sent, error) {
	return api.Ask[api.Sent](ctx, c, http.MethodPost, "/v1/register/editions", r)
}

// Build asks a node to build the site.
func Build(ctx context.Context, c *api.Client, r BuildRequest) (Built, error) {
	return api.Ask[Built](ctx, c, http.MethodPost, "/v1/register/builds", r)
}

type desk struct {
	*server.Server
	keeper *keeper.Keeper
}

// Extend adds the requests to a server.
func Extend(k *keeper.Keeper) server.Extension {
	return func(s *server.Server) {
		const tag = "register"
		d := &desk{s, k}
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/register/editions", "sign-edition", "Sign which acts of an instrument this party holds"), d.sign)
		server.Handle(s, server.Operation(s, officer.System, tag, http.MethodPost, "/v1/register/builds", "build-register", "Write the register as files for a web server"), d.build)
		s.Teach(rules()...)
	}
}

func rules() []server.Rule {
	return []server.Rule{
		{Is: keeper.ErrNoInstrument, Status: http.StatusNotFound, Code: "no-instrument", Hint: "see them with: detente act list"},
		{Is: keeper.ErrNoEdition, Status: http.StatusNotFound, Code: "no-edition", Hint: "sign one first: detente register edition INSTRUMENT"},
		{Is: register.ErrNotOurs, Status: http.StatusConflict, Code: "not-a-register", Hint: "name a folder that is empty, or that an earlier build has written"},
		{Is: register.ErrUnproved, Status: http.StatusConflict, Code: "bundle-unproved", Hint: "detente audit says what is wrong with what is held"},
	}
}

func (d *desk) sign(ctx context.Context, by officer.Actor, in *struct{ Body EditionRequest }) (api.Sent, error) {
	id, err := d.keeper.Find(ctx, in.Body.Instrument)
	if err != nil {
		return api.Sent{}, err
	}
	post, err := d.Speaker(party.PublicChannel(d.keeper.Node.Chain(d.keeper.Node.Self())), in.Body.Post)
	if err != nil {
		return api.Sent{}, err
	}
	role, err := server.Must(by, officer.Send, post)
	if err != nil {
		return api.Sent{}, err
	}
	sent, err := d.keeper.Edition(ctx, id, post, role, in.Body.Releaser, time.Now())
	if err != nil {
		return api.Sent{}, err
	}
	return d.Sent(sent, post), nil
}

func (d *desk) build(ctx context.Context, _ officer.Actor, in *struct{ Body BuildRequest }) (Built, error) {
	r := in.Body
	out := Built{Directory: r.Directory, Instruments: []string{}}
	if !filepath.IsAbs(r.Directory) {
		return out, fmt.Errorf("%w: the directory is on the node's machine, and named from its root", compose.ErrRequest)
	}
	src, err := d.source(ctx, &r)
	if err != nil {
		return out, err
	}
	for _, i := range src.Instruments {
		out.Instruments = append(out.Instruments, i.Verdict.Instrument)
	}
	out.Verifier = src.Verifier != nil
	out.Report, err = register.Build(r.Directory, src)
	return out, err
}

// source gathers and reads the bundles.
func (d *desk) source(ctx context.Context, r *BuildRequest) (src register.Source, err error) {
	ids, err := d.chosen(ctx, r.Instruments)
	if err != nil {
		return src, err
	}
	reader := d.keeper.Reader()
	for _, id := range ids {
		bundle, err := d.keeper.Bundle(ctx, id)
		if errors.Is(err, keeper.ErrNoEdition) && len(r.Instruments) == 0 {
			continue // another keeps it
		}
		if err != nil {
			return src, err
		}
		i, err := register.Open(reader, bundle)
		if err != nil {
			return src, err
		}
		src.Instruments = append(src.Instruments, i)
	}
	var given map[traffic.Party]register.Party
	if r.Parties != "" {
		b, err := read(r.Parties, maxParties)
		if err != nil {
			return src, err
		}
		if given, err = register.ReadParties(b); err != nil {
			return src, fmt.Errorf("%w: %w", compose.ErrRequest, err)
		}
	}
	src.Parties = d.keeper.Names(src.Instruments, given)
	if !r.NoTiles {
		src.Tiles = d.keeper.Tiles(ctx, src.Instruments)
	}
	src.Verifier, err = verifier(r.Verifier)
	return src, err
}

func (d *desk) chosen(ctx context.Context, prefixes []string) ([]statement.ID, error) {
	if len(prefixes) == 0 {
		return d.keeper.Instruments(ctx)
	}
	var out []statement.ID
	for _, p := range prefixes {
		id, err := d.keeper.Find(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

// verifier reads the program for browsers and the script that starts it, which stands beside it.
func verifier(path string) (*register.Verifier, error) {
	if path == "" {
		return nil, nil
	}
	wasm, err := read(path, maxWasm)
	if err != nil {
		return nil, err
	}
	script, err := read(filepath.Join(filepath.Dir(path), "wasm_exec.js"), maxScript)
	if err != nil {
		return nil, err
	}
	return &register.Verifier{Wasm: wasm, Exec: script}, nil
}

func read(path string, most int64) ([]byte, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("%w: %s is on the node's machine, and named from its root", compose.ErrRequest, path)
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", compose.ErrRequest, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%w: %s has more than %d bytes", compose.ErrRequest, path, most)
	}
	return b, err
}
