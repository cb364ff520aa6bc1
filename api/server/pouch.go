package server

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"

	"detente/api"
	"detente/node"
	"detente/officer"
	"detente/route"
	"detente/traffic"
)

func (s *Server) registerPouches() {
	Handle(s, Operation(s, officer.System, "pouches", http.MethodPost, "/v1/pouches/{party}", "export-pouch",
		"What a peer has not receipted, as a file for somebody to take along"), s.exportPouch)
	Handle(s, Operation(s, officer.System, "pouches", http.MethodPost, "/v1/pouches", "import-pouch", "Take in a pouch file, as often as it is brought"), s.importPouch)
}

func (s *Server) exportPouch(ctx context.Context, _ officer.Actor, in *struct {
	Party traffic.Party `path:"party"`
}) (api.Pouched, error) {
	dir, err := os.MkdirTemp("", "detente-pouch-")
	if err != nil {
		return api.Pouched{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "out"+route.PouchSuffix)
	statements, err := s.node.ExportPouch(ctx, in.Party, path)
	if err != nil {
		return api.Pouched{}, err
	}
	b, err := os.ReadFile(path)
	return api.Pouched{Statements: statements, File: b}, err
}

func (s *Server) importPouch(ctx context.Context, _ officer.Actor, in *upload) (node.PouchReport, error) {
	return s.node.ImportPouch(ctx, bytes.NewReader(bytes.Clone(in.RawBody))) // the buffer is huma's
}
