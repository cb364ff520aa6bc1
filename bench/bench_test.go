package bench_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"log/slog"
	"testing"

	"detente/bench"
	"detente/form"
	"detente/regimes"
)

var flood = flag.Int("flood", 300, "statements for throughput and load")

// The figures of a short run mean nothing; that every one of them is there does.
func TestEveryFigureHasItsFloor(t *testing.T) {
	var all []*form.Regime
	for _, f := range []fs.FS{regimes.Communications(), regimes.Link(), regimes.Public()} {
		r, err := form.Load(f, regimes.Link())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	singles := 300
	if *flood < 1000 {
		singles = 5
	}
	r, err := bench.Run(t.Context(), bench.Config{Dir: t.TempDir(), Singles: singles, Flashes: singles, Flood: *flood, Regimes: all, Say: t.Logf, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(r, "", "  ")
	t.Logf("%s", b)
	for name, f := range map[string]bench.Figure{
		"single": r.Single, "throughput": r.Throughput, "flash_under_load": r.FlashUnderLoad, "audit": r.Audit, "bytes": r.Bytes, "memory": r.Memory,
	} {
		if f.Value <= 0 || f.Floor <= 0 || f.Ratio <= 0 || f.Unit == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
