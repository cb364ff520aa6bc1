// Package label has the labels that CERTs put on what they share: TLP 2.0, PAP, the RSIT classes, the admiralty code, and real, exercise or test.
// It must never let a label be widened: whatever leaves the party asks here first, and an unmarked thing has not been released.
package label

import (
	"slices"
	"strings"
)

// TLP is a label of the Traffic Light Protocol 2.0 (FIRST, August 2022): with whom a recipient may share. The empty one means unmarked.
type TLP string

// The labels, the narrowest first.
const (
	TLPRed         TLP = "RED"
	TLPAmberStrict TLP = "AMBER+STRICT"
	TLPAmber       TLP = "AMBER"
	TLPGreen       TLP = "GREEN"
	TLPClear       TLP = "CLEAR"
	Unmarked       TLP = ""
)

// TLPs returns the labels, the narrowest first.
func TLPs() []TLP { return []TLP{TLPRed, TLPAmberStrict, TLPAmber, TLPGreen, TLPClear} }

// ParseTLP reads a label as people, mail subjects and MISP tags write it: with or without "TLP:", in any case; WHITE of version 1 is CLEAR.
func ParseTLP(s string) (TLP, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "TLP:"), "TLP-")
	switch s {
	case "WHITE":
		return TLPClear, true
	case "AMBER-STRICT", "AMBER_STRICT", "AMBER STRICT":
		return TLPAmberStrict, true
	}
	t := TLP(s)
	return t, t.Valid()
}

// Valid tells whether t is one of the five labels.
func (t TLP) Valid() bool { return slices.Contains(TLPs(), t) }

// String is the label as FIRST writes it, such as "TLP:AMBER+STRICT"; "" if unmarked.
func (t TLP) String() string {
	if t == Unmarked {
		return ""
	}
	return "TLP:" + string(t)
}

// rank orders the labels, the narrowest first. What is unmarked or unknown ranks before all: nobody has said that it may go anywhere.
func (t TLP) rank() int { return slices.Index(TLPs(), t) }

// Narrower returns the narrower of two labels. An unmarked one gives way to the other.
func (t TLP) Narrower(o TLP) TLP {
	switch {
	case t == Unmarked:
		return o
	case o == Unmarked || t.rank() <= o.rank():
		return t
	}
	return o
}

// Widens tells whether to put the label to in place of t would let more people see it. To take a label off widens.
func (t TLP) Widens(to TLP) bool {
	return t.Valid() && to.rank() > t.rank() || t != Unmarked && !to.Valid()
}

// Or returns t, and def if unmarked.
func (t TLP) Or(def TLP) TLP {
	if t == Unmarked {
		return def
	}
	return t
}

// Audience returns the widest class of recipients that the label permits; Nobody if unmarked.
func (t TLP) Audience() Audience { return Audience(t.rank() + 1) }

// MarkingID is the id of the marking-definition of STIX that stands for the label; "" if unmarked.
func (t TLP) MarkingID() string {
	for _, m := range tlpMarkings() {
		if m.tlp == t && m.version == 2 {
			return m.id
		}
	}
	return ""
}

// TLPOfMarking returns the label that a marking-definition of STIX stands for, of TLP 2.0 or of TLP 1.0.
func TLPOfMarking(id string) (TLP, bool) {
	for _, m := range tlpMarkings() {
		if m.id == id {
			return m.tlp, true
		}
	}
	return Unmarked, false
}

type tlpMarking struct {
	tlp     TLP
	version int
	id      string
}

func tlpMarkings() [9]tlpMarking {
	return [...]tlpMarking{
		{TLPRed, 2, "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"},
		{TLPAmberStrict, 2, "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"},
		{TLPAmber, 2, "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"},
		{TLPGreen, 2, "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"},
		{TLPClear, 2, "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"},
		{TLPRed, 1, "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"},
		{TLPAmber, 1, "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"},
		{TLPGreen, 1, "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"},
		{TLPClear, 1, "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"},
	}
}
