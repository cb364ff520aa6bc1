package talks

import (
	"cmp"
	"context"

	"detente/api/talks"
	"detente/console/cases"
)

// Session is a session under the Chatham House rule. What was said in it is in Heard.
type Session struct {
	talks.Session
	Href    string // its statement
	Open    string // the page with what was said; empty where it is shown already, or gone
	Ended   bool   // its time is over; what was said may still be kept
	Gone    bool   // nothing is kept any more
	Outputs [][]Words
}

// Heard is what was said in a session, for its members.
type Heard struct {
	Session
	Spoken []talks.Spoken
	Closed bool   // this officer is no member, and sees nothing
	File   string // sealed, for the other members
	Plain  string // by a participant, for the outside
}

// sessions are those of a group, the newest first. Of one of them what was said is asked for: of the one that is named, else the last that is kept.
func (f *File) sessions(ctx context.Context, d *cases.Desk) error {
	chosen := cmp.Or(d.Query.Get("session"), f.Given.Get("session"))
	for i := len(f.File.Sessions) - 1; i >= 0; i-- {
		s := f.session(d, f.File.Sessions[i])
		if f.Session == nil && !s.Gone && (chosen == "" || chosen == s.ID) {
			if err := f.hear(ctx, d, s); err != nil {
				return err
			}
			s.Open = ""
		}
		f.Sessions = append(f.Sessions, s)
	}
	return nil
}

func (f *File) session(d *cases.Desk, x talks.Session) Session {
	s := Session{Session: x, Href: statement(d, x.ID), Ended: x.To.Before(d.Now), Gone: !x.Until.After(d.Now)}
	if !s.Gone {
		s.Open = at(d, f.ID, "session", x.ID) + "#said"
	}
	for _, o := range x.Outputs {
		s.Outputs = append(s.Outputs, words(o, d.Lang))
	}
	return s
}

// hear asks what was said. Whoever is no member is told so, and nothing else.
func (f *File) hear(ctx context.Context, d *cases.Desk, s Session) error {
	h := &Heard{Session: s}
	f.Session = h
	if !d.May("send") {
		h.Closed = true
		return nil
	}
	said, err := talks.Client{Node: d.Client}.Heard(ctx, f.ID, s.ID)
	if p, ok := cases.Problem(err); ok && p.Status < 500 {
		h.Closed, h.Gone = p.Code != "session-over", p.Code == "session-over"
		return nil
	}
	if err != nil {
		return err
	}
	h.Spoken = said
	to := func(what string) string {
		return d.To("/talks/"+f.ID+"/file", "what", what, "session", s.ID)
	}
	h.File, h.Plain = to("session"), to("outside")
	return nil
}
