package exercise

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/traffic"
)

// Cast is who plays each role.
type Cast map[string]traffic.Party

// Address is the address of a role's post.
func (c Cast) Address(place string) string {
	role, post, _ := strings.Cut(place, "/")
	return string(c[role]) + "/" + post
}

// Check sees that every role is played, and by whom no other is. Error: ErrScenario.
func (s *Scenario) Check(c Cast) error {
	seen := map[traffic.Party]bool{}
	for _, r := range s.Roles {
		if p := c[r]; !p.Valid() || seen[p] {
			return fmt.Errorf("%w: role %s is played by nobody, or by who has another", ErrScenario, r)
		}
		seen[c[r]] = true
	}
	if len(c) != len(s.Roles) {
		return fmt.Errorf("%w: its roles are %s", ErrScenario, strings.Join(s.Roles, ", "))
	}
	return nil
}

// Said is a statement of the plane EXERCISE, as a node holds it.
type Said struct {
	ID      string
	Number  string
	From    string // party/post
	Form    string
	At      time.Time // by its author's clock
	Dossier string
}

// Finding is what came of an expectation.
type Finding struct {
	Expectation
	Post    string        // whose it was, in the cast
	Since   time.Time     // of the inject: of its statement, where it is one that was made
	Answer  *Said         // the first that meets it; nil for none
	Elapsed time.Duration // until then
	Met     bool          // in time
	Moot    bool          // the statement that it is about was never made
}

// Debrief holds what was said against what was expected, from statements alone: both sides that hold the same draw the same. Statements of before the beginning, and of after
// the end of all periods doubled, are not looked at.
func (s *Scenario) Debrief(c Cast, began time.Time, said []Said) []Finding {
	said = slices.DeleteFunc(inOrder(said), func(x Said) bool {
		return x.At.Before(began.Add(-time.Second)) || x.At.After(began.Add(2*s.Length()+time.Minute))
	})
	made := s.Made(c, began, said)
	var out []Finding
	for _, e := range s.Expect {
		i := s.find(e.After)
		f := Finding{Expectation: e, Post: c.Address(e.By), Since: began.Add(i.At)}
		if i.Says() {
			of, ok := made[i.ID]
			if f.Moot = !ok; f.Moot {
				out = append(out, f)
				continue
			}
			f.Since = of.At
		}
		for k := range said {
			x := &said[k]
			if x.From != f.Post || !slices.Contains(e.Form, x.Form) || x.At.Before(f.Since) || i.Says() && x.Dossier != made[i.ID].Dossier || isMade(made, x.ID) {
				continue
			}
			f.Answer, f.Elapsed = x, x.At.Sub(f.Since)
			f.Met = f.Elapsed <= e.Within
			break
		}
		out = append(out, f)
	}
	return out
}

func inOrder(said []Said) []Said {
	return slices.SortedFunc(slices.Values(said), func(a, b Said) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
}

func isMade(made map[string]Said, id string) bool {
	for _, x := range made {
		if x.ID == id {
			return true
		}
	}
	return false
}

// Made finds, by inject, the statements that the scenario itself made: of a post and form the first one from its time on, each once.
func (s *Scenario) Made(c Cast, began time.Time, said []Said) map[string]Said {
	said = inOrder(said)
	out := map[string]Said{}
	used := map[string]bool{}
	for _, i := range s.Inject {
		if !i.Says() {
			continue
		}
		for _, x := range said {
			if used[x.ID] || x.From != c.Address(i.By) || x.Form != i.Form || x.At.Before(began.Add(i.At-time.Second)) {
				continue
			}
			out[i.ID], used[x.ID] = x, true
			break
		}
	}
	return out
}

// Faster is the scenario with all of its times divided: for a rehearsal.
func (s *Scenario) Faster(by float64) *Scenario {
	out := *s
	out.Inject, out.Expect = slices.Clone(s.Inject), slices.Clone(s.Expect)
	for i := range out.Inject {
		out.Inject[i].At = time.Duration(float64(out.Inject[i].At) / by)
	}
	for i := range out.Expect {
		out.Expect[i].Within = time.Duration(float64(out.Expect[i].Within) / by)
	}
	return &out
}

// Due lists the injects that a party's node has to bring about: its own statements, and the messages to its officers, in their order.
func (s *Scenario) Due(c Cast, self traffic.Party) (out []Inject) {
	for _, i := range s.Inject {
		place := i.To
		if i.Says() {
			place = i.By
		}
		if role, _, _ := strings.Cut(place, "/"); c[role] == self {
			out = append(out, i)
		}
	}
	return out
}
