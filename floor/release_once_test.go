package floor_test

import (
	"sync"
	"testing"

	"detente/officer"
)

// Whoever approves a release sends it, and the loop that looks after releases would too: between them it is said once, and both know where it stands.
func TestAReleaseIsSentOnceThoughTwoGoroutinesDoIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		ctx := t.Context()
		b := xn.bureau()
		anna, _ := b.enrol("anna", at(officer.DutyOfficer))
		const rounds = 20
		for round := range rounds {
			p := b.ask(anna, b.flash("The grid is down."))
			var all sync.WaitGroup
			ended := make(chan struct{})
			for range 4 {
				all.Go(func() {
					for {
						select {
						case <-ended:
							return
						default:
						}
						if _, err := b.releases.Tend(ctx); err != nil {
							t.Error(err)
						}
					}
				})
			}
			_, sent, err := b.releases.Approve(ctx, p.ID, officer.Terminal(), officer.HeadOfPost, nil)
			close(ended)
			all.Wait()
			must(t, err)
			if said := b.sent(); len(said) != round+1 || said[round].ID() != sent.ID || sent.Feed.Party != "xn" {
				t.Fatalf("after %d releases %d statements were said; %+v", round+1, len(said), sent)
			}
		}
	})
}
