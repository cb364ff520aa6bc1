package server

import (
	"context"

	"detente/api"
	"detente/archive"

	"golang.org/x/text/language"
)

// View shows a statement that tests have made up.
func (s *Server) View(ctx context.Context, h archive.Held) (api.Statement, error) {
	return s.viewer(ctx, language.English).statement(h)
}
