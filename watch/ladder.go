package watch

import (
	"slices"
	"time"

	"detente/roster"
)

// Step is a step of the ladder: an officer in a duty role, and when he is to be called if nobody has taken the item until then.
type Step struct {
	Role    roster.Role
	Officer string
	At      time.Time
}

// percent is how much of the handling time has passed when each role of the ladder is called.
func percent() []int { return []int{0, 30, 60, 100} }

// Ladder lists who is to be called for an item, in their order. duty is who is on duty now. unreachable tells of an officer whom no means
// reached. A role that nobody holds, an officer who stands on an earlier step, and one who cannot be reached do not hold up those after them: the next
// step is taken when that one would have been.
func Ladder(it *Item, duty roster.Duty, unreachable func(officer string) bool) []Step {
	roles := roster.Roles()
	roles = roles[max(0, slices.Index(roles, it.First)):]
	var out []Step
	early := time.Duration(-1) // when the first of the steps without effect before this one was due
	for i, role := range roles {
		after := it.Within() * time.Duration(percent()[i]) / 100
		officer := duty.Officers[role]
		again := slices.ContainsFunc(out, func(s Step) bool { return s.Officer == officer })
		if early >= 0 {
			after = early
		}
		if officer == "" || again {
			early = after
			continue
		}
		out = append(out, Step{role, officer, it.Since.Add(after)})
		early = -1
		if unreachable != nil && unreachable(officer) {
			early = after
		}
	}
	return out
}

// Next parts a ladder at a moment: who is to have been called by then, and the step after.
func Next(steps []Step, now time.Time) (due []Step, next *Step) {
	for i := range steps {
		if steps[i].At.After(now) {
			return due, &steps[i]
		}
		due = append(due, steps[i])
	}
	return due, nil
}
