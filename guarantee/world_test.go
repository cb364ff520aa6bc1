package guarantee_test

import (
	"testing"
	"time"

	"detente/casework"
	"detente/floor/floortest"
	"detente/guarantee"
	"detente/standing"
	"detente/traffic"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	*floortest.World
}

// capital is a party and what runs on its machine.
type capital struct {
	*floortest.Party
	*guarantee.Desk
	checks *standing.Standing
	cases  *casework.Casework
}

// inWorld plays a story between xn and xs, who are paired and have a channel on which instruments are negotiated, and one on which cases are worked.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	capitals := map[traffic.Party]*capital{"xn": {}, "xs": {}}
	floortest.Play(t, floortest.Setup{
		Channels:  []floortest.Channel{{Name: "talks", Regime: "instruments"}, {Name: "incidents", Regime: "incidents"}},
		Heartbeat: 48 * time.Hour,
		Joins: func(p *floortest.Party) {
			checks, cases := standing.New(p.Floor, p.Log), casework.New(p.Floor, p.Log)
			*capitals[p.ID] = capital{p, guarantee.New(p.Floor, checks, p.Log), checks, cases}
		},
	}, func(t *testing.T, w *floortest.World) { story(t, &world{w}, capitals["xn"], capitals["xs"]) })
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) { floortest.Pass(d) }

func must(t testing.TB, err error) {
	t.Helper()
	floortest.Must(t, err)
}
