// Package guarantees is the requests of the local API about guarantees at work: an extension of api/server.
// It must never say on its own that a guarantee was not kept, nor open a case that no complaint asks for.
package guarantees

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"detente/api"
	"detente/api/server"
	"detente/casework"
	"detente/guarantee"
	"detente/officer"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// face answers the requests.
type face struct {
	*server.Server
	desk *guarantee.Desk
	work *casework.Casework
}

// Extend adds the requests to a server. The cases of complaints have their numbers from work.
func Extend(d *guarantee.Desk, work *casework.Casework) server.Extension {
	return func(s *server.Server) {
		const tag = "instruments"
		f := &face{s, d, work}
		s.Teach(
			server.Rule{Is: guarantee.ErrNoInstrument, Status: http.StatusNotFound, Code: "no-such-guarantee", Hint: "see what can be relied on with: detente guarantee list; give more digits where several begin alike"},
			server.Rule{Is: guarantee.ErrNoCases, Status: http.StatusConflict, Code: "no-cases-with-them", Hint: "agree with the same parties on a channel under the regime incidents/1: detente channel propose"},
		)
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/guarantees", "list-guarantees", "What can be relied on, protected processes, complaints"), f.list)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/guarantees/complaints", "complain", "State that a guarantee appears not to have been observed, and open the case"), f.complain)
	}
}

func (f *face) list(ctx context.Context, _ officer.Actor, in *struct {
	Plane traffic.Plane `query:"plane" enum:"real,exercise,test"`
	Lang  string        `query:"lang" default:"en" maxLength:"64"`
}) (api.Guarantees, error) {
	out := api.Guarantees{Instruments: []api.GuaranteeInstrument{}, Processes: []api.ProtectedProcess{}, Complaints: []api.Complaint{}}
	var processes []guarantee.Process
	now := time.Now()
	err := f.desk.Read(ctx, func(c *guarantee.Calendar) {
		titles := make(map[[32]byte]string)
		for _, i := range c.Instruments(in.Plane) {
			v := api.GuaranteeInstrument{ID: digits(i.ID), Title: said(i.Title, in.Lang), Kind: i.Kind, Channel: digits(i.Channel), Plane: i.Plane}
			if i.Dossier != (statement.ID{}) {
				v.Dossier = i.Dossier.String()
			}
			titles[i.ID] = v.Title
			out.Instruments = append(out.Instruments, v)
		}
		processes = c.Processes(in.Plane)
		for i := range processes {
			p := &processes[i]
			v := api.ProtectedProcess{
				ID: p.ID.String(), Number: p.Number, By: p.By.String(), To: p.Audience, Channel: digits(p.Channel), Plane: p.Plane, Name: said(p.Name, in.Lang), Process: p.Kind,
				State: p.State(now), From: p.From, Until: p.To, Scope: p.Scope, Restraints: p.Restraints, Duty: []string{}, Every: int64(p.Every / time.Second), Instrument: titles[p.Basis],
			}
			if p.Basis != [32]byte{} {
				v.Basis = digits(p.Basis)
			}
			out.Processes = append(out.Processes, v)
		}
		for _, k := range c.Complaints(in.Plane) {
			v := api.Complaint{
				ID: k.ID.String(), Number: k.Number, By: k.By.String(), To: k.Audience, At: k.At, Channel: digits(k.Channel), Plane: k.Plane, Basis: digits(k.Basis), Instrument: titles[k.Basis],
				Provision: k.Provision, Case: k.Case, Words: k.Words,
			}
			if k.Opened != (statement.ID{}) {
				v.Opened = k.Opened.String()
			}
			out.Complaints = append(out.Complaints, v)
		}
	})
	for i := range processes { // whoever is asked for a channel must not be asked while the calendar is read
		for _, a := range f.desk.Points(&processes[i]) {
			out.Processes[i].Duty = append(out.Processes[i].Duty, a.String())
		}
	}
	return out, err
}

func digits(id [32]byte) string { return hex.EncodeToString(id[:]) }

// said is a text in a language; in English or in the first that it has where it lacks that.
func said(t wording.Texts, lang string) string {
	for _, want := range append([]string{lang, "en"}, t.Languages()...) {
		if s := t[want]; s != "" {
			return s
		}
	}
	return ""
}

func (f *face) complain(ctx context.Context, by officer.Actor, in *struct{ Body api.ComplaintRequest }) (api.ComplaintSent, error) {
	r := in.Body
	plane := cmp.Or(r.Plane, traffic.Real)
	var on guarantee.Instrument
	var err error
	if fault := f.desk.Read(ctx, func(c *guarantee.Calendar) { on, err = c.Relied(plane, r.Basis) }); fault != nil || err != nil {
		return api.ComplaintSent{}, errors.Join(fault, err)
	}
	send := api.SendRequest{
		Channel: r.Channel, To: r.To, Post: r.Post, Plane: plane, Precedence: cmp.Or(r.Precedence, "P"),
		Words: api.Words{Form: guarantee.FormComplaint, Language: r.Language, Marking: r.Marking, Drafter: r.Drafter, Releaser: r.Releaser, Essential: r.Essential},
	}
	if send.Channel == "" {
		if on.Dossier == (statement.ID{}) {
			return api.ComplaintSent{}, fmt.Errorf("%w: it is open to all: say on which channel the complaint is made", guarantee.ErrNoInstrument)
		}
		send.Channel = digits(on.Channel)
	}
	c, err := f.ChannelNamed(ctx, send.Channel)
	if err != nil {
		return api.ComplaintSent{}, err
	}
	if c.ID() == on.Channel && on.Dossier != (statement.ID{}) {
		send.Dossier = on.Dossier.String()
	}
	if err := f.desk.Ready(ctx, c.ID()); err != nil { // nothing is stated that could have no case
		return api.ComplaintSent{}, err
	}
	number, err := f.work.Allot(ctx)
	if err != nil {
		return api.ComplaintSent{}, err
	}
	send.Text = map[string]string{"basis": digits(on.ID), "case": number.String(), "words": r.Text}
	if r.Provision != "" {
		send.Text["provision"] = r.Provision
	}
	if !r.From.IsZero() {
		until := r.Until
		if until.IsZero() {
			until = time.Now()
		}
		send.Text["observed"] = r.From.UTC().Format(time.RFC3339) + "/" + until.UTC().Format(time.RFC3339)
	}
	out := api.ComplaintSent{}
	if out.Sent, err = f.Send(ctx, by, send); err != nil {
		return out, err
	}
	out.Case = number.String()
	raw, err := hex.DecodeString(out.ID)
	if err != nil || len(raw) != len(statement.ID{}) {
		return out, nil // unreachable: it is an id
	}
	// The complaint is made. What goes wrong from here on is told and tried again; it is no error of the request.
	opened, err := f.desk.OpenCase(ctx, statement.ID(raw))
	switch {
	case err != nil:
		out.Pending = true
	case opened != (statement.ID{}):
		out.Opened = opened.String()
	}
	return out, nil
}
