package view

import (
	"fmt"
	"slices"
	"time"

	"detente/api"
	"detente/archive"
	"detente/directory"
	"detente/dossier"
	"detente/form"
	"detente/standing"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

// stand adds what stands around a statement: the ladder of receipts, translations, and words prepared to take it back.
func (v *Viewer) stand(h archive.Held, state *dossier.State, out *api.Statement) {
	s := h.Statement
	if v.standing == nil || s == nil {
		return
	}
	f, _, err := v.node.Form(s)
	if err != nil {
		f = nil
	}
	for _, st := range v.standing.StationsOf(h, out.Receipts, state, f) {
		if rung, ok := map[string]string{
			standing.StationHeld: "terminal", standing.StationAccepted: "accepted", standing.StationUnderstood: "understood",
			standing.StationPassedOn: "passed-on", standing.StationAnswered: "answered",
		}[st.What]; ok {
			out.Ladder = append(out.Ladder, api.Rung{What: rung, Party: st.Party, Human: st.Human, At: st.At, By: st.By, To: st.To, Evidence: evidence(st)})
		}
	}
	for _, t := range v.standing.Translations(h.ID) {
		direction := "ltr"
		if form.MostlyRTL(t.Text) {
			direction = "rtl"
		}
		label := v.say("translation."+t.MadeBy, t.Language, t.From.String(), t.At)
		for _, role := range [][2]string{{"translator", t.Translator}, {"reviewer", t.Reviewer}, {"certifier", t.Certifier}} {
			if role[1] != "" {
				label += "; " + v.say("translation."+role[0], form.Visible(role[1]))
			}
		}
		out.Translations = append(out.Translations, api.Translated{
			ID: t.ID.String(), Number: t.Number, From: t.From.String(), Language: t.Language, MadeBy: t.MadeBy, Machine: t.Machine(), Label: label,
			Translator: form.Visible(t.Translator), Reviewer: form.Visible(t.Reviewer), Certifier: form.Visible(t.Certifier),
			Text: form.Visible(t.Text), Direction: direction, At: t.At,
		})
	}
	if out.Own {
		out.Prepared = map[string]string{"cancellation": v.prepared(s, "prepared.error", out.Number), "correction": v.prepared(s, "prepared.correction", out.Number)}
	}
}

// prepared are words in which a statement can be taken back at once, in the language in which it was said.
func (v *Viewer) prepared(s *statement.Statement, key, number string) string {
	original, _ := language.Parse(s.Language)
	return form.Clean(v.phrases.Phrase(original, key, number), false, 1000)
}

func (v *Viewer) say(key string, args ...any) string { return v.phrases.Phrase(v.lang, key, args...) }

func evidence(st standing.Station) string {
	if st.Statement != (statement.ID{}) {
		return st.Statement.String()
	}
	return st.Receipt
}

// Stations are the points on the way of a statement.
func Stations(list []standing.Station) []api.Station {
	out := []api.Station{}
	for _, st := range list {
		out = append(out, api.Station{At: st.At, Party: st.Party, What: st.What, By: st.By, To: st.To, Human: st.Human, Evidence: evidence(st)})
	}
	return out
}

// Check is a check as it stands now.
func (v *Viewer) Check(c standing.CheckShown) api.Check {
	own := c.From == v.node.Self()
	out := api.Check{
		ID: c.ID.String(), Number: c.Number, Channel: v.Channel(c.Channel), Peer: c.Peer(v.node.Self()), Own: own, Plane: c.Plane, Level: c.Level,
		Occasion: c.Occasion, Question: c.Question, Sent: c.Sent, Due: c.Due, Answered: c.Answered(own), Elapsed: c.Elapsed(own).Seconds(), State: c.State(own, time.Now()),
	}
	if c.Answer != nil {
		out.AnsweredBy, out.Answer = c.Answer.By, c.Answer.Text
	}
	return out
}

// Contact is an entry of the directory as it stands now.
func (v *Viewer) Contact(c standing.ContactShown) api.Contact {
	f := c.Values
	around, _ := f["around_clock"].(bool)
	from, until := c.Valid()
	out := api.Contact{
		ID: c.ID.String(), Number: c.Number, Channel: v.Channel(c.Channel), Party: c.Party, Own: c.Party == v.node.Self(), Name: c.Name, Post: f.Text("post"),
		Category: f.Text("category"), Organisation: f.Text("organisation"), DutyRole: f.Text("duty_role"), Position: f.Text("position"),
		Alternates: f.Text("alternates"), AroundClock: around, Hours: f.Text("hours"), Zone: f.Text("zone"), Handovers: f.Text("handovers"),
		Voice: f.Text("voice"), Callback: f.Text("callback"), Mail: f.Text("mail"), Secure: f.Text("secure"), Key: f.Text("key"),
		KeyVerified: f.Text("key_verified"), Speaks: f.Text("speaks"), Reads: f.Text("reads"), NominatedBy: f.Text("nominated_by"),
		NominatedOn: f.Time("nominated_on"), Changed: f.Time("changed"), ValidFrom: from, ValidUntil: until, Visibility: f.Text("visibility"),
		Stated: c.Stated, Confirmed: c.Confirmed, Withdrawn: c.Withdrawn, Stale: c.Stale(time.Now()), ToldLate: c.ToldLate(),
	}
	list, _ := f["authority"].([]any)
	for _, item := range list {
		out.Authority = append(out.Authority, fmt.Sprint(item))
	}
	if c.LastCheck != nil {
		last := v.Check(*c.LastCheck)
		out.LastCheck = &last
	}
	return out
}

// Row is an entry of the directory as a table has it.
func (v *Viewer) Row(c standing.ContactShown) directory.Row {
	r := directory.Row{Channel: v.Channel(c.Channel), Party: string(c.Party), Stale: c.Stale(time.Now()), Confirmed: c.Confirmed.Format(time.RFC3339), Values: c.Values}
	if !c.Withdrawn.IsZero() {
		r.Withdrawn = c.Withdrawn.Format(time.RFC3339)
	}
	return r
}

// Status is how a channel stands.
func Status(c standing.ChannelStanding) api.ChannelStatus {
	id := c.Channel.ID()
	out := api.ChannelStatus{
		Channel: c.Channel.Name, ChannelID: fmt.Sprintf("%x", id), State: c.State, Protected: c.Channel.Protected, Members: []api.MemberState{},
	}
	if m := c.Minimize; m != nil {
		out.Minimize = &api.Minimize{By: m.By, Since: m.Since, Until: m.Until}
	}
	for _, m := range c.Members {
		s := api.MemberState{Party: m.Party, State: directory.Open}
		if st := m.Stated; st != nil {
			s = api.MemberState{
				Party: m.Party, State: st.State, Functions: st.Functions, Ground: st.Ground, Text: st.Text, Condition: st.Condition, Continues: st.Continues,
				From: st.From, Until: st.Until, Statement: st.ID.String(), Number: m.Number,
			}
		}
		out.Members = append(out.Members, s)
	}
	return out
}

// Silence is why nothing is heard of a post, in words.
func (v *Viewer) Silence(s standing.PostSilence) api.PostSilence {
	out := api.PostSilence{
		Peer: s.Peer, Post: string(s.Post), Why: s.Why, Words: v.say("silence."+string(s.Why), traffic.Address{Party: s.Peer, Post: s.Post}.String()),
		Since: s.Since, Evidence: []string{},
	}
	if s.Channel != [32]byte{} {
		out.Channel = v.Channel(s.Channel)
	}
	for _, e := range s.Evidence {
		args := slices.Clone(e.Args)
		if e.Key == "suspended" && len(args) > 1 { // the ground is a code of the form
			if _, regime, err := v.node.Channel(s.Channel); err == nil {
				args[1] = regime.Phrases.Phrase(v.lang, "status.ground."+fmt.Sprint(args[1]))
			}
		}
		out.Evidence = append(out.Evidence, v.say("silence.evidence."+e.Key, args...))
	}
	return out
}

// Term is an entry of the glossary.
func (v *Viewer) Term(t directory.Term) api.Term {
	return api.Term{
		ID: t.ID.String(), Channel: v.Channel(t.Channel), Party: t.Party, Term: t.Term, Language: t.Language, Definition: t.Definition,
		Counterpart: t.Counterpart, CounterpartIn: t.CounterpartIn, Standing: t.Standing,
	}
}
