package form_test

import (
	"os"
	"testing"

	"detente/form"
)

func load(t testing.TB, dir string) *form.Regime {
	t.Helper()
	r, err := form.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
func TestX(t *testing.T) { load(t, "../regimes/communications"); load(t, "../regimes/link") }
