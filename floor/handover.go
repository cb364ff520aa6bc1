package floor

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/form"
	"detente/roster"
	"detente/traffic"
)

// Errors of hand-overs.
var (
	ErrNoApprovals = errors.New("floor: this node knows no officers, and nothing can be handed over between them")
	ErrSamePerson  = errors.New("floor: the watch is handed over from one officer to another")
)

// Approvals is where a hand-over waits until both officers have approved it, as they approve a release. Whoever keeps them calls
// [Floor.HandedOver] with the draft when the last one has.
type Approvals interface {
	// AskHandover keeps a draft of which the digest is to be approved by each of the officers named, and gives it an id.
	AskHandover(ctx context.Context, post traffic.Post, by By, digest [32]byte, officers []string, draft []byte) (id string, err error)
	// Handovers lists those that wait, the oldest first.
	Handovers(ctx context.Context) ([]Waiting, error)
}

// Waiting is a hand-over that waits for an approval.
type Waiting struct {
	ID     string
	Draft  []byte
	Signed []string // officers who have approved it
	Asked  time.Time
}

// Handover is the watch of a post handed over.
type Handover struct {
	ID      string // while it waits that of the approval, later that of its entry in the journal
	Post    traffic.Post
	Off, On string    // officers
	Open    OpenList  // what was open when it was drawn up, as both have read it
	Items   []Shown   // the same, as it stands now; of one in force those that are still open
	Keys    []string  // of the items
	Remarks string    // of whoever hands over
	Signed  []string  // officers who have approved it
	At      time.Time // when it came into force; zero while it waits
}

// handover is a hand-over as its digest is made of, and as it waits: JSON in the order of the fields.
type handover struct {
	Post    traffic.Post `json:"post"`
	Off     string       `json:"off"`
	On      string       `json:"on"`
	Items   OpenList     `json:"items"`
	Keys    []string     `json:"keys"`
	Remarks string       `json:"remarks,omitempty"`
	Drawn   time.Time    `json:"drawn"`
}

// mostItems bounds what is open, in bytes, as the journal takes it.
const mostItems = 12000

// HandOver begins to hand the watch of a post over, with what is open: the text lists it. It waits until both officers have approved it, and is recorded
// then. Errors: ErrNoApprovals, ErrSamePerson, ErrNoPerson, ErrNoPost.
func (f *Floor) HandOver(ctx context.Context, post traffic.Post, off, on, remarks string, by By) (Handover, error) {
	switch {
	case f.cfg.Approvals == nil:
		return Handover{}, ErrNoApprovals
	case off == "" || on == "" || by.Officer == "":
		return Handover{}, ErrNoPerson
	case off == on:
		return Handover{}, ErrSamePerson
	case !f.has(post):
		return Handover{}, fmt.Errorf("%w: %s", ErrNoPost, post)
	}
	v, err := f.Watch(ctx, post, "")
	if err != nil {
		return Handover{}, err
	}
	h := handover{Post: post, Off: off, On: on, Remarks: remarks, Drawn: v.Now.Truncate(time.Second), Keys: []string{}}
	for _, it := range slices.Concat(v.Items, v.Taken) {
		h.Keys = append(h.Keys, it.Key)
		h.Items.Open = append(h.Items.Open, openOf(it.Item))
	}
	h.Items.More = v.More
	h.Items.fit()
	draft, err := json.Marshal(h)
	if err != nil {
		return Handover{}, fmt.Errorf("floor: hand-over: %w", err)
	}
	id, err := f.cfg.Approvals.AskHandover(ctx, post, by, sha256.Sum256(draft), []string{off, on}, draft)
	if err != nil {
		return Handover{}, err
	}
	f.kick()
	return Handover{ID: id, Post: post, Off: off, On: on, Open: h.Items, Items: slices.Concat(v.Items, v.Taken), Keys: h.Keys, Remarks: remarks}, nil
}

// HandedOver puts a hand-over that both officers have approved into force: it is recorded with their approvals, as the passkeys signed them, and whoever
// takes over is the duty officer until the present shift ends.
func (f *Floor) HandedOver(ctx context.Context, draft []byte, approvals [][]byte) error {
	var h handover
	if err := json.Unmarshal(draft, &h); err != nil {
		return fmt.Errorf("floor: hand-over: %w", err)
	}
	v := form.Values{"post": string(h.Post), "off": h.Off, "on": h.On}
	if items := h.Items.code(); items != "" {
		v["items"] = items
	}
	if h.Remarks != "" {
		v["remarks"] = h.Remarks
	}
	var list []any
	for _, a := range approvals {
		list = append(list, a)
	}
	if len(list) > 0 {
		v["approvals"] = list
	}
	_, err := f.journal.Record(ctx, h.Post, string(roster.DutyOfficer), formHandover, v)
	f.kick()
	return err
}

// mostHandovers is how many hand-overs are listed.
const mostHandovers = 200

// HandoverList lists hand-overs, those that wait for an approval first, then the newest. An empty post is every post.
func (f *Floor) HandoverList(ctx context.Context, post traffic.Post) ([]Handover, error) {
	if err := f.current(ctx); err != nil {
		return nil, err
	}
	var waiting []Waiting
	if f.cfg.Approvals != nil {
		var err error
		if waiting, err = f.cfg.Approvals.Handovers(ctx); err != nil {
			return nil, err
		}
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []Handover
	for _, w := range waiting {
		var h handover
		if err := json.Unmarshal(w.Draft, &h); err != nil || post != "" && h.Post != post {
			continue
		}
		out = append(out, Handover{
			ID: w.ID, Post: h.Post, Off: h.Off, On: h.On, Open: h.Items, Items: f.stillOpen(h.Keys), Keys: h.Keys, Remarks: h.Remarks, Signed: w.Signed,
		})
	}
	for _, h := range slices.Backward(f.record.handovers) {
		if (post == "" || h.Post == post) && len(out) < mostHandovers {
			out = append(out, *h)
		}
	}
	return out, nil
}

// stillOpen is which of some items are on the board. f.mu is held.
func (f *Floor) stillOpen(keys []string) (out []Shown) {
	for _, key := range keys {
		if it := f.board.byKey[key]; it != nil {
			out = append(out, f.shown(it, time.Now()))
		}
	}
	return out
}
