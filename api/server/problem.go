package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"detente/api"
	"detente/api/compose"
	"detente/api/refusal"
	"detente/archive"
	"detente/blob"
	"detente/canonical"
	"detente/check"
	"detente/directory"
	"detente/feed"
	"detente/floor"
	"detente/floor/release"
	"detente/form"
	"detente/node"
	"detente/officer"
	"detente/party"
	"detente/roster"
	"detente/route"
	"detente/standing"
	"detente/store"
	"detente/traffic"

	"github.com/danielgtaylor/huma/v2"
)

// Errors of the API itself.
var (
	errSeveral = errors.New("api: several channels have that name")
	errNoKeys  = errors.New("api: this node cannot read its key file anew")
	errPlane   = errors.New("api: nothing crosses from one plane to another")
	errInvalid = errors.New("api: the statement is invalid")

	errClosed      = errors.New("api: the channel is not open, and its feeds are its members' alone")
	errNotCompared = errors.New("api: the words of its charter were not compared yet")
)

// Rule is how an error looks from outside.
type Rule struct {
	Is     error
	Status int    // of HTTP
	Code   string // for programs
	Hint   string // what a person does next
}

// Teach adds rules for what the operations of another package may return. They come after those that are there. It must be called before the server answers.
func (s *Server) Teach(more ...Rule) { s.rules = append(s.rules, more...) }

// rules maps what may go wrong to what a caller is told, the first that applies. What is not here is "internal": the log says the rest.
func rules() []Rule {
	const malformed = http.StatusUnprocessableEntity
	return []Rule{
		{archive.ErrNotHeld, http.StatusNotFound, "not-held", "see what is held with: detente inbox --all"},
		{archive.ErrAmbiguous, http.StatusConflict, "ambiguous", "give more digits of the id"},
		{node.ErrNoChannel, http.StatusNotFound, "no-channel", "see the channels with: detente channel list"},
		{node.ErrNoPeer, http.StatusNotFound, "no-peer", "exchange charters first: detente charter import FILE, then detente charter confirm"},
		{node.ErrNotMember, http.StatusForbidden, "not-member", "see who is a member with: detente channel show"},
		{node.ErrNoForm, malformed, "no-form", "see the forms of a channel with: detente channel show"},
		{node.ErrNoRegime, malformed, "no-regime", "the members must run a program that has this regime"},
		{node.ErrAuthority, http.StatusForbidden, "no-authority", "choose a post that may; detente charter show lists what each post may do"},
		{node.ErrRefused, malformed, "refused", "ask the sender to export it again"},

		{feed.ErrBehind, http.StatusConflict, "behind", "fetch what is missing from the peers with: detente recover"},
		{feed.ErrNoFeed, http.StatusNotFound, "no-feed", "see the feeds with: detente feed list"},

		{party.ErrNoKey, http.StatusForbidden, "no-key", "this node holds no key for that post and plane"},
		{party.ErrNotPending, http.StatusNotFound, "not-pending", "import the party's charter first: detente charter import FILE"},
		{party.ErrMismatch, http.StatusForbidden, "words-differ", "hear the words again; if they still differ, the file is not the party's: do not pair"},
		{party.ErrWords, malformed, "words", "give all 16 words, in their order"},
		{party.ErrOtherIdentity, http.StatusConflict, "other-identity", "somebody shows another charter for a party that is paired: call the party"},
		{party.ErrOwn, malformed, "own-charter", "import the other party's charter file"},
		{party.ErrNotApproved, http.StatusForbidden, "not-approved", "more holders of root keys must approve it"},
		{party.ErrChain, http.StatusConflict, "charter-chain", "draft it again from the newest version"},
		{party.ErrMembers, malformed, "members", "a channel has two members or more, each of them paired"},

		{form.ErrReleaser, http.StatusForbidden, "no-releaser", "a second person must release it: give a releaser other than the drafter"},
		{form.ErrPost, http.StatusForbidden, "post", "the form names the posts that may sign it"},
		{form.ErrPrecedence, malformed, "precedence", "choose a lower precedence"},
		{form.ErrRefs, malformed, "refs", "name the statement that it answers, corrects or cancels"},
		{form.ErrUnknownField, malformed, "unknown-field", "see the fields of the form with: detente channel show"},
		{form.ErrMissing, malformed, "missing-field", "see the fields of the form with: detente channel show"},
		{form.ErrValue, malformed, "field-value", "see the fields of the form with: detente channel show"},
		{form.ErrTooLong, malformed, "too-long", "shorten it, or attach a file"},

		{blob.ErrTooLarge, http.StatusRequestEntityTooLarge, "attachment-too-large", "an attachment has 1 byte to 64 MiB"},
		{blob.ErrNotHeld, http.StatusNotFound, "attachment-not-held", "it comes after the statement; ask again later"},
		{route.ErrPouch, malformed, "not-a-pouch", "ask the sender to export it again"},
		{route.ErrCut, malformed, "pouch-cut", "the copy is not complete: copy the file again"},
		{route.ErrLimit, http.StatusRequestEntityTooLarge, "too-large", "send it in parts"},
		{canonical.ErrTooLarge, http.StatusRequestEntityTooLarge, "too-large", "shorten it, or attach a file"},
		{traffic.ErrName, malformed, "name", "a party is 2 to 32 of a-z, 0-9 and -; an address is party or party/post"},
		{store.ErrFull, http.StatusInsufficientStorage, "disk-full", "make room; nothing that was receipted is lost"},
		{store.ErrUnknownOutcome, http.StatusInternalServerError, "unknown-outcome", "see what is held with: detente inbox --all, before trying again"},
		{store.ErrStopped, http.StatusServiceUnavailable, "disk-failed", "look after the disk, then start the node again"},

		{officer.ErrRole, http.StatusForbidden, "role", "ask an officer whose role permits it; docs/operate.md#roles has the table"},
		{officer.ErrOwnDraft, http.StatusForbidden, "own-draft", "another officer releases it"},
		{officer.ErrSuspect, http.StatusForbidden, "no-second-person", "another officer releases it, whom neither of you has let in; docs/operate.md#two-persons has the rule"},
		{officer.ErrNotOpen, http.StatusConflict, "not-waiting", "see what waits with: detente release list"},
		{officer.ErrAssertion, http.StatusForbidden, "assertion", "approve it again, with the passkey of whoever is signed in"},
		{officer.ErrSession, http.StatusUnauthorized, "session", "sign in again"},
		{officer.ErrSignIn, http.StatusForbidden, "sign-in", "begin again, or ask an administrator for a link: detente officer invite"},
		{officer.ErrNoOfficer, http.StatusNotFound, "no-officer", "see the officers with: detente officer list"},
		{officer.ErrNotFound, http.StatusNotFound, "not-found", "see what is there with: detente officer sessions, or detente release list"},
		{officer.ErrField, malformed, "officer", ""},
		{officer.ErrLast, http.StatusConflict, "last-administrator", "make another officer an administrator first"},
		{officer.ErrBusy, http.StatusServiceUnavailable, "busy", "try again in some minutes"},
		{officer.ErrNoConsole, http.StatusConflict, "no-console", "set console.origin, and start the node again"},
		{floor.ErrNoItem, http.StatusNotFound, "no-item", "see what is open with: detente watch"},
		{floor.ErrTaken, http.StatusConflict, "taken", "the log says by whom: detente log"},
		{floor.ErrNoPost, http.StatusNotFound, "no-post", "see the posts with: detente charter show"},
		{floor.ErrNoRoster, http.StatusNotFound, "no-roster", "write one with: detente roster set"},
		{floor.ErrNoApprovals, http.StatusConflict, "no-officers", "enrol officers first: detente officer add"},
		{floor.ErrSamePerson, malformed, "same-person", "name another officer who takes over"},
		{floor.ErrNoPerson, http.StatusForbidden, "no-person", "name the officer, or sign in as him"},
		{floor.ErrNotRecorded, http.StatusServiceUnavailable, "not-recorded", "it is done, and is recorded as soon as the disk can be written"},
		{roster.ErrRoster, malformed, "roster", "docs/operate.md, section The watch, shows a roster"},

		{directory.ErrSuspended, http.StatusConflict, "suspended", "this party suspended it itself; see: detente resume --help"},
		{directory.ErrDeclined, http.StatusConflict, "suspended-there", "checks, accidents, response teams and service messages continue; what cannot wait goes with --essential"},
		{directory.ErrMinimize, http.StatusConflict, "minimize", "wait until it ends; what is essential goes with --essential, what is urgent as IMMEDIATE"},
		{directory.ErrCSV, malformed, "csv", "detente directory export writes such a table"},
		{check.ErrPlan, malformed, "plan", "detente check plan --help shows one"},
		{standing.ErrHandover, http.StatusConflict, "hand-over", "wait until it is over; where both shifts have agreed, use --force"},
		{standing.ErrQuestion, malformed, "question", "give the question or the task"},
		{standing.ErrNoContact, http.StatusNotFound, "no-contact", "see the entries with: detente directory list"},

		{compose.ErrRequest, malformed, "request", ""},
		{errPlane, http.StatusConflict, "other-plane", "choose the plane of the statement that it refers to; real, exercise and test are kept apart in everything"},
		{archive.ErrNotation, malformed, "id", "give four or more digits of an id, or a number such as XN/NRRC-O-0003"},
		{errSeveral, http.StatusConflict, "ambiguous", "give the beginning of the channel's id"},
		{errNoKeys, http.StatusConflict, "no-key-file", ""},
		{errNotCompared, http.StatusConflict, "words-not-compared", "hear the words from the party, then: detente charter confirm"},
		{errClosed, http.StatusForbidden, "closed-channel", "prove single statements with: detente prove"},
		{feed.ErrNoEntry, http.StatusConflict, "nothing-signed", "export it once something was said"},
		{feed.ErrOrigin, http.StatusConflict, "another-feed", "choose an empty directory"},
		{errInvalid, http.StatusConflict, "invalid-statement", "a notice can say so to its party"},
		{context.DeadlineExceeded, http.StatusGatewayTimeout, "not-yet", "it goes on by itself; look again later"},
		{context.Canceled, http.StatusServiceUnavailable, "cancelled", "look at what is held before trying again"},
	}
}

// problem is an error as a caller may see it. What no rule names is told to the log alone.
func (s *Server) problem(where string, err error) *api.Problem {
	if p, ok := errors.AsType[*api.Problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*release.Needed](err); ok {
		return needsRelease(e)
	}
	if errors.Is(err, node.ErrNoPeer) {
		for _, chain := range s.node.Pending() {
			if name := string(chain.Party()); strings.HasSuffix(err.Error(), ": "+name) {
				err = fmt.Errorf("%w: %s", errNotCompared, name)
			}
		}
	}
	for _, r := range s.rules {
		if errors.Is(err, r.Is) {
			return &api.Problem{Title: http.StatusText(r.Status), Status: r.Status, Code: r.Code, Detail: refusal.Plain(err), Hint: r.Hint}
		}
	}
	s.log.Error("request failed", "operation", where, "reason", err)
	return &api.Problem{
		Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError, Code: "internal",
		Detail: "the node could not do it", Hint: "the node's log says why",
	}
}

// write answers with a problem where huma does not.
func write(w http.ResponseWriter, p *api.Problem) {
	p.Title = http.StatusText(p.Status)
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// problems gives what huma itself refuses the shape of every other problem.
func problems(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &api.Problem{Title: m.Title, Status: m.Status, Code: "request", Detail: m.Detail, Hint: "openapi.yaml describes every request"}
	for _, e := range m.Errors {
		p.Fields = append(p.Fields, fmt.Sprintf("%s: %s", e.Location, e.Message))
	}
	return p, nil
}
