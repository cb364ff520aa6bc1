package duty

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"
)

// LogCmd is the watch log: what people and the machine did, in an append-only feed.
type LogCmd struct {
	Show   logShowCmd   `cmd:"" default:"withargs" help:"What happened on the watch, the newest last."`
	Note   logNoteCmd   `cmd:"" help:"Write a note into the log."`
	Export logExportCmd `cmd:"" help:"Write the log to a file, to be printed or kept."`
}

// which is the part of the log that is asked for.
type which struct {
	Post  traffic.Post `help:"Only of this post." placeholder:"POST"`
	Kind  string       `help:"Only of this kind: item, call, handover, entry, officer, session, release, action." placeholder:"KIND"`
	From  string       `help:"From this time on: 231415Z NOV 26, RFC 3339, or how long ago, such as 12h." placeholder:"TIME"`
	Until string       `help:"Before this time." placeholder:"TIME"`
	session.LangFlag
}

func (w *which) listing(limit int) (l api.LogListing, err error) {
	l = api.LogListing{Post: w.Post, Kind: w.Kind, Limit: limit, Lang: w.Lang}
	if l.From, err = ago(w.From); err != nil {
		return l, err
	}
	l.Until, err = ago(w.Until)
	return l, err
}

// ago is a time, or how long ago it was.
func ago(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return time.Now().UTC().Add(-d), nil
	}
	return parseMoment(text)
}

type logShowCmd struct {
	which
	Limit int `help:"At most so many." default:"50"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (logShowCmd) Help() string {
	return "○ is what the machine did, ● is what a person did.\n\n" +
		session.Detail("detente log show --post nrrc --from 12h", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the log.
func (c *logShowCmd) Run(s *session.Session) error {
	entries, err := c.read(s, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(entries)
	}
	if len(entries) == 0 {
		s.Printf("Nothing yet. What the watch does, and what is done when it does nothing, stands here.\n")
	}
	for _, e := range entries {
		s.Printf("%s\n", logLine(e))
	}
	return nil
}

// read gives the entries in the order in which they came to be.
func (w *which) read(s *session.Session, limit int) ([]api.LogEntry, error) {
	l, err := w.listing(limit)
	if err != nil {
		return nil, err
	}
	node, err := s.Client(false)
	if err != nil {
		return nil, err
	}
	entries, err := node.Log(s.Ctx, l)
	for i, j := 0, len(entries)-1; i < j; i, j = i+1, j-1 {
		entries[i], entries[j] = entries[j], entries[i]
	}
	return entries, err
}

func logLine(e api.LogEntry) string {
	mark := "○"
	if e.Human {
		mark = "●"
	}
	text := strings.ReplaceAll(strings.TrimSpace(e.Text), "\n", "\n      │ ")
	if e.Number != "" {
		text = e.Number + "  " + text
	}
	return fmt.Sprintf("%6d  %s  %-6s  %s %-8s  %s", e.Index, session.Moment(e.At), e.Post, mark, e.Who, text)
}

type logNoteCmd struct {
	Post traffic.Post `arg:"" help:"Post whose log it is."`
	Text string       `arg:"" help:"The note; - for standard input."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (logNoteCmd) Help() string {
	return "A note cannot be changed or taken back: write another one.\n\n" +
		session.Detail(`detente log note nrrc "Voice line to XS tested, good."`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run writes the note.
func (c *logNoteCmd) Run(s *session.Session) error {
	text := c.Text
	if text == "-" {
		b, err := s.ReadFile("-", 8000)
		if err != nil {
			return err
		}
		text = string(b)
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	e, err := node.Note(s.Ctx, api.LogRequest{Post: c.Post, Text: text})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(e)
	}
	s.Printf("%s\n", logLine(e))
	return nil
}

type logExportCmd struct {
	which
	Output string `short:"o" help:"File; - for standard output." default:"-" placeholder:"FILE"`
	Format string `help:"text, or json: one entry a line." enum:"text,json" default:"text"`
}

// Help gives an example and the exit codes.
func (logExportCmd) Help() string {
	return "Each entry of the log is a signed statement: detente prove takes the id that the JSON gives it.\n\n" +
		session.Detail(`detente log export --from "230000Z NOV 26" -o watch-23-nov.txt`, session.ExitDone, session.ExitRefused, session.ExitUse,
			session.ExitUnreachable, session.ExitNotFound)
}

// all is the most that the API gives at once: some years of a watch. For more, export by time.
const all = 100_000

// Run writes the log.
func (c *logExportCmd) Run(s *session.Session) error {
	entries, err := c.read(s, all)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range entries {
		if err := c.entry(&b, e); err != nil {
			return err
		}
	}
	return s.WriteNew(c.Output, []byte(b.String()), 0o600)
}

func (c *logExportCmd) entry(w io.Writer, e api.LogEntry) error {
	if c.Format == "json" {
		return json.NewEncoder(w).Encode(e)
	}
	_, err := fmt.Fprintln(w, session.Safe(logLine(e)))
	return err
}
