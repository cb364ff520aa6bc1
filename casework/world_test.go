package casework_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/casework"
	"detente/floor/floortest"
	"detente/form"
	"detente/node"
	"detente/statement"
	"detente/traffic"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	*floortest.World
}

// capital is a party and what runs on its machine.
type capital struct {
	*floortest.Party
	*casework.Casework
}

// inWorld plays a story between xn and xs, who are paired and have two channels under the agreement on incidents.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	capitals := map[traffic.Party]*capital{"xn": {}, "xs": {}}
	floortest.Play(t, floortest.Setup{
		Channels:  []floortest.Channel{{Name: "nrrc", Regime: "incidents"}, {Name: "cert", Regime: "incidents"}},
		Heartbeat: 2 * time.Hour,
		Joins: func(p *floortest.Party) {
			*capitals[p.ID] = capital{p, casework.New(p.Floor, p.Log)}
		},
	}, func(t *testing.T, w *floortest.World) { story(t, &world{w}, capitals["xn"], capitals["xs"]) })
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) { floortest.Pass(d) }

func must(t testing.TB, err error) {
	t.Helper()
	floortest.Must(t, err)
}

// fields are fields of a form, as a person gives them.
type fields map[string]string

// opens has a post state what opens a case, under a number of its own or under one that is known from another channel.
func (c *capital) opens(channel string, p traffic.Precedence, formID, number string, words fields, blobs ...[]byte) (string, statement.ID) {
	c.World.T.Helper()
	if number == "" {
		n, err := c.Allot(c.World.T.Context())
		must(c.World.T, err)
		number = n.String()
	}
	sent := c.sends(node.Draft{
		Channel: c.World.Channels[channel], Precedence: p, Post: traffic.Post(channel), Audience: string(c.Other()) + "/" + channel, Form: formID, Blobs: blobs,
	}, words.with("case", number))
	return number, sent.ID
}

func (f fields) with(name, value string) fields {
	out := fields{name: value}
	for k, v := range f {
		out[k] = v
	}
	return out
}

// states has the post say something in a case: to what, the case tells.
func (c *capital) states(channel, notation, formID string, words fields) statement.ID {
	c.World.T.Helper()
	f, err := c.File(c.World.T.Context(), notation)
	must(c.World.T, err)
	deciding := ""
	on := c.World.Channels[channel]
	for _, s := range c.Steps(f) {
		if s.Form == formID && s.Field != "" {
			deciding = words[s.Field]
		}
	}
	step, err := c.Step(f, &on, formID, deciding)
	must(c.World.T, err)
	audience := step.To
	if audience != statement.Everyone {
		audience += "/" + channel
	}
	p := traffic.Routine
	for _, e := range step.Sheet.Entries {
		if e.ID == step.About {
			p = e.Precedence
		}
	}
	return c.sends(node.Draft{
		Channel: step.Sheet.Name.Channel, Precedence: p, Post: traffic.Post(channel), Audience: audience, Form: formID, Dossier: step.Sheet.Name.ID, Refs: []statement.ID{step.About},
	}, words).ID
}

func (c *capital) sends(d node.Draft, words fields) node.Sent {
	c.World.T.Helper()
	_, regime, err := c.Node.Channel(d.Channel)
	must(c.World.T, err)
	fm, ok := regime.Latest(d.Form)
	if !ok {
		c.World.T.Fatal("no form ", d.Form)
	}
	d.Values, err = fm.FromText(words)
	must(c.World.T, err)
	for _, b := range d.Blobs {
		d.Values["attachments"] = []any{form.Blob{Hash: sha256.Sum256(b), Size: int64(len(b)), Name: "report.json", Type: "application/json"}.Value()}
	}
	if d.Precedence.Rank() > fm.Ceiling.Rank() {
		d.Precedence = fm.Ceiling
	}
	d.Plane, d.Language, d.Drafter, d.Releaser = traffic.Real, "en", "duty-officer", "head-of-post"
	sent, err := c.Node.Send(c.World.T.Context(), d)
	must(c.World.T, err)
	return sent
}

// acknowledges a statement, as its post does.
func (c *capital) acknowledges(to statement.ID) {
	c.World.T.Helper()
	_, err := c.Node.Reply(c.World.T.Context(), node.Reply{
		To: to, Form: "acknowledgement", Values: form.Values{"received": time.Now().Unix(), "understood": true}, Language: "en", Drafter: "duty-officer",
	})
	must(c.World.T, err)
}

// file is a case as this party has it.
func (c *capital) file(notation string) *casework.File {
	c.World.T.Helper()
	f, err := c.File(c.World.T.Context(), notation)
	must(c.World.T, err)
	return f
}

// stands is how a case stands on its first channel.
func (c *capital) stands(notation string) string {
	c.World.T.Helper()
	v := c.file(notation).Sheets[0].View
	return strings.TrimSpace(v.Machine + " " + v.State + " " + v.Outcome)
}

// board lists what needs somebody about cases, by what is said.
func (c *capital) board() []string {
	c.World.T.Helper()
	v, err := c.Floor.Watch(c.World.T.Context(), "", "")
	must(c.World.T, err)
	out := []string{}
	for _, it := range v.Items {
		if strings.HasPrefix(it.Say, "case.") && it.Ended.IsZero() {
			out = append(out, it.Say+" "+fmt.Sprint(it.Args[0]))
		}
	}
	return out
}
