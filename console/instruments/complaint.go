package instruments

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/console/cases"
	"detente/form"
	"detente/traffic"
)

// Relied are the instruments that a complaint can rely on. Processes and complaints themselves stand in the calendar.
type Relied struct {
	Among  []cases.Choice
	Action string
}

// relied are what stands below the list of instruments; nil where there are none, or the officer may not complain.
func relied(ctx context.Context, d *cases.Desk) (*Relied, error) {
	if !d.May("send") {
		return nil, nil
	}
	all, err := d.Client.Guarantees(ctx, d.Plane, d.Lang)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &Relied{Action: d.To("/instrument")}
	for _, x := range all.Instruments {
		if x.Dossier != "" { // one that is open to all has no channel on which it could be said
			p.Among = append(p.Among, cases.Choice{Value: x.ID, Label: x.Title})
		}
	}
	if len(p.Among) == 0 {
		return nil, nil
	}
	return p, nil
}

// complain states that a guarantee appears not to have been observed.
func complain(ctx context.Context, d *cases.Desk, given url.Values) (Done, error) {
	r := api.ComplaintRequest{Basis: given.Get("basis"), Provision: strings.TrimSpace(given.Get("provision")), Text: clean(given.Get("words")), Plane: d.Plane, Language: d.Lang}
	if r.Text == "" {
		return Done{}, &api.Problem{Status: http.StatusBadRequest, Code: "no-choice"}
	}
	for name, to := range map[string]*time.Time{"from": &r.From, "until": &r.Until} {
		if s := strings.ToUpper(strings.TrimSpace(given.Get(name))); s != "" {
			t, err := form.ParseDTG(s)
			if err != nil {
				return Done{}, &api.Problem{Status: http.StatusBadRequest, Code: "no-choice"}
			}
			*to = t
		}
	}
	all, err := d.Client.Guarantees(ctx, d.Plane, d.Lang)
	if err != nil {
		return Done{}, err
	}
	for _, x := range all.Instruments { // whoever has spoken in its negotiation speaks
		if x.ID != r.Basis || x.Dossier == "" {
			continue
		}
		draft, err := drafting.Client{Node: d.Client}.Show(ctx, x.Dossier, d.Lang)
		if err != nil {
			return Done{}, err
		}
		posts, err := voices(ctx, d, &draft)
		if err != nil {
			return Done{}, err
		}
		r.Post = traffic.Post(chosen(posts))
	}
	sent, err := d.Client.Complain(ctx, r)
	if err != nil {
		return Done{}, err
	}
	if sent.Pending {
		return Done{To: d.To("/notices", "said", "complained-pending")}, nil
	}
	return Done{To: d.To("/case", "n", sent.Case, "said", "complained")}, nil
}
