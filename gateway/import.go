package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"strings"

	"detente/casework"
	"detente/form"
	"detente/gateway/csaf"
	"detente/gateway/flat"
	"detente/gateway/kind"
	"detente/gateway/misp"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/label"
	"detente/statement"
	"detente/store"
)

// ErrFormat is returned for a file of no known format.
var ErrFormat = errors.New("gateway: the file is of no known format: STIX, MISP, CSAF, IntelMQ, Shadowserver, CACAO or OpenC2")

// ErrNeedsCollection is returned for a file whose content goes into a collection, where none is named.
var ErrNeedsCollection = errors.New("gateway: a collection is needed for it")

// File is a file that an officer imports.
type File struct {
	Name string // tells Shadowserver's reports apart
	Data []byte
	TLP  label.TLP // of what says nothing itself; Unmarked: such is refused
}

// Imported is what became of a file.
type Imported struct {
	Format   string // STIX, MISP, CSAF, IntelMQ, Shadowserver, CACAO or OpenC2
	Advisory string // id of an advisory
	CVEs     []string
	Added
}

// Formats of files that package kind does not tell apart.
const (
	FormatIntelMQ      = "IntelMQ"
	FormatShadowserver = "Shadowserver"
)

// Import recognises a file and puts what is in it into a collection, as if a tool had posted it; an advisory is kept beside. What tells a machine to do
// something is kept as an artifact, and never executed. to may be nil for an advisory. Errors: ErrFormat, ErrNeedsCollection, taxii.ErrReadOnly, taxii.ErrEnvelope,
// misp.ErrEvent, csaf.ErrDocument, flat.ErrFile.
func (g *Gateway) Import(ctx context.Context, by string, to *objects.Collection, f File) (Imported, error) {
	k := kind.Of(f.Data)
	if k == kind.CSAF {
		return g.importAdvisory(ctx, f)
	}
	out := Imported{Format: string(k)}
	if to == nil {
		if k == kind.Unknown && !isFlat(f) {
			return out, ErrFormat
		}
		return out, ErrNeedsCollection
	}
	if to.Flow == objects.In {
		return out, taxii.ErrReadOnly
	}
	var err error
	switch {
	case k == kind.STIX:
		out.Added, err = g.Put(ctx, by, *to, f.Data)
	case k == kind.MISP:
		err = g.importEvent(ctx, by, to, f, &out)
	case k.Opaque():
		o, err := misp.Original(f.Data, label.Parcel{TLP: f.TLP})
		if err != nil {
			return out, err
		}
		err = g.post(ctx, by, to, [][]byte{o.Raw}, &out.Added)
		return out, err
	case k == kind.IODEF || !isFlat(f):
		return out, ErrFormat
	default:
		err = g.importFlat(ctx, by, to, f, &out)
	}
	return out, err
}

func (g *Gateway) post(ctx context.Context, by string, to *objects.Collection, raws [][]byte, a *Added) error {
	results, err := g.Post(ctx, by, *to, raws)
	a.note(results)
	return err
}

// importEvent takes in an event of MISP, and the event itself beside its objects.
func (g *Gateway) importEvent(ctx context.Context, by string, to *objects.Collection, f File, out *Imported) error {
	e, err := misp.Read(f.Data)
	if err != nil {
		return err
	}
	in, err := e.STIX()
	if err != nil {
		return err
	}
	if in.Label.Plane != label.Plane(to.Plane) {
		return &label.Refusal{Reason: label.ReasonPlane, Slots: [2]string{in.Label.Plane.Flag(), label.Plane(to.Plane).Flag()}}
	}
	var raws [][]byte
	for _, o := range in.Objects {
		raws = append(raws, o.Raw)
	}
	if o, err := misp.Original(f.Data, in.Label); err == nil && len(o.Raw) <= objects.MaxObject {
		raws = append(raws, o.Raw)
	}
	return g.post(ctx, by, to, raws, &out.Added)
}

// isFlat tells whether a file may be events of IntelMQ or Shadowserver.
func isFlat(f File) bool {
	ext := strings.ToLower(path.Ext(f.Name))
	head := bytes.TrimSpace(f.Data[:min(len(f.Data), 4096)])
	return ext == ".csv" || flat.Report(f.Name) != "" || len(head) > 0 && head[0] == '{' && bytes.Contains(head, []byte(`time.`)) || len(head) > 0 && head[0] == '{' && bytes.Contains(head, []byte(`"time"`))
}

// importFlat takes in events, a few at a time.
func (g *Gateway) importFlat(ctx context.Context, by string, to *objects.Collection, f File, out *Imported) error {
	var raws [][]byte
	flush := func() error {
		if len(raws) == 0 {
			return nil
		}
		err := g.post(ctx, by, to, raws, &out.Added)
		raws = nil
		return err
	}
	refuse := func(line int, err error) {
		if out.Refused++; len(out.Reasons) < mostReasons {
			if out.Reasons == nil {
				out.Reasons = make(map[string]string)
			}
			out.Reasons[fmt.Sprintf("line %d", line)] = short(err.Error())
		}
	}
	each := func(line int, e flat.Event, err error) error {
		if err == nil && e.Plane() != label.Plane(to.Plane) {
			err = &label.Refusal{Reason: label.ReasonPlane, Slots: [2]string{e.Plane().Flag(), label.Plane(to.Plane).Flag()}}
		}
		if err != nil {
			refuse(line, err)
			return nil
		}
		list, err := e.STIX(flat.In{TLP: f.TLP})
		if err != nil {
			refuse(line, err)
			return nil
		}
		for _, o := range list {
			raws = append(raws, o.Raw)
		}
		if len(raws) >= batchObjects/2 {
			return flush()
		}
		return nil
	}
	report := flat.Report(f.Name)
	var err error
	if out.Format = FormatIntelMQ; report != "" {
		out.Format = FormatShadowserver
	}
	if head := bytes.TrimSpace(f.Data); len(head) > 0 && head[0] == '{' {
		err = flat.Lines(bytes.NewReader(f.Data), each)
	} else {
		err = flat.CSV(bytes.NewReader(f.Data), report, each)
	}
	return errors.Join(err, flush())
}

// Advisory is a security advisory as it is listed.
type Advisory struct {
	Hash      [32]byte // of its bytes
	ID        string
	Namespace string
	Title     string
	Publisher string
	TLP       string
	Severity  string
	CVEs      []string
}

const (
	advisoryColumns = "hash, id, namespace, title, publisher, tlp, severity, cves"
	maxAdvisories   = 10_000
)

func (a *Advisory) fields() []any {
	return []any{scan32{&a.Hash}, &a.ID, &a.Namespace, &a.Title, &a.Publisher, &a.TLP, &a.Severity, words{&a.CVEs}}
}

// words scans a list, a space between.
type words struct{ to *[]string }

// Scan takes what the database holds.
func (w words) Scan(v any) error {
	s, ok := v.(string)
	if *w.to = strings.Fields(s); !ok {
		return fmt.Errorf("gateway: %T in a column of words", v)
	}
	return nil
}

// importAdvisory keeps an advisory. Again it changes nothing.
func (g *Gateway) importAdvisory(ctx context.Context, f File) (Imported, error) {
	out := Imported{Format: string(kind.CSAF)}
	r, err := g.csaf()
	if err != nil {
		return out, err
	}
	d, err := r.Read(f.Data)
	if err != nil {
		return out, err
	}
	severity, score := "", 0.0
	for _, v := range d.Vulnerabilities {
		if v.Score > score {
			score, severity = v.Score, v.Severity
		}
	}
	out.Advisory, out.CVEs = d.ID, d.CVEs()
	sum := sha256.Sum256(f.Data)
	err = g.db.Update(ctx, store.Calm, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, "INSERT INTO gateway_advisories ("+advisoryColumns+", current, added, raw) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
			sum[:], short(d.ID), short(d.Namespace), short(d.Title), short(d.Publisher), string(d.TLP.Or(f.TLP)), short(severity), strings.Join(out.CVEs, " "), d.Current.UnixMicro(),
			g.cfg.Now().UnixMicro(), f.Data)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		out.Objects, out.Known = int(n), 1-int(n)
		return err
	})
	return out, err
}

// Advisories lists the advisories, the newest first: all of them, or those that name a vulnerability of a case.
func (g *Gateway) Advisories(ctx context.Context, of *casework.File) ([]Advisory, error) {
	var all []Advisory
	err := g.db.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.All(ctx, tx, (*Advisory).fields, "SELECT "+advisoryColumns+" FROM gateway_advisories ORDER BY added DESC LIMIT $1", maxAdvisories)
		return err
	})
	if err != nil || of == nil {
		return all, err
	}
	named := make(map[string]bool)
	left := int64(mostAttached)
	for _, s := range of.Sheets {
		for _, e := range s.Entries {
			words := texts(e.Values)
			if len(all) > 0 {
				more, err := g.attachedText(ctx, e.ID, &left)
				if err != nil {
					return nil, err
				}
				words = append(words, more...)
			}
			for _, cve := range csaf.FindCVEs(words...) {
				named[cve] = true
			}
		}
	}
	out := []Advisory{}
	for _, a := range all {
		for _, cve := range a.CVEs {
			if named[cve] {
				out = append(out, a)
				break
			}
		}
	}
	return out, nil
}

// mostAttached is how many bytes of a case's attachments are looked through for the names of vulnerabilities.
const mostAttached = 4 << 20

// attachedText is what a statement has attached, as far as it is here and as *left goes. A file beyond that is passed over whole.
func (g *Gateway) attachedText(ctx context.Context, id statement.ID, left *int64) (out []string, err error) {
	blobs, err := g.blobs(ctx, id)
	for _, b := range blobs {
		if _, complete, err := g.node.BlobHeld(ctx, b.Hash); err != nil || !complete || b.Size > *left {
			continue
		}
		raw, err := g.node.Blob(ctx, b.Hash)
		if err != nil {
			return nil, err
		}
		*left -= int64(len(raw))
		out = append(out, string(raw))
	}
	return out, err
}

// texts are the fields of a statement that are text.
func texts(v form.Values) (out []string) {
	for name := range v {
		if s := v.Text(name); s != "" {
			out = append(out, s)
		}
	}
	return out
}
