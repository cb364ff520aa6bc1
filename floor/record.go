package floor

import (
	"slices"
	"strings"
	"time"

	"detente/party"
	"detente/roster"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
)

// record is the fold of the journal: rosters in force, what was raised, taken and ended, who was called, who handed over.
type record struct {
	self      traffic.Party
	rosters   map[traffic.Post]*posted
	overrides []roster.Override
	items     map[string]*past
	live      map[string]*past // raised, and not ended
	heard     func(key, act string)
	handovers []*Handover // the oldest first
	entries   int64
}

// posted is a roster in force.
type posted struct {
	*roster.Roster
	text, by string
	at       time.Time
}

// past is what the journal says of an item.
type past struct {
	key     string
	post    traffic.Post
	states  map[string]time.Time // when it came into each
	steps   map[string]bool      // roles to which it was escalated
	calls   map[string]bool      // officer/means
	words   watch.Words
	about   statement.ID
	taken   *watch.Taken
	remarks string
}

func newRecord(self traffic.Party) *record {
	return &record{self: self, rosters: make(map[traffic.Post]*posted), items: make(map[string]*past), live: make(map[string]*past), heard: func(string, string) {}}
}

// past finds what is said of an item, making room for it.
func (r *record) past(key string) *past {
	p := r.items[key]
	if p == nil {
		p = &past{key: key, states: make(map[string]time.Time), steps: make(map[string]bool), calls: make(map[string]bool)}
		r.items[key] = p
	}
	return p
}

// The states of an item in the journal.
const (
	raised    = "raised"
	taken     = "taken"
	escalated = "escalated"
	missed    = "missed"
	ended     = "ended"
)

// actStep and actCall name, beside the states, what the journal says once of an item.
func actStep(role string) string           { return escalated + " " + role }
func actCall(officer, means string) string { return "call " + officer + " " + means }

// Forms of the internal regime that the record knows.
const (
	formRoster   = "roster"
	formOverride = "override"
	formHandover = "handover"
	formItem     = "item"
	formCall     = "call"
	formEntry    = "entry"
)

func (r *record) add(t *Told) {
	if t.Kind != party.Internal || t.Feed.Party != r.self {
		return
	}
	r.entries++
	v := t.Values
	switch t.Statement.Form {
	case formRoster:
		parsed, err := roster.Parse(v.Text("text"))
		if err != nil || parsed.Post != traffic.Post(v.Text("post")) {
			return // of an earlier program, which took what this one does not
		}
		r.rosters[parsed.Post] = &posted{parsed, v.Text("text"), v.Text("by"), t.Held}
	case formOverride:
		window, _ := v["window"].([]any)
		if len(window) != 2 {
			return
		}
		from, _ := window[0].(int64)
		until, _ := window[1].(int64)
		r.overrides = append(r.overrides, roster.Override{
			Post: traffic.Post(v.Text("post")), Role: roster.Role(v.Text("role")), Officer: v.Text("officer"),
			From: time.Unix(from, 0).UTC(), Until: time.Unix(until, 0).UTC(), Reason: v.Text("reason"), By: v.Text("by"),
		})
	case formHandover:
		r.relieve(t)
		r.handovers = append(r.handovers, &Handover{
			ID: t.Statement.ID().String(), Post: traffic.Post(v.Text("post")), Off: v.Text("off"), On: v.Text("on"), Open: OpenOf(v.Text("items")), Remarks: v.Text("remarks"),
			Signed: []string{v.Text("off"), v.Text("on")}, At: t.Held,
		})
	case formItem:
		r.item(t)
	case formCall:
		r.past(v.Text("key")).calls[v.Text("officer")+"/"+v.Text("means")] = true
		r.heard(v.Text("key"), actCall(v.Text("officer"), v.Text("means")))
	}
}

// relieve has whoever took over be the duty officer until the shift ends in which he did, where the roster has another.
func (r *record) relieve(t *Told) {
	post, on := traffic.Post(t.Values.Text("post")), t.Values.Text("on")
	p := r.rosters[post]
	if p == nil {
		return
	}
	d := p.At(t.Held, r.overrides)
	if d.Officers[roster.DutyOfficer] == on || d.Until.IsZero() {
		return
	}
	r.overrides = append(r.overrides, roster.Override{
		Post: post, Role: roster.DutyOfficer, Officer: on, From: t.Held, Until: d.Until, Handover: true, By: t.Values.Text("off"),
	})
}

func (r *record) item(t *Told) {
	v := t.Values
	p := r.past(v.Text("key"))
	state := v.Text("state")
	if _, again := p.states[state]; !again {
		p.states[state] = t.Held
	}
	act := state
	if state == escalated {
		act = actStep(v.Text("role"))
	}
	r.heard(p.key, act)
	switch state {
	case ended:
		delete(r.live, p.key)
	case raised:
		if _, gone := p.states[ended]; !gone {
			r.live[p.key] = p
		}
		p.post, p.words = traffic.Post(v.Text("post")), watch.Decode(v.Text("title"), v.Text("args"))
		if len(t.Statement.Refs) > 0 {
			p.about = t.Statement.Refs[0]
		}
	case escalated:
		p.steps[v.Text("role")] = true
	case taken:
		if p.taken == nil { // the first stands, also where two processes took it at once
			p.taken = &watch.Taken{By: v.Text("by"), Role: v.Text("role"), At: t.Held}
			p.remarks = v.Text("text")
		}
	}
}

// says tells whether the journal has an act of an item.
func (r *record) says(key, act string) bool {
	p := r.items[key]
	if p == nil {
		return false
	}
	kind, rest, _ := strings.Cut(act, " ")
	switch {
	case kind == escalated:
		return p.steps[rest]
	case rest != "":
		return p.calls[strings.Replace(rest, " ", "/", 1)]
	}
	return !p.states[act].IsZero()
}

// prune forgets overrides that have long run out: they are in the journal.
func (r *record) prune(now time.Time) {
	r.overrides = slices.DeleteFunc(r.overrides, func(o roster.Override) bool { return now.Sub(o.Until) > 31*24*time.Hour })
}

// duty tells who is on duty for a post at a moment: by its own roster, or by that of a post which covers it. ok is false where there is none.
func (r *record) duty(post traffic.Post, now time.Time) (d roster.Duty, ok bool) {
	p := r.rosters[post]
	if p == nil {
		for _, name := range sortedPosts(r.rosters) {
			if slices.Contains(r.rosters[name].Covers, post) {
				p = r.rosters[name]
				break
			}
		}
	}
	if p == nil {
		return roster.Duty{Post: post}, false
	}
	d = p.At(now, r.overrides)
	d.Post = post
	return d, true
}

func sortedPosts[T any](m map[traffic.Post]T) []traffic.Post {
	var out []traffic.Post
	for post := range m {
		out = append(out, post)
	}
	slices.Sort(out)
	return out
}
