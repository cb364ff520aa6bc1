// Package cases is the part of the local API that is about cases, what was announced, the codebook and the ledger.
// It must never state anything past the server that it registers on, which knows who may.
package cases

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"detente/api"
	"detente/api/compose"
	"detente/api/server"
	"detente/archive"
	"detente/casework"
	"detente/incident"
	"detente/ledger"
	"detente/node"
	"detente/officer"
	"detente/statement"
	"detente/traffic"
	"detente/transcript"
	"detente/transcript/pages"

	"golang.org/x/text/language"
)

// face answers what is asked about cases.
type face struct {
	server *server.Server
	work   *casework.Casework
	node   *node.Node
}

// errSeveral is returned where one channel of a case must be named: what was said on one is not for the members of another.
var errSeveral = errors.New("cases: the case is dealt with on several channels")

// mostFiles is how many bytes of attachments go into the file of a case; those that do not are in it by their hash.
const mostFiles = 32 << 20

// Register gives a server the operations on cases.
func Register(work *casework.Casework, n *node.Node) server.Extension {
	return func(s *server.Server) {
		f := &face{s, work, n}
		const tag = "cases"
		s.Teach(
			server.Rule{Is: casework.ErrNoCase, Status: http.StatusNotFound, Code: "no-case", Hint: "see the cases with: detente case list --all"},
			server.Rule{Is: casework.ErrAmbiguous, Status: http.StatusConflict, Code: "ambiguous-case", Hint: "give the whole number, or more digits"},
			server.Rule{Is: errSeveral, Status: http.StatusConflict, Code: "several-channels", Hint: "say of which channel, for its members alone: --channel NAME"},
			server.Rule{Is: casework.ErrNothing, Status: http.StatusConflict, Code: "no-step", Hint: "see what the case permits with: detente case show NUMBER"},
			server.Rule{Is: casework.ErrNoTable, Status: http.StatusConflict, Code: "no-cases-here", Hint: "choose a channel under the regime incidents/1: detente channel list"},
			server.Rule{Is: incident.ErrNumber, Status: http.StatusUnprocessableEntity, Code: "case-number", Hint: "a number is party/year-serial, such as xn/26-0007"},
		)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/cases", "list-cases", "Cases, those first in which something is due"), f.list)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/cases/tally", "tally-cases", "How many cases are open, and in how many something is due from here"), f.tally)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/cases", "open-case", "State what opens a case; the node gives it a number", officer.Commit), f.open)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/cases/{case}", "show-case", "A case with all that was said in it, on every channel"), f.show)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/cases/{case}/statements", "state-in-case", "State something in a case: the node finds what it is about", officer.Answer, officer.Acknowledge, officer.Commit), f.state)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/cases/{case}/report", "draft-case-report", "The fields of a report on a case, as far as the case gives them"), f.report)
		server.HandleFile(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/cases/{case}/file", "export-case", "A case on one channel in one file, that anyone can verify"), "application/cbor", f.export)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/calendar", "show-calendar", "Declared activities and windows of special caution"), f.calendar)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodPost, "/v1/observations", "match-observation", "Hold what was observed against what was declared").Recorded(), f.match)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/codebook", "show-codebook", "The short signals of a channel and their appropriate responses"), f.codebook)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/ledger", "show-ledger", "What was asked and answered in a period, the same at every member"), f.ledger)
	}
}

func (f *face) list(ctx context.Context, _ officer.Actor, in *struct {
	Channel string        `query:"channel" maxLength:"128"`
	Plane   traffic.Plane `query:"plane" enum:"real,exercise,test"`
	Open    bool          `query:"open"`
	Limit   int           `query:"limit" minimum:"0" doc:"at most so many; 0 for all"`
	Lang    string        `query:"lang" default:"en" maxLength:"64"`
}) ([]api.Case, error) {
	id, err := f.server.ChannelID(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	files, err := f.work.Files(ctx, casework.Filter{Channel: id, Plane: in.Plane, Open: in.Open, Limit: in.Limit})
	v := f.server.Viewer(ctx, language.Make(in.Lang))
	out := []api.Case{}
	for i := range files {
		out = append(out, v.Case(&files[i]))
	}
	return out, err
}

func (f *face) tally(ctx context.Context, _ officer.Actor, in *struct {
	Plane traffic.Plane `query:"plane" enum:"real,exercise,test" default:"real"`
}) (api.CaseTally, error) {
	t, err := f.work.Tally(ctx, in.Plane)
	return api.CaseTally{Open: t.Open, Ours: t.Ours, Overdue: t.Overdue}, err
}

type onCase struct {
	Case string `path:"case" maxLength:"128" doc:"its number, the number of one of its statements, or four or more digits of an id" example:"xn/26-0007"`
	Lang string `query:"lang" default:"en" maxLength:"64"`
}

func (f *face) show(ctx context.Context, _ officer.Actor, in *onCase) (api.CaseFile, error) {
	file, err := f.work.File(ctx, in.Case)
	if err != nil {
		return api.CaseFile{}, err
	}
	declared, err := f.work.Declared(ctx, file)
	if err != nil {
		return api.CaseFile{}, err
	}
	return f.server.Viewer(ctx, language.Make(in.Lang)).CaseFile(file, declared, f.work.Steps(file)), nil
}

// set puts a field into words, as they were given: as text or as JSON. A field that is there is left as it is.
func set(w *api.Words, field, value string) error {
	if w.Fields != nil {
		fields := make(map[string]any)
		if err := json.Unmarshal(w.Fields, &fields); err != nil {
			return fmt.Errorf("%w: the fields are no JSON object", compose.ErrRequest)
		}
		if _, given := fields[field]; given {
			return nil
		}
		fields[field] = value
		b, err := json.Marshal(fields)
		w.Fields = b
		return err
	}
	text := map[string]string{field: value} // a copy: the caller's is not ours
	for k, v := range w.Text {
		text[k] = v
	}
	w.Text = text
	return nil
}

// given is a field of words, empty where it is not there or no text.
func given(w *api.Words, field string) string {
	if w.Fields != nil {
		fields := make(map[string]any)
		if json.Unmarshal(w.Fields, &fields) == nil {
			s, _ := fields[field].(string)
			return s
		}
	}
	return w.Text[field]
}

func (f *face) open(ctx context.Context, by officer.Actor, in *struct{ Body api.CaseRequest }) (api.Sent, error) {
	r := in.Body
	number := cmp.Or(r.Case, given(&r.Words, "case"))
	if number == "" {
		n, err := f.work.Allot(ctx)
		if err != nil {
			return api.Sent{}, err
		}
		number = n.String()
	} else if _, err := incident.ParseNumber(number); err != nil {
		return api.Sent{}, err
	}
	if err := set(&r.Words, "case", number); err != nil {
		return api.Sent{}, err
	}
	sent, err := f.server.Send(ctx, by, r.SendRequest)
	sent.Case = number
	return sent, err
}

func (f *face) state(ctx context.Context, by officer.Actor, in *struct {
	Case string `path:"case" maxLength:"128"`
	Body api.CaseStatement
}) (api.Sent, error) {
	r := in.Body
	file, err := f.work.File(ctx, in.Case)
	if err != nil {
		return api.Sent{}, err
	}
	channel, err := f.server.ChannelID(ctx, r.Channel)
	if err != nil {
		return api.Sent{}, err
	}
	var deciding string
	for _, s := range f.work.Steps(file) {
		if s.Form == r.Form {
			deciding = given(&r.Words, s.Field)
			break
		}
	}
	step, err := f.work.Step(file, channel, r.Form, deciding)
	if err != nil {
		return api.Sent{}, err
	}
	about := step.About
	if r.About != "" {
		h, err := f.node.Named(ctx, r.About)
		if err != nil {
			return api.Sent{}, err
		}
		about = h.ID
	}
	id := step.Sheet.Name.Channel
	send := api.SendRequest{
		Channel: hex.EncodeToString(id[:]), To: cmp.Or(r.To, step.To), Post: r.Post, Plane: step.Sheet.Plane, Precedence: cmp.Or(r.Precedence, f.precedence(step, about)),
		Dossier: step.Sheet.Name.ID.String(), Refs: []string{about.String()}, Words: r.Words,
	}
	sent, err := f.server.Send(ctx, by, send)
	sent.Case = file.Title
	return sent, err
}

// precedence is that of the statement that another is about, as far as its form goes.
func (f *face) precedence(step casework.Step, about statement.ID) string {
	p := traffic.Routine
	for _, e := range step.Sheet.Entries {
		if e.ID == about {
			p = e.Precedence
		}
	}
	if r, err := f.work.Regime(step.Sheet.Name.Channel); err == nil {
		if form, ok := r.Latest(step.Form); ok && p.Rank() > form.Ceiling.Rank() {
			p = form.Ceiling
		}
	}
	return string(p)
}

// report gives what a case says already of what its report asks for. A person reads, completes and states it.
func (f *face) report(ctx context.Context, _ officer.Actor, in *onCase) (api.CaseStatement, error) {
	file, err := f.work.File(ctx, in.Case)
	if err != nil {
		return api.CaseStatement{}, err
	}
	return api.CaseStatement{Words: api.Words{Form: "incident-report", Text: file.Report()}}, nil
}

// export gives the dossier of a case on a channel, sealed by this node.
func (f *face) export(ctx context.Context, _ officer.Actor, in *struct {
	Case    string `path:"case" maxLength:"128"`
	Channel string `query:"channel" maxLength:"128" doc:"where the case is dealt with on several"`
}) ([]byte, error) {
	file, err := f.work.File(ctx, in.Case)
	if err != nil {
		return nil, err
	}
	channel, err := f.server.ChannelID(ctx, in.Channel)
	if err != nil {
		return nil, err
	}
	sheets := slices.DeleteFunc(slices.Clone(file.Sheets), func(s casework.Sheet) bool { return channel != nil && *channel != s.Name.Channel })
	switch len(sheets) {
	case 0:
		return nil, casework.ErrNoCase
	case 1:
	default:
		return nil, errSeveral
	}
	held, err := f.node.Statement(ctx, sheets[0].Name.ID)
	if err != nil {
		return nil, err
	}
	return f.node.Case(ctx, held, archive.Export{Attachments: mostFiles, Renderings: true, Paper: paper})
}

func (f *face) calendar(ctx context.Context, _ officer.Actor, in *struct {
	Plane traffic.Plane `query:"plane" enum:"real,exercise,test" default:"real"`
	Lang  string        `query:"lang" default:"en" maxLength:"64"`
}) (api.Calendar, error) {
	v := f.server.Viewer(ctx, language.Make(in.Lang))
	out := api.Calendar{Activities: []api.Activity{}, Windows: []api.Caution{}}
	notices, err := f.work.Notices(ctx, in.Plane)
	if err != nil {
		return out, err
	}
	for _, n := range notices {
		out.Activities = append(out.Activities, v.Activity(n))
	}
	windows, err := f.work.Windows(ctx, in.Plane)
	for _, w := range windows {
		out.Windows = append(out.Windows, v.Caution(w))
	}
	return out, err
}

func (f *face) match(ctx context.Context, _ officer.Actor, in *struct {
	Lang string `query:"lang" default:"en" maxLength:"64"`
	Body api.ObservationRequest
}) ([]api.CaseMatch, error) {
	o, err := casework.Observe(in.Body.Observed, in.Body.Sources, in.Body.Networks, in.Body.Numbers, in.Body.Sector)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", compose.ErrRequest, err)
	}
	list, err := f.work.Matches(ctx, cmp.Or(in.Body.Plane, traffic.Real), o)
	v := f.server.Viewer(ctx, language.Make(in.Lang))
	out := []api.CaseMatch{}
	for _, m := range list {
		out = append(out, v.Match(m))
	}
	return out, err
}

func (f *face) codebook(ctx context.Context, _ officer.Actor, in *struct {
	Channel string        `query:"channel" required:"true" maxLength:"128"`
	Plane   traffic.Plane `query:"plane" enum:"real,exercise,test" default:"real"`
	Lang    string        `query:"lang" default:"en" maxLength:"64"`
}) ([]api.Signal, error) {
	id, err := f.server.ChannelID(ctx, in.Channel)
	if err != nil || id == nil {
		return nil, err
	}
	list, err := f.work.Codebook(ctx, *id, in.Plane)
	v := f.server.Viewer(ctx, language.Make(in.Lang))
	out := []api.Signal{}
	for _, s := range list {
		out = append(out, v.Signal(*id, s))
	}
	return out, err
}

func (f *face) ledger(ctx context.Context, _ officer.Actor, in *struct {
	Channel string        `query:"channel" required:"true" maxLength:"128"`
	Plane   traffic.Plane `query:"plane" enum:"real,exercise,test" default:"real"`
	Period  string        `query:"period" enum:"month,quarter,year" default:"year"`
	Of      time.Time     `query:"of" doc:"a moment in the period; now by default"`
	Lang    string        `query:"lang" default:"en" maxLength:"64"`
}) (api.Ledger, error) {
	id, err := f.server.ChannelID(ctx, in.Channel)
	if err != nil || id == nil {
		return api.Ledger{}, err
	}
	of := in.Of
	if of.IsZero() {
		of = time.Now()
	}
	p := ledger.Year(of)
	switch in.Period {
	case "month":
		p = ledger.Month(of)
	case "quarter":
		p = ledger.Quarter(of)
	}
	if now := time.Now(); p.Until.After(now) {
		p = p.ClosedAt(now)
	}
	account, proposals, err := f.work.Account(ctx, *id, in.Plane, p)
	if err != nil {
		return api.Ledger{}, err
	}
	return f.server.Viewer(ctx, language.Make(in.Lang)).Ledger(account, proposals), nil
}

// paper sets a case in print, in every language. On a machine without fonts for it the file goes without.
func paper(c transcript.Case) ([]byte, error) {
	fonts, err := pages.FindFonts(pages.Places()...)
	if errors.Is(err, pages.ErrFonts) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w, err := transcript.NewWriter()
	if err != nil {
		return nil, err
	}
	return pages.PDF(w, fonts, c, w.Languages()...)
}
