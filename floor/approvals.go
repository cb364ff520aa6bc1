package floor

import (
	"context"

	"detente/officer"
)

// Approved puts a hand-over into force that both officers have approved, for [release.Desk.HandedOver]. What the passkeys have signed goes into the journal;
// the terminal has signed nothing.
func (f *Floor) Approved(ctx context.Context, p officer.Pending) error {
	var signed [][]byte
	for _, a := range p.Approvals {
		if len(a.Assertion) > 0 {
			signed = append(signed, a.Assertion)
		}
	}
	return f.HandedOver(ctx, p.Draft, signed)
}
