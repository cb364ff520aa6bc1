package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"detente/form"
	"detente/officer"
)

// What is done through this face, and what it refuses, goes into the party's journal.

// journal records what somebody did. An entry that cannot be kept does not undo what was done: the log of the process has it then.
func (s *Server) journal(ctx context.Context, by officer.Actor, op Request, text string) {
	s.enter(ctx, by, op.OperationID, "done", op.may, text)
}

// declined records that somebody asked for what his roles do not permit, and that would have changed something: once a minute for each officer and operation, so
// that nobody fills the journal with what he is refused. Looking at what one may not see is not recorded: a console asks for it unasked.
func (s *Server) declined(ctx context.Context, by officer.Actor, operation, method string, may []officer.Action) {
	if method != http.MethodGet && by.ID != "" && s.refusals.first(by.ID+" "+operation, time.Now()) {
		s.enter(ctx, by, operation, "refused", may, "")
	}
}

func (s *Server) enter(ctx context.Context, by officer.Actor, operation, outcome string, may []officer.Action, text string) {
	if s.cfg.Journal == nil {
		return
	}
	role := "terminal"
	if !by.Terminal() {
		role = by.ID
		for _, a := range append(may[:len(may):len(may)], officer.Self) {
			if r := by.Role(a, "", ""); r != "" {
				role = r
				break
			}
		}
	}
	v := form.Values{"what": operation, "by": by.ID, "role": role, "outcome": outcome}
	if text = form.Clean(text, true, 1000); text != "" {
		v["text"] = text
	}
	if _, err := s.cfg.Journal.Record(context.WithoutCancel(ctx), "", role, "action", v); err != nil {
		s.log.Error("the journal cannot be written", "operation", operation, "by", by.ID, "reason", err)
	}
}

// sparing lets a thing pass once in a while. Its zero value has let nothing pass yet.
type sparing struct {
	mu   sync.Mutex
	last map[string]time.Time
}

const (
	sparingFor = time.Minute
	sparingOf  = 4096 // so many things are remembered, before all are forgotten
)

func (s *sparing) first(thing string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.last[thing]) < sparingFor {
		return false
	}
	if s.last == nil || len(s.last) >= sparingOf {
		s.last = make(map[string]time.Time)
	}
	s.last[thing] = now
	return true
}
