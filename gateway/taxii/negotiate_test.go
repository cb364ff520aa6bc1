package taxii_test

import (
	"net/http"
	"strings"
	"testing"

	"detente/gateway/taxii"
)

// FuzzHeaders: whatever a stranger sends for Accept and Content-Type is taken or refused, and what is taken does not depend on what stands behind it.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{
		"", "*/*", taxii.MediaType, "application/taxii+json;version=2.0", "application/vnd.oasis.stix+json; q=0, application/*;q=0.1", "application/taxii+json; version=\"2.1\";q=nan",
		strings.Repeat(",", 5000), "application/taxii+json;version=2.1;version=2.0", "a/b;c=\"\\\"", "\x00/\xff",
	} {
		f.Add(s, s, "gzip")
	}
	f.Fuzz(func(t *testing.T, accept, content, encoding string) {
		if taxii.Acceptable([]string{accept}) == nil && strings.TrimSpace(accept) != "" && len(accept) < 2000 && strings.Count(accept, ",") < 60 {
			if err := taxii.Acceptable([]string{accept, "text/plain"}); err != nil {
				t.Errorf("with another range it is refused: %v", err)
			}
		}
		h := http.Header{"Content-Type": {content}, "Content-Encoding": {encoding}}
		if taxii.Sent(h) == nil && !strings.Contains(strings.ToLower(content), "application/taxii+json") {
			t.Errorf("%q is taken for TAXII", content)
		}
	})
}
