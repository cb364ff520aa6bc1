// Package dialogue is the part of the local API that is about consultations and groups of experts: an extension of api/server.
// It must never write into the journal what was said in a session, nor show it to an officer of a post that is no member.
package dialogue

import (
	"context"
	"embed"
	"errors"
	"net/http"

	"detente/api/server"
	"detente/call"
	"detente/chatham"
	"detente/form"
	"detente/node"
	"detente/officer"
	"detente/secretariat"
	"detente/standing"
	"detente/traffic"

	"golang.org/x/text/language"
)

// face answers what is asked about consultations and groups.
type face struct {
	*server.Server
	work    *secretariat.Secretariat
	node    *node.Node
	stands  *standing.Standing
	letters *call.Mail
	phrases *form.Phrasebook
}

//go:embed phrases
var phraseFiles embed.FS

// Phrases loads the words for how consultations stand. Error: form.ErrRegime.
func Phrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(phraseFiles)
	if err != nil {
		return nil, err
	}
	return book, book.Complete()
}

// Extend gives a server the operations on consultations and groups. stands may be nil, and nothing is said then of what is suspended; letters too, and nobody is invited
// by mail. Error: form.ErrRegime for phrases of this program that are not well formed.
func Extend(work *secretariat.Secretariat, n *node.Node, stands *standing.Standing, letters *call.Mail) (server.Extension, error) {
	phrases, err := Phrases()
	if err != nil {
		return nil, err
	}
	return func(s *server.Server) {
		f := &face{s, work, n, stands, letters, phrases}
		const tag = "dialogue"
		get := func(may officer.Action, path, id, summary string) server.Request {
			return server.Operation(s, may, tag, http.MethodGet, path, id, summary)
		}
		post := func(may officer.Action, path, id, summary string) server.Request {
			return server.Operation(s, may, tag, http.MethodPost, path, id, summary)
		}
		s.Teach(rules()...)
		const one, session = "/v1/dialogues/{dialogue}", "/v1/dialogues/{dialogue}/sessions/{session}"
		server.Handle(s, get(officer.Read, "/v1/dialogues", "list-dialogues", "Series of consultations, or groups of experts"), f.list)
		server.Handle(s, get(officer.Read, one, "show-dialogue", "One of them: its rounds, texts, actions, sessions"), f.show)
		server.Handle(s, get(officer.Read, one+"/text", "show-round-text", "An agenda, minutes, a report"), f.showText)
		server.HandleFile(s, get(officer.Read, "/v1/calendars/dialogues", "dialogue-calendar", "Rounds and actions as iCalendar"), calendarType, f.calendar)
		server.HandleFile(s, get(officer.Read, one+"/rounds/{number}/invitation", "round-invitation", "The file that invites to an agreed round"), calendarType, f.invitation)
		server.Handle(s, post(officer.Send, one+"/rounds/{number}/invitations", "invite-to-round", "Invite to an agreed round by mail"), f.invite)
		server.Handle(s, post(officer.Send, "/v1/dialogues", "open-dialogue", "Open a series or a group"), f.open)
		server.Handle(s, post(officer.Send, one+"/statements", "state-in-dialogue", "Propose, accept, decline a round; resolve an action; join, contribute"), f.say)
		server.Handle(s, post(officer.Send, one+"/texts", "open-round-text", "Open the agenda or the minutes of a round"), f.openText)
		server.Handle(s, post(officer.Send, one+"/items", "add-round-item", "Table an item of such a text"), f.addItem)
		server.Handle(s, post(officer.Send, one+"/agreements", "agree-round-text", "Stand on all that the others have tabled in it"), f.agree)
		server.Handle(s, post(officer.Commit, one+"/signatures", "sign-minutes", "Sign minutes by the digest of their clean text"), f.sign)
		server.Handle(s, post(officer.Send, one+"/adoptions", "adopt-report", "Join the consensus on a report, or dissent"), f.adopt)
		server.Handle(s, post(officer.Send, one+"/sessions", "open-session", "Open a session under the Chatham House rule"), f.openSession)
		server.Handle(s, get(officer.Send, session, "read-session", "What was said, for its members"), f.heard)
		server.Handle(s, get(officer.Send, session+"/outside", "session-outside", "What was said, by a participant"), f.outside)
		server.HandleFile(s, get(officer.Send, session+"/file", "session-file", "What was said, sealed for the other members"), "application/octet-stream", f.sealed)
		server.Handle(s, post(officer.Send, "/v1/sessions/files", "take-session-file", "Take what another member has handed over").Recorded(), f.take)
		server.Handle(s, post(officer.Send, session+"/contributions", "say-in-session", "Contribute; nothing is stated, and nothing recorded").Recorded(), f.contribute)
		server.Handle(s, post(officer.Send, session+"/attributions", "attribute-contribution", "Say that an own contribution was the party's"), f.attribute)
		server.Handle(s, post(officer.Send, session+"/outputs", "state-output", "State what a session agreed on"), f.output)
	}, nil
}

const calendarType = "text/calendar"

// rules says how what may go wrong looks from outside.
func rules() []server.Rule {
	const malformed = http.StatusUnprocessableEntity
	return []server.Rule{
		{Is: secretariat.ErrNoTalk, Status: http.StatusNotFound, Code: "no-dialogue", Hint: "see them with: detente round list, detente group list"},
		{Is: secretariat.ErrAmbiguous, Status: http.StatusConflict, Code: "ambiguous-dialogue", Hint: "give more digits"},
		{Is: secretariat.ErrRegime, Status: http.StatusConflict, Code: "no-dialogue-here", Hint: "choose a channel under the regime dialogue/1: detente channel list"},
		{Is: secretariat.ErrUnprotected, Status: http.StatusConflict, Code: "not-protected", Hint: "make one with: detente channel propose NAME --regime dialogue/1 --protected"},
		{Is: secretariat.ErrNothing, Status: http.StatusNotFound, Code: "nothing-there", Hint: "see what there is with: detente round show, detente group show"},
		{Is: secretariat.ErrOpen, Status: http.StatusConflict, Code: "text-open", Hint: "stand on what the other side has tabled: detente round minutes --agree"},
		{Is: secretariat.ErrNoEffect, Status: http.StatusConflict, Code: "no-effect", Hint: "it was not stated: see how things stand with: detente round show"},
		{Is: secretariat.ErrNoMail, Status: http.StatusConflict, Code: "no-mail-server", Hint: "set [call.mail] server in config.toml, or send the file of: detente round calendar SERIES"},
		{Is: secretariat.ErrAddress, Status: malformed, Code: "no-mail-address", Hint: "nobody was invited: mend the address and invite again"},
		{Is: secretariat.ErrSession, Status: http.StatusNotFound, Code: "no-session", Hint: "see the sessions with: detente group show"},
		{Is: secretariat.ErrFile, Status: malformed, Code: "no-session-file", Hint: "such a file is made with: detente group export"},
		{Is: secretariat.ErrFull, Status: http.StatusConflict, Code: "session-full"},
		{Is: chatham.ErrOver, Status: http.StatusGone, Code: "session-over", Hint: "what was said is no longer kept; what was agreed on is in: detente group show"},
		{Is: chatham.ErrContribution, Status: malformed, Code: "no-contribution", Hint: "words, 16 KiB at most"},
	}
}

// OnTalk names a series or a group, for a reader.
type OnTalk struct {
	Dialogue string `path:"dialogue" maxLength:"128" doc:"Digits of the id, four at least, or the number of one of its statements."`
	Lang     string `query:"lang" default:"en" maxLength:"64"`
}

func (f *face) find(ctx context.Context, notation string) (*secretariat.Talk, error) {
	if err := f.work.Work(ctx); err != nil {
		return nil, err
	}
	return f.work.Talk(ctx, notation)
}

// may refuses officers of posts that are no members of a session: the address of a member may name a post, and then it is that post's.
func (f *face) may(by officer.Actor, members []string) error {
	refused := error(secretariat.ErrSession)
	for _, m := range members {
		a, err := traffic.ParseAddress(m)
		if err != nil || a.Party != f.work.Self() {
			continue
		}
		if _, err = server.Must(by, officer.Send, a.Post); err == nil {
			return nil
		} else if errors.Is(err, officer.ErrRole) {
			refused = err
		}
	}
	return refused
}

func (f *face) phrase(lang language.Tag, key, fallback string, args ...any) string {
	if p := f.phrases.Phrase(lang, key, args...); p != key {
		return p
	}
	return fallback
}
