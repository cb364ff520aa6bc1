package ledger_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"testing/fstest"

	"detente/form"
	"detente/ledger"
	"detente/regimes"
	"detente/traffic"
)

// consenting is the regime of communications, with the two forms by which figures are published.
func consenting(t *testing.T) *form.Regime {
	t.Helper()
	folder := fstest.MapFS{
		"regime.json": {Data: []byte(`{"id": "consent", "version": 1, "includes": ["communications/1"], "languages": ["ar", "en", "es", "fr", "ru", "zh"],
			"time_limits": {"publication": {"Z": "720h", "O": "720h", "P": "720h", "R": "720h"}}, "forms": [
				{"id": "publication", "version": 1, "ceiling": "R", "refs": "any", "must_answer": "publication", "answers_with": ["publication-answer"], "fields": [
					{"name": "period", "kind": "window", "always": true}, {"name": "figures", "kind": "bytes", "always": true, "min": 32, "max": 32}]},
				{"id": "publication-answer", "version": 1, "ceiling": "R", "refs": "one", "fields": [
					{"name": "decision", "kind": "code", "always": true, "codes": ["consented", "declined"]},
					{"name": "figures", "kind": "bytes", "required": true, "min": 32, "max": 32, "when": {"field": "decision", "codes": ["consented"]}}]}
			]}`)},
	}
	for lang, direction := range map[string]string{"ar": "rtl", "en": "ltr", "es": "ltr", "fr": "ltr", "ru": "ltr", "zh": "ltr"} {
		folder["phrases/"+lang+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil, `{"language": %q, "direction": %q, "phrases": {
			"publication": "Publication", "publication.period": "Period", "publication.figures": "Figures", "publication-answer": "Answer",
			"publication-answer.decision": "Decision", "publication-answer.decision.consented": "Consented", "publication-answer.decision.declined": "Declined",
			"publication-answer.figures": "Figures"}}`, lang, direction)}
	}
	r, err := form.Load(folder, regimes.Communications())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFiguresArePublishedWhenAllHaveSignedForThem(t *testing.T) {
	d := month(t)
	a := ledger.Draw(channel, traffic.Real, ledger.Month(november), d.states(nil), d.regime)
	digest := a.Digest()
	other := digest
	other[0]++
	proposal := func(figures [32]byte) string {
		return fmt.Sprintf(`{"period": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}, "figures": %q}`, hex.EncodeToString(figures[:]))
	}
	consent := func(figures [32]byte) string {
		return fmt.Sprintf(`{"decision": "consented", "figures": %q}`, hex.EncodeToString(figures[:]))
	}
	for _, c := range []struct {
		name    string
		members []traffic.Party
		say     func(d *desk)
		agreed  bool
	}{
		{"nobody has asked", nil, func(*desk) {}, false},
		{"one side has signed", nil, func(d *desk) { d.says("xn>xs", "p", 800, traffic.Routine, "publication", proposal(digest)) }, false},
		{"both have signed", nil, func(d *desk) {
			d.says("xn>xs", "p", 800, traffic.Routine, "publication", proposal(digest))
			d.says("xs>xn", "c", 801, traffic.Routine, "publication-answer", consent(digest), "p")
		}, true},
		{"both have signed, for different figures", nil, func(d *desk) {
			d.says("xn>xs", "p", 800, traffic.Routine, "publication", proposal(digest))
			d.says("xs>xn", "c", 801, traffic.Routine, "publication-answer", consent(other), "p")
		}, false},
		{"for figures that are not these", nil, func(d *desk) {
			d.says("xn>xs", "p", 800, traffic.Routine, "publication", proposal(other))
			d.says("xs>xn", "c", 801, traffic.Routine, "publication-answer", consent(other), "p")
		}, false},
		{"declined, and the first word counts", nil, func(d *desk) {
			d.says("xn>xs", "p", 800, traffic.Routine, "publication", proposal(digest))
			d.says("xs>xn", "n", 801, traffic.Routine, "publication-answer", `{"decision": "declined"}`, "p")
			d.says("xs>xn", "c", 802, traffic.Routine, "publication-answer", consent(digest), "p")
		}, false},
		{"nobody consents to his own proposal", nil, func(d *desk) {
			d.says("xn>xs", "p", 800, traffic.Routine, "publication", proposal(digest))
			d.says("xn>xs", "c", 801, traffic.Routine, "publication-answer", consent(digest), "p")
		}, false},
		{"a third member has not signed", []traffic.Party{"xn", "xs", "xl"}, func(d *desk) {
			d.says("xn>xs", "p", 800, traffic.Routine, "publication", proposal(digest))
			d.says("xs>xn", "c", 801, traffic.Routine, "publication-answer", consent(digest), "p")
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, consenting(t))
			c.say(d)
			members := c.members
			if members == nil {
				members = []traffic.Party{"xn", "xs"}
			}
			p, agreed := a.Published(d.states(nil), d.regime, members)
			if agreed != c.agreed || agreed && (p.By != "xn" || len(p.For) != 2 || p.Period.From != november) {
				t.Errorf("%v: %+v", agreed, p)
			}
		})
	}
}
