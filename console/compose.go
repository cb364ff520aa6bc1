package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"detente/api"
	"detente/console/cases"
	"detente/console/fields"
	"detente/console/paper"
	"detente/form"
	"detente/traffic"
)

// composePage answers: what will they read? It serves new statements and replies.
type composePage struct {
	Frame
	Offers     []offer // while no form is chosen
	Re         *api.Statement
	ReHref     string
	Switch     []choice // other forms for the same reply: Value is an address
	Channel    api.Channel
	Form       api.Form
	Posts      []choice
	To         []choice
	Precedence []choice
	Fields     []fields.Field
	Original   []choice
	Reader     []choice
	Marking    string
	Action     string
	Preview    *preview
	Problem    *refusal
	Case       string // in which it is said, and what it is about there: where it was opened from a case
	About      string
	Focus      string // the field in which one begins; empty is the button
}

// offer is a channel with the forms that can be stated on it.
type offer struct {
	Channel string
	Members string
	Forms   []choice // Value is an address
}

// refusal is why something was not done, on the page on which it was tried: what was written stays.
type refusal = cases.Refusal

// preview is what the addressee will read.
type preview struct {
	Document *api.Document
	Dir      string
	Words    int
	Limit    int // 0 for none
	Over     bool
	Cost     string
	Release  bool // a second person must release it
	Problem  *refusal
	Matches  []cases.Match // declared activities that what is written may be
	Numbered bool          // its case gets a number when it is sent
}

// urgentWords is the most words that a FLASH or IMMEDIATE may have.
const urgentWords = 200

func buildCompose(v *visit) (page, error) {
	q := v.r.URL.Query()
	if q.Get("form") == "" || q.Get("channel") == "" {
		p := &composePage{}
		return p, v.offers(p)
	}
	if number := q.Get("case"); number != "" {
		q.Set("f.case", number)
		prepared, err := cases.Prepared(v.ctx, v.client, q.Get("form"), number)
		if err != nil {
			return nil, err
		}
		for name, text := range prepared {
			q.Set(name, text)
		}
	}
	return v.compose(q.Get("channel"), q.Get("form"), nil, q)
}

// offers lists what can be stated where. What only answers something else is reached from what it answers.
func (v *visit) offers(p *composePage) error {
	channels, err := v.channels()
	if err != nil {
		return err
	}
	for _, c := range channels {
		full, err := v.client.Channel(v.ctx, c.ID, v.tag())
		if err != nil {
			return err
		}
		o := offer{Channel: c.Name, Members: v.members(c)}
		for _, f := range full.Forms {
			if f.Refs != "one" && f.ID != "loss-of-control" {
				o.Forms = append(o.Forms, choice{Value: v.to("/compose", "channel", c.ID, "form", f.ID), Label: f.Title})
			}
		}
		p.Offers = append(p.Offers, o)
	}
	return nil
}

func (v *visit) members(c api.Channel) string {
	var names []string
	for _, m := range c.Members {
		if m != v.cfg.Party {
			names = append(names, string(m))
		}
	}
	return strings.Join(names, ", ")
}

func buildReply(v *visit) (page, error) {
	return v.reply(v.r.URL.Query().Get("form"), v.r.URL.Query().Get("set"), url.Values{})
}

// reply is the page for a reply. given is what was written already.
func (v *visit) reply(formID, set string, given url.Values) (*composePage, error) {
	s, err := v.client.Statement(v.ctx, v.r.PathValue("id"), v.tag())
	if err != nil {
		return nil, err
	}
	if s.Plane != v.plane {
		return nil, &api.Problem{Status: http.StatusNotFound, Code: "other-plane"}
	}
	channel, err := v.client.Channel(v.ctx, s.Channel, v.tag())
	if err != nil {
		return nil, err
	}
	at := "/statement/" + url.PathEscape(s.ID)
	may := replies(&s, channel)
	if len(may) == 0 {
		return nil, &api.Problem{Status: http.StatusConflict, Code: "no-reply"}
	}
	if formID == "" {
		formID = may[0].ID
		for _, f := range may {
			if f.ID == "answer" || f.ID == "check-answer" {
				formID = f.ID
			}
		}
	}
	if len(given) == 0 {
		v.prepare(given, formID, set, &s)
	}
	p, err := v.compose(channel.ID, formID, &s, given)
	if err != nil {
		return nil, err
	}
	p.ReHref, p.Action = v.to(at), v.to(at+"/reply")
	for _, f := range may {
		p.Switch = append(p.Switch, choice{v.to(at+"/reply", "form", f.ID), f.Title, f.ID == formID})
	}
	if set == "understood" {
		p.focus("") // all is said: one key more sends it
	} else if set == "passed" {
		p.focus("forwarded_to")
	}
	return p, nil
}

// replies are the forms with which a statement can be answered, corrected or cancelled.
func replies(s *api.Statement, c api.Channel) (out []api.Form) {
	ids := []string{"correction", "cancellation"}
	if !s.Own {
		ids = []string{"acknowledgement", "translation"}
		for _, f := range c.Forms {
			if f.ID == s.Form && len(f.AnswersWith) > 0 {
				ids = append(slices.Clone(f.AnswersWith), "translation")
			}
		}
	}
	for _, f := range c.Forms {
		if slices.Contains(ids, f.ID) {
			out = append(out, f)
		}
	}
	return out
}

// prepare fills in what can be known beforehand, so that a correction or an acknowledgement is one key and one look away.
func (v *visit) prepare(given url.Values, formID, set string, s *api.Statement) {
	switch formID {
	case "acknowledgement":
		given.Set("f.received", strings.ToUpper(s.Held.UTC().Format("021504:05Z Jan 06")))
		if set != "" {
			given.Set("f.understood", "true")
		}
		if set == "passed" {
			given.Set("f.forwarded_to", "superior")
		}
	case "cancellation":
		given.Set("f.reason", form.Visible(v.say("prepared.cancellation", s.Number, form.DTG(s.Issued))))
	case "correction":
		texts := textFields(s.Fields)
		for _, name := range []string{"text", "observation", "what", "question"} {
			if texts[name] != "" {
				given.Set("f.in_place_of", texts[name])
				given.Set("f.read", texts[name])
				break
			}
		}
	case "check-answer":
		given.Set("f.answered_by", "duty-officer")
	}
}

// compose is the page for a statement of a form.
func (v *visit) compose(channel, formID string, re *api.Statement, given url.Values) (*composePage, error) {
	c, err := v.client.Channel(v.ctx, channel, v.tag())
	if err != nil {
		return nil, err
	}
	p := &composePage{Re: re, Channel: c, Action: v.to("/compose"), Marking: given.Get("marking"), Case: given.Get("case"), About: given.Get("about")}
	found := false
	for _, f := range c.Forms {
		if f.ID == formID {
			p.Form, found = f, true
		}
	}
	if !found {
		return nil, &api.Problem{Status: http.StatusNotFound, Code: "no-form"}
	}
	p.Title = p.Form.Title
	chosen := given.Get("precedence")
	if chosen == "" {
		chosen = string(traffic.Routine)
		if re != nil && re.Precedence.Rank() <= p.Form.Ceiling.Rank() {
			chosen = string(re.Precedence)
		}
	}
	p.Precedence = v.precedences(chosen, p.Form.Ceiling)
	for _, t := range addressees(c, v.cfg.Party) {
		p.To = append(p.To, choice{t, t, t == given.Get("to")})
	}
	charters, err := v.client.Charters(v.ctx)
	if err != nil {
		return nil, err
	}
	p.Posts = v.posts(charters, c, given.Get("post"))
	reader := given.Get("reader")
	if reader == "" {
		reader = readerOf(charters, c, v.cfg.Party)
	}
	p.Reader, p.Original = v.tongues(reader), v.tongues(firstOf(given.Get("language"), v.tag()))
	for _, f := range p.Form.Fields {
		if f.Name == "case" && p.Form.Refs != "one" {
			f.Required = false // the node gives the number
		}
		p.Fields = append(p.Fields, fields.Of(f, given, v.paper.Book.Languages(), reader, v.tag()))
	}
	for i := range p.Fields {
		if f := &p.Fields[i]; f.Value == "" && f.When == "" && f.Kind != "blobs" && f.Kind != "texts" && f.Name != "case" {
			p.focus(f.Name)
			break
		}
	}
	return p, nil
}

// focus is where one begins to write; empty is the button.
func (p *composePage) focus(name string) {
	p.Focus = name
	for i := range p.Fields {
		p.Fields[i].Focus = p.Fields[i].Name == name
	}
}

func firstOf(values ...string) string {
	for _, s := range values {
		if s != "" {
			return s
		}
	}
	return ""
}

// addressees are those whom a statement on a channel can be for: each other member, its post of the channel's name, and everybody.
func addressees(c api.Channel, own traffic.Party) []string {
	var out []string
	for _, m := range c.Members {
		if m == own {
			continue
		}
		for _, post := range c.Posts {
			out = append(out, string(m)+"/"+string(post))
		}
		out = append(out, string(m))
	}
	if len(c.Members) > 2 {
		out = append(out, "*")
	}
	return out
}

// posts are the own posts that may speak on a channel, in the name of which the officer may act.
func (v *visit) posts(charters []api.Charter, c api.Channel, chosen string) (out []choice) {
	for _, ch := range charters {
		if !ch.Own {
			continue
		}
		for _, post := range ch.Posts {
			held := len(v.me.Grants) == 0
			for _, g := range v.me.Grants {
				held = held || g.Post == "*" || g.Post == string(post.Post)
			}
			if held && (len(c.Posts) == 0 || slices.Contains(c.Posts, post.Post)) {
				out = append(out, choice{string(post.Post), string(post.Post), string(post.Post) == chosen})
			}
		}
	}
	// A post with the channel's own name is meant more often than any other.
	for i := range out {
		if chosen == "" && out[i].Value == c.Name {
			out[i].Chosen = true
		}
	}
	return out
}

// readerOf is the first language of the other member.
func readerOf(charters []api.Charter, c api.Channel, own traffic.Party) string {
	for _, ch := range charters {
		if !ch.Own && ch.Party != own && slices.Contains(c.Members, ch.Party) && len(ch.Languages) > 0 {
			return ch.Languages[0]
		}
	}
	return "en"
}

func (v *visit) tongues(chosen string) (out []choice) {
	for _, l := range v.paper.Book.Languages() {
		out = append(out, choice{l.String(), paper.Native(l), l.String() == chosen})
	}
	return out
}

// refused says on the page why something was not done. What is no answer of the node is passed on.
func (v *visit) refused(err error) (*refusal, error) {
	p, ok := errors.AsType[*api.Problem](err)
	if !ok || p.Status == http.StatusUnauthorized || p.Status >= 500 {
		return nil, err
	}
	shown := v.problemPage(v, p)
	return &refusal{What: shown.What, Do: shown.Do, Details: shown.Fields}, nil
}

func doCompose(v *visit) (string, page, error) {
	g := v.r.PostForm
	p, err := v.compose(g.Get("channel"), g.Get("form"), nil, g)
	if err != nil {
		return "", nil, err
	}
	w, err := fields.Written(p.Form, v.r, v.paper.Book.Languages())
	if err != nil {
		return "", nil, err
	}
	if g.Has("preview") {
		p.Preview, err = v.look(p.Form, v.draft(w, nil), g.Get("reader"))
		return "", p, err
	}
	sent, err := cases.State(v.ctx, v.client, &p.Form, v.draft(w, nil), p.Case, p.About)
	return v.said(sent, err, p)
}

// draft is the statement that a form on the screen would make.
func (v *visit) draft(w api.Words, re *api.Statement) api.SendRequest {
	g := v.r.PostForm
	r := api.SendRequest{
		Channel: g.Get("channel"), To: g.Get("to"), Post: traffic.Post(g.Get("post")), Plane: v.plane, Precedence: g.Get("precedence"), Words: w,
	}
	if about := g.Get("about"); about != "" {
		r.Refs = []string{about}
	}
	if re != nil {
		r.Refs = []string{re.ID}
		if !re.Own {
			r.To = re.From
		} else {
			r.To = re.To
		}
	}
	return r
}

// said leads to what was said, or to where it waits for a second person; else it shows the page again, with all that was written.
func (v *visit) said(sent api.Sent, err error, again *composePage) (string, page, error) {
	if err == nil {
		return v.to("/statement/"+url.PathEscape(sent.ID), "said", "sent"), nil, nil
	}
	if to := v.awaits(err); to != "" {
		return to, nil, nil
	}
	again.Problem, err = v.refused(err)
	return "", again, err
}

// awaits is where a statement waits for a second person, when that is why it was not sent.
func (v *visit) awaits(err error) string {
	p, ok := errors.AsType[*api.Problem](err)
	if !ok || p.Code != "release-needed" {
		return ""
	}
	id := ""
	if len(p.Fields) > 0 {
		id = p.Fields[0]
	}
	return v.to("/releases", "id", id, "said", "waits")
}

func doReply(v *visit) (string, page, error) {
	g := v.r.PostForm
	p, err := v.reply(g.Get("form"), "", g)
	if err != nil {
		return "", nil, err
	}
	w, err := fields.Written(p.Form, v.r, v.paper.Book.Languages())
	if err != nil {
		return "", nil, err
	}
	if g.Has("preview") {
		p.Preview, err = v.look(p.Form, v.draft(w, p.Re), g.Get("reader"))
		return "", p, err
	}
	sent, err := v.client.Reply(v.ctx, p.Re.ID, api.ReplyRequest{Post: traffic.Post(g.Get("post")), Precedence: g.Get("precedence"), Words: w})
	return v.said(sent, err, p)
}

// look renders what would be said, for its reader.
func (v *visit) look(f api.Form, r api.SendRequest, reader string) (*preview, error) {
	out := &preview{Cost: v.say("cost." + firstOf(r.Precedence, "R")), Dir: "ltr"}
	out.Words = fields.Words(f, r.Text)
	if p, err := traffic.ParsePrecedence(firstOf(r.Precedence, "R")); err == nil {
		out.Release = slices.Contains(f.TwoPersons, p)
		if p.Rank() >= traffic.Immediate.Rank() {
			out.Limit = urgentWords
			out.Over = out.Words > urgentWords
		}
	}
	var err error
	if out.Matches, err = cases.Matches(v.ctx, v.desk(), r.Text); err != nil {
		return nil, err
	}
	out.Numbered = cases.Number(&f, &r, string(v.cfg.Party))
	for i := range r.Attachments {
		r.Attachments[i].Data = append([]byte(nil), r.Attachments[i].Data[:min(len(r.Attachments[i].Data), 1)]...) // the reader sees its name
	}
	s, err := v.client.Preview(v.ctx, r, reader)
	if err != nil {
		out.Problem, err = v.refused(err)
		return out, err
	}
	out.Document, out.Dir = s.Document, s.Direction
	return out, nil
}

// showPreview answers the page's script while the officer writes.
func (s *Server) showPreview(w http.ResponseWriter, r *http.Request) {
	v := s.enter(w, r)
	if v == nil {
		return
	}
	if err := parse(r); err != nil {
		s.fail(w, v, err)
		return
	}
	g := r.PostForm
	c, err := v.client.Channel(v.ctx, g.Get("channel"), v.tag())
	if err != nil {
		s.fail(w, v, err)
		return
	}
	for _, f := range c.Forms {
		if f.ID != g.Get("form") {
			continue
		}
		words, err := fields.Written(f, v.r, v.paper.Book.Languages())
		if err == nil {
			var re *api.Statement
			if id := g.Get("re"); id != "" {
				var st api.Statement
				if st, err = v.client.Statement(v.ctx, id, v.tag()); err == nil {
					re = &st
				}
			}
			var p *preview
			if err == nil {
				p, err = v.look(f, v.draft(words, re), g.Get("reader"))
			}
			if err == nil {
				s.render(w, v, http.StatusOK, "compose.preview", p)
				return
			}
		}
		s.fail(w, v, err)
		return
	}
	s.fail(w, v, &api.Problem{Status: http.StatusNotFound, Code: "no-form"})
}
