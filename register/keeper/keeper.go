// Package keeper is what a node does as the keeper of a register: it signs which acts there are, and makes the bundles by which anybody can check that.
// It must never leave out an act that the node holds, nor sign what its own reader of evidence would refuse.
package keeper

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/acts"
	"detente/archive"
	"detente/evidence"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/register"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// Errors of a keeper.
var (
	ErrNoInstrument = errors.New("keeper: no such instrument is open")
	ErrNoCharter    = errors.New("keeper: no charter of a party whose feed is held")
	ErrNoEdition    = errors.New("keeper: this party has signed no edition of the instrument")
)

// FormEdition is the form in which a keeper signs which acts there are.
const FormEdition = "edition"

// Keeper makes editions and bundles from the public feeds that a node holds.
type Keeper struct {
	Node    *node.Node
	Regimes []*form.Regime
	// Collections gives the files of acts that were imported, by their SHA-256, which stands for an opening; nil for none.
	Collections func(ctx context.Context) (map[statement.ID][]byte, error)
}

// public is the public feeds of the real plane, as far as they concern instruments.
type public struct {
	heads  []*held
	forks  [][]byte
	forked map[traffic.Party]time.Time
}

type held struct {
	feed    traffic.Feed
	channel *party.Channel
	entries []entry
}

type entry struct {
	feed.Entry
	statement *statement.Statement
	values    form.Values
}

// Instruments lists the openings that the node holds, the oldest first.
func (k *Keeper) Instruments(ctx context.Context) ([]statement.ID, error) {
	p, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	type opened struct {
		at    time.Time
		clock int64
		id    statement.ID
	}
	var all []opened
	for _, h := range p.heads {
		for _, e := range h.entries {
			if e.statement.Form == acts.FormOpening && e.Reason == "" {
				all = append(all, opened{e.statement.IssuedAt, e.statement.Clock, e.statement.ID()})
			}
		}
	}
	slices.SortFunc(all, func(a, b opened) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.clock, b.clock), slices.Compare(a.id[:], b.id[:]))
	})
	var out []statement.ID
	for _, o := range all {
		out = append(out, o.id)
	}
	collections, err := k.collections(ctx)
	if err != nil {
		return nil, err
	}
	return append(out, slices.SortedFunc(maps.Keys(collections), func(a, b statement.ID) int { return slices.Compare(a[:], b[:]) })...), nil
}

func (k *Keeper) collections(ctx context.Context) (map[statement.ID][]byte, error) {
	if k.Collections == nil {
		return nil, nil
	}
	all, err := k.Collections(ctx)
	if err != nil {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	return all, nil
}

// Find gives the instrument whose id begins so. Error: ErrNoInstrument for none or several.
func (k *Keeper) Find(ctx context.Context, prefix string) (id statement.ID, err error) {
	all, err := k.Instruments(ctx)
	if err != nil {
		return id, err
	}
	found := 0
	for _, o := range all {
		if strings.HasPrefix(o.String(), strings.ToLower(prefix)) {
			id = o
			found++
		}
	}
	if found != 1 || len(prefix) < 4 {
		return id, fmt.Errorf("%w: %d begin with %q", ErrNoInstrument, found, prefix)
	}
	return id, nil
}

// Edition signs a list of all acts of an instrument that the node holds, in its own public feed. Error: ErrNoInstrument, and those of the node.
func (k *Keeper) Edition(ctx context.Context, instrument statement.ID, post traffic.Post, drafter, releaser string, now time.Time) (node.Sent, error) {
	p, err := k.read(ctx)
	if err != nil {
		return node.Sent{}, err
	}
	file, marks, err := k.gather(ctx, p, instrument, nil, nil)
	if err != nil {
		return node.Sent{}, err
	}
	now = now.Truncate(time.Second)
	list, err := k.reader().Draft(file, now, marks, p.forked)
	if err != nil {
		return node.Sent{}, fmt.Errorf("keeper: edition: %w", err)
	}
	b, err := list.Encode()
	if err != nil {
		return node.Sent{}, err
	}
	root := evidence.ActsRoot(list.Rows)
	own := k.Node.Chain(k.Node.Self())
	d := node.Draft{
		Channel: party.PublicChannel(own).ID(), Plane: traffic.Real, Precedence: traffic.Routine, Post: post, Audience: statement.Everyone, Form: FormEdition,
		Values: form.Values{"instrument": instrument[:], "acts": root[:], "count": int64(len(list.Rows)), "known": now.Unix(),
			"list": form.Blob{Hash: sha256.Sum256(b), Size: int64(len(b)), Name: "acts.detente-list", Type: "application/cbor"}},
		Language: "en", Drafter: drafter, Releaser: releaser, Blobs: [][]byte{b},
	}
	if langs := own.Latest().Languages; len(langs) > 0 {
		d.Language = langs[0]
	}
	return k.Node.Send(ctx, d)
}

// Bundle makes the bundle of the newest edition that this party has signed of an instrument. Errors: ErrNoEdition, ErrNoInstrument.
func (k *Keeper) Bundle(ctx context.Context, instrument statement.ID) ([]byte, error) {
	p, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	edition := p.edition(k.Node.Self(), instrument)
	if edition == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoEdition, instrument.Short())
	}
	blob, ok := edition.values.Blob("list")
	if !ok {
		return nil, fmt.Errorf("%w: %s names no list", ErrNoEdition, edition.statement.ID().Short())
	}
	raw, err := k.Node.Blob(ctx, blob.Hash)
	if err != nil {
		return nil, err
	}
	_, rows, err := evidence.DecodeEditionList(raw)
	if err != nil {
		return nil, err
	}
	named := make(map[[32]byte]bool, len(rows))
	for _, r := range rows {
		named[r.Digest] = true
	}
	file, _, err := k.gather(ctx, p, instrument, named, edition)
	if err != nil {
		return nil, err
	}
	file.Edition, file.List = edition.statement.ID(), raw
	return file.Encode()
}

// Reader reads bundles as somebody who trusts whom this node trusts.
func (k *Keeper) Reader() *evidence.Reader { return k.reader() }

func (k *Keeper) reader() *evidence.Reader {
	r := &evidence.Reader{Registry: key.Standard(), Trusted: make(map[traffic.Party]*party.Chain), Regimes: k.Regimes}
	for _, p := range append(k.Node.Peers(), k.Node.Self()) {
		if chain := k.Node.Chain(p); chain != nil {
			r.Trusted[p] = chain
		}
	}
	return r
}

// edition is the newest one of a party about an instrument.
func (p *public) edition(by traffic.Party, instrument statement.ID) *entry {
	var newest *entry
	for _, h := range p.heads {
		for i := range h.entries {
			e := &h.entries[i]
			if h.feed.Party == by && e.Reason == "" && e.statement.Form == FormEdition && string(e.values.Bytes("instrument")) == string(instrument[:]) &&
				(newest == nil || newest.statement.Clock < e.statement.Clock) {
				newest = e
			}
		}
	}
	return newest
}

// read goes through the public feeds.
func (k *Keeper) read(ctx context.Context) (*public, error) {
	channels, err := k.Node.Channels(ctx)
	if err != nil {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	out := &public{forked: make(map[traffic.Party]time.Time)}
	for _, c := range channels {
		if c.Kind != party.Public {
			continue
		}
		err := k.Node.DB.View(ctx, func(tx *store.Tx) error { return k.channel(ctx, tx, c.Channel, out) })
		if err != nil {
			return nil, fmt.Errorf("keeper: %w", err)
		}
	}
	slices.SortFunc(out.heads, func(a, b *held) int {
		return strings.Compare(string(a.feed.Party)+a.feed.Origin(), string(b.feed.Party)+b.feed.Origin())
	})
	return out, k.convicted(ctx, out)
}

// convicted finds who has signed two histories of a public feed, and since when the node knows it.
func (k *Keeper) convicted(ctx context.Context, p *public) error {
	alarms, err := k.Node.Alarms(ctx)
	if err != nil {
		return fmt.Errorf("keeper: %w", err)
	}
	for _, a := range alarms {
		f, err := traffic.ParseOrigin(a.Subject)
		if a.Kind != exchange.AlarmFork || err != nil || !slices.ContainsFunc(p.heads, func(h *held) bool { return h.feed.Channel == f.Channel }) || f.Plane != traffic.Real {
			continue
		}
		if since, ok := p.forked[f.Party]; !ok || a.Raised.Before(since) {
			p.forked[f.Party] = a.Raised
		}
		p.forks = append(p.forks, a.Evidence)
	}
	return nil
}

func (k *Keeper) channel(ctx context.Context, tx *store.Tx, c *party.Channel, out *public) error {
	id := c.ID()
	heads, err := feed.Heads(ctx, tx, &id)
	if err != nil {
		return err
	}
	for _, h := range heads {
		if h.Feed.Plane != traffic.Real {
			continue
		}
		one := &held{feed: h.Feed, channel: c}
		err := h.Range(ctx, tx, 0, h.Size, func(e feed.Entry) bool {
			s, err := statement.Decode(e.Bytes)
			if err == nil && (s.Form == FormEdition || slices.Contains(acts.Forms(), s.Form)) {
				e.Bytes = slices.Clone(e.Bytes)
				one.entries = append(one.entries, entry{e, s, k.values(s)})
			}
			return true
		})
		if err != nil {
			return err
		}
		out.heads = append(out.heads, one)
	}
	return nil
}

func (k *Keeper) values(s *statement.Statement) form.Values {
	fm, _, err := k.Node.Form(s)
	if err != nil {
		return nil
	}
	v, err := fm.Decode(s.Payload)
	if err != nil {
		return nil
	}
	return v
}

// gather makes a bundle without its list: the opening, the acts (those named, or all), the full powers of whoever acts, and the edition.
func (k *Keeper) gather(ctx context.Context, p *public, instrument statement.ID, named map[[32]byte]bool, edition *entry) (*evidence.RegisterFile, func(statement.ID) (time.Time, string), error) {
	f := &evidence.RegisterFile{Instrument: instrument, Forks: p.forks}
	marks := make(map[statement.ID]string)
	since := make(map[statement.ID]time.Time) // who has signed two histories dates as it likes, too: what it says is known since it is here
	opened := false
	chosen := make([][]entry, len(p.heads))
	acting := make(map[traffic.Party]bool)
	for i, h := range p.heads {
		for _, e := range h.entries {
			id := e.statement.ID()
			take := edition != nil && id == edition.statement.ID()
			switch e.statement.Form {
			case acts.FormOpening:
				take = id == instrument
				opened = opened || take
			case acts.FormAct:
				take = string(e.values.Bytes("instrument")) == string(instrument[:]) && (named == nil || named[id])
			}
			if take {
				acting[h.feed.Party] = true
				chosen[i] = append(chosen[i], e)
				marks[id] = e.Reason
				if _, forked := p.forked[h.feed.Party]; forked {
					since[id] = e.Held
				}
			}
		}
	}
	collections, err := k.collections(ctx)
	if err != nil {
		return nil, nil, err
	}
	if f.Collection = collections[instrument]; f.Collection != nil {
		opened = true
	}
	if !opened {
		return nil, nil, fmt.Errorf("%w: %s", ErrNoInstrument, instrument.Short())
	}
	for i, h := range p.heads {
		for _, e := range h.entries {
			if acting[h.feed.Party] && (e.statement.Form == acts.FormPowers || e.statement.Form == acts.FormRevocation) && e.Reason == "" {
				chosen[i] = append(chosen[i], e)
			}
		}
		slices.SortFunc(chosen[i], func(a, b entry) int { return int(a.Index - b.Index) })
		if len(chosen[i]) == 0 {
			continue
		}
		if err := k.section(ctx, f, h, chosen[i]); err != nil {
			return nil, nil, err
		}
	}
	return f, func(id statement.ID) (time.Time, string) { return since[id], marks[id] }, k.charters(f)
}

// section adds entries of one feed, under the newest checkpoint that its party has signed.
func (k *Keeper) section(ctx context.Context, f *evidence.RegisterFile, h *held, entries []entry) error {
	s := evidence.RegisterFeed{Feed: h.feed}
	err := k.Node.DB.View(ctx, func(tx *store.Tx) error {
		head, err := feed.Find(ctx, tx, h.feed)
		if err != nil {
			return err
		}
		c, lines, err := head.LastSigned(ctx, tx)
		if err != nil {
			return err
		}
		s.Checkpoint, s.Entries = c.Note(lines), nil
		var indexes []int64
		for _, e := range entries {
			indexes = append(indexes, e.Index)
		}
		paths, err := head.Inclusions(ctx, tx, indexes, c.Size)
		if err != nil {
			return err
		}
		for i, e := range entries {
			out := &evidence.RegisterEntry{Index: e.Index, Statement: e.Bytes}
			for _, hash := range paths[i] {
				out.Path = append(out.Path, hash[:]...)
			}
			if out.Adoptions, err = k.adoption(ctx, tx, head, h, &e, c.Size); err != nil {
				return err
			}
			b, err := out.Encode()
			if err != nil {
				return err
			}
			s.Entries = append(s.Entries, b)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeper: %s: %w", h.feed.Origin(), err)
	}
	f.Feeds = append(f.Feeds, s)
	if b := h.channel.Bytes(); !slices.ContainsFunc(f.Channels, func(o []byte) bool { return string(o) == string(b) }) {
		f.Channels = append(f.Channels, b)
	}
	return nil
}

func (k *Keeper) adoption(ctx context.Context, tx *store.Tx, head *feed.Head, h *held, e *entry, size int64) ([]feed.Adoption, error) {
	out, err := k.Node.Archive.Adoption(ctx, tx, head, archive.Held{Placed: feed.Placed{Feed: h.feed, Entry: e.Entry}, Statement: e.statement})
	for i := range out {
		path, err := head.Inclusion(ctx, tx, out[i].Index, size)
		if err != nil {
			return nil, err
		}
		out[i].Path = feed.Path[[32]byte](path)
	}
	return out, err
}

// charters adds the charters of everybody whose feeds are in the bundle.
func (k *Keeper) charters(f *evidence.RegisterFile) error {
	var parties []traffic.Party
	for i := range f.Feeds {
		parties = append(parties, f.Feeds[i].Feed.Party)
	}
	slices.Sort(parties)
	for _, p := range slices.Compact(parties) {
		chain := k.Node.Chain(p)
		if chain == nil {
			return fmt.Errorf("keeper: %w: %s", ErrNoCharter, p)
		}
		for _, c := range chain.All() {
			f.Charters = append(f.Charters, c.Bytes())
		}
	}
	return nil
}

// Tiles gives a [register.Source] the feeds of its bundles as C2SP tiles.
func (k *Keeper) Tiles(ctx context.Context, list []register.Instrument) func(dir string) ([]string, error) {
	return func(dir string) ([]string, error) {
		var out []string
		for _, i := range list {
			for _, s := range i.Verdict.File.Feeds {
				name := fmt.Sprintf("feeds/%s/%s/%d", s.Feed.Party, string(s.Feed.Precedence), s.Feed.Epoch)
				if slices.Contains(out, name) {
					continue
				}
				err := k.Node.DB.View(ctx, func(tx *store.Tx) error {
					h, err := feed.Find(ctx, tx, s.Feed)
					if err != nil {
						return err
					}
					return feed.ExportTiles(ctx, tx, h, dir+"/"+name)
				})
				if err != nil {
					return nil, err
				}
				out = append(out, name)
			}
		}
		return out, nil
	}
}

// Names gives the names of parties by the collections and their charters, for those that the file of names does not speak of.
func (k *Keeper) Names(list []register.Instrument, given map[traffic.Party]register.Party) map[traffic.Party]register.Party {
	out := make(map[traffic.Party]register.Party)
	for p, n := range given {
		out[p] = n
	}
	for _, i := range list {
		for p, names := range i.Verdict.Names {
			if n := out[p]; len(n.Name) == 0 {
				n.Name = names
				out[p] = n
			}
		}
		for _, s := range i.Verdict.File.Feeds {
			p := s.Feed.Party
			if n := out[p]; len(n.Name) == 0 {
				if chain := k.Node.Chain(p); chain != nil {
					n.Name = chain.Latest().Name
					out[p] = n
				}
			}
		}
	}
	return out
}
