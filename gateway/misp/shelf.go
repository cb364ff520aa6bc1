package misp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"detente/gateway/mint"
	"detente/gateway/objects"
	"detente/label"
	"detente/stix"
)

// perEvent is how many objects without a report make one event: few enough for a MISP to show, enough that a week is not a thousand events.
const perEvent = 2000

// Shelf shows collections of objects as events: each report with what it names, and the other objects in the order in which they came, those of a day together,
// in parts. The first question reads the collections through; later ones what came since. It may be used by several goroutines.
type Shelf struct {
	Objects *objects.Shelf
	Read    func(context.Context) ([]objects.Collection, error) // the collections that are shown
	Org     Org                                                 // who makes events of objects that name nobody
	Group   *Sharing                                            // the sharing group for AMBER; nil: the own organisation
	Default label.TLP                                           // of objects without a marking
	// Accept gives objects to the collection that takes what is pushed, as a local tool would. nil: nothing is taken.
	Accept func(ctx context.Context, from string, raws [][]byte) error

	mu     sync.Mutex
	read   map[int64]time.Time     // up to where each collection was read
	events map[string]*shelved     // by UUID
	parts  map[int64][]*shelved    // the last parts of each collection; the last of them still grows
	named  map[string]string       // which event names an id
	marks  map[string]*stix.Object // marking-definitions that came
}

// shelved is an event as the catalogue knows it.
type shelved struct {
	collection objects.Collection
	report     string    // its id; empty for objects without a report
	ids        []string  // of the objects
	day        time.Time // of objects without a report
	widest     label.TLP // of what is in it
	changed    time.Time
	entry      Entry
}

// catch reads what came since. It holds the lock.
func (s *Shelf) catch(ctx context.Context) error {
	if s.read == nil {
		s.read, s.events, s.parts, s.named, s.marks = map[int64]time.Time{}, map[string]*shelved{}, map[int64][]*shelved{}, map[string]string{}, map[string]*stix.Object{}
	}
	read, err := s.Read(ctx)
	if err != nil {
		return err
	}
	for _, c := range read {
		for {
			p, err := s.Objects.Page(ctx, c.Number, objects.Filter{Versions: objects.Versions{All: true}, After: s.read[c.Number], Limit: 1000}, func(r *objects.Row) error {
				s.note(c, r)
				return nil
			})
			if err != nil {
				return err
			}
			if p.Rows > 0 {
				s.read[c.Number] = p.Last
			}
			if p.Next.After(s.read[c.Number]) {
				s.read[c.Number] = p.Next
			}
			if !p.More {
				break
			}
		}
	}
	return nil
}

// note puts an object where it belongs.
func (s *Shelf) note(c objects.Collection, r *objects.Row) {
	o, err := stix.Read(r.Bytes, stix.Standard())
	if err != nil {
		return // it was held against the standard when it came
	}
	if o.Type == "marking-definition" && len(s.marks) < maxMarks {
		s.marks[o.ID] = o
		return
	}
	tlp, _, unknown := mint.Labels(o, func(id string) (*stix.Object, bool) {
		d := s.marks[id]
		return d, d != nil
	})
	if tlp = tlp.Or(s.Default); unknown {
		return // it may go nowhere
	}
	if o.Type == "report" {
		s.report(c, o, tlp)
		return
	}
	switch o.Type {
	case "indicator", "observed-data", "vulnerability", "note":
	default:
		return
	}
	if of := s.events[s.named[o.ID]]; of != nil { // a later version of what a report names
		if o.Modified.After(of.changed) {
			of.change(o.Modified)
		}
		return
	}
	parts := s.parts[c.Number]
	day := r.Added.UTC().Truncate(24 * time.Hour)
	var part *shelved
	if len(parts) > 0 {
		part = parts[len(parts)-1]
	}
	if part == nil || len(part.ids) >= perEvent || !part.day.Equal(day) {
		part = &shelved{collection: c, day: day}
		uuid := mint.UUID("misp part", c.ID, r.Added.Format(time.RFC3339Nano))
		part.entry = Entry{UUID: Text(uuid), Orgc: s.Org, Info: Text(c.Title + " " + day.Format(time.DateOnly)), Date: Text(day.Format(time.DateOnly)), Analysis: "2", Threat: "4"}
		s.events[uuid] = part
		s.parts[c.Number] = append(parts[max(0, len(parts)-maxParts):], part)
	}
	part.ids = append(part.ids, o.ID)
	if part.widest == label.Unmarked || part.widest.Widens(tlp) {
		part.widest = tlp
	}
	part.entry.Tags = writeTags(marks{tlp: part.widest, plane: label.Plane(c.Plane)})
	part.change(r.Added)
}

const maxMarks = 10_000 // definitions kept in mind

// maxParts is how many parts back a report may take its objects from: it comes after them.
const maxParts = 8

// report puts a report into the catalogue. What it names came before it, and is no part any more.
func (s *Shelf) report(c objects.Collection, o *stix.Object, tlp label.TLP) {
	uuid := strings.TrimPrefix(o.ID, "report--")
	if was := s.events[uuid]; was != nil && was.changed.After(o.Modified) {
		return
	}
	refs := o.Texts("object_refs")
	taken := map[string]bool{}
	for _, id := range refs {
		s.named[id], taken[id] = uuid, true
	}
	for _, part := range s.parts[c.Number] {
		n := len(part.ids)
		part.ids = slices.DeleteFunc(slices.Clone(part.ids), func(id string) bool { return taken[id] })
		if len(part.ids) == n {
			continue
		}
		part.change(part.changed.Add(time.Second)) // a MISP that has it takes it again
		if len(part.ids) == 0 {
			delete(s.events, string(part.entry.UUID))
			s.parts[c.Number] = slices.DeleteFunc(slices.Clone(s.parts[c.Number]), func(x *shelved) bool { return x == part })
		}
	}
	x := &shelved{collection: c, report: o.ID, ids: append(slices.Clone(refs), o.CreatedBy), widest: tlp, entry: Entry{
		UUID: Text(uuid), Orgc: s.Org, Tags: writeTags(marks{tlp: tlp, plane: label.Plane(c.Plane)}), Info: Text(o.Text("name")), Date: Text(o.Created.Format(time.DateOnly)), Analysis: "2", Threat: "4",
	}}
	x.change(o.Modified)
	s.events[uuid] = x
}

// change notes when an event changed last.
func (x *shelved) change(at time.Time) {
	x.changed = at
	x.entry.Timestamp, x.entry.Changed = stamp(at), at.Truncate(time.Second)
}

// may tells whether anything of an event may go over a path.
func (x *shelved) may(over label.Path) bool {
	return label.Leave(label.Parcel{TLP: x.widest, Plane: label.Plane(x.collection.Plane)}, over) == nil
}

// List lists the events that may go over a path: for [Server].
func (s *Shelf) List(ctx context.Context, over label.Path) ([]Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.catch(ctx); err != nil {
		return nil, fmt.Errorf("misp: %w", err)
	}
	list := []Entry{}
	for _, x := range s.events {
		if x.may(over) {
			list = append(list, x.entry)
		}
	}
	return list, nil
}

// Event makes one of them: for [Server]. Error: ErrNoEvent.
func (s *Shelf) Event(ctx context.Context, over label.Path, uuid string) (*Event, error) {
	s.mu.Lock()
	err := s.catch(ctx)
	x := s.events[uuid]
	var of shelved
	if x != nil {
		of = *x // its ids grow at the end, or are replaced
	}
	s.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("misp: %w", err)
	}
	if x == nil || !of.may(over) {
		return nil, ErrNoEvent
	}
	list, err := s.fetch(ctx, &of)
	if err != nil {
		return nil, fmt.Errorf("misp: %w", err)
	}
	out := Out{Org: s.Org, Group: s.Group, Path: over, Default: s.Default, Title: string(of.entry.Info), Key: uuid, At: of.changed}
	e, _, err := NewEvent(list, out)
	if _, refused := errors.AsType[*label.Refusal](err); refused || errors.Is(err, ErrEmpty) {
		return nil, ErrNoEvent
	}
	if err != nil {
		return nil, err
	}
	e.UUID = of.entry.UUID
	if of.report == "" { // a part changes when something is added to it
		e.Timestamp, e.PublishTimestamp, e.Date = of.entry.Timestamp, of.entry.Timestamp, of.entry.Date
	}
	return e, nil
}

// fetch reads the objects of an event, and the observables that they name.
func (s *Shelf) fetch(ctx context.Context, x *shelved) ([]*stix.Object, error) {
	var list []*stix.Object
	have, asked := map[string]bool{}, map[string]bool{}
	get := func(all []string) (refs []string, err error) {
		var ids []string
		for _, id := range all {
			if stix.IsID(id) && !asked[id] {
				asked[id] = true
				ids = append(ids, id)
			}
		}
		for start := 0; start < len(ids); start += objects.MaxIDs {
			_, err := s.Objects.Page(ctx, x.collection.Number, objects.Filter{IDs: ids[start:min(len(ids), start+objects.MaxIDs)]}, func(r *objects.Row) error {
				o, err := stix.Read(r.Bytes, stix.Standard())
				if err != nil || have[o.ID] {
					return nil // one that cannot be read was never shown
				}
				have[o.ID] = true
				list = append(list, o)
				refs = append(refs, o.Markings...) // what they say, if they are not those of the standards
				refs = append(refs, granular(o)...)
				if o.Type == "observed-data" {
					refs = append(refs, o.Texts("object_refs")...)
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		return refs, nil
	}
	refs, err := get(append([]string{x.report}, x.ids...))
	if err != nil {
		return nil, err
	}
	_, err = get(refs)
	return list, err
}

// granular are the markings of parts of an object.
func granular(o *stix.Object) []string {
	all, _ := o.Value("granular_markings").([]any)
	var ids []string
	for _, one := range all {
		m, _ := one.(map[string]any)
		if id, _ := m["marking_ref"].(string); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// Take gives what was pushed to the collection that takes it, as objects, and the event itself beside them as an artifact: for [Server]. Errors: ErrOwn, ErrClosed,
// ErrEvent.
func (s *Shelf) Take(ctx context.Context, p Pushed) error {
	if s.Accept == nil {
		return ErrClosed
	}
	s.mu.Lock()
	err := s.catch(ctx)
	own := s.events[strings.ToLower(string(p.Event.UUID))] != nil
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("misp: %w", err)
	}
	if own {
		return ErrOwn
	}
	in, err := p.Event.STIX()
	if err != nil {
		return err
	}
	if len(p.Raw) <= maxOriginal {
		o, err := Original(p.Raw, in.Label)
		if err != nil {
			return err
		}
		in.Objects = append(in.Objects, o)
	}
	raws := make([][]byte, len(in.Objects))
	for i, o := range in.Objects {
		raws[i] = o.Raw
	}
	return s.Accept(ctx, p.From, raws)
}

// maxOriginal is the largest event that is kept within an object: its letters grow by a third there.
const maxOriginal = 512 << 10

// Original makes an artifact of the bytes of an event, so that what was translated can be held against what was said.
func Original(raw []byte, p label.Parcel) (*stix.Object, error) {
	sum := sha256.Sum256(raw)
	return mint.Observable("artifact", mint.Fields{
		"mime_type": "application/json", "payload_bin": base64.StdEncoding.EncodeToString(raw), "hashes": map[string]any{"SHA-256": hex.EncodeToString(sum[:])},
		"object_marking_refs": mint.Markings(p.TLP, p.PAP),
	}, "hashes", "payload_bin")
}
