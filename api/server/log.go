package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"detente/api"
	"detente/api/view"
	"detente/floor"
	"detente/officer"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

// logging narrows the watch log.
type logging struct {
	Post  traffic.Post `query:"post" doc:"Empty for every post."`
	Kind  string       `query:"kind" doc:"Form of the internal regime: item, call, handover, entry, officer, session, release, action, roster, override, plan."`
	From  time.Time    `query:"from"`
	Until time.Time    `query:"until"`
	Limit int          `query:"limit" default:"200" minimum:"1" maximum:"100000"`
	Lang  string       `query:"lang" default:"en"`
}

func (s *Server) registerLog() {
	const tag = "watch"
	Handle(s, Operation(s, officer.Read, tag, http.MethodGet, "/v1/handovers", "list-handovers", "Hand-overs: those that wait for a signature first", officer.Log), s.handovers)
	Handle(s, Operation(s, officer.Handover, tag, http.MethodPost, "/v1/handovers", "hand-over", "Begin to hand the watch of a post over").Recorded(), s.handOver)
	Handle(s, Operation(s, officer.Log, tag, http.MethodGet, "/v1/log", "list-log", "The watch log, the newest first"), s.logLines)
	Handle(s, Operation(s, officer.Note, tag, http.MethodPost, "/v1/log", "note", "Write a note into the watch log").Recorded(), s.note)
	HandleFile(s, Operation(s, officer.Log, tag, http.MethodGet, "/v1/log.txt", "print-log", "The watch log to be printed, the oldest first", officer.Export),
		"text/plain; charset=utf-8", s.logText)
	HandleFile(s, Operation(s, officer.Export, tag, http.MethodGet, "/v1/log.csv", "export-log", "The watch log as CSV, the oldest first"), "text/csv", s.logCSV)
	HandleFile(s, Operation(s, officer.Export, tag, http.MethodGet, "/v1/log.json", "export-log-json", "The watch log as lines of JSON, the oldest first"),
		"application/x-ndjson", s.logJSON)
}

func (s *Server) handovers(ctx context.Context, _ officer.Actor, in *struct {
	Post traffic.Post `query:"post" doc:"Empty for every post."`
	Lang string       `query:"lang" default:"en"`
}) ([]api.Handover, error) {
	list, err := s.floor.HandoverList(ctx, in.Post)
	out := []api.Handover{}
	for _, h := range list {
		out = append(out, s.viewHandover(ctx, h, language.Make(in.Lang)))
	}
	return out, err
}

func (s *Server) handOver(ctx context.Context, by officer.Actor, in *struct {
	Lang string `query:"lang" default:"en"`
	Body api.HandoverRequest
}) (api.Handover, error) {
	role, err := must(by, officer.Handover, in.Body.Post, "")
	if err != nil {
		return api.Handover{}, err
	}
	off := in.Body.Off
	if off == "" && !by.Terminal() {
		off = by.ID
	}
	h, err := s.floor.HandOver(ctx, in.Body.Post, off, in.Body.On, in.Body.Remarks, floor.By{Officer: by.ID, Role: role})
	if err != nil {
		return api.Handover{}, err
	}
	return s.viewHandover(ctx, h, language.Make(in.Lang)), nil
}

func (s *Server) viewHandover(ctx context.Context, h floor.Handover, lang language.Tag) api.Handover {
	out := api.Handover{
		ID: h.ID, Post: h.Post, Off: h.Off, On: h.On, Items: s.items(h.Items, lang), Text: s.Viewer(ctx, lang).Open(h.Open), Remarks: h.Remarks, Signed: h.Signed, At: h.At,
	}
	if out.Signed == nil {
		out.Signed = []string{}
	}
	return out
}

func (l *logging) filter() floor.LogFilter {
	return floor.LogFilter{Post: l.Post, Kind: l.Kind, From: l.From, Until: l.Until, Limit: l.Limit}
}

// log gives what whoever asks may read: what concerns the posts at which he may.
func (s *Server) readLog(ctx context.Context, by officer.Actor, in *logging) ([]api.LogEntry, error) {
	lines, err := s.floor.Log(ctx, in.filter())
	words := s.Viewer(ctx, language.Make(in.Lang))
	out, numbers := []api.LogEntry{}, make(map[statement.ID]string)
	for _, l := range lines {
		if by.May(officer.Log, l.Post) || by.May(officer.Export, l.Post) {
			e := words.LogEntry(l)
			e.Number = s.numberOf(ctx, l.Statement, numbers)
			out = append(out, e)
		}
	}
	return out, err
}

func (s *Server) logLines(ctx context.Context, by officer.Actor, in *logging) ([]api.LogEntry, error) {
	return s.readLog(ctx, by, in)
}

// numberOf is the number of the statement that an entry of the log is about; empty where it is about none. What was found stays in known.
func (s *Server) numberOf(ctx context.Context, entry *statement.Statement, known map[statement.ID]string) string {
	if len(entry.Refs) == 0 {
		return ""
	}
	about := entry.Refs[0]
	name, ok := known[about]
	if !ok {
		if h, err := s.node.Statement(ctx, about); err == nil && h.Statement != nil {
			name = traffic.Number(h.Statement.Issuer, h.Feed, h.Index)
		}
		known[about] = name
	}
	return name
}

func (s *Server) note(ctx context.Context, by officer.Actor, in *struct {
	Lang string `query:"lang" default:"en"`
	Body api.LogRequest
}) (api.LogEntry, error) {
	role, err := must(by, officer.Note, in.Body.Post, "")
	if err != nil {
		return api.LogEntry{}, err
	}
	l, err := s.floor.Note(ctx, in.Body.Post, in.Body.Text, floor.By{Officer: by.ID, Role: role})
	if err != nil {
		return api.LogEntry{}, err
	}
	return s.Viewer(ctx, language.Make(in.Lang)).LogEntry(l), nil
}

// forward is the log with the oldest line first, as it is printed.
func (s *Server) forward(ctx context.Context, by officer.Actor, in *logging) ([]api.LogEntry, error) {
	list, err := s.readLog(ctx, by, in)
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list, err
}

func (s *Server) logText(ctx context.Context, by officer.Actor, in *logging) ([]byte, error) {
	list, err := s.forward(ctx, by, in)
	if err != nil {
		return nil, err
	}
	return view.LogText(list), nil
}

func (s *Server) logCSV(ctx context.Context, by officer.Actor, in *logging) ([]byte, error) {
	list, err := s.forward(ctx, by, in)
	if err != nil {
		return nil, err
	}
	return s.Viewer(ctx, language.Make(in.Lang)).LogCSV(list)
}

func (s *Server) logJSON(ctx context.Context, by officer.Actor, in *logging) ([]byte, error) {
	list, err := s.forward(ctx, by, in)
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	for _, e := range list {
		if err := lines.Encode(e); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), err
}
