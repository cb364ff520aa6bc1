package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/audit"
	"detente/feed"
	"detente/node"
	"detente/officer"
	"detente/traffic"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"
)

func (s *Server) registerTasks() {
	const tag = "tasks"
	stream(s, Operation(s, officer.Inspect, tag, http.MethodPost, "/v1/audit", "audit", "Verify everything that is held, from the bytes"), s.audit)
	stream(s, Operation(s, officer.System, tag, http.MethodPost, "/v1/rebuild", "rebuild", "Fold every dossier anew from the feeds"), s.rebuild)
	stream(s, Operation(s, officer.System, tag, http.MethodPost, "/v1/recover", "recover", "Fetch from the peers what this node has lost"), s.recover)
	Handle(s, Operation(s, officer.System, tag, http.MethodPost, "/v1/epochs", "open-epoch", "Leave an own feed whose lost entries nobody can give back"), s.openEpoch)
	op := Operation(s, officer.Read, tag, http.MethodGet, "/v1/events", "events", "An event when something was stored", officer.Inspect)
	sse.Register(s.api, op.Operation, map[string]any{"change": api.Change{}}, s.events)
}

// stream registers a long task. Its answer is JSON, a line at a time: progress, and at last the result or a problem.
func stream[O any](s *Server, op Request, run func(ctx context.Context, progress func(done, of int64)) (O, error)) {
	op.Responses["200"] = &huma.Response{Description: "A line of progress at a time, the last with the result.", Content: map[string]*huma.MediaType{
		"application/x-ndjson": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Progress[O]](), true, op.OperationID)},
	}}
	huma.Register(s.api, op.Operation, func(ctx context.Context, _ *None) (*huma.StreamResponse, error) {
		s.journal(ctx, actor(ctx), op, "")
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", "application/x-ndjson")
			ctx, cancel := s.stoppable(c.Context())
			defer cancel()
			w := c.BodyWriter()
			var last api.Progress[O]
			var told time.Time
			say := func(p api.Progress[O]) {
				last = p
				line, err := json.Marshal(p)
				if err != nil {
					s.log.Error("progress", "operation", op.OperationID, "reason", err)
					return
				}
				if _, err := w.Write(append(line, '\n')); err != nil {
					cancel() // nobody listens any more
				}
				if f, ok := w.(http.Flusher); ok {
					f.Flush()
				}
			}
			out, err := run(ctx, func(done, of int64) {
				if time.Since(told) > 100*time.Millisecond {
					told = time.Now()
					say(api.Progress[O]{Done: done, Of: of})
				}
			})
			end := api.Progress[O]{Done: last.Done, Of: last.Of}
			if err != nil {
				end.Problem = s.problem(op.OperationID, err)
			} else {
				end.Result, end.Done = &out, end.Of
			}
			say(end)
		}}, nil
	})
}

// stoppable ends with the request, or when the process is told to stop.
func (s *Server) stoppable(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if s.cfg.Stopping == nil {
		return ctx, cancel
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
		case <-s.cfg.Stopping:
			cancel()
		}
	}()
	return ctx, func() { cancel(); <-done }
}

func (s *Server) audit(ctx context.Context, progress func(done, of int64)) (audit.Report, error) {
	return s.node.Audit(ctx, progress)
}

func (s *Server) rebuild(ctx context.Context, progress func(done, of int64)) (api.Rebuilt, error) {
	checked, differing, err := s.node.Rebuild(ctx, func(done, of int) { progress(int64(done), int64(of)) })
	out := api.Rebuilt{Checked: checked, Differing: []string{}}
	for _, d := range differing {
		out.Differing = append(out.Differing, d.ID.String())
	}
	return out, err
}

func (s *Server) recover(ctx context.Context, progress func(done, of int64)) (node.Recovery, error) {
	if s.cfg.Journal != nil {
		if err := s.cfg.Journal.Reopen(ctx); err != nil {
			return node.Recovery{}, err
		}
	}
	return s.node.Recover(ctx, func(r node.Recovery) {
		var missing int64
		for _, m := range r.Behind {
			missing += m.Signed - m.Held
		}
		progress(r.Restored, r.Restored+missing)
	})
}

func (s *Server) openEpoch(ctx context.Context, by officer.Actor, in *struct{ Body api.EpochRequest }) (api.Sent, error) {
	f, err := traffic.ParseOrigin(in.Body.Feed)
	if err != nil {
		return api.Sent{}, err
	}
	if !by.Terminal() {
		if in.Body.By, err = must(by, officer.System, in.Body.Post, in.Body.By); err != nil {
			return api.Sent{}, err
		}
	}
	if in.Body.Reason == "" || in.Body.By == "" || in.Body.Post == "" {
		return api.Sent{}, fmt.Errorf("%w: an epoch is opened by a post, on somebody's authority, for a reason", compose.ErrRequest)
	}
	if f.Party != s.node.Self() {
		return api.Sent{}, fmt.Errorf("%w: %s", feed.ErrNoFeed, f.Origin())
	}
	sent, err := s.node.NewEpoch(ctx, f, in.Body.Post, in.Body.By, in.Body.Reason)
	if err != nil {
		return api.Sent{}, err
	}
	return s.viewSent(sent, in.Body.Post), nil
}

// events says that something was stored, once for all that was stored meanwhile.
func (s *Server) events(ctx context.Context, _ *None, send sse.Sender) {
	for {
		changed := s.node.Changed()
		entries, err := s.node.Entries(ctx)
		if err != nil {
			return
		}
		alarms, err := s.node.Alarms(ctx)
		if err != nil || send.Data(api.Change{Statements: entries, Alarms: len(alarms)}) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.cfg.Stopping: // never, when nil
			return
		case <-changed:
		}
	}
}
