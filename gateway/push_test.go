package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/store/storetest"
)

// straight asks a server without a network between. Its lever loses the answer to a request that the server has done.
type straight struct {
	to   http.Handler
	lose func(*http.Request) bool
}

var errLost = errors.New("the line was cut before the answer came")

func (s *straight) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.Body, in.RequestURI = io.NopCloser(bytes.NewReader(body)), r.URL.RequestURI()
	w := httptest.NewRecorder()
	s.to.ServeHTTP(w, in)
	if s.lose != nil && s.lose(r) {
		return nil, errLost
	}
	return w.Result(), nil
}

// A collection is pushed to a server that refuses one object in ten. The answer to the second envelope is lost; the next push gives that envelope again,
// which the server has, and goes on. How far it came is in the database: a gateway that begins anew pushes what is new.
func TestAPushGoesOnWhereItWas(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		const n = 200
		var list []string
		for i := range n {
			list = append(list, indicator(i, 1, amber, ""))
		}
		xn.posts("cert to members", list...)

		db := storetest.Open(t, objects.Schema(), taxii.Schema())
		lab := objects.Open(db, nil)
		c, err := lab.Create(t.Context(), objects.Collection{Title: "lab", Flow: objects.Local})
		must(t, err)
		given, envelopes := map[string]int{}, 0
		server := taxii.New(taxii.Config{Shelf: lab, DB: db, Title: "lab", MaxContent: 32 << 10, Accept: func(ctx context.Context, _ taxii.Token, c objects.Collection, envelope []byte) ([]taxii.Result, error) {
			var e struct{ Objects []json.RawMessage }
			must(t, json.Unmarshal(envelope, &e))
			envelopes++
			var results []taxii.Result
			for _, raw := range e.Objects {
				var o struct{ ID string }
				must(t, json.Unmarshal(raw, &o))
				given[o.ID]++
				if strings.HasSuffix(o.ID, "0") {
					results = append(results, taxii.Result{ID: o.ID, Failed: true, Message: "not this one"})
					continue
				}
				out, err := lab.Add(ctx, c.Number, []objects.Object{{ID: o.ID, Type: "indicator", Spec: "2.1", Version: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Bytes: raw}}, objects.Source{})
				if err != nil {
					return nil, err
				}
				results = append(results, taxii.Result{ID: o.ID, Known: out[0].Fate == objects.Duplicate})
			}
			return results, nil
		}})
		secret, err := server.Tokens().Add(t.Context(), taxii.Token{Name: "xn", Reads: []string{taxii.Every}, Writes: []string{taxii.Every}})
		must(t, err)
		wire := &straight{to: server}
		to := taxii.Remote{URL: "https://lab.example" + taxii.Root + "collections/" + c.ID + "/", Secret: secret, HTTP: &http.Client{Transport: wire}}
		from := xn.collection("cert to members")

		posts := 0
		wire.lose = func(r *http.Request) bool {
			if r.Method == http.MethodPost {
				posts++
			}
			return r.Method == http.MethodPost && posts == 2
		}
		first, err := xn.Push(t.Context(), from, to)
		if !errors.Is(err, taxii.ErrRemote) || first.Objects == 0 || first.Refused == 0 || first.Reasons[""] != "not this one" {
			t.Fatalf("%+v, %v", first, err)
		}
		done := first.Objects + first.Refused
		xn.reopen()
		second, err := xn.Push(t.Context(), from, to)
		must(t, err)
		if got := second.Objects + second.Refused; got != n-done || first.Refused+second.Refused != n/10 {
			t.Errorf("first %+v, then %+v", first, second)
		}
		again := 0
		for i := range n {
			switch given[indicatorID(i)] {
			case 1:
			case 2:
				again++
			default:
				t.Errorf("object %d was given %d times", i, given[indicatorID(i)])
			}
		}
		if again == 0 || again > done || envelopes < 4 {
			t.Errorf("%d were given again, in %d envelopes, of which the first had %d", again, envelopes, done)
		}
		if all, err := lab.Collections(t.Context()); err != nil || all[0].Size != n-n/10 {
			t.Errorf("the server has %+v, %v", all, err)
		}
		xn.reopen()
		before := envelopes
		if third, err := xn.Push(t.Context(), from, to); err != nil || third.Objects+third.Refused != 0 || envelopes != before {
			t.Errorf("nothing is new: %+v, %v, %d envelopes", third, err, envelopes-before)
		}
		xn.posts("cert to members", indicator(n+1, 1, amber, ""))
		if fourth, err := xn.Push(t.Context(), from, to); err != nil || fourth.Objects != 1 {
			t.Errorf("one is new: %+v, %v", fourth, err)
		}
		pulls, err := xn.Pulls(t.Context())
		if p := pulls["push "+from.ID+" "+to.URL]; err != nil || p.Objects != n+1 {
			t.Errorf("%+v, %v", pulls, err)
		}
	})
}
