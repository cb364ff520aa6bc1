package standing_test

import (
	"testing"
	"time"

	"detente/exchange"
	"detente/floor/floortest"
	"detente/form"
	"detente/node"
	"detente/standing"
	"detente/statement"
	"detente/traffic"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	*floortest.World
}

// capital is a party and what runs on its machine.
type capital struct {
	*floortest.Party
	*standing.Standing
}

// inWorld plays a story between xn and xs, who are paired and have the channel nrrc.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	capitals := map[traffic.Party]*capital{"xn": {}, "xs": {}}
	floortest.Play(t, floortest.Setup{
		Channels:  []floortest.Channel{{Name: "nrrc", Regime: "incidents"}},
		Heartbeat: 10 * time.Minute,
		Joins: func(p *floortest.Party) {
			*capitals[p.ID] = capital{p, standing.New(p.Floor, p.Log)}
		},
	}, func(t *testing.T, w *floortest.World) { story(t, &world{w}, capitals["xn"], capitals["xs"]) })
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) { floortest.Pass(d) }

func must(t testing.TB, err error) {
	t.Helper()
	floortest.Must(t, err)
}

// says has the post nrrc state something to the other's.
func (c *capital) says(p traffic.Precedence, formID string, v form.Values, refs ...statement.ID) node.Sent {
	c.World.T.Helper()
	sent, err := c.Node.Send(c.World.T.Context(), node.Draft{
		Channel: c.World.Channels["nrrc"], Plane: traffic.Real, Precedence: p, Post: "nrrc", Audience: string(c.Other()) + "/nrrc", Form: formID, Values: v, Refs: refs,
		Language: "en", Drafter: "duty-officer", Releaser: "head-of-post",
	})
	must(c.World.T, err)
	return sent
}

// replies has the post that was addressed reply to a statement.
func (c *capital) replies(to statement.ID, formID string, v form.Values) node.Sent {
	c.World.T.Helper()
	sent, err := c.Node.Reply(c.World.T.Context(), node.Reply{
		To: to, Form: formID, Values: v, Language: "en", Drafter: "duty-officer", Releaser: "head-of-post",
	})
	must(c.World.T, err)
	return sent
}

func (c *capital) acknowledges(to statement.ID, more form.Values) {
	c.World.T.Helper()
	v := form.Values{"received": time.Now().Unix(), "understood": true}
	for name, value := range more {
		v[name] = value
	}
	c.replies(to, "acknowledgement", v)
}

// board lists what needs somebody, by kind and number.
func (c *capital) board() []string {
	c.World.T.Helper()
	v, err := c.Floor.Watch(c.World.T.Context(), "", "")
	must(c.World.T, err)
	out := []string{}
	for _, it := range v.Items {
		out = append(out, string(it.Kind)+" "+it.Number)
	}
	return out
}

// silence is why nothing is heard of the other's post.
func (c *capital) silence() exchange.Silence {
	c.World.T.Helper()
	all, err := c.Silences(c.World.T.Context())
	must(c.World.T, err)
	for _, s := range all {
		if s.Post == "nrrc" {
			if s.Since.IsZero() || len(s.Evidence) < 2 {
				c.World.T.Errorf("%s without since when and evidence: %+v", s.Why, s)
			}
			return s.Why
		}
	}
	return exchange.SilenceNone
}
