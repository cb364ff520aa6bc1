package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"detente/traffic"
)

// CaseListing narrows a list of cases; its zero value is all of them.
type CaseListing struct {
	Channel string
	Plane   traffic.Plane
	Open    bool
	Limit   int // 0 for all
	Lang    string
}

// TallyCases counts the open cases of a plane.
func (c *Client) TallyCases(ctx context.Context, plane traffic.Plane) (CaseTally, error) {
	return call[CaseTally](ctx, c, http.MethodGet, "/v1/cases/tally"+query("plane", string(plane)), nil)
}

// Cases lists cases, those first in which something is due.
func (c *Client) Cases(ctx context.Context, l CaseListing) ([]Case, error) {
	open := ""
	if l.Open {
		open = "true"
	}
	limit := ""
	if l.Limit > 0 {
		limit = strconv.Itoa(l.Limit)
	}
	return call[[]Case](ctx, c, http.MethodGet, "/v1/cases"+query("channel", l.Channel, "plane", string(l.Plane), "open", open, "limit", limit, "lang", l.Lang), nil)
}

// OpenCase states what opens a case. Its number is that of the request, or else one that the node allots.
func (c *Client) OpenCase(ctx context.Context, r CaseRequest) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/cases", r)
}

// Case shows a case, by its number, the number of one of its statements, or digits of an id.
func (c *Client) Case(ctx context.Context, notation, lang string) (CaseFile, error) {
	return call[CaseFile](ctx, c, http.MethodGet, "/v1/cases/"+seg(notation)+query("lang", lang), nil)
}

// StateInCase states something in a case.
func (c *Client) StateInCase(ctx context.Context, notation string, r CaseStatement) (Sent, error) {
	return call[Sent](ctx, c, http.MethodPost, "/v1/cases/"+seg(notation)+"/statements", r)
}

// CaseEvidence gives a case on one channel as a file that anyone can verify; the channel may be left out where there is one only.
func (c *Client) CaseEvidence(ctx context.Context, notation, channel string) ([]byte, error) {
	return call[[]byte](ctx, c, http.MethodGet, "/v1/cases/"+seg(notation)+"/file"+query("channel", channel), nil)
}

// CaseReport gives the fields of a report on a case, as far as the case gives them.
func (c *Client) CaseReport(ctx context.Context, notation string) (CaseStatement, error) {
	return call[CaseStatement](ctx, c, http.MethodGet, "/v1/cases/"+seg(notation)+"/report", nil)
}

// Calendar lists what was declared on a plane.
func (c *Client) Calendar(ctx context.Context, plane traffic.Plane, lang string) (Calendar, error) {
	return call[Calendar](ctx, c, http.MethodGet, "/v1/calendar"+query("plane", string(plane), "lang", lang), nil)
}

// MatchObservation holds what was observed against what was declared.
func (c *Client) MatchObservation(ctx context.Context, r ObservationRequest, lang string) ([]CaseMatch, error) {
	return call[[]CaseMatch](ctx, c, http.MethodPost, "/v1/observations"+query("lang", lang), r)
}

// Codebook lists the short signals of a channel.
func (c *Client) Codebook(ctx context.Context, channel string, plane traffic.Plane, lang string) ([]Signal, error) {
	return call[[]Signal](ctx, c, http.MethodGet, "/v1/codebook"+query("channel", channel, "plane", string(plane), "lang", lang), nil)
}

// LedgerQuery is of which channel and period the ledger is asked.
type LedgerQuery struct {
	Channel string
	Plane   traffic.Plane
	Period  string    // month, quarter or year; empty for year
	Of      time.Time // a moment in the period; zero for now
	Lang    string
}

// Ledger is what was asked and answered on a channel in a period.
func (c *Client) Ledger(ctx context.Context, q LedgerQuery) (Ledger, error) {
	of := ""
	if !q.Of.IsZero() {
		of = q.Of.UTC().Format(time.RFC3339)
	}
	return call[Ledger](ctx, c, http.MethodGet, "/v1/ledger"+query("channel", q.Channel, "plane", string(q.Plane), "period", q.Period, "of", of, "lang", q.Lang), nil)
}
