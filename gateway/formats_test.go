package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/casework"
	"detente/form"
	"detente/gateway"
	"detente/gateway/flat"
	"detente/gateway/misp"
	"detente/gateway/taxii"
	"detente/incident"
	"detente/label"
	"detente/node"
	"detente/statement"
	"detente/traffic"
)

// A file is recognised by what is in it; what a tool could have posted goes the way of what tools post.
func TestFilesOfOtherFormats(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		ctx := t.Context()
		out, in := xn.collection("cert to members"), xn.collection("cert from xs")
		test := xn.collection("cert to members TEST")
		read := func(path ...string) []byte {
			t.Helper()
			b, err := os.ReadFile(filepath.Join(path...))
			must(t, err)
			return b
		}
		event := read("misp", "testdata", "24e799ca-aad8-4244-8005-90b3ceb44540.json")
		for _, c := range []struct {
			name   string
			data   []byte
			format string
		}{
			{"event.json", event, "MISP"},
			{"bundle.json", []byte(`{"type":"bundle","id":"bundle--1b1a1e51-1a4f-4b7e-9a8e-1a4f4b7e9a8e","objects":[` + indicator(1, 1, green, "") + `]}`), "STIX"},
			{"events.json", read("flat", "testdata", "events.json"), "IntelMQ"},
			{"2026-11-23-scan_mysql-xn-geo.csv", read("flat", "testdata", "2026-11-23-scan_mysql-xn-geo.csv"), "Shadowserver"},
			{"playbook.json", []byte(`{"type":"playbook","spec_version":"cacao-2.0","id":"playbook--1","name":"<script>"}`), "CACAO"},
			{"command.json", []byte(`{"action":"deny","target":{"ipv4_net":"192.0.2.1"}}`), "OpenC2"},
		} {
			got, err := xn.Import(ctx, "terminal", &out, gateway.File{Name: c.name, Data: c.data, TLP: label.TLPGreen})
			if err != nil || got.Format != c.format || got.Objects == 0 {
				t.Errorf("%s: %+v, %v", c.name, got, err)
			}
			again, err := xn.Import(ctx, "terminal", &out, gateway.File{Name: c.name, Data: c.data, TLP: label.TLPGreen})
			if err != nil || again.Objects != 0 || again.Known != got.Objects {
				t.Errorf("%s again: %+v, %v", c.name, again, err)
			}
			if _, err := xn.Import(ctx, "terminal", &in, gateway.File{Name: c.name, Data: c.data}); !errors.Is(err, taxii.ErrReadOnly) {
				t.Errorf("%s into what others fill: %v", c.name, err)
			}
			if _, err := xn.Import(ctx, "terminal", nil, gateway.File{Name: c.name, Data: c.data}); !errors.Is(err, gateway.ErrNeedsCollection) {
				t.Errorf("%s into nothing: %v", c.name, err)
			}
		}
		if _, err := xn.Import(ctx, "terminal", &test, gateway.File{Name: "event.json", Data: event}); !errors.Is(err, label.ErrRefused) {
			t.Errorf("what is real among tests: %v", err)
		}
		for name, data := range map[string]string{"x.bin": "\x00\x01", "x.txt": "hello", "x.xml": `<IODEF-Document/>`} {
			if _, err := xn.Import(ctx, "terminal", &out, gateway.File{Name: name, Data: []byte(data)}); !errors.Is(err, gateway.ErrFormat) {
				t.Errorf("%s: %v", name, err)
			}
		}

		// An advisory is kept as it came, once.
		advisory := gateway.File{Data: read("csaf", "testdata", "icsa-24-046-06.json")}
		for n := range 2 {
			got, err := xn.Import(ctx, "terminal", nil, advisory)
			if err != nil || got.Format != "CSAF" || got.Objects != 1-n || len(got.CVEs) == 0 {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if list, err := xn.Advisories(ctx, nil); err != nil || len(list) != 1 || list[0].ID == "" || len(list[0].CVEs) == 0 {
			t.Errorf("%+v, %v", list, err)
		}
		about := func(text, attached string) *casework.File {
			sum := sha256.Sum256([]byte(attached))
			sent, err := xn.Party.Node.Send(ctx, node.Draft{
				Channel: xn.World.Channels["cert"], Plane: traffic.Real, Precedence: traffic.Routine, Post: "cert", Audience: statement.Everyone, Form: "indicators", Language: "en", Drafter: "node",
				Values: form.Values{"attachments": []form.Blob{{Hash: sum, Size: int64(len(attached)), Name: "x", Type: "application/octet-stream"}}, "count": int64(1), "marking": "tlp-green"},
				Blobs:  [][]byte{[]byte(attached)},
			})
			must(t, err)
			e := &incident.Entry{Item: incident.Item{ID: sent.ID, Values: form.Values{"observation": text}}}
			return &casework.File{Sheets: []casework.Sheet{{Entries: []casework.Entry{{Entry: e}}}}}
		}
		if list, err := xn.Advisories(ctx, about("They came in by cve-2024-22042.", "{}")); err != nil || len(list) != 1 {
			t.Errorf("of a case that names its vulnerability: %+v, %v", list, err)
		}
		if list, err := xn.Advisories(ctx, about("They came in.", `{"type":"vulnerability","name":"CVE-2024-22042"}`)); err != nil || len(list) != 1 {
			t.Errorf("of a case that names it in an attachment: %+v, %v", list, err)
		}
		if list, err := xn.Advisories(ctx, about("They came in by CVE-2024-3400.", "{}")); err != nil || len(list) != 0 {
			t.Errorf("of another case: %+v, %v", list, err)
		}

		// What was shared is written by the other side, in other formats, for whom its labels permit.
		pass(time.Minute)
		from := xs.collection("cert from xn")
		b, left, err := xs.Export(ctx, gateway.Export{Format: gateway.ExportMISP, Collection: &from, Audience: label.Community})
		must(t, err)
		if e, err := misp.Read(b); err != nil || len(e.Attributes) == 0 {
			t.Errorf("%v, %d left", err, len(left))
		}
		b, _, err = xs.Export(ctx, gateway.Export{Format: gateway.ExportIntelMQ, Collection: &from, Audience: label.Community})
		must(t, err)
		events := 0
		must(t, flat.Lines(bytes.NewReader(b), func(_ int, _ flat.Event, err error) error { events++; return err }))
		if events == 0 {
			t.Error("no events")
		}
	})
}

// A MISP comes in by a key, beside TAXII; revoked, it does not. What its label keeps from the key's audience does not exist for it.
func TestMISPsComeInByKeys(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		ctx := t.Context()
		into := xn.collection("cert to members")
		letters, err := xn.AddMISPKey(ctx, gateway.MISPKey{Name: "misp-xn", Audience: label.Community, Plane: traffic.Real, Collection: into.ID})
		must(t, err)
		for _, k := range []struct {
			key  gateway.MISPKey
			want error
		}{
			{gateway.MISPKey{Name: "misp-xn", Audience: label.Community, Plane: traffic.Real}, gateway.ErrKeyThere},
			{gateway.MISPKey{Name: "a b", Audience: label.Community, Plane: traffic.Real}, gateway.ErrKeyName},
			{gateway.MISPKey{Name: "x", Audience: label.Named, Plane: traffic.Real}, gateway.ErrAudience},
			{gateway.MISPKey{Name: "x", Audience: label.Clients, Plane: traffic.Test, Collection: into.ID}, taxii.ErrReadOnly},
		} {
			if _, err := xn.AddMISPKey(ctx, k.key); !errors.Is(err, k.want) {
				t.Errorf("%+v: %v", k.key, err)
			}
		}
		serve := func(m *team) http.Handler {
			return m.Server(taxii.Config{Also: map[string]http.Handler{"/misp/": m.MISPServer().Handler()}})
		}
		ask := func(h http.Handler, key, verb, path, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(verb, path, strings.NewReader(body)).WithContext(ctx)
			r.Header.Set("Authorization", key)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		north := serve(xn)
		if w := ask(north, letters, "GET", "/misp/servers/getVersion", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"perm_sync":true`) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w := ask(north, strings.Repeat("0", 40), "GET", "/misp/servers/getVersion", ""); w.Code != http.StatusForbidden {
			t.Errorf("any key: %d", w.Code)
		}
		if w := ask(north, letters, "GET", "/taxii2/", ""); w.Code != http.StatusUnauthorized {
			t.Errorf("a key is no token: %d", w.Code)
		}
		const uuid = "24e799ca-aad8-4244-8005-90b3ceb44540"
		event, err := os.ReadFile(filepath.Join("misp", "testdata", uuid+".json"))
		must(t, err)
		if w := ask(north, letters, "POST", "/misp/events/add/metadata:1", string(event)); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		xn.posts("cert to members", indicator(1, 1, green, ""))
		pass(time.Minute)
		waiting, err := xn.Pending(ctx, 1000)
		must(t, err)
		var keys []string
		for _, r := range waiting {
			keys = append(keys, r.Key)
		}
		must(t, xn.Approve(ctx, keys, "duty-officer"))
		pass(time.Minute)

		south := serve(xs)
		public, err := xs.AddMISPKey(ctx, gateway.MISPKey{Name: "public", Audience: label.Everybody, Plane: traffic.Real})
		must(t, err)
		peers, err := xs.AddMISPKey(ctx, gateway.MISPKey{Name: "peers", Audience: label.Community, Plane: traffic.Real})
		must(t, err)
		drill, err := xs.AddMISPKey(ctx, gateway.MISPKey{Name: "drill", Audience: label.Community, Plane: traffic.Exercise})
		must(t, err)
		index := func(key string) int {
			var list []json.RawMessage
			w := ask(south, key, "POST", "/misp/events/index", "{}")
			must(t, json.Unmarshal(w.Body.Bytes(), &list))
			return len(list)
		}
		if all, some, none := index(peers), index(public), index(drill); all != 2 || some >= all || none != 0 {
			t.Errorf("peers see %d, the public %d, a drill %d", all, some, none)
		}
		if w := ask(south, peers, "POST", "/misp/events/add/metadata:1", string(event)); w.Code != http.StatusForbidden {
			t.Errorf("pushed by a key that only reads: %d", w.Code)
		}

		// As files for any web server; and a feed that is read gives what was said.
		var events []*misp.Event
		path := label.Path{Audience: label.Community, Plane: label.Real}
		list, err := xs.MISPEvents(ctx, path)
		must(t, err)
		for _, e := range list {
			b, err := xs.MISPEvent(ctx, path, string(e.UUID))
			must(t, err)
			read, err := misp.Read(b)
			must(t, err)
			events = append(events, read)
		}
		files, err := misp.Files(events, path)
		must(t, err)
		dir := t.TempDir()
		must(t, misp.Write(dir, files))
		feed := &misp.Source{URL: "file:///", HTTP: &http.Client{Transport: http.NewFileTransport(http.Dir(dir))}}
		manifest, err := feed.Manifest(ctx)
		if err != nil || len(manifest) != 2 {
			t.Errorf("%v, %v", manifest, err)
		}
		if _, _, err := feed.Event(ctx, uuid); err != nil {
			t.Error(err)
		}

		must(t, xs.RevokeMISPKey(ctx, "peers"))
		if w := ask(south, peers, "POST", "/misp/events/index", "{}"); w.Code != http.StatusForbidden || !errors.Is(xs.RevokeMISPKey(ctx, "peers"), gateway.ErrNoKey) {
			t.Errorf("revoked: %d", w.Code)
		}
		if keys, err := xs.MISPKeys(ctx); err != nil || len(keys) != 2 || slices.ContainsFunc(keys, func(k gateway.MISPKey) bool { return k.Name == "peers" }) {
			t.Errorf("%+v, %v", keys, err)
		}
	})
}
