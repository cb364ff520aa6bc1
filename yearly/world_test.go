package yearly_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"detente/casework"
	"detente/floor/floortest"
	"detente/form"
	"detente/node"
	"detente/secretariat"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/yearly"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	*floortest.World
}

// capital is a party and what runs on its machine.
type capital struct {
	*floortest.Party
	work  *casework.Casework
	talks *secretariat.Secretariat
}

// inWorld plays a story between xn and xs, who are paired, have two channels under the agreement on incidents and one on which they consult.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	capitals := map[traffic.Party]*capital{"xn": {}, "xs": {}}
	floortest.Play(t, floortest.Setup{
		Channels:  []floortest.Channel{{Name: "council", Regime: "dialogue"}, {Name: "nrrc", Regime: "incidents"}, {Name: "cert", Regime: "incidents"}},
		Heartbeat: 240 * time.Hour,
		Schemas:   []store.Schema{secretariat.Schema()},
		Joins: func(p *floortest.Party) {
			*capitals[p.ID] = capital{p, casework.New(p.Floor, p.Log), secretariat.New(p.Floor, p.Log)}
		},
	}, func(t *testing.T, w *floortest.World) { story(t, &world{w}, capitals["xn"], capitals["xs"]) })
}

// sever has both nodes call nobody for a time: what is said is kept.
func (w *world) sever(cut bool) {
	w.Sever(cut)
	for _, p := range w.Parties {
		if cut {
			p.Offline()
		} else {
			p.Online()
		}
	}
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) { floortest.Pass(d) }

func must(t testing.TB, err error) {
	t.Helper()
	floortest.Must(t, err)
}

// fields are fields of a form, as a person gives them.
type fields map[string]string

// says has a post state something on a channel, of a precedence.
func (c *capital) says(channel string, p traffic.Precedence, formID string, words fields, in *node.Draft) node.Sent {
	t := c.World.T
	t.Helper()
	d := node.Draft{Audience: string(c.Other())}
	if in != nil {
		d = *in
	}
	d.Channel, d.Plane, d.Precedence, d.Form, d.Language, d.Drafter, d.Releaser = c.World.Channels[channel], traffic.Real, p, formID, "en", "duty-officer", "head-of-post"
	if d.Post == "" {
		d.Post = traffic.Post(channel)
	}
	_, regime, err := c.Node.Channel(d.Channel)
	must(t, err)
	fm, ok := regime.Latest(formID)
	if !ok {
		t.Fatal("no form ", formID)
	}
	if d.Values == nil {
		d.Values, err = fm.FromText(words)
		must(t, err)
	}
	if p.Rank() > fm.Ceiling.Rank() {
		d.Precedence = fm.Ceiling
	}
	sent, err := c.Node.Send(t.Context(), d)
	must(t, err)
	return sent
}

// opens opens a case.
func (c *capital) opens(channel, formID string, words fields) (string, node.Sent) {
	c.World.T.Helper()
	n, err := c.work.Allot(c.World.T.Context())
	must(c.World.T, err)
	words["case"] = n.String()
	return n.String(), c.says(channel, traffic.Priority, formID, words, nil)
}

// replies has the post reply to a statement.
func (c *capital) replies(to node.Sent, formID string, words fields) node.Sent {
	t := c.World.T
	t.Helper()
	_, regime, err := c.Node.Channel(to.Feed.Channel)
	must(t, err)
	fm, _ := regime.Latest(formID)
	v, err := fm.FromText(words)
	must(t, err)
	sent, err := c.Node.Reply(t.Context(), node.Reply{To: to.ID, Post: c.postOn(to.Feed.Channel), Form: formID, Values: v, Language: "en", Drafter: "duty-officer", Releaser: "head-of-post"})
	must(t, err)
	return sent
}

func (c *capital) postOn(channel [32]byte) traffic.Post {
	for name, id := range c.World.Channels {
		if id == channel {
			return traffic.Post(name)
		}
	}
	return ""
}

// about has the post state something in the dossier of a statement.
func (c *capital) about(of node.Sent, formID string, words fields) node.Sent {
	c.World.T.Helper()
	return c.says(string(c.postOn(of.Feed.Channel)), traffic.Routine, formID, words, &node.Draft{Audience: string(c.Other()), Dossier: of.ID, Refs: []statement.ID{of.ID}})
}

// states has the party state something in its series.
func (c *capital) states(series statement.ID, formID string, v form.Values) node.Sent {
	t := c.World.T
	t.Helper()
	talk, err := c.talks.Talk(t.Context(), series.String())
	must(t, err)
	d, err := c.talks.Say(talk, formID, v, "", time.Now())
	must(t, err)
	d.Post = "council"
	must(t, c.talks.Rehearse(talk, d))
	return c.says("council", d.Precedence, formID, nil, &d)
}

// span is a window as a person writes it, from now on.
func span(from, to time.Duration) string {
	now := time.Now().UTC()
	return now.Add(from).Format(time.RFC3339) + "/" + now.Add(to).Format(time.RFC3339)
}

// pack is the pack of the party for a round, from what it holds.
func (c *capital) pack(series statement.ID, round int, from, to time.Time) (*yearly.Pack, error) {
	return yearly.Gather(c.World.T.Context(), c.Node, yearly.Ask{
		Subject: yearly.Subject{Series: series, Round: round, Plane: traffic.Real, From: from, To: to}, Channel: c.World.Channels["council"],
	})
}

// whole is its JSON.
func (c *capital) whole(series statement.ID, round int, from, to time.Time) (*yearly.Pack, string) {
	c.World.T.Helper()
	p, err := c.pack(series, round, from, to)
	must(c.World.T, err)
	_, err = p.Whole()
	must(c.World.T, err)
	b, err := p.Encode()
	must(c.World.T, err)
	return p, string(b)
}

// toAll is a draft to everyone with values.
func toAll(v form.Values) *node.Draft { return &node.Draft{Audience: statement.Everyone, Values: v} }

// brings has the party take a pouch.
func (c *capital) brings(path string) {
	c.World.T.Helper()
	f, err := os.Open(path)
	must(c.World.T, err)
	defer f.Close()
	_, err = c.Node.ImportPouch(c.World.T.Context(), f)
	must(c.World.T, err)
}

// copyDatabase copies the database of a party that stands still, and gives what puts the copy back.
func (c *capital) copyDatabase() (back func()) {
	t := c.World.T
	t.Helper()
	files, err := filepath.Glob(c.DSN + "*")
	must(t, err)
	kept := make(map[string][]byte)
	for _, f := range files {
		kept[f], err = os.ReadFile(f)
		must(t, err)
	}
	return func() {
		now, err := filepath.Glob(c.DSN + "*")
		must(t, err)
		for _, f := range now {
			must(t, os.Remove(f))
		}
		for f, b := range kept {
			must(t, os.WriteFile(f, b, 0o600))
		}
	}
}
