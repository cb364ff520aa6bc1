package misp

import (
	"strconv"
	"strings"

	"detente/label"
)

// The distributions of MISP, and how far they reach.
const (
	ownOrganisation = 0
	thisCommunity   = 1
	connected       = 2
	allCommunities  = 3
	sharingGroup    = 4
	inherit         = 5 // of an attribute: that of its event
)

// marks are what the tags of something say.
type marks struct {
	tlp       label.TLP
	pap       label.PAP
	rsit      label.Classification
	admiralty label.Admiralty
	plane     label.Plane // Real unless a tag says otherwise
	attack    []technique // techniques of ATT&CK
	rest      []string    // tags that none of these is
}

// technique is one of ATT&CK.
type technique struct{ id, name string }

// readTags sorts tags. Of several labels the narrowest counts; one that looks like TLP or PAP and is not known keeps everything in.
func readTags(tags []Tag) marks {
	m := marks{plane: label.Real}
	for _, t := range tags {
		m.read(string(t.Name))
	}
	return m
}

func (m *marks) read(tag string) {
	low := strings.ToLower(strings.TrimSpace(tag))
	switch {
	case strings.HasPrefix(low, "tlp:ex:"): // says who must not be named, beside a label
		m.rest = append(m.rest, tag)
	case strings.HasPrefix(low, "tlp:"):
		t, ok := label.ParseTLP(low)
		if !ok {
			t = label.TLPRed
		}
		m.tlp = m.tlp.Narrower(t)
	case strings.HasPrefix(low, "pap:"):
		p, ok := label.ParsePAP(low)
		if !ok {
			p = label.PAPRed
		}
		m.pap = m.pap.Narrower(p)
	case strings.HasPrefix(low, "rsit:"):
		if c, ok := label.ParseClassification(low); ok {
			m.rsit = c
			if c.IsTest() && m.plane == label.Real {
				m.plane = label.Test
			}
			return
		}
		m.rest = append(m.rest, tag)
	case strings.HasPrefix(low, "exercise:"):
		m.plane = label.Exercise
		m.rest = append(m.rest, tag)
	case strings.HasPrefix(low, "admiralty-scale:"):
		if !m.admiral(low) {
			m.rest = append(m.rest, tag)
		}
	case strings.HasPrefix(low, "misp-galaxy:mitre-") && strings.Contains(low, `attack-pattern="`):
		if t, ok := techniqueOf(tag); ok {
			m.attack = append(m.attack, t)
			return
		}
		m.rest = append(m.rest, tag)
	default:
		m.rest = append(m.rest, tag)
	}
}

func (m *marks) admiral(low string) bool {
	_, value, _ := strings.Cut(low, "=")
	a, ok := label.ParseAdmiralty(strings.Trim(value, `"`))
	switch {
	case !ok:
		return false
	case strings.Contains(low, "source-reliability"):
		m.admiralty.Source = a.Source
		return a.Source != 0
	}
	m.admiralty.Information = a.Information
	return a.Information != 0
}

// techniqueOf reads `misp-galaxy:mitre-attack-pattern="Brute Force - T1110"`.
func techniqueOf(tag string) (technique, bool) {
	_, value, _ := strings.Cut(tag, "=")
	value = strings.Trim(value, `"`)
	i := strings.LastIndex(value, " - ")
	if i < 0 || !isTechnique(value[i+3:]) {
		return technique{}, false
	}
	return technique{id: value[i+3:], name: value[:i]}, true
}

// isTechnique tells whether s is T1110 or T1110.001.
func isTechnique(s string) bool {
	main, sub, has := strings.Cut(s, ".")
	return len(main) == 5 && main[0] == 'T' && strings.Trim(main[1:], "0123456789") == "" && (!has || len(sub) == 3 && strings.Trim(sub, "0123456789") == "")
}

// writeTags are the tags for labels: the reverse of readTags.
func writeTags(m marks) []Tag {
	var tags []Tag
	add := func(name string) { tags = append(tags, Tag{Name: Text(name)}) }
	if m.tlp != label.Unmarked {
		tags = append(tags, Tag{Name: Text(strings.ToLower(m.tlp.String())), Colour: colour(m.tlp)})
	}
	if m.pap != "" {
		add(m.pap.String())
	}
	switch {
	case m.rsit.Class != "":
		add(m.rsit.Tag())
	case m.plane == label.Test:
		add(`rsit:test="test"`)
	}
	if a := m.admiralty; a.Source != 0 {
		add(`admiralty-scale:source-reliability="` + strings.ToLower(string(a.Source)) + `"`)
	}
	if a := m.admiralty; a.Information != 0 {
		add(`admiralty-scale:information-credibility="` + string(a.Information) + `"`)
	}
	exercise := false
	for _, r := range m.rest {
		exercise = exercise || strings.HasPrefix(strings.ToLower(r), "exercise:")
	}
	if m.plane == label.Exercise && !exercise {
		add(`exercise:generic="comcheck"`)
	}
	for _, t := range m.attack {
		add(`misp-galaxy:mitre-attack-pattern="` + t.name + " - " + t.id + `"`)
	}
	for _, r := range m.rest {
		add(r)
	}
	return tags
}

// colour is that of FIRST, which MISP shows.
func colour(t label.TLP) Text {
	switch t {
	case label.TLPRed:
		return "#FF2B2B"
	case label.TLPAmber, label.TLPAmberStrict:
		return "#FFC000"
	case label.TLPGreen:
		return "#33FF00"
	}
	return "#FFFFFF"
}

// tlpOf gives the label that a distribution implies, for events without one: what is on its way to everybody on MISP is still not public.
func tlpOf(distribution Text) (label.TLP, bool) {
	n, err := strconv.Atoi(string(distribution))
	if err != nil {
		return label.Unmarked, false
	}
	switch n {
	case ownOrganisation:
		return label.TLPAmberStrict, true
	case thisCommunity, sharingGroup:
		return label.TLPAmber, true
	case connected, allCommunities:
		return label.TLPGreen, true
	}
	return label.Unmarked, false
}

// distributionOf gives the distribution that a label permits. RED has none: it goes by no feed.
func distributionOf(t label.TLP, group bool) int {
	switch t {
	case label.TLPClear:
		return allCommunities
	case label.TLPGreen:
		return connected
	case label.TLPAmber:
		if group {
			return sharingGroup
		}
	}
	return ownOrganisation
}

// lower gives the distribution after one hop.
func lower(distribution int) int {
	switch distribution {
	case connected:
		return thisCommunity
	case thisCommunity:
		return ownOrganisation
	}
	return distribution
}

// narrower gives the narrower of two distributions. A sharing group is narrower than a community.
func narrower(a, b int) int {
	order := func(d int) int {
		switch d {
		case ownOrganisation:
			return 0
		case sharingGroup:
			return 1
		}
		return d + 1
	}
	if order(a) <= order(b) {
		return a
	}
	return b
}
