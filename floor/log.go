package floor

import (
	"context"
	"slices"
	"time"

	"detente/form"
	"detente/journal"
	"detente/statement"
	"detente/traffic"
)

// LogLine is an entry of the journal as the watch log shows it. Its own statement proves it.
type LogLine struct {
	Index     int64
	At        time.Time // by the clock of the machine that wrote it
	Post      traffic.Post
	Kind      string // form of the internal regime
	By        string // officer, or journal.Machine
	Human     bool   // a person did it
	Statement *statement.Statement
	Form      *form.Form
	Values    form.Values
}

// LogFilter narrows the log; its zero value is the newest 200 lines.
type LogFilter struct {
	Post  traffic.Post
	Kind  string
	From  time.Time
	Until time.Time // not included
	Limit int
}

// window is how many entries of the journal are read at once, from its end.
const window = 1024

// Log lists the watch log, the newest first.
func (f *Floor) Log(ctx context.Context, by LogFilter) ([]LogLine, error) {
	if by.Limit == 0 {
		by.Limit = 200
	}
	end, err := f.journal.Size(ctx)
	if err != nil {
		return nil, err
	}
	var out []LogLine
	for end > 0 && len(out) < by.Limit {
		begin := max(0, end-window)
		var page []LogLine
		oldest := time.Time{}
		_, err := f.journal.Each(ctx, begin, func(e journal.Entry) bool {
			if e.Index >= end {
				return false
			}
			if oldest.IsZero() {
				oldest = e.Held
			}
			if l := f.logLine(e); by.passes(&l) {
				page = append(page, l)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
		for _, l := range slices.Backward(page) {
			if len(out) < by.Limit {
				out = append(out, l)
			}
		}
		if !by.From.IsZero() && !oldest.IsZero() && oldest.Before(by.From) {
			break // what is older was written earlier
		}
		end = begin
	}
	return out, nil
}

func (by *LogFilter) passes(l *LogLine) bool {
	return (by.Post == "" || l.Post == by.Post) && (by.Kind == "" || l.Kind == by.Kind) && (by.From.IsZero() || !l.At.Before(by.From)) &&
		(by.Until.IsZero() || l.At.Before(by.Until))
}

func (f *Floor) logLine(e journal.Entry) LogLine {
	s := e.Statement
	l := LogLine{
		Index: e.Index, At: e.Held, Post: s.Issuer.Post, Kind: s.Form, By: journal.Machine, Human: s.Drafter != journal.Machine, Statement: s, Form: e.Form, Values: e.Values,
	}
	if post := e.Values.Text("post"); post != "" {
		l.Post = traffic.Post(post)
	}
	if !l.Human {
		return l
	}
	for _, name := range []string{"by", "on", "officer"} {
		if by := e.Values.Text(name); by != "" {
			l.By = by
			break
		}
	}
	return l
}

// Note writes a note into the watch log. Error: ErrNoPerson, ErrNoPost.
func (f *Floor) Note(ctx context.Context, post traffic.Post, text string, by By) (LogLine, error) {
	if post == "" {
		f.mu.RLock()
		post = f.firstPost()
		f.mu.RUnlock()
	}
	if !f.has(post) {
		return LogLine{}, ErrNoPost
	}
	if err := f.does(ctx, post, by, formEntry, form.Values{"post": string(post), "text": text, "by": by.Officer}); err != nil {
		return LogLine{}, err
	}
	lines, err := f.Log(ctx, LogFilter{Kind: formEntry, Limit: 16})
	if err != nil {
		return LogLine{}, err
	}
	i := slices.IndexFunc(lines, func(l LogLine) bool { return l.By == by.Officer && l.Values.Text("text") == text })
	if i < 0 {
		return LogLine{}, ErrNotRecorded
	}
	return lines[i], nil
}
