// Package calendar writes dates as iCalendar, RFC 5545, so that a round, a window of caution or a check stands in the calendars that officers already use.
// It must never read one, nor put into a file more than its caller names: a calendar is copied to telephones.
package calendar

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ErrEvent is returned for an event that no calendar could show.
var ErrEvent = errors.New("calendar: not an event")

// MediaType is that of a calendar, RFC 5545 section 8.1.
const MediaType = "text/calendar; charset=utf-8"

// Calendar is a set of events, for a feed that is read again and again or for one invitation.
type Calendar struct {
	Name   string // for people
	Method string // empty for a feed; REQUEST or CANCEL for an invitation, RFC 5546 section 3.2
	Events []Event
}

// Event is one VEVENT, RFC 5545 section 3.6.1.
type Event struct {
	UID         string    // the same for ever, so that a later file changes the event and adds none
	Stamp       time.Time // of what says it: not of when the file was written, so that the same events are the same bytes
	Sequence    int       // grows with each change
	Start, End  time.Time // the end is not in it
	Summary     string
	Description string
	Location    string
	Organizer   string   // mail address; empty for none
	Attendees   []string // mail addresses
	Status      Status
	Language    string // of the texts, BCP 47
}

// Status is how far an event stands, RFC 5545 section 3.8.1.11.
type Status string

// The statuses.
const (
	Tentative Status = "TENTATIVE"
	Confirmed Status = "CONFIRMED"
	Cancelled Status = "CANCELLED"
)

// Write writes a calendar. Error: ErrEvent, those of w.
func Write(w io.Writer, c Calendar) error {
	p := &printer{w: w}
	p.line("BEGIN:VCALENDAR")
	p.line("VERSION:2.0")
	p.line("PRODID:-//Detente//Detente//EN")
	p.line("CALSCALE:GREGORIAN")
	if c.Method != "" {
		p.line("METHOD:" + c.Method)
	}
	if c.Name != "" {
		p.line("X-WR-CALNAME:" + escape(c.Name)) // no standard, and what calendars show
	}
	for i := range c.Events {
		if err := p.event(&c.Events[i]); err != nil {
			return err
		}
	}
	p.line("END:VCALENDAR")
	return p.err
}

func (p *printer) event(e *Event) error {
	switch {
	case e.UID == "" || strings.ContainsFunc(e.UID, unicode.IsControl):
		return fmt.Errorf("%w: it has no id", ErrEvent)
	case e.Start.IsZero() || e.End.Before(e.Start) || e.Start.UTC().Year() > 9999 || e.End.UTC().Year() > 9999 || e.Start.UTC().Year() < 1:
		return fmt.Errorf("%w: %s: from %s to %s", ErrEvent, e.UID, e.Start, e.End)
	}
	p.line("BEGIN:VEVENT")
	p.line("UID:" + escape(e.UID))
	p.line("DTSTAMP:" + utc(e.Stamp))
	p.line("DTSTART:" + utc(e.Start))
	if e.End.After(e.Start) { // DTEND is to be later than DTSTART, section 3.8.2.2
		p.line("DTEND:" + utc(e.End))
	}
	p.line(fmt.Sprintf("SEQUENCE:%d", e.Sequence))
	if e.Status != "" {
		p.line("STATUS:" + string(e.Status))
	}
	for _, text := range []struct{ name, value string }{{"SUMMARY", e.Summary}, {"DESCRIPTION", e.Description}, {"LOCATION", e.Location}} {
		if text.value == "" {
			continue
		}
		name := text.name
		if e.Language != "" {
			name += ";LANGUAGE=" + e.Language
		}
		p.line(name + ":" + escape(text.value))
	}
	if e.Organizer != "" {
		if !address(e.Organizer) {
			return fmt.Errorf("%w: %s: organizer %.80q", ErrEvent, e.UID, e.Organizer)
		}
		p.line("ORGANIZER:mailto:" + e.Organizer)
	}
	for _, a := range e.Attendees {
		if !address(a) {
			return fmt.Errorf("%w: %s: attendee %.80q", ErrEvent, e.UID, a)
		}
		p.line("ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:" + a)
	}
	p.line("END:VEVENT")
	return nil
}

// address takes what can stand in a URI mailto without escapes: whatever else could add a line or a parameter.
func address(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && len(s) <= 254 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>[\]?&%#`, r)
	})
}

func utc(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// escape is TEXT of section 3.3.11. Control characters, which it cannot hold, are left out, but a tab.
func escape(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n"), "\r", "\n")
	s = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return -1
		}
		return r
	}, s)
}

type printer struct {
	w   io.Writer
	err error
}

// line writes a content line, folded after 75 octets and never within a character, section 3.1.
func (p *printer) line(s string) {
	if p.err != nil {
		return
	}
	var b strings.Builder
	room := 75
	for len(s) > 0 {
		n := 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			if n+size > room {
				break
			}
			n += size
		}
		b.WriteString(s[:n])
		b.WriteString("\r\n")
		if s = s[n:]; s != "" {
			b.WriteByte(' ')
		}
		room = 74
	}
	_, p.err = io.WriteString(p.w, b.String())
}
