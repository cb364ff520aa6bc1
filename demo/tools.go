package demo

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"detente/api"
	"detente/gateway/taxii"
	"detente/stix"
	"detente/store"
)

//go:embed stix/ailurophile.json
var shared []byte

// door is where a tool of a party's response team calls, and with what.
type door struct {
	of         *actor
	collection string // address
	title      string
	token      string
}

// curl is the line that asks a door for what is behind it.
func (d *door) curl() string {
	return fmt.Sprintf("curl -H 'Accept: %s' -H 'Authorization: Bearer %s' %sobjects/", taxii.MediaType, d.token, d.collection)
}

// tool is a TAXII client of a response team, with the database in which it keeps how far it has come.
type tool struct {
	taxii.Remote
	db *store.DB
}

// tools lets the tools of both response teams speak TAXII with their own nodes: what one posts, the other pulls, byte for byte.
func (p *play) tools(ctx context.Context) error {
	p.printf("\n")
	for _, way := range []struct {
		a     *actor
		title string
		write bool
	}{{p.north, "cert to members", true}, {p.south, "cert from " + string(p.north.id), false}} {
		d, err := way.a.let(ctx, way.title, way.write)
		if err != nil {
			return err
		}
		p.taxii = append(p.taxii, d)
		p.step("%s's node speaks TAXII 2.1 with its response team's tools, at %s/taxii2/", way.a.name, way.a.taxii)
		p.note("collection %q, for its tools: %s", d.title, d.collection)
	}
	posted, err := stix.Split(shared, stix.Standard())
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := p.post(ctx, &p.taxii[0], posted); err != nil {
		return err
	}
	got, err := p.pull(ctx, &p.taxii[1], len(posted.Items))
	if err != nil {
		return err
	}
	for i, it := range posted.Items {
		if i >= len(got) || !bytes.Equal(it.Raw, got[i].Raw) {
			return fmt.Errorf("demo: object %d is not what was posted", i+1)
		}
	}
	p.step("a TAXII client at Southland pulls %d indicators from %q: byte for byte what was posted at Northland, such as %s", len(got), p.taxii[1].title, stix.Defang(got[0].Object.Text("name")))
	return p.vouch(ctx, got)
}

// let makes a token for a party's tools, once the collection is there.
func (a *actor) let(ctx context.Context, title string, write bool) (door, error) {
	var id string
	err := a.until(ctx, "the collection "+title, func() (bool, error) {
		g, err := a.Gateway(ctx)
		i := slices.IndexFunc(g.Collections, func(c api.Collection) bool { return c.Title == title })
		if i >= 0 {
			id = g.Collections[i].ID
		}
		return i >= 0, err
	})
	if err != nil {
		return door{}, err
	}
	r := api.GatewayTokenRequest{Name: "tools", Reads: []string{"*"}}
	if write {
		r.Writes = []string{title}
	}
	t, err := a.AddGatewayToken(ctx, r)
	return door{of: a, collection: a.taxii + taxii.Root + "collections/" + id + "/", title: title, token: t.Secret}, err
}

// tool makes the client of a door.
func (p *play) tool(ctx context.Context, d *door) (*tool, error) {
	db, err := store.Open(ctx, store.Config{DSN: filepath.Join(p.world.dir, string(d.of.id)+"-tool.db"), Schemas: []store.Schema{taxii.Schema()}})
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return &tool{taxii.Remote{URL: d.collection, Secret: d.token}, db}, nil
}

// post has a tool of Northland post indicators, and an officer let them go.
func (p *play) post(ctx context.Context, d *door, posted *stix.Bundle) error {
	t, err := p.tool(ctx, d)
	if err != nil {
		return err
	}
	defer t.db.Close()
	done, err := t.Push(ctx, t.db, "demo", shared, len(posted.Items), time.Now())
	if err != nil {
		return err
	}
	if done.Refused > 0 {
		return fmt.Errorf("demo: %d objects were refused: %s", done.Refused, done.Reason)
	}
	p.step("a TAXII client at Northland posts %d real indicators to %q; each was validated, and waits for a person", len(posted.Items), d.title)
	waiting, err := p.north.duty().Reviews(ctx, 100)
	if err != nil {
		return err
	}
	var keys []string
	for _, w := range waiting {
		keys = append(keys, w.Key)
	}
	if len(keys) != len(posted.Items) {
		return fmt.Errorf("demo: %d objects wait", len(keys))
	}
	if err := p.north.duty().Review(ctx, api.ReviewRequest{Keys: keys}); err != nil {
		return err
	}
	p.step("● %s looks at them (%s, %s) and lets them go", p.north.people[0].name, waiting[0].TLP, waiting[0].Form)
	return nil
}

// pull has a tool of Southland pull until all is there.
func (p *play) pull(ctx context.Context, d *door, count int) (got []stix.Item, err error) {
	t, err := p.tool(ctx, d)
	if err != nil {
		return nil, err
	}
	defer t.db.Close()
	err = p.south.until(ctx, "the indicators", func() (bool, error) {
		_, err := taxii.Pull(ctx, t.db, "demo", t.Remote, func(items []stix.Item) error {
			got = append(got, items...)
			return nil
		})
		return len(got) >= count, err
	})
	return got, err
}

// vouch finds the statement that the indicators came by: it proves who has said them.
func (p *play) vouch(ctx context.Context, got []stix.Item) error {
	g, err := p.south.Gateway(ctx)
	if err != nil {
		return err
	}
	for _, a := range g.Arrivals {
		if a.Collection != p.taxii[1].title {
			continue
		}
		bundle, err := p.south.Attachment(ctx, a.Attachment)
		if err != nil {
			return err
		}
		for _, it := range got {
			if !bytes.Contains(bundle, it.Raw) {
				return fmt.Errorf("demo: %s is not in what was stated", it.Object.ID)
			}
		}
		s, err := p.south.Statement(ctx, a.Statement, "en")
		if err != nil {
			return err
		}
		p.shared = api.Sent{ID: s.ID, Number: s.Number}
		p.step("they came by %s, which has the SHA-256 of their bundle, %s…: its proof says who has said them", s.Number, a.Attachment[:16])
		return p.arrived(ctx, p.shared, p.north, p.south, "indicators", "")
	}
	return fmt.Errorf("demo: nothing has arrived")
}

// point prints how a tool of each party is pointed at its node.
func (p *play) point() {
	p.printf("\nPoint a TAXII 2.1 client at each node (OpenCTI, MISP, cabby, taxii2-client): the discovery address, and the token as Bearer or as the password of Basic.\n\n")
	for i := range p.taxii {
		d := &p.taxii[i]
		p.printf("  # %s, collection %q\n  %s/taxii2/\n  %s\n\n", d.of.name, d.title, d.of.taxii, d.curl())
	}
}
