package calendar_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"detente/calendar"

	"github.com/emersion/go-ical"
	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2027, 5, 12, 9, 0, 0, 0, time.UTC)

func round() calendar.Event {
	return calendar.Event{
		UID: "3f2a-round-4@detente", Stamp: start.AddDate(0, -2, 0), Sequence: 2, Start: start, End: start.Add(6 * time.Hour), Status: calendar.Confirmed,
		Summary: "Round 4: xn, xs", Description: "Agenda; papers, minutes\nback\\slash", Location: "Женева, зал XVII", Organizer: "council@xn.example",
		Attendees: []string{"council@xs.example"}, Language: "ru",
	}
}

func written(t testing.TB, c calendar.Calendar) string {
	t.Helper()
	var b bytes.Buffer
	if err := calendar.Write(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is written is RFC 5545: a reader that shares no code with it reads every text back, to the letter.
func TestAnotherReaderReadsItBack(t *testing.T) {
	e := round()
	e.Summary = strings.Repeat("第四轮磋商，议程；", 30)
	got := written(t, calendar.Calendar{Name: "council", Method: "REQUEST", Events: []calendar.Event{e, round()}})
	for line := range strings.SplitSeq(strings.TrimSuffix(got, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
	read, err := ical.NewDecoder(strings.NewReader(got)).Decode()
	if err != nil {
		t.Fatal(err)
	}
	events := read.Events()
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	text := func(name string) string {
		s, err := events[0].Props.Text(name)
		if err != nil {
			t.Error(err)
		}
		return s
	}
	if diff := cmp.Diff([]string{e.Summary, e.Description, e.Location, e.UID}, []string{text("SUMMARY"), text("DESCRIPTION"), text("LOCATION"), text("UID")}); diff != "" {
		t.Error(diff)
	}
	from, err := events[0].DateTimeStart(time.UTC)
	until, err2 := events[0].DateTimeEnd(time.UTC)
	if err != nil || err2 != nil || !from.Equal(e.Start) || !until.Equal(e.End) {
		t.Errorf("%s to %s, %v, %v", from, until, err, err2)
	}
}

func TestGolden(t *testing.T) {
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Detente//Detente//EN
CALSCALE:GREGORIAN
X-WR-CALNAME:council
BEGIN:VEVENT
UID:3f2a-round-4@detente
DTSTAMP:20270312T090000Z
DTSTART:20270512T090000Z
DTEND:20270512T150000Z
SEQUENCE:2
STATUS:CONFIRMED
SUMMARY;LANGUAGE=ru:Round 4: xn\, xs
DESCRIPTION;LANGUAGE=ru:Agenda\; papers\, minutes\nback\\slash
LOCATION;LANGUAGE=ru:Женева\, зал XVII
ORGANIZER:mailto:council@xn.example
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:counci
 l@xs.example
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if diff := cmp.Diff(want, written(t, calendar.Calendar{Name: "council", Events: []calendar.Event{round()}})); diff != "" {
		t.Error(diff)
	}
}

// A text from the other side adds neither a line nor a property.
func TestNothingIsSmuggledIn(t *testing.T) {
	e := round()
	e.Summary = "Round\r\nATTENDEE:mailto:spy@x.example\rX:1\x00\x1b"
	got := written(t, calendar.Calendar{Events: []calendar.Event{e}})
	if strings.Contains(got, "\nATTENDEE:mailto:spy") || strings.Contains(got, "\nX:1") || strings.ContainsAny(got, "\x00\x1b") {
		t.Error(got)
	}
	for name, spoil := range map[string]func(*calendar.Event){
		"no id":         func(e *calendar.Event) { e.UID = "" },
		"line in id":    func(e *calendar.Event) { e.UID = "a\r\nb" },
		"ends early":    func(e *calendar.Event) { e.End = e.Start.Add(-1) },
		"no time":       func(e *calendar.Event) { e.Start = time.Time{} },
		"attendee":      func(e *calendar.Event) { e.Attendees = []string{"a@b\r\nX:1"} },
		"organizer":     func(e *calendar.Event) { e.Organizer = "a;CN=b@c" },
		"year 10000":    func(e *calendar.Event) { e.End = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no mail at":    func(e *calendar.Event) { e.Organizer = "nobody" },
		"nothing there": func(e *calendar.Event) { *e = calendar.Event{} },
	} {
		e := round()
		spoil(&e)
		if err := calendar.Write(&bytes.Buffer{}, calendar.Calendar{Events: []calendar.Event{e}}); !errors.Is(err, calendar.ErrEvent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("Round 4", "a\nb;c,d\\e")
	f.Add("\xff\r\n", strings.Repeat("й", 100))
	f.Fuzz(func(t *testing.T, summary, description string) {
		e := round()
		e.Summary, e.Description = summary, description
		got := written(t, calendar.Calendar{Events: []calendar.Event{e}})
		read, err := ical.NewDecoder(strings.NewReader(got)).Decode()
		if err != nil {
			t.Fatal(err)
		}
		if len(read.Events()) != 1 || len(read.Events()[0].Props["ATTENDEE"]) != 1 {
			t.Fatal("a text has changed what stands beside it")
		}
		for line := range strings.SplitSeq(got, "\r\n") {
			if len(line) > 75 || !utf8.ValidString(line) {
				t.Fatalf("%q", line)
			}
		}
	})
}
