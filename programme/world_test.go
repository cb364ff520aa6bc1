package programme_test

import (
	"testing"
	"time"

	"detente/casework"
	"detente/floor/floortest"
	"detente/form"
	"detente/node"
	"detente/party"
	"detente/programme"
	"detente/register/docket"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// world is two parties with all that stands between them, and a third one, in one bubble.
type world struct{ *floortest.World }

// capital is a party and what runs on its machine.
type capital struct {
	*floortest.Party
	*programme.Desk
	cases *casework.Casework
}

// inWorld plays a story between xn and xs, who have a council, experts on a protected channel, and a channel on which cases are worked. The third, xl, is paired with both
// and on none of the channels.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs, xl *capital)) {
	t.Helper()
	capitals := map[traffic.Party]*capital{"xn": {}, "xs": {}, "xl": {}}
	floortest.Play(t, floortest.Setup{
		Parties: []traffic.Party{"xn", "xs", "xl"}, Heartbeat: 480 * time.Hour, Schemas: []store.Schema{docket.Schema()},
		Joins: func(p *floortest.Party) {
			cases := casework.New(p.Floor, p.Log)
			*capitals[p.ID] = capital{p, programme.New(p.Floor, programme.Config{Acts: docket.New(p.Node).Reading, Account: cases.Account}), cases}
		},
	}, func(t *testing.T, w *floortest.World) {
		xn, xs := capitals["xn"], capitals["xs"]
		for _, c := range []floortest.Channel{{Name: "council", Regime: "dialogue"}, {Name: "experts", Regime: "dialogue", Protected: true}, {Name: "incidents", Regime: "incidents"}} {
			ch, err := xn.Node.Propose(t.Context(), party.Channel{Name: c.Name, Regime: party.RegimeRef{ID: c.Regime, Version: 1}, Protected: c.Protected}, []traffic.Party{"xs"}, "council", "head")
			must(t, err)
			for {
				changed := xs.Node.Changed()
				if xs.Node.Accept(t.Context(), ch.ID(), "council", "head") == nil {
					break
				}
				<-changed
			}
			must(t, xn.Node.WaitChannel(t.Context(), ch.ID(), time.Hour))
			w.Channels[c.Name] = ch.ID()
		}
		story(t, &world{w}, xn, xs, capitals["xl"])
	})
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) { floortest.Pass(d) }

func must(t testing.TB, err error) {
	t.Helper()
	floortest.Must(t, err)
}

// says has the council of a party state something to the other.
func (c *capital) says(channel, formID string, v form.Values, refs ...statement.ID) statement.ID {
	return c.saysIn(channel, statement.ID{}, formID, v, refs...)
}

// saysIn says it in a dossier.
func (c *capital) saysIn(channel string, of statement.ID, formID string, v form.Values, refs ...statement.ID) statement.ID {
	t := c.World.T
	t.Helper()
	d := node.Draft{
		Channel: c.World.Channels[channel], Plane: traffic.Real, Precedence: traffic.Routine, Post: "council", Audience: "xs", Form: formID, Values: v, Refs: refs, Dossier: of,
		Language: "en", Drafter: "duty-officer", Releaser: "head-of-post",
	}
	if c.ID == "xs" {
		d.Audience = "xn"
	}
	if channel == "public" {
		d.Channel, d.Audience = party.PublicChannel(c.Node.Chain(c.ID)).ID(), statement.Everyone
	}
	sent, err := c.Node.Send(t.Context(), d)
	must(t, err)
	return sent.ID
}
