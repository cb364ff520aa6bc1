package release

import (
	"context"
	"slices"

	"detente/floor"
	"detente/officer"
)

// Handovers lists the hand-overs that wait for an approval, the oldest first.
func (r *Desk) Handovers(ctx context.Context) ([]floor.Waiting, error) {
	pending, err := r.officers.Releases(ctx, officer.Waiting)
	if err != nil {
		return nil, err
	}
	var out []floor.Waiting
	for _, p := range pending {
		if p.Kind != officer.KindHandover {
			continue
		}
		w := floor.Waiting{ID: p.ID, Draft: p.Draft, Asked: p.Asked}
		missing := p.Missing()
		for _, o := range p.Needs {
			if !slices.Contains(missing, o) {
				w.Signed = append(w.Signed, o)
			}
		}
		out = append(out, w)
	}
	return out, nil
}
