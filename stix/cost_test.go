//go:build !race

// Under the race detector pools forget at random, so that what is allocated says nothing.

package stix_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"detente/stix"
)

// An object that is made to be dear costs work in proportion to its size. Memory allocated stands for the work, since time depends on the machine.
func TestWorkIsInProportionToSize(t *testing.T) {
	v := newValidator(t)
	start := func(kind string) string {
		return `{"type":"` + kind + `","spec_version":"2.1","id":"` + kind + `--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-08-23T00:00:00.000Z","modified":"2026-08-24T00:00:00.000Z",`
	}
	many := func(f string, n int) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			if strings.Contains(f, "%d") {
				fmt.Fprintf(&b, f, i)
			} else {
				b.WriteString(f)
			}
		}
		return b.String()
	}
	for name, s := range map[string]string{
		"observed bad":      start("observed-data") + `"objects":{` + many(`"%d":{"type":"file","id":"x"}`, 1000) + `}}`,
		"observed custom":   start("observed-data") + `"objects":{` + many(`"%d":{"type":"x-a"}`, 1000) + `}}`,
		"observed file ok":  start("observed-data") + `"first_observed":"2026-08-23T00:00:00Z","last_observed":"2026-08-23T00:00:00Z","number_observed":1,"objects":{` + many(`"%d":{"type":"file","id":"file--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","name":"a"}`, 1000) + `}}`,
		"report refs bad":   start("report") + `"object_refs":[` + many(`"a"`, 5000) + `]}`,
		"report refs ok":    start("report") + `"name":"a","published":"2026-08-23T00:00:00Z","object_refs":[` + many(`"file--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"`, 5000) + `]}`,
		"custom properties": start("report") + many(`"x%d":null`, 5000) + `}`,
		"long strings":      start("ipv6-addr") + `"value":"` + strings.Repeat("a:", 380<<10) + `"}`,
		"long base64":       start("artifact") + `"payload_bin":"` + strings.Repeat("aaaa", 190<<10) + `"}`,
		"cpe":               start("software") + `"name":"a","cpe":"cpe:2.3:a:` + strings.Repeat(`\\?a`, 100<<10) + `"}`,
		"granular":          start("report") + `"granular_markings":[{"selectors":[` + many(`"name"`, 5000) + `],"marking_ref":"x"}]}`,
		"granular deep":     start("report") + `"granular_markings":[{"selectors":["` + strings.Repeat("a.", 380<<10) + `"],"marking_ref":"x"}]}`,
		"marking":           start("marking-definition") + many(`"x%d":null`, 5000) + `}`,
		"process":           start("process") + `"environment_variables":{` + many(`"x%d":5`, 3000) + `},"extensions":{` + many(`"x%d-ext":{"a":[]}`, 5000) + `}}`,
		"pattern":           start("indicator") + `"pattern_type":"stix","pattern":"[a:b IN (` + many(`'x%d'`, 9999) + `)]","valid_from":"2026-08-23T00:00:00Z"}`,
		"email":             start("email-message") + `"is_multipart":true,"body_multipart":[` + many(`{"a":[]}`, 3000) + `]}`,
		"x509":              start("x509-certificate") + `"hashes":{` + many(`"h%d":5`, 5000) + `}}`,
		"network":           start("network-traffic") + `"extensions":{"http-request-ext":{"request_header":{` + many(`"h%d":5`, 5000) + `}}}}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := v.Read([]byte(s))
		runtime.ReadMemStats(&after)
		if ratio := (after.TotalAlloc - before.TotalAlloc) / uint64(len(s)); ratio > 600 || err != nil && len(stix.FaultsOf(err)) > 40 {
			t.Errorf("%s: %d bytes allocated for each of %d; %d faults", name, ratio, len(s), len(stix.FaultsOf(err)))
		}
	}
}
