package console

import (
	"net/url"
	"slices"
	"strings"

	"detente/api"
	"detente/console/cases"
	"detente/traffic"
)

// lossPage says in three fields, and on every channel that is marked, that something of ours has got out of hand. It is authorised beforehand
// and needs nobody else.
type lossPage struct {
	Frame
	Channels []choice
	Posts    []choice
	What     string
	Since    string
	Remedy   string
	Original []choice
	Said     []saidOn
	Problem  *refusal
}

// saidOn is what came of it on one channel.
type saidOn struct {
	Channel, Number, Href string
	Problem               *refusal
}

func buildLoss(v *visit) (page, error) { return v.loss(url.Values{}) }

func (v *visit) loss(given url.Values) (*lossPage, error) {
	channels, err := v.channels()
	if err != nil {
		return nil, err
	}
	p := &lossPage{What: given.Get("what"), Since: given.Get("since"), Remedy: given.Get("remedy"), Original: v.tongues(firstOf(given.Get("language"), v.tag()))}
	for _, c := range channels {
		p.Channels = append(p.Channels, choice{c.ID, c.Name + ": " + v.members(c), len(given) == 0 || slices.Contains(given["channel"], c.ID)})
	}
	charters, err := v.client.Charters(v.ctx)
	if err != nil {
		return nil, err
	}
	like := api.Channel{}
	if len(channels) > 0 {
		like.Name = channels[0].Name
	}
	p.Posts = v.posts(charters, like, given.Get("post"))
	return p, nil
}

// doLoss says it on each channel by itself: what cannot be said on one holds up no other.
func doLoss(v *visit) (string, page, error) {
	g := v.r.PostForm
	p, err := v.loss(g)
	if err != nil {
		return "", nil, err
	}
	text := map[string]string{"what": g.Get("what")}
	if since := strings.ToUpper(strings.TrimSpace(g.Get("since"))); since != "" {
		text["since"] = since
	}
	if g.Get("remedy") != "" {
		text["remedy"] = g.Get("remedy")
	}
	first, number := "", ""
	for _, id := range g["channel"] {
		s := saidOn{Channel: id}
		for _, c := range p.Channels {
			if c.Value == id {
				s.Channel = c.Label
			}
		}
		sent, err := cases.Lose(v.ctx, v.client, number, api.SendRequest{
			Channel: id, Post: traffic.Post(g.Get("post")), Plane: v.plane, Precedence: "Z",
			Words: api.Words{Form: "loss-of-control", Text: text, Language: g.Get("language")},
		})
		if err != nil {
			if s.Problem, err = v.refused(err); err != nil {
				return "", nil, err
			}
		} else {
			number = firstOf(number, sent.Case)
			s.Number, s.Href = sent.Number, v.to("/statement/"+url.PathEscape(sent.ID))
			first = firstOf(first, s.Href)
		}
		p.Said = append(p.Said, s)
	}
	if len(p.Said) == 0 {
		p.Problem = &refusal{What: v.say("loss.nowhere")}
	}
	if len(p.Said) == 1 && first != "" {
		return first + "?said=sent", nil, nil
	}
	return "", p, nil
}

// releasesPage answers: what waits for a second person?
type releasesPage struct {
	Frame
	Mine, Others []release
}

// release is a draft that waits, with the words for those who must approve it.
type release struct {
	api.Release
	Named  bool // by the address
	Over   *api.Handover
	Action string // where a decision goes
}

func buildReleases(v *visit) (page, error) {
	all, err := v.client.Releases(v.ctx, v.tag())
	if err != nil {
		return nil, err
	}
	var handovers []api.Handover
	if slices.ContainsFunc(all, func(r api.Release) bool { return r.Kind == "handover" }) {
		if handovers, err = v.client.Handovers(v.ctx, "", v.tag()); err != nil && !absent(err) {
			return nil, err
		}
	}
	p := &releasesPage{}
	for _, r := range all {
		if r.Draft != nil && r.Draft.Plane != "" && r.Draft.Plane != v.plane {
			continue // a window never mixes planes
		}
		shown := release{Release: r, Named: r.ID == v.r.URL.Query().Get("id"), Action: v.to("/releases/" + url.PathEscape(r.ID))}
		for i := range handovers {
			if handovers[i].ID == r.ID {
				shown.Over = &handovers[i]
			}
		}
		if r.Mine {
			p.Mine = append(p.Mine, shown)
		} else {
			p.Others = append(p.Others, shown)
		}
	}
	return p, nil
}

func doDecide(v *visit) (string, page, error) {
	g := v.r.PostForm
	d := api.ReleaseDecision{Approve: g.Get("decision") == "approve", Role: g.Get("role"), Reason: strings.TrimSpace(g.Get("reason"))}
	if a := g.Get("assertion"); a != "" {
		d.Assertion = []byte(a)
	}
	out, err := v.client.Decide(v.ctx, v.r.PathValue("id"), d)
	switch {
	case err != nil:
		return "", nil, err
	case !d.Approve:
		return v.to("/releases", "said", "refused"), nil, nil
	case out.Sent != nil:
		return v.to("/statement/"+url.PathEscape(out.Sent.ID), "said", "released"), nil, nil
	case out.Complete:
		return v.to("/roster", "said", "handed-over"), nil, nil
	}
	return v.to("/releases", "said", "approved"), nil, nil
}
