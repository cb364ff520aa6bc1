package watch

import (
	"context"
	"fmt"
	"time"

	"detente/store"
)

// Schema is the tables of this package. A row of calls is a claim before it is a call: whoever has inserted it, and nobody else, places the
// call. acts are the entries that the journal is to have once, whatever process makes them.
func Schema() store.Schema {
	return store.Schema{Package: "watch", Steps: []string{`
CREATE TABLE calls (
	item    TEXT NOT NULL,
	officer TEXT NOT NULL,
	means   TEXT NOT NULL,
	role    TEXT NOT NULL,
	claimed {bigint} NOT NULL, -- unix seconds; of the last claim
	process TEXT NOT NULL,     -- that has the claim
	tries   {bigint} NOT NULL,
	outcome TEXT NOT NULL,     -- under-way, placed or failed
	ended   {bigint} NOT NULL, -- 0 while under way
	detail  TEXT NOT NULL,
	PRIMARY KEY (item, officer, means)
);
CREATE INDEX calls_under_way ON calls (claimed) WHERE outcome = 'under-way';
CREATE TABLE acts (
	item    TEXT NOT NULL,
	state   TEXT NOT NULL,
	claimed {bigint} NOT NULL,
	process TEXT NOT NULL,
	done    {bigint} NOT NULL, -- 1 once the journal has it
	PRIMARY KEY (item, state)
);`}}
}

// The outcomes of a call.
const (
	UnderWay = "under-way"
	Placed   = "placed"
	Failed   = "failed"
)

// Call is an attempt to reach a person about an item by one means. Its id is the same however often it is tried.
type Call struct {
	Item    string
	Officer string
	Means   string
	Role    string
	Claimed time.Time // when it was tried last
	Process string    // that tries it
	Tries   int
	Outcome string
	Ended   time.Time
	Detail  string
}

// ID is what a receiver knows the call by, so that a call which is placed again after a process has died is known to be the same.
func (c *Call) ID() string { return c.Item + "/" + c.Officer + "/" + c.Means }

// Claim enters a call before it is placed, and tells whether the caller is to place it: nobody has claimed it yet, or whoever did has left it without an
// outcome for longer than patience and is taken for dead. It is durable when the transaction is; dying before the call is placed, the next process places it; dying after, the next one places it again, under
// the same id.
func Claim(ctx context.Context, tx *store.Tx, c *Call, patience time.Duration) (bool, error) {
	now := c.Claimed.Unix()
	r, err := tx.Exec(ctx, `INSERT INTO calls (item, officer, means, role, claimed, process, tries, outcome, ended, detail)
		VALUES ($1, $2, $3, $4, $5, $6, 1, 'under-way', 0, '')
		ON CONFLICT (item, officer, means) DO UPDATE SET claimed = excluded.claimed, process = excluded.process, tries = calls.tries + 1
		WHERE calls.outcome = 'under-way' AND (calls.claimed <= $7 OR calls.process = excluded.process)`,
		c.Item, c.Officer, c.Means, c.Role, now, c.Process, now-int64(patience/time.Second))
	if err != nil {
		return false, fmt.Errorf("watch: claim: %w", err)
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// Settle keeps what came of a call.
func Settle(ctx context.Context, tx *store.Tx, c *Call) error {
	_, err := tx.Exec(ctx, `UPDATE calls SET outcome = $1, ended = $2, detail = $3 WHERE item = $4 AND officer = $5 AND means = $6`,
		c.Outcome, c.Ended.Unix(), c.Detail, c.Item, c.Officer, c.Means)
	if err != nil {
		return fmt.Errorf("watch: call: %w", err)
	}
	return nil
}

// Tally is how many calls of a means ended so.
type Tally struct {
	Means, Outcome string
	N              int64
}

// Tallies counts all calls, by means and outcome.
func Tallies(ctx context.Context, tx *store.Tx) ([]Tally, error) {
	out, err := store.All(ctx, tx, func(t *Tally) []any { return []any{&t.Means, &t.Outcome, &t.N} },
		`SELECT means, outcome, COUNT(*) FROM calls GROUP BY means, outcome ORDER BY means, outcome`)
	if err != nil {
		return nil, fmt.Errorf("watch: calls: %w", err)
	}
	return out, nil
}

// Calls lists all calls, in the order in which they were claimed, from a moment on.
func Calls(ctx context.Context, tx *store.Tx, since time.Time) ([]Call, error) {
	rows, err := tx.Query(ctx, `SELECT item, officer, means, role, claimed, process, tries, outcome, ended, detail FROM calls
		WHERE claimed >= $1 OR outcome = 'under-way' OR ended >= $1 ORDER BY claimed, item, officer, means`, since.Unix())
	if err != nil {
		return nil, fmt.Errorf("watch: calls: %w", err)
	}
	defer rows.Close()
	var out []Call
	for rows.Next() {
		var c Call
		var claimed, ended int64
		if err := rows.Scan(&c.Item, &c.Officer, &c.Means, &c.Role, &claimed, &c.Process, &c.Tries, &c.Outcome, &ended, &c.Detail); err != nil {
			return nil, fmt.Errorf("watch: calls: %w", err)
		}
		c.Claimed = time.Unix(claimed, 0).UTC()
		if ended > 0 {
			c.Ended = time.Unix(ended, 0).UTC()
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Act enters that the journal is to say once that an item came into a state, and tells whether the caller is to say it.
func Act(ctx context.Context, tx *store.Tx, item, state, process string, now time.Time, patience time.Duration) (bool, error) {
	r, err := tx.Exec(ctx, `INSERT INTO acts (item, state, claimed, process, done) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT (item, state) DO UPDATE SET claimed = excluded.claimed, process = excluded.process
		WHERE acts.done = 0 AND (acts.claimed <= $5 OR acts.process = excluded.process)`,
		item, state, now.Unix(), process, now.Unix()-int64(patience/time.Second))
	if err != nil {
		return false, fmt.Errorf("watch: act: %w", err)
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// Acted keeps that the journal has said it.
func Acted(ctx context.Context, tx *store.Tx, item, state string) error {
	if _, err := tx.Exec(ctx, `UPDATE acts SET done = 1 WHERE item = $1 AND state = $2`, item, state); err != nil {
		return fmt.Errorf("watch: act: %w", err)
	}
	return nil
}
