package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/api"
	"detente/console/fields"
	"detente/form"
	"detente/traffic"
)

// linksPage answers: can we reach each other, and if not, why?
type linksPage struct {
	Frame
	Down  int
	Links []linkRow
}

// linkRow is the link with one peer, and what is known of its posts.
type linkRow struct {
	api.Link
	PartyName string
	Waiting   int64
	Posts     []api.PostSilence
	Status    []api.ChannelStatus
}

func buildLinks(v *visit) (page, error) {
	links, err := v.client.Links(v.ctx)
	if err != nil {
		return nil, err
	}
	silences, err := v.client.Silences(v.ctx, v.tag())
	if err != nil && !absent(err) {
		return nil, err
	}
	statuses, err := v.client.Statuses(v.ctx)
	if err != nil && !absent(err) {
		return nil, err
	}
	p := &linksPage{}
	for _, l := range links {
		row := linkRow{Link: l, PartyName: firstOf(l.Name[v.tag()], l.Name["en"], string(l.Peer))}
		for _, f := range l.Feeds {
			row.Waiting += f.Waiting
		}
		for _, s := range silences {
			if s.Peer == l.Peer {
				row.Posts = append(row.Posts, s)
			}
		}
		for _, s := range statuses {
			if slices.ContainsFunc(s.Members, func(m api.MemberState) bool { return m.Party == l.Peer }) {
				row.Status = append(row.Status, s)
			}
		}
		if !l.Up {
			p.Down++
		}
		p.Links = append(p.Links, row)
	}
	return p, nil
}

// directoryPage answers: whom do I call, in which language, may he commit?
type directoryPage struct {
	Frame
	Query    string
	Contacts []api.Contact
	Stale    int
	Channels []choice
	New      []choice
	May      bool
	Imported *api.ImportedContacts
}

func buildDirectory(v *visit) (page, error) { return v.directory() }

func (v *visit) directory() (*directoryPage, error) {
	all, err := v.client.Directory(v.ctx, "")
	if err != nil {
		return nil, err
	}
	p := &directoryPage{Query: v.r.URL.Query().Get("q"), May: v.may("directory")}
	for _, c := range all {
		if c.Stale != "" {
			p.Stale++
		}
		if p.Query == "" || contains(p.Query, c.Name, c.Organisation, c.Position, string(c.Party), c.Post, c.Speaks, c.Reads, c.Category) {
			p.Contacts = append(p.Contacts, c)
		}
	}
	channels, err := v.channels()
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		p.Channels = append(p.Channels, choice{c.ID, c.Name, false})
		p.New = append(p.New, choice{Value: v.to("/compose", "channel", c.ID, "form", "contact"), Label: c.Name})
	}
	return p, nil
}

func contains(query string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, " "))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

func doContactStatus(v *visit) (string, page, error) {
	g := v.r.PostForm
	_, err := v.client.SetContactStatus(v.ctx, api.ContactStatusRequest{
		Channel: g.Get("channel"), Name: g.Get("name"), Action: g.Get("action"), Text: g.Get("text"),
	})
	if to := v.awaits(err); to != "" {
		return to, nil, nil
	}
	return v.to("/directory", "said", "sent"), nil, err
}

func doImportContacts(v *visit) (string, page, error) {
	files, err := fields.Files(v.r, "file")
	if err != nil {
		return "", nil, err
	}
	if len(files) != 1 || len(files[0].Data) > 1<<20 {
		return "", nil, &api.Problem{Status: http.StatusBadRequest, Code: "no-file"}
	}
	done, err := v.client.ImportDirectory(v.ctx, v.r.PostForm.Get("channel"), files[0].Data)
	if err != nil {
		return "", nil, err
	}
	p, err := v.directory()
	if err != nil {
		return "", nil, err
	}
	p.Imported = &done
	return "", p, nil
}

func giveDirectory(v *visit) (string, string, []byte, error) {
	b, err := v.client.ExportDirectory(v.ctx, "")
	return "directory.csv", "text/csv; charset=utf-8", b, err
}

// checksPage answers: have people answered?
type checksPage struct {
	Frame
	Years    []year
	Checks   []api.Check
	Next     []api.PlannedCheck
	Plan     string
	Channels []choice
	Levels   []choice
	May      bool
}

// year is a year of checks with one peer.
type year struct {
	Peer                         traffic.Party
	Picture                      string
	Sent, Answered, Late, Missed int
}

func buildChecks(v *visit) (page, error) {
	c, err := v.client.Checks(v.ctx, api.CheckListing{Limit: 100})
	if err != nil {
		return nil, err
	}
	p := &checksPage{Checks: c.Checks, Next: c.Next, Plan: c.Plan, May: v.may("check")}
	p.Checks = slices.DeleteFunc(p.Checks, func(c api.Check) bool { return c.Plane != v.plane && c.Plane != "" })
	for _, d := range c.Days {
		i := slices.IndexFunc(p.Years, func(y year) bool { return y.Peer == d.Peer })
		if i < 0 {
			p.Years = append(p.Years, year{Peer: d.Peer, Picture: v.to("/checks/"+string(d.Peer)+"/year.svg", "lang", v.tag(), "theme", v.prefs.Theme)})
			i = len(p.Years) - 1
		}
		y := &p.Years[i]
		y.Sent, y.Answered, y.Late, y.Missed = y.Sent+d.Sent, y.Answered+d.Answered, y.Late+d.Late, y.Missed+d.Missed
	}
	channels, err := v.channels()
	if err != nil {
		return nil, err
	}
	for _, c := range channels {
		p.Channels = append(p.Channels, choice{c.ID, c.Name + ": " + v.members(c), false})
	}
	for n := 1; n <= 4; n++ {
		p.Levels = append(p.Levels, choice{strconv.Itoa(n), v.say("check.level." + strconv.Itoa(n)), n == 2})
	}
	return p, nil
}

func givePicture(v *visit) (string, string, []byte, error) {
	b, err := v.client.CheckPicture(v.ctx, traffic.Party(v.r.PathValue("peer")), v.tag())
	return "", "image/svg+xml", b, err
}

func doCheck(v *visit) (string, page, error) {
	g := v.r.PostForm
	level, err := strconv.Atoi(g.Get("level"))
	if err != nil {
		level = 2
	}
	sent, err := v.client.RunCheck(v.ctx, api.CheckRequest{
		Channel: g.Get("channel"), Plane: v.plane, Level: level, Question: strings.TrimSpace(g.Get("question")), Force: g.Has("force"),
	})
	if err != nil {
		return "", nil, err
	}
	return v.to("/statement/"+sent.ID, "said", "sent"), nil, nil
}

func doPlan(v *visit) (string, page, error) {
	_, err := v.client.SetPlan(v.ctx, api.PlanRequest{Text: unix(v.r.PostForm.Get("text"))})
	return v.to("/checks", "said", "kept"), nil, err
}

// unix is a text with the line ends of a file; browsers send those of a telegram.
func unix(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// moments reads two date-time groups of a form.
func moments(from, until string) (a, b time.Time, err error) {
	if a, err = form.ParseDTG(strings.ToUpper(strings.TrimSpace(from))); err == nil {
		b, err = form.ParseDTG(strings.ToUpper(strings.TrimSpace(until)))
	}
	if err != nil {
		err = &api.Problem{Status: http.StatusBadRequest, Code: "no-time"}
	}
	return a, b, err
}
