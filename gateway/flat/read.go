package flat

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	format "detente/gateway/kind"
)

// Lines calls fn for each line of IntelMQ events in JSON, with the number of the line, from 1, and what is wrong with it. What fn returns ends the reading and is
// returned. Error: ErrFile.
func Lines(r io.Reader, fn func(line int, e Event, err error) error) error {
	f := known(fields())
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), MaxLine)
	n := 0
	for line := 1; s.Scan(); line++ {
		b := bytes.TrimSpace(s.Bytes())
		if len(b) == 0 {
			continue
		}
		if n++; n > MaxEvents {
			return fmt.Errorf("%w: more than %d", ErrFile, MaxEvents)
		}
		e, err := f.json(b)
		if err := fn(line, e, err); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	return nil
}

// json reads one event, as its fields beside each other, or nested as IntelMQ's outputs may write it.
func (f known) json(b []byte) (Event, error) {
	if !format.Shallow(b, 10) {
		return nil, fmt.Errorf("%w: nested too deep", ErrLine)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLine, err)
	}
	if d.More() {
		return nil, fmt.Errorf("%w: more after it", ErrLine)
	}
	delete(m, "__type") // "Event" in what its own pipeline carries
	e := Event{}
	if err := f.walk(e, "", m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLine, err)
	}
	if len(e) == 0 {
		return nil, fmt.Errorf("%w: it says nothing", ErrLine)
	}
	return e, nil
}

func (f known) walk(e Event, prefix string, m map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		var text string
		switch v := m[name].(type) {
		case nil:
			continue
		case string:
			text = v
		case json.Number:
			text = v.String()
		case bool:
			text = strconv.FormatBool(v)
		case map[string]any:
			if prefix+name == "output" {
				b, err := json.Marshal(v)
				if err != nil {
					return err
				}
				text = string(b)
				break
			}
			if err := f.walk(e, prefix+name+".", v); err != nil {
				return err
			}
			continue
		default:
			b, err := json.Marshal(v)
			if err != nil {
				return err
			}
			text = string(b)
		}
		if strings.HasPrefix(prefix+name, "extra") && len(e) > maxExtra {
			return fmt.Errorf("more than %d fields", maxExtra)
		}
		if err := f.set(e, prefix+name, text); err != nil {
			return err
		}
	}
	return nil
}

// CSV calls fn for each row of events in CSV under a row of names: IntelMQ's fields, or the columns of a Shadowserver report. report is the type of
// the report, such as "scan_mysql", as the name of its file has it; empty for IntelMQ. Error: ErrFile, or what fn returns.
func CSV(r io.Reader, report string, fn func(line int, e Event, err error) error) error {
	c := csv.NewReader(&limited{r: bufio.NewReader(r)})
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	c.LazyQuotes = true // as real reports need
	head, err := c.Read()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	head = slices.Clone(head)
	head[0] = strings.TrimPrefix(head[0], "\uFEFF")
	if len(head) > maxFields {
		return fmt.Errorf("%w: %d columns", ErrFile, len(head))
	}
	f := known(fields())
	if report != "" {
		s, err := newShadowserver(report, head)
		if err != nil {
			return err
		}
		return rows(c, func(row []string) (Event, error) { return s.event(f, row) }, fn)
	}
	if !slices.ContainsFunc(head, func(n string) bool { _, ok := f[n]; return ok }) {
		return fmt.Errorf("%w: no column is a field of IntelMQ", ErrFile)
	}
	return rows(c, func(row []string) (Event, error) {
		e := Event{}
		for i, v := range row {
			if i >= len(head) {
				return nil, errors.New("more values than columns")
			}
			if err := f.set(e, head[i], v); err != nil {
				return nil, err
			}
		}
		return e, nil
	}, fn)
}

func rows(c *csv.Reader, read func([]string) (Event, error), fn func(int, Event, error) error) error {
	for n := 0; ; n++ {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrFile, err)
		}
		if n >= MaxEvents {
			return fmt.Errorf("%w: more than %d", ErrFile, MaxEvents)
		}
		line, _ := c.FieldPos(0)
		e, err := read(row)
		if err == nil && len(e) == 0 {
			err = errors.New("it says nothing")
		}
		if err != nil {
			e, err = nil, fmt.Errorf("%w: %w", ErrLine, err)
		}
		if err := fn(line, e, err); err != nil {
			return err
		}
	}
}

// limited ends with an error when a row grows beyond the limit: a quote that is never closed would else take the rest of the file into memory. A row
// is counted by its ends of lines outside quotes.
type limited struct {
	r      *bufio.Reader
	row    int
	quoted bool
}

// Read counts what it passes on.
func (l *limited) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for _, c := range b[:n] {
		switch {
		case c == '"':
			l.quoted = !l.quoted
		case c == '\n' && !l.quoted:
			l.row = 0
			continue
		}
		if l.row++; l.row > MaxLine {
			return 0, fmt.Errorf("a row of more than %d bytes", MaxLine)
		}
	}
	return n, err
}

func names(e Event) []string { return slices.Sorted(maps.Keys(e)) }
