// Package exchange is the standing relation with one other party: what it lacks, what is owed to it, over which route, and how it stands.
// It must never decide what a statement means, nor hold a fact that the feeds do not: all it remembers can be forgotten and comes back.
package exchange

import (
	"slices"
	"sync"
	"time"

	"detente/blob"
	"detente/bundle"
	"detente/feed"
	"detente/traffic"
)

// reoffer is how long entries offered in an answer, which nobody confirms, are left to arrive before they are offered again.
const reoffer = 5 * time.Second

// Link is this node's memory of one peer. It is a cache: a node that has just started owes everything once and learns the rest.
type Link struct {
	Self, Peer traffic.Party

	mu        sync.Mutex
	owed      map[traffic.Feed]Fresh // feeds of which the peer is to be told how far they are held here
	greeted   bool                   // the peer has said, since the start, all that it holds
	hello     bool                   // tell it of all of them, and which charters are known
	notes     map[traffic.Feed]bool  // own and third members' feeds whose checkpoint has new signatures
	holds     map[traffic.Feed]int64 // how far the peer holds a feed, by its own last word
	offered   map[traffic.Feed]offer
	knows     int                    // the newest version of the own charter that the peer has said it holds; 0 when it has not
	lost      int                    // bundles in a row that did not arrive
	announced time.Time              // when the own charters were last sent for their own sake
	pouched   map[traffic.Feed]int64 // FLASH feeds, how far they went into the pouch
	wanted    []bundle.Want          // pieces of blobs that the peer asked for
	given     bool                   // they are on their way
	aside     bool                   // a pouch is packed with it
	pieces    int                    // that it has of blobs
	asked     map[blob.Hash]asked    // what was asked of the peer, so that it is not asked twice at once
	state     Condition
	misses    map[string]int       // attempts in a row that failed, by route and address
	viewed    map[viewOf]time.Time // when the peer's view was last compared

	bell // what wakes whoever serves the link
}

type offer struct {
	to int64
	at time.Time
}

// Condition is how the link stands.
type Condition struct {
	Peer    traffic.Party `json:"peer"`
	Up      bool          `json:"up"`
	Since   time.Time     `json:"since"`             // of the present condition
	Heard   time.Time     `json:"heard"`             // the last bundle that was the peer's; zero for never since the start
	Tried   time.Time     `json:"tried"`             // the last attempt to reach it
	Failure string        `json:"failure,omitempty"` // why the last attempt failed, empty when it did not
	Route   string        `json:"route,omitempty"`   // over which it was last heard
}

// NewLink is a link of which nothing is known yet.
func NewLink(self, peer traffic.Party) *Link {
	return &Link{
		Self: self, Peer: peer, bell: newBell(),
		owed: make(map[traffic.Feed]Fresh), hello: true, notes: make(map[traffic.Feed]bool),
		holds: make(map[traffic.Feed]int64), offered: make(map[traffic.Feed]offer),
		state: Condition{Peer: peer, Since: time.Now().UTC()}, misses: make(map[string]int), asked: make(map[blob.Hash]asked), pouched: make(map[traffic.Feed]int64),
		viewed: make(map[viewOf]time.Time),
	}
}

// Aside is the memory with which a pouch is packed. It owes everything once, like a new link, and takes nothing off l, nor l off it: what
// another route has taken on is in the pouch all the same, for that route may be cut, and what the pouch takes on stays owed on the others,
// for it may never arrive.
func (l *Link) Aside() *Link {
	aside := NewLink(l.Self, l.Peer)
	aside.aside = true
	l.mu.Lock()
	defer l.mu.Unlock()
	for f, size := range l.holds {
		if f.Party == l.Peer { // of the own feeds a pouch has what is not cosigned
			aside.holds[f] = size
		}
	}
	aside.knows, aside.lost, aside.wanted = l.knows, l.lost, l.wanted
	l.lost++ // until it is heard of
	return aside
}

// Fresh is a cosignature that was just made durable, at hand so that it need not be read again. The zero value is none.
type Fresh struct {
	Size int64
	Line string
}

// Owe notes that the peer is to be told how far a feed is held here.
func (l *Link) Owe(f traffic.Feed, fresh Fresh) { l.mu.Lock(); l.owed[f] = fresh; l.mu.Unlock() }

// OweNote notes that a checkpoint of the feed has signatures that the peer may lack.
func (l *Link) OweNote(f traffic.Feed) { l.mu.Lock(); l.notes[f] = true; l.mu.Unlock() }

// OweHello notes that the peer is to be told everything once more: at the start, and as heartbeat.
func (l *Link) OweHello() { l.mu.Lock(); l.hello = true; l.mu.Unlock() }

// Owes tells whether there is something to say that is not statements.
func (l *Link) Owes() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hello || len(l.owed) > 0 || len(l.notes) > 0
}

// PeerHolds takes the peer's word of how far it holds a feed. It returns the size that it had claimed before.
func (l *Link) PeerHolds(f traffic.Feed, size int64) (before int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before = l.holds[f]
	l.holds[f] = size
	if o, ok := l.offered[f]; ok && (size >= o.to || size < before) {
		delete(l.offered, f)
	}
	return before
}

// Says gives how far the peer says that its own feeds of a channel go.
func (l *Link) Says(channel [32]byte) map[traffic.Feed]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[traffic.Feed]int64)
	for f, size := range l.holds {
		if f.Party == l.Peer && f.Channel == channel && size > 0 {
			out[f] = size
		}
	}
	return out
}

// PeerHoldsOnly takes a hello as the whole truth: of the feeds that it does not list the peer holds nothing.
func (l *Link) PeerHoldsOnly(listed map[traffic.Feed]int64, all []traffic.Feed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.greeted = true
	for _, f := range all {
		if _, ok := listed[f]; !ok {
			l.holds[f] = 0
			delete(l.offered, f)
		}
	}
}

// Greeted tells whether the peer has said, since this node started, all that it holds.
func (l *Link) Greeted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.greeted
}

// PeerKnows takes the peer's word of which version of the own charter it holds.
func (l *Link) PeerKnows(version int) { l.mu.Lock(); l.knows = version; l.mu.Unlock() }

// Knows is the newest version of the own charter that the peer has said it holds; 1 at first, since it is paired.
func (l *Link) Knows() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.knows, 1)
}

// SignAs is the version of the own charter by whose key a bundle for the peer is signed: the one that the peer holds, since it opens nothing
// by a key that it does not know. Until the peer has said which that is, each is tried in turn, the newest first.
func (l *Link) SignAs(newest int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.knows > 0 {
		return min(l.knows, newest)
	}
	return newest - l.lost%newest
}

// Announce tells whether it is time to send the own charters for their own sake: they go along with whatever is sent until the peer says that it
// knows them, but are no reason to answer again and again.
func (l *Link) Announce() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.announced) < reoffer {
		return false
	}
	l.announced = now
	return true
}

// FirstPouch tells whether a packed FLASH has not been put into a pouch before.
func (l *Link) FirstPouch(m *Manifest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(m.offered, func(o offered) bool { return o.feed.Precedence == traffic.Flash && o.to > l.pouched[o.feed] })
}

// Pouched notes that each packed FLASH has been put into a pouch.
func (l *Link) Pouched(m *Manifest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range m.offered {
		if o.feed.Precedence == traffic.Flash {
			l.pouched[o.feed] = max(l.pouched[o.feed], o.to)
		}
	}
}

// Forget drops what is believed of the peer's copy of a feed, so that the next bundle begins where the receipts end.
func (l *Link) Forget(f traffic.Feed) {
	l.mu.Lock()
	delete(l.offered, f)
	l.mu.Unlock()
}

// Heard notes a bundle that is the peer's, and tells whether the link was down until now.
func (l *Link) Heard(route string) (wasDown bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now().UTC()
	l.state.Heard, l.state.Route, l.lost = now, route, 0
	if wasDown = !l.state.Up; wasDown {
		l.state.Up, l.state.Since = true, now
	}
	l.state.Failure = ""
	return wasDown
}

// Silent tells whether the peer has not been heard for longer than most, and since when; the link is then down, and news tells whether it was
// not so before. It is one step, so that a bundle of the peer comes before it or after it.
func (l *Link) Silent(most time.Duration) (since time.Time, silent, news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	since = l.state.Heard
	if since.IsZero() {
		since = l.state.Since
	}
	if silent = time.Since(since) > most; silent {
		news = l.fail("nothing heard") // a peer that cannot be called fails no attempt of ours
	}
	return since, silent, news
}

// Lost notes that no route works, and tells whether that is news.
func (l *Link) Lost(failure string) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fail(failure)
}

// fail takes the link down. l.mu is held.
func (l *Link) fail(failure string) (news bool) {
	news = l.state.Up || l.state.Failure == ""
	l.state.Failure = failure
	if l.state.Up {
		l.state.Up, l.state.Since = false, time.Now().UTC()
	}
	return news
}

// Reached notes that a call of our own arrived, and tells whether the one before had failed.
func (l *Link) Reached() (again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	again = l.state.Failure != ""
	l.state.Failure = ""
	return again
}

// Tried notes an attempt to reach the peer.
func (l *Link) Tried() { l.mu.Lock(); l.state.Tried = time.Now().UTC(); l.mu.Unlock() }

// Condition is how the link stands now.
func (l *Link) Condition() Condition {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Outstanding tells whether entries of a lane were offered of which the peer has not said that it holds them, and when they are to be
// offered again.
func (l *Link) Outstanding(lane Lane) (again time.Time, yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f, o := range l.offered {
		if t := o.at.Add(reoffer); LaneOf(f.Precedence) == lane && (!yes || t.Before(again)) {
			again, yes = t, true
		}
	}
	return again, yes
}

// begin is where what the peer may lack begins: after what it is known to hold.
func (l *Link) begin(h *feed.Head, cosigned int64) int64 {
	if holds, known := l.holds[h.Feed]; known {
		return min(holds, h.Size)
	}
	return cosigned
}

// start is where the next entries for the peer begin: after what it is known to hold and what is on its way.
func (l *Link) start(h *feed.Head, cosigned int64, now time.Time) int64 {
	from := l.begin(h, cosigned)
	if o, ok := l.offered[h.Feed]; ok && o.to > from && now.Sub(o.at) < reoffer {
		from = o.to
	}
	return from
}
