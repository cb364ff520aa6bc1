package api

import (
	"context"
	"net/http"

	"detente/traffic"
)

// Guarantees gives the instruments that can be relied on, protected processes and complaints of a plane.
func (c *Client) Guarantees(ctx context.Context, plane traffic.Plane, lang string) (Guarantees, error) {
	return call[Guarantees](ctx, c, http.MethodGet, "/v1/guarantees"+query("plane", string(plane), "lang", lang), nil)
}

// Complain states a complaint, and opens its case.
func (c *Client) Complain(ctx context.Context, r ComplaintRequest) (ComplaintSent, error) {
	return call[ComplaintSent](ctx, c, http.MethodPost, "/v1/guarantees/complaints", r)
}
