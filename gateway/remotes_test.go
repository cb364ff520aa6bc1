package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"detente/gateway"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/stix"
	"detente/store/storetest"
)

// A sensor is pulled every ten minutes, and what is shared is pushed to an archive every half hour. The sensor is away at first: it is asked at growing
// distances, never less often than once an hour. When it is back, what it has goes out by itself; a node that is started anew does not ask again at once.
func TestLocalServersArePulledAndPushedOnSchedule(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		lab := func(title string) (*objects.Shelf, objects.Collection, *straight, gateway.Scheduled) {
			db := storetest.Open(t, objects.Schema(), taxii.Schema())
			shelf := objects.Open(db, nil)
			c, err := shelf.Create(t.Context(), objects.Collection{Title: title, Flow: objects.Local})
			must(t, err)
			g := taxii.New(taxii.Config{Shelf: shelf, DB: db, Title: title, MaxContent: 1 << 20, Accept: func(ctx context.Context, _ taxii.Token, c objects.Collection, envelope []byte) ([]taxii.Result, error) {
				in, err := stix.Split(envelope, stix.Standard())
				var list []objects.Object
				for _, it := range in.Items {
					list = append(list, objects.Object{ID: it.Object.ID, Type: it.Object.Type, Spec: "2.1", Version: it.Object.Modified, Bytes: it.Object.Raw})
				}
				out, _ := shelf.Add(ctx, c.Number, list, objects.Source{})
				return make([]taxii.Result, len(out)), err
			}})
			secret, err := g.Tokens().Add(t.Context(), taxii.Token{Name: "xn", Reads: []string{taxii.Every}, Writes: []string{taxii.Every}})
			must(t, err)
			wire := &straight{to: g}
			return shelf, c, wire, gateway.Scheduled{
				URL: "https://" + title + ".example" + taxii.Root + "collections/" + c.ID + "/", HTTP: &http.Client{Transport: wire},
				Secret: func() (string, error) { return secret, nil },
			}
		}
		observe := func(s *objects.Shelf, c objects.Collection, n int) {
			_, err := s.Add(t.Context(), c.Number, []objects.Object{{ID: indicatorID(n), Type: "indicator", Spec: "2.1",
				Version: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Bytes: []byte(indicator(n, 1, green, ""))}}, objects.Source{})
			must(t, err)
		}
		shelf, c, wire, sensor := lab("sensor")
		sensor.Collection, sensor.Every = "cert to members", 10*time.Minute
		kept, _, _, archive := lab("archive")
		archive.Collection, archive.Every, archive.Push = "cert to members", 30*time.Minute, true
		secret, lost := archive.Secret, errors.New("the file is not there")
		archive.Secret = func() (string, error) { return "", lost }

		var asked atomic.Int64
		var away atomic.Bool
		away.Store(true)
		wire.lose = func(*http.Request) bool { asked.Add(1); return away.Load() }
		observe(shelf, c, 1)
		xn.cfg.Remotes = []gateway.Scheduled{sensor, archive}
		state := func() [2]gateway.Remote {
			list, err := xn.Remotes(t.Context())
			must(t, err)
			return [2]gateway.Remote(list)
		}

		xn.reopen()
		pass(150 * time.Minute)
		if s := state(); s[0].Failed != asked.Load() || asked.Load() < 8 || asked.Load() > 9 || !strings.Contains(s[0].Failure, "cannot be reached") || !s[0].Last.IsZero() || s[0].Next.Before(time.Now()) {
			t.Errorf("asked %d times in vain: %+v", asked.Load(), s[0])
		}
		if s := state(); s[1].Failure != lost.Error() || s[1].Failed < 3 {
			t.Errorf("a token file that is not there: %+v", s[1])
		}

		away.Store(false)
		pass(67 * time.Minute)
		if s := state(); s[0].Failure != "" || s[0].Failed != 0 || s[0].Last.IsZero() || len(xs.reads("cert from xn")) != 1 {
			t.Errorf("the sensor is back: %+v, %v", s[0], xs.reads("cert from xn"))
		}
		observe(shelf, c, 2)
		pass(12 * time.Minute)
		if got := xs.reads("cert from xn"); len(got) != 2 {
			t.Errorf("what is new is not pulled in time: %v", got)
		}

		before := asked.Load()
		until := state()[0].Next
		xn.reopen()
		pass(time.Until(until) - time.Second)
		if asked.Load() != before {
			t.Errorf("a node that was started anew asked %d times at once", asked.Load()-before)
		}
		pass(2 * time.Second)
		if asked.Load() == before {
			t.Error("it does not ask any more")
		}

		archive.Secret = secret
		xn.cfg.Remotes = []gateway.Scheduled{sensor, archive}
		xn.reopen()
		pass(67 * time.Minute)
		all, err := kept.Collections(t.Context())
		must(t, err)
		if s := state(); all[0].Size != 2 || s[1].Failure != "" || s[1].Failed != 0 || s[1].Last.IsZero() {
			t.Errorf("the archive has %d objects: %+v", all[0].Size, s[1])
		}
	})
}
