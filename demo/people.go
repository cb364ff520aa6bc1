package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/api"
	"detente/traffic"
)

// person is an officer of a party.
type person struct {
	id, name, language string
	roles              []string // at every post
}

// enrol gives a party its officers and its roster: the first keeps the watch, the second is called when he does not answer, and releases what
// needs two persons.
func (a *actor) enrol(ctx context.Context) error {
	for _, o := range a.people {
		grants := []api.Grant{}
		for _, role := range o.roles {
			grants = append(grants, api.Grant{Post: "*", Role: role})
		}
		if _, err := a.SetOfficer(ctx, api.OfficerRequest{ID: o.id, Name: o.name, Language: o.language, Grants: grants, Webhook: a.phones.of(o.id)}); err != nil {
			return err
		}
		token, err := a.NewToken(ctx, o.id)
		if err != nil {
			return err
		}
		a.as[o.id] = a.Client.As(token.Token)
	}
	_, err := a.SetRoster(ctx, post, api.RosterRequest{Text: a.roster()})
	return err
}

// post is the post that the story is about.
const post traffic.Post = "nrrc"

// roster is the party's roster, as its head of post would write it: two shifts, of which the present one has some hours to go.
func (a *actor) roster() string {
	begun := time.Now().UTC().Add(-2 * time.Hour)
	return fmt.Sprintf(`post = %q
covers = ["cert", "experts", "council", "mfa"]
zone = "UTC"
duty-officer = %q
deputy = %q

[[shift]]
name = "present"
start = "%02d:00"
length = "12h"

[[shift]]
name = "next"
start = "%02d:00"
length = "12h"
`, post, a.people[0].id, a.people[1].id, begun.Hour(), begun.Add(12*time.Hour).Hour())
}

// duty is the officer who keeps the watch, second the one who stands behind him. What they do the node permits by their roles, and records as theirs.
func (a *actor) duty() *api.Client   { return a.as[a.people[0].id] }
func (a *actor) second() *api.Client { return a.as[a.people[1].id] }

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

// speak has a party's duty officer state something. What needs two persons waits, and is released.
func (p *play) speak(ctx context.Context, by *actor, r api.SendRequest) (api.Sent, error) {
	sent, err := by.duty().Send(ctx, r)
	return p.release(ctx, by, sent, err)
}

// release releases what waits for a second person. In the console that is a passkey over the digest of the draft; a story has no fingers, so here it is
// the terminal that says so, and the log says that it was the terminal.
func (p *play) release(ctx context.Context, by *actor, sent api.Sent, err error) (api.Sent, error) {
	problem, ok := errors.AsType[*api.Problem](err)
	if !ok || problem.Code != "release-needed" || len(problem.Fields) == 0 {
		return sent, err
	}
	waiting, err := by.Releases(ctx, "en")
	if err != nil {
		return sent, err
	}
	for _, w := range waiting {
		if w.ID != problem.Fields[0] {
			continue
		}
		p.step("● %s drafts: %s. It needs a second person, and waits; what he approves is the digest %s…", by.nameOf(w.Drafter), w.Title, w.Digest[:12])
		done, err := by.Decide(ctx, w.ID, api.ReleaseDecision{Approve: true, Role: "head-of-post"})
		if err != nil {
			return sent, err
		}
		if done.Sent == nil {
			return sent, fmt.Errorf("demo: release %s has sent nothing", w.ID)
		}
		p.step("● released as head-of-post, at the terminal (in the console: with the passkey of %s)", by.people[1].name)
		return *done.Sent, nil
	}
	return sent, fmt.Errorf("demo: release %s does not wait", problem.Fields[0])
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
				if c.Officer == who.id && c.Means == "webhook" && c.Outcome == "placed" {
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
	ring, err := p.world.phones.heard(first.id, sent.Number)
	if err != nil {
		return err
	}
	p.step("○ Southland's node calls %s (duty officer) at once; it is due at %s. Nobody takes it …", first.name, i.Due.UTC().Format("15:04:05Z"))
	p.note("his telephone, by a signed webhook: %s", ring.Title)
	if _, err = p.south.item(ctx, "the second call", about("acknowledge", called(second))); err != nil {
		return err
	}
	if ring, err = p.world.phones.heard(second.id, sent.Number); err != nil {
		return err
	}
	p.step("○ … so after three tenths of the time it calls %s (deputy)", second.name)
	p.note("her telephone: %s", ring.Title)
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
	if i, err = p.south.second().Take(ctx, i.Key, api.TakeRequest{}); err != nil {
		return err
	}
	if i.Taken == nil {
		return errors.New("demo: what was taken is not taken")
	}
	p.step("● %s takes it, as %s; the alarm stops, nobody else is called", second.name, i.Taken.Role)
	ack, err := p.south.second().Reply(ctx, sent.ID, api.ReplyRequest{Words: api.Words{Form: "acknowledgement", Text: map[string]string{"understood": "true"}}})
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

// handOver has Southland's watch handed over: it is in force when both have signed.
func (p *play) handOver(ctx context.Context) error {
	off, on := p.south.people[0], p.south.people[1]
	h, err := p.south.duty().HandOver(ctx, api.HandoverRequest{Post: post, Off: off.id, On: on.id, Remarks: "Запрос по энергосети отвечен."})
	if err != nil {
		return err
	}
	p.step("● %s hands the watch of %s over to %s, with %d open items", off.name, post, on.name, len(h.Items))
	for _, o := range []person{off, on} {
		done, err := p.south.Decide(ctx, h.ID, api.ReleaseDecision{Approve: true})
		if err != nil {
			return err
		}
		state := "the other has still to sign"
		if done.Complete {
			state = "both have signed"
		}
		p.step("● signed for %s at the terminal, where nobody has a passkey; %s", o.name, state)
	}
	r, err := p.south.Roster(ctx, post)
	if err != nil {
		return err
	}
	for _, o := range r.Now.Officers {
		if o.Role == "duty-officer" && o.Officer != on.id {
			return fmt.Errorf("demo: %s has taken over, and %s is on duty", on.id, o.Officer)
		}
	}
	p.step("%s is the duty officer now: what comes is called to her first", on.name)
	return nil
}

// log prints the last page of Southland's watch log.
func (p *play) log(ctx context.Context) error {
	entries, err := p.south.Log(ctx, api.LogListing{Limit: 24, Lang: "en"})
	if err != nil {
		return err
	}
	p.step("Southland's watch log, the last of it: each line is a signed entry of its internal feed. ○ the machine, ● a person")
	for n := len(entries) - 1; n >= 0; n-- {
		e, mark := entries[n], "○"
		if e.Human {
			mark = "●"
		}
		text, _, _ := strings.Cut(strings.TrimSpace(e.Text), "\n")
		p.printf("         │ %s %s %-9s %-9s %-15s %s\n", e.At.UTC().Format("15:04:05Z"), mark, e.Kind, e.By, e.Number, short(text, 90))
	}
	return nil
}

func short(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// doors prints an address for each officer who may sign in.
func (p *play) doors(ctx context.Context) error {
	p.printf("\nThe consoles are open. Each link signs one officer in, once. Open one of Northland and one of Southland in two windows, and play both\n" +
		"sides; a second officer of the same party needs a private window. What needs two persons asks the second for a passkey:\n\n")
	for _, a := range p.world.actors {
		for _, o := range a.people {
			in, err := a.Invite(ctx, o.id)
			if err != nil {
				return err
			}
			p.printf("  %-10s %-15s %-3s %s%s\n", a.name, o.name, o.language, a.origin, in.Link)
		}
	}
	p.printf("\nThe programme, once signed in; each side at its own, and Lakeland sees what is for everybody:\n\n")
	for _, a := range p.world.actors {
		p.printf("  %-10s %s/real/programme/%s..%s\n", a.name, a.origin, p.north.id, p.south.id)
	}
	return nil
}
