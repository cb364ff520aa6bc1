// Package misp speaks with MISP, in which most national CERTs work: events in and out, feeds, and the endpoints by which one MISP reads from and writes to another.
// It must never let an event out that its label keeps in, nor raise the distribution of one on its way: each hop lowers it by a step.
package misp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	format "detente/gateway/kind"
	"detente/gateway/mint"
)

// ErrEvent says that something is no event of MISP, or exceeds a limit; the text says what.
var ErrEvent = errors.New("misp: not an event")

// The limits of an event from outside.
const (
	MaxEvent = 32 << 20 // bytes

	maxDepth      = 40
	maxAttributes = 100_000 // those in objects included
	maxObjects    = 20_000
	maxTags       = 1_000 // of one event or attribute
	maxText       = 64 << 10
)

// Event is the part of MISP's core format that is understood. What it holds besides is in the bytes it came in, which are kept.
type Event struct {
	UUID             Text         `json:"uuid"`
	Info             Text         `json:"info"`
	Date             Text         `json:"date"` // 2006-01-02
	ThreatLevel      Text         `json:"threat_level_id"`
	Analysis         Text         `json:"analysis"`
	Distribution     Text         `json:"distribution,omitempty"`
	SharingGroupID   Text         `json:"sharing_group_id,omitempty"`
	Timestamp        Text         `json:"timestamp"` // seconds
	PublishTimestamp Text         `json:"publish_timestamp"`
	Published        Flag         `json:"published"`
	Orgc             *Org         `json:"Orgc,omitempty"`
	Org              *Org         `json:"Org,omitempty"`
	SharingGroup     *Sharing     `json:"SharingGroup,omitempty"`
	Tags             []Tag        `json:"Tag,omitempty"`
	Attributes       []Attribute  `json:"Attribute"`
	Objects          []ObjectPart `json:"Object,omitempty"`
}

// Org is an organisation.
type Org struct {
	Name Text `json:"name"`
	UUID Text `json:"uuid"`
}

// Sharing is a sharing group: who is in it is known to the MISP that made it.
type Sharing struct {
	Name          Text `json:"name"`
	UUID          Text `json:"uuid"`
	Releasability Text `json:"releasability"`
}

// Tag is a machine tag, or a word.
type Tag struct {
	Name   Text `json:"name"`
	Colour Text `json:"colour,omitempty"`
}

// Attribute is one value.
type Attribute struct {
	UUID         Text       `json:"uuid"`
	Type         Text       `json:"type"`
	Category     Text       `json:"category"`
	Value        Text       `json:"value"`
	Comment      Text       `json:"comment"`
	ToIDS        Flag       `json:"to_ids"`
	Deleted      Flag       `json:"deleted,omitempty"`
	Distribution Text       `json:"distribution,omitempty"`
	Timestamp    Text       `json:"timestamp"`
	FirstSeen    Text       `json:"first_seen,omitempty"`
	LastSeen     Text       `json:"last_seen,omitempty"`
	Relation     Text       `json:"object_relation,omitempty"`
	Tags         []Tag      `json:"Tag,omitempty"`
	Sightings    []Sighting `json:"Sighting,omitempty"`
}

// ObjectPart is an object: attributes that belong together.
type ObjectPart struct {
	UUID         Text        `json:"uuid"`
	Name         Text        `json:"name"`
	MetaCategory Text        `json:"meta-category"`
	TemplateUUID Text        `json:"template_uuid,omitempty"`
	Template     Text        `json:"template_version,omitempty"`
	Comment      Text        `json:"comment"`
	Distribution Text        `json:"distribution,omitempty"`
	Timestamp    Text        `json:"timestamp"`
	Deleted      Flag        `json:"deleted,omitempty"`
	Attributes   []Attribute `json:"Attribute"`
}

// Sighting says that a value was seen ("0"), seen for good reason ("1"), or has run out ("2").
type Sighting struct {
	UUID   Text `json:"uuid,omitempty"`
	Date   Text `json:"date_sighting"`
	Type   Text `json:"type"`
	Source Text `json:"source"`
}

// Text is a string that MISP writes as one, and other tools as a number or a boolean.
type Text string

// UnmarshalJSON reads any value that is not a list or an object.
func (t *Text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[':
		return errors.New("a text is a list or an object")
	case string(b) == "null":
		*t = ""
		return nil
	case b[0] != '"':
		*t = Text(b)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if len(s) > maxText {
		return fmt.Errorf("a text of %d bytes", len(s))
	}
	*t = Text(s)
	return nil
}

// Flag is a boolean that some tools write as "1" or 1.
type Flag bool

// UnmarshalJSON reads true, 1 and "1" as true, and the opposites, null and "" as false.
func (f *Flag) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true", "1":
		*f = true
	case "false", "0", "", "null":
		*f = false
	default:
		return fmt.Errorf("%.20q is neither true nor false", b)
	}
	return nil
}

// envelope is how an event is written.
type envelope struct {
	Event *Event `json:"Event"`
}

// Read reads an event, in its envelope or without. What real feeds add to the format is passed over. Error: ErrEvent.
func Read(b []byte) (*Event, error) {
	if len(b) > MaxEvent {
		return nil, fmt.Errorf("%w: %d bytes, over %d", ErrEvent, len(b), MaxEvent)
	}
	if !shallow(b) {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrEvent, maxDepth)
	}
	var e envelope
	err := json.Unmarshal(b, &e)
	if err == nil && e.Event == nil {
		e.Event = &Event{}
		err = json.Unmarshal(b, e.Event)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if err := e.Event.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return e.Event, nil
}

// check holds the event to what everything else relies on.
func (e *Event) check() error {
	n := len(e.Attributes)
	for _, o := range e.Objects {
		n += len(o.Attributes)
		if !mint.IsUUID(string(o.UUID)) {
			return fmt.Errorf("the object %.40q has no UUID", o.Name)
		}
		if err := attributes(o.Attributes); err != nil {
			return err
		}
	}
	switch {
	case !mint.IsUUID(string(e.UUID)):
		return fmt.Errorf("%.40q is no UUID", e.UUID)
	case n > maxAttributes:
		return fmt.Errorf("%d attributes, over %d", n, maxAttributes)
	case len(e.Objects) > maxObjects:
		return fmt.Errorf("%d objects, over %d", len(e.Objects), maxObjects)
	case len(e.Tags) > maxTags:
		return fmt.Errorf("%d tags, over %d", len(e.Tags), maxTags)
	case e.Orgc != nil && e.Orgc.UUID != "" && !mint.IsUUID(string(e.Orgc.UUID)):
		return fmt.Errorf("%.40q is no UUID of an organisation", e.Orgc.UUID)
	}
	if _, ok := seconds(e.Timestamp); !ok {
		return fmt.Errorf("the time %.40q", e.Timestamp)
	}
	return attributes(e.Attributes)
}

func attributes(all []Attribute) error {
	for _, a := range all {
		if !mint.IsUUID(string(a.UUID)) {
			return fmt.Errorf("%.40q is no UUID of an attribute", a.UUID)
		}
		if len(a.Tags) > maxTags {
			return fmt.Errorf("%d tags, over %d", len(a.Tags), maxTags)
		}
	}
	return nil
}

// JSON writes the event in its envelope.
func (e *Event) JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(envelope{e}); err != nil {
		return nil, fmt.Errorf("misp: %w", err)
	}
	return b.Bytes(), nil
}

// Changed is when the event was last changed.
func (e *Event) Changed() time.Time {
	t, _ := seconds(e.Timestamp)
	return t
}

// seconds reads a time in seconds, before the year 2500.
func seconds(t Text) (time.Time, bool) {
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil || n < 0 || n > 16_725_225_600 {
		return time.Time{}, false
	}
	return time.Unix(n, 0).UTC(), true
}

func stamp(t time.Time) Text {
	if t.IsZero() {
		return ""
	}
	return Text(strconv.FormatInt(t.Unix(), 10))
}

// seen reads first_seen and last_seen: RFC 3339, with any zone. Zero if it cannot be read.
func seen(t Text) time.Time {
	at, err := time.Parse(time.RFC3339Nano, string(t))
	if err != nil || at.Year() < 1 || at.Year() > 9000 {
		return time.Time{}
	}
	return at.UTC()
}

// shallow tells whether what was sent is nested no deeper than an event is.
func shallow(b []byte) bool { return format.Shallow(b, maxDepth) }
