package label

import "strings"

// Admiralty is a rating by the admiralty code: how reliable the source is (A to F), and how credible the information (1 to 6). F and 6 mean that it
// cannot be judged, which is not the same as bad. Either may be missing.
type Admiralty struct {
	Source      byte // 'A' to 'F', or 0
	Information byte // '1' to '6', or 0
}

// ParseAdmiralty reads "B2", "B", "2", with a space, a dash or a slash between.
func ParseAdmiralty(s string) (Admiralty, bool) {
	var a Admiralty
	for _, c := range []byte(strings.ToUpper(s)) {
		switch {
		case c >= 'A' && c <= 'F' && a.Source == 0 && a.Information == 0:
			a.Source = c
		case c >= '1' && c <= '6' && a.Information == 0:
			a.Information = c
		case c == ' ' || c == '-' || c == '/':
		default:
			return Admiralty{}, false
		}
	}
	return a, a != Admiralty{}
}

// Valid tells whether each part is missing or within its scale, and one is there.
func (a Admiralty) Valid() bool {
	return a != Admiralty{} && (a.Source == 0 || a.Source >= 'A' && a.Source <= 'F') && (a.Information == 0 || a.Information >= '1' && a.Information <= '6')
}

// String is the code, such as "B2".
func (a Admiralty) String() string {
	var b []byte
	for _, c := range []byte{a.Source, a.Information} {
		if c != 0 {
			b = append(b, c)
		}
	}
	return string(b)
}

// Keys are the keys of its words in the phrases: of the source, and of the information; "" for one that is missing.
func (a Admiralty) Keys() (source, information string) {
	if a.Source != 0 {
		source = "admiralty.source." + strings.ToLower(string(a.Source))
	}
	if a.Information != 0 {
		information = "admiralty.information." + string(a.Information)
	}
	return source, information
}
