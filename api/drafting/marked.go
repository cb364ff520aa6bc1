package drafting

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrMarked is returned for what is no marked text.
var ErrMarked = errors.New("drafting: not a marked text of an instrument")

const (
	markedTitle = "# detente instrument, marked text 1"
	maxMarked   = 4 << 20
	maxClauses  = 4096
	maxLangs    = 24
)

// Marked writes a text for editors of plain text: a line "== KIND ID" begins a clause, "[LANGUAGE] " a wording, which goes on until the next of these. A line
// that would look like one of them has a backslash before it. What is open is told in lines that begin with ">", which are not read.
func (t *Text) Marked() string {
	var b strings.Builder
	b.WriteString(markedTitle + "\n")
	for _, x := range [][2]string{{"kind", t.Kind}, {"nature", t.Nature}, {"languages", strings.Join(t.Languages, " ")}, {"prevailing", t.Prevailing}} {
		if x[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", x[0], x[1])
		}
	}
	wordings := func(texts map[string]string) {
		langs := slices.Sorted(maps.Keys(texts))
		slices.SortStableFunc(langs, func(a, b string) int { return at(t.Languages, a) - at(t.Languages, b) })
		for _, lang := range langs {
			lines := strings.Split(texts[lang], "\n")
			for i, line := range lines {
				if i == 0 {
					fmt.Fprintf(&b, "[%s] %s\n", lang, line)
				} else {
					b.WriteString(shielded(line) + "\n")
				}
			}
		}
	}
	if len(t.Title) > 0 {
		b.WriteString("\n== title\n")
		wordings(t.Title)
	}
	if len(t.Names) > 0 {
		b.WriteString("\n== names\n")
		wordings(t.Names)
	}
	for _, c := range t.Clauses {
		fmt.Fprintf(&b, "\n== %s %s\n", c.Kind, c.ID)
		for _, lang := range slices.Sorted(maps.Keys(c.Open)) {
			var line strings.Builder
			for _, p := range c.Open[lang] {
				if len(p.Parties) == 0 {
					line.WriteString(p.Text)
					continue
				}
				var who []string
				for _, q := range p.Parties {
					who = append(who, strings.ToUpper(string(q)))
				}
				fmt.Fprintf(&line, "[%s: %s] ", strings.Join(who, ", "), strings.TrimSpace(p.Text))
			}
			fmt.Fprintf(&b, "> %s: %s\n", lang, strings.ReplaceAll(strings.TrimSpace(line.String()), "\n", " "))
		}
		wordings(c.Texts)
	}
	return b.String()
}

func at(list []string, x string) int {
	if i := slices.Index(list, x); i >= 0 {
		return i
	}
	return len(list)
}

// shielded puts a backslash before a line of a wording that would be read as something else.
func shielded(line string) string {
	if strings.HasPrefix(line, "==") || strings.HasPrefix(line, "[") || strings.HasPrefix(line, ">") || strings.HasPrefix(line, `\`) || line == "" {
		return `\` + line
	}
	return line
}

// ParseMarked reads what Marked writes. Error: ErrMarked with the line.
func ParseMarked(s string) (*Text, error) {
	if len(s) > maxMarked || !utf8.ValidString(s) {
		return nil, fmt.Errorf("%w: over %d bytes, or no UTF-8", ErrMarked, maxMarked)
	}
	t := &Text{}
	var into *map[string]string // where wordings go
	lang := ""                  // of the wording that goes on
	var more []string           // its further lines
	end := func() {
		if len(more) > 0 {
			(*into)[lang] += "\n" + strings.Join(more, "\n")
		}
		lang, more = "", nil
	}
	n := 0
	for line := range strings.SplitSeq(s, "\n") {
		n++
		line = strings.TrimSuffix(line, "\r")
		if n == 1 {
			if line = strings.TrimPrefix(line, "\ufeff"); line != markedTitle {
				return nil, fmt.Errorf("%w: its first line is not %q", ErrMarked, markedTitle)
			}
			continue
		}
		fault := func(what string) (*Text, error) { return nil, fmt.Errorf("%w: line %d: %s", ErrMarked, n, what) }
		switch {
		case strings.HasPrefix(line, "=="):
			words := strings.Fields(strings.TrimPrefix(line, "=="))
			end()
			switch {
			case len(words) == 1 && words[0] == "title" && t.Title == nil:
				into = &t.Title
			case len(words) == 1 && words[0] == "names" && t.Names == nil:
				into = &t.Names
			case (len(words) == 1 || len(words) == 2) && words[0] != "title" && words[0] != "names" && len(t.Clauses) < maxClauses:
				c := Clause{Kind: words[0]}
				if len(words) == 2 {
					c.ID = words[1]
				}
				t.Clauses = append(t.Clauses, c)
				into = &t.Clauses[len(t.Clauses)-1].Texts
			default:
				return fault("a clause is == KIND ID, and title and names stand once")
			}
		case strings.HasPrefix(line, ">"):
			end()
		case strings.HasPrefix(line, "["):
			end()
			tag, text, ok := strings.Cut(line[1:], "]")
			if !ok || into == nil || tag == "" || len(tag) > 35 {
				return fault("a wording is [LANGUAGE] TEXT, in a clause")
			}
			if *into == nil {
				*into = make(map[string]string)
			}
			if _, twice := (*into)[tag]; twice || len(*into) == maxLangs {
				return fault("a wording in " + tag + " is there already, or there are too many")
			}
			lang = tag
			(*into)[lang] = strings.TrimPrefix(text, " ")
		case line == "":
			end() // a wording ends with an empty line; one within it has a backslash
		case lang != "":
			more = append(more, strings.TrimPrefix(line, `\`))
		case into == nil && !strings.HasPrefix(line, "#"):
			key, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			switch key {
			case "kind":
				t.Kind = value
			case "nature":
				t.Nature = value
			case "languages":
				t.Languages = strings.Fields(value)
			case "prevailing":
				t.Prevailing = value
			default:
				return fault(fmt.Sprintf("%.40q is none of kind, nature, languages, prevailing", key))
			}
		case strings.HasPrefix(line, "#"):
		default:
			return fault("it belongs to no wording")
		}
	}
	end()
	if len(t.Languages) > maxLangs {
		return nil, fmt.Errorf("%w: %d languages", ErrMarked, len(t.Languages))
	}
	return t, nil
}
