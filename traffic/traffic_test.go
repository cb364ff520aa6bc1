package traffic_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"detente/traffic"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 32)
	for _, s := range []string{"xn", "x-1", "00", "--", long} {
		if !traffic.Party(s).Valid() || !traffic.Post(s).Valid() {
			t.Errorf("%q is no name", s)
		}
	}
	for _, s := range []string{"", "Xn", "x n", "x/n", "xn\n", "хн", "x_n", long + "x"} {
		if traffic.Party(s).Valid() || traffic.Post(s).Valid() {
			t.Errorf("%q is a name", s)
		}
	}
	if traffic.Party("x").Valid() || !traffic.Post("x").Valid() {
		t.Error("one letter names a post and no party")
	}
}

func TestAddresses(t *testing.T) {
	for s, want := range map[string]traffic.Address{"xn": {Party: "xn"}, "xn/nrrc": {Party: "xn", Post: "nrrc"}} {
		if got, err := traffic.ParseAddress(s); err != nil || got != want || got.String() != s {
			t.Errorf("%q is %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "/", "xn/", "/nrrc", "x", "xn/nrrc/1", "xn/NRRC", " xn", "*", "xn//nrrc"} {
		if got, err := traffic.ParseAddress(s); !errors.Is(err, traffic.ErrName) {
			t.Errorf("%q is %v, %v", s, got, err)
		}
	}
}

// FLASH before IMMEDIATE before PRIORITY before ROUTINE, by prosign and by word.
func TestPrecedences(t *testing.T) {
	all := traffic.Precedences()
	if !slices.IsSortedFunc(all, func(a, b traffic.Precedence) int { return b.Rank() - a.Rank() }) || all[0] != traffic.Flash {
		t.Errorf("%v is not highest first", all)
	}
	for i, p := range all {
		for _, s := range []string{string(p), p.String(), strings.ToLower(p.String())} {
			if got, err := traffic.ParsePrecedence(s); err != nil || got != p || got.Rank() != 3-i {
				t.Errorf("%q is %v of rank %d, %v", s, got, got.Rank(), err)
			}
		}
	}
	for _, s := range []string{"", "X", "ZZ", "RP", "FLASHY"} {
		if p := traffic.Precedence(s); p.Valid() || p.Rank() != -1 || !strings.Contains(p.String(), s) {
			t.Errorf("%q is valid, %d, %v", s, p.Rank(), p)
		}
		if got, err := traffic.ParsePrecedence(s); !errors.Is(err, traffic.ErrName) {
			t.Errorf("%q is %v, %v", s, got, err)
		}
	}
}

func TestPlanes(t *testing.T) {
	for _, p := range traffic.Planes() {
		if !p.Valid() {
			t.Errorf("%q is no plane", p)
		}
	}
	for _, p := range []traffic.Plane{"", "REAL", "drill"} {
		if p.Valid() {
			t.Errorf("%q is a plane", p)
		}
	}
}
