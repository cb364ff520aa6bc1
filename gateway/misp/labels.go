package misp

import (
	"slices"
	"strconv"
	"strings"
)

// What MISP says and STIX has no member for is kept as labels of the form misp:key="value", as MISP's own converter does.

func labelOf(key string, value Text) string {
	if value == "" {
		return ""
	}
	return "misp:" + key + `="` + strings.ReplaceAll(string(value), `"`, "'") + `"`
}

// keptLabel reads such a label.
func keptLabel(l string) (key string, value Text, ok bool) {
	rest, ok := strings.CutPrefix(l, "misp:")
	if !ok {
		return "", "", false
	}
	key, v, ok := strings.Cut(rest, "=")
	return key, Text(strings.Trim(v, `"`)), ok
}

// tagLabels are the tags of something as labels, but for TLP and PAP, which are markings, and ATT&CK, which are objects.
func tagLabels(m marks) []string {
	m.tlp, m.pap, m.attack = "", "", nil
	var out []string
	for _, t := range writeTags(m) {
		out = append(out, string(t.Name))
	}
	return out
}

// filled leaves out what is empty or stands twice.
func filled(all []string) []string {
	out := slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.Sort(out)
	return slices.Compact(out)
}

func number(n int) Text { return Text(strconv.Itoa(n)) }

func integer(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // fits has held it to digits
	return n
}

func distributionNumber(d Text) (int, bool) {
	n, err := strconv.Atoi(string(d))
	return n, err == nil && n >= ownOrganisation && n <= sharingGroup
}
