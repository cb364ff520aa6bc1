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

// HandOver puts a hand-over into force that both officers have approved, for HandedOver. What the passkeys have signed goes into the journal; the
// terminal has signed nothing.
func HandOver(f *floor.Floor) func(ctx context.Context, p officer.Pending) error {
	return func(ctx context.Context, p officer.Pending) error {
		var signed [][]byte
		for _, a := range p.Approvals {
			if len(a.Assertion) > 0 {
				signed = append(signed, a.Assertion)
			}
		}
		return f.HandedOver(ctx, p.Draft, signed)
	}
}
