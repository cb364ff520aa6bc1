// Package release is where drafts wait for a second person, and from where they are sent when he has approved them.
// It must never send what was not approved, nor send twice what was.
package release

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"detente/directory"
	"detente/feed"
	"detente/floor"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/officer"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// ErrNeeded says that a draft waits for a second person. It is found in an error by [errors.AsType] of *Needed.
var ErrNeeded = errors.New("release: it waits until a second person has released it")

// Needed is what came of a draft that one person may not send alone.
type Needed struct{ Release officer.Pending }

func (e *Needed) Error() string {
	return ErrNeeded.Error() + ": release " + e.Release.ID
}

// Unwrap gives the sentinel.
func (e *Needed) Unwrap() error { return ErrNeeded }

// Council is the post in whose name nothing is said by one person alone, but that a statement was received.
const Council = "council"

// Desk is where drafts wait for a second person, and from where they are sent, once, when he has approved them.
type Desk struct {
	node     *node.Node
	officers *officer.Roll
	journal  *journal.Journal
	log      *slog.Logger
	holder   string        // names this process among those of the party
	kicked   chan struct{} // one slot: look again
	one      sync.Mutex    // one release is completed at a time: whoever approves it, and Run, must not both find it unsent

	mu      sync.Mutex
	waiting []officer.Pending // guarded by mu: as was seen last

	// Changed is called when something has begun to wait, or no longer does. nil: nobody asks. Set it before Run.
	Changed func()
	// HandedOver does what a hand-over's approval means. It may be called again for the same one, if the process died meanwhile. Set it before Run.
	HandedOver func(ctx context.Context, p officer.Pending) error
	// Permit tells whether the channel, as it stands, lets a draft pass that its author takes for essential or not: it is asked when the draft is made by
	// whoever makes it, and again here when it is released. nil: nobody asks. Set it before Run.
	Permit func(ctx context.Context, d *node.Draft, essential bool) error
}

// New makes it. It starts nothing; Run does what waits for time. Without a journal nothing is written there; log may be nil.
func New(n *node.Node, officers *officer.Roll, j *journal.Journal, log *slog.Logger) *Desk {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Desk{node: n, officers: officers, journal: j, log: log, holder: rand.Text(), kicked: make(chan struct{}, 1)}
}

// draft is a node.Draft as it waits: what the second person decides on is fixed in it.
type draft struct {
	Channel    [32]byte           `json:"channel"`
	Plane      traffic.Plane      `json:"plane"`
	Precedence traffic.Precedence `json:"precedence"`
	Audience   string             `json:"audience"`
	Form       string             `json:"form"`
	Version    int                `json:"version"`
	Payload    []byte             `json:"payload"`
	Dossier    statement.ID       `json:"dossier"`
	Refs       []statement.ID     `json:"refs"`
	Language   string             `json:"language"`
	Marking    string             `json:"marking"`
	Blobs      [][]byte           `json:"blobs"`
	Essential  bool               `json:"essential,omitempty"`
}

// Say sends a draft in the name of whoever acts: the terminal as it claims; an officer in the lowest of his roles that permits the action at the post, or in the
// one that the draft names if it is his. What needs two persons then waits; essential says that its author takes it for what cannot wait. Errors: officer.ErrRole, a *Needed, those of [node.Node.Send].
func (r *Desk) Say(ctx context.Context, by officer.Actor, what officer.Action, d node.Draft, essential bool) (node.Sent, error) {
	if by.Terminal() {
		if d.Drafter == "" {
			d.Drafter = officer.DutyOfficer
		}
		return r.node.Send(ctx, d)
	}
	wanted := d.Drafter
	if d.Drafter, d.Releaser = by.Role(what, d.Post, wanted), ""; d.Drafter == "" {
		return node.Sent{}, fmt.Errorf("%w: %s has none with the action %s at %s %s", officer.ErrRole, by.ID, what, d.Post, wanted)
	}
	_, _, err := r.node.Rehearse(d)
	switch {
	case errors.Is(err, form.ErrReleaser), err == nil && d.Post == Council && what != officer.Acknowledge:
		return node.Sent{}, r.ask(ctx, by, d, essential)
	case err != nil:
		return node.Sent{}, err
	}
	return r.node.Send(ctx, d)
}

// ask keeps a draft until a second person comes.
func (r *Desk) ask(ctx context.Context, by officer.Actor, d node.Draft, essential bool) error {
	// It is checked as it will be sent, so that nobody is asked to release what cannot be sent.
	d.Releaser = officer.HeadOfPost
	if d.Drafter == officer.HeadOfPost {
		d.Releaser = officer.Deputy
	}
	h, payload, err := r.node.Rehearse(d)
	if err != nil {
		return err
	}
	h.Releaser = ""
	digest, err := h.Release(payload)
	if err != nil {
		return err
	}
	kept, err := json.Marshal(draft{
		h.Channel, h.Plane, h.Precedence, h.Audience, h.Form, h.Version, payload, h.Dossier, h.Refs, h.Language, h.Marking, d.Blobs, essential,
	})
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	p, err := r.officers.Ask(ctx, officer.Pending{
		Kind: officer.KindStatement, Post: d.Post, Digest: digest, Draft: kept, Officer: by.ID, Role: d.Drafter,
	})
	if err != nil {
		return err
	}
	r.record(ctx, p, "asked", by.ID, d.Drafter, digest, "", "")
	r.kick(ctx)
	return &Needed{p}
}

// AskHandover keeps a draft of which the digest is to be approved by each of the officers named.
func (r *Desk) AskHandover(ctx context.Context, post traffic.Post, by floor.By, digest [32]byte, officers []string, draft []byte) (string, error) {
	p, err := r.officers.Ask(ctx, officer.Pending{
		Kind: officer.KindHandover, Post: post, Digest: digest, Draft: draft, Officer: by.Officer, Role: by.Drafter(), Needs: officers,
	})
	if err != nil {
		return "", err
	}
	r.record(ctx, p, "asked", by.Officer, by.Drafter(), digest, "", "")
	r.kick(ctx)
	return p.ID, nil
}

// Draft is what a release of a statement would send with a releaser of that role, empty while there is none, with its form.
func (r *Desk) Draft(p officer.Pending, releaser string) (node.Draft, *form.Form, error) {
	var k draft
	if err := json.Unmarshal(p.Draft, &k); err != nil {
		return node.Draft{}, nil, fmt.Errorf("release: %w", err)
	}
	d := node.Draft{
		Channel: k.Channel, Plane: k.Plane, Precedence: k.Precedence, Post: p.Post, Audience: k.Audience, Form: k.Form, Version: k.Version,
		Dossier: k.Dossier, Refs: k.Refs, Language: k.Language, Marking: k.Marking, Drafter: p.Role, Releaser: releaser, Blobs: k.Blobs,
	}
	_, regime, err := r.node.Channel(k.Channel)
	if err != nil {
		return d, nil, err
	}
	f, ok := regime.Form(k.Form, k.Version)
	if !ok {
		return d, nil, fmt.Errorf("%w: %s", node.ErrNoForm, k.Form)
	}
	d.Values, err = f.Decode(k.Payload)
	return d, f, err
}

// Digest is what an officer approves: of a hand-over the digest that was asked for, of a statement that of the draft with his role as the releaser's.
func (r *Desk) Digest(p officer.Pending, releaser string) ([32]byte, error) {
	if p.Kind != officer.KindStatement || releaser == "" {
		return p.Digest, nil
	}
	d, _, err := r.Draft(p, releaser)
	if err != nil {
		return [32]byte{}, err
	}
	h, payload, err := r.node.Rehearse(d)
	if err != nil {
		return [32]byte{}, err
	}
	return h.Release(payload)
}

// Releasers are the roles in which somebody may approve a release now, the lowest first.
func (r *Desk) Releasers(p officer.Pending, by officer.Actor) []string {
	switch {
	case p.State != officer.Waiting || !time.Now().Before(p.Until):
		return nil
	case p.Kind == officer.KindHandover:
		if by.Terminal() || slices.Contains(p.Missing(), by.ID) {
			return []string{by.Role(officer.Handover, p.Post, "")}
		}
		return nil
	case by.Terminal():
		return slices.DeleteFunc([]string{officer.Deputy, officer.HeadOfPost, officer.SeniorOfficial}, func(s string) bool { return s == p.Role })
	case by.ID == p.Officer:
		return nil
	}
	return slices.DeleteFunc(officer.RolesFor(by.Grants, officer.Release, p.Post), func(s string) bool { return s == p.Role })
}

// Approve takes one person's approval. response is his passkey's, over the digest; role chooses among several that he has, and by default is the one whose digest
// he has signed. When nothing more is needed the statement is sent before Approve returns, or else, if that fails, by Run. Errors: those of
// [officer.Roll.Approve], of [node.Node.Send].
func (r *Desk) Approve(ctx context.Context, id string, by officer.Actor, role string, response []byte) (officer.Pending, node.Sent, error) {
	p, err := r.officers.Release(ctx, id)
	if err != nil {
		return p, node.Sent{}, err
	}
	d := officer.Decision{By: by, Role: role, Digest: p.Digest, Response: response}
	if p.Kind == officer.KindStatement {
		if d.Role, d.Digest, err = r.choose(p, by, role, response); err != nil {
			return p, node.Sent{}, err
		}
		if err := r.passes(ctx, p); err != nil {
			return p, node.Sent{}, err
		}
	}
	if p, err = r.officers.Approve(ctx, id, d); err != nil {
		return p, node.Sent{}, err
	}
	if p.State != officer.Approved {
		r.record(ctx, p, "approved", by.ID, d.Role, d.Digest, "", "")
		return p, node.Sent{}, nil
	}
	// It is approved for good: a caller who goes away does not take that back.
	sent, err := r.complete(context.WithoutCancel(ctx), p)
	r.kick(ctx)
	if err != nil {
		return p, sent, err
	}
	p, err = r.officers.Release(ctx, id)
	return p, sent, err
}

// passes tells whether the channel still lets pass what waits: it may have been suspended since the draft was made. The draft goes on waiting. Errors: those
// of Permit.
func (r *Desk) passes(ctx context.Context, p officer.Pending) error {
	if r.Permit == nil {
		return nil
	}
	var k draft
	if err := json.Unmarshal(p.Draft, &k); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	d, _, err := r.Draft(p, "")
	if err != nil {
		return err
	}
	if err := r.Permit(ctx, &d, k.Essential); err != nil {
		return fmt.Errorf("release: how the channel stands has changed since it was drafted; nothing was sent, and the draft goes on waiting: %w", err)
	}
	return nil
}

// choose is the role in which somebody approves a statement, with the digest that goes with it.
func (r *Desk) choose(p officer.Pending, by officer.Actor, role string, response []byte) (string, [32]byte, error) {
	if by.ID == p.Officer {
		return "", p.Digest, officer.ErrOwnDraft
	}
	roles := r.Releasers(p, by)
	if by.Terminal() && role != "" && role != p.Role && len(roles) > 0 {
		roles = []string{role} // the terminal claims, here as everywhere
	}
	if role != "" {
		roles = slices.DeleteFunc(roles, func(s string) bool { return s != role })
	}
	if len(roles) == 0 {
		if p.State != officer.Waiting || !time.Now().Before(p.Until) {
			return "", p.Digest, officer.ErrNotOpen
		}
		return "", p.Digest, fmt.Errorf("%w: %s may not release at %s what the %s has drafted", officer.ErrRole, by.ID, p.Post, p.Role)
	}
	signed, _ := officer.Challenge(response)
	var first [32]byte
	for i, role := range roles {
		digest, err := r.Digest(p, role)
		if err != nil {
			return "", digest, err
		}
		if digest == signed {
			return role, digest, nil
		}
		if i == 0 {
			first = digest
		}
	}
	return roles[0], first, nil
}

// Refuse ends a release: its drafter withdraws it; whoever may approve it refuses it. Errors: officer.ErrRole, those of [officer.Roll.Refuse].
func (r *Desk) Refuse(ctx context.Context, id string, by officer.Actor, reason string) (officer.Pending, error) {
	p, err := r.officers.Release(ctx, id)
	if err != nil {
		return p, err
	}
	if by.ID != p.Officer && len(r.Releasers(p, by)) == 0 && p.State == officer.Waiting {
		return p, fmt.Errorf("%w: %s may not refuse it", officer.ErrRole, by.ID)
	}
	if p, err = r.officers.Refuse(ctx, id, by.ID); err != nil {
		return p, err
	}
	r.record(ctx, p, p.State, by.ID, by.Role(officer.Release, p.Post, ""), p.Digest, "", reason)
	r.kick(ctx)
	return p, nil
}

// complete does what was approved. If the process dies
//
//   - before the claim: the release is approved; Run of the next process comes here again;
//   - between claim and Send: the claim has kept how far the feed went; nothing with the digest is found from there on, and it is sent;
//   - after Send, before the mark: it is found there, and not sent again;
//   - after the mark: only the journal lacks it, and gets it, perhaps a second time.
func (r *Desk) complete(ctx context.Context, p officer.Pending) (sent node.Sent, err error) {
	r.one.Lock()
	defer r.one.Unlock()
	if p, err = r.officers.Release(ctx, p.ID); err != nil { // Run may have been here meanwhile, or the approval
		return sent, err
	}
	if p.State == officer.Done {
		return r.sent(ctx, p)
	}
	if p.Kind == officer.KindHandover {
		return sent, r.handOver(ctx, p)
	}
	a := p.Approvals[len(p.Approvals)-1]
	d, _, err := r.Draft(p, a.Role)
	if err != nil {
		return sent, err
	}
	if p.State == officer.Approved {
		if err := r.passes(ctx, p); err != nil {
			return sent, err
		}
		epoch, size, err := r.reach(ctx, d)
		if err != nil {
			return sent, err
		}
		p, ok, err := r.officers.Claim(ctx, p.ID, r.holder, epoch, size)
		if err != nil || !ok {
			return sent, err // another process does it
		}
		if sent, err = r.find(ctx, p, d, a.Digest); err != nil {
			return sent, err
		}
		if sent.ID == (statement.ID{}) {
			if sent, err = r.node.Send(ctx, d); err != nil {
				return sent, err
			}
		}
		if err := r.officers.Mark(ctx, p.ID, officer.Sent, sent.ID[:]); err != nil {
			return sent, err
		}
	} else if sent, err = r.sent(ctx, p); err != nil {
		return sent, err
	}
	p.Statement = sent.ID[:]
	if err := r.write(ctx, p, "approved", a.Officer, a.Role, a.Digest, "", ""); err != nil {
		r.log.Error("the journal cannot be written", "release", p.ID, "reason", err)
		return sent, nil // it is sent; Run comes back to the journal
	}
	return sent, r.officers.Mark(ctx, p.ID, officer.Done, sent.ID[:])
}

// sent is where the statement of a release stands that was sent.
func (r *Desk) sent(ctx context.Context, p officer.Pending) (node.Sent, error) {
	var id statement.ID
	if copy(id[:], p.Statement) != len(id) {
		return node.Sent{}, nil // a hand-over
	}
	h, err := r.node.Statement(ctx, id)
	return node.Sent{ID: id, Feed: h.Feed, Index: h.Index}, err
}

func (r *Desk) handOver(ctx context.Context, p officer.Pending) error {
	if r.HandedOver == nil {
		return nil
	}
	if err := r.HandedOver(ctx, p); err != nil {
		return err
	}
	return r.officers.Mark(ctx, p.ID, officer.Done, nil)
}

// reach is the own feed that a draft goes to, in its newest epoch, and how far it goes.
func (r *Desk) reach(ctx context.Context, d node.Draft) (epoch int, size int64, err error) {
	err = r.node.DB.View(ctx, func(tx *store.Tx) error {
		epoch, size = 0, 0
		heads, err := feed.Heads(ctx, tx, &d.Channel)
		for _, h := range heads {
			if r.into(h.Feed, d) && h.Feed.Epoch >= epoch {
				epoch, size = h.Feed.Epoch, h.Size
			}
		}
		return err
	})
	return epoch, size, err
}

func (r *Desk) into(f traffic.Feed, d node.Draft) bool {
	return f.Party == r.node.Self() && f.Plane == d.Plane && f.Precedence == d.Precedence
}

// find looks for the statement that a release has sent already: one with its digest, logged since the claim, that came of no other release.
func (r *Desk) find(ctx context.Context, p officer.Pending, d node.Draft, digest [32]byte) (found node.Sent, err error) {
	var candidates []node.Sent
	err = r.node.DB.View(ctx, func(tx *store.Tx) error {
		candidates = nil
		heads, err := feed.Heads(ctx, tx, &d.Channel)
		if err != nil {
			return err
		}
		for _, h := range heads {
			from := int64(0)
			switch {
			case !r.into(h.Feed, d) || h.Feed.Epoch < p.Epoch:
				continue
			case h.Feed.Epoch == p.Epoch:
				from = min(p.Size, h.Size)
			}
			err := h.Range(ctx, tx, from, h.Size, func(e feed.Entry) bool {
				if s, err := statement.Decode(e.Bytes); err == nil && e.Reason == "" {
					if has, err := s.Release(s.Payload); err == nil && has == digest {
						candidates = append(candidates, node.Sent{ID: e.ID, Feed: h.Feed, Index: e.Index})
					}
				}
				return true
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range candidates {
		taken, err := r.officers.Taken(ctx, c.ID[:])
		if err != nil {
			return found, err
		}
		if !taken {
			return c, nil
		}
	}
	return found, err
}

// Why a release ended by itself, as codes of the journal.
const (
	causeLapsed    = "lapsed"
	causeNotSent   = "not-sent"
	causeSuspended = "suspended"
)

// cause is why what was approved could not be sent.
func cause(err error) string {
	if errors.Is(err, directory.ErrSuspended) || errors.Is(err, directory.ErrDeclined) || errors.Is(err, directory.ErrMinimize) {
		return causeSuspended
	}
	return causeNotSent
}

// record writes to the journal what became of a release; a journal that cannot be written holds up nobody.
func (r *Desk) record(ctx context.Context, p officer.Pending, action, by, role string, digest [32]byte, cause, text string) {
	if err := r.write(context.WithoutCancel(ctx), p, action, by, role, digest, cause, text); err != nil {
		r.log.Error("the journal cannot be written", "release", p.ID, "action", action, "reason", err)
	}
}

func (r *Desk) write(ctx context.Context, p officer.Pending, action, by, role string, digest [32]byte, cause, text string) error {
	if r.journal == nil {
		return nil
	}
	v := form.Values{"action": action, "digest": digest[:], "officer": by, "kind": p.Kind}
	if cause != "" {
		v["cause"] = cause
	}
	var refs []statement.ID
	if len(p.Statement) == 32 {
		v["statement"] = p.Statement
		refs = []statement.ID{statement.ID(p.Statement)}
	}
	if role != "" {
		v["role"] = role
	}
	if text = form.Clean(text, false, 2000); text != "" {
		v["text"] = text
	}
	for _, a := range p.Approvals {
		if action == "approved" && a.Officer == by && len(a.Assertion) > 0 {
			v["credential"], v["assertion"] = a.Credential, a.Assertion
		}
	}
	if role == "" {
		role = by
	}
	_, err := r.journal.Record(ctx, p.Post, role, "release", v, refs...)
	return err
}

// kick has Run look again, and the board show what waits now.
func (r *Desk) kick(ctx context.Context) {
	r.look(context.WithoutCancel(ctx))
	if r.Changed != nil {
		r.Changed()
	}
	select {
	case r.kicked <- struct{}{}:
	default:
	}
}

// again is after how long what could not be done is tried once more.
const again = time.Minute

// Run sends what a process before has left approved and unsent, and ends what has waited too long, until ctx ends.
func (r *Desk) Run(ctx context.Context) error {
	for {
		next, err := r.Tend(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			r.log.Error("releases", "reason", err)
			next = time.Now().Add(again)
		}
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.kicked:
		case <-due:
		}
	}
}

// Tend does once what Run does, and tells when it is to be done again at the latest; zero when something new must come first.
func (r *Desk) Tend(ctx context.Context) (next time.Time, err error) {
	lapsed, next, err := r.officers.Lapse(ctx)
	if err != nil {
		return next, err
	}
	for _, p := range lapsed {
		r.record(ctx, p, "withdrawn", journal.Machine, journal.Machine, p.Digest, causeLapsed, "")
	}
	undone, err := r.officers.Releases(ctx, officer.Approved, officer.Sent)
	if err != nil {
		return next, err
	}
	for _, p := range undone {
		if _, failed := r.complete(ctx, p); failed != nil {
			err = errors.Join(err, fmt.Errorf("release: %s: %w", p.ID, failed))
			if p.State == officer.Approved && time.Now().After(p.Until) { // what nobody could send in a day is not said out of the blue later
				err = errors.Join(err, r.officers.Mark(ctx, p.ID, officer.Lapsed, nil))
				r.record(ctx, p, "withdrawn", journal.Machine, journal.Machine, p.Digest, cause(failed), "")
			}
		}
		if p, looked := r.officers.Release(ctx, p.ID); looked == nil && p.State != officer.Done {
			next = soonest(next, time.Now().Add(again))
		}
	}
	if r.node.DB.Multi() { // what another process was asked, it may not live to do
		next = soonest(next, time.Now().Add(again))
	}
	return next, err
}

func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
