package talks

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/api/talks"
	"detente/console/cases"
	"detente/console/fields"
	"detente/form"
	"detente/traffic"
)

// Do does what a form on the page of a series or a group says, and tells where to go; or it gives the page again, with what was written and why it was not done.
func Do(ctx context.Context, d *cases.Desk, r *http.Request) (to string, again Again, err error) {
	g := r.PostForm
	if d.ID == "new" {
		return open(ctx, d, g)
	}
	f, err := file(ctx, d, g) // it also says whether the talk stands in the window's plane
	if err != nil {
		return "", nil, err
	}
	v := deed{client: talks.Client{Node: d.Client}, talk: f, voice: drafting.Voice{Post: traffic.Post(g.Get("post")), Language: d.Lang}, given: g}
	if v.files, err = fields.Files(r, "file"); err != nil {
		return "", nil, err
	}
	said, err := v.do(ctx)
	if err == nil {
		return at(d, f.ID, "said", said, "session", g.Get("session")), nil, nil
	}
	if to := waits(d, err); to != "" {
		return to, nil, nil
	}
	if f.Refuse, err = d.Refused(err); err != nil {
		return "", nil, err
	}
	return "", f, nil
}

// deed is one thing that an officer does.
type deed struct {
	client talks.Client
	talk   *File
	voice  drafting.Voice
	given  url.Values
	files  []api.Attachment
}

// text is a field as it was written.
func (v *deed) text(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(v.given.Get(name), "\r\n", "\n"))
}

// round is the number of the round that a form is about; 0 where the node is to take the one that is meant.
func (v *deed) round() int {
	n, err := strconv.Atoi(v.text("round"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// window is a period, from two date-time groups; empty where neither was written.
func (v *deed) window() string {
	from, until := strings.ToUpper(v.text("from")), strings.ToUpper(v.text("until"))
	if from+until == "" {
		return ""
	}
	return from + "/" + until
}

// do does it, and gives the word for what was done. Each is one request, so that what the API refuses has not been done by half.
func (v *deed) do(ctx context.Context) (string, error) {
	c, id := v.client, v.talk.ID
	on := talks.OnText{Voice: v.voice, Round: v.round(), What: v.text("what"), Negotiation: v.text("negotiation")}
	switch what := v.text("do"); what {
	case "propose":
		return "proposed", v.state(ctx, "round-proposal", "mode", v.text("mode"), "window", v.window(), "host", v.text("host"), "place", v.text("place"), "words", v.text("words"))
	case "accept":
		return "accepted", v.state(ctx, "round-acceptance")
	case "withdraw":
		return "round-withdrawn", v.state(ctx, "round-withdrawal")
	case "refuse":
		return "round-refused", v.state(ctx, "round-refusal", "ground", v.text("ground"), "instead", v.text("instead"), "words", v.text("words"))
	case "held":
		return "round-held", v.state(ctx, "round-held", "window", v.window(), "mode", v.text("mode"), "place", v.text("place"))
	case "delegation":
		return "sent", v.state(ctx, "delegation", "head", v.text("head"), "members", v.text("members"))
	case "paper":
		return "sent", v.state(ctx, "paper", "kind", v.text("kind"))
	case "action":
		return "action-agreed", v.state(ctx, "action", "owner", strings.ToLower(v.text("owner")), "due", strings.ToUpper(v.text("due")))
	case "status":
		return "action-said", v.state(ctx, "action-status", "state", v.text("state"), "due", strings.ToUpper(v.text("due")), "words", v.text("words"))
	case "contribute":
		return "contributed", v.state(ctx, "contribution", "words", v.text("words"))
	case "member":
		return "member-changed", v.state(ctx, "group-member", "member", strings.ToLower(v.text("member")), "what", v.text("what"))
	case "item":
		return "item-added", v.item(ctx, on)
	case "agree":
		_, err := c.Agree(ctx, id, on)
		return "text-agreed", err
	case "sign":
		_, err := c.Sign(ctx, id, talks.Signature{Voice: v.voice, Round: on.Round})
		return "minutes-signed", err
	case "adopt":
		_, err := c.Adopt(ctx, id, talks.Adoption{Voice: v.voice, Negotiation: on.Negotiation, How: v.text("how"), Words: v.text("words")})
		return "report-spoken", err
	case "session":
		return "session-opened", v.session(ctx)
	case "say":
		_, err := c.Say(ctx, id, v.text("session"), talks.Say{Words: v.text("words")})
		return "session-said", err
	case "attribute":
		_, err := c.Attribute(ctx, id, v.text("session"), talks.Attribution{Voice: v.voice, Contribution: v.text("contribution")})
		return "attributed", err
	case "output":
		_, err := c.Output(ctx, id, v.text("session"), talks.Output{Voice: v.voice, Words: v.texts()})
		return "output-stated", err
	case "take":
		return "session-taken", v.take(ctx)
	}
	return "", &api.Problem{Status: http.StatusBadRequest, Code: "no-choice"}
}

// state states something with the fields of its form, given as text: those that are empty are left out. The number of the round goes along where one was chosen.
func (v *deed) state(ctx context.Context, formID string, pairs ...string) error {
	w := api.Words{Form: formID, Text: make(map[string]string), Language: v.voice.Language, Attachments: v.files}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			w.Text[pairs[i]] = pairs[i+1]
		}
	}
	switch formID {
	case "round-proposal", "round-refusal", "round-held", "delegation", "action", "paper":
		if n := v.round(); n > 0 {
			w.Text["number"] = itoa(n)
		}
	}
	field := map[string]string{"action": "words", "paper": "title"}[formID]
	for lang, text := range v.texts() {
		if field != "" {
			w.Text[field+"."+lang] = text
		}
	}
	_, err := v.client.State(ctx, v.talk.ID, talks.Statement{Post: v.voice.Post, About: v.text("about"), Words: w})
	return err
}

// texts are what was written in each language; one that was left empty is not there.
func (v *deed) texts() map[string]string {
	out := make(map[string]string)
	for _, l := range v.talk.Spoken {
		if text := v.text(l.Field); text != "" {
			out[l.Lang] = text
		}
	}
	return out
}

// item tables an item of a text, and opens the text first where there is none yet. Where that is done and the item fails, the text is there, empty: the next item
// goes into it.
func (v *deed) item(ctx context.Context, on talks.OnText) error {
	_, err := v.client.Text(ctx, v.talk.ID, on)
	if p, ok := cases.Problem(err); ok && p.Code == "nothing-there" || v.talk.Group && on.Negotiation == "" {
		var opened api.Sent
		if opened, err = v.client.NewText(ctx, v.talk.ID, talks.NewText{OnText: on}); err == nil && v.talk.Group {
			on.Negotiation = opened.ID
		}
	}
	if err != nil {
		return err
	}
	_, err = v.client.AddItem(ctx, v.talk.ID, talks.NewItem{OnText: on, Texts: v.texts()})
	return err
}

// session opens a session of all members.
func (v *deed) session(ctx context.Context) error {
	from, err := v.moment("from")
	if err != nil {
		return err
	}
	until, err := v.moment("until")
	if err != nil {
		return err
	}
	_, err = v.client.OpenSession(ctx, v.talk.ID, talks.NewSession{Voice: v.voice, Name: v.text("name"), Keep: v.text("keep"), From: from, To: until})
	return err
}

// moment is a field with a date-time group.
func (v *deed) moment(field string) (time.Time, error) {
	written := strings.ToUpper(v.text(field))
	at, err := form.ParseDTG(written)
	if err != nil {
		return at, &api.Problem{Status: http.StatusUnprocessableEntity, Code: "no-time", Fields: []string{form.Visible(written)}}
	}
	return at, nil
}

// take takes the file that another member has handed over.
func (v *deed) take(ctx context.Context) error {
	if len(v.files) != 1 {
		return &api.Problem{Status: http.StatusBadRequest, Code: "no-session-file"}
	}
	_, err := v.client.Take(ctx, v.files[0].Data)
	return err
}
