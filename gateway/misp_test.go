package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/gateway/misp"
	"detente/label"
	"detente/traffic"
)

// From the MISP of one CERT to that of the other: pushed to the own node, stated, pulled from the other's.
func TestAnEventFromMISPToMISP(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		const letters = "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK"
		key, err := misp.NewKey("misp", letters, label.Path{Audience: label.Organisation, Plane: label.Real}, true)
		must(t, err)
		ask := func(m *team, into, verb, path, body string) *httptest.ResponseRecorder {
			shelf := m.MISP(traffic.Real, into, misp.Org{Name: "CERT", UUID: "5f1c8a30-6a1e-4f0e-9a55-0d4f7e2f9b11"})
			server := &misp.Server{Keys: []misp.Key{key}, List: shelf.List, Event: shelf.Event, Take: shelf.Take}
			r := httptest.NewRequest(verb, path, strings.NewReader(body)).WithContext(t.Context())
			r.Header.Set("Authorization", letters)
			w := httptest.NewRecorder()
			server.Handler().ServeHTTP(w, r)
			return w
		}
		const uuid = "24e799ca-aad8-4244-8005-90b3ceb44540"
		event, err := os.ReadFile(filepath.Join("misp", "testdata", uuid+".json"))
		must(t, err)
		into := xn.collection("cert to members").ID
		if w := ask(xn, into, "POST", "/events/add/metadata:1", string(event)); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		pass(time.Minute)
		w := ask(xs, "", "GET", "/events/view/"+uuid, "")
		got, err := misp.Read(w.Body.Bytes())
		must(t, err)
		sent, err := misp.Read(event)
		must(t, err)
		if len(got.Attributes) != len(sent.Attributes) || got.Attributes[0].Value != sent.Attributes[0].Value || got.Info != sent.Info || got.Orgc.UUID != sent.Orgc.UUID {
			t.Errorf("%s", w.Body)
		}

		// Nothing is pushed into a collection that others fill.
		if w := ask(xn, xs.collection("cert from xn").ID, "POST", "/events/add/metadata:1", string(event)); w.Code == http.StatusOK {
			t.Errorf("into what others fill: %s", w.Body)
		}
	})
}
