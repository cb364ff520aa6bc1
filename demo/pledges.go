package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/api"
	"detente/api/editions"
	"detente/api/registry"
	"detente/chancery"
)

// guarantee has Northland and Southland exchange notes: the second repeats the first to the letter, and both are the agreement.
func (p *play) guarantee(ctx context.Context) error {
	opened, err := p.exchange(ctx)
	if err != nil {
		return err
	}
	p.step("Northland and Southland exchange notes with guarantees of non-interference; Southland's repeats Northland's to the letter: in force")
	now := time.Now().UTC()
	sent, err := p.speak(ctx, p.south, api.SendRequest{
		Channel: table, To: "xn/mfa", Post: ministry, Precedence: "R", Dossier: opened, Words: api.Words{
			Form: "protected-process", Language: "en", Text: map[string]string{
				"name.en": "Election of the parliament", "name.ru": "Выборы в парламент", "process": "election", "window": span(now.Add(-time.Minute), now.AddDate(0, 0, 10)),
				"scope": "Everything that counts, transmits or publishes votes.", "duty": "xn/nrrc,xs/nrrc", "restraints": "No unannounced scans of the networks named.", "rhythm": "6h",
			},
		},
	})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, sent, p.south, p.north, "protected process", ""); err != nil {
		return err
	}
	return p.north.until(ctx, "the protected process", func() (bool, error) {
		g, err := p.north.Guarantees(ctx, "real", "en")
		if err != nil || len(g.Processes) == 0 || g.Processes[0].State != "open" {
			return false, err
		}
		x := g.Processes[0]
		p.step("Northland's board names what is protected until %s: %s; the line is checked every %s, on duty are %s",
			x.Until.UTC().Format("02 Jan 15:04Z"), x.Name, time.Duration(x.Every)*time.Second, strings.Join(x.Duty, " and "))
		return true, nil
	})
}

// pledge opens the commitment not to strike first to all, and all three adhere: Lakeland with a declaration of its own.
func (p *play) pledge(ctx context.Context) error {
	o, err := chancery.OpeningNamed("no-first-strike")
	if err != nil {
		return err
	}
	text := map[string]string{"languages": strings.Join(o.Languages, " "), "kind": o.Kind, "nature": o.Nature, "rules": string(o.Rules)}
	for _, lang := range o.Languages {
		text["title."+lang], text["texts."+lang] = o.Title[lang], o.Texts[lang]
	}
	sent, err := p.say(ctx, p.north, nil, "opened to all", public("instrument-opening", text))
	if err != nil {
		return err
	}
	p.opened = sent.ID
	p.step("Northland opens to all: %s", o.Title["en"])
	today := time.Now().UTC().Truncate(24 * time.Hour).Format(time.RFC3339)
	for _, a := range p.world.actors {
		if err := p.knows(ctx, a, "the opening", func(i *registry.Whole) bool { return true }); err != nil {
			return err
		}
		powers := public("full-powers", map[string]string{
			"representative": "Minister for Foreign Affairs", "post": string(a.id) + "/" + string(ministry), "may": "consent,declare", "authority": "head-of-state",
		})
		powers.Post = "council"
		if _, err := a.Send(ctx, powers); err != nil { // at the terminal: a duty officer may not commit the party
			return err
		}
		if _, err := p.say(ctx, a, nil, "adherence", public("act", map[string]string{"instrument": p.opened, "kind": "adhere", "date": today})); err != nil {
			return err
		}
	}
	if _, err := p.say(ctx, p.lake, nil, "declaration", public("act", map[string]string{
		"instrument": p.opened, "kind": "declare", "date": today,
		"texts.en": "Lakeland understands this commitment to be without prejudice to the inherent right of self-defence.",
		"texts.ru": "Озёрная страна понимает это обязательство как не затрагивающее неотъемлемое право на самооборону.",
	})); err != nil {
		return err
	}
	if err := p.knows(ctx, p.north, "all acts", func(i *registry.Whole) bool { return i.Parties == 3 && i.Acts >= 4 }); err != nil {
		return err
	}
	p.step("Northland, Southland and Lakeland have adhered, Lakeland with a declaration of its own: each in its own feed, under full powers")
	return nil
}

// register has Northland sign an edition of the register, build it as files, and anybody verify it from the files alone.
func (p *play) register(ctx context.Context) error {
	sent, err := editions.Sign(ctx, p.north.Client, editions.EditionRequest{Instrument: p.opened, Post: ministry, Releaser: "head-of-post"})
	if err != nil {
		return err
	}
	if err := p.arrived(ctx, sent, p.north, nil, "edition", ""); err != nil {
		return err
	}
	dir := filepath.Join(p.world.dir, "register")
	if err := p.north.until(ctx, "the register", func() (bool, error) {
		built, err := editions.Build(ctx, p.north.Client, editions.BuildRequest{Directory: dir, Instruments: []string{p.opened}})
		if err != nil {
			return false, err
		}
		p.step("the open register, as files for any web server: %d instrument in %s", len(built.Instruments), dir)
		return true, nil
	}); err != nil {
		return err
	}
	bundle, err := bundleIn(dir)
	if err != nil {
		return err
	}
	charters, err := p.charters(ctx)
	if err != nil {
		return err
	}
	words, err := p.cfg.Verify(ctx, append([]string{bundle}, charters...))
	if err != nil {
		return fmt.Errorf("demo: %s: %w", bundle, err)
	}
	p.step("detente verify %s, offline:", filepath.Base(bundle))
	p.quote(words)
	return nil
}

// bundleIn finds the bundle of the one instrument of a register.
func bundleIn(dir string) (found string, err error) {
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".detente-register") {
			found = path
		}
		return err
	})
	if err == nil && found == "" {
		err = fmt.Errorf("demo: no bundle in %s", dir)
	}
	return found, err
}

// knows waits until a party's node has read of the open instrument what it should.
func (p *play) knows(ctx context.Context, a *actor, what string, right func(*registry.Whole) bool) error {
	return a.until(ctx, what, func() (bool, error) {
		i, err := registry.Client{Node: a.Client}.Instrument(ctx, p.opened)
		if ignored := missing(err); ignored {
			return false, nil
		}
		return err == nil && right(&i), err
	})
}

// public is a statement in a party's public feed.
func public(form string, text map[string]string) api.SendRequest {
	return api.SendRequest{Channel: "public", Post: ministry, Precedence: "R", Words: api.Words{Form: form, Language: "en", Text: text, Releaser: "head-of-post"}}
}
