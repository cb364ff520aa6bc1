package console

import (
	"net/url"
	"slices"
	"strconv"

	"detente/api"
	"detente/traffic"
)

// trafficPage answers: what was said, by whom, and did it arrive?
type trafficPage struct {
	Frame
	Query      string
	Channels   []choice
	Direction  []choice
	Precedence []choice
	Open       bool
	Lines      []line
	More       string // address of more of them
	Filtered   bool
}

// line is a statement in a list.
type line struct {
	api.Line
	Href string
}

const pageLines = 50

func buildTraffic(v *visit) (page, error) {
	q := v.r.URL.Query()
	p := &trafficPage{Query: q.Get("q"), Open: q.Has("open")}
	limit := pageLines
	if n, err := strconv.Atoi(q.Get("limit")); err == nil {
		limit = min(max(n, 1), 1000)
	}
	l := api.Listing{
		Direction: "all", Channel: q.Get("channel"), Plane: v.plane, Precedence: q.Get("precedence"), Open: p.Open, Newest: !p.Open, Limit: limit, Lang: v.tag(),
	}
	if d := q.Get("direction"); d == "in" || d == "out" {
		l.Direction = d
	}
	if err := v.filters(p, l); err != nil {
		return nil, err
	}
	var lines []api.Line
	var err error
	if p.Query != "" {
		lines, err = v.client.Search(v.ctx, p.Query, l)
	} else {
		lines, err = v.client.List(v.ctx, l)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range lines {
		p.Lines = append(p.Lines, line{s, v.to("/statement/" + url.PathEscape(s.ID))})
	}
	if p.Query == "" && len(lines) == limit && limit < 1000 {
		q.Set("limit", strconv.Itoa(min(limit*4, 1000)))
		p.More = v.to("/traffic") + "?" + q.Encode()
	}
	p.Filtered = p.Query != "" || l.Channel != "" || l.Direction != "all" || l.Precedence != "" || p.Open
	return p, nil
}

func (v *visit) filters(p *trafficPage, l api.Listing) error {
	channels, err := v.channels()
	if err != nil {
		return err
	}
	p.Channels = []choice{{"", v.say("filter.channel.all"), l.Channel == ""}}
	for _, c := range channels {
		p.Channels = append(p.Channels, choice{c.Name, c.Name, l.Channel == c.Name})
	}
	for _, d := range []string{"all", "in", "out"} {
		p.Direction = append(p.Direction, choice{d, v.say("filter.direction." + d), l.Direction == d})
	}
	p.Precedence = append([]choice{{"", v.say("filter.precedence.all"), l.Precedence == ""}}, v.precedences(l.Precedence, "Z")...)
	return nil
}

// channels are those on which people speak, in being.
func (v *visit) channels() ([]api.Channel, error) {
	all, err := v.client.Channels(v.ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c api.Channel) bool { return c.Kind != "common" || !c.Established }), nil
}

// precedences are those up to a ceiling.
func (v *visit) precedences(chosen string, ceiling traffic.Precedence) []choice {
	var out []choice
	for _, p := range traffic.Precedences() {
		if p.Rank() <= ceiling.Rank() {
			out = append(out, choice{string(p), v.say("precedence." + string(p)), string(p) == chosen})
		}
	}
	return out
}
