package yearly

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"

	"detente/directory"
	"detente/form"
	"detente/incident"
	"detente/party"
	"detente/traffic"
)

// contacts compares the directory at the end of the period with that at its beginning.
func (a *Assembly) contacts(w *work) {
	fm, ok := w.Regime.Latest("contact")
	if !ok {
		return
	}
	for _, now := range w.after.All(a.about.Plane) {
		was := w.before.Find(now.Key)
		stood, stands := was != nil && was.Withdrawn.IsZero(), now.Withdrawn.IsZero()
		x := ContactChange{Channel: w.Name, Party: now.Party, Name: now.Name, ID: now.ID.String()}
		switch {
		case stands && !stood:
			x.Change, x.Fields = "added", fields(fm, nil, now)
		case !stands && stood:
			x.Change, x.Fields = "withdrawn", []FieldChange{}
		case stands && was.ID != now.ID:
			if x.Change, x.Fields = "changed", fields(fm, was, now); len(x.Fields) == 0 {
				continue // said again
			}
		default:
			continue
		}
		a.pack.Contacts = append(a.pack.Contacts, x)
	}
}

// fields are those that say something else than before, by their names.
func fields(fm *form.Form, was, is *directory.Contact) []FieldChange {
	before, after := texts(fm, was), texts(fm, is)
	names := maps.Clone(before)
	maps.Copy(names, after)
	out := []FieldChange{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if name != "name" && before[name] != after[name] {
			out = append(out, FieldChange{name, before[name], after[name]})
		}
	}
	return out
}

func texts(fm *form.Form, c *directory.Contact) map[string]string {
	if c == nil {
		return map[string]string{}
	}
	t, err := directory.Texts(fm, c.Values)
	if err != nil {
		return map[string]string{} // of a version of the form that this program does not know
	}
	return t
}

// codes are the changes to the codebook that came to be agreed in the period.
func (a *Assembly) codes(w *work) {
	var all []*incident.Case
	since := make(map[string]*incident.Matter)
	for _, k := range w.cases {
		all = append(all, k.Case)
		for _, m := range k.Matters {
			since[m.ID.String()] = m
		}
	}
	for _, c := range incident.Changes(all) {
		m := since[c.Statement.String()]
		if m == nil || !a.about.in(m.Since) {
			continue
		}
		a.pack.Codes = append(a.pack.Codes, CodeChange{w.Name, c.By, c.Action, c.Number, c.Meaning, c.Statement.String(), m.Since.UTC()})
	}
}

// charters are the versions that were issued in the period and that a statement of the record names: of others the other side may not know yet.
func (a *Assembly) charters(chain func(traffic.Party) *party.Chain) {
	for _, who := range a.pack.Parties {
		all := chain(who)
		if all == nil {
			continue
		}
		if c, held := all.At(max(1, a.version[who])); held {
			a.pack.Members = append(a.pack.Members, Member{who, c.Version, maps.Clone(c.Name), slices.Clone(c.Languages)})
		}
		for v := 2; v <= a.version[who]; v++ {
			was, held := all.At(v - 1)
			is, heldToo := all.At(v)
			if !held || !heldToo || !a.about.in(is.Issued) {
				continue
			}
			hash := is.Hash()
			x := CharterChange{Party: who, Version: v, Issued: is.Issued.UTC(), Hash: hex.EncodeToString(hash[:]), Added: []traffic.Post{}, Gone: []traffic.Post{}, Rekeyed: []traffic.Post{}}
			before := make(map[traffic.Post]*party.Post)
			for i := range was.Posts {
				before[was.Posts[i].Name] = &was.Posts[i]
			}
			for i := range is.Posts {
				p := &is.Posts[i]
				switch old := before[p.Name]; {
				case old == nil:
					x.Added = append(x.Added, p.Name)
				case !sameKeys(old, p):
					x.Rekeyed = append(x.Rekeyed, p.Name)
				}
				delete(before, p.Name)
			}
			x.Gone = append(x.Gone, slices.Sorted(maps.Keys(before))...)
			a.pack.Charters = append(a.pack.Charters, x)
		}
	}
}

func sameKeys(a, b *party.Post) bool {
	return slices.EqualFunc(a.Keys, b.Keys, func(x, y party.PlaneKey) bool { return x.Plane == y.Plane && bytes.Equal(x.Key.Bytes, y.Key.Bytes) })
}
