package api

import (
	"context"
	"net/http"
)

// Seals lists the sealing rounds, the latest deadline first.
func (c *Client) Seals(ctx context.Context) ([]Seal, error) {
	return call[[]Seal](ctx, c, http.MethodGet, "/v1/seals", nil)
}

// ProposeSeal opens a round.
func (c *Client) ProposeSeal(ctx context.Context, r SealProposal) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/seals", r)
}

// DepositSeal sends this party's consent to every sealer, encrypted to each.
func (c *Client) DepositSeal(ctx context.Context, round string, r SealDeposit) (SealDepositDone, error) {
	return call[SealDepositDone](ctx, c, http.MethodPost, "/v1/seals/"+Segment(round)+"/deposit", r)
}

// CertifySeal states the certificate of a decided round.
func (c *Client) CertifySeal(ctx context.Context, round string) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/seals/"+Segment(round)+"/certificate", struct{}{})
}

// SealFile is the file from which anybody computes the verdict of a round.
func (c *Client) SealFile(ctx context.Context, round string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/seals/"+Segment(round)+"/file", nil)
}
