package instrument

import (
	"slices"
	"time"
)

// Why a provision is not agreed.
const (
	Silent  = "silent"   // a party stands nowhere
	Differs = "differs"  // they stand on different wordings
	Reserve = "reserved" // a party has a reservation
	Partial = "language" // the wording is not in every language, or in one too many
	Tied    = "package"  // a package that it is bound to is not met
)

// unanimous tells whether all parties stand on one wording in all languages, without reservation; else why not.
func (n *Negotiation) unanimous(p *Provision) (bool, string) {
	if p == nil || len(n.Opening.Parties) == 0 {
		return false, Silent
	}
	first, ok := p.Stands[n.Opening.Parties[0]]
	if !ok {
		return false, Silent
	}
	for _, party := range n.Opening.Parties {
		if _, ok := p.Stands[party]; !ok {
			return false, Silent
		}
	}
	why := ""
	for _, party := range n.Opening.Parties {
		switch s := p.Stands[party]; {
		case s.Digest != first.Digest:
			return false, Differs
		case s.Reserved != "":
			why = Reserve
		}
	}
	if why == "" && p.ID != Structure && !first.Texts.Covers(n.Opening.Languages) {
		why = Partial
	}
	return why == "", why
}

// met tells whether all parties stand on all of a package, by what settle has found of each provision.
func (n *Negotiation) met(p *Package) bool {
	for id, d := range p.Items {
		if prov := n.Provisions[id]; !prov.whole || prov.digest != d {
			return false
		}
	}
	return true
}

// Agreed tells whether a provision is agreed, protocol.md#positions; else why not: Silent, Differs, Reserve, Partial or Tied.
func (n *Negotiation) Agreed(id string) (bool, string) {
	p := n.Provisions[id]
	if p != nil && p.agreed {
		return true, ""
	}
	if ok, why := n.unanimous(p); !ok {
		return false, why
	}
	return false, Tied
}

// bonded are provisions that are agreed together or not at all, and the packages that bind them.
type bonded struct {
	ids      []string
	packages []*Package
}

// bond gathers what is bound to a provision, over as many packages as it takes: they may form a ring.
func (f *fold) bond(id string) bonded {
	var b bonded
	seen, bound := map[string]bool{id: true}, make(map[*Package]bool)
	b.ids = append(b.ids, id)
	for at := 0; at < len(b.ids); at++ {
		for _, p := range f.on[b.ids[at]] {
			if bound[p] {
				continue
			}
			bound[p] = true
			b.packages = append(b.packages, p)
			for _, item := range sortedKeys(p.Items) {
				if !seen[item] {
					seen[item] = true
					b.ids = append(b.ids, item)
				}
			}
		}
	}
	return b
}

// settle counts anew what is agreed, after an entry has touched some provisions. tied: packages have come or gone too.
func (f *fold) settle(e *Entry, tied bool, touched ...string) {
	changed := tied
	f.current = nil
	for _, id := range touched {
		p := f.Provisions[id]
		whole, digest := f.whole(p)
		changed = changed || whole != p.whole || digest != p.digest
		p.whole, p.digest = whole, digest
	}
	was := f.clean()
	done := make(map[string]bool)
	for _, id := range touched {
		f.recount(id) // a heading that somebody stands on now, or nobody any more
		if changed && !done[id] {
			f.settleBond(e, f.bond(id), done)
		}
	}
	e.Remarks = slices.Compact(e.Remarks)
	if is := f.clean(); is != was {
		f.turns = append(f.turns, turn{e.At, is})
		if !is {
			f.lapse(e)
		}
	}
}

func (f *fold) whole(p *Provision) (bool, [32]byte) {
	if ok, _ := f.unanimous(p); !ok {
		return false, [32]byte{}
	}
	return true, p.Stands[f.Opening.Parties[0]].Digest
}

func (f *fold) settleBond(e *Entry, b bonded, done map[string]bool) {
	met := true
	for _, p := range b.packages {
		met = met && f.met(p)
	}
	for _, id := range b.ids {
		done[id] = true
		p := f.Provisions[id]
		ok := p.whole && met
		if p.agreed == ok {
			continue
		}
		if p.agreed = ok; !ok {
			p.Reopened++
			e.Remarks = append(e.Remarks, Reopens)
		}
		if id == Structure {
			f.restructure(p)
		} else {
			f.recount(id)
		}
	}
}

// turn is when the text became clean, or ceased to be.
type turn struct {
	at    time.Time
	clean bool
}

// restructure takes over the structure that is agreed now, or none.
func (f *fold) restructure(p *Provision) {
	clear(f.in)
	f.lines = nil
	if p.agreed {
		f.lines, _, _ = parseOrder(p.Stands[f.Opening.Parties[0]].Order)
		for _, l := range f.lines {
			f.in[l.id] = l.kind
		}
	}
	clear(f.fine)
	f.open = 0
	for id := range f.in {
		f.recount(id)
	}
	f.recount(Title)
	f.recount(Names)
}

// recount looks at one provision of the text: is it agreed, or need it not be?
func (f *fold) recount(id string) {
	if id == Structure {
		return
	}
	kind, in := f.in[id]
	if !in && id != Title && id != Names {
		return
	}
	p := f.Provisions[id]
	silent := p == nil || len(p.Stands) == 0
	fine := p != nil && p.agreed || silent && (kind.Heads() || !in)
	before, counted := f.fine[id]
	if !counted {
		before = true
	}
	f.fine[id] = fine
	switch {
	case before && !fine:
		f.open++
	case !before && fine:
		f.open--
	}
}

// clean tells whether the whole text is agreed.
func (f *fold) clean() bool { return len(f.lines) > 0 && f.open == 0 }

// lapse takes the effect from the steps on a text that was re-opened. Each step lapses once, so all of it together is as much work as there are steps.
func (f *fold) lapse(e *Entry) {
	for _, m := range f.Manifests {
		m.Complete = false
	}
	for _, s := range f.Steps[f.lapsed:] {
		switch s.Form {
		case "conformity", "initialling", "signature", "confirmation", "consent":
			s.LapsedAt = e.At
			if of := f.of[s.Statement]; of != nil {
				of.Remarks = append(of.Remarks, NoForce)
			}
		}
	}
	f.lapsed = len(f.Steps)
	clear(f.steps)
}
