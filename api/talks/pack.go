package talks

import (
	"context"
	"net/http"
	"strconv"

	"detente/api"
)

// Review is which pack of a round is asked for. The zero value is that of the default period, in the own alternat.
type Review struct {
	From, To string // RFC 3339
	Channels string // names, parted by commas
	Alternat string // on paper
	Langs    string // on paper, parted by spaces
	Partial  bool   // as data, also where something of the record is missing
}

// Pack is the pack of a round; as is json, pdf or docx.
func (c Client) Pack(ctx context.Context, talk string, round int, as string, r Review) ([]byte, error) {
	rest, partial := "", ""
	if as != "json" {
		rest = "/" + as
	} else {
		r.Alternat, r.Langs = "", "" // of paper only
		if r.Partial {
			partial = "true"
		}
	}
	return api.Ask[[]byte](ctx, c.Node, http.MethodGet, path(talk, "/rounds/"+strconv.Itoa(round)+"/pack"+rest)+
		api.Query("from", r.From, "to", r.To, "channels", r.Channels, "alternat", r.Alternat, "langs", r.Langs, "partial", partial), nil)
}
