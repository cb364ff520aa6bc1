package dialogue

import (
	"context"
	"errors"
	"strings"
	"time"

	"detente/api/talks"
	"detente/call"
	"detente/officer"
	"detente/secretariat"

	"golang.org/x/text/language"
)

func (f *face) invitation(ctx context.Context, _ officer.Actor, in *struct {
	OnTalk
	Number    int    `path:"number" minimum:"1" maximum:"100000"`
	Organizer string `query:"organizer" maxLength:"254" doc:"Mail address of whoever invites."`
	Attendees string `query:"attendees" maxLength:"8000" doc:"Mail addresses, parted by commas."`
}) ([]byte, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return nil, err
	}
	var attendees []string
	for a := range strings.SplitSeq(in.Attendees, ",") {
		if a = strings.TrimSpace(a); a != "" {
			attendees = append(attendees, a)
		}
	}
	return f.work.Invitation(t, in.Number, in.Lang, in.Organizer, attendees, f.words(in.Lang))
}

// invite sends the invitation to an agreed round by the node's own mail server. That a letter was taken there is no receipt, and nothing is stated by it.
func (f *face) invite(ctx context.Context, _ officer.Actor, in *struct {
	OnTalk
	Number int `path:"number" minimum:"1" maximum:"100000"`
	Body   talks.Invite
}) ([]talks.Invited, error) {
	t, err := f.find(ctx, in.Dialogue)
	if err != nil {
		return nil, err
	}
	file, err := f.work.Invitation(t, in.Number, in.Lang, in.Body.Organizer, in.Body.To, f.words(in.Lang))
	if err != nil {
		return nil, err
	}
	agreed, tag := t.Series.Rounds[in.Number].Agreed, language.Make(in.Lang)
	place := agreed.Place
	if place == "" {
		place = "—"
	}
	done, err := f.work.Post(ctx, f.letters, secretariat.Letter{
		Subject: f.phrase(tag, "calendar.round", t.ID.String(), t.Named(in.Lang), in.Number),
		Text: strings.Join([]string{
			f.phrase(tag, "invitation.round", "", t.Named(in.Lang), in.Number),
			f.phrase(tag, "invitation.when", "", utc(agreed.From), utc(agreed.To), f.phrase(tag, "mode."+string(agreed.Mode), string(agreed.Mode)), place),
			f.phrase(tag, "invitation.basis", "", t.Places[agreed.Statement].Number),
		}, "\n\n"),
		Organizer: in.Body.Organizer, To: in.Body.To, Calendar: file,
	})
	if err != nil {
		return nil, err
	}
	out := make([]talks.Invited, 0, len(done))
	for _, d := range done {
		x := talks.Invited{Address: d.To, Sent: d.Err == nil}
		switch {
		case errors.Is(d.Err, call.ErrRefused):
			x.Why = "refused"
		case d.Err != nil:
			x.Why = "unreachable"
		}
		out = append(out, x)
	}
	return out, nil
}

// utc is a time for people who may be anywhere.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }
