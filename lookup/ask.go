package lookup

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/asking"
	"detente/blob"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/observable"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Question is what somebody asks of a list.
type Question struct {
	List    statement.ID
	Values  []observable.Observable // at most asking.MaxBatch
	Post    traffic.Post
	Officer string // who asks; empty for the terminal
	Drafter string
}

// Ask puts a question. What the answer cannot be read without is durable here before the question goes out: dying in between leaves a row to which no question
// belongs, and which is dropped after two days. Errors: ErrNoList, ErrOwnList, ErrWindow, ErrKind, ErrLimit, those of asking.Ask and [node.Node.Send].
func (d *Desk) Ask(ctx context.Context, q Question) (node.Sent, error) {
	if err := d.floor.CatchUp(ctx); err != nil {
		return node.Sent{}, err
	}
	list, err := d.mayAsk(q, time.Now())
	if err != nil {
		return node.Sent{}, err
	}
	blinded, err := asking.Ask(q.Values)
	if err != nil {
		return node.Sent{}, err
	}
	secret, err := blinded.Bytes()
	if err != nil {
		return node.Sent{}, err
	}
	digest := sha256.Sum256(blinded.Elements)
	if err := d.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO lookups (digest, list, officer, asked, secret, state, outcome) VALUES ($1, $2, $3, $4, $5, 'waiting', '')`,
			digest[:], list.ID[:], q.Officer, time.Now().Unix(), secret)
		return err
	}); err != nil {
		return node.Sent{}, fmt.Errorf("lookup: %w", err)
	}
	d.waits(true)
	sent, err := d.node.Reply(ctx, node.Reply{
		To: list.ID, Post: q.Post, Form: asking.FormQuestion, Values: form.Values{"count": len(q.Values), "elements": blinded.Elements},
		Language: d.language(), Drafter: q.Drafter, Precedence: traffic.Routine,
	})
	if err != nil && !errors.Is(err, store.ErrUnknownOutcome) && !errors.Is(err, store.ErrStopped) { // it was not said: forget it
		err = errors.Join(err, d.forget(context.WithoutCancel(ctx), digest[:]))
	}
	return sent, err
}

// waits notes whether some question waits, and tells whether one did.
func (d *Desk) waits(now bool) (before bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, d.open = d.open, now
	return before
}

func (d *Desk) forget(ctx context.Context, digest []byte) error {
	return d.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM lookups WHERE digest = $1`, digest)
		return err
	})
}

// mayAsk finds the list, and refuses here what its owner would refuse.
func (d *Desk) mayAsk(q Question, now time.Time) (*asking.Published, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.ledger.List(q.List)
	switch {
	case !ok || p.Ended != statement.ID{}:
		return nil, ErrNoList
	case p.Owner.Party == d.self:
		return nil, ErrOwnList
	case !p.In(now):
		return nil, fmt.Errorf("%w: from %s to %s", ErrWindow, form.DTG(p.From), form.DTG(p.Until))
	}
	for _, o := range q.Values {
		if !slices.Contains(p.Kinds, o.Kind) {
			return nil, fmt.Errorf("%w: %s", ErrKind, o.Kind)
		}
	}
	if left := d.ledger.Count(p.ID, d.self).Left(now); int64(len(q.Values)) > left {
		return nil, fmt.Errorf("%w: %d may still be asked now", ErrLimit, left)
	}
	return p, nil
}

// The states of a question.
const (
	Waiting  = "waiting"
	Answered = "answered"
	Refused  = "refused"
	Wrong    = "wrong" // the answer was not made with the key of the list: its owner's own statements show that
)

// Found is what came of one indicator.
type Found struct {
	Kind  observable.Kind `json:"kind"`
	Value string          `json:"value"`
	Known bool            `json:"known"`
}

// Result is a question as whoever asked it sees it.
type Result struct {
	List    statement.ID
	Officer string
	Asked   time.Time
	State   string
	Found   []Found       // Known holds where the state is Answered
	Reason  asking.Reason // where it is Refused

	digest, secret []byte
	list, outcome  []byte
	asked          int64
}

type outcome struct {
	Found  []Found       `json:"found"`
	Reason asking.Reason `json:"reason,omitempty"`
}

const columns = `SELECT digest, list, officer, asked, secret, state, outcome FROM lookups `

func (r *Result) fields() []any {
	return []any{&r.digest, &r.list, &r.Officer, &r.asked, &r.secret, &r.State, &r.outcome}
}

// Results are the last 200 questions of an officer, or those of the terminal and of all for the terminal, the newest first.
func (d *Desk) Results(ctx context.Context, officer string, all bool) ([]Result, error) {
	var rows []Result
	err := d.node.DB.View(ctx, func(tx *store.Tx) (err error) {
		if all {
			rows, err = store.All(ctx, tx, (*Result).fields, columns+`ORDER BY asked DESC, digest LIMIT 200`)
			return err
		}
		rows, err = store.All(ctx, tx, (*Result).fields, columns+`WHERE officer = $1 ORDER BY asked DESC, digest LIMIT 200`, officer)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lookup: %w", err)
	}
	for i := range rows {
		if err := rows[i].read(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// read fills what is shown from what is kept.
func (r *Result) read() error {
	r.List, r.Asked = statement.ID(r.list), time.Unix(r.asked, 0).UTC()
	if r.State == Waiting {
		q, err := asking.ParseQuestion(r.secret)
		if err != nil {
			return fmt.Errorf("lookup: %w", err)
		}
		r.Found = unknown(q.Values())
		return nil
	}
	var o outcome
	if err := json.Unmarshal(r.outcome, &o); err != nil {
		return fmt.Errorf("lookup: %w", err)
	}
	r.Found, r.Reason = o.Found, o.Reason
	return nil
}

func unknown(values []observable.Observable) []Found {
	out := make([]Found, len(values))
	for i, o := range values {
		out[i] = Found{Kind: o.Kind, Value: o.Value}
	}
	return out
}

// unsent is after how long a question that is in no feed was never put.
const unsent = 48 * time.Hour

// finish takes in the answers that have come.
func (d *Desk) finish(ctx context.Context) (err error) {
	if !d.waits(false) {
		return nil
	}
	var rows []Result
	left := true // until it is known that none is
	defer func() {
		if err != nil || left {
			d.waits(true)
		}
	}()
	if err := d.node.DB.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = store.All(ctx, tx, (*Result).fields, columns+`WHERE state = 'waiting' ORDER BY asked`)
		return err
	}); err != nil {
		return fmt.Errorf("lookup: %w", err)
	}
	left = false
	for i := range rows {
		r := &rows[i]
		question, list, answer := d.find(statement.ID(r.list), r.digest)
		if question == nil && time.Since(time.Unix(r.asked, 0)) > unsent {
			if err := d.forget(ctx, r.digest); err != nil {
				return err
			}
		}
		if answer == nil {
			left = true
			continue
		}
		done, err := d.settle(ctx, r, question, list, answer)
		if err != nil {
			return err
		}
		left = left || !done
	}
	return nil
}

// find looks an own question up by the digest of its elements.
func (d *Desk) find(id statement.ID, digest []byte) (*asking.Asked, *asking.Published, *asking.Answered) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, _ := d.ledger.List(id)
	for _, q := range d.ledger.Questions(id) {
		if h := sha256.Sum256(q.Elements); q.By.Party == d.self && string(h[:]) == string(digest) {
			return q, p, d.ledger.Answer(q)
		}
	}
	return nil, p, nil
}

// settle verifies one answer and looks it up, unless the list has not come yet. The blinds are gone from the row with it.
func (d *Desk) settle(ctx context.Context, r *Result, question *asking.Asked, list *asking.Published, a *asking.Answered) (done bool, err error) {
	q, err := asking.ParseQuestion(r.secret)
	if err != nil {
		return false, fmt.Errorf("lookup: %w", err)
	}
	o, state, known := outcome{Found: unknown(q.Values()), Reason: a.Refused}, Refused, 0
	if a.Refused == asking.Answerable {
		text, err := d.node.Blob(ctx, list.Blob.Hash)
		if errors.Is(err, blob.ErrNotHeld) {
			return false, nil // it comes after its statement
		}
		if err != nil {
			return false, err
		}
		state = Answered
		entries, err := q.Finish(list.Public, a.Evaluated, a.Proof)
		if err != nil {
			d.log.Warn("an answer was not made with the key of its list", "answer", a.ID, "from", list.Owner, "reason", err)
			state = Wrong
		}
		published, err := asking.ParseList(text, list.Bucket)
		if err != nil {
			d.log.Warn("a list is malformed", "list", list.ID, "from", list.Owner, "reason", err)
			state, entries = Wrong, nil
		}
		for i, e := range entries {
			if o.Found[i].Known = published.Has(e); o.Found[i].Known {
				known++
			}
		}
	}
	b, err := json.Marshal(o)
	if err != nil {
		return false, fmt.Errorf("lookup: %w", err)
	}
	return true, d.floor.Once(ctx, "lookup-result:"+question.ID.String(), state, func() error {
		if err := d.node.DB.Update(ctx, store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE lookups SET state = $1, outcome = $2, secret = $3 WHERE digest = $4`, state, string(b), []byte{}, r.digest)
			return err
		}); err != nil {
			return fmt.Errorf("lookup: %w", err)
		}
		d.record(ctx, list.Owner.Post, "lookup-result", fmt.Sprintf("%s: %d", state, len(o.Found)), question.ID)
		return nil
	})
}

// record writes into the journal that something was asked or answered: how many, never what, nor what was found.
func (d *Desk) record(ctx context.Context, post traffic.Post, what, text string, about statement.ID) {
	v := form.Values{"what": what, "by": journal.Machine, "role": journal.Machine, "outcome": "done", "text": text}
	if _, err := d.floor.Journal().Record(ctx, "", journal.Machine, "action", v, about); err != nil {
		d.log.Error("the journal cannot be written", "about", about, "reason", err)
	}
}
