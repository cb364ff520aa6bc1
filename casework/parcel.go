package casework

import (
	"context"

	"detente/label"
)

// Parcel says what holds of everything that is told of a case: nothing that others have stated in it is shown more widely than they permit.
func (c *Casework) Parcel(ctx context.Context, f *File, tlp label.TLP, pap label.PAP) (label.Parcel, error) {
	p := label.Parcel{TLP: tlp, PAP: pap, Plane: label.Plane(f.Plane), Own: true}
	for _, s := range f.Sheets {
		charter, _, err := c.node.Channel(s.Name.Channel)
		if err != nil {
			return p, err
		}
		for _, other := range charter.Others(c.self) {
			p.Named = append(p.Named, string(other))
		}
		for _, e := range s.Entries {
			h, err := c.node.Statement(ctx, e.ID)
			if err != nil {
				return p, err
			}
			marking := h.Statement.Marking
			if marking == "" || e.Issuer.Party == c.self {
				continue
			}
			t, ok := label.ParseTLP(marking)
			if !ok {
				t = label.TLPRed // it might forbid anything
			}
			p.Source = p.Source.Narrower(t)
			p.Own = p.Own && t.Audience() >= label.Community
		}
	}
	return p, nil
}
