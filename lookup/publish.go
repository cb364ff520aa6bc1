package lookup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"detente/asking"
	"detente/form"
	"detente/node"
	"detente/observable"
	"detente/statement"
	"detente/traffic"
)

// List is a list to be published.
type List struct {
	Channel [32]byte
	Plane   traffic.Plane
	Post    traffic.Post
	Values  []observable.Observable
	For     time.Duration // how long it may be asked, from now on
	PerDay  int64         // indicators that each party may ask about in a day
	Total   int64         // and in all
	About   string
	Drafter string
}

// Publish states a list to all members of a channel. It takes the place of this party's last one there, whose key is destroyed: questions to that one are
// answered no more. What was on the list is kept nowhere.
//
// Dying after the key was saved and before the list was stated leaves a key that opens nothing; the next list drops it. The key of the list before goes only
// with the one after the next, or here once the list is stated: until then both are in the file.
func (d *Desk) Publish(ctx context.Context, l List) (node.Sent, *asking.Published, error) {
	d.publishing.Lock()
	defer d.publishing.Unlock()
	if err := d.floor.CatchUp(ctx); err != nil {
		return node.Sent{}, nil, err
	}
	now := time.Now()
	k, err := asking.NewKey()
	if err != nil {
		return node.Sent{}, nil, err
	}
	text, err := k.Publish(ctx, l.Values)
	if err != nil {
		return node.Sent{}, nil, err
	}
	public, err := k.Public()
	if err != nil {
		return node.Sent{}, nil, err
	}
	var kinds []string
	for _, kind := range asking.Kinds() {
		if slices.ContainsFunc(l.Values, func(o observable.Observable) bool { return o.Kind == kind }) || len(l.Values) == 0 {
			kinds = append(kinds, string(kind))
		}
	}
	blob := form.Blob{Hash: sha256.Sum256(text), Size: int64(len(text)), Name: "list", Type: asking.ListType}
	bucket, err := asking.SizeOf(blob.Size)
	if err != nil {
		return node.Sent{}, nil, err
	}
	v := form.Values{
		"epoch": d.nextEpoch(l), "key": public, "bucket": bucket, "list": blob,
		"window": []any{now.Unix(), now.Add(l.For).Unix()}, "per_day": l.PerDay, "total": l.Total, "kinds": kinds,
	}
	if l.About != "" {
		v["about"] = l.About
	}
	draft := node.Draft{
		Channel: l.Channel, Plane: l.Plane, Precedence: traffic.Routine, Post: l.Post, Audience: statement.Everyone, Form: asking.FormList, Values: v,
		Language: d.language(), Drafter: l.Drafter, Blobs: [][]byte{text},
	}
	if _, _, err := d.node.Rehearse(draft); err != nil { // before a key is kept for what cannot be said
		return node.Sent{}, nil, err
	}
	if err := d.rekey(k, d.inForce(public)); err != nil {
		return node.Sent{}, nil, err
	}
	sent, err := d.node.Send(ctx, draft)
	if err != nil {
		return sent, nil, err
	}
	if err := d.floor.CatchUp(ctx); err != nil {
		return sent, nil, err
	}
	if err := d.rekey(k, d.inForce(public)); err != nil { // the list before is no longer in force
		d.log.Error("the key of the last list could not be destroyed", "reason", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.ledger.List(sent.ID)
	if !ok {
		return sent, nil, fmt.Errorf("%w: %s", ErrNoList, sent.ID)
	}
	return sent, p, nil
}

// inForce tells of which lists the keys are needed.
func (d *Desk) inForce(fresh []byte) func(public []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := [][]byte{fresh}
	for _, p := range d.ledger.InForce() {
		if p.Owner.Party == d.self {
			all = append(all, p.Public)
		}
	}
	return func(public []byte) bool {
		return slices.ContainsFunc(all, func(b []byte) bool { return bytes.Equal(b, public) })
	}
}

func (d *Desk) rekey(k *asking.Key, keep func([]byte) bool) error {
	d.mu.Lock()
	old := d.ring
	d.mu.Unlock()
	next, err := old.with(k, keep)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.ring = next
	d.mu.Unlock()
	return nil
}

// nextEpoch is one more than that of the last list of this party on the channel and plane.
func (d *Desk) nextEpoch(l List) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.ledger.InForce() {
		if p.Owner.Party == d.self && p.Channel == l.Channel && p.Plane == l.Plane {
			return p.Epoch + 1
		}
	}
	return 1
}

func (d *Desk) language() string {
	if l := d.node.Chain(d.self).Latest().Languages; len(l) > 0 {
		return l[0]
	}
	return "en"
}
