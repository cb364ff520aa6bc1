package ledger

import (
	"time"

	"detente/statement"
	"detente/traffic"
)

// Receipt is when a member had stored a statement, by the earliest of its cosignatures that is held here, protocol.md#receipt.
type Receipt struct {
	Party traffic.Party
	At    time.Time
}

// Place is where a statement stands.
type Place struct {
	ID    statement.ID
	Feed  traffic.Feed
	Index int64
}

// Witnessed is a request as receipts show it: what one side can prove of the other, by clocks that are not the author's. It is no part of the account,
// since the sides need not hold the same cosignatures.
type Witnessed struct {
	Request     statement.ID `json:"request"`
	RequestHeld time.Time    `json:"request_held,omitzero"` // by the party that was asked
	AnswerHeld  time.Time    `json:"answer_held,omitzero"`  // by the party that asked
	Elapsed     int64        `json:"elapsed"`               // seconds between the two; -1 when one of them is not shown
	Outcome     Outcome      `json:"outcome"`               // what these times say
	Differs     bool         `json:"differs"`               // and the account says otherwise: the two dates of the authors are to be looked into
}

// Witness sets beside each request of the account what the receipts say that are held here. The time that the addressee had begins when it held the
// request; the answer came when it was held by who asked.
func (a *Account) Witness(receipts func(Place) ([]Receipt, error)) ([]Witnessed, error) {
	out := make([]Witnessed, 0, len(a.Requests))
	for i := range a.Requests {
		r := &a.Requests[i]
		w := Witnessed{Request: r.ID, Elapsed: -1, Outcome: r.Outcome}
		held, err := receipts(Place{r.ID, r.feed, r.index})
		if err != nil {
			return nil, err
		}
		answerer := traffic.Party(r.To)
		if r.Answered != nil {
			answerer = r.by
		}
		w.RequestHeld = earliest(held, answerer)
		if r.Answered != nil {
			if held, err = receipts(r.reply); err != nil {
				return nil, err
			}
			w.AnswerHeld = earliest(held, r.From)
		}
		if !w.RequestHeld.IsZero() && !w.AnswerHeld.IsZero() {
			w.Elapsed = max(0, w.AnswerHeld.Unix()-w.RequestHeld.Unix())
			if w.Outcome = InTime; w.Elapsed > r.Due.Unix()-r.Issued.Unix() {
				w.Outcome = Late
			}
			w.Differs = w.Outcome != r.Outcome
		}
		out = append(out, w)
	}
	return out, nil
}

// earliest is a party's first receipt, zero when there is none.
func earliest(all []Receipt, p traffic.Party) (at time.Time) {
	for _, r := range all {
		if r.Party == p && (at.IsZero() || r.At.Before(at)) {
			at = r.At
		}
	}
	return at
}
