package evidence_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"detente/acts"
	"detente/canonical"
	"detente/evidence"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"
)

// podium is the public feed of a party, in memory.
type podium struct {
	*capital
	channel *party.Channel
	feed    traffic.Feed
	entries [][]byte
}

// forum is three capitals that speak in public: xl keeps the register.
type forum struct {
	t           testing.TB
	regime      *form.Regime
	all         []*form.Regime
	xl, xn, xs  *podium
	xw          *podium // nil in most stories
	forked      map[traffic.Party]time.Time
	forkObjects [][]byte
	opening     statement.ID
	file        *evidence.RegisterFile
}

func newForum(t testing.TB) *forum {
	t.Helper()
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	f := &forum{t: t, all: all}
	f.regime = all[slices.IndexFunc(all, func(r *form.Regime) bool { return r.ID == "public" })]
	f.xl, f.xn, f.xs = f.found("xl"), f.found("xn"), f.found("xs")
	return f
}

func (f *forum) found(id traffic.Party) *podium {
	c := found(f.t, id)
	p := &podium{capital: c, channel: party.PublicChannel(c.chain)}
	p.feed = traffic.Feed{Channel: p.channel.ID(), Party: id, Plane: traffic.Real, Precedence: traffic.Routine}
	return p
}

// says states something in public, and gives its id.
func (f *forum) says(p *podium, name string, fields map[string]any, change func(*word)) statement.ID {
	f.t.Helper()
	p.clock++
	d := word{Header: statement.Header{Issuer: traffic.Address{Party: p.id, Post: "mfa"}, Audience: statement.Everyone, IssuedAt: noon.Add(time.Duration(p.clock) * time.Hour),
		Channel: p.channel.ID(), Plane: traffic.Real, Precedence: traffic.Routine, Form: name, Version: 1, Clock: p.clock, Language: "en", Drafter: "duty-officer", Releaser: "head-of-post",
		Charter: p.chain.Latest().Version}}
	if change != nil {
		change(&d)
	}
	fm, ok := f.regime.Latest(name)
	if !ok {
		f.t.Fatalf("no form %s", name)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		f.t.Fatal(err)
	}
	v, err := fm.FromJSON(raw)
	if err != nil {
		f.t.Fatal(err)
	}
	if d.payload, err = fm.Encode(v); err != nil {
		f.t.Fatal(err)
	}
	if d.signers == nil {
		if d.signers, err = p.ring.Signers(d.Issuer.Post, d.Plane, judge.Demanded(p.channel, d.Form)...); err != nil {
			f.t.Fatal(err)
		}
	}
	s, err := statement.Sign(d.Header, d.payload, d.signers...)
	if err != nil {
		f.t.Fatal(err)
	}
	p.entries = append(p.entries, s.Bytes())
	return s.ID()
}

func (f *forum) act(p *podium, kind acts.Kind, date string, more map[string]any) statement.ID {
	f.t.Helper()
	fields := map[string]any{"instrument": hex.EncodeToString(f.opening[:]), "kind": string(kind), "date": date + "T00:00:00Z"}
	for k, v := range more {
		fields[k] = v
	}
	return f.says(p, "act", fields, nil)
}

func (f *forum) everybody() []*podium {
	if f.xw == nil {
		return []*podium{f.xl, f.xn, f.xs}
	}
	return []*podium{f.xl, f.xn, f.xs, f.xw}
}

func pledged() acts.Rules {
	return acts.Rules{Version: 1, Nature: acts.Political, Eligibility: acts.Eligibility{Who: acts.EligibleAll}, Entry: acts.Entry{Threshold: 2},
		Reservations: acts.Reservations{Regime: acts.ReservePermitted}, Runs: acts.RunsAll}
}

// opens has xl open a pledge.
func (f *forum) opens() {
	rules := pledged()
	b, err := rules.Bytes()
	if err != nil {
		f.t.Fatal(err)
	}
	f.opening = f.says(f.xl, "instrument-opening", map[string]any{"title": map[string]string{"en": "Commitment not to strike first", "ru": "Обязательство не наносить удар первыми"},
		"kind": "declaration", "nature": "political", "texts": map[string]string{"en": "We shall not be the first."}, "languages": "en ru", "rules": string(b)}, nil)
}

// hashes is a tree in memory.
type hashes []tlog.Hash

func (h hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range at {
		out = append(out, h[i])
	}
	return out, nil
}

// section is a podium's feed as a bundle has it.
func (f *forum) section(p *podium) evidence.RegisterFeed {
	f.t.Helper()
	var tree hashes
	for i, b := range p.entries {
		more, err := tlog.StoredHashes(int64(i), b, tree)
		if err != nil {
			f.t.Fatal(err)
		}
		tree = append(tree, more...)
	}
	size := int64(len(p.entries))
	root, err := tlog.TreeHash(size, tree)
	if err != nil {
		f.t.Fatal(err)
	}
	c := feed.Checkpoint{Feed: p.feed, Size: size, Root: root}
	one, err1 := c.Sign(p.ring.Checkpoint, noon)
	two, err2 := c.Sign(p.ring.CheckpointPQ, noon)
	if err := errors.Join(err1, err2); err != nil {
		f.t.Fatal(err)
	}
	s := evidence.RegisterFeed{Feed: p.feed, Checkpoint: c.Note(one + two)}
	for i, b := range p.entries {
		path, err := tlog.ProveRecord(size, int64(i), tree)
		if err != nil {
			f.t.Fatal(err)
		}
		e := &evidence.RegisterEntry{Index: int64(i), Statement: b}
		for _, h := range path {
			e.Path = append(e.Path, h[:]...)
		}
		s.Entries = append(s.Entries, encoded(f.t, e))
	}
	return s
}

// gathers makes a bundle of all that was said.
func (f *forum) gathers() *evidence.RegisterFile {
	out := &evidence.RegisterFile{Instrument: f.opening, Forks: f.forkObjects}
	for _, p := range f.everybody() {
		out.Charters = append(out.Charters, p.charters()...)
		out.Channels = append(out.Channels, p.channel.Bytes())
		out.Feeds = append(out.Feeds, f.section(p))
	}
	return out
}

// publishes has xl sign a list of all acts, and makes the bundle.
func (f *forum) publishes(collection ...acts.Act) {
	f.t.Helper()
	draft := f.gathers()
	if len(collection) > 0 {
		b, err := json.Marshal(&acts.Collection{Format: acts.CollectionFormat, Title: map[string]string{"en": "An older list"}, Rules: pledged(), Acts: collection})
		if err != nil {
			f.t.Fatal(err)
		}
		draft.Collection = b
	}
	l, err := f.reader("xl", "xn", "xs", "xw").Draft(draft, noon.AddDate(0, 1, 0), nil, f.forked)
	if err != nil {
		f.t.Fatal(err)
	}
	list := encoded(f.t, l)
	edition := f.signs(l, list, noon.AddDate(0, 1, 0))
	f.file = f.gathers()
	f.file.Collection, f.file.List, f.file.Edition = draft.Collection, list, edition
}

// signs has xl state an edition.
func (f *forum) signs(l *evidence.EditionList, list []byte, until time.Time) statement.ID {
	f.t.Helper()
	root, sum := evidence.ActsRoot(l.Rows), sha256.Sum256(list)
	return f.says(f.xl, "edition", map[string]any{"instrument": hex.EncodeToString(f.opening[:]), "acts": hex.EncodeToString(root[:]), "count": len(l.Rows),
		"known": until.Format(time.RFC3339), "list": map[string]any{"hash": hex.EncodeToString(sum[:]), "size": len(list), "name": "acts", "type": "application/cbor"}}, nil)
}

func (f *forum) reader(trusts ...traffic.Party) *evidence.Reader {
	r := &evidence.Reader{Registry: key.Standard(), Trusted: map[traffic.Party]*party.Chain{}, Regimes: f.all}
	for _, p := range f.everybody() {
		if slices.Contains(trusts, p.id) {
			r.Trusted[p.id] = p.chain
		}
	}
	return r
}

// told is a forum in which two have adhered, one of them with an understanding.
func told(t testing.TB) *forum {
	f := newForum(t)
	f.opens()
	f.act(f.xn, acts.Adhere, "2026-11-20", map[string]any{"texts": map[string]string{"en": "Northland will not be the first."}})
	f.act(f.xs, acts.Adhere, "2026-11-21", nil)
	f.act(f.xs, acts.Understand, "2026-11-21", map[string]any{"texts": map[string]string{"ru": "Под нападением понимается причинение вреда."}})
	f.act(f.xn, acts.Declare, "2026-11-22", nil)
	return f
}

func TestRegisterBundleProves(t *testing.T) {
	f := told(t)
	f.publishes()
	v, err := f.reader("xl", "xn", "xs").Register(encoded(t, f.file))
	if err != nil {
		t.Fatal(err, v.Differences)
	}
	if len(v.Acts) != 5 || v.Keeper != "xl" || v.Status.Counts[acts.InForce] != 2 || v.Status.Entry.String() != "2026-11-21" || len(v.Vouched) != 0 || len(v.RestsOn) != 3 {
		t.Errorf("%+v", v)
	}
	if v.Title["en"] != "Commitment not to strike first" || v.Record.Acts[0].Texts["en"] != "Northland will not be the first." || !v.Acts[0].Signed {
		t.Errorf("%+v", v.Record.Acts[0])
	}
	var out strings.Builder
	if err := v.Print(&out); err != nil || !strings.Contains(out.String(), "PROVED") || !strings.Contains(out.String(), "since 2026-11-21") {
		t.Error(out.String(), err)
	}
}

// Whoever trusts the keeper alone has its word for the others' charters, and is told so; whoever trusts nobody learns whose words to compare.
func TestRegisterBundleRestsOnWhomTheReaderTrusts(t *testing.T) {
	f := told(t)
	f.publishes()
	b := encoded(t, f.file)
	v, err := f.reader("xl").Register(b)
	if err != nil || len(v.Vouched) != 2 || !hasNote(v.Notes, "the word of xl as well") {
		t.Errorf("%v %+v", err, v.Notes)
	}
	v, err = f.reader().Register(b)
	if !errors.Is(err, evidence.ErrUntrusted) || v.Compare == nil || v.Compare.Party != "xl" || len(v.Compare.Words["en"]) == 0 {
		t.Errorf("%v %+v", err, v.Compare)
	}
	chain, err := evidence.RegisterCharters(b, key.Standard(), "xl")
	if err != nil || chain.Genesis() != f.xl.chain.Genesis() {
		t.Error(err)
	}
	if v, err = f.reader("xn").Register(b); !errors.Is(err, evidence.ErrUntrusted) || v.Compare.Party != "xl" {
		t.Error(err)
	}
}

// copied is the forum as it is, to be changed by one test.
func (f *forum) copied(t testing.TB) *forum {
	t.Helper()
	out := *f
	out.t = t
	for _, p := range []**podium{&out.xl, &out.xn, &out.xs} {
		podium, capital := **p, *(*p).capital
		podium.capital, podium.entries = &capital, slices.Clone(podium.entries)
		*p = &podium
	}
	var err error
	if out.file, err = evidence.DecodeRegister(encoded(t, f.file)); err != nil {
		t.Fatal(err)
	}
	return &out
}

// entryAt finds an entry of a bundle by its statement.
func entryAt(t testing.TB, f *evidence.RegisterFile, p traffic.Party, n int) (*evidence.RegisterFeed, *evidence.RegisterEntry) {
	t.Helper()
	for i := range f.Feeds {
		if f.Feeds[i].Feed.Party == p {
			e, err := evidence.DecodeRegisterEntry(f.Feeds[i].Entries[n])
			if err != nil {
				t.Fatal(err)
			}
			return &f.Feeds[i], e
		}
	}
	t.Fatal("no such feed")
	return nil, nil
}

// Whatever is done to one act, the verdict says to which.
func TestTamperedRegisterBundleSaysWhichAct(t *testing.T) {
	whole := told(t)
	whole.publishes(acts.Act{ID: "w1", Party: "xw", Kind: acts.Adhere, Date: acts.NewDay(2025, 5, 1), Texts: map[string]string{"en": "Westland joins."}})
	if _, err := whole.reader("xl").Register(encoded(t, whole.file)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, what string
		party      traffic.Party
		kind       string
		tamper     func(f *forum)
	}{
		{"an act is taken out", evidence.Removed, "xs", "understand", func(f *forum) {
			s, _ := entryAt(f.t, f.file, "xs", 1)
			s.Entries = s.Entries[:1]
		}},
		{"its words are changed", evidence.Changed, "xn", "adhere", func(f *forum) {
			s, e := entryAt(f.t, f.file, "xn", 0)
			e.Statement = []byte(strings.Replace(string(e.Statement), "will not be the first", "will yet be the first", 1))
			s.Entries[0] = encoded(f.t, e)
		}},
		{"one bit of its signature is changed", evidence.Changed, "xn", "declare", func(f *forum) {
			s, e := entryAt(f.t, f.file, "xn", 1)
			e.Statement[len(e.Statement)-1] ^= 1
			s.Entries[1] = encoded(f.t, e)
		}},
		{"it is noise", evidence.Changed, "xn", "declare", func(f *forum) {
			s, e := entryAt(f.t, f.file, "xn", 1)
			e.Statement = []byte("noise")
			s.Entries[1] = encoded(f.t, e)
		}},
		{"its date is changed", evidence.ReDated, "xs", "adhere", func(f *forum) {
			s, e := entryAt(f.t, f.file, "xs", 0)
			was, err := canonical.Marshal(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC).Unix())
			now, err2 := canonical.Marshal(time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC).Unix())
			if err != nil || err2 != nil || !strings.Contains(string(e.Statement), string(was)) {
				f.t.Fatal("the date is not where it should be")
			}
			e.Statement = []byte(strings.Replace(string(e.Statement), string(was), string(now), 1))
			s.Entries[0] = encoded(f.t, e)
		}},
		{"its own party signs it anew with another date", evidence.ReDated, "xs", "adhere", func(f *forum) {
			f.xs.entries, f.xs.clock = nil, 0
			f.act(f.xs, acts.Adhere, "2026-11-01", nil)
			f.act(f.xs, acts.Understand, "2026-11-21", map[string]any{"texts": map[string]string{"ru": "Под нападением понимается причинение вреда."}})
			s, _ := entryAt(f.t, f.file, "xs", 0)
			*s = f.section(f.xs)
		}},
		{"its party signs one that the keeper has not", evidence.Added, "xs", "declare", func(f *forum) {
			f.act(f.xs, acts.Declare, "2026-11-23", nil)
			s, _ := entryAt(f.t, f.file, "xs", 0)
			*s = f.section(f.xs)
		}},
		{"one is invented", evidence.Added, "xs", "denounce", func(f *forum) {
			f.xs.ring = found(f.t, "xs").ring
			f.act(f.xs, acts.Denounce, "2026-11-23", nil)
			last := f.section(f.xs).Entries
			s, _ := entryAt(f.t, f.file, "xs", 0)
			s.Entries = append(s.Entries, last[len(last)-1])
		}},
		{"its place in the feed is not proved", evidence.Unproved, "xn", "declare", func(f *forum) {
			s, e := entryAt(f.t, f.file, "xn", 1)
			e.Path[3] ^= 1
			s.Entries[1] = encoded(f.t, e)
		}},
		{"an act of the collection is taken out", evidence.Removed, "xw", "adhere", func(f *forum) {
			var c acts.Collection
			if err := json.Unmarshal(f.file.Collection, &c); err != nil {
				f.t.Fatal(err)
			}
			c.Acts = nil
			b, err := json.Marshal(&c)
			if err != nil {
				f.t.Fatal(err)
			}
			f.file.Collection = b
		}},
		{"an act of the collection is dated otherwise", evidence.ReDated, "xw", "adhere", func(f *forum) {
			f.file.Collection = []byte(strings.Replace(string(f.file.Collection), "2025-05-01", "2024-05-01", 1))
		}},
		{"an act of the collection is changed", evidence.Changed, "xw", "adhere", func(f *forum) {
			f.file.Collection = []byte(strings.Replace(string(f.file.Collection), "Westland", "Eastland", 1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := whole.copied(t)
			c.tamper(f)
			v, err := f.reader("xl").Register(encoded(t, f.file))
			if err == nil || v.Reason != "tampered" || len(v.Differences) != 1 {
				t.Fatalf("%v: %+v", err, v.Differences)
			}
			d := v.Differences[0]
			if d.What != c.what || d.Party != c.party || d.Kind != c.kind || (d.What == evidence.ReDated) != (d.Found != "" && d.Date != "") {
				t.Errorf("%+v", d)
			}
			var out strings.Builder
			if err := v.Print(&out); err != nil || !strings.Contains(out.String(), d.What+": ") || strings.Contains(out.String(), "PROVED") {
				t.Error(out.String(), err)
			}
		})
	}
}

// A collection of acts that nobody signed can be kept as well: its digest stands for the opening, and all of it is the keeper's word.
func TestCollectionInARegister(t *testing.T) {
	f := newForum(t)
	c := &acts.Collection{Format: acts.CollectionFormat, Title: map[string]string{"en": "An older list"}, Rules: pledged(), Acts: []acts.Act{
		{ID: "a", Party: "xw", Kind: acts.Adhere, Date: acts.NewDay(2001, 5, 1)}, {ID: "b", Party: "xe", Kind: acts.Adhere, Date: acts.NewDay(2002, 5, 1)},
		{ID: "c", Party: "xe", Kind: acts.Declare, Date: acts.NewDay(2003, 5, 1)}}}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	f.collects(b)
	v, err := f.reader("xl").Register(encoded(t, f.file))
	if err != nil {
		t.Fatal(err, v.Differences)
	}
	if v.Title["en"] != "An older list" || v.Status.Counts[acts.InForce] != 2 || v.Acts[0].Signed || !hasNote(v.Notes, "rest on the word of xl alone: 3") {
		t.Errorf("%+v", v)
	}
	for was, now := range map[string]string{"2002-05-01": "2002-05-02", "An older list": "Another list", `"threshold":2`: `"threshold":1`} {
		f.file.Collection = []byte(strings.Replace(string(b), was, now, 1))
		if v, err := f.reader("xl").Register(encoded(t, f.file)); err == nil || (was == "2002-05-01") != (v.Reason == "tampered" && v.Differences[0].Act == "b") {
			t.Errorf("%s: %v %+v", was, err, v.Differences)
		}
	}
}

// collects has xl sign an edition of a collection.
func (f *forum) collects(file []byte) {
	f.t.Helper()
	draft := &evidence.RegisterFile{Instrument: sha256.Sum256(file), Collection: file}
	l, err := f.reader("xl").Draft(draft, noon, nil, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.opening = draft.Instrument
	list := encoded(f.t, l)
	edition := f.signs(l, list, noon)
	f.file = f.gathers()
	f.file.Collection, f.file.List, f.file.Edition = file, list, edition
}

// What the keeper signed cannot be changed with it.
func TestListOfARegisterIsTheKeepers(t *testing.T) {
	f := told(t)
	f.publishes()
	for name, tamper := range map[string]func(*evidence.RegisterFile){
		"list":    func(r *evidence.RegisterFile) { r.List[len(r.List)-1] ^= 1 },
		"edition": func(r *evidence.RegisterFile) { r.Edition[0] ^= 1 },
		"another": func(r *evidence.RegisterFile) { r.Edition = f.opening },
		"opening": func(r *evidence.RegisterFile) { r.Instrument = r.Edition },
	} {
		b := encoded(t, f.file)
		r, err := evidence.DecodeRegister(b)
		if err != nil {
			t.Fatal(err)
		}
		tamper(r)
		v, err := f.reader("xl").Register(encoded(t, r))
		if err == nil || v.Reason != "list" && v.Reason != "edition" {
			t.Errorf("%s: %v, %s", name, err, v.Reason)
		}
	}
}

// A party that is invalid is named, and moves nothing.
func TestInvalidActIsInTheBundleAndCountsForNothing(t *testing.T) {
	f := told(t)
	f.xs.clock++
	stranger := stranger(t, key.Ed25519)
	f.says(f.xs, "act", map[string]any{"instrument": hex.EncodeToString(f.opening[:]), "kind": "denounce", "date": "2026-11-23T00:00:00Z"}, func(d *word) { d.signers = []key.Signer{stranger} })
	f.publishes()
	v, err := f.reader("xl").Register(encoded(t, f.file))
	if err != nil {
		t.Fatal(err, v.Differences)
	}
	i := slices.IndexFunc(v.Acts, func(a evidence.RegisterAct) bool { return a.Why == acts.Invalid })
	if i < 0 || v.Acts[i].Party != "xs" || v.Status.Counts[acts.InForce] != 2 {
		t.Errorf("%+v", v.Acts)
	}
}

func TestHostileRegisterBundlesAreRefusedBeforeTheyAreRead(t *testing.T) {
	f := told(t)
	f.publishes()
	for name, change := range map[string]func(*evidence.RegisterFile){
		"a feed twice":    func(r *evidence.RegisterFile) { r.Feeds = append(r.Feeds, r.Feeds[0]) },
		"an entry twice":  func(r *evidence.RegisterFile) { r.Feeds[0].Entries = append(r.Feeds[0].Entries, r.Feeds[0].Entries[0]) },
		"many feeds":      func(r *evidence.RegisterFile) { r.Feeds = make([]evidence.RegisterFeed, 5000) },
		"many entries":    func(r *evidence.RegisterFile) { r.Feeds[0].Entries = make([][]byte, 70_000) },
		"many charters":   func(r *evidence.RegisterFile) { r.Charters = make([][]byte, 20_000) },
		"no checkpoint":   func(r *evidence.RegisterFile) { r.Feeds[0].Checkpoint = "" },
		"no collection":   func(r *evidence.RegisterFile) { r.Collection = []byte("{") },
		"no list":         func(r *evidence.RegisterFile) { r.List = nil },
		"foreign channel": func(r *evidence.RegisterFile) { r.Channels = nil },
	} {
		r, err := evidence.DecodeRegister(encoded(t, f.file))
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		b, err := r.Encode()
		if err != nil {
			continue // it cannot even be written
		}
		if v, err := f.reader("xl").Register(b); err == nil || v.Reason == "" {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := f.reader("xl").Register(make([]byte, 100)); err == nil {
		t.Error("zeros are taken")
	}
}

// The parsers alone: a whole bundle takes longer to prove than a fuzzer has patience.
func FuzzRegister(f *testing.F) {
	w := told(f)
	w.publishes()
	f.Add(encoded(f, &evidence.RegisterFile{Instrument: w.opening, List: w.file.List, Feeds: w.file.Feeds[1:2]}))
	f.Add(w.file.List)
	f.Add(w.file.Feeds[1].Entries[0])
	f.Add([]byte("\x82\x73detente-register.v1\xa0"))
	r := &evidence.Reader{Registry: key.Standard(), Regimes: w.all}
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := evidence.DecodeRegisterEntry(b); err == nil && string(encoded(t, e)) != string(b) {
			t.Fatal("an entry has two spellings")
		}
		if l, rows, err := evidence.DecodeEditionList(b); err == nil && (string(encoded(t, l)) != string(b) || len(rows) != len(l.Rows)) {
			t.Fatal("a list has two spellings")
		}
		file, err := evidence.DecodeRegister(b)
		if err == nil && string(encoded(t, file)) != string(b) {
			t.Fatal("a bundle has two spellings")
		}
		if v, err := r.Register(b); err == nil || v.Result != evidence.Refused {
			t.Fatal("proved to a reader who trusts nobody")
		}
	})
}
