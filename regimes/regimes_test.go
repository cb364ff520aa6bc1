package regimes_test

import (
	"encoding/json"
	"io/fs"
	"testing"

	"detente/regimes"
)

// Each folder is a regime under its own name, and nothing of it is left out of the program.
func TestFolders(t *testing.T) {
	for name, folder := range map[string]fs.FS{"communications": regimes.Communications(), "dialogue": regimes.Dialogue(), "incidents": regimes.Incidents(), "indicators": regimes.Indicators(), "instruments": regimes.Instruments(), "internal": regimes.Internal(), "link": regimes.Link(), "public": regimes.Public()} {
		b, err := fs.ReadFile(folder, "regime.json")
		if err != nil {
			t.Fatal(err)
		}
		var regime struct {
			ID        string
			Languages []string
		}
		if err := json.Unmarshal(b, &regime); err != nil || regime.ID != name {
			t.Errorf("%s: id %q, %v", name, regime.ID, err)
		}
		for _, lang := range regime.Languages {
			if _, err := fs.Stat(folder, "phrases/"+lang+".json"); err != nil {
				t.Error(err)
			}
		}
	}
}
