package misp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"detente/gateway/misp"
	"detente/gateway/objects"
	"detente/label"
	"detente/stix"
	"detente/store"
	"detente/store/storetest"
	"detente/traffic"
)

// put adds objects to a collection, as the gateway does.
func put(t *testing.T, s *objects.Shelf, c objects.Collection, list ...*stix.Object) {
	t.Helper()
	var rows []objects.Object
	for _, o := range list {
		rows = append(rows, objects.Object{ID: o.ID, Type: o.Type, Version: o.Modified, Spec: o.SpecVersion, Bytes: o.Raw})
	}
	out, err := s.Add(t.Context(), c.Number, rows, objects.Source{})
	must(t, err)
	for _, o := range out {
		must(t, o.Err)
	}
}

func loose(t *testing.T, n, hour int, tlp label.TLP) *stix.Object {
	t.Helper()
	o, err := stix.Read(fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-%012d","created":"2026-11-23T00:00:00.000Z","modified":"2026-11-23T%02d:00:00.000Z",`+
		`"pattern":"[domain-name:value = 'host%d.example']","pattern_type":"stix","valid_from":"2026-11-23T00:00:00Z","object_marking_refs":["%s"]}`, n, hour, n, tlp.MarkingID()), stix.Standard())
	must(t, err)
	return o
}

// What the other party shared is pulled by a MISP, and what this MISP pushes comes into the collection that is stated: one MISP on each side of the line.
func TestFromMISPToMISP(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) {
		shelf := objects.Open(open(objects.Schema()), nil)
		in, err := shelf.Create(t.Context(), objects.Collection{Title: "from xs", Flow: objects.In, Plane: traffic.Real})
		must(t, err)
		taken, err := shelf.Create(t.Context(), objects.Collection{Title: "to xs", Flow: objects.Out, Plane: traffic.Real})
		must(t, err)
		v := validator(t)
		read := func(context.Context) ([]objects.Collection, error) { return []objects.Collection{in}, nil }
		s := &misp.Shelf{Objects: shelf, Read: read, Org: misp.Org{Name: "xs", UUID: mintUUID()}, Accept: func(_ context.Context, from string, raws [][]byte) error {
			for _, b := range raws {
				o, err := v.Read(b)
				if err != nil {
					return err
				}
				put(t, shelf, taken, o)
			}
			return nil
		}}
		over := label.Path{Audience: label.Organisation, Plane: label.Real}
		key, err := misp.NewKey("misp", pusherKey, over, true)
		must(t, err)
		h := httptest.NewServer((&misp.Server{Keys: []misp.Key{key}, List: s.List, Event: s.Event, Take: s.Take}).Handler())
		defer h.Close()
		source := &misp.Source{URL: h.URL + "/feed", Header: http.Header{"Authorization": {pusherKey}}}

		put(t, shelf, in, imported(t, event(t, decoyDog)).Objects...)
		put(t, shelf, in, loose(t, 1, 1, label.TLPGreen), loose(t, 2, 1, label.TLPRed), loose(t, 3, 1, label.TLPAmber))
		manifest, err := source.Manifest(t.Context())
		must(t, err)
		if len(manifest) != 2 {
			t.Fatalf("%v", manifest)
		}
		got, _, err := source.Event(t.Context(), decoyDog)
		must(t, err)
		if !slices.Equal(values(got), values(event(t, decoyDog))) {
			t.Errorf("%v", values(got))
		}
		part := ""
		for uuid := range manifest {
			if uuid != decoyDog {
				part = uuid
			}
		}
		got, _, err = source.Event(t.Context(), part)
		must(t, err)
		if v := values(got); len(v) != 2 || strings.Contains(strings.Join(v, " "), "host2") {
			t.Errorf("a part: %v", v)
		}
		// Something is added, and a new version of what a report names.
		before := manifest[decoyDog].Changed
		all := imported(t, event(t, decoyDog)).Objects
		first := all[slices.IndexFunc(all, func(o *stix.Object) bool { return o.Type == "indicator" || o.Type == "observed-data" })]
		changed, err := stix.Read([]byte(strings.Replace(string(first.Raw), first.Text("modified"), "2026-11-23T05:00:00.000Z", -1)), stix.Standard())
		must(t, err)
		put(t, shelf, in, loose(t, 4, 1, label.TLPClear), changed)
		manifest, err = source.Manifest(t.Context())
		must(t, err)
		if len(manifest) != 2 || !manifest[decoyDog].Changed.After(before) {
			t.Errorf("%v", manifest)
		}
		got, _, err = source.Event(t.Context(), part)
		must(t, err)
		if len(values(got)) != 3 {
			t.Errorf("%v", values(got))
		}

		if status, _, text := misps(t, pusherKey, "POST", h.URL+"/events/add/metadata:1", string(raw(t, infoblox))); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		types := map[string]int{}
		_, err = shelf.Page(t.Context(), taken.Number, objects.Filter{}, func(r *objects.Row) error { types[r.Type]++; return nil })
		must(t, err)
		if types["indicator"] != 9 || types["report"] != 1 || types["artifact"] != 1 {
			t.Errorf("taken: %v", types)
		}
		// What came from the other side is not pushed back to it.
		if status, _, text := misps(t, pusherKey, "POST", h.URL+"/events/edit/"+decoyDog+"/metadata:1", string(raw(t, decoyDog))); status != 403 || !strings.Contains(text, "made here") {
			t.Errorf("an echo: %d %s", status, text)
		}
		if _, err := s.Event(t.Context(), label.Path{Audience: label.Everybody, Plane: label.Exercise}, decoyDog); !errors.Is(err, misp.ErrNoEvent) {
			t.Errorf("on another plane: %v", err)
		}
		s.Accept = nil
		if status, _, _ := misps(t, pusherKey, "POST", h.URL+"/events/add/metadata:1", string(raw(t, infoblox))); status != 403 {
			t.Errorf("nothing is taken: %d", status)
		}
	})
}
