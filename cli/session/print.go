package session

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"detente/form"
	"detente/party"
)

// PrintWords prints a fingerprint in every language, in rows of four, as it is read out.
func PrintWords(w io.Writer, words func(lang string) ([]string, error)) error {
	for _, lang := range party.Languages() {
		list, err := words(lang)
		if err != nil {
			return err
		}
		for row := range slices.Chunk(list, 4) {
			fmt.Fprintf(w, "  %s  %s\n", lang, strings.Join(row, " "))
			lang = "  "
		}
	}
	return nil
}

// Table prints rows in columns; the first row is the heading.
func (s *Session) Table(rows ...[]string) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.TrimRight(Safe(strings.Join(r, "\t")), "\t"))
	}
	return w.Flush()
}

// Safe makes words of strangers printable: what could steer a terminal, or reorder a line, shows as U+FFFD.
func Safe(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r >= '\u202a' && r <= '\u202e' {
			return '\ufffd'
		}
		return r
	}, text)
}

// Moment is a time as officers write it, a dash for none.
func Moment(t time.Time) string {
	if t.IsZero() || t.Unix() == 0 {
		return "–"
	}
	return form.DTG(t.UTC())
}

// Progress shows how far a long task is: a bar on a terminal, else a line at each tenth.
func (s *Session) Progress(what string) (show func(done, of int64), end func()) {
	bar := IsTerminal(s.Err)
	tenth := int64(-1)
	shown := false
	show = func(done, of int64) {
		if of <= 0 {
			return
		}
		part := min(10*done/of, 10)
		switch {
		case bar:
			filled := int(min(40*done/of, 40))
			fmt.Fprintf(s.Err, "\r%s [%s%s] %d of %d ", what, strings.Repeat("█", filled), strings.Repeat("·", 40-filled), done, of)
			shown = true
		case part != tenth:
			fmt.Fprintf(s.Err, "%s: %d of %d\n", what, done, of)
		}
		tenth = part
	}
	return show, func() {
		if shown {
			fmt.Fprintln(s.Err)
		}
	}
}
