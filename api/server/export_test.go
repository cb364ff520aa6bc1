package server

import (
	"context"

	"detente/api"
	"detente/archive"
	"detente/officer"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/language"
)

// View shows a statement that tests have made up.
func (s *Server) View(ctx context.Context, h archive.Held) (api.Statement, error) {
	return s.Viewer(ctx, language.English).Statement(h)
}

// Rights tells which actions permit each operation.
func (s *Server) Rights() map[string][]officer.Action { return s.rights }

// Officers is the roll that the server asks.
func (s *Server) Officers() *officer.Roll { return s.cfg.Officers }

// Operations calls fn for every operation.
func (s *Server) Operations(fn func(id, method, path string)) {
	for path, item := range s.api.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete, "PATCH": item.Patch} {
			if op != nil {
				fn(op.OperationID, method, path)
			}
		}
	}
}
