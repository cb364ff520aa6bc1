package akn

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// lineEnd stands for one while the ends of the file's own lines are still among the words. XML has no such character.
const lineEnd = 0

// line reads the words of a paragraph or heading. Formats are passed over; what changes words, or refers to what is not there, is refused.
func (r *reader) line(n *node) (text string, brackets bool, err error) {
	var b strings.Builder
	exact := r.exact || n.attr("space") == "preserve"
	var walk func(*node) error
	walk = func(n *node) error {
		for _, k := range n.kids {
			switch k.name {
			case "":
				b.WriteString(k.words)
			case "eol", "br":
				b.WriteByte(lineEnd)
			case "span":
				brackets = brackets || k.attr("class") == "bracket"
				if err := walk(k); err != nil {
					return err
				}
			case "b", "i", "u", "sup", "sub", "docTitle", "docType", "docDate", "docNumber", "docPurpose", "ref", "rref", "term", "def", "date", "location", "organization", "person",
				"role", "entity", "concept", "object", "event", "quantity", "num", "inline", "docStage", "docStatus", "docProponent", "p", "formula":
				if err := walk(k); err != nil {
					return err
				}
			default:
				return r.refuse("cannot be read: %.60s in %.60s", k.name, n.name)
			}
			if b.Len() > maxText {
				return r.refuse("more than %d bytes", maxText)
			}
		}
		return nil
	}
	r.path = append(r.path, n.name)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	if err := walk(n); err != nil {
		return "", false, err
	}
	text = norm.NFC.String(spaced(b.String(), exact))
	if !writable(text) {
		return "", false, r.refuse("a character that is none, or that turns the direction of writing by force: %.40q", text)
	}
	return text, brackets, nil
}

// spaced takes out of a text the spaces by which a file was made to look well: those around the ends of its lines, and unless they are exact those that
// are more than one.
func spaced(s string, exact bool) string {
	lines := strings.Split(s, string(rune(lineEnd)))
	for i, line := range lines {
		parts := strings.FieldsFunc(line, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' })
		for j := range parts {
			if len(parts) > 1 {
				parts[j] = strings.Trim(parts[j], " ")
			}
		}
		line = strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
		if !exact {
			for strings.Contains(line, "  ") {
				line = strings.ReplaceAll(line, "  ", " ")
			}
			line = strings.Trim(line, " ")
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
