package gateway

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"detente/gateway/mint"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/label"
	"detente/statement"
	"detente/stix"
	"detente/store"
	"detente/traffic"

	"golang.org/x/sync/errgroup"
)

// States of an object that is to be stated.
const (
	Waiting  = "waiting"  // for a person
	Released = "released" // by rule, or by a person
	Refused  = "refused"  // by a person
	Drafted  = "drafted"  // in a batch, whose hash is reserved
	Failed   = "failed"   // the node has refused the batch, and a person is to look
	Sent     = "sent"     // in the own feed
)

// Accept takes an envelope that a local tool adds to a collection. Each object stands for itself: what is no STIX 2.1, or what its marking keeps here,
// fails with its reason, and the others are durable when it returns. Errors: taxii.ErrEnvelope, and those of the database.
func (g *Gateway) Accept(ctx context.Context, by taxii.Token, c objects.Collection, envelope []byte) ([]taxii.Result, error) {
	v, err := g.validator()
	if err != nil {
		return nil, err
	}
	bundle, err := stix.Split(envelope, v.Limits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", taxii.ErrEnvelope, err)
	}
	if bundle.Type == "" && bundle.Items == nil && len(bundle.Rest) > 0 {
		return nil, fmt.Errorf("%w: it has no objects", taxii.ErrEnvelope)
	}
	return g.take(ctx, by, c, bundle.Items)
}

// take is Accept for objects that were cut out of their envelope.
func (g *Gateway) take(ctx context.Context, by taxii.Token, c objects.Collection, items []stix.Item) ([]taxii.Result, error) {
	v, err := g.validator()
	if err != nil {
		return nil, err
	}
	if err := validate(v, items); err != nil {
		return nil, err
	}
	results := make([]taxii.Result, len(items))
	var list []objects.Object
	var at []int
	verdicts := make(map[*byte]verdict) // by the first byte of an object: each has its own
	defs := definitions(items)
	l := g.line(c.Channel)
	if c.Flow == objects.Out && l == nil { // the process has just begun, and has made no turn yet
		if err := g.learn(ctx); err != nil {
			return nil, err
		}
		if l = g.line(c.Channel); l == nil {
			return nil, taxii.ErrReadOnly // the channel is not in being
		}
	}
	in, err := g.inbounds(ctx)
	if err != nil {
		return nil, err
	}
	for i := range items {
		it, r := &items[i], &results[i]
		if it.Object != nil {
			r.ID, r.Version = it.Object.ID, it.Object.Modified
		}
		if it.Err != nil {
			r.Failed, r.Message = !errors.Is(it.Err, stix.ErrRepeated), it.Err.Error()
			continue
		}
		if c.Flow == objects.Out {
			w, err := g.weigh(ctx, l, &c, in, it.Object, defs)
			if err != nil {
				if _, refused := errors.AsType[*label.Refusal](err); !refused && stix.FaultsOf(err) == nil {
					return nil, err
				}
				r.Failed, r.Message = true, err.Error()
				continue
			}
			verdicts[&it.Object.Raw[0]] = w
			r.Message = w.state
		}
		list, at = append(list, asObject(it.Object)), append(at, i)
	}
	out, err := g.shelf.AddWith(ctx, c.Number, list, objects.Source{}, func(tx *store.Tx, o *objects.Object, added time.Time) error {
		w, ok := verdicts[&o.Bytes[0]]
		if !ok {
			return nil
		}
		_, err := tx.Exec(ctx, "INSERT INTO gateway_out (collection, added, state, form, audience, tlp, pap, token, drafter, reason, batch) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0)",
			c.Number, added.UnixMicro(), w.state, w.form, w.audience, string(w.tlp), string(w.pap), by.Name, w.drafter)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, o := range out {
		tell(&results[at[i]], o)
	}
	g.kick()
	return results, nil
}

func tell(r *taxii.Result, o objects.Outcome) {
	switch o.Fate {
	case objects.Duplicate:
		r.Known, r.Message = true, "this version is here already"
	case objects.Conflict:
		r.Failed, r.Message = true, "this version is here with other bytes; these are kept aside, and not served: give a new version another modified"
	case objects.Refused:
		r.Failed, r.Message = true, o.Err.Error()
	}
}

// validate holds objects against the schemas, on all cores.
func validate(v *stix.Validator, items []stix.Item) error {
	var group errgroup.Group
	workers := min(runtime.GOMAXPROCS(0), len(items)/8+1)
	for w := range workers {
		group.Go(func() error {
			for i := w; i < len(items); i += workers {
				if it := &items[i]; it.Err == nil {
					it.Err = v.Validate(it.Object)
				}
				if i%64 == w {
					runtime.Gosched()
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// definitions are the marking-definitions of an envelope, which may define what its objects refer to.
func definitions(items []stix.Item) map[string]*stix.Object {
	defs := make(map[string]*stix.Object)
	for i := range items {
		if o := items[i].Object; o != nil && items[i].Err == nil && o.Type == "marking-definition" {
			defs[o.ID] = o
		}
	}
	return defs
}

// verdict is what is to become of an object.
type verdict struct {
	form     string
	audience string
	tlp      label.TLP
	pap      label.PAP
	state    string
	drafter  string
}

// weigh decides what becomes of an object. in is what others fill. Errors: a *label.Refusal, faults of package stix, those of the database.
func (g *Gateway) weigh(ctx context.Context, l *line, c *objects.Collection, in []objects.Collection, o *stix.Object, defs map[string]*stix.Object) (verdict, error) {
	w := verdict{form: formOf(o), audience: statement.Everyone, state: Waiting}
	marks, err := stix.Resolve(o, func(id string) (*stix.Object, bool) { return g.definition(ctx, c, id, defs) })
	if err != nil {
		return w, err
	}
	mark := marks.Narrowest()
	w.tlp, w.pap = mark.TLP.Or(g.cfg.Unmarked), mark.PAP
	if o.Type == "marking-definition" {
		w.tlp = label.TLPClear // it says what a marking means, and goes where it is used
	}
	known, err := g.known(ctx, in, o.ID)
	if err != nil {
		return w, err
	}
	if w.form == formSighting {
		if w.audience, err = g.sharer(ctx, l, in, o.Text("sighting_of_ref")); err != nil {
			return w, err
		}
	}
	if others := l.Others(g.node.Self()); w.tlp == label.TLPRed && w.audience == statement.Everyone && len(others) == 1 {
		w.audience = string(others[0])
	}
	if plane := mint.Plane(o); plane != label.Real && plane != label.Plane(c.Plane) { // the collection says it for those that say nothing themselves
		return w, &label.Refusal{Reason: label.ReasonPlane, Slots: [2]string{plane.Flag(), label.Plane(c.Plane).Flag()}}
	}
	if err := g.leave(l, c.Plane, w, known); err != nil {
		return w, err
	}
	if g.cfg.Rule.releases(w.tlp, o.Type) {
		w.state, w.drafter = Released, machine
	}
	return w, nil
}

// formOf is the form by which an object travels.
func formOf(o *stix.Object) string {
	switch {
	case o.Type == "sighting":
		return formSighting
	case o.Revoked:
		return formRevocation
	}
	return formIndicators
}

// definition finds a marking-definition: in the envelope, or in the collection.
func (g *Gateway) definition(ctx context.Context, c *objects.Collection, id string, defs map[string]*stix.Object) (*stix.Object, bool) {
	if o := defs[id]; o != nil {
		return o, true
	}
	var found *stix.Object
	_, err := g.shelf.Page(ctx, c.Number, objects.Filter{IDs: []string{id}, Limit: 1}, func(r *objects.Row) error {
		o, err := stix.Read(r.Bytes, stix.Standard())
		found = o
		return err
	})
	return found, err == nil && found != nil
}

// origin is what another party has said of an object: from whom it is, and how widely it may be shown.
type origin struct {
	from traffic.Party
	tlp  label.TLP
}

// known finds an object among what others have shared. What somebody else has shared is not this party's to widen, or to pass on beyond what it permits.
func (g *Gateway) known(ctx context.Context, in []objects.Collection, id string) ([]origin, error) {
	var out []origin
	for i := range in {
		if in[i].Size == 0 {
			continue
		}
		_, err := g.shelf.Page(ctx, in[i].Number, objects.Filter{IDs: []string{id}, Limit: 1}, func(r *objects.Row) error {
			from := origin{from: in[i].Party, tlp: label.TLPRed} // what cannot be read might forbid anything
			if o, err := stix.Read(r.Bytes, stix.Standard()); err == nil {
				if m, err := stix.Resolve(o, nil); err == nil {
					from.tlp = m.Narrowest().TLP
				}
			}
			out = append(out, from)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (g *Gateway) inbounds(ctx context.Context) ([]objects.Collection, error) {
	all, err := g.shelf.Collections(ctx)
	return slices.DeleteFunc(all, func(c objects.Collection) bool { return c.Flow != objects.In }), err
}

// sharer is the member who has shared an object on a channel, to whom a sighting of it goes; everyone where none has.
func (g *Gateway) sharer(ctx context.Context, l *line, in []objects.Collection, id string) (string, error) {
	for _, c := range in {
		if c.Channel != l.id {
			continue
		}
		if has, err := g.shelf.Has(ctx, c.Number, id); has || err != nil {
			return string(c.Party), err
		}
	}
	return statement.Everyone, nil
}

// leave asks whether an object may take its way. Every member of the channel is at its end, whomever it is addressed to: each of them holds what is
// stated. So what is red goes over a channel with one other member, who is named by that.
func (g *Gateway) leave(l *line, plane traffic.Plane, w verdict, known []origin) error {
	path := label.Path{Audience: label.Named, Plane: label.Plane(plane)}
	for _, p := range l.Others(g.node.Self()) {
		path.Recipients = append(path.Recipients, string(p))
	}
	if w.tlp == label.TLPRed && len(path.Recipients) > 1 {
		return &label.Refusal{Reason: label.ReasonRecipients, Slots: [2]string{w.tlp.String(), strings.Join(path.Recipients, ", ")}}
	}
	parcel := label.Parcel{TLP: w.tlp, PAP: w.pap, Plane: label.Plane(plane), Own: true}
	if len(known) == 0 {
		return label.Leave(parcel, path)
	}
	parcel.Own = false
	for _, o := range known {
		parcel.Source, parcel.Named = o.tlp, []string{string(o.from)} // back to whom it is from it may always go
		if err := label.Leave(parcel, path); err != nil {
			return err
		}
	}
	return nil
}

// Delete takes out of a collection what was not said. Errors: ErrSaid as taxii.ErrReadOnly, objects.ErrNoObject.
func (g *Gateway) Delete(ctx context.Context, _ taxii.Token, c objects.Collection, id string, which objects.Versions) error {
	_, err := g.shelf.Delete(ctx, c.Number, id, which, func(tx *store.Tx, added time.Time) error {
		if c.Flow != objects.Out {
			return nil
		}
		res, err := tx.Exec(ctx, "DELETE FROM gateway_out WHERE collection = $1 AND added = $2 AND state IN ('waiting', 'released', 'refused', 'failed')", c.Number, added.UnixMicro())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(fmt.Errorf("%w: %w", taxii.ErrReadOnly, ErrSaid), err)
		}
		return nil
	})
	return err
}
