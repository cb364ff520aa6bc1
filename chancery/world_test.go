package chancery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"detente/chancery"
	"detente/floor/floortest"
	"detente/instrument"
	"detente/node"
	"detente/statement"
	"detente/store"
	"detente/traffic"
	"detente/wording"
)

// world is two parties with all that stands between them, in one bubble.
type world struct {
	*floortest.World
}

// capital is a party and what runs on its machine.
type capital struct {
	*floortest.Party
	*chancery.Chancery
}

// inWorld plays a story between xn and xs, who are paired and have a channel on which instruments are negotiated.
func inWorld(t *testing.T, story func(t *testing.T, w *world, xn, xs *capital)) {
	t.Helper()
	capitals := map[traffic.Party]*capital{"xn": {}, "xs": {}}
	floortest.Play(t, floortest.Setup{
		Channels:  []floortest.Channel{{Name: "talks", Regime: "instruments"}},
		Heartbeat: 2 * time.Hour,
		Schemas:   []store.Schema{chancery.Schema()},
		Joins: func(p *floortest.Party) {
			*capitals[p.ID] = capital{p, chancery.New(p.Floor, p.Log)}
		},
	}, func(t *testing.T, w *floortest.World) { story(t, &world{w}, capitals["xn"], capitals["xs"]) })
}

// pass lets time pass, and what it brings about come to rest.
func pass(d time.Duration) { floortest.Pass(d) }

func must(t testing.TB, err error) {
	t.Helper()
	floortest.Must(t, err)
}

// says has a post state what the chancery has drafted.
func (c *capital) says(d node.Draft, err error) node.Sent {
	c.World.T.Helper()
	must(c.World.T, err)
	if d.Post == "" {
		d.Post = "council"
	}
	d.Language, d.Drafter, d.Releaser = "en", "duty-officer", "head-of-post"
	sent, err := c.Node.Send(c.World.T.Context(), d)
	must(c.World.T, err)
	return sent
}

// draft is an instrument as this party has it.
func (c *capital) draft(id statement.ID) *chancery.Draft {
	c.World.T.Helper()
	d, err := c.Draft(c.World.T.Context(), id.String())
	must(c.World.T, err)
	return d
}

// opens opens the negotiation of a small treaty in two languages.
func (c *capital) opens() statement.ID {
	c.World.T.Helper()
	return c.says(c.Open(c.World.T.Context(), chancery.Opening{
		Channel: c.World.Channels["talks"], Plane: traffic.Real, Kind: "treaty", Nature: "legal", Languages: []string{"en", "ru"},
		Title: wording.Texts{"en": "Agreement on the Prevention of Incidents", "ru": "Соглашение о предотвращении инцидентов"},
	})).ID
}

// tables has a party take positions on a small text: an article with two paragraphs.
func (c *capital) tables(id statement.ID, limit map[string]string) {
	c.World.T.Helper()
	wishes, err := c.draft(id).Import(c.ID, treaty(limit), "")
	must(c.World.T, err)
	for _, w := range wishes {
		c.says(c.draft(id).Table(w))
	}
}

// treaty is a small text; of its second paragraph the wording is given.
func treaty(second map[string]string) chancery.Document {
	return chancery.Document{Text: instrument.Text{
		Names: wording.Texts{"en": "xn Northland\nxs Southland", "ru": "xn Северия\nxs Южная"},
		Clauses: []instrument.Clause{
			{ID: "preamble", Kind: instrument.Preamble, Texts: wording.Texts{"en": "{parties} have agreed as follows:", "ru": "{parties} согласились о нижеследующем:"}},
			{ID: "a1", Kind: instrument.Article, Texts: wording.Texts{"en": "Notification", "ru": "Уведомление"}},
			{ID: "a1.1", Kind: instrument.Paragraph, Texts: wording.Texts{"en": "Each Party shall notify the other Party of significant incidents.", "ru": "Каждая Сторона уведомляет другую Сторону о значительных инцидентах."}},
			{ID: "a1.2", Kind: instrument.Paragraph, Texts: second},
		},
	}}
}

func within(en, ru string) map[string]string {
	return wording.Texts{"en": "It shall do so " + en + ".", "ru": "Она делает это " + ru + "."}
}

// board lists what needs somebody about instruments, by what is said.
func (c *capital) board() []string {
	c.World.T.Helper()
	v, err := c.Floor.Watch(c.World.T.Context(), "", "")
	must(c.World.T, err)
	out := []string{}
	for _, it := range v.Items {
		if strings.HasPrefix(it.Say, "draft.") && it.Ended.IsZero() {
			out = append(out, it.Say)
		}
	}
	slices.Sort(out)
	return out
}
