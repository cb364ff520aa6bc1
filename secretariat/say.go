package secretariat

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/dialogue"
	"detente/form"
	"detente/node"
	"detente/statement"
	"detente/traffic"
)

// What officers say about rounds and in groups. Each verb gives the draft of a statement: who may state it and in which role, and whether a second person is
// needed, is for whoever states it to say. No draft is given of what the fold would leave without effect.

// NoEffect says why something would have no effect. It wraps ErrNoEffect.
type NoEffect struct{ Form, Why string }

func (e *NoEffect) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrNoEffect, e.Form, e.Why)
}

// Unwrap gives ErrNoEffect.
func (e *NoEffect) Unwrap() error { return ErrNoEffect }

// Open opens a series or a group. A group is opened on a protected channel only, so that no suspension of another channel can end what experts have begun.
// Errors: ErrRegime, ErrUnprotected, ErrNothing for another form.
func (s *Secretariat) Open(ctx context.Context, channel [32]byte, plane traffic.Plane, formID string, v form.Values) (node.Draft, error) {
	if _, err := s.Regime(channel); err != nil {
		return node.Draft{}, err
	}
	ch, _, err := s.node.Channel(channel)
	switch {
	case err != nil:
		return node.Draft{}, err
	case formID != FormSeries && formID != FormGroup:
		return node.Draft{}, fmt.Errorf("%w: %q opens neither a series nor a group", ErrNothing, formID)
	case formID == FormGroup && !ch.Protected:
		return node.Draft{}, ErrUnprotected
	}
	return node.Draft{Channel: channel, Plane: plane, Precedence: traffic.Routine, Audience: statement.Everyone, Form: formID, Values: v}, nil
}

// draft is a statement in the dossier, for all.
func (t *Talk) draft(formID string, v form.Values, refs ...statement.ID) node.Draft {
	return node.Draft{
		Channel: t.Name.Channel, Plane: t.Name.Plane, Precedence: traffic.Routine, Post: t.post, Audience: statement.Everyone, Form: formID, Values: v, Dossier: t.Name.ID, Refs: refs,
	}
}

// Say completes what a person wants to state: the number of the round where none is given, what it refers to, what was agreed. about names a proposal, an acceptance
// or an action, by its number or by digits of its id; where only one thing can be meant it may be empty. Error: ErrNothing.
func (s *Secretariat) Say(t *Talk, formID string, given form.Values, about string, now time.Time) (node.Draft, error) {
	v := maps.Clone(given)
	if v == nil {
		v = form.Values{}
	}
	f, ok := t.Regime.Latest(formID)
	if !ok {
		return node.Draft{}, fmt.Errorf("%w: %s", node.ErrNoForm, formID)
	}
	if field, has := f.Field("number"); has && field.Always && v["number"] == nil {
		v["number"] = int64(t.number(formID, now))
	}
	number := int(v.Int("number"))
	var refs []statement.ID
	var err error
	switch formID {
	case "round-proposal":
		if v["host"] == nil && t.Series != nil {
			v["host"] = t.Series.Host(number)
		}
		refs = s.waiting(t, number)
	case "round-refusal":
		refs = s.waiting(t, number)
	case "round-acceptance":
		var p *dialogue.Proposal
		if p, err = s.proposal(t, about, int(given.Int("number")), now); err == nil {
			refs = []statement.ID{p.Statement}
		}
	case "round-withdrawal":
		refs, err = s.stand(t, about)
	case "round-held":
		if r := t.round(number); r != nil && r.Agreed != nil {
			a := r.Agreed
			for name, value := range map[string]any{"window": []any{a.From.Unix(), a.To.Unix()}, "mode": string(a.Mode), "place": a.Place} {
				if v[name] == nil && value != "" {
					v[name] = value
				}
			}
		}
	case "action-status":
		var a *dialogue.Action
		if a, err = t.Action(about); err == nil {
			refs = []statement.ID{a.Statement}
		}
	case "contribution":
		if about != "" {
			var id statement.ID
			if id, err = t.find(about); err == nil {
				v["thread"] = id[:]
			}
		}
	}
	if err != nil {
		return node.Draft{}, err
	}
	return t.draft(formID, v, refs...), nil
}

// number is that of the round which somebody who names none means.
func (t *Talk) number(formID string, now time.Time) int {
	if t.Series == nil {
		return 1
	}
	at := t.Series.At(now)
	switch {
	case (formID == FormSignature || formID == "action") && at.Last != nil:
		return at.Last.Number
	case formID == "round-held" && at.Missed != nil:
		return at.Missed.Number
	case formID == "round-held" && at.Next != nil:
		return at.Next.Number
	}
	return at.Number
}

// round is that round of the series, nil for none.
func (t *Talk) round(number int) *dialogue.Round {
	if t.Series == nil {
		return nil
	}
	return t.Series.Rounds[number]
}

// waiting are the proposals of others for a round that they stand on and this party does not: what a proposal or a refusal answers.
func (s *Secretariat) waiting(t *Talk, number int) (out []statement.ID) {
	r := t.round(number)
	if r == nil {
		return nil
	}
	for _, p := range r.Proposals {
		if p.By.Party != s.self && slices.Contains(p.Standing, p.By.Party) && !slices.Contains(p.Standing, s.self) {
			out = append(out, p.Statement)
		}
	}
	return out
}

// proposal is one that this party may accept: where none is named, the only one whose time has not passed.
func (s *Secretariat) proposal(t *Talk, about string, number int, now time.Time) (*dialogue.Proposal, error) {
	if t.Series == nil {
		return nil, fmt.Errorf("%w: a group has no rounds", ErrNothing)
	}
	var found []*dialogue.Proposal
	for _, n := range t.Series.Numbers() {
		for _, p := range t.Series.Rounds[n].Proposals {
			switch {
			case number > 0 && n != number:
			case about != "" && t.is(p.Statement, strings.ToLower(about)):
				if p.By.Party == s.self { // an acceptance replies, and nobody replies to himself
					return nil, fmt.Errorf("%w: the proposal is this party's own; it can be made again", ErrNothing)
				}
				return p, nil
			case about == "" && p.By.Party != s.self && p.To.After(now) && len(p.Standing) > 0 && !slices.Contains(p.Standing, s.self) && len(t.Series.Rounds[n].Held) == 0:
				found = append(found, p)
			}
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%w: proposals that may be meant: %d", ErrNothing, len(found))
	}
	return found[0], nil
}

// stand is an own proposal or acceptance that is in force, for a withdrawal to refer to.
func (s *Secretariat) stand(t *Talk, about string) ([]statement.ID, error) {
	if about != "" {
		id, err := t.find(about)
		return []statement.ID{id}, err
	}
	var found []statement.ID
	if t.Series != nil {
		for _, n := range t.Series.Numbers() {
			r := t.Series.Rounds[n]
			for _, p := range r.Proposals {
				if len(r.Held) == 0 && slices.Contains(p.Standing, s.self) {
					found = append(found, p.Statement)
				}
			}
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%w: own proposals and acceptances in force: %d", ErrNothing, len(found))
	}
	return found, nil
}

// Action finds an action by the number of its statement or by digits of its id; empty is the only one that is open. Error: ErrNothing.
func (t *Talk) Action(notation string) (*dialogue.Action, error) {
	var found []*dialogue.Action
	for _, a := range t.Actions() {
		if notation == "" && a.Open() || notation != "" && t.is(a.Statement, strings.ToLower(notation)) {
			found = append(found, a)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%w: actions that may be meant: %d", ErrNothing, len(found))
	}
	return found[0], nil
}

// Actions are those of the series or the group.
func (t *Talk) Actions() []*dialogue.Action {
	if t.Series != nil {
		return t.Series.Actions
	}
	return t.Group.Actions
}

// find is a statement of the dossier.
func (t *Talk) find(notation string) (statement.ID, error) {
	var found []statement.ID
	for i := range t.Entries {
		if t.is(t.Entries[i].ID, strings.ToLower(notation)) {
			found = append(found, t.Entries[i].ID)
		}
	}
	if len(found) != 1 {
		return statement.ID{}, fmt.Errorf("%w: statements that %q may mean: %d", ErrNothing, notation, len(found))
	}
	return found[0], nil
}

// Rehearse tells whether a statement would have effect, were it made now by a post of this party. Error: a *NoEffect.
func (s *Secretariat) Rehearse(t *Talk, d node.Draft) error {
	f, ok := t.Regime.Latest(d.Form)
	if !ok {
		return fmt.Errorf("%w: %s", node.ErrNoForm, d.Form)
	}
	payload, err := f.Encode(d.Values)
	if err != nil {
		return err
	}
	v, err := f.Decode(payload)
	if err != nil {
		return err
	}
	it := dialogue.Item{Issuer: traffic.Address{Party: s.self, Post: d.Post}, At: time.Now().UTC().Truncate(time.Second), Form: d.Form, Refs: d.Refs, Values: v}
	for i := range t.heard {
		it.Clock = max(it.Clock, t.heard[i].Clock+1)
	}
	rand.Read(it.ID[:])
	folded := dialogue.Fold(append(slices.Clone(t.heard), it), t.Channel.Members)
	for i := range folded.Entries {
		if e := &folded.Entries[i]; e.ID == it.ID && e.Why != "" {
			return &NoEffect{e.Form, e.Why}
		}
	}
	return nil
}
