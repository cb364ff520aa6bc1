package party_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"detente/canonical"
	"detente/key"
	"detente/party"
	"detente/traffic"
)

// desk is where an officer pairs: a party and its pins.
type desk struct {
	*state
	dir  string
	pins *party.Pins
}

func openDesk(t testing.TB, name traffic.Party) *desk {
	t.Helper()
	d := &desk{state: found(t, name), dir: t.TempDir()}
	d.reopen(t)
	if err := d.pins.SetOwn(d.chain); err != nil {
		t.Fatal(err)
	}
	return d
}

// reopen is a new process over the same directory.
func (d *desk) reopen(t testing.TB) {
	t.Helper()
	var err error
	if d.pins, err = party.OpenPins(d.dir, key.Standard()); err != nil {
		t.Fatal(err)
	}
}

// export is the file that the party hands out.
func (d *desk) export(t testing.TB) []byte {
	t.Helper()
	b, err := party.EncodeChain(d.chain)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// says is what the officer reads out over the phone.
func (d *desk) says(t testing.TB, lang string) string {
	return strings.Join(words(t, d.chain.Latest().Fingerprint(), lang), " ")
}

// imports takes in a file of a party not paired before.
func (d *desk) imports(t testing.TB, file []byte) {
	t.Helper()
	_, trusted, err := d.pins.Import(file)
	if err != nil {
		t.Fatal(err)
	}
	if trusted {
		t.Fatal("trusted on first use")
	}
}

func pair(t testing.TB, a, b *desk) {
	t.Helper()
	a.imports(t, b.export(t))
	if _, err := a.pins.Confirm(b.chain.Party(), b.says(t, "en")); err != nil {
		t.Fatal(err)
	}
}

func TestTwoPartiesPairOverThePhone(t *testing.T) {
	north, south := openDesk(t, "xn"), openDesk(t, "xs")
	north.imports(t, south.export(t))
	south.imports(t, north.export(t))
	if north.pins.Trusted("xs") != nil || len(north.pins.Peers()) != 0 {
		t.Error("the south is trusted before anyone spoke")
	}
	if p := north.pins.Pending(); len(p) != 1 || p[0].Party() != "xs" {
		t.Errorf("pending are %v", p)
	}
	// The north reads out in English, the south answers in Russian.
	if _, err := south.pins.Confirm("xn", strings.ToUpper(north.says(t, "en"))); err != nil {
		t.Fatal(err)
	}
	if _, err := north.pins.Confirm("xs", south.says(t, "ru")); err != nil {
		t.Fatal(err)
	}
	north.reopen(t)
	if got := north.pins.Trusted("xs"); got == nil || got.Genesis() != south.chain.Genesis() {
		t.Error("the south is not trusted after a restart")
	}
	if got := north.pins.Trusted("xn"); got == nil || got.Genesis() != north.chain.Genesis() {
		t.Error("the own party is not trusted after a restart")
	}
	if len(north.pins.Pending()) != 0 || !slices.Equal(north.pins.Peers(), []traffic.Party{"xs"}) {
		t.Errorf("peers %v, pending %v", north.pins.Peers(), north.pins.Pending())
	}
}

func TestAWordMisheard(t *testing.T) {
	north, south := openDesk(t, "xn"), openDesk(t, "xs")
	north.imports(t, south.export(t))
	said := strings.Fields(south.says(t, "en"))
	even, _, err := party.Lists("en")
	if err != nil {
		t.Fatal(err)
	}
	heard := slices.Clone(said)
	heard[6] = even[(slices.Index(even, said[6])+1)%256]
	_, err = north.pins.Confirm("xs", strings.Join(heard, " "))
	if !errors.Is(err, party.ErrMismatch) || !strings.Contains(err.Error(), "word 7;") {
		t.Errorf("got %v, want word 7 to differ", err)
	}
	if strings.Contains(err.Error(), said[6]) {
		t.Error("the right word was given away")
	}
	heard[6] = "mumble"
	if _, err := north.pins.Confirm("xs", strings.Join(heard, " ")); !errors.Is(err, party.ErrWords) {
		t.Errorf("a word of no list: %v", err)
	}
	if north.pins.Trusted("xs") != nil {
		t.Fatal("trusted after a wrong word")
	}
	if _, err := north.pins.Confirm("xs", strings.Join(said, " ")); err != nil {
		t.Errorf("said again: %v", err)
	}
}

func TestAnImpostorInTheMiddle(t *testing.T) {
	north, south, impostor := openDesk(t, "xn"), openDesk(t, "xs"), openDesk(t, "xs")
	north.imports(t, impostor.export(t))
	if _, err := north.pins.Confirm("xs", south.says(t, "en")); !errors.Is(err, party.ErrMismatch) {
		t.Errorf("the impostor's file passes for the south: %v", err)
	}
	if err := north.pins.Reject("xs"); err != nil {
		t.Fatal(err)
	}
	if _, err := north.pins.Confirm("xs", impostor.says(t, "en")); !errors.Is(err, party.ErrNotPending) {
		t.Errorf("confirmed after it was rejected: %v", err)
	}
	if err := north.pins.Reject("xs"); !errors.Is(err, party.ErrNotPending) {
		t.Errorf("rejected twice: %v", err)
	}
	pair(t, north, south)
	// Once paired, nothing that is not its continuation is taken, pending or otherwise.
	for name, err := range map[string]error{
		"file":    func() error { _, _, err := north.pins.Import(impostor.export(t)); return err }(),
		"charter": func() error { _, err := north.pins.Learn("xs", impostor.charter.Bytes()); return err }(),
	} {
		if !errors.Is(err, party.ErrOtherIdentity) {
			t.Errorf("impostor's %s after pairing: %v", name, err)
		}
	}
	if got := north.pins.Trusted("xs"); got.Genesis() != south.chain.Genesis() || len(north.pins.Pending()) != 0 {
		t.Error("the impostor left a trace")
	}
}

func TestALongerChainNeedsNoNewWords(t *testing.T) {
	north, south := openDesk(t, "xn"), openDesk(t, "xs")
	pair(t, north, south)
	old := south.export(t)
	south.rotate(t, party.Withdrawal{}, "node/mirror")
	second := south.charter
	south.rotate(t, party.Withdrawal{}, "post/nrrc/real")
	ch, trusted, err := north.pins.Import(south.export(t))
	if err != nil || !trusted || ch.Latest().Version != 3 {
		t.Fatalf("a longer chain: %v, trusted %v", err, trusted)
	}
	// An older file that was long under way changes nothing.
	if ch, trusted, err = north.pins.Import(old); err != nil || !trusted || ch.Latest().Version != 3 {
		t.Errorf("an older file: %v, trusted %v", err, trusted)
	}
	if ch, err = north.pins.Learn("xs", second.Bytes()); err != nil || ch.Latest().Version != 3 {
		t.Errorf("a charter held already: %v", err)
	}
	north.reopen(t)
	if got := north.pins.Trusted("xs").Latest().Version; got != 3 {
		t.Errorf("version %d after a restart", got)
	}
}

func TestChartersArriveInBundles(t *testing.T) {
	north, south := openDesk(t, "xn"), openDesk(t, "xs")
	pair(t, north, south)
	first := south.charter
	south.rotate(t, party.Withdrawal{}, "node/bundle")
	second := south.charter
	south.rotate(t, party.Withdrawal{}, "node/bundle")
	third := south.charter
	if _, err := north.pins.Learn("xs", third.Bytes()); !errors.Is(err, party.ErrChain) {
		t.Errorf("version 3 after 1: %v", err)
	}
	// What comes before the first that is wrong is kept.
	ch, err := north.pins.Learn("xs", first.Bytes(), second.Bytes(), []byte("junk"), third.Bytes())
	if err == nil || ch.Latest().Version != 2 {
		t.Errorf("version %d, %v", ch.Latest().Version, err)
	}
	if ch, err = north.pins.Learn("xs", third.Bytes()); err != nil || ch.Latest().Version != 3 {
		t.Errorf("version %d, %v", ch.Latest().Version, err)
	}
	if _, err := north.pins.Learn("xs", north.charter.Bytes()); !errors.Is(err, party.ErrParty) {
		t.Errorf("another party's charter: %v", err)
	}
	if _, err := north.pins.Learn("xl", first.Bytes()); !errors.Is(err, party.ErrParty) {
		t.Errorf("of a party that is not paired: %v", err)
	}
	north.reopen(t)
	if got := north.pins.Trusted("xs").Latest().Version; got != 3 {
		t.Errorf("version %d after a restart", got)
	}
}

// A party whose roots sign two versions 2 shows different charters to different peers.
func TestAPartyWithTwoSecondVersions(t *testing.T) {
	north, south := openDesk(t, "xn"), openDesk(t, "xs")
	pair(t, north, south)
	twin := south.amend(t, nil)
	south.rotate(t, party.Withdrawal{}, "node/bundle")
	if _, err := north.pins.Learn("xs", twin.Bytes()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := north.pins.Import(south.export(t)); !errors.Is(err, party.ErrOtherIdentity) {
		t.Errorf("file: %v", err)
	}
	_, err := north.pins.Learn("xs", south.charter.Bytes())
	if !errors.Is(err, party.ErrOtherIdentity) || !strings.Contains(err.Error(), "two versions 2") {
		t.Errorf("charter: %v", err)
	}
}

func TestTheOwnCharterIsNotImported(t *testing.T) {
	north, twin := openDesk(t, "xn"), openDesk(t, "xn")
	for name, file := range map[string][]byte{"own": north.export(t), "another of the name": twin.export(t)} {
		if _, _, err := north.pins.Import(file); !errors.Is(err, party.ErrOwn) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := north.pins.SetOwn(twin.chain); !errors.Is(err, party.ErrOtherIdentity) {
		t.Errorf("another identity as the own: %v", err)
	}
	north.rotate(t, party.Withdrawal{}, "node/mirror")
	if err := north.pins.SetOwn(north.chain); err != nil {
		t.Fatal(err)
	}
	north.reopen(t)
	if v := north.pins.Own().Latest().Version; v != 2 {
		t.Errorf("own version %d after a restart", v)
	}
	if _, _, err := north.pins.Import([]byte("not a file of charters")); !errors.Is(err, canonical.ErrTrailing) {
		t.Errorf("junk: %v", err)
	}
}

// Confirm dies after it wrote the trusted chain and before it removed the pending one; an import dies half way through its file.
func TestDyingInTheMiddleOfPairing(t *testing.T) {
	north, south := openDesk(t, "xn"), openDesk(t, "xs")
	pair(t, north, south)
	pending := filepath.Join(north.dir, "pending", "xs.charters")
	if err := os.WriteFile(pending, south.export(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(north.dir, "peers", "xl.charters.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	north.reopen(t)
	if len(north.pins.Pending()) != 0 || !slices.Equal(north.pins.Peers(), []traffic.Party{"xs"}) {
		t.Errorf("peers %v, pending %v", north.pins.Peers(), north.pins.Pending())
	}
}

func TestPinsThatSomebodyMoved(t *testing.T) {
	north, south := openDesk(t, "xn"), openDesk(t, "xs")
	path := filepath.Join(north.dir, "peers", "xl.charters")
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"under another name": {south.export(t), party.ErrParty},
		"damaged":            {[]byte{0x80, 0x80}, canonical.ErrTrailing},
	} {
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := party.OpenPins(north.dir, key.Standard()); !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %v and the path", name, err, c.want)
		}
	}
}
