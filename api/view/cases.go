package view

import (
	"slices"
	"strings"

	"detente/api"
	"detente/casework"
	"detente/form"
	"detente/incident"
	"detente/statement"
)

// regimeSay is a phrase of the regime of a channel, the key itself where it has none.
func (v *Viewer) regimeSay(channel [32]byte, key string, args ...any) string {
	_, r, err := v.node.Channel(channel)
	if err != nil {
		return key
	}
	return r.Phrases.Phrase(v.lang, key, args...)
}

// Case is a case as a list shows it.
func (v *Viewer) Case(f *casework.File) api.Case {
	first := f.Sheets[0]
	out := api.Case{
		Number: f.Number.String(), Title: f.Title, Plane: f.Plane, Open: f.Open(), Channels: []string{}, Peers: []string{}, Opener: first.Opener, Opened: first.Opened,
		Last: f.Last(), Severity: []api.Severity{}, Form: first.Entries[0].Form, What: v.regimeSay(first.Name.Channel, first.Entries[0].Form),
	}
	lead := first
	for _, s := range f.Sheets {
		out.Channels = append(out.Channels, v.Channel(s.Name.Channel))
		out.Entries += len(s.Entries)
		out.Review = out.Review || s.Review
		if c, _, err := v.node.Channel(s.Name.Channel); err == nil {
			for _, p := range c.Members {
				if p != v.node.Self() && !slices.Contains(out.Peers, string(p)) {
					out.Peers = append(out.Peers, string(p))
				}
			}
		}
		if s.View.Open() && !lead.View.Open() {
			lead = s
		}
		for _, a := range s.Severity {
			if !slices.ContainsFunc(out.Severity, func(x api.Severity) bool { return x.Party == a.By }) {
				out.Severity = append(out.Severity, v.severity(a, s.Name.Channel))
			}
		}
	}
	out.State, out.Stands = lead.View.State, v.stands(lead.View.Machine, lead.View.State)
	out.Outcome = lead.View.Outcome
	if out.Outcome != "" {
		out.Stands = v.known("case.outcome.", out.Outcome)
	}
	for i := range f.Sheets {
		for _, d := range f.Sheets[i].View.Owed {
			if d.Soft || d.By == incident.Nobody || out.Next != nil && !d.At.Before(out.Next.At) {
				continue
			}
			next := v.deadline(d, &f.Sheets[i])
			out.Next = &next
		}
	}
	return out
}

// stands is how a matter of a kind stands, in words.
func (v *Viewer) stands(machine, state string) string {
	if state == "" {
		return ""
	}
	if key := "case.state." + machine + "." + state; v.phrases.Has(key) {
		return v.say(key)
	}
	return v.known("case.state.", state)
}

// known is the phrase for a code, and the code itself for one of a regime that is newer than this program.
func (v *Viewer) known(group, code string) string {
	if v.phrases.Has(group + code) {
		return v.say(group + code)
	}
	return form.Visible(code)
}

func (v *Viewer) severity(a incident.Assessment, channel [32]byte) api.Severity {
	out := api.Severity{Party: a.By, Common: a.Common, Own: form.Visible(a.Own), Words: v.regimeSay(channel, "clarification.severity."+a.Common)}
	if a.Own != "" {
		out.Words += " (" + out.Own + ")"
	}
	return out
}

func (v *Viewer) deadline(d incident.Due, s *casework.Sheet) api.Deadline {
	return api.Deadline{
		Kind: d.ID, Words: v.known("case.deadline.", d.ID), Party: d.Owner, Number: number(s, d.Statement), Since: d.Since, At: d.At, Moved: d.Moved,
		Overdue: d.Late(s.View.Now), Soft: d.Soft,
	}
}

// number is the number of a statement of a sheet; empty for one that is not there.
func number(s *casework.Sheet, id statement.ID) string {
	for _, e := range s.Entries {
		if e.ID == id {
			return e.Number
		}
	}
	return ""
}

// CaseFile is a case with all that was said in it.
func (v *Viewer) CaseFile(f *casework.File, declared []casework.Match, steps []casework.Step) api.CaseFile {
	out := api.CaseFile{Case: v.Case(f), Sheets: []api.CaseSheet{}, Declared: []api.CaseMatch{}, Steps: []api.CaseStep{}}
	for i := range f.Sheets {
		out.Sheets = append(out.Sheets, v.sheet(&f.Sheets[i]))
	}
	for _, m := range declared {
		out.Declared = append(out.Declared, v.Match(m))
	}
	for _, s := range steps {
		codes := s.Codes
		if codes == nil {
			codes = []string{}
		}
		out.Steps = append(out.Steps, api.CaseStep{
			Channel: v.Channel(s.Sheet.Name.Channel), Form: s.Form, What: v.regimeSay(s.Sheet.Name.Channel, s.Form), Field: s.Field, Codes: codes,
			About: s.About.String(), Number: number(s.Sheet, s.About), To: s.To, Expects: s.Expects,
		})
	}
	return out
}

func (v *Viewer) sheet(s *casework.Sheet) api.CaseSheet {
	out := api.CaseSheet{
		Channel: v.Channel(s.Name.Channel), ID: s.Name.ID.String(), State: s.View.State, Stands: v.stands(s.View.Machine, s.View.State), Outcome: s.View.Outcome,
		Entries: []api.CaseEntry{}, Matters: []api.CaseMatter{}, Owed: []api.Deadline{}, Passings: []api.Passing{}, Links: []api.CaseLink{},
	}
	machines := make(map[statement.ID]string)
	for _, m := range s.View.Matters {
		machines[m.ID] = m.Machine.ID
		opens := m.Machine.Opens
		out.Matters = append(out.Matters, api.CaseMatter{
			ID: m.ID.String(), Number: number(s, m.ID), Kind: m.Machine.ID, What: v.regimeSay(s.Name.Channel, opens), Asker: m.Asker, Asked: m.Asked, State: m.State,
			Stands: v.stands(m.Machine.ID, m.State), Since: m.Since, Open: m.Open(),
		})
	}
	for _, d := range s.View.Owed {
		i := slices.IndexFunc(out.Matters, func(m api.CaseMatter) bool { return m.ID == d.Matter.String() })
		if i < 0 || d.Soft || d.By == incident.Nobody || out.Matters[i].Next != nil && !d.At.Before(out.Matters[i].Next.At) {
			continue
		}
		next := v.deadline(d, s)
		out.Matters[i].Next = &next
	}
	for _, e := range s.Entries {
		out.Entries = append(out.Entries, v.caseEntry(e, machines[e.Matter]))
	}
	for _, d := range s.View.Owed {
		out.Owed = append(out.Owed, v.deadline(d, s))
	}
	for _, p := range s.Passings {
		out.Passings = append(out.Passings, api.Passing{Party: p.By, To: list(p.To), Confirmed: list(p.Confirmed), Words: v.passing(p, s.Name.Channel), At: p.At, Number: number(s, p.Statement)})
	}
	for _, l := range s.Links {
		out.Links = append(out.Links, api.CaseLink{Party: l.By, Notice: l.Notice.String(), Conclusion: l.Conclusion, Words: v.known("case.match.", l.Conclusion), Number: number(s, l.Statement)})
	}
	return out
}

// list is a list that JSON shows as one, though it be empty.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func (v *Viewer) passing(p incident.Passing, channel [32]byte) string {
	name := func(codes []string) string {
		var out []string
		for _, c := range codes {
			out = append(out, v.regimeSay(channel, "dissemination.passed_to."+c))
		}
		return strings.Join(out, ", ")
	}
	if len(p.Confirmed) == 0 {
		return v.say("case.passed", name(p.To))
	}
	return v.say("case.passed.confirmed", name(p.To), name(p.Confirmed))
}

// caseEntry is a statement of a case. Its words are shown where it has any: the first text that its form shows.
func (v *Viewer) caseEntry(e casework.Entry, machine string) api.CaseEntry {
	out := api.CaseEntry{
		ID: e.ID.String(), Number: e.Number, From: e.Issuer.String(), To: e.Audience, Form: e.Form, What: v.regimeSay(e.Channel, e.Form), At: e.At, Held: e.Held,
		Own: e.Issuer.Party == v.node.Self(), Why: e.Why, Remarks: []string{},
	}
	switch {
	case e.Why == incident.Void && e.Void != "":
		out.Effect = v.say("case.why.void")
	case e.Why != "":
		out.Effect = v.say("case.why." + e.Why)
	case e.From != "" && e.To != "" && e.From != e.To:
		out.Effect = v.say("case.effect", v.stands(machine, e.From), v.stands(machine, e.To))
	}
	for _, r := range e.Remarks {
		out.Remarks = append(out.Remarks, v.say("case.remark."+r))
	}
	for _, field := range []string{"observation", "text", "stop", "what", "need", "offer", "agenda", "scope", "summary"} {
		if t := e.Values.Text(field); t != "" {
			out.Text = form.Visible(t)
			break
		}
	}
	files, _ := e.Values["attachments"].([]any)
	out.Files = len(files)
	return out
}

// Activity is a declared activity as it stands.
func (v *Viewer) Activity(n casework.Notice) api.Activity {
	out := api.Activity{
		ID: n.ID.String(), Number: n.Number, Case: n.Case.String(), Party: n.By, Channel: v.Channel(n.Channel), Class: n.Class,
		What: v.regimeSay(n.Channel, "planned-activity.class."+n.Class), Intensity: n.Intensity, Given: n.Given, From: n.Declared.From, Until: n.Declared.To,
		Activated: n.Activated, Ended: n.Ended, Extended: n.Extended, Short: n.Short, State: n.State, Stands: v.stands("activity", n.State),
		Sources: []string{}, Networks: []string{}, ASNumbers: n.Declared.Numbers, Sectors: []string{}, Recognition: form.Visible(n.Recognition), Contact: form.Visible(n.Contact),
	}
	if out.ASNumbers == nil {
		out.ASNumbers = []uint32{}
	}
	for _, p := range n.Declared.Sources {
		out.Sources = append(out.Sources, p.String())
	}
	for _, p := range n.Declared.Networks {
		out.Networks = append(out.Networks, p.String())
	}
	for _, s := range n.Declared.Sectors {
		out.Sectors = append(out.Sectors, v.regimeSay(n.Channel, "planned-activity.sectors."+s))
	}
	return out
}

// Match is what comes of holding an observation against a declared activity.
func (v *Viewer) Match(m casework.Match) api.CaseMatch {
	name := func(codes []string) (out []string) {
		out = []string{}
		for _, c := range codes {
			out = append(out, v.regimeSay(m.Notice.Channel, "activity-match.criteria."+c))
		}
		return out
	}
	return api.CaseMatch{Notice: v.Activity(casework.Notice{Notice: m.Notice, Number: m.Number}), Conclusion: m.Conclusion, Hit: name(m.Hit), Missed: name(m.Missed), Words: v.say("case.match." + m.Conclusion)}
}

// Caution is a window of special caution.
func (v *Viewer) Caution(w casework.Window) api.Caution {
	return api.Caution{
		ID: w.ID.String(), Number: w.Number, Party: w.By, Channel: v.Channel(w.Channel), From: w.From, Until: w.To, State: w.State, Stands: v.stands("caution", w.State),
		Ground: v.regimeSay(w.Channel, "caution-window.ground."+w.Ground), Scope: form.Visible(w.Scope),
	}
}

// Signal is a row of a codebook.
func (v *Viewer) Signal(channel [32]byte, s incident.Signal) api.Signal {
	out := api.Signal{Code: s.Code, Number: s.Number, Meaning: form.Visible(s.Meaning), Response: form.Visible(s.Response), Responses: list(s.Responses), Trial: s.Trial, Retired: s.Retired}
	if s.Code != "" {
		out.Meaning = v.regimeSay(channel, "signal.signal."+s.Code)
	}
	if len(s.Responses) > 0 {
		out.Response = v.regimeSay(channel, "signal-answer.response."+s.Responses[0])
	}
	return out
}
