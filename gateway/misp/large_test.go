//go:build !race

package misp_test

import (
	"fmt"
	"strings"
	"testing"

	"detente/gateway/misp"
	"detente/label"
)

// Real feeds have events of tens of thousands of values. No object may be as large, so the report of one is several; the event comes back whole.
func TestLargeEvent(t *testing.T) {
	const n = 30_000
	var b strings.Builder
	b.WriteString(`{"Event":{"uuid":"` + infoblox + `","timestamp":"1722272240","info":"x","Tag":[{"name":"tlp:green"}],"Attribute":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"uuid":"24e799ca-aad8-4244-8005-%012d","type":"domain","category":"Network activity","value":"h%d.example","to_ids":true,"timestamp":"1722272240"}`, i, i)
	}
	b.WriteString("]}}")
	e, err := misp.Read([]byte(b.String()))
	must(t, err)
	in := imported(t, e)
	v, reports := validator(t), 0
	for _, o := range in.Objects {
		if o.Type == "report" {
			reports++
			must(t, v.Validate(o))
		}
	}
	got, left, err := misp.NewEvent(in.Objects, misp.Out{Path: ours(label.Real)})
	must(t, err)
	if reports != 3 || in.Report != "report--"+infoblox || got.UUID != infoblox || len(got.Attributes) != n || left != nil {
		t.Errorf("%d reports, %s, %s, %d attributes, %d left", reports, in.Report, got.UUID, len(got.Attributes), len(left))
	}
}
