// Package judge tells whether an entry that is held may be believed, and why not: protocol.md#held.
// It must never refuse to hold anything: what it finds wrong is kept, marked with the reason, and left out of every fold.
package judge

import (
	"context"
	"errors"
	"runtime"
	"slices"

	"detente/envelope"
	"detente/feed"
	"detente/form"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/sync/errgroup"
)

// The reasons, in the order in which they apply, protocol.md#held. The empty reason is a valid statement.
const (
	Malformed         = "malformed"
	NotIssuer         = "not-issuer"
	WrongFeed         = "wrong-feed"
	CharterUnknown    = "charter-unknown"
	UnknownKey        = "unknown-key"
	BadSignature      = "bad-signature"
	SignaturesMissing = "signatures-missing"
	NotAllowedPost    = "not-allowed-post"
	UnknownForm       = "unknown-form"
	BadPayload        = "bad-payload"
	PrecedenceCeiling = "precedence"
	NoReleaser        = "no-releaser"
	WrongAudience     = "wrong-audience"
	CharterBackwards  = "charter-backwards"
	Clock             = "clock"
)

// Reasons lists the reasons.
func Reasons() []string {
	return []string{Malformed, NotIssuer, WrongFeed, CharterUnknown, UnknownKey, BadSignature, SignaturesMissing, NotAllowedPost, UnknownForm, BadPayload,
		PrecedenceCeiling, NoReleaser, WrongAudience, CharterBackwards, Clock}
}

// maxClockStep is the most that a clock may rise from one statement of a feed to the next, protocol.md#clock.
const maxClockStep = 1 << 32

// Judge judges the entries of one feed. Its fields are what judgement depends on, beside the feed itself.
type Judge struct {
	Feed    traffic.Feed
	Channel *party.Channel
	Issuer  *party.Chain // the charters of the feed's party, as far as they are known here
	Regime  *form.Regime
	Link    *form.Regime // the regime "link", whose form "epoch" every channel has; may be nil
	Yield   func()       // called between two entries, so that calm work can give way; nil is runtime.Gosched
}

// Prior is what the valid entries before the one judged leave behind.
type Prior struct {
	Clock   int64
	Charter int
}

// Finding is what can be said of an entry on its own: everything but the order.
type Finding struct {
	Statement *statement.Statement // nil when malformed
	Reason    string
	body      []byte
}

// Examine looks at each body on its own, on all cores, since verifying signatures is what costs. The findings stand in the order of the bodies.
func (j *Judge) Examine(ctx context.Context, bodies [][]byte) ([]Finding, error) {
	out := make([]Finding, len(bodies))
	yield := j.Yield
	if yield == nil {
		yield = runtime.Gosched // a FLASH that comes meanwhile waits for one verification, not for a time slice of them
	}
	workers := min(runtime.GOMAXPROCS(0), (len(bodies)+7)/8)
	if workers <= 1 {
		for i, b := range bodies {
			out[i] = j.one(b)
			yield()
		}
		return out, ctx.Err()
	}
	var g errgroup.Group
	for w := range workers {
		g.Go(func() error {
			for i := w; i < len(bodies) && ctx.Err() == nil; i += workers {
				out[i] = j.one(bodies[i])
				yield()
			}
			return ctx.Err()
		})
	}
	return out, g.Wait()
}

func (j *Judge) one(body []byte) Finding {
	s, err := statement.Decode(body)
	if err != nil {
		return Finding{Reason: Malformed, body: body}
	}
	return Finding{Statement: s, Reason: j.reason(s), body: body}
}

func (j *Judge) reason(s *statement.Statement) string {
	if s.Issuer.Party != j.Feed.Party {
		return NotIssuer
	}
	if s.Channel != j.Feed.Channel || s.Plane != j.Feed.Plane || s.Precedence != j.Feed.Precedence {
		return WrongFeed
	}
	charter, ok := j.Issuer.At(s.Charter)
	if !ok {
		return CharterUnknown
	}
	err := s.Verify(func(id key.ID) key.Verifier { return charter.PostKey(s.Issuer.Post, s.Plane, id) })
	switch {
	case errors.Is(err, envelope.ErrUnknownKey):
		return UnknownKey
	case err != nil:
		return BadSignature
	}
	for _, a := range Demanded(j.Channel, s.Form) {
		if !slices.ContainsFunc(s.Signatures(), func(r envelope.Ref) bool { return r.Algorithm == a }) {
			return SignaturesMissing
		}
	}
	if len(j.Channel.Posts) > 0 && !slices.Contains(j.Channel.Posts, s.Issuer.Post) {
		return NotAllowedPost
	}
	if r := j.formReason(s); r != "" {
		return r
	}
	if s.Audience != statement.Everyone {
		if a, err := traffic.ParseAddress(s.Audience); err != nil || !j.Channel.Member(a.Party) {
			return WrongAudience
		}
	}
	return ""
}

// FormEpoch opens an epoch of a feed; it belongs to every channel, whatever its regime, protocol.md#epoch.
const FormEpoch = "epoch"

// Form finds a form of the channel's regime, or the form "epoch".
func (j *Judge) Form(id string, version int) (*form.Form, bool) {
	if f, ok := j.Regime.Form(id, version); ok || id != FormEpoch || j.Link == nil {
		return f, ok
	}
	return j.Link.Form(id, version)
}

func (j *Judge) formReason(s *statement.Statement) string {
	f, ok := j.Form(s.Form, s.Version)
	if !ok {
		return UnknownForm
	}
	v, err := f.Decode(s.Payload)
	if err != nil {
		return BadPayload
	}
	err = f.Permit(form.Use{Post: s.Issuer.Post, Precedence: s.Precedence, Refs: len(s.Refs), Drafter: s.Drafter, Releaser: s.Releaser}, v)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, form.ErrPost):
		return NotAllowedPost
	case errors.Is(err, form.ErrPrecedence):
		return PrecedenceCeiling
	case errors.Is(err, form.ErrReleaser):
		return NoReleaser
	}
	return BadPayload
}

// Demanded lists the algorithms that the channel wants on a statement of the form.
func Demanded(c *party.Channel, form string) []key.Algorithm {
	return slices.Concat(c.Signatures, c.Also[form])
}

// Conclude puts a finding in its place in the feed: it adds what depends on the entries before, and moves prior past a valid statement.
func (f Finding) Conclude(prior *Prior) feed.Entry {
	e := feed.Entry{Bytes: f.body, Reason: f.Reason}
	s := f.Statement
	if s == nil {
		e.ID = statement.Hash(f.body)
		return e
	}
	e.ID, e.Dossier, e.Clock, e.Issuer, e.Form = s.ID(), s.Case(), s.Clock, s.Issuer.String(), s.Form
	switch {
	case e.Reason != "":
	case s.Charter < prior.Charter:
		e.Reason = CharterBackwards
	case s.Clock < prior.Clock || s.Clock-prior.Clock > maxClockStep:
		e.Reason = Clock
	default:
		*prior = Prior{s.Clock, s.Charter}
	}
	return e
}
