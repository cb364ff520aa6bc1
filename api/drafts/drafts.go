// Package drafts is the part of the local API that is about instruments in negotiation and in force: an extension of api/server.
// It must never state anything past the server that it registers on, nor show what this party keeps to itself anywhere but here.
package drafts

import (
	"embed"
	"net/http"
	"time"

	"detente/api/server"
	"detente/chancery"
	"detente/form"
	"detente/node"
	"detente/officer"
	"detente/wording"
)

// face answers what is asked about instruments.
type face struct {
	*server.Server
	work    *chancery.Chancery
	node    *node.Node
	phrases *form.Phrasebook
}

//go:embed phrases
var phraseFiles embed.FS

// Phrases loads the words for rungs, stands and reasons. Error: form.ErrRegime.
func Phrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(phraseFiles)
	if err != nil {
		return nil, err
	}
	return book, book.Complete()
}

// Extend gives a server the operations on instruments. Error: form.ErrRegime for phrases of this program that are not well formed.
func Extend(work *chancery.Chancery, n *node.Node) (server.Extension, error) {
	phrases, err := Phrases()
	if err != nil {
		return nil, err
	}
	return func(s *server.Server) {
		f := &face{s, work, n, phrases}
		const tag = "instruments"
		get := func(path, id, summary string) server.Request {
			return server.Operation(s, officer.Read, tag, http.MethodGet, path, id, summary)
		}
		post := func(may officer.Action, path, id, summary string) server.Request {
			return server.Operation(s, may, tag, http.MethodPost, path, id, summary)
		}
		s.Teach(append(rules(), paperRules()...)...)
		f.papers(s, get)
		server.Handle(s, get("/v1/drafts", "list-drafts", "Instruments in negotiation and in force"), f.list)
		server.Handle(s, get("/v1/drafts/{draft}", "show-draft", "One negotiation: who stands where on what, its manifests, how far it has come"), f.show)
		server.Handle(s, get("/v1/drafts/{draft}/text", "draft-text", "The text: the clean one, or as it stands"), f.text)
		server.Handle(s, get("/v1/drafts/{draft}/original", "draft-original", "The text as a party keeps it in a language"), f.original)
		server.Handle(s, get("/v1/drafts/{draft}/status", "draft-status", "How an instrument stands on a date"), f.status)
		server.Handle(s, get("/v1/templates", "list-templates", "Texts to begin from"), f.templates)
		server.Handle(s, post(officer.Send, "/v1/drafts", "open-draft", "Open a negotiation: empty, from a template, or with a text"), f.open)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/positions", "table-position", "Take a position on a provision, openly or as a commitment"), f.table)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/acceptances", "accept-wordings", "Stand on wordings that others have tabled"), f.accept)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/reservations", "reserve-wording", "Stand on a wording with a reservation"), f.reserve)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/withdrawals", "withdraw-position", "Give up the own stand on a provision"), f.withdraw)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/packages", "table-package", "Agree to several wordings only together"), f.pack)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/packages/{package}/withdrawal", "withdraw-package", "Withdraw an own package"), f.unpack)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/comments", "comment-draft", "Say something without taking a position"), f.comment)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/imports", "import-draft", "Hold a text against the negotiation: what differs becomes a position"), f.imports)
		server.Handle(s, post(officer.Send, "/v1/drafts/{draft}/notes", "keep-note", "Keep something to oneself: an instruction, a fall-back, a comment").Recorded(), f.note)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodDelete, "/v1/drafts/{draft}/notes/{note}", "forget-note", "Take a note away").Recorded(), f.forget)
		server.Handle(s, post(officer.Commit, "/v1/drafts/{draft}/manifests", "table-manifest", "Make the manifest of the clean text"), f.manifest)
		server.Handle(s, post(officer.Commit, "/v1/drafts/{draft}/steps", "take-step", "Certify, initial, sign, consent, and what comes after"), f.step)
		server.Handle(s, get("/v1/powers", "list-powers", "Full powers"), f.powers)
		server.Handle(s, post(officer.Commit, "/v1/powers", "issue-powers", "Issue full powers"), f.issue)
		server.Handle(s, post(officer.Commit, "/v1/powers/{powers}/revocation", "revoke-powers", "Revoke full powers"), f.revoke)
	}, nil
}

// rules says how what may go wrong looks from outside.
func rules() []server.Rule {
	const malformed = http.StatusUnprocessableEntity
	return []server.Rule{
		{Is: chancery.ErrNoDraft, Status: http.StatusNotFound, Code: "no-draft", Hint: "see the instruments with: detente draft list --all"},
		{Is: chancery.ErrAmbiguous, Status: http.StatusConflict, Code: "ambiguous-draft", Hint: "give more digits"},
		{Is: chancery.ErrRegime, Status: http.StatusConflict, Code: "no-instruments-here", Hint: "choose a channel under the regime instruments/1: detente channel list"},
		{Is: chancery.ErrProvision, Status: http.StatusNotFound, Code: "no-provision", Hint: "see the provisions with: detente draft show"},
		{Is: chancery.ErrWording, Status: malformed, Code: "wording", Hint: "see who stands on what with: detente draft show"},
		{Is: chancery.ErrNothing, Status: http.StatusNotFound, Code: "nothing-there", Hint: "see what was stated with: detente draft show"},
		{Is: chancery.ErrFrozen, Status: http.StatusConflict, Code: "text-frozen", Hint: "an authenticated text is corrected or amended: detente instrument correct"},
		{Is: chancery.ErrOpen, Status: http.StatusConflict, Code: "text-open", Hint: "see what is open with: detente draft show"},
		{Is: chancery.ErrManifest, Status: http.StatusNotFound, Code: "no-manifest", Hint: "make one with: detente draft manifest"},
		{Is: chancery.ErrTerms, Status: malformed, Code: "terms"},
		{Is: chancery.ErrDifferent, Status: http.StatusConflict, Code: "other-text", Hint: "compare: detente draft export --original; both sides must render the same, byte for byte"},
		{Is: chancery.ErrPowers, Status: http.StatusConflict, Code: "no-powers", Hint: "issue full powers first: detente powers issue"},
		{Is: chancery.ErrChannel, Status: malformed, Code: "no-such-charter", Hint: "a manifest names channels between its parties, under a regime that this program has"},
		{Is: chancery.ErrNote, Status: malformed, Code: "no-note", Hint: "an instruction, a fall-back or a comment, with words"},
		{Is: chancery.ErrFile, Status: malformed, Code: "no-text", Hint: "see the shape with: detente draft export"},
		{Is: chancery.ErrTemplate, Status: http.StatusNotFound, Code: "no-template", Hint: "see the templates with: detente draft new --templates"},
		{Is: chancery.ErrCommitment, Status: malformed, Code: "no-commitment"},
		{Is: chancery.ErrUnempowered, Status: http.StatusConflict, Code: "no-powers", Hint: "it was not stated: give the post full powers first, for initial, sign, consent or withdraw: detente powers issue POST --may …"},
		{Is: chancery.ErrNoEffect, Status: http.StatusConflict, Code: "no-effect", Hint: "it was not stated: see how the instrument stands with: detente draft show"},
		{Is: wording.ErrLanguage, Status: malformed, Code: "language", Hint: "a language is a tag such as en, ru or zh-Hans"},
	}
}

// OnDraft names an instrument, for a reader. It is exported so that what embeds it has its parameters.
type OnDraft struct {
	Draft string `path:"draft" maxLength:"128" doc:"Digits of the id, four at least, or the number of one of its statements."`
	Lang  string `query:"lang" default:"en" maxLength:"64"`
}

// date reads a time that may be missing.
func date(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}
