package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"detente/api"
	"detente/officer"
	"detente/traffic"

	"github.com/danielgtaylor/huma/v2"
)

// This file is where it is decided who acts, and whether he may. Nothing else looks at a header.

// actorKey is where the resolved actor waits in a request's context, from admit to handle, which hands it on as a value.
type actorKey struct{}

// admit finds out who asks. Without a word about himself he is the terminal where open says so: on the unix socket and in this process, whose owner
// alone gets that far. nodeToken, if not empty, is the terminal's too. Any other token is a session's or an officer's.
func (s *Server) admit(open bool, nodeToken string) http.Handler {
	want := sha256.Sum256([]byte(nodeToken))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		have := sha256.Sum256([]byte(shown)) // of one length, whatever was shown
		by := officer.Terminal()
		switch {
		case r.Header.Get("Authorization") == "" && open:
		case nodeToken != "" && isBearer && subtle.ConstantTimeCompare(have[:], want[:]) == 1:
		case isBearer && officer.IsToken(shown):
			var err error
			if by, err = s.cfg.Officers.Actor(r.Context(), shown); err != nil {
				if errors.Is(err, officer.ErrSession) {
					w.Header().Set("WWW-Authenticate", "Bearer")
				}
				write(w, s.problem("admit", err))
				return
			}
		default:
			w.Header().Set("WWW-Authenticate", "Bearer")
			write(w, &api.Problem{
				Status: http.StatusUnauthorized, Code: "token", Detail: "the token is missing or wrong",
				Hint: "send Authorization: Bearer and the token that stands in the node's token file, or an officer's",
			})
			return
		}
		s.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, by)))
	})
}

// actor is who asks; nobody, who may do nothing, for a request that did not pass admit.
func actor(ctx context.Context) officer.Actor {
	by, _ := ctx.Value(actorKey{}).(officer.Actor)
	return by
}

// require lets a request pass only for whoever may do one of the actions at some post; its handler asks about the post itself.
func (s *Server) require(may []officer.Action) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		by := actor(c.Context())
		if slices.ContainsFunc(may, func(a officer.Action) bool { return by.May(a, "") }) {
			next(c)
			return
		}
		s.declined(c.Context(), by, c.Operation().OperationID, c.Operation().Method, may)
		p := s.problem(c.Operation().OperationID, refused(by, may[0], ""))
		c.SetHeader("Content-Type", p.ContentType("")) // before the status, which sends the headers off
		c.SetStatus(p.Status)
		json.NewEncoder(c.BodyWriter()).Encode(p)
	}
}

func refused(by officer.Actor, what officer.Action, post traffic.Post) error {
	if post == "" {
		return fmt.Errorf("%w: %s has none with the action %s", officer.ErrRole, by.ID, what)
	}
	return fmt.Errorf("%w: %s has none with the action %s at %s", officer.ErrRole, by.ID, what, post)
}

// must gives the duty role in which somebody does something at a post; wanted chooses among several. Error: officer.ErrRole.
func must(by officer.Actor, what officer.Action, post traffic.Post, wanted string) (role string, err error) {
	if role = by.Role(what, post, wanted); role == "" {
		return "", refused(by, what, post)
	}
	return role, nil
}
