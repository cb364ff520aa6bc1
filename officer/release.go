package officer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/store"
	"detente/traffic"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Errors of releases.
var (
	ErrOwnDraft = errors.New("officer: nobody releases what he has drafted himself")
	ErrSuspect  = errors.New("officer: this approval is not a second person's: the rule is in docs/operate.md#two-persons")
	ErrNotOpen  = errors.New("officer: the release is no longer waiting")
	ErrRole     = errors.New("officer: no role permits it")
)

// ReleaseLife is how long a draft waits for the other person.
const ReleaseLife = 24 * time.Hour

// The kinds of releases.
const (
	KindStatement = "statement" // one other person, with the right to release, approves it
	KindHandover  = "handover"  // each officer named approves it
)

// The states of a release. A statement goes from waiting to approved to sent to done; what died in between is taken up where it was.
const (
	Waiting   = "waiting"
	Approved  = "approved"  // by everybody; what it approves is not done yet
	Sent      = "sent"      // the statement is in its feed; the journal does not have the approval yet
	Done      = "done"      // and the journal has it
	Refused   = "refused"   // by the other person
	Withdrawn = "withdrawn" // by the drafter
	Lapsed    = "lapsed"    // nobody came
)

// Pending is a draft that waits for another person, or did.
type Pending struct {
	ID        string
	Kind      string
	Post      traffic.Post
	Digest    [32]byte // of the draft as it was asked for; a statement's names no releaser
	Draft     []byte   // its keeper knows what it means
	Officer   string   // who asked
	Role      string   // in which he drafted it
	Asked     time.Time
	Until     time.Time
	Needs     []string // officers, of a hand-over
	State     string
	Epoch     int    // the feed's when it was first about to be sent, -1 before
	Size      int64  // the feed's, then
	Statement []byte // id, once it is sent
	Approvals []Approval
}

// Approval is one person's, with what proves it.
type Approval struct {
	Officer    string
	Role       string
	At         time.Time
	Digest     [32]byte // what he approved: for a statement, with his role as the releaser's
	Credential []byte   // public key of his passkey, COSE; empty for the terminal
	Assertion  []byte   // as VerifyApproval takes it; empty for the terminal
}

// Missing lists the officers who must still approve a hand-over.
func (p *Pending) Missing() []string {
	return slices.DeleteFunc(slices.Clone(p.Needs), func(id string) bool {
		return slices.ContainsFunc(p.Approvals, func(a Approval) bool { return a.Officer == id })
	})
}

type pendingRow struct {
	Pending
	digest       []byte
	asked, until int64
	needs        string
}

func (r *pendingRow) fields() []any {
	return []any{
		&r.ID, &r.Kind, &r.Post, &r.digest, &r.Draft, &r.Officer, &r.Role, &r.asked, &r.until, &r.needs, &r.State, &r.Epoch, &r.Size, &r.Statement,
	}
}

const pendingColumns = `SELECT id, kind, post, digest, draft, officer, role, asked, until, needs, state, epoch, size, statement FROM officer_releases`

func pending(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Pending, error) {
	rows, err := store.All(ctx, tx, (*pendingRow).fields, pendingColumns+" "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("officer: releases: %w", err)
	}
	var out []Pending
	for _, r := range rows {
		p := r.Pending
		copy(p.Digest[:], r.digest)
		p.Asked, p.Until = moment(r.asked), moment(r.until)
		if err := json.Unmarshal([]byte(r.needs), &p.Needs); err != nil {
			return nil, fmt.Errorf("officer: releases: %w", err)
		}
		type row struct {
			Approval
			at     int64
			digest []byte
		}
		approvals, err := store.All(ctx, tx, func(a *row) []any { return []any{&a.Officer, &a.Role, &a.at, &a.digest, &a.Credential, &a.Assertion} },
			`SELECT officer, role, at, digest, credential, assertion FROM officer_approvals WHERE release_id = $1 ORDER BY at, officer`, p.ID)
		if err != nil {
			return nil, fmt.Errorf("officer: approvals: %w", err)
		}
		for _, a := range approvals {
			a.At = moment(a.at)
			copy(a.Approval.Digest[:], a.digest)
			p.Approvals = append(p.Approvals, a.Approval)
		}
		out = append(out, p)
	}
	return out, nil
}

// onePending finds a release; lock is what the query ends with, to hold it until the transaction ends.
func onePending(ctx context.Context, tx *store.Tx, id, lock string) (Pending, error) {
	all, err := pending(ctx, tx, `WHERE id = $1`+lock, id)
	if err != nil {
		return Pending{}, err
	}
	if len(all) == 0 {
		return Pending{}, fmt.Errorf("%w: no release %s", ErrNotFound, id)
	}
	return all[0], nil
}

// Ask keeps a draft until another person has approved it. ID, Asked, Until and State are given to it.
func (r *Roll) Ask(ctx context.Context, p Pending) (Pending, error) {
	p.ID, p.State, p.Asked, p.Epoch = strings.ToLower(base32Text(10)), Waiting, time.Now().UTC().Truncate(time.Second), -1
	p.Until = p.Asked.Add(ReleaseLife)
	needs, err := json.Marshal(append([]string{}, p.Needs...))
	if err != nil {
		return Pending{}, fmt.Errorf("officer: %w", err)
	}
	err = r.db.Update(ctx, store.Urgent, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO officer_releases (id, kind, post, digest, draft, officer, role, asked, until, needs, state, holder, held, epoch, size, statement)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 0, -1, 0, $12)`,
			p.ID, p.Kind, string(p.Post), p.Digest[:], p.Draft, p.Officer, p.Role, p.Asked.Unix(), p.Until.Unix(), string(needs), Waiting, []byte{})
		return err
	})
	if err != nil {
		return Pending{}, fmt.Errorf("officer: ask: %w", err)
	}
	return p, nil
}

// Release finds a release in whatever state. Error: ErrNotFound.
func (r *Roll) Release(ctx context.Context, id string) (p Pending, err error) {
	err = r.db.View(ctx, func(tx *store.Tx) (err error) {
		p, err = onePending(ctx, tx, id, "")
		return err
	})
	return p, err
}

// Releases lists the releases in one of the states, the oldest first.
func (r *Roll) Releases(ctx context.Context, states ...string) (out []Pending, err error) {
	err = r.db.View(ctx, func(tx *store.Tx) error {
		out = nil
		for _, s := range states {
			some, err := pending(ctx, tx, `WHERE state = $1 ORDER BY asked, id`, s)
			if err != nil {
				return err
			}
			out = append(out, some...)
		}
		return nil
	})
	return out, err
}

// ApprovalOptions gives the options, in JSON, with which a browser asks an officer for the approval of a digest: his passkey signs the digest itself, so that what
// it signed can be compared with what was sent. Errors: ErrNoConsole, ErrSignIn for an officer without a passkey.
func (r *Roll) ApprovalOptions(ctx context.Context, officer string, digest [32]byte) ([]byte, error) {
	if r.webauthn == nil {
		return nil, ErrNoConsole
	}
	o, err := r.Officer(ctx, officer)
	if err != nil {
		return nil, err
	}
	options, _, err := r.beginApproval(&o, digest)
	if err != nil {
		return nil, err
	}
	return json.Marshal(options)
}

func (r *Roll) beginApproval(o *Officer, digest [32]byte) (*protocol.CredentialAssertion, *webauthn.SessionData, error) {
	if len(o.credentials) == 0 {
		return nil, nil, fmt.Errorf("%w: %s has no passkey to approve with", ErrSignIn, o.ID)
	}
	options, data, err := r.webauthn.BeginLogin(person{o}, webauthn.WithChallenge(digest[:]), webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, nil, fmt.Errorf("officer: approval: %w", err)
	}
	return options, data, nil
}

// Decision is one person's approval.
type Decision struct {
	By       Actor
	Role     string   // in which he approves a statement
	Digest   [32]byte // what he approves
	Response []byte   // PublicKeyCredential in JSON; none from the terminal
}

// Approve keeps one person's approval, with what his passkey signed. Whoever drafted a statement cannot approve it, nor can anybody without a passkey, but the
// terminal, whose approval is recorded as the terminal's. Of a hand-over each officer named approves; the terminal does so for the first who has not yet.
// The release is then Waiting still, or Approved. Errors: ErrNotFound, ErrNotOpen, ErrOwnDraft, ErrRole, ErrSignIn, ErrAssertion.
func (r *Roll) Approve(ctx context.Context, id string, d Decision) (p Pending, err error) {
	err = r.db.Update(ctx, store.Urgent, func(tx *store.Tx) error {
		if p, err = onePending(ctx, tx, id, tx.ForUpdate()); err != nil {
			return err
		}
		if p.State != Waiting || !time.Now().Before(p.Until) {
			return fmt.Errorf("%w: it is %s", ErrNotOpen, stateOf(p))
		}
		a := Approval{Officer: d.By.ID, Role: d.Role, At: time.Now().UTC().Truncate(time.Second), Digest: d.Digest, Credential: []byte{}, Assertion: []byte{}}
		switch {
		case p.Kind == KindStatement && d.By.ID == p.Officer:
			return ErrOwnDraft
		case p.Kind == KindStatement && (d.Role == "" || d.Role == p.Role):
			return fmt.Errorf("%w: a statement is released in another role than %s, in which it was drafted", ErrRole, p.Role)
		case p.Kind == KindHandover && d.By.Terminal():
			missing := p.Missing()
			if len(missing) == 0 {
				return ErrNotOpen
			}
			a.Officer, a.Role = missing[0], terminal
		case p.Kind == KindHandover && !slices.Contains(p.Missing(), d.By.ID):
			return fmt.Errorf("%w: %s is not one of those who must approve it still", ErrRole, d.By.ID)
		}
		if !d.By.Terminal() {
			if a.Credential, a.Assertion, err = r.assert(ctx, tx, d); err != nil {
				return err
			}
			if err := second(ctx, tx, p, d.By.ID, a.Credential); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO officer_approvals (release_id, officer, role, at, digest, credential, assertion) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			p.ID, a.Officer, a.Role, a.At.Unix(), a.Digest[:], a.Credential, a.Assertion)
		if err != nil {
			return fmt.Errorf("officer: approval: %w", err)
		}
		p.Approvals = append(p.Approvals, a)
		if p.Kind == KindHandover && len(p.Missing()) > 0 {
			return nil
		}
		p.State = Approved
		_, err = tx.Exec(ctx, `UPDATE officer_releases SET state = $1 WHERE id = $2`, Approved, p.ID)
		return err
	})
	return p, err
}

// second tells whether an officer counts as the second person beside the drafter of a statement: neither has let in the other by a link, and the passkey
// was there when the draft was. Else whoever administers officers could make himself a second person on the spot. Error: ErrSuspect.
func second(ctx context.Context, tx *store.Tx, p Pending, by string, key []byte) error {
	if p.Kind != KindStatement || p.Officer == terminal {
		return nil
	}
	approver, err := find(ctx, tx, by)
	if err != nil {
		return err
	}
	drafter, err := find(ctx, tx, p.Officer)
	if err != nil {
		return err
	}
	switch {
	case approver.LetIn == drafter.ID:
		return fmt.Errorf("%w: %s came in by a link that %s made", ErrSuspect, approver.ID, drafter.ID)
	case drafter.LetIn == approver.ID:
		return fmt.Errorf("%w: %s came in by a link that %s made", ErrSuspect, drafter.ID, approver.ID)
	}
	for i, c := range approver.credentials {
		if bytes.Equal(c.PublicKey, key) && approver.Passkeys[i].Added.After(p.Asked) {
			return fmt.Errorf("%w: the passkey was added after the draft was made", ErrSuspect)
		}
	}
	return nil
}

func stateOf(p Pending) string {
	if p.State == Waiting {
		return Lapsed
	}
	return p.State
}

// assert verifies what a passkey has signed, keeps its counter, and gives what is kept of it.
func (r *Roll) assert(ctx context.Context, tx *store.Tx, d Decision) (key, kept []byte, err error) {
	if r.webauthn == nil {
		return nil, nil, ErrNoConsole
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(d.Response)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s", ErrAssertion, reasonOf(err))
	}
	o, err := find(ctx, tx, d.By.ID)
	if err != nil {
		return nil, nil, err
	}
	if o.Removed {
		return nil, nil, fmt.Errorf("%w: %s was removed", ErrNoOfficer, o.ID)
	}
	_, data, err := r.beginApproval(&o, d.Digest)
	if err != nil {
		return nil, nil, err
	}
	used, err := r.webauthn.ValidateLogin(person{&o}, *data, parsed)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s", ErrAssertion, reasonOf(err))
	}
	if err := use(ctx, tx, used); err != nil {
		return nil, nil, err
	}
	if kept, err = keep(parsed); err != nil {
		return nil, nil, err
	}
	// What is kept must convince whoever has nothing but it.
	if _, err := VerifyApproval(used.PublicKey, kept, d.Digest); err != nil {
		return nil, nil, err
	}
	return used.PublicKey, kept, nil
}

// Challenge is what an assertion's page was asked to have signed: it tells which of several digests is meant, and is trusted for nothing else.
func Challenge(response []byte) (digest [32]byte, ok bool) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return digest, false
	}
	b, err := base64.RawURLEncoding.DecodeString(parsed.Response.CollectedClientData.Challenge)
	return digest, err == nil && copy(digest[:], b) == 32 && len(b) == 32
}

// Refuse ends a release that waits: the drafter withdraws it, anybody else refuses it. Errors: ErrNotFound, ErrNotOpen.
func (r *Roll) Refuse(ctx context.Context, id, by string) (p Pending, err error) {
	err = r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		if p, err = onePending(ctx, tx, id, tx.ForUpdate()); err != nil {
			return err
		}
		if p.State != Waiting {
			return fmt.Errorf("%w: it is %s", ErrNotOpen, p.State)
		}
		if p.State = Refused; by == p.Officer {
			p.State = Withdrawn
		}
		_, err = tx.Exec(ctx, `UPDATE officer_releases SET state = $1 WHERE id = $2`, p.State, p.ID)
		return err
	})
	return p, err
}

// Lapse ends what has waited too long, and gives it, and when the next one will have.
func (r *Roll) Lapse(ctx context.Context) (lapsed []Pending, next time.Time, err error) {
	err = r.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		now := time.Now()
		lapsed, next = nil, time.Time{}
		all, err := pending(ctx, tx, `WHERE state = $1 ORDER BY until`+tx.ForUpdate(), Waiting)
		if err != nil {
			return err
		}
		for _, p := range all {
			if now.Before(p.Until) {
				next = p.Until
				return nil
			}
			if _, err := tx.Exec(ctx, `UPDATE officer_releases SET state = $1 WHERE id = $2`, Lapsed, p.ID); err != nil {
				return fmt.Errorf("officer: lapse: %w", err)
			}
			p.State = Lapsed
			lapsed = append(lapsed, p)
		}
		return nil
	})
	return lapsed, next, err
}

// claimLife is after how long another process takes over a release whose holder is not heard of.
const claimLife = time.Minute

// Claim lets one process, named holder, do what was approved; two do not, though both try. epoch and size are how far the feed goes that the statement will be
// in: what was sent before is beyond what an earlier claim has kept. The release is as the database has it.
func (r *Roll) Claim(ctx context.Context, id, holder string, epoch int, size int64) (p Pending, ok bool, err error) {
	err = r.db.Update(ctx, store.Urgent, func(tx *store.Tx) error {
		ok = false
		if p, err = onePending(ctx, tx, id, tx.ForUpdate()); err != nil {
			return err
		}
		type claim struct {
			holder string
			held   int64
		}
		c, err := store.One(ctx, tx, func(c *claim) []any { return []any{&c.holder, &c.held} }, `SELECT holder, held FROM officer_releases WHERE id = $1`, id)
		if err != nil {
			return fmt.Errorf("officer: claim: %w", err)
		}
		now := time.Now()
		// On SQLite there is no other process: whoever else has claimed it is dead.
		if p.State != Approved || r.db.Multi() && c.holder != holder && now.Before(time.Unix(c.held, 0).Add(claimLife)) {
			return nil
		}
		if p.Epoch < 0 {
			p.Epoch, p.Size = epoch, size
		}
		ok = true
		_, err = tx.Exec(ctx, `UPDATE officer_releases SET holder = $1, held = $2, epoch = $3, size = $4 WHERE id = $5`,
			holder, now.Unix(), p.Epoch, p.Size, id)
		return err
	})
	return p, ok, err
}

// Mark takes a release to its next state: Sent with the id of its statement, then Done.
func (r *Roll) Mark(ctx context.Context, id, state string, statement []byte) error {
	return r.db.Update(ctx, store.Urgent, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE officer_releases SET state = $1, statement = $2 WHERE id = $3`, state, append([]byte{}, statement...), id)
		return err
	})
}

// Taken tells whether a statement came of another release already.
func (r *Roll) Taken(ctx context.Context, statement []byte) (taken bool, err error) {
	err = r.db.View(ctx, func(tx *store.Tx) error {
		n, err := store.One(ctx, tx, func(n *int) []any { return []any{n} }, `SELECT count(*) FROM officer_releases WHERE statement = $1`, statement)
		taken = n > 0
		return err
	})
	return taken, err
}
