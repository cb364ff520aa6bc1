package lookup_test

import (
	"path/filepath"
	"testing"
	"time"

	"detente/floor/floortest"
	"detente/lookup"
	"detente/party"
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
	*lookup.Desk
	answers []traffic.Party
}

// inWorld plays a story between xn and xs, who are paired and have the channel cert.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	both := []traffic.Party{"xn", "xs"}
	capitals := map[traffic.Party]*capital{"xn": {answers: both}, "xs": {answers: both}}
	floortest.Play(t, floortest.Setup{
		Channels:  []floortest.Channel{{Name: "cert", Regime: "indicators"}},
		Heartbeat: 2 * time.Hour,
		Silence:   9 * time.Hour,
		Schemas:   []store.Schema{lookup.Schema()},
		Joins: func(p *floortest.Party) {
			c := capitals[p.ID]
			desk, err := lookup.New(p.Floor, lookup.Config{
				KeysPath: filepath.Join(p.Dir, "keys", "lookup.age"), Lock: party.Lock{Passphrase: "correct horse", WorkFactor: 4}, Answer: c.answers, Log: p.Log,
			})
			must(t, err)
			c.Party, c.Desk = p, desk
		},
	}, func(t *testing.T, w *floortest.World) { story(t, &world{w}, capitals["xn"], capitals["xs"]) })
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) { floortest.Pass(d) }

func must(t testing.TB, err error) {
	t.Helper()
	floortest.Must(t, err)
}
