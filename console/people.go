package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/traffic"
)

// rosterPage answers: who is next, what is open?
type rosterPage struct {
	Frame
	Rosters   []api.Roster
	Blank     []choice // own posts without a roster
	Handovers []api.Handover
	People    []choice
	Others    []choice // to whom the watch can be handed over: not oneself
	Roles     []choice
	MayRoster bool
	MayHand   bool
}

func buildRoster(v *visit) (page, error) {
	rosters, err := v.client.Rosters(v.ctx)
	if err != nil {
		return nil, err
	}
	handovers, err := v.client.Handovers(v.ctx, "", v.tag())
	if err != nil && !absent(err) {
		return nil, err
	}
	p := &rosterPage{Rosters: rosters, Handovers: handovers[:min(len(handovers), 20)], MayRoster: v.may("roster"), MayHand: v.may("handover")}
	if p.Blank, err = v.ownPosts(""); err != nil {
		return nil, err
	}
	p.Blank = slices.DeleteFunc(p.Blank, func(c choice) bool {
		return slices.ContainsFunc(rosters, func(r api.Roster) bool { return string(r.Post) == c.Value && r.Text != "" })
	})
	seen := map[string]bool{}
	person := func(d api.DutyOfficer) {
		if d.Officer != "" && !seen[d.Officer] {
			seen[d.Officer] = true
			p.People = append(p.People, choice{d.Officer, firstOf(d.Name, d.Officer), false})
		}
	}
	for _, r := range rosters {
		for _, s := range append([]api.Duty{r.Now}, r.Shifts...) {
			for _, d := range s.Officers {
				person(d)
			}
		}
	}
	if officers, err := v.client.Officers(v.ctx); err == nil {
		for _, o := range officers {
			if !o.Removed {
				person(api.DutyOfficer{Officer: o.ID, Name: o.Name})
			}
		}
	}
	p.Others = slices.DeleteFunc(slices.Clone(p.People), func(c choice) bool { return c.Value == v.me.Officer })
	p.Roles = v.roles("duty-officer", "deputy", "head-of-post", "senior-official")
	return p, nil
}

func (v *visit) roles(names ...string) (out []choice) {
	for _, n := range names {
		out = append(out, choice{n, v.say("role." + n), false})
	}
	return out
}

func doRoster(v *visit) (string, page, error) {
	_, err := v.client.SetRoster(v.ctx, traffic.Post(v.r.PathValue("post")), api.RosterRequest{Text: unix(v.r.PostForm.Get("text"))})
	return v.to("/roster", "said", "kept"), nil, err
}

func doOverride(v *visit) (string, page, error) {
	g := v.r.PostForm
	from, until, err := moments(g.Get("from"), g.Get("until"))
	if err != nil {
		return "", nil, err
	}
	_, err = v.client.Override(v.ctx, api.Override{
		Post: traffic.Post(v.r.PathValue("post")), Role: g.Get("role"), Officer: g.Get("officer"), From: from, Until: until, Reason: g.Get("reason"),
	})
	return v.to("/roster", "said", "kept"), nil, err
}

func doHandover(v *visit) (string, page, error) {
	g := v.r.PostForm
	h, err := v.client.HandOver(v.ctx, api.HandoverRequest{Post: traffic.Post(g.Get("post")), On: g.Get("on"), Remarks: unix(g.Get("remarks"))})
	if err != nil {
		return "", nil, err
	}
	return v.to("/releases", "id", h.ID, "said", "sign"), nil, nil
}

// logPage answers: what happened on this watch?
type logPage struct {
	Frame
	Entries []api.LogEntry
	Posts   []choice
	From    string
	Until   string
	May     bool
	Export  string
}

func (v *visit) logListing(limit int) api.LogListing {
	q := v.r.URL.Query()
	l := api.LogListing{Post: traffic.Post(q.Get("post")), Limit: limit, Lang: v.tag()}
	if t, err := time.Parse("2006-01-02", q.Get("from")); err == nil {
		l.From = t
	}
	if t, err := time.Parse("2006-01-02", q.Get("until")); err == nil {
		l.Until = t.AddDate(0, 0, 1)
	}
	return l
}

func buildLog(v *visit) (page, error) {
	l := v.logListing(200)
	entries, err := v.client.Log(v.ctx, l)
	if err != nil {
		return nil, err
	}
	q := v.r.URL.Query()
	p := &logPage{Entries: entries, From: q.Get("from"), Until: q.Get("until"), May: v.may("note"), Export: v.to("/log.csv")}
	if raw := v.r.URL.RawQuery; raw != "" {
		p.Export += "?" + raw
	}
	p.Posts, err = v.ownPosts(string(l.Post))
	return p, err
}

// ownPosts are all posts of the own party.
func (v *visit) ownPosts(chosen string) (out []choice, err error) {
	charters, err := v.client.Charters(v.ctx)
	for _, c := range charters {
		for _, post := range c.Posts {
			if c.Own {
				out = append(out, choice{string(post.Post), string(post.Post), string(post.Post) == chosen})
			}
		}
	}
	if absent(err) {
		err = nil
	}
	return out, err
}

func doNote(v *visit) (string, page, error) {
	g := v.r.PostForm
	_, err := v.client.Note(v.ctx, api.LogRequest{Post: traffic.Post(g.Get("post")), Text: unix(g.Get("text"))})
	return v.to("/log", "said", "noted"), nil, err
}

// giveLog gives the log as a table.
func giveLog(v *visit) (string, string, []byte, error) {
	b, err := v.client.LogCSV(v.ctx, v.logListing(100_000))
	return "watch-log.csv", "text/csv; charset=utf-8", b, err
}

// officersPage answers: who may do what, and who is signed in?
type officersPage struct {
	Frame
	Officers   []api.Officer
	Sessions   []api.Session
	Roles      []choice
	Posts      []choice
	Tongues    []choice
	Chosen     *api.Officer
	May        bool
	Invitation *invitation
	Token      *api.APIToken
}

// invitation is a link to be given to an officer, in full.
type invitation struct {
	api.Invitation
	Address string
}

func buildOfficers(v *visit) (page, error) { return v.officers() }

func (v *visit) officers() (*officersPage, error) {
	p := &officersPage{May: v.may("officers"), Tongues: v.tongues("en")}
	var err error
	if p.May {
		if p.Officers, err = v.client.Officers(v.ctx); err != nil {
			return nil, err
		}
		if p.Posts, err = v.ownPosts(""); err != nil {
			return nil, err
		}
		p.Posts = append(p.Posts, choice{Value: "*", Label: v.say("post.every")})
		for i := range p.Officers {
			if p.Officers[i].ID == v.r.URL.Query().Get("id") {
				p.Chosen = &p.Officers[i]
				p.Tongues = v.tongues(p.Chosen.Language)
			}
		}
	}
	if p.Sessions, err = v.client.Sessions(v.ctx); err != nil {
		return nil, err
	}
	p.Roles = v.roles("duty-officer", "deputy", "head-of-post", "senior-official", "translator", "administrator", "auditor")
	return p, nil
}

func doOfficer(v *visit) (string, page, error) {
	g := v.r.PostForm
	id := strings.TrimSpace(g.Get("id"))
	if g.Has("invite") || g.Has("token") {
		p, err := v.officers()
		if err != nil {
			return "", nil, err
		}
		if g.Has("token") {
			t, err := v.client.NewToken(v.ctx, id)
			p.Token = &t
			return "", p, err
		}
		in, err := v.client.Invite(v.ctx, id)
		if err != nil {
			return "", nil, err
		}
		address := in.Link
		if strings.HasPrefix(address, "/") {
			address = v.cfg.Origin + address
		}
		p.Invitation = &invitation{in, address}
		return "", p, nil
	}
	r := api.OfficerRequest{ID: id, Name: strings.TrimSpace(g.Get("name")), Language: g.Get("language"), Mail: g.Get("mail"), Webhook: g.Get("webhook"), OpenID: g.Get("openid"), Grants: []api.Grant{}}
	for _, grant := range g["grant"] {
		if post, role, ok := strings.Cut(grant, " "); ok {
			r.Grants = append(r.Grants, api.Grant{Post: post, Role: role})
		}
	}
	if role := g.Get("role"); role != "" {
		r.Grants = append(r.Grants, api.Grant{Post: firstOf(g.Get("post"), "*"), Role: role})
	}
	if _, err := v.client.SetOfficer(v.ctx, r); err != nil {
		return "", nil, err
	}
	return v.to("/officers", "id", id, "said", "kept"), nil, nil
}

func doRemoveOfficer(v *visit) (string, page, error) {
	if v.r.PostForm.Get("sure") != "yes" {
		return "", nil, &api.Problem{Status: http.StatusConflict, Code: "not-sure"}
	}
	_, err := v.client.RemoveOfficer(v.ctx, v.r.PathValue("id"))
	return v.to("/officers", "said", "removed"), nil, err
}

func doRemovePasskey(v *visit) (string, page, error) {
	_, err := v.client.RemovePasskey(v.ctx, v.r.PathValue("id"), v.r.PathValue("key"))
	return v.to("/officers", "id", v.r.PathValue("id"), "said", "removed"), nil, err
}

func doRevoke(v *visit) (string, page, error) {
	_, err := v.client.Revoke(v.ctx, v.r.PathValue("id"))
	return v.to("/officers", "said", "removed"), nil, err
}
