package compose

import (
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// SchemaName names a type in the description of the API. Types of a package below package api bear its name before their own: two such packages may each
// have a Status.
func SchemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if base, below := strings.CutPrefix(t.PkgPath(), "detente/api/"); below && t.Name() != "" && !strings.Contains(base, "server") {
		base = path.Base(base)
		return strings.ToUpper(base[:1]) + base[1:] + name
	}
	return name
}
