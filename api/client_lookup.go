package api

import (
	"context"
	"net/http"
)

// Lookups lists the lists that blinded questions may be put to, and what came of the own questions.
func (c *Client) Lookups(ctx context.Context) (Lookups, error) {
	return call[Lookups](ctx, c, http.MethodGet, "/v1/lookups", nil)
}

// PublishList publishes a list that the other members may ask about.
func (c *Client) PublishList(ctx context.Context, r LookupListRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/lookups/lists", r)
}

// AskList puts a blinded question.
func (c *Client) AskList(ctx context.Context, r LookupRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/lookups/questions", r)
}
