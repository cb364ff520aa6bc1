package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"detente/api"
	"detente/floor"
	"detente/form"
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
	handle(s, operation(s, officer.Read, tag, http.MethodGet, "/v1/handovers", "list-handovers", "Hand-overs: those that wait for a signature first", officer.Log), s.handovers)
	handle(s, operation(s, officer.Handover, tag, http.MethodPost, "/v1/handovers", "hand-over", "Begin to hand the watch of a post over").recorded(), s.handOver)
	handle(s, operation(s, officer.Log, tag, http.MethodGet, "/v1/log", "list-log", "The watch log, the newest first"), s.logLines)
	handle(s, operation(s, officer.Note, tag, http.MethodPost, "/v1/log", "note", "Write a note into the watch log").recorded(), s.note)
	handleFile(s, operation(s, officer.Log, tag, http.MethodGet, "/v1/log.txt", "print-log", "The watch log to be printed, the oldest first", officer.Export),
		"text/plain; charset=utf-8", s.logText)
	handleFile(s, operation(s, officer.Export, tag, http.MethodGet, "/v1/log.csv", "export-log", "The watch log as CSV, the oldest first"), "text/csv", s.logCSV)
	handleFile(s, operation(s, officer.Export, tag, http.MethodGet, "/v1/log.json", "export-log-json", "The watch log as lines of JSON, the oldest first"),
		"application/x-ndjson", s.logJSON)
}

func (s *Server) handovers(ctx context.Context, _ officer.Actor, in *struct {
	Post traffic.Post `query:"post" doc:"Empty for every post."`
	Lang string       `query:"lang" default:"en"`
}) ([]api.Handover, error) {
	list, err := s.floor.HandoverList(ctx, in.Post)
	out := []api.Handover{}
	for _, h := range list {
		out = append(out, s.viewHandover(h, language.Make(in.Lang)))
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
	return s.viewHandover(h, language.Make(in.Lang)), nil
}

func (s *Server) viewHandover(h floor.Handover, lang language.Tag) api.Handover {
	out := api.Handover{
		ID: h.ID, Post: h.Post, Off: h.Off, On: h.On, Items: s.items(h.Items, lang), Text: h.Text, Remarks: h.Remarks, Signed: h.Signed, At: h.At,
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
	out, numbers := []api.LogEntry{}, make(map[statement.ID]string)
	for _, l := range lines {
		if by.May(officer.Log, l.Post) || by.May(officer.Export, l.Post) {
			e := s.logEntry(l, language.Make(in.Lang))
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

// logEntry is a line of the log in its reader's words: the form's, and what stands in its fields beside those that have a column of their own.
func (s *Server) logEntry(l floor.LogLine, lang language.Tag) api.LogEntry {
	out := api.LogEntry{Index: l.Index, At: l.At, Post: l.Post, Kind: l.Kind, By: l.By, Human: l.Human, Text: l.Kind, Proof: l.Statement.ID().String()}
	for _, id := range l.Statement.Refs {
		out.Refs = append(out.Refs, id.String())
	}
	_, regime, err := s.node.Channel(l.Statement.Channel)
	if err != nil {
		return out
	}
	v := maps.Clone(l.Values)
	for _, unsaid := range []string{"post", "by", "key", "digest", "statement", "credential", "assertion", "approvals"} {
		delete(v, unsaid) // columns of their own, and what only a program reads
	}
	original, _ := language.Parse(l.Statement.Language)
	d := regime.Render(form.Message{Form: l.Form, Values: v, Precedence: traffic.Routine, Plane: traffic.Real, Original: original}, lang)
	var parts []string
	for _, item := range d.Items {
		var runs []string
		for _, r := range item.Runs {
			runs = append(runs, r.Text)
		}
		parts = append(parts, item.Label+": "+strings.Join(runs, " "))
	}
	out.Text = d.Title
	if len(parts) > 0 {
		out.Text += ". " + strings.Join(parts, "; ")
	}
	return out
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
	return s.logEntry(l, language.Make(in.Lang)), nil
}

// forward is the log with the oldest line first, as it is printed.
func (s *Server) forward(ctx context.Context, by officer.Actor, in *logging) ([]api.LogEntry, error) {
	list, err := s.readLog(ctx, by, in)
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list, err
}

// mark tells on paper what a person did from what a machine did.
func mark(human bool) string {
	if human {
		return "●"
	}
	return "○"
}

func (s *Server) logText(ctx context.Context, by officer.Actor, in *logging) ([]byte, error) {
	list, err := s.forward(ctx, by, in)
	var b bytes.Buffer
	for _, e := range list {
		fmt.Fprintf(&b, "%6d  %s  %-10s  %s %-16s  %s  [%.12s]\n", e.Index, form.DTG(e.At), e.Post, mark(e.Human), e.By, strings.ReplaceAll(strings.TrimSpace(e.Number+" "+e.Text), "\n", " / "), e.Proof)
	}
	return b.Bytes(), err
}

func (s *Server) logCSV(ctx context.Context, by officer.Actor, in *logging) ([]byte, error) {
	list, err := s.forward(ctx, by, in)
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"index", "at", "post", "kind", "by", "human", "text", "refs", "proof"})
	for _, e := range list {
		w.Write([]string{
			strconv.FormatInt(e.Index, 10), e.At.UTC().Format(time.RFC3339), string(e.Post), e.Kind, e.By, strconv.FormatBool(e.Human), harmless(e.Text),
			strings.Join(e.Refs, " "), e.Proof,
		})
	}
	w.Flush()
	return b.Bytes(), cmp.Or(err, w.Error())
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(text string) string {
	if strings.IndexAny(text, "=+-@\t\r") == 0 {
		return "'" + text
	}
	return text
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
