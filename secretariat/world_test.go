package secretariat_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"detente/floor/floortest"
	"detente/form"
	"detente/node"
	"detente/secretariat"
	"detente/standing"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	*floortest.World
}

// capital is a party and what runs on its machine.
type capital struct {
	*floortest.Party
	standing *standing.Standing
	*secretariat.Secretariat
}

// inWorld plays a story between xn and xs, who are paired and have a channel on which they consult, and one of experts that is protected.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	capitals := map[traffic.Party]*capital{"xn": {}, "xs": {}}
	floortest.Play(t, floortest.Setup{
		Channels:  []floortest.Channel{{Name: "council", Regime: "dialogue"}, {Name: "experts", Regime: "dialogue", Protected: true}},
		Heartbeat: 240 * time.Hour,
		Schemas:   []store.Schema{secretariat.Schema()},
		Joins: func(p *floortest.Party) {
			*capitals[p.ID] = capital{p, standing.New(p.Floor, p.Log), secretariat.New(p.Floor, p.Log)}
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

// says has a post state what the secretariat has drafted.
func (c *capital) says(d node.Draft, err error) node.Sent {
	c.World.T.Helper()
	must(c.World.T, err)
	if d.Post == "" {
		d.Post = "council"
	}
	d.Language, d.Drafter, d.Releaser = "en", "duty-officer", "head-of-post"
	sent, err := c.Node.Send(c.World.T.Context(), d)
	must(c.World.T, err)
	return sent
}

// talk is a series or a group as this party has it.
func (c *capital) talk(id statement.ID) *secretariat.Talk {
	c.World.T.Helper()
	t, err := c.Talk(c.World.T.Context(), id.String())
	must(c.World.T, err)
	return t
}

// states has the party state something in a dialogue, in the shape in which a person gives it.
func (c *capital) states(id statement.ID, formID, about string, v form.Values) node.Sent {
	c.World.T.Helper()
	t := c.talk(id)
	d, err := c.Say(t, formID, v, about, time.Now())
	must(c.World.T, err)
	d.Post = "council"
	must(c.World.T, c.Rehearse(t, d))
	return c.says(d, nil)
}

// opens opens a series that is due every twenty days.
func (c *capital) opens() statement.ID {
	c.World.T.Helper()
	return c.says(c.Open(c.World.T.Context(), c.World.Channels["council"], traffic.Real, "series", form.Values{
		"name": map[string]string{"en": "Consultations", "ru": "Консультации"}, "level": "high-level", "every": int64(every / time.Second), "hosts": []any{"xn", "xs"}, "languages": "en ru",
	})).ID
}

const every = 20 * 24 * time.Hour

// window is a period that begins after a time.
func window(after time.Duration) []any {
	from := time.Now().Add(after)
	return []any{from.Unix(), from.Add(6 * time.Hour).Unix()}
}

// board lists what needs somebody about consultations, by what is said; of what waits for an answer, the form.
func (c *capital) board() []string {
	c.World.T.Helper()
	v, err := c.Floor.Watch(c.World.T.Context(), "", "")
	must(c.World.T, err)
	out := []string{}
	for _, it := range v.Items {
		switch {
		case !it.Ended.IsZero():
		case strings.HasPrefix(it.Say, "talks."):
			out = append(out, it.Say)
		case it.Say == "answer":
			out = append(out, "answer "+it.Form)
		}
	}
	slices.Sort(out)
	return out
}
