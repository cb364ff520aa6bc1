package console

import (
	"errors"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/console/cases"
	"detente/console/instruments"
	"detente/console/paper"
	"detente/console/talks"
	"detente/traffic"
)

// Frame is what stands around every screen: whose it is, who is on duty, where one can go. It is in every page's struct.
type Frame struct {
	Lang, Dir string
	Languages []choice
	Theme     string
	Plane     traffic.Plane
	Planes    []link
	Here      string // this page, to come back to
	Live      string // where its changes come from; empty for a page that does not change
	Screen    string // its name
	Title     string
	PartyName string
	Party     traffic.Party
	Me        api.Me
	May       map[string]bool // actions that his roles permit
	Nav       []link
	Duty      []dutyLine
	Now       time.Time
	Waiting   int    // items that nobody has taken
	Sound     string // what they make the console sound
	Said      string // what was just done
	Keys      map[string]string
	Regions   []string
}

func (f *Frame) framed() *Frame { return f }

// link is somewhere to go.
type link struct {
	Name    string // phrase key
	Href    string
	Key     string // after g
	Count   int
	Current bool
	Group   bool // begins a group
}

// choice is one of several values.
type choice struct {
	Value, Label string
	Chosen       bool
}

// newFrame is what every page has, of whoever it is for.
func (v *visit) newFrame(name string) Frame {
	f := Frame{
		Lang: v.tag(), Dir: "ltr", Theme: v.prefs.Theme, Plane: v.plane, Here: v.r.URL.RequestURI(), Screen: name, Party: v.cfg.Party,
		PartyName: v.partyName(), Me: v.me, May: make(map[string]bool), Now: time.Now().UTC(), Keys: v.prefs.Keys,
	}
	for _, a := range v.me.May {
		f.May[a] = true
	}
	if v.paper.Book.RTL(v.lang) {
		f.Dir = "rtl"
	}
	f.Title = v.say("screen." + name)
	for _, l := range v.paper.Book.Languages() {
		f.Languages = append(f.Languages, choice{l.String(), paper.Native(l), l == v.lang})
	}
	return f
}

func (v *visit) partyName() string {
	if n := v.cfg.Name[v.tag()]; n != "" {
		return n
	}
	if n := v.cfg.Name["en"]; n != "" {
		return n
	}
	return string(v.cfg.Party)
}

// frame completes a page's frame: where one can go, and what waits for whoever it is.
func (v *visit) frame(f *Frame, sc screen) error {
	own := f.Title
	said := f.Said
	*f = v.newFrame(sc.name)
	if own != "" {
		f.Title = own
	}
	f.Said = said
	if key := v.r.URL.Query().Get("said"); key != "" && len(key) < 32 {
		if text := v.say("said." + key); text != "said."+key {
			f.Said = text
		}
	}
	f.Regions = append([]string{"frame.bar", "frame.nav"}, named(sc)...)
	f.Here = strings.TrimPrefix(f.Here, "/live")
	f.Live = "/live" + f.Here
	if v.may("read") {
		w, err := v.client.Watch(v.ctx, "", v.plane, v.tag())
		if err != nil && !absent(err) {
			return err
		}
		f.Duty, f.Waiting, f.Sound = grouped(w.Duty), len(w.Items), w.Sound
	}
	f.Nav = v.navigation(sc.name, map[string]int{"watch": f.Waiting, "cases": cases.Count(v.ctx, v.desk()), "instruments": instruments.Count(v.ctx, v.desk()), "talks": talks.Count(v.ctx, v.desk())})
	for _, p := range traffic.Planes() {
		f.Planes = append(f.Planes, link{Name: "plane." + string(p), Href: "/" + string(p) + "/watch", Current: p == v.plane})
	}
	return nil
}

// dutyLine is who is on duty, and at which posts: one officer often sits at several.
type dutyLine struct {
	Posts    string
	Officer  string
	Until    time.Time
	Unmanned bool
}

func grouped(duty []api.Duty) (out []dutyLine) {
	for _, d := range duty {
		l := dutyLine{Posts: string(d.Post), Until: d.Until, Unmanned: d.Unmanned}
		for _, o := range d.Officers {
			if o.Role == "duty-officer" {
				l.Officer = firstOf(o.Name, o.Officer)
			}
		}
		i := slices.IndexFunc(out, func(o dutyLine) bool {
			return o.Officer == l.Officer && o.Unmanned == l.Unmanned && o.Until.Equal(l.Until)
		})
		if i < 0 {
			out = append(out, l)
		} else {
			out[i].Posts += " " + l.Posts
		}
	}
	return out
}

func named(sc screen) []string {
	var out []string
	for _, r := range sc.regions {
		out = append(out, sc.name+"."+r)
	}
	return out
}

// navigation lists the screens that the officer's roles open.
func (v *visit) navigation(current string, counts map[string]int) (out []link) {
	for _, sc := range screens() {
		if sc.aside || !v.opens(sc) {
			continue
		}
		l := link{Name: "screen." + sc.name, Href: v.to(sc.path), Key: sc.key, Current: sc.name == current, Group: sc.group && len(out) > 0, Count: counts[sc.name]}
		out = append(out, l)
	}
	return out
}

// absent tells whether an error means only that there is nothing to show: the node has no such request, or the officer may not see it.
func absent(err error) bool {
	p, ok := errors.AsType[*api.Problem](err)
	return ok && (p.Code == "no-such-request" || p.Status == 403)
}

// errorPage says what failed.
type errorPage struct {
	Frame
	Code   string
	What   string
	Safe   string
	Do     string
	Fields []string
	Back   string
}

// problemPage says what failed, what is safe and what to do: in the visitor's language where the code is known to the screens, and with the
// node's own words, which are set apart, for whoever is called to help.
func (s *Server) problemPage(v *visit, p *api.Problem) *errorPage {
	e := &errorPage{Frame: v.newFrame("error"), Code: p.Code, Fields: p.Fields, Back: "/" + string(v.plane) + "/watch"}
	if v.r.Method == "POST" {
		if from := v.r.Header.Get("Referer"); from != "" && s.cfg.Origin != "" && strings.HasPrefix(from, s.cfg.Origin+"/") {
			e.Back = local(strings.TrimPrefix(from, s.cfg.Origin))
		}
	}
	phrase := func(part string) string {
		key := "problem." + p.Code + part
		if text := v.say(key); text != key {
			return text
		}
		return ""
	}
	e.What, e.Do, e.Safe = phrase(""), phrase(".do"), v.say("problem.safe")
	if e.What == "" {
		e.What = v.say("problem")
	}
	if p.Detail != "" {
		e.Fields = append([]string{p.Detail}, e.Fields...)
	}
	if p.Hint != "" {
		e.Fields = append(e.Fields, p.Hint)
	}
	return e
}
