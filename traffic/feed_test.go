package traffic_test

import (
	"errors"
	"strings"
	"testing"

	"detente/traffic"
)

func TestFeedHasOneOrigin(t *testing.T) {
	f := traffic.Feed{Channel: [32]byte{0xab}, Party: "xn", Plane: traffic.Real, Precedence: traffic.Flash, Epoch: 12}
	want := "detente.v1/ab" + strings.Repeat("0", 62) + "/xn/real/Z/12"
	if got := f.Origin(); got != want {
		t.Fatalf("origin %q, want %q", got, want)
	}
	back, err := traffic.ParseOrigin(want)
	if err != nil || back != f {
		t.Fatalf("parsed %v, %v; want %v", back, err, f)
	}
	for _, other := range []string{
		"", "detente.v2" + want[10:], strings.ToUpper(want), strings.Replace(want, "ab0", "AB0", 1), want + "/", want + "0000000000",
		strings.Replace(want, "/12", "/012", 1), strings.Replace(want, "/12", "/+12", 1), strings.Replace(want, "/12", "/-1", 1),
		strings.Replace(want, "/12", "/", 1), strings.Replace(want, "/Z/", "/X/", 1), strings.Replace(want, "/real/", "/live/", 1),
		strings.Replace(want, "/xn/", "/x/", 1), strings.Replace(want, "ab0", "a", 1), strings.Replace(want, "ab0", "zz0", 1),
	} {
		if f, err := traffic.ParseOrigin(other); !errors.Is(err, traffic.ErrName) {
			t.Errorf("%q parsed as %v, %v", other, f, err)
		}
	}
}

func FuzzParseOrigin(f *testing.F) {
	f.Add(traffic.Feed{Party: "xn", Plane: traffic.Test, Precedence: traffic.Routine}.Origin())
	f.Fuzz(func(t *testing.T, s string) {
		if feed, err := traffic.ParseOrigin(s); err == nil && feed.Origin() != s {
			t.Fatalf("%q and %q are one feed", s, feed.Origin())
		}
	})
}
