package lookup

import (
	"context"
	"fmt"

	"detente/asking"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/statement"
	"detente/traffic"
)

// unanswered are the questions to own lists to which nothing was said yet. Those that need no answer are forgotten here.
func (d *Desk) unanswered() []*asking.Asked {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*asking.Asked
	for id := range d.pending {
		q, ok := d.ledger.Question(id)
		if !ok {
			delete(d.pending, id)
			continue
		}
		p, ok := d.ledger.List(q.List)
		switch {
		case !ok: // its list may come
		case p.Owner.Party != d.self || q.Verdict == asking.NoList || q.Silent || d.ledger.Answer(q) != nil:
			delete(d.pending, id)
		default:
			out = append(out, q)
		}
	}
	return out
}

// answer says to a question what both sides compute that it deserves. Once: whichever process of this party claims it does it. Dying after the answer was
// stored, the next finds it and leaves the question alone.
func (d *Desk) answer(ctx context.Context, q *asking.Asked) error {
	d.mu.Lock()
	p, _ := d.ledger.List(q.List)
	key, reason := d.ring.keys[string(p.Public)], q.Verdict
	ended := p.Ended != statement.ID{}
	d.mu.Unlock()
	switch {
	case !d.agreed(q.By.Party):
		reason = asking.NotAgreed
	case reason == asking.Answerable && ended:
		reason = asking.Ended
	case reason == asking.Answerable && key == nil:
		d.log.Warn("this machine has not the key of a list that it is asked about", "list", p.ID, "question", q.ID)
		d.settled(q.ID) // another process of this party may have it
		return nil
	}
	v := form.Values{"outcome": "refused", "reason": string(reason)}
	if reason == asking.Answerable {
		evaluated, proof, err := key.Answer(q.Elements)
		if err != nil {
			return err
		}
		v = form.Values{"outcome": "evaluated", "elements": evaluated, "proof": proof}
	}
	return d.floor.Once(ctx, "lookup-answer:"+q.ID.String(), "answered", func() error {
		d.mu.Lock()
		done := d.ledger.Answer(q) != nil
		d.mu.Unlock()
		if done {
			return nil
		}
		_, err := d.node.Reply(ctx, node.Reply{
			To: q.ID, Post: p.Owner.Post, Form: asking.FormAnswer, Values: v, Language: d.language(), Drafter: journal.Machine, Precedence: traffic.Routine,
		})
		if err == nil {
			d.settled(q.ID)
			d.record(ctx, p.Owner.Post, "lookup-answer", fmt.Sprintf("%s: %s: %d", q.By, v.Text("outcome"), q.Count), q.ID)
		}
		return err
	})
}

func (d *Desk) settled(id statement.ID) {
	d.mu.Lock()
	delete(d.pending, id)
	d.mu.Unlock()
}
