package label

import (
	"slices"
	"strings"
)

// PAP is a label of the Permissible Actions Protocol: what a recipient may do with what it was told. The empty one says nothing, and forbids nothing.
type PAP string

// The labels, the narrowest first.
const (
	PAPRed   PAP = "RED"
	PAPAmber PAP = "AMBER"
	PAPGreen PAP = "GREEN"
	PAPClear PAP = "CLEAR"
)

// PAPExtension is the extension of STIX by which a marking-definition carries a PAP label.
const PAPExtension = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"

// Action is something that a recipient does with an indicator, by how much of it can be seen from outside.
type Action int

// The actions, the least visible first.
const (
	Passive Action = iota // looking into own logs: nobody outside can notice
	Lookup                // asking a third party, such as a registry, that could tell
	Active                // reaching the target, blocking it, luring it
	Publish               // whatever one likes
)

// PAPs returns the labels, the narrowest first.
func PAPs() []PAP { return []PAP{PAPRed, PAPAmber, PAPGreen, PAPClear} }

// ParsePAP reads a label with or without "PAP:", in any case; the older WHITE is CLEAR.
func ParsePAP(s string) (PAP, bool) {
	s = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "PAP:")
	if s == "WHITE" {
		return PAPClear, true
	}
	p := PAP(s)
	return p, p.Valid()
}

// Valid tells whether p is one of the four labels.
func (p PAP) Valid() bool { return slices.Contains(PAPs(), p) }

// String is the label as it is written, such as "PAP:AMBER"; "" if there is none.
func (p PAP) String() string {
	if p == "" {
		return ""
	}
	return "PAP:" + string(p)
}

// Narrower returns the narrower of two labels. None gives way to the other.
func (p PAP) Narrower(o PAP) PAP {
	switch {
	case p == "":
		return o
	case o == "" || slices.Index(PAPs(), p) <= slices.Index(PAPs(), o):
		return p
	}
	return o
}

// Widens tells whether to put the label to in place of p would permit more. To take a label off widens.
func (p PAP) Widens(to PAP) bool {
	return p.Valid() && (!to.Valid() || slices.Index(PAPs(), to) > slices.Index(PAPs(), p))
}

// Permits tells whether the label permits an action. Without a label it is for the recipient to judge; a label that is unknown permits only what
// nobody can notice.
func (p PAP) Permits(a Action) bool { return p == "" || a <= Action(max(0, slices.Index(PAPs(), p))) }

// MarkingID is the id of the marking-definition of STIX that stands for the label; "" if there is none.
func (p PAP) MarkingID() string {
	for _, m := range papMarkings() {
		if m.pap == p {
			return m.id
		}
	}
	return ""
}

// PAPOfMarking returns the label that a marking-definition of STIX stands for.
func PAPOfMarking(id string) (PAP, bool) {
	for _, m := range papMarkings() {
		if m.id == id {
			return m.pap, true
		}
	}
	return "", false
}

type papMarking struct {
	pap PAP
	id  string
}

// papMarkings are those of the OASIS extension. The last is the older white.
func papMarkings() [5]papMarking {
	return [...]papMarking{
		{PAPRed, "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e"},
		{PAPAmber, "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab"},
		{PAPGreen, "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9"},
		{PAPClear, "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92"},
		{PAPClear, "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730"},
	}
}
