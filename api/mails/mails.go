// Package mails is the part of the local API about mail on cases: an extension of api/server.
// It must never let a report out that lacks what is compulsory, nor show what came to anybody but the own officers.
package mails

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"detente/api"
	"detente/api/compose"
	"detente/api/server"
	"detente/gateway/mailbox"
	"detente/gateway/report"
	"detente/label"
	"detente/officer"

	"golang.org/x/text/language"
)

// desk answers the requests.
type desk struct{ *mailbox.Mailbox }

// Extend adds the requests to a server.
func Extend(m *mailbox.Mailbox) server.Extension {
	return func(s *server.Server) {
		const tag = "mail"
		const malformed = http.StatusUnprocessableEntity
		d := desk{m}
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/mails", "list-mails", "Mail about cases, the newest first"), d.list)
		server.Handle(s, server.Operation(s, officer.System, tag, http.MethodPost, "/v1/mails", "receive-mail", "Take in a mail, as a mail server hands it over"), d.receive)
		server.Handle(s, server.Operation(s, officer.Take, tag, http.MethodPost, "/v1/mails/{number}/seen", "see-mail", "Take a mail off the watch"), d.see)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/cases/{case}/mails", "send-mail", "Send the report of a case by mail"), d.send)
		s.Teach(
			server.Rule{Is: mailbox.ErrClosed, Status: http.StatusConflict, Code: "no-mail-key", Hint: "set [gateway.mail] address, and put the key of the team at keys/mail.asc"},
			server.Rule{Is: mailbox.ErrNoServer, Status: http.StatusConflict, Code: "no-mail-server", Hint: "set [call.mail] in config.toml"},
			server.Rule{Is: mailbox.ErrNoMail, Status: http.StatusNotFound, Code: "no-mail", Hint: "see what waits with: detente gateway mail list --open"},
			server.Rule{Is: mailbox.ErrNoNumber, Status: http.StatusConflict, Code: "no-case-number", Hint: "answer on the channel"},
			server.Rule{Is: report.ErrMissing, Status: malformed, Code: "mail-incomplete", Hint: "give what is missing: detente gateway mail send --help"},
			server.Rule{Is: report.ErrPlain, Status: http.StatusForbidden, Code: "mail-plain", Hint: "put the key of the recipient into keys/teams"},
			server.Rule{Is: report.ErrKey, Status: http.StatusConflict, Code: "mail-key"},
			server.Rule{Is: report.ErrMail, Status: malformed, Code: "not-a-mail"},
			server.Rule{Is: report.ErrSend, Status: http.StatusBadGateway, Code: "mail-not-sent", Hint: "see whether the mail server of [call.mail] runs; it may be sent again"},
			server.Rule{Is: label.ErrRefused, Status: http.StatusForbidden, Code: "label", Hint: "a label is never widened: choose a narrower one, or a recipient whom the source has named"},
		)
	}
}

func (d desk) list(ctx context.Context, _ officer.Actor, in *struct {
	Case string `query:"case"`
	Open bool   `query:"open" doc:"Only what waits for somebody."`
}) ([]api.Mail, error) {
	list, err := d.List(ctx, mailbox.Filter{Case: in.Case, Open: in.Open})
	out := []api.Mail{}
	for i := range list {
		out = append(out, view(&list[i]))
	}
	return out, err
}

func view(m *mailbox.Mail) api.Mail {
	return api.Mail{
		Number: m.Number, In: m.In, ID: m.ID, Case: m.Case, Plane: m.Plane, At: m.At, Address: m.Address, Team: m.Team, Proof: m.Proof, Flaw: m.Flaw, Auto: m.Auto, TLP: m.TLP,
		Subject: m.Subject, Text: m.Text, Files: m.Files, State: m.State, Seen: m.Seen, Role: m.Role,
	}
}

func (d desk) receive(ctx context.Context, _ officer.Actor, in *struct {
	RawBody []byte `contentType:"message/rfc822"`
}) (api.MailReceived, error) {
	m, known, err := d.Receive(ctx, bytes.Clone(in.RawBody)) // the buffer is huma's
	return api.MailReceived{Mail: view(&m), Known: known}, err
}

func (d desk) see(ctx context.Context, by officer.Actor, in *struct {
	Number int64 `path:"number"`
}) (done struct{}, err error) {
	return done, d.Seen(ctx, in.Number, by.Role(officer.Take, "", ""))
}

func (d desk) send(ctx context.Context, by officer.Actor, in *struct {
	Case string `path:"case"`
	Body api.MailRequest
}) (api.Mail, error) {
	r, err := read(&in.Body)
	if err != nil {
		return api.Mail{}, err
	}
	var languages []language.Tag
	for _, l := range in.Body.Languages {
		t, err := language.Parse(l)
		if err != nil {
			return api.Mail{}, fmt.Errorf("%w: %.20q is no language", compose.ErrRequest, l)
		}
		languages = append(languages, t)
	}
	m, err := d.Send(ctx, in.Case, in.Body.To, r, languages, by.Role(officer.Send, "", ""))
	return view(&m), err
}

// read makes a report of a request. Error: compose.ErrRequest.
func read(b *api.MailRequest) (report.Report, error) {
	r := report.Report{
		Kind: report.Kind(b.Kind), Info: b.Info, Action: b.Action, Until: b.Until, Onward: b.Onward, Naming: b.Naming, Identifier: b.Identifier, First: b.First, Last: b.Last,
		Detected: b.Detected, NTP: b.NTP, Clock: b.Clock, CVEs: b.CVEs, Severity: b.Severity, Effect: b.Effect, Confidence: b.Confidence, Relayed: b.Relayed, Text: b.Text,
		Evidence: report.Evidence{Protocol: b.Protocol, URL: b.URL, Hashes: b.Hashes, Log: b.Log},
	}
	if r.Kind == "" {
		r.Kind = report.Opening
	}
	bad := func(what, value string) (report.Report, error) {
		return r, fmt.Errorf("%w: %s %.60q", compose.ErrRequest, what, value)
	}
	var ok bool
	if r.Label.TLP, ok = label.ParseTLP(b.TLP); b.TLP != "" && !ok {
		return bad("no label of TLP:", b.TLP)
	}
	if b.TLP == "" {
		r.Label.TLP = label.Unmarked
	}
	if r.Label.PAP, ok = label.ParsePAP(b.PAP); b.PAP != "" && !ok {
		return bad("no label of PAP:", b.PAP)
	}
	if b.PAP == "" {
		r.Label.PAP = ""
	}
	if r.Class, ok = label.ParseClassification(b.Class); b.Class != "" && !ok {
		return bad("no class of RSIT:", b.Class)
	}
	if r.Rating, ok = label.ParseAdmiralty(b.Rating); b.Rating != "" && !ok {
		return bad("no admiralty code:", b.Rating)
	}
	for _, end := range []struct {
		text    string
		address *string
		port    *int
	}{{b.Source, &r.Evidence.Source, &r.Evidence.SourcePort}, {b.Reached, &r.Evidence.Destination, &r.Evidence.DestinationPort}} {
		address, port, has := strings.Cut(strings.TrimSpace(end.text), " ")
		*end.address = address
		n, err := strconv.ParseUint(port, 10, 16)
		if has && err != nil {
			return bad("no port:", port)
		}
		*end.port = int(n)
	}
	for _, f := range b.Files {
		r.Files = append(r.Files, report.File{Name: f.Name, Type: f.Type, Data: f.Data})
	}
	return r, nil
}
