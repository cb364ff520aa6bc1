package demo

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"detente/form"
	"detente/regimes"
)

// drillRegime is the regime of the story's drill: the forms and words of communications/1, under another name and with limits of seconds, so that a
// deadline can be missed while somebody looks on. Its channel pins it by its hash like any other.
const drillRegime = "drill"

// drillLimit is what the watch has to acknowledge a PRIORITY message in the drill, where communications/1 gives it three hours.
const drillLimit = 10 * time.Second

// loadDrill makes the drill's regime out of communications/1.
func loadDrill() (*form.Regime, error) {
	from := regimes.Communications()
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		if name == "regime.json" {
			if b, err = shorten(b); err != nil {
				return err
			}
		}
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write(b)
		}
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("demo: the drill's regime: %w", err)
	}
	files, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		return nil, fmt.Errorf("demo: the drill's regime: %w", err)
	}
	return form.Load(files)
}

// shorten renames a regime and gives its acknowledgements the drill's limit.
func shorten(regime []byte) ([]byte, error) {
	var r map[string]any
	if err := json.Unmarshal(regime, &r); err != nil {
		return nil, err
	}
	r["id"] = drillRegime
	limits, _ := r["time_limits"].(map[string]any)
	acknowledge, ok := limits["acknowledgement"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("communications/1 limits no acknowledgement")
	}
	acknowledge["P"] = drillLimit.String()
	return json.Marshal(r)
}
