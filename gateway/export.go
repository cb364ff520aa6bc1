package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"detente/casework"
	"detente/form"
	"detente/gateway/flat"
	"detente/gateway/iodef"
	"detente/gateway/misp"
	"detente/gateway/objects"
	"detente/incident"
	"detente/label"
	"detente/statement"
	"detente/stix"
)

// Formats of Export.
const (
	ExportMISP    = "misp"
	ExportIntelMQ = "intelmq"
	ExportIODEF   = "iodef"
)

// ErrTooLarge is returned for a collection that is too large for one file.
var ErrTooLarge = errors.New("gateway: too much for one file: give a stamp to begin behind")

const maxExport = 20_000 // objects in one file

// Export is what is to be written, and for whom.
type Export struct {
	Format     string
	Collection *objects.Collection // or
	Case       *casework.File
	Cases      *casework.Casework // that the case is of
	After      time.Time          // only what was added to the collection later
	Audience   label.Audience     // who will read it
	TLP        label.TLP          // of the document that is made of a case
}

// Left is what stayed behind.
type Left struct {
	ID  string
	Why error // a *label.Refusal if its label forbids it; nil if the format cannot say it
}

// Export writes a collection or a case in a format. Each object is held against its label, and what stays behind is listed. Errors: misp.ErrEmpty,
// iodef.ErrReport, ErrTooLarge, ErrFormat; a *label.Refusal.
func (g *Gateway) Export(ctx context.Context, x Export) ([]byte, []Left, error) {
	if x.Format == ExportIODEF {
		if x.Case == nil {
			return nil, nil, fmt.Errorf("%w: IODEF is written of a case", ErrFormat)
		}
		return g.exportIODEF(ctx, &x)
	}
	var list []*stix.Object
	var err error
	path := label.Path{Audience: x.Audience}
	title, named, own := "", "", false
	if x.Case != nil {
		path.Plane, title, named = label.Plane(x.Case.Plane), x.Case.Title, x.Case.Title
		list, err = g.caseObjects(ctx, x.Case)
	} else {
		path.Plane, title, named, own = label.Plane(x.Collection.Plane), x.Collection.Title, x.Collection.ID, x.Collection.Flow != objects.In
		list, err = g.collectionObjects(ctx, x.Collection, x.After)
	}
	if err != nil {
		return nil, nil, err
	}
	var left []Left
	switch x.Format {
	case ExportMISP:
		e, stay, err := misp.NewEvent(list, misp.Out{Org: g.mispOrg(), Path: path, Own: own, Default: g.cfg.Unmarked, Title: title, Key: named, At: g.cfg.Now().UTC()})
		for _, l := range stay {
			left = append(left, Left{l.ID, l.Why})
		}
		if err != nil {
			return nil, left, err
		}
		b, err := e.JSON()
		return b, left, err
	case ExportIntelMQ:
		events, stay := flat.Events(list, flat.Out{Path: path, Own: own, Default: g.cfg.Unmarked, Feed: title})
		for _, l := range stay {
			left = append(left, Left{l.ID, l.Why})
		}
		var b bytes.Buffer
		err := flat.WriteJSON(&b, events)
		return b.Bytes(), left, err
	}
	return nil, nil, fmt.Errorf("%w: misp, intelmq or iodef is written", ErrFormat)
}

// collectionObjects reads the newest versions of a collection. Error: ErrTooLarge.
func (g *Gateway) collectionObjects(ctx context.Context, c *objects.Collection, after time.Time) ([]*stix.Object, error) {
	var list []*stix.Object
	for f := (objects.Filter{After: after, Limit: 1000}); ; {
		p, err := g.shelf.Page(ctx, c.Number, f, func(r *objects.Row) error {
			if o, err := stix.Read(r.Bytes, stix.Standard()); err == nil {
				list = append(list, o)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(list) > maxExport {
			return nil, ErrTooLarge
		}
		if !p.More {
			return list, nil
		}
		f.After = p.Next
	}
}

// caseObjects are the objects that the statements of a case have attached.
func (g *Gateway) caseObjects(ctx context.Context, f *casework.File) ([]*stix.Object, error) {
	var list []*stix.Object
	for _, s := range f.Sheets {
		for _, e := range s.Entries {
			more, err := g.attached(ctx, e.ID)
			if err != nil {
				return nil, err
			}
			if list = append(list, more...); len(list) > maxExport {
				return nil, ErrTooLarge
			}
		}
	}
	return list, nil
}

// attached are the objects in the attachments of a statement that are here.
func (g *Gateway) attached(ctx context.Context, id statement.ID) (list []*stix.Object, err error) {
	blobs, err := g.blobs(ctx, id)
	for _, b := range blobs {
		if _, complete, err := g.node.BlobHeld(ctx, b.Hash); err != nil || !complete || b.Size > objects.MaxObject*16 {
			continue
		}
		raw, err := g.node.Blob(ctx, b.Hash)
		if err != nil {
			return nil, err
		}
		bundle, err := stix.Split(raw, stix.Standard())
		if err != nil {
			continue // it is something else
		}
		for _, it := range bundle.Items {
			if it.Err == nil && it.Object != nil {
				list = append(list, it.Object)
			}
		}
	}
	return list, err
}

// blobs are the attachments that a statement names; none where this program cannot read it.
func (g *Gateway) blobs(ctx context.Context, id statement.ID) ([]form.Blob, error) {
	h, err := g.node.Statement(ctx, id)
	if err != nil {
		return nil, err
	}
	fm, _, err := g.node.Form(h.Statement)
	if err != nil {
		return nil, nil // of a regime that this program does not know
	}
	v, err := fm.Decode(h.Statement.Payload)
	if err != nil {
		return nil, nil
	}
	return fm.Blobs(v), nil
}

// exportIODEF writes a case as RFC 7970.
func (g *Gateway) exportIODEF(ctx context.Context, x *Export) ([]byte, []Left, error) {
	parcel, err := x.Cases.Parcel(ctx, x.Case, x.TLP, "")
	if err != nil {
		return nil, nil, err
	}
	self := string(g.node.Self())
	draft := x.Case.Report()
	r := &iodef.Report{
		Team: self, Case: x.Case.Title, Purpose: iodef.Reporting, Status: "in-progress", Label: parcel, Generated: g.cfg.Now().UTC(), Text: draft["summary"], Occurred: true,
		Contacts: []iodef.Contact{{Role: "creator", Name: "CERT of " + self}},
	}
	if !x.Case.Open() {
		r.Status = "resolved"
	}
	for _, s := range x.Case.Sheets {
		for _, e := range s.Entries {
			if e.Why != "" || e.Values == nil {
				continue
			}
			r.History = append(r.History, iodef.HistoryItem{At: e.At, Action: "other", Text: e.Number + " " + e.Form})
			o, _ := incident.ObservationOf(e.Values)
			if o.To.IsZero() || len(o.Sources)+len(o.Networks) == 0 {
				continue
			}
			if r.Start.IsZero() || o.From.Before(r.Start) {
				r.Start = o.From
			}
			event := iodef.Event{Text: e.Values.Text("observation"), Start: o.From, End: o.To, Detected: e.At}
			for _, p := range o.Sources {
				event.Systems = append(event.Systems, iodef.System{Role: "source", Address: plainPrefix(p)})
			}
			for _, p := range o.Networks {
				event.Systems = append(event.Systems, iodef.System{Role: "target", Address: plainPrefix(p)})
			}
			r.Events = append(r.Events, event)
		}
	}
	slices.SortStableFunc(r.History, func(a, b iodef.HistoryItem) int { return a.At.Compare(b.At) })
	b, err := r.XML(label.Path{Audience: x.Audience, Plane: label.Plane(x.Case.Plane)})
	return b, nil, err
}

func plainPrefix(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// MISPEvents lists the events of a feed for whoever is behind it; MISPEvent gives one of them as a file. They hold each event against its label. Error of MISPEvent:
// misp.ErrNoEvent.
func (g *Gateway) MISPEvents(ctx context.Context, over label.Path) ([]misp.Entry, error) {
	return g.mispServer().List(ctx, over)
}

// MISPEvent is one of them, by its UUID. Error: misp.ErrNoEvent.
func (g *Gateway) MISPEvent(ctx context.Context, over label.Path, uuid string) (json.RawMessage, error) {
	e, err := g.mispServer().Event(ctx, over, uuid)
	if err != nil {
		return nil, err
	}
	if err := e.Leave(over, false); err != nil {
		return nil, fmt.Errorf("%w: %w", misp.ErrNoEvent, err)
	}
	return e.JSON()
}
