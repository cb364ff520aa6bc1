package standing

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"detente/check"
	"detente/floor"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// place is where a statement stands, for its number.
type place struct {
	issuer traffic.Address
	feed   traffic.Feed
	index  int64
}

func (l place) number() string { return traffic.Number(l.issuer, l.feed, l.index) }

// plan is the plan of checks in force.
type plan struct {
	*check.Plan
	text, by string
	at       time.Time
	secret   []byte
}

// asking is a kind of check that this party sends.
type asking struct {
	channel  [32]byte
	plane    traffic.Plane
	post     traffic.Post
	audience string
	occasion string
}

// Forms that are folded here.
const (
	formPlan        = "plan"
	formCheck       = "check"
	formCheckAnswer = "check-answer"
	formContact     = "contact"
	formTranslation = "translation"
)

// Add takes in what the floor has read.
func (s *Standing) Add(t *floor.Told) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, h := t.Statement.ID(), &t.Statement.Header
	switch {
	case t.Kind == party.Internal && t.Feed.Party == s.self && h.Form == formPlan:
		if p, err := check.Parse(t.Values.Text("text")); err == nil { // one of an earlier program, which took what this one does not, is as none
			// The id is the hash of what never leaves this party, and is signed: nobody else can draw what it draws.
			s.plan = plan{p, t.Values.Text("text"), t.Values.Text("by"), t.Held, id[:]}
		}
		return
	case t.Kind != party.Common:
		return
	}
	s.tally.add(t)
	s.doubles.add(t)
	s.index.add(t)
	switch h.Form {
	case formCheck, formCheckAnswer:
		s.addCheck(t)
	case "status", "service":
		s.statuses.Add(id, h, t.Values)
		s.places[id] = place{h.Issuer, t.Feed, t.Index}
	case formContact, "contact-status":
		s.contacts.Add(id, h, t.Values)
		s.places[id] = place{h.Issuer, t.Feed, t.Index}
	case "glossary":
		s.glossary.Add(id, h, t.Values)
	case formTranslation:
		s.addTranslation(t)
	}
}

func (s *Standing) addCheck(t *floor.Told) {
	id, h := t.Statement.ID(), &t.Statement.Header
	s.checks.Add(id, h, t.Values, t.Held, t.Form.AnswerWithin(h.Precedence))
	own := t.Feed.Party == s.self
	switch {
	case h.Form == formCheckAnswer && own && len(h.Refs) == 1:
		s.answered[h.Refs[0]] = true
		delete(s.toAnswer, h.Refs[0])
	case h.Form == formCheckAnswer:
	case own:
		s.places[id] = place{h.Issuer, t.Feed, t.Index}
		a := asking{h.Channel, h.Plane, h.Issuer.Post, h.Audience, t.Values.Text("occasion")}
		if h.IssuedAt.After(s.sent[a]) {
			s.sent[a] = h.IssuedAt
		}
	default:
		s.places[id] = place{h.Issuer, t.Feed, t.Index}
		if t.Values.Int("level") == check.Terminal && addressedTo(h.Audience, s.self) && s.admits(t) && !s.answered[id] {
			s.toAnswer[id] = t
		}
	}
}

// addressedTo tells whether an audience is a party's.
func addressedTo(audience string, p traffic.Party) bool {
	if audience == statement.Everyone {
		return true
	}
	a, err := traffic.ParseAddress(audience)
	return err == nil && a.Party == p
}

// doubles finds statements that say the same once more: same author, form and words, on one channel and plane, within a day.
type doubles struct {
	first map[[16]byte]utterance
	of    map[statement.ID]statement.ID // a suspected duplicate: of which statement
}

type utterance struct {
	id statement.ID
	at int64
}

func newDoubles() doubles {
	return doubles{make(map[[16]byte]utterance), make(map[statement.ID]statement.ID)}
}

// doubleWithin is within which time the same words are a suspected duplicate.
const doubleWithin = 24 * time.Hour

func (d *doubles) add(t *floor.Told) {
	s := t.Statement
	if s.Form == formCheck || s.Form == formCheckAnswer { // of which one is like the other
		return
	}
	h := sha256.New()
	for _, part := range [][]byte{s.Channel[:], []byte(s.Plane), []byte(s.Issuer.String()), []byte(s.Audience), []byte(s.Form), s.Payload} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write(part)
	}
	for _, ref := range s.Refs {
		h.Write(ref[:])
	}
	key, now := [16]byte(h.Sum(nil)), utterance{s.ID(), s.IssuedAt.Unix()}
	was, ok := d.first[key]
	if !ok || was.id == now.id || now.at-was.at > int64(doubleWithin/time.Second) {
		d.first[key] = now
		return
	}
	if was.at-now.at > int64(doubleWithin/time.Second) { // read later, said long before
		return
	}
	if now.at < was.at { // feeds are read one after the other: the one said first is the statement
		now, was = was, now
		d.first[key] = was
	}
	d.of[now.id] = was.id
}

// Duplicate is the statement of which another is suspected to be a duplicate: its author said the same within a day before it. false when none is.
// What was read is asked: it does not wait.
func (s *Standing) Duplicate(id statement.ID) (statement.ID, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	of, ok := s.doubles.of[id]
	return of, ok
}
