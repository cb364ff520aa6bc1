package floor

import (
	"context"
	"time"

	"detente/traffic"
)

// Approvals is where a hand-over waits until both officers have approved it, as they approve a release. Whoever keeps them calls
// [Floor.HandedOver] with the draft when the last one has.
type Approvals interface {
	// AskHandover keeps a draft of which the digest is to be approved by each of the officers named, and gives it an id.
	AskHandover(ctx context.Context, post traffic.Post, by By, digest [32]byte, officers []string, draft []byte) (id string, err error)
}

// Handover is the watch of a post handed over.
type Handover struct {
	ID      string // while it waits that of the approval, later that of its entry in the journal
	Post    traffic.Post
	Off, On string // officers
	Text    string // what is open, as both have read it
	Remarks string
	Signed  []string // officers who have approved it
	At      time.Time
}
