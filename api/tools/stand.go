package tools

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"

	"detente/api"
	"detente/gateway/taxii"
)

// stand is how the gateway stands.
func (d desk) stand(ctx context.Context) (api.GatewayStatus, error) {
	out := api.GatewayStatus{Collections: []api.Collection{}, Arrivals: []api.Arrival{}, Pulls: []api.Pull{}, Remotes: []api.Remote{}}
	all, err := d.Shelf().Collections(ctx)
	if err != nil {
		return out, err
	}
	counts, err := d.Counts(ctx)
	if err != nil {
		return out, err
	}
	names := make(map[int64]string)
	for _, c := range all {
		k := api.Collection{ID: c.ID, Title: c.Title, Channel: d.Channel(c), Flow: string(c.Flow), Party: c.Party, Plane: c.Plane, Objects: c.Size, Newest: c.Stamp}
		for _, n := range counts {
			if n.Collection == c.Number {
				if k.States == nil {
					k.States = make(map[string]int64)
				}
				k.States[n.State] = n.Count
			}
		}
		names[c.Number] = c.Title
		out.Collections = append(out.Collections, k)
	}
	arrivals, err := d.Arrivals(ctx, 20)
	if err != nil {
		return out, err
	}
	for _, a := range arrivals {
		out.Arrivals = append(out.Arrivals, api.Arrival{
			Statement: a.Statement.String(), Attachment: hex.EncodeToString(a.Attachment[:]), Collection: names[a.Collection], Done: a.Done, Added: a.Added,
			Duplicates: a.Duplicates, Conflicts: a.Conflicts, Refused: a.Refused, Reason: a.Reason,
		})
	}
	pulls, err := d.Pulls(ctx)
	for _, name := range slices.Sorted(maps.Keys(pulls)) {
		out.Pulls = append(out.Pulls, api.Pull{Name: name, Objects: pulls[name].Objects, At: pulls[name].At})
	}
	if err != nil {
		return out, err
	}
	remotes, err := d.Remotes(ctx)
	for _, r := range remotes {
		out.Remotes = append(out.Remotes, api.Remote{
			URL: r.URL, Collection: r.Collection, Push: r.Push, Every: r.Every.String(), Last: r.Last, Next: r.Next, Failure: r.Failure, Failed: r.Failed, Added: r.Added, Refused: r.Refused,
		})
	}
	return out, err
}

// ids are those of collections that are named somehow. Error: objects.ErrNoCollection.
func (d desk) ids(ctx context.Context, names []string) ([]string, error) {
	out := []string{}
	for _, name := range names {
		if name == taxii.Every {
			out = append(out, name)
			continue
		}
		c, err := d.Named(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, c.ID)
	}
	return out, nil
}
