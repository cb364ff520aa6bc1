package gateway

import (
	"context"
	"fmt"

	"detente/gateway/misp"
	"detente/gateway/objects"
	"detente/traffic"
)

// MISP shows what the others have shared on a plane as events, and gives what a MISP pushes to the outbound collection into, as a local tool would: it is held
// against its marking, reviewed, and stated. org is who is named for objects that name nobody. What a key of it may see is for the key's path to say.
func (g *Gateway) MISP(plane traffic.Plane, into string, org misp.Org) *misp.Shelf {
	s := &misp.Shelf{Objects: g.shelf, Org: org, Default: g.cfg.Unmarked}
	s.Read = func(ctx context.Context) ([]objects.Collection, error) {
		all, err := g.inbounds(ctx)
		if err != nil {
			return nil, err
		}
		var of []objects.Collection
		for _, c := range all {
			if c.Plane == plane {
				of = append(of, c)
			}
		}
		return of, nil
	}
	if into == "" {
		return s
	}
	s.Accept = func(ctx context.Context, from string, raws [][]byte) error {
		c, err := g.shelf.Collection(ctx, into)
		if err != nil {
			return err
		}
		if c.Plane != plane || c.Flow == objects.In {
			return misp.ErrClosed
		}
		results, err := g.Post(ctx, "misp "+from, c, raws)
		if err != nil {
			return err
		}
		failed, why := 0, ""
		for _, r := range results {
			if r.Failed {
				failed, why = failed+1, r.Message
			}
		}
		if failed == len(results) && failed > 0 {
			return fmt.Errorf("%w: %s", misp.ErrKept, why)
		}
		if failed > 0 {
			g.log.WarnContext(ctx, "gateway: some objects of an event stay here", "from", from, "of", len(results), "stay", failed, "reason", why)
		}
		return nil
	}
	return s
}
