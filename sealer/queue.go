package sealer

import (
	"slices"

	"detente/floor"
)

// queue is what one party sent for rounds that are not open here yet: the feeds of a channel are read one after the other, so the round may come later.
type queue struct {
	list []early
	size int
}

type early struct {
	round [32]byte
	told  *floor.Told
	size  int
}

// mostWaiting is how many bytes of one party wait. What is more pushes out its own oldest, and nobody else's.
const mostWaiting = 8 << 20

func (q *queue) push(round [32]byte, t *floor.Told) {
	n := len(t.Statement.Payload) + 512
	q.list, q.size = append(q.list, early{round, t, n}), q.size+n
	for q.size > mostWaiting {
		q.size -= q.list[0].size
		q.list = q.list[1:]
	}
}

// pull takes out what is for a round.
func (q *queue) pull(round [32]byte) (out []*floor.Told) {
	q.list = slices.DeleteFunc(q.list, func(e early) bool {
		if e.round == round {
			out, q.size = append(out, e.told), q.size-e.size
		}
		return e.round == round
	})
	return out
}
