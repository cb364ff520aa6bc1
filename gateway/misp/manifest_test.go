package misp

import (
	"net/http"
	"strings"
	"testing"

	"errors"

	"detente/gateway/mint"
)

// A key never goes over a network in the clear.
func TestAKeyGoesOverHTTPSAlone(t *testing.T) {
	s := Source{URL: "http://misp.xn.example/feed/", Header: http.Header{"Authorization": {"key"}}}
	if _, err := s.Manifest(t.Context()); !errors.Is(err, ErrFeed) || !strings.Contains(err.Error(), "https alone") {
		t.Error(err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"24e799ca-aad8-4244-8005-90b3ceb44540":{"info":"a","Orgc":{"name":"xn","uuid":""},"timestamp":"1700000000","analysis":"2"}}`))
	f.Add([]byte(`{"x":{}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := readManifest(b)
		if err != nil {
			if !errors.Is(err, ErrFeed) {
				t.Fatal(err)
			}
			return
		}
		for uuid, e := range all {
			if !mint.IsUUID(uuid) || string(e.UUID) != uuid {
				t.Fatalf("%q names %q", uuid, e.UUID)
			}
		}
	})
}
