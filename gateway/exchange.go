package gateway

import (
	"bytes"
	"context"
	"time"

	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/stix"
	"detente/store"
)

// Added is what became of objects that were added in a stream.
type Added struct {
	Objects int // that were new here
	Known   int // that were here
	Refused int
	Reasons map[string]string // of the refused, by their ids, the first ones
}

const mostReasons = 50

func (a *Added) note(results []taxii.Result) {
	for _, r := range results {
		switch {
		case r.Failed:
			if a.Refused++; len(a.Reasons) < mostReasons {
				if a.Reasons == nil {
					a.Reasons = make(map[string]string)
				}
				a.Reasons[r.ID] = short(r.Message)
			}
		case r.Known:
			a.Known++
		default:
			a.Objects++
		}
	}
}

// Pull reads what is new in a collection of a local server and adds it to one of here, as if a tool had posted it: what goes out is marked, reviewed and
// stated. It goes on where the last pull of this address ended. Errors: taxii.ErrRemote, taxii.ErrAddress, taxii.ErrReadOnly.
func (g *Gateway) Pull(ctx context.Context, from taxii.Remote, to objects.Collection) (Added, error) {
	var a Added
	if to.Flow == objects.In {
		return a, taxii.ErrReadOnly
	}
	_, err := taxii.Pull(ctx, g.db, "pull "+to.ID+" "+from.URL, from, func(items []stix.Item) error {
		results, err := g.take(ctx, taxii.Token{Name: "pull"}, to, items)
		a.note(results)
		return err
	})
	return a, err
}

// Push gives to a collection of a local server what it does not have of one of here. It goes on where the last push to this address ended. The tally
// counts what was given now. Errors: taxii.ErrRemote, taxii.ErrAddress.
func (g *Gateway) Push(ctx context.Context, from objects.Collection, to taxii.Remote) (Added, error) {
	var a Added
	most, err := to.MaxContent(ctx)
	if err != nil {
		return a, err
	}
	name := "push " + from.ID + " " + to.URL
	for {
		after, _, err := taxii.Position(ctx, g.db, name)
		if err != nil {
			return a, err
		}
		var b bytes.Buffer
		b.WriteString(`{"objects":[`)
		p, err := g.shelf.Page(ctx, from.Number, objects.Filter{Versions: objects.Versions{All: true}, After: after, Limit: pushObjects, Bytes: int(most) - pushRoom}, func(r *objects.Row) error {
			if b.Len() > len(`{"objects":[`) {
				b.WriteByte(',')
			}
			b.Write(r.Bytes)
			return nil
		})
		if err != nil || p.Rows == 0 {
			return a, err
		}
		b.WriteString("]}")
		done, err := to.Push(ctx, g.db, name, b.Bytes(), p.Rows, p.Last)
		if err != nil {
			return a, err
		}
		a.Objects += p.Rows - done.Refused
		if a.Refused += done.Refused; done.Refused > 0 && a.Reasons == nil {
			a.Reasons = map[string]string{"": done.Reason}
		}
		if !p.More {
			return a, nil
		}
	}
}

const (
	pushObjects = 1000
	pushRoom    = 4 << 10 // for what stands between the objects
)

// Put adds an envelope as the terminal does. Errors: taxii.ErrReadOnly, taxii.ErrEnvelope, those of the database.
func (g *Gateway) Put(ctx context.Context, by string, to objects.Collection, envelope []byte) (Added, error) {
	var a Added
	if to.Flow == objects.In {
		return a, taxii.ErrReadOnly
	}
	results, err := g.Accept(ctx, taxii.Token{Name: by}, to, envelope)
	a.note(results)
	return a, err
}

// Post adds objects, and tells of each what became of it. Errors: taxii.ErrReadOnly for a collection that others fill, those of Accept.
func (g *Gateway) Post(ctx context.Context, by string, to objects.Collection, raws [][]byte) ([]taxii.Result, error) {
	if to.Flow == objects.In {
		return nil, taxii.ErrReadOnly
	}
	var b bytes.Buffer
	b.WriteString(`{"objects":[`)
	for i, raw := range raws {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
	}
	b.WriteString("]}")
	return g.Accept(ctx, taxii.Token{Name: by}, to, b.Bytes())
}

// Pulls lists how far each address was pulled and pushed.
func (g *Gateway) Pulls(ctx context.Context) (map[string]taxii.Pulled, error) {
	out := make(map[string]taxii.Pulled)
	type row struct {
		name            string
		pulled, objects int64
	}
	err := g.db.View(ctx, func(tx *store.Tx) error {
		list, err := store.All(ctx, tx, func(r *row) []any { return []any{&r.name, &r.pulled, &r.objects} }, "SELECT source, pulled, objects FROM taxii_pulls ORDER BY source")
		for _, r := range list {
			out[r.name] = taxii.Pulled{Objects: r.objects, At: time.UnixMicro(r.pulled).UTC()}
		}
		return err
	})
	return out, err
}
