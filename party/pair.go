package party

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"detente/key"
	"detente/traffic"
)

// What pairing refuses.
var (
	ErrOtherIdentity = errors.New("party: NOT the party that was paired: its charters do not continue those that are trusted")
	ErrMismatch      = errors.New("party: the words heard are not those of the imported charter")
	ErrNotPending    = errors.New("party: no charter of this party waits for its words")
	ErrOwn           = errors.New("party: the own charter cannot be paired with")
)

const chainSuffix = ".charters"

// Pins is what this node trusts: the own chain and those of the parties it is paired with, each in a file of a directory beside the keys:
// own.charters, peers/<party>.charters, and pending/<party>.charters for those whose words were not compared yet. It is safe for
// concurrent use by one process.
type Pins struct {
	dir      string
	registry key.Registry

	mu      sync.RWMutex // guards the below
	own     *Chain
	peers   map[traffic.Party]*Chain
	pending map[traffic.Party]*Chain
}

// OpenPins reads the directory, which is made when it is not there, and verifies every chain in it.
func OpenPins(dir string, r key.Registry) (*Pins, error) {
	p := &Pins{dir: dir, registry: r, peers: map[traffic.Party]*Chain{}, pending: map[traffic.Party]*Chain{}}
	for _, sub := range []string{"peers", "pending"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("party: %w", err)
		}
	}
	switch own, err := p.read(p.ownPath()); {
	case err == nil:
		p.own = own
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	if err := p.readAll("peers", p.peers); err != nil {
		return nil, err
	}
	if err := p.readAll("pending", p.pending); err != nil {
		return nil, err
	}
	// A process that died in Confirm between the two steps left the party in both.
	for name := range p.peers {
		delete(p.pending, name)
	}
	return p, nil
}

func (p *Pins) ownPath() string { return filepath.Join(p.dir, "own"+chainSuffix) }

func (p *Pins) path(sub string, name traffic.Party) string {
	return filepath.Join(p.dir, sub, string(name)+chainSuffix)
}

func (p *Pins) read(path string) (*Chain, error) {
	b, err := readFile(path, MaxChainFile)
	if err != nil {
		return nil, err
	}
	ch, err := DecodeChain(b, p.registry)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ch, nil
}

func (p *Pins) readAll(sub string, into map[traffic.Party]*Chain) error {
	entries, err := os.ReadDir(filepath.Join(p.dir, sub))
	if err != nil {
		return fmt.Errorf("party: %w", err)
	}
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), chainSuffix)
		if !is {
			continue // a file that a dying process did not finish
		}
		path := filepath.Join(p.dir, sub, e.Name())
		ch, err := p.read(path)
		if err != nil {
			return err
		}
		if string(ch.Party()) != name {
			return fmt.Errorf("%w: %s holds the charters of %s", ErrParty, path, ch.Party())
		}
		into[ch.Party()] = ch
	}
	return nil
}

func save(path string, ch *Chain) error {
	b, err := EncodeChain(ch)
	if err != nil {
		return err
	}
	return writeFile(path, b, 0o600)
}

// Own is this party's chain, nil before it is founded.
func (p *Pins) Own() *Chain {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.own
}

// SetOwn adopts the own chain. Error: ErrOtherIdentity when it does not extend the one there is.
func (p *Pins) SetOwn(ch *Chain) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.own != nil && !ch.Extends(p.own) {
		return fmt.Errorf("%w: own charter", ErrOtherIdentity)
	}
	if err := save(p.ownPath(), ch); err != nil {
		return err
	}
	p.own = ch
	return nil
}

// Trusted is the chain of a paired party, or the own one; nil for anyone else.
func (p *Pins) Trusted(name traffic.Party) *Chain {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.own != nil && p.own.Party() == name {
		return p.own
	}
	return p.peers[name]
}

// Peers is the paired parties, sorted.
func (p *Pins) Peers() []traffic.Party {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.Sorted(maps.Keys(p.peers))
}

// Pending is the chains whose words were not compared yet, sorted by party.
func (p *Pins) Pending() []*Chain {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var out []*Chain
	for _, name := range slices.Sorted(maps.Keys(p.pending)) {
		out = append(out, p.pending[name])
	}
	return out
}

// Import takes in a file of charters. The chain of a party that is not paired becomes pending, in the place of one that was pending
// before, and trusted reports false: its words ([Charter.Fingerprint] of the latest version) are to be compared. A chain that extends a
// trusted one is trusted at once. Errors: ErrOtherIdentity, ErrOwn, those of [DecodeChain].
func (p *Pins) Import(file []byte) (ch *Chain, trusted bool, err error) {
	ch, err = DecodeChain(file, p.registry)
	if err != nil {
		return nil, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	name := ch.Party()
	if p.own != nil && p.own.Party() == name {
		return nil, false, fmt.Errorf("%w: %s", ErrOwn, name)
	}
	if known := p.peers[name]; known != nil {
		ch, err = p.follow(known, ch)
		return ch, err == nil, err
	}
	if err := save(p.path("pending", name), ch); err != nil {
		return nil, false, err
	}
	p.pending[name] = ch
	return ch, false, nil
}

// follow moves the trust in known to the longer of two chains, which must be one.
func (p *Pins) follow(known, other *Chain) (*Chain, error) {
	if known.Extends(other) {
		return known, nil
	}
	if !other.Extends(known) {
		return nil, fmt.Errorf("%w: %s", ErrOtherIdentity, known.Party())
	}
	if err := save(p.path("peers", known.Party()), other); err != nil {
		return nil, err
	}
	p.peers[known.Party()] = other
	return other, nil
}

// Confirm trusts a pending party when the words that its officer spoke are those of the charter that was imported. Errors: ErrNotPending,
// ErrWords, ErrMismatch, which says at which places the words differ but not what they should be.
func (p *Pins) Confirm(name traffic.Party, spoken string) (*Chain, error) {
	heard, err := ParseWords(spoken)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ch := p.pending[name]
	if ch == nil {
		return nil, fmt.Errorf("%w: %s", ErrNotPending, name)
	}
	if differ := differences(heard, ch.Latest().Fingerprint()); differ != nil {
		return nil, fmt.Errorf("%w: word %s; have them said again, and if they stay, do not go on: the file is not the other side's",
			ErrMismatch, strings.Join(differ, ", "))
	}
	if err := save(p.path("peers", name), ch); err != nil {
		return nil, err
	}
	// Dying here leaves the party in both places; OpenPins then lets the trusted one stand.
	p.peers[name] = ch
	return ch, p.drop(name)
}

func differences(a, b Fingerprint) []string {
	var out []string
	for i := range a {
		if a[i] != b[i] {
			out = append(out, fmt.Sprint(i+1))
		}
	}
	return out
}

// Reject forgets a pending chain. Error: ErrNotPending.
func (p *Pins) Reject(name traffic.Party) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending[name] == nil {
		return fmt.Errorf("%w: %s", ErrNotPending, name)
	}
	return p.drop(name)
}

func (p *Pins) drop(name traffic.Party) error {
	delete(p.pending, name)
	path := p.path("pending", name)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("party: %w", err)
	}
	return syncDirectory(filepath.Dir(path))
}

// Learn takes in single charters of a paired party, as bundles carry them, oldest first; those already held are passed over. What precedes
// an error is kept. Errors: ErrOtherIdentity, those of [DecodeCharter] and [Chain.Extend].
func (p *Pins) Learn(name traffic.Party, charters ...[]byte) (*Chain, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.peers[name]
	if known == nil {
		return nil, fmt.Errorf("%w: %s is not paired", ErrParty, name)
	}
	longer := known
	var refused error
	for _, b := range charters {
		if longer, refused = longer.learn(b, p.registry); refused != nil {
			break
		}
	}
	if longer == known {
		return known, refused
	}
	if _, err := p.follow(known, longer); err != nil {
		return known, err
	}
	return longer, refused
}

// learn is the chain with one more charter, or the same chain when it holds the charter already or refuses it.
func (ch *Chain) learn(b []byte, r key.Registry) (*Chain, error) {
	c, err := DecodeCharter(b, r)
	if err != nil {
		return ch, err
	}
	if c.Party != ch.Party() {
		return ch, fmt.Errorf("%w: %s", ErrParty, c.Party)
	}
	if mine, ok := ch.At(c.Version); ok {
		if mine.Hash() != c.Hash() {
			return ch, fmt.Errorf("%w: %s has two versions %d", ErrOtherIdentity, c.Party, c.Version)
		}
		return ch, nil
	}
	longer, err := ch.Extend(c)
	if err != nil {
		return ch, err
	}
	return longer, nil
}
