package demo

import (
	"testing"

	"detente/traffic"
)

func TestTheDrillDiffersInItsNameAndOneLimit(t *testing.T) {
	r, err := loadDrill()
	if err != nil {
		t.Fatal(err)
	}
	f, ok := r.Latest("notice")
	if r.ID != drillRegime || !ok || f.AcknowledgeWithin(traffic.Priority) != drillLimit || f.AcknowledgeWithin(traffic.Flash).Minutes() != 10 {
		t.Errorf("%s: %v, %v", r.ID, f.AcknowledgeWithin(traffic.Priority), f.AcknowledgeWithin(traffic.Flash))
	}
}
