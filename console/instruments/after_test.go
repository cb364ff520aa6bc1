package instruments

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"detente/api/drafting"
	"detente/console/cases"

	"github.com/google/go-cmp/cmp"
)

// What an officer writes in the form of a step is what the node is asked, and a time that nobody can read is asked of nobody.
func TestStepsAfterSignature(t *testing.T) {
	x := &drafting.File{Draft: drafting.Draft{Languages: []string{"en", "ru"}}}
	for name, test := range map[string]struct {
		given url.Values
		want  drafting.Step
	}{
		"a correction in one language leaves the other to the node": {
			url.Values{"step": {"correct"}, "provision": {"a1"}, "t.ru": {"в течение 24 часов "}, "words": {"Two figures changed places."}},
			drafting.Step{Step: "correct", Provision: "a1", Texts: map[string]string{"ru": "в течение 24 часов"}, Words: "Two figures changed places."},
		},
		"two provisions from a day on": {
			url.Values{"step": {"suspend"}, "in": {"a1", "a2"}, "moment": {" 010900z jan 27"}, "words": {"No officer is on duty."}},
			drafting.Step{Step: "suspend", Provisions: []string{"a1", "a2"}, At: time.Date(2027, 1, 1, 9, 0, 0, 0, time.UTC), Words: "No officer is on duty."},
		},
		"a notice that takes effect as soon as it may": {url.Values{"step": {"terminate"}, "moment": {" "}}, drafting.Step{Step: "terminate"}},
	} {
		got, err := step(x, test.given, drafting.Voice{})
		if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	_, err := step(x, url.Values{"step": {"extend"}, "moment": {"next year"}}, drafting.Voice{})
	if p, ok := cases.Problem(err); !ok || p.Status != http.StatusUnprocessableEntity || p.Fields[0] != "next year" {
		t.Error(err)
	}
}
