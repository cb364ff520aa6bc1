package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"detente/acts"
	"detente/feed"
	"detente/form"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Why a register bundle is refused, beside what a proof is refused for.
var (
	ErrEdition  = errors.New("evidence: the bundle does not hold the edition that it names")
	ErrList     = errors.New("evidence: the list of acts is not the one that the keeper signed")
	ErrTampered = errors.New("evidence: the acts are not those that the keeper signed")
)

// RegisterVerdict is what a register bundle shows. Encoded in JSON it is what a script reads.
type RegisterVerdict struct {
	Result      string            `json:"verdict"` // Proved or Refused
	Reason      string            `json:"reason,omitempty"`
	Detail      string            `json:"detail,omitempty"`
	Instrument  string            `json:"instrument,omitempty"` // id of its opening
	Title       map[string]string `json:"title,omitempty"`      // by language
	Nature      string            `json:"nature,omitempty"`
	Keeper      traffic.Party     `json:"keeper,omitempty"`  // who says that these are all the acts that it holds
	Edition     string            `json:"edition,omitempty"` // id of the statement that says so
	Known       time.Time         `json:"known,omitzero"`    // until when acts were recorded
	Differences []Difference      `json:"differences,omitempty"`
	Acts        []RegisterAct     `json:"acts,omitempty"`
	Status      *acts.Status      `json:"status,omitempty"`  // on the day of Known
	Vouched     []traffic.Party   `json:"vouched,omitempty"` // whose charters are known by the keeper's word alone
	Forked      []traffic.Party   `json:"forked,omitempty"`  // convicted of two histories
	RestsOn     []Basis           `json:"rests_on,omitempty"`
	Compare     *Untrusted        `json:"compare,omitempty"`
	Notes       []string          `json:"notes,omitempty"`

	Opening *acts.Opening                       `json:"-"`
	Names   map[traffic.Party]map[string]string `json:"-"` // as the collection calls its participants
	Record  *acts.Record                        `json:"-"` // as folded here; nil if it came not so far
	File    *RegisterFile                       `json:"-"`
}

// RegisterAct is one act of a bundle.
type RegisterAct struct {
	ID     string        `json:"id"`
	Number string        `json:"number,omitempty"` // of the statement; empty for an act of a collection
	Party  traffic.Party `json:"party"`
	Kind   acts.Kind     `json:"kind"`
	Date   acts.Day      `json:"date,omitzero"`
	Why    acts.Reason   `json:"why,omitempty"`    // it changes no status
	Signed bool          `json:"signed,omitempty"` // by the party itself, and proved to stand in its feed
}

// Difference is one act in which a bundle departs from what its keeper signed.
type Difference struct {
	What  string        `json:"what"` // one of the constants below
	Act   string        `json:"act"`  // its id, as the keeper has it; of an act added, its own
	Place string        `json:"place,omitempty"`
	Party traffic.Party `json:"party,omitempty"`
	Kind  string        `json:"kind,omitempty"`
	Date  string        `json:"date,omitempty"`  // as the keeper has it
	Found string        `json:"found,omitempty"` // the date in the bundle, where it is another
	Why   string        `json:"why,omitempty"`   // what is wrong with an act that is not proved
}

// What may be wrong with an act.
const (
	Removed  = "removed"  // the keeper signed it, and the bundle lacks it
	Added    = "added"    // the bundle has it, and the keeper has not signed it
	Changed  = "changed"  // in its place stands another
	ReDated  = "re-dated" // in its place stands the same with another date
	Unproved = "unproved" // it is not proved to be its party's
	Restated = "restated" // by the rules it stands otherwise than the keeper says
)

// Register reads a register bundle. The verdict is never nil; the error is a [*Refusal], nil if and only if the bundle holds every act that its keeper
// signed and no other, each proved to be its party's, and what the keeper says of their effect is what the rules of the instrument give.
func (r *Reader) Register(b []byte) (*RegisterVerdict, error) {
	v := &RegisterVerdict{}
	err := r.register(b, v)
	if err == nil {
		v.Result = Proved
		return v, nil
	}
	v.Result = Refused
	v.Reason, v.Detail, v.Compare = explain(err, nil)
	return v, err
}

// reading is a bundle while it is being read.
type reading struct {
	*RegisterFile
	v          *RegisterVerdict
	reader     *Reader
	trust      *trust
	channels   map[[32]byte]*party.Channel
	places     []*place
	at         map[spot]*place
	opening    *place
	edition    *place
	list       *EditionList
	rows       []EditionRow
	loaded     map[string]*loaded // acts of the collection
	collection *acts.Collection
	forked     map[traffic.Party]time.Time
	aged       int // acts that are older than the withdrawal of their key by the keeper's word
}

// spot is a place in a feed.
type spot struct {
	feed  traffic.Feed
	index int64
}

// place is a statement of a bundle with its place.
type place struct {
	spot
	entry     *RegisterEntry
	statement *statement.Statement // nil for what is none
	unread    error
	hearing   *hearing
	err       error // why it is not proved
	row       *EditionRow
}

// older tells whether the keeper vouches for a statement of which the bundle cannot show that it is older than the withdrawal of a key that signed it: the keeper
// had the whole feed, in which the versions of a charter never decrease, and found nothing wrong.
func (p *place) older() bool {
	r := (*Refusal)(nil)
	return errors.As(p.err, &r) && r.Code() == "withdrawn" && p.row != nil && p.row.Mark == ""
}

func (r *Reader) register(b []byte, v *RegisterVerdict) (err error) {
	g := &reading{v: v, reader: r, channels: make(map[[32]byte]*party.Channel), at: make(map[spot]*place)}
	if g.RegisterFile, err = DecodeRegister(b); err != nil {
		return decoding("register-shape", err)
	}
	v.File, v.Instrument, v.Edition = g.RegisterFile, g.RegisterFile.Instrument.String(), g.RegisterFile.Edition.String()
	if g.trust, err = r.trust(g.Charters); err != nil {
		return err
	}
	for _, step := range []func() error{g.unpack, g.signedList, g.vouch, g.doubt, g.prove, g.compare, g.fold} {
		if err := step(); err != nil {
			return err
		}
	}
	g.rest()
	return nil
}

// unpack takes the statements apart. One that does not decode is kept as such: which it is, the list will tell.
func (g *reading) unpack() error {
	for _, raw := range g.Channels {
		c, err := party.DecodeChannel(raw)
		if err != nil {
			return decoding("channel", err)
		}
		g.channels[c.ID()] = c
	}
	for i := range g.Feeds {
		s := &g.Feeds[i]
		note, err := feed.ReadNote(s.Checkpoint)
		if err != nil {
			return decoding("note", err)
		}
		seals := &seals{note: note}
		for n, raw := range s.Entries {
			p := &place{spot: spot{s.Feed, int64(-1 - n)}}
			if p.entry, p.unread = DecodeRegisterEntry(raw); p.unread == nil {
				p.index = p.entry.Index
				p.statement, p.unread = statement.Decode(p.entry.Statement)
			}
			if g.at[p.spot] != nil {
				return &Refusal{"register-shape", fmt.Errorf("%w: two entries in one place, %d of %s", ErrRegisterShape, p.index, s.Feed.Origin())}
			}
			g.at[p.spot] = p
			g.places = append(g.places, p)
			if p.statement == nil {
				continue
			}
			p.hearing = g.hearing(s, p, seals)
			switch p.statement.ID() {
			case g.Edition:
				g.edition = p
			case g.Instrument:
				g.opening = p
			}
		}
	}
	return nil
}

func (g *reading) hearing(s *RegisterFeed, p *place, seals *seals) *hearing {
	path := make([][32]byte, len(p.entry.Path)/32)
	for i := range path {
		path[i] = [32]byte(p.entry.Path[32*i:])
	}
	h := &hearing{v: &Verdict{}, trust: g.trust, channel: g.channels[s.Feed.Channel], checkpoint: seals.note, seals: seals}
	h.Proof = &feed.Proof{Feed: s.Feed, Index: p.entry.Index, Statement: p.entry.Statement, Path: path, Checkpoint: s.Checkpoint, Adoptions: p.entry.Adoptions}
	return h
}

// hear judges one statement.
func (g *reading) hear(p *place) error {
	if p.unread != nil {
		return decoding("register-shape", p.unread)
	}
	h := p.hearing
	if h.channel == nil || h.channel.Kind != party.Public {
		return &Refusal{"wrong-feed", fmt.Errorf("%w: of no public channel that the bundle describes", ErrWrongFeed)}
	}
	h.v.Position = &Position{h.Feed.Origin(), h.Index, h.checkpoint.Size, hex.EncodeToString(h.checkpoint.Root[:])}
	for _, a := range h.Adoptions {
		var err error
		if h.adoption, err = statement.Decode(a.Statement); err != nil {
			return decoding("register-shape", err)
		}
	}
	return g.reader.hear(h)
}

// signedList finds the edition and proves it before anything else: it says which acts there are.
func (g *reading) signedList() error {
	if g.edition == nil {
		return &Refusal{"edition", ErrEdition}
	}
	g.v.Keeper = g.edition.feed.Party
	if err := g.hear(g.edition); err != nil {
		return err
	}
	d := g.edition.hearing.v
	if d.form == nil || d.form.ID != "edition" {
		return &Refusal{"edition", fmt.Errorf("%w: it is no edition, or the regime of the public channels is not at hand", ErrEdition)}
	}
	blob, ok := d.values.Blob("list")
	if !ok || blob.Hash != sha256.Sum256(g.List) || !bytes.Equal(d.values.Bytes("instrument"), g.Instrument[:]) {
		return &Refusal{"list", ErrList}
	}
	var err error
	if g.list, g.rows, err = DecodeEditionList(g.List); err != nil {
		return decoding("list", err)
	}
	root := ActsRoot(g.list.Rows)
	if g.list.Instrument != g.Instrument || g.list.Known != d.values.Int("known") || int64(len(g.rows)) != d.values.Int("count") ||
		!bytes.Equal(root[:], d.values.Bytes("acts")) {
		return &Refusal{"list", ErrList}
	}
	g.v.Known = time.Unix(g.list.Known, 0).UTC()
	return nil
}

// vouch takes the charters of those that the reader does not know from the keeper's list: the keeper's word for who they are.
func (g *reading) vouch() error {
	for _, pin := range g.list.Pins {
		if g.trust.chains[pin.Party] != nil {
			continue
		}
		if g.trust.vouch(pin.Party, pin.Genesis) {
			g.v.Vouched = append(g.v.Vouched, pin.Party)
		}
	}
	return nil
}

// prove judges every statement, on all cores.
func (g *reading) prove() error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for chunk := range slices.Chunk(g.places, 64) {
		group.Go(func() error {
			for _, p := range chunk {
				if p != g.edition {
					p.err = g.hear(p)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// compare sets the acts of the bundle beside those of the list.
func (g *reading) compare() error {
	feeds := make([]traffic.Feed, len(g.list.Feeds))
	for i, origin := range g.list.Feeds {
		var err error
		if feeds[i], err = traffic.ParseOrigin(origin); err != nil {
			return &Refusal{"list", fmt.Errorf("%w: %w", ErrList, err)}
		}
	}
	if err := g.load(); err != nil {
		return err
	}
	for i := range g.rows {
		row := &g.rows[i]
		if row.Feed < 0 {
			g.compareLoaded(row)
			continue
		}
		p := g.at[spot{feeds[row.Feed], row.Index}]
		switch {
		case p == nil:
			g.differs(Difference{What: Removed}, row, number(feeds[row.Feed], row.Index))
		case p.statement == nil || [32]byte(p.statement.ID()) != row.Digest:
			g.changed(row, p)
		case p.err != nil && !g.older(p, row) && !(acts.Reason(row.Why) == acts.Invalid && p.hearing.v.Logged):
			g.differs(Difference{What: Unproved, Why: p.err.Error()}, row, number(p.feed, p.index))
		}
		if p != nil {
			p.row = row
		}
	}
	g.strangers()
	return g.tampered()
}

// strangers are the acts that no row names. What is no act (full powers, the opening, the edition) needs none: it is judged on its own.
func (g *reading) strangers() {
	for _, p := range g.places {
		switch {
		case p.row != nil || p == g.edition:
		case p.statement == nil:
			g.v.Differences = append(g.v.Differences, Difference{What: Added, Place: number(p.feed, p.index), Party: p.feed.Party, Why: p.unread.Error()})
		case p.statement.Form == acts.FormAct:
			d := Difference{What: Added, Act: p.statement.ID().String(), Place: number(p.feed, p.index), Party: p.feed.Party}
			d.Kind, d.Found = declared(g.reader, p)
			g.v.Differences = append(g.v.Differences, d)
		case p.err != nil:
			g.v.Differences = append(g.v.Differences, Difference{What: Unproved, Act: p.statement.ID().String(), Place: number(p.feed, p.index), Party: p.feed.Party, Why: p.err.Error()})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(g.loaded)) {
		if l := g.loaded[id]; l.row == nil {
			g.v.Differences = append(g.v.Differences, Difference{What: Added, Act: id, Party: l.Party, Kind: string(l.Kind), Found: l.Date.String()})
		}
	}
}

// older lets the keeper vouch, and counts for how many.
func (g *reading) older(p *place, row *EditionRow) bool {
	p.row = row
	if !p.older() {
		return false
	}
	g.aged++
	return true
}

func (g *reading) differs(d Difference, row *EditionRow, where string) {
	d.Act, d.Place, d.Party, d.Kind, d.Date = row.ID, where, traffic.Party(row.Party), row.Kind, row.Date
	g.v.Differences = append(g.v.Differences, d)
}

// changed tells what stands in the place of an act: the same with another date, or something else.
func (g *reading) changed(row *EditionRow, p *place) {
	d := Difference{What: Changed}
	if p.unread != nil {
		d.Why = p.unread.Error()
	} else if kind, date := declared(g.reader, p); date != row.Date && kind == row.Kind {
		d.What, d.Found = ReDated, date
	}
	g.differs(d, row, number(p.feed, p.index))
}

// declared is the kind and the date of an act as its statement has them, whoever wrote it.
func declared(r *Reader, p *place) (kind, date string) {
	if p.statement == nil || p.hearing.channel == nil {
		return "", ""
	}
	regime := r.regime(p.hearing.channel.Regime)
	if regime == nil {
		return "", ""
	}
	f, ok := regime.Form(p.statement.Form, p.statement.Version)
	if !ok {
		return "", ""
	}
	v, err := f.Decode(p.statement.Payload)
	if err != nil {
		return "", ""
	}
	if f.ID == acts.FormOpening {
		return string(acts.Open), acts.DayOf(p.statement.IssuedAt).String()
	}
	return v.Text("kind"), acts.DayOf(v.Time("date")).String()
}

func (g *reading) tampered() error {
	n := len(g.v.Differences)
	if n == 0 {
		return nil
	}
	d := g.v.Differences[0]
	return &Refusal{"tampered", fmt.Errorf("%w: %s", ErrTampered, d.String())}
}

// String says it in one line.
func (d Difference) String() string {
	text := d.What + ": " + safe(d.Act[:min(len(d.Act), 16)])
	if d.Place != "" {
		text += " (" + safe(d.Place) + ")"
	}
	if d.Party != "" {
		text += " of " + safe(string(d.Party))
	}
	if d.Kind != "" {
		text += ", " + safe(d.Kind)
	}
	switch {
	case d.What == ReDated:
		text += ", from " + d.Date + " to " + d.Found
	case d.Date != "":
		text += ", " + d.Date
	}
	if d.Why != "" {
		text += ": " + safe(d.Why)
	}
	return text
}

// number names a place in a feed for a person.
func number(f traffic.Feed, index int64) string {
	if index < 0 {
		return fmt.Sprintf("%s, entry %d that cannot be read", f.Origin(), -1-index)
	}
	return fmt.Sprintf("%s, index %d", f.Origin(), index)
}

// rest says on whose charters the verdict rests.
func (g *reading) rest() {
	g.v.RestsOn = append(g.v.RestsOn, g.trust.basis(g.v.Keeper))
	seen := map[traffic.Party]bool{g.v.Keeper: true}
	for _, s := range g.Feeds {
		if p := s.Feed.Party; !seen[p] && g.trust.given[p] != nil {
			seen[p] = true
			g.v.RestsOn = append(g.v.RestsOn, g.trust.basis(p))
		}
	}
	g.v.note("That no act is missing from the list is the word of %s: whoever knows of one that is not in it can show it.", g.v.Keeper)
	if g.aged > 0 {
		g.v.note("Keys were withdrawn that had signed %d of the acts. That these are older is the word of %s.", g.aged, g.v.Keeper)
	}
	for _, p := range g.v.Forked {
		g.v.note("%s has signed two histories of a feed: from when the keeper knew it, its acts change no status.", p)
	}
	if n := len(g.v.Vouched); n > 0 {
		g.v.note("Whose keys are whose is, for %d of the parties, the word of %s as well: give the charters that you have compared to rest on nobody's.", n, g.v.Keeper)
	}
}

func (v *RegisterVerdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

// formOf reads the fields of a statement that was heard.
func (p *place) formOf() (*form.Form, form.Values) {
	if p.hearing == nil || p.hearing.v.form == nil {
		return nil, nil
	}
	return p.hearing.v.form, p.hearing.v.values
}
