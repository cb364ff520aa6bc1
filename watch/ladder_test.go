package watch_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"detente/roster"
	"detente/traffic"
	"detente/watch"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestLadder(t *testing.T) {
	since := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name        string
		item        watch.Item
		duty        string // duty officer, deputy, head, senior; - for nobody
		unreachable string
		want        []string
	}{
		{"everybody is there", watch.Item{Precedence: traffic.Flash}, "anna boris clara dmitri", "",
			[]string{"0s duty-officer anna", "3m0s deputy boris", "6m0s head-of-post clara", "10m0s senior-official dmitri"}},
		{"by the form's own limit", watch.Item{Precedence: traffic.Flash, Handling: time.Hour}, "anna boris clara dmitri", "",
			[]string{"0s duty-officer anna", "18m0s deputy boris", "36m0s head-of-post clara", "1h0m0s senior-official dmitri"}},
		{"at routine", watch.Item{Precedence: traffic.Routine}, "anna boris - -", "", []string{"0s duty-officer anna", "1h48m0s deputy boris"}},
		{"no duty officer: the deputy at once", watch.Item{Precedence: traffic.Flash}, "- boris clara dmitri", "",
			[]string{"0s deputy boris", "6m0s head-of-post clara", "10m0s senior-official dmitri"}},
		{"no deputy: the head when he would have been called", watch.Item{Precedence: traffic.Flash}, "anna - clara dmitri", "",
			[]string{"0s duty-officer anna", "3m0s head-of-post clara", "10m0s senior-official dmitri"}},
		{"only the senior official: at once", watch.Item{Precedence: traffic.Flash}, "- - - dmitri", "", []string{"0s senior-official dmitri"}},
		{"nobody at all", watch.Item{Precedence: traffic.Flash}, "- - - -", "", nil},
		{"the duty officer is his own deputy: he is not called twice, and the head is not kept waiting", watch.Item{Precedence: traffic.Flash}, "anna anna clara -", "",
			[]string{"0s duty-officer anna", "3m0s head-of-post clara"}},
		{"no means reaches the duty officer", watch.Item{Precedence: traffic.Flash}, "anna boris clara dmitri", "anna",
			[]string{"0s duty-officer anna", "0s deputy boris", "6m0s head-of-post clara", "10m0s senior-official dmitri"}},
		{"an own time limit that was missed: from the deputy upward", watch.Item{Precedence: traffic.Flash, First: roster.Deputy}, "anna boris clara dmitri", "",
			[]string{"0s deputy boris", "3m0s head-of-post clara", "6m0s senior-official dmitri"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.item.Since = since
			duty := roster.Duty{Officers: map[roster.Role]string{}}
			var names [4]string
			fmt.Sscan(c.duty, &names[0], &names[1], &names[2], &names[3])
			for i, role := range roster.Roles() {
				if names[i] != "-" {
					duty.Officers[role] = names[i]
				}
			}
			var got []string
			for _, s := range watch.Ladder(&c.item, duty, func(officer string) bool { return officer == c.unreachable }) {
				got = append(got, fmt.Sprintf("%v %s %s", s.At.Sub(since), s.Role, s.Officer))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Whoever is on duty, no officer stands on the ladder twice, nobody who is there is left out, later steps are not earlier, and when all time is over
// everybody has been called.
func TestLadderLeavesNobodyOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := &watch.Item{
			Precedence: rapid.SampledFrom(traffic.Precedences()).Draw(t, "precedence"), Since: time.Unix(1e9, 0),
			First:    rapid.SampledFrom(append(roster.Roles(), "")).Draw(t, "first"),
			Handling: time.Duration(rapid.IntRange(0, 3600).Draw(t, "handling")) * time.Second,
		}
		duty := roster.Duty{Officers: map[roster.Role]string{}}
		for _, role := range roster.Roles() {
			if officer := rapid.SampledFrom([]string{"", "anna", "boris", "clara"}).Draw(t, string(role)); officer != "" {
				duty.Officers[role] = officer
			}
		}
		dead := rapid.SampledFrom([]string{"", "anna", "boris"}).Draw(t, "dead")
		steps := watch.Ladder(it, duty, func(officer string) bool { return officer == dead })
		seen := map[string]bool{}
		for i, s := range steps {
			if seen[s.Officer] {
				t.Fatalf("%s stands twice on %v", s.Officer, steps)
			}
			seen[s.Officer] = true
			if i > 0 && s.At.Before(steps[i-1].At) {
				t.Fatalf("not in order: %v", steps)
			}
		}
		roles := roster.Roles()
		for _, role := range roles[max(0, slices.Index(roles, it.First)):] {
			if officer := duty.Officers[role]; officer != "" && !seen[officer] {
				t.Fatalf("%s is left out of %v", officer, steps)
			}
		}
		if due, next := watch.Next(steps, it.Since.Add(it.Within())); next != nil || len(due) != len(steps) {
			t.Fatalf("at the deadline %v is still to come", next)
		}
		if len(steps) > 0 && !steps[0].At.Equal(it.Since) {
			t.Fatalf("nobody is called at once: %v", steps)
		}
	})
}

func TestOrderOfTheBoard(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	at := func(m int) time.Time { return now.Add(time.Duration(m) * time.Minute) }
	items := []*watch.Item{
		{Key: "routine, late", Precedence: traffic.Routine, Due: at(-600)},
		{Key: "flash, an exercise", Precedence: traffic.Flash, Plane: traffic.Exercise, Due: at(-5), Since: at(0)},
		{Key: "immediate, without end", Precedence: traffic.Immediate, Plane: traffic.Real, Since: at(-500)},
		{Key: "immediate, soon", Precedence: traffic.Immediate, Plane: traffic.Real, Due: at(5)},
		{Key: "immediate, later", Precedence: traffic.Immediate, Plane: traffic.Real, Due: at(25)},
		{Key: "flash, later", Precedence: traffic.Flash, Plane: traffic.Real, Due: at(9)},
		{Key: "flash, overdue", Precedence: traffic.Flash, Plane: traffic.Real, Due: at(-1)},
	}
	watch.Sort(items)
	var got []string
	for _, it := range items {
		got = append(got, it.Key)
	}
	want := []string{
		"flash, overdue", "flash, later", "flash, an exercise", "immediate, soon", "immediate, later", "immediate, without end", "routine, late",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
