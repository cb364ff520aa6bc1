package console

import (
	"net/url"
	"slices"

	"detente/api"
	"detente/console/cases"
	"detente/console/talks"
	"detente/traffic"
)

// watchPage answers: what needs me now?
type watchPage struct {
	Frame
	Items, Taken, Done []row
	Selected           *selected
	Going              *talks.Going // nil while nothing is suspended
}

// row is an item in the list.
type row struct {
	api.Item
	Href    string
	Current bool
}

// selected is the item on which the officer's eye rests, with the statement that it is about.
type selected struct {
	api.Item
	Statement *api.Statement
	Ladders   []ladder
	Open      string // address of the statement
	Actions   []deed
}

// deed is something that can be done with one key.
type deed struct {
	Name string // of the binding, and phrase key
	Key  string
	Href string // a page to go to
	Post string // else, a form to send
}

func buildWatch(v *visit) (page, error) {
	w, err := v.client.Watch(v.ctx, "", v.plane, v.tag())
	if err != nil {
		return nil, err
	}
	key := v.r.URL.Query().Get("item")
	p := &watchPage{Going: talks.MakeGoing(v.ctx, v.desk())}
	var chosen *api.Item
	rows := func(items []api.Item) (out []row) {
		for i := range items {
			r := row{Item: items[i], Href: v.to("/watch", "item", items[i].Key)}
			if items[i].Key == key {
				r.Current, chosen = true, &items[i]
			}
			out = append(out, r)
		}
		return out
	}
	p.Items, p.Taken, p.Done = rows(w.Items), rows(w.Taken), rows(w.Done)
	if chosen == nil && len(w.Items) > 0 {
		chosen, p.Items[0].Current = &w.Items[0], true
	}
	if chosen != nil {
		p.Selected = v.selected(*chosen)
	}
	return p, nil
}

func (v *visit) selected(item api.Item) *selected {
	s := &selected{Item: item}
	if item.Taken == nil && item.Ended.IsZero() && v.may("take") {
		s.Actions = append(s.Actions, deed{Name: "accept", Key: v.prefs.Keys["accept"], Post: v.to("/watch/take", "key", item.Key)})
	}
	if name, href := v.desk().Leads(&item); name != "" {
		s.Actions = append(s.Actions, deed{Name: name, Href: href})
	}
	if item.Statement == "" {
		return s
	}
	s.Open = v.to("/statement/" + url.PathEscape(item.Statement))
	st, err := v.client.Statement(v.ctx, item.Statement, v.tag())
	if err != nil {
		return s // the item stands by itself; its page says why the statement does not show
	}
	s.Statement, s.Ladders = &st, v.ladders(&st)
	s.Actions = append(s.Actions, v.deeds(&st)...)
	return s
}

// deeds are what the officer may do on a statement. Each leads to a page that shows what will be said; nothing is said on one key.
func (v *visit) deeds(s *api.Statement) []deed {
	at := "/statement/" + url.PathEscape(s.ID) + "/reply"
	var out []deed
	add := func(name, form string, more ...string) {
		out = append(out, deed{Name: name, Key: v.prefs.Keys[name], Href: v.to(at, append([]string{"form", form}, more...)...)})
	}
	if s.Standing == "invalid" || s.Plane != v.plane {
		return nil
	}
	if !s.Own {
		if v.may("acknowledge") && slices.ContainsFunc(s.Owed, func(o api.Owed) bool { return o.What == "acknowledgement" }) || v.may("acknowledge") && len(s.Owed) > 0 {
			add("understood", "acknowledgement", "set", "understood")
			add("passed", "acknowledgement", "set", "passed")
		}
		if v.may("answer") {
			add("reply", "")
		}
		if to := cases.Again(v.desk(), s); to != "" && v.may("send") {
			out = append(out, deed{Name: "again", Key: v.prefs.Keys["again"], Href: to})
		}
		return out
	}
	if v.may("send") {
		add("correct", "cancellation")
	}
	return out
}

func doTake(v *visit) (string, page, error) {
	key := v.r.URL.Query().Get("key")
	r := api.TakeRequest{Role: v.r.PostForm.Get("role"), Remark: v.r.PostForm.Get("remark")}
	if _, err := v.client.Take(v.ctx, key, r); err != nil {
		return "", nil, err
	}
	return v.to("/watch", "item", key, "said", "taken"), nil, nil
}

// ladder is how far a statement has come with one addressee.
type ladder struct {
	Party traffic.Party
	Steps []step
}

// step is a rung of the ladder of receipts. Human says that a person is meant to take it, which is drawn solid; a machine's is hollow.
type step struct {
	Name  string
	Human bool
	api.Station
	Reached bool
}

// ladders are the ladders of a statement, one for each party that it is addressed to.
func (v *visit) ladders(s *api.Statement) []ladder {
	stations, err := v.client.Trace(v.ctx, s.ID)
	if err != nil {
		return nil // the receipts in words are there all the same
	}
	var parties []traffic.Party
	for _, st := range stations {
		if st.What != "released" && st.What != "in-feed" && !slices.Contains(parties, st.Party) {
			parties = append(parties, st.Party)
		}
	}
	rungs := []step{{Name: "held"}, {Name: "accepted", Human: true}, {Name: "understood", Human: true}, {Name: "passed-on", Human: true}, {Name: "answered", Human: true}}
	var out []ladder
	for _, p := range parties {
		l := ladder{Party: p, Steps: slices.Clone(rungs)}
		for i := range l.Steps {
			for _, st := range stations {
				if st.Party == p && st.What == l.Steps[i].Name && !st.At.IsZero() && !l.Steps[i].Reached {
					l.Steps[i].Station, l.Steps[i].Reached = st, true
				}
			}
		}
		out = append(out, l)
	}
	return out
}
