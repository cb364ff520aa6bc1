package host

import (
	"context"

	"detente/metrics"
)

// measure is the watch floor in numbers, for a monitoring system. No name of an officer, and no word that anybody wrote, leaves here.
func (h *Host) measure(ctx context.Context) (metrics.Watch, error) {
	var out metrics.Watch
	sessions, err := h.officers.Sessions(ctx, "")
	if err != nil {
		return out, err
	}
	out.Sessions = len(sessions)
	return out, nil
}
