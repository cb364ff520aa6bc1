//go:build !race

package gateway_test

import (
	"errors"
	"testing"
	"time"

	"detente/gateway"
	"detente/label"
	"detente/store/storetest"
	"detente/traffic"
)

// The stories here run without the race detector: what they add to those on SQLite is the database, and with it they take long.

func TestDeathBetweenStepsOnPostgreSQL(t *testing.T) {
	deaths(t, storetest.Postgres(t), storetest.Postgres(t))
}

// Two processes of one party share a PostgreSQL database. One dies with a batch that it has drafted, or said and not noted; the other takes it over once its
// patience is at an end, and not before, and it is said once.
func TestABatchIsTakenOverFromAProcessThatDied(t *testing.T) {
	inWorld(t, []traffic.Party{"xn", "xs"}, func(t *testing.T, w *world) {
		xn, xs := w.teams["xn"], w.teams["xs"]
		var all []string
		xn.cfg.Patience = 20 * time.Second
		for n, step := range []string{"bundled", "drafted", "said"} {
			xn.rest()
			died := false
			first := gateway.Open(gateway.Config{Node: xn.Party.Node, Validator: schemas, Rule: gateway.Rule{UpTo: label.TLPGreen}, Step: func(at string) error {
				if died = died || at == step; died {
					return errDead
				}
				return nil
			}})
			all = append(all, indicator(n, 1, green, ""))
			added, err := first.Put(t.Context(), "tool", xn.collection("cert to members"), []byte(`{"objects":[`+all[n]+`]}`))
			if err != nil || added.Objects != 1 {
				t.Fatalf("%+v, %v", added, err)
			}
			if _, err := first.Turn(t.Context()); !errors.Is(err, errDead) {
				t.Fatalf("it did not die at %s: %v", step, err)
			}
			said := len(xn.said())
			xn.open() // the other process
			pass(5 * time.Second)
			if got := len(xn.said()); step == "drafted" && got != said {
				t.Errorf("%s: taken over while the first might still say it", step)
			}
			pass(time.Minute)
			if got := len(xn.said()); got != n+1 {
				t.Errorf("%s: %d statements", step, got)
			}
			if got := xs.reads("cert from xn"); len(got) != n+1 {
				t.Errorf("%s: %d came", step, len(got))
			}
		}
		counts, err := xn.Counts(t.Context())
		if err != nil || len(counts) != 1 || counts[0].State != gateway.Sent || counts[0].Count != int64(len(all)) {
			t.Errorf("%+v, %v", counts, err)
		}
	}, storetest.Postgres(t))
}
