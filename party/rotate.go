package party

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"detente/key"
	"detente/traffic"
)

// ErrSlot is returned for a slot that the charter does not have.
var ErrSlot = errors.New("party: no such place for a key")

// Slot names a place of a charter where keys stand: "post/<post>/<plane>", "node/<checkpoint, checkpoint-pq, mirror, mirror-pq, bundle,
// transport or sealing>", "root/<number from 1>".
type Slot string

// Slots is every slot of the charter, in its order.
func (c *Contents) Slots() []Slot {
	var out []Slot
	for i := range c.Roots {
		out = append(out, Slot("root/"+strconv.Itoa(i+1)))
	}
	for _, p := range c.Posts {
		var last traffic.Plane
		for _, k := range p.Keys {
			if k.Plane != last {
				out = append(out, Slot("post/"+string(p.Name)+"/"+string(k.Plane)))
			}
			last = k.Plane
		}
	}
	for _, n := range c.Node.signing() {
		out = append(out, Slot("node/"+n.name))
	}
	return append(out, "node/sealing")
}

// Withdrawal says why keys are replaced. The zero value is a rotation without suspicion: what the old keys signed in their time stands.
type Withdrawal struct {
	Since  time.Time // from then on, cosignatures by the old keys do not count
	Reason string
}

// Rotate drafts the next version with new keys, of the same algorithms, in the given slots, and returns the keyring that holds old and new
// ones and the new root keys, if any. Save both before the draft is circulated: a charter whose keys are lost cannot be used. When
// the charter is approved, [Keyring.Under] puts its keys in place. Errors: ErrSlot, key.ErrUnknownAlgorithm.
func Rotate(previous *Charter, k *Keyring, w Withdrawal, slots ...Slot) (*Draft, *Keyring, []*RootKey, error) {
	d, err := Amend(previous, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	r := rotation{draft: d, ring: k.with(), withdrawal: w}
	for _, s := range slots {
		if err := r.rotate(s); err != nil {
			return nil, nil, nil, err
		}
	}
	return d, r.ring, r.roots, nil
}

type rotation struct {
	draft      *Draft
	ring       *Keyring
	roots      []*RootKey
	withdrawal Withdrawal
}

func (r *rotation) rotate(s Slot) error {
	kind, rest, _ := strings.Cut(string(s), "/")
	switch kind {
	case "root":
		if i, err := strconv.Atoi(rest); err == nil && i >= 1 && i <= len(r.draft.Roots) {
			return r.root(i - 1)
		}
	case "node":
		return r.node(s, rest)
	case "post":
		post, plane, _ := strings.Cut(rest, "/")
		return r.post(s, traffic.Post(post), traffic.Plane(plane))
	}
	return fmt.Errorf("%w: %q", ErrSlot, s)
}

func (r *rotation) root(i int) error {
	fresh, err := newRoot(r.draft.Party)
	if err != nil {
		return err
	}
	for _, old := range r.draft.Roots[i] {
		r.withdraw(old.ID())
	}
	r.draft.Roots[i] = fresh.Public()
	r.roots = append(r.roots, fresh)
	return nil
}

func (r *rotation) node(s Slot, name string) error {
	if name == "sealing" {
		fresh, err := r.ring.generateSealing()
		if err != nil {
			return err
		}
		r.withdraw(r.draft.Node.Sealing.ID())
		r.draft.Node.Sealing = fresh
		return nil
	}
	for _, n := range r.draft.Node.signing() {
		if n.name == name {
			return r.replace(n.key)
		}
	}
	return fmt.Errorf("%w: %q", ErrSlot, s)
}

func (r *rotation) post(s Slot, post traffic.Post, plane traffic.Plane) error {
	found := false
	for _, p := range r.draft.Posts {
		for i := range p.Keys {
			if p.Name != post || p.Keys[i].Plane != plane {
				continue
			}
			found = true
			if err := r.replace(&p.Keys[i].Key); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("%w: %q", ErrSlot, s)
	}
	return nil
}

func (r *rotation) replace(k *key.Public) error {
	fresh, err := r.ring.generate(k.Algorithm)
	if err != nil {
		return err
	}
	r.withdraw(k.ID())
	*k = fresh
	return nil
}

func (r *rotation) withdraw(id key.ID) {
	if w := r.withdrawal; !w.Since.IsZero() {
		r.draft.Revoked = append(r.draft.Revoked, Revocation{id, w.Since.UTC().Truncate(time.Second), w.Reason})
	}
}
