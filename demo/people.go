package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"detente/api"
	"detente/traffic"
)

// person is an officer of a party.
type person struct {
	id, name, language string
}

// enrol gives a party its roster: the first of its officers keeps the watch, the second is called when he does not answer.
func (a *actor) enrol(ctx context.Context) error {
	_, err := a.SetRoster(ctx, post, api.RosterRequest{Text: a.roster()})
	return err
}

// post is the post that the story is about.
const post traffic.Post = "nrrc"

// roster is the party's roster, as its head of post would write it.
func (a *actor) roster() string {
	return fmt.Sprintf("post = %q\ncovers = [\"cert\", \"experts\", \"council\", \"mfa\"]\nzone = \"UTC\"\nduty-officer = %q\ndeputy = %q\n",
		post, a.people[0].id, a.people[1].id)
}

// item waits until something stands on the watch that is as it should be.
func (a *actor) item(ctx context.Context, what string, right func(*api.Item) bool) (found api.Item, err error) {
	err = a.until(ctx, what, func() (bool, error) {
		w, err := a.Watch(ctx, "", traffic.Real, "en")
		if err != nil {
			return false, err
		}
		for _, list := range [][]api.Item{w.Items, w.Taken, w.Done} {
			for _, i := range list {
				if right(&i) {
					found = i
					return true, nil
				}
			}
		}
		return false, nil
	})
	return found, err
}

// man has each party enrol its officers.
func (p *play) man(ctx context.Context) error {
	for _, a := range p.world.actors {
		if err := a.enrol(ctx); err != nil {
			return err
		}
		r, err := a.Roster(ctx, post)
		if err != nil {
			return err
		}
		var who []string
		for _, o := range r.Now.Officers {
			who = append(who, fmt.Sprintf("%s (%s)", a.nameOf(o.Officer), o.Role))
		}
		p.step("%s mans its watch: %s", a.name, strings.Join(who, ", "))
	}
	return nil
}

func (a *actor) nameOf(id string) string {
	for _, o := range a.people {
		if o.id == id {
			return o.name
		}
	}
	return id
}

// miss is the drill: a message stands untaken, the watch calls one person after the other, and the deadline passes on both sides.
func (p *play) miss(ctx context.Context) error {
	if err := p.north.propose(ctx, api.ProposeRequest{Name: "drill", Regime: drillRegime + "/1"}, p.south); err != nil {
		return err
	}
	p.step("channel %q: the forms of communications/1, but its watch has %s for a PRIORITY message in place of three hours, so that it can be seen", "drill", drillLimit)
	sent, err := p.say(ctx, p.north, p.south, "notice, drill", api.SendRequest{
		Channel: "drill", To: "xs/nrrc", Post: post, Precedence: "P",
		Words: api.Words{Form: "notice", Text: map[string]string{"subject": "information", "text": "Drill. Please acknowledge."}},
	})
	if err != nil {
		return err
	}
	first, second := p.south.people[0], p.south.people[1]
	about := func(kind string, more func(*api.Item) bool) func(*api.Item) bool {
		return func(i *api.Item) bool { return i.Statement == sent.ID && i.Kind == kind && more(i) }
	}
	called := func(who person) func(*api.Item) bool {
		return func(i *api.Item) bool {
			for _, c := range i.Calls {
				if c.Officer == who.id && c.Outcome == "placed" {
					return true
				}
			}
			return false
		}
	}
	i, err := p.south.item(ctx, "a call", about("acknowledge", called(first)))
	if err != nil {
		return err
	}
	p.step("○ Southland's node calls %s (duty officer) at once; it is due at %s. Nobody takes it …", first.name, i.Due.UTC().Format("15:04:05Z"))
	if _, err = p.south.item(ctx, "the second call", about("acknowledge", called(second))); err != nil {
		return err
	}
	p.step("○ … so after three tenths of the time it calls %s (deputy)", second.name)
	if _, err = p.south.item(ctx, "the missed deadline", about("acknowledge", func(i *api.Item) bool { return i.Overdue })); err != nil {
		return err
	}
	p.step("the deadline has passed: OVERDUE on Southland's watch")
	if i, err = p.north.item(ctx, "their missed deadline", about("missed", func(*api.Item) bool { return true })); err != nil {
		return err
	}
	p.step("○ Northland's watch sees it too: %q, %s", i.Title, p.why(ctx, sent))
	if i, err = p.south.item(ctx, "the item", about("acknowledge", func(*api.Item) bool { return true })); err != nil {
		return err
	}
	if i, err = p.south.Take(ctx, i.Key, api.TakeRequest{}); err != nil {
		return err
	}
	if i.Taken == nil {
		return errors.New("demo: what was taken is not taken")
	}
	p.step("● a person takes it, as %s; the alarm stops, nobody else is called", i.Taken.Role)
	ack, err := p.south.Reply(ctx, sent.ID, api.ReplyRequest{Words: api.Words{Form: "acknowledgement", Text: map[string]string{"understood": "true"}}})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, ack, p.south, p.north, "acknowledgement, late", ""); err != nil {
		return err
	}
	_, err = p.north.item(ctx, "the end of it", about("missed", func(i *api.Item) bool { return !i.Ended.IsZero() }))
	if err == nil {
		p.step("● acknowledged, late: it is gone from both watches, and stands in both logs")
	}
	return err
}

// why is what Northland knows of the silence.
func (p *play) why(ctx context.Context, sent api.Sent) string {
	s, err := p.north.Statement(ctx, sent.ID, "en")
	if err != nil || len(s.Silence) == 0 {
		return "and does not know why"
	}
	return "and knows why: " + string(s.Silence[0].Why)
}
