package sim_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"detente/sim"
	"detente/store"
	"detente/traffic"
)

// What came in a flood is indexed after it, although nothing more comes: whoever asks for a list tomorrow does not fold it all himself.
func TestTheIndexFollowsByItself(t *testing.T) {
	cast := []sim.Founded{sim.Found(t, "xn", "en", true), sim.Found(t, "xs", "ru", true)}
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, time.Hour, 1)
		defer w.Close()
		for _, f := range cast {
			w.Add(f)
		}
		w.Pair("xn", "xs")
		channel := w.Channel("nrrc", "xn", "xs")
		for i := range 400 {
			if _, err := w.Send(sim.Letter{From: "xn", To: "xs", Channel: channel, Precedence: traffic.Routine, Form: "goodwill", Text: fmt.Sprintf("Letter %d.", i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Settle(time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for _, c := range w.Parties() {
			var lines, stale int64
			err := c.Node().DB.View(t.Context(), func(tx *store.Tx) error {
				return tx.QueryRow(t.Context(), `SELECT count(*), count(CASE WHEN folded < changes THEN 1 END) FROM dossiers`).Scan(&lines, &stale)
			})
			if err != nil || lines < 400 || stale > 0 {
				t.Errorf("%s: %d dossiers in the index, %d of them not folded (%v)", c.ID, lines, stale, err)
			}
		}
	})
}
