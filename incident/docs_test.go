package incident_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"detente/form"
	"detente/incident"
	"detente/traffic"
)

var update = flag.Bool("update", false, "write the documents anew")

// The table that the program works by is the one that people read: docs/incidents.md and its pictures are made from it.
func TestDocumentsAreCurrent(t *testing.T) {
	r, table := table(t)
	golden(t, "incidents.md", document(r, table))
	for _, m := range table.Machines {
		golden(t, filepath.Join("pictures", "case-"+m.ID+".svg"), picture(table, m))
	}
	have, err := filepath.Glob(filepath.Join("..", "docs", "pictures", "case-*.svg"))
	if err != nil || len(have) != len(table.Machines) {
		t.Errorf("%d pictures of %d machines, %v", len(have), len(table.Machines), err)
	}
}

func golden(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join("..", "docs", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(have, []byte(want)) {
		t.Errorf("docs/%s is not what the table says (%v): run go test ./incident -update and look at the difference", name, err)
	}
}

func document(r *form.Regime, table *incident.Table) string {
	var b strings.Builder
	say := func(key string) string { return r.Phrases.Phrase(language.English, key) }
	b.WriteString(`# Cases under an agreement on incidents

This page is made from ` + "`regimes/incidents`" + ` by ` + "`go test ./incident -update`" + `; a test holds that it is current. What the words mean is in
[protocol.md](protocol.md#incidents).

A dossier is a case. Each thing asked or announced in it is a *matter*, and stands in a state of the machine for its kind. Whoever opened it is the *asker*, to whom it was
addressed is the *asked*. A statement that finds no row is shown in its place with the reason, and changes nothing. In the pictures a column is a state and a row is a
transition: it leads from the dots to the arrow. Grey columns are states in which the matter has its answer; black ones nothing leaves; a dashed row is silence.

## Deadlines

`)
	b.WriteString("| deadline | owed by | runs from | FLASH | IMMEDIATE | PRIORITY | ROUTINE | |\n|---|---|---|---|---|---|---|---|\n")
	for _, d := range table.Deadlines {
		from, soft := "the statement", ""
		if d.Field != "" {
			from = map[string]string{"from": "the beginning of `", "to": "the end of `"}[d.Edge] + d.Field + "`"
		}
		if d.Soft {
			soft = "proposed, not owed"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |", d.ID, d.By, from)
		for _, p := range traffic.Precedences() {
			limit := time.Duration(0)
			if d.Limit != "" {
				limit = r.Limit(d.Limit, p)
			}
			fmt.Fprintf(&b, " %s |", span(limit))
		}
		fmt.Fprintf(&b, " %s |\n", soft)
	}
	for _, m := range table.Machines {
		fmt.Fprintf(&b, "\n## %s\n\nOpened by `%s`: %s.\n\n![States of %s](pictures/case-%s.svg)\n\n", m.ID, m.Opens, strings.ToLower(say(m.Opens)), m.ID, m.ID)
		b.WriteString("| from | statement | by | to | stops | starts |\n|---|---|---|---|---|---|\n")
		for _, row := range m.Rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", states(row.From), what(row), row.By, target(m, row), quoted(row.Stops, row.Settles), starts(row))
		}
		for _, id := range slices.Sorted(keys(m.Unused)) {
			fmt.Fprintf(&b, "\nOf `%s` it has no use for: %s.\n", id, quoted(m.Unused[id]))
		}
	}
	book, err := incident.LoadCodebook(r)
	if err != nil {
		return err.Error()
	}
	fmt.Fprintf(&b, "\n## Signals, version %d\n\nTo each of them one may also answer: %s.\n\n| signal | appropriate response | |\n|---|---|---|\n", book.Version, responses(say, book.Otherwise))
	for _, s := range book.Signals {
		trial := ""
		if s.Trial {
			trial = "on trial"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", say("signal.signal."+s.Code), responses(say, s.Responses), trial)
	}
	return b.String()
}

func responses(say func(string) string, codes []string) string {
	var out []string
	for _, c := range codes {
		out = append(out, say("signal-answer.response."+c))
	}
	return strings.Join(out, "; ")
}

func keys(m map[string][]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func span(d time.Duration) string {
	switch {
	case d == 0:
		return "at once"
	case d%(24*time.Hour) == 0 && d > 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}

func quoted(lists ...[]string) string {
	var out []string
	for _, s := range slices.Concat(lists...) {
		if s == "*" {
			return "all"
		}
		out = append(out, "`"+s+"`")
	}
	return strings.Join(out, ", ")
}

func states(from []string) string {
	switch {
	case len(from) == 0:
		return "(new)"
	case from[0] == "*":
		return "any other"
	}
	return strings.Join(from, ", ")
}

func what(row incident.Row) string {
	if row.After != "" {
		return "silence after `" + row.After + "`"
	}
	s := "`" + row.Form + "`"
	if len(row.Codes) > 0 {
		s += ": " + strings.Join(row.Codes, ", ")
	}
	return s
}

func target(m *incident.Machine, row incident.Row) string {
	switch {
	case row.To == "":
		return "(stays)"
	case m.Closes[row.To] != "":
		return row.To + "; the case is closed"
	}
	return row.To
}

func starts(row incident.Row) string {
	s := quoted(row.Starts)
	if row.Moves != nil {
		s = strings.TrimPrefix(s+"; `"+row.Moves.Deadline+"` moves to `"+row.Moves.Field+"`", "; ")
	}
	if row.Same != "" {
		s = strings.TrimPrefix(s+"; with the same `"+row.Same+"`", "; ")
	}
	return s
}

// Measures of a picture, in pixels.
const (
	columnWidth = 92
	labelWidth  = 330
	rowHeight   = 24
	headHeight  = 64
)

// picture draws a machine: a column for each state, a row for each transition that moves, so that no line ever crosses a word.
func picture(table *incident.Table, m *incident.Machine) string {
	all := m.All()
	var rows []incident.Row
	for _, row := range m.Rows {
		if row.To != "" {
			rows = append(rows, row)
		}
	}
	width, height := labelWidth+columnWidth*len(all)+8, headHeight+rowHeight*len(rows)+12
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="11" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>States of %s</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", m.ID, width, height)
	middle := func(state string) int { return labelWidth + columnWidth*slices.Index(all, state) + columnWidth/2 }
	for _, s := range all {
		fill, ink := "#fff", "#111"
		if slices.Contains(m.Settled, s) {
			fill = "#e4e4e4"
		} else if slices.Contains(m.Ended, s) {
			fill, ink = "#333", "#fff"
		}
		x := middle(s)
		fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#ccc"/>`+"\n", x, headHeight-16, x, height-6)
		fmt.Fprintf(&b, `<rect x="%d" y="8" width="%d" height="40" rx="4" fill="%s" stroke="#555"/>`+"\n", x-columnWidth/2+3, columnWidth-6, fill)
		lines := broken(s)
		for i, line := range lines {
			fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle" fill="%s">%s</text>`+"\n", x, 32-6*(len(lines)-1)+12*i, ink, line)
		}
	}
	for i, row := range rows {
		y := headHeight + rowHeight*i + rowHeight/2
		label, dash := row.Form, ""
		if row.After != "" {
			label, dash = "silence after "+row.After, ` stroke-dasharray="4 3"`
		}
		if len(row.Codes) > 0 {
			label += ": " + strings.Join(row.Codes, ", ")
		}
		if row.By != "" {
			label = string(row.By) + " · " + label
		}
		if n := []rune(label); len(n) > 56 {
			label = string(n[:55]) + "…"
		}
		if i%2 == 0 {
			fmt.Fprintf(&b, `<rect x="0" y="%d" width="%d" height="%d" fill="#000" fill-opacity=".035"/>`+"\n", y-rowHeight/2, width, rowHeight)
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-8, y+4, label)
		to := middle(row.To)
		low, high := to, to
		if len(row.From) == 0 {
			low = labelWidth
		}
		for _, s := range from(table, m, row) {
			x := middle(s)
			low, high = min(low, x), max(high, x)
			if x != to {
				fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="3.5" fill="#1a4f8a"/>`+"\n", x, y)
			} else {
				fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="6" fill="none" stroke="#1a4f8a"/>`+"\n", x, y)
			}
		}
		if low < to {
			fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#1a4f8a" stroke-width="1.5"%s/><path d="M%d %d l-8 -4 v8 z" fill="#1a4f8a"/>`+"\n", low, y, to-7, y, dash, to, y)
		}
		if high > to {
			fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#1a4f8a" stroke-width="1.5"%s/><path d="M%d %d l8 -4 v8 z" fill="#1a4f8a"/>`+"\n", high, y, to+7, y, dash, to, y)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// from lists the states that a row covers, of a star those that are left to it.
func from(table *incident.Table, m *incident.Machine, row incident.Row) (out []string) {
	if len(row.From) == 0 || row.From[0] != "*" {
		return row.From
	}
	code := ""
	if len(row.Codes) > 0 {
		code = row.Codes[0]
	}
	for _, s := range m.All() {
		side := row.By
		if side == incident.Either {
			side = incident.Asker
		}
		if r := m.Move(s, row.Form, code, side); r != nil && r.From[0] == "*" && r.To == row.To {
			out = append(out, s)
		}
	}
	return out
}

// broken sets a state's name in lines that fit its column.
func broken(s string) (lines []string) {
	for part := range strings.SplitSeq(s, "-") {
		if last := len(lines) - 1; last >= 0 && len(lines[last])+len(part) < 13 {
			lines[last] += "-" + part
		} else {
			lines = append(lines, part)
		}
	}
	return lines
}
