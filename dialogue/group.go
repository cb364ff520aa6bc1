package dialogue

import (
	"slices"
	"time"

	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// Group is a standing group of experts.
type Group struct {
	Name       wording.Texts
	Mandate    statement.ID // the negotiation of its mandate; zero for none
	Members    []string     // addresses, sorted
	Rapporteur string
	Chatham    bool // what is said there is not signed
	Opened     time.Time
	By         traffic.Address
	Thread     []Contribution
	Reports    []*Report // in the order in which they were first spoken of
	Sessions   []*Session
	Actions    []*Action
}

// Contribution is a signed word in a group that is not under the Chatham House rule.
type Contribution struct {
	Statement statement.ID
	By        traffic.Address
	At        time.Time
	Words     string
	To        statement.ID // the contribution that it answers; zero for none
}

// Report is a text that the group adopts, or not.
type Report struct {
	Negotiation statement.ID
	Words       map[traffic.Party]Adoption // what each party's members said last
}

// Adoption is one party's word on a report.
type Adoption struct {
	Statement statement.ID
	Text      [32]byte // digest of the clean text
	Dissent   bool
	Words     string
}

// Session is a session under the Chatham House rule: who was there, and what was agreed on. What was said is in no statement.
type Session struct {
	Statement    statement.ID
	Name         string
	From, To     time.Time
	Keep         time.Duration
	Members      []string
	Keys         [][]byte // sealed for each member, in the order of Members
	By           traffic.Address
	Outputs      []Output
	Attributions []Attribution
}

// Until is when what was said there is to be gone.
func (s *Session) Until() time.Time { return s.To.Add(s.Keep) }

// Output is what a session agreed on.
type Output struct {
	Statement statement.ID
	Words     wording.Texts
}

// Attribution is a speaker's own later word that a contribution was his. Whether the opening fits only those can tell who hold the contribution.
type Attribution struct {
	Statement    statement.ID
	By           traffic.Party
	Contribution [32]byte
	Opening      []byte
}

func (g *Group) has(p traffic.Party) bool {
	return slices.ContainsFunc(g.Members, func(m string) bool { return partyOf(m) == p })
}

// Parties lists the parties that have members, sorted.
func (g *Group) Parties() (out []traffic.Party) {
	for _, m := range g.Members {
		out = append(out, partyOf(m))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (f *fold) group(e *Entry) string {
	v := e.Values
	members := addresses(v, "members")
	slices.Sort(members)
	members = slices.Compact(members)
	if len(members) == 0 || !slices.Contains(members, v.Text("rapporteur")) {
		return Malformed
	}
	f.ID = e.ID
	f.Group = &Group{
		Name: texts(v, "name"), Mandate: digest(v, "mandate"), Members: members, Rapporteur: v.Text("rapporteur"), Chatham: v.Text("rule") == "chatham-house", Opened: e.At.UTC(), By: e.Issuer,
	}
	return ""
}

// member changes the group. Who joins and leaves is his own party's to say; the rapporteur hands over, or any member takes it when nobody has it.
func (f *fold) member(e *Entry) string {
	g, who := f.Group, e.Values.Text("member")
	at, there := slices.BinarySearch(g.Members, who)
	switch e.Values.Text("what") {
	case "joins":
		switch {
		case partyOf(who) != e.Issuer.Party:
			return NotYours
		case len(g.Members) >= maxProposals:
			return Limit
		case !there:
			g.Members = slices.Insert(g.Members, at, who)
		}
	case "leaves":
		switch {
		case partyOf(who) != e.Issuer.Party:
			return NotYours
		case !there:
			return Unknown
		}
		g.Members = slices.Delete(g.Members, at, at+1)
		if g.Rapporteur == who {
			g.Rapporteur = ""
		}
	default:
		switch {
		case !there:
			return Unknown
		case !g.has(e.Issuer.Party):
			return NoMember
		case g.Rapporteur != "" && partyOf(g.Rapporteur) != e.Issuer.Party:
			return NoRapporteur
		}
		g.Rapporteur = who
	}
	return ""
}

func (f *fold) contribute(e *Entry) string {
	switch {
	case f.Group.Chatham:
		return UnderRule
	case len(f.Group.Thread) >= maxThings:
		return Limit
	}
	f.Group.Thread = append(f.Group.Thread, Contribution{e.ID, e.Issuer, e.At.UTC(), e.Values.Text("words"), digest(e.Values, "thread")})
	return ""
}

func (f *fold) adopt(e *Entry) string {
	id := statement.ID(digest(e.Values, "negotiation"))
	i := slices.IndexFunc(f.Group.Reports, func(r *Report) bool { return r.Negotiation == id })
	if i < 0 {
		if len(f.Group.Reports) >= maxThings {
			return Limit
		}
		i = len(f.Group.Reports)
		f.Group.Reports = append(f.Group.Reports, &Report{id, make(map[traffic.Party]Adoption)})
	}
	f.Group.Reports[i].Words[e.Issuer.Party] = Adoption{e.ID, digest(e.Values, "text"), e.Values.Text("how") == "dissent", e.Values.Text("words")}
	return ""
}

// Adopted tells whether every party with members has spoken on one and the same text, at least one for it, and who dissents.
func (r *Report) Adopted(g *Group) (text [32]byte, dissent []traffic.Party, adopted bool) {
	joined := 0
	for i, p := range g.Parties() {
		a, spoke := r.Words[p]
		if !spoke || i > 0 && a.Text != text {
			return [32]byte{}, nil, false
		}
		text = a.Text
		if a.Dissent {
			dissent = append(dissent, p)
		} else {
			joined++
		}
	}
	return text, dissent, joined > 0
}

func (f *fold) session(e *Entry) string {
	g, v := f.Group, e.Values
	members := addresses(v, "members")
	keys, _ := v["keys"].([]any)
	from, to := window(v, "window")
	keep, _ := v["keep"].(int64)
	switch {
	case g.Rapporteur == "" || partyOf(g.Rapporteur) != e.Issuer.Party:
		return NoRapporteur
	case len(members) != len(keys) || len(members) == 0 || to.Before(from) || keep <= 0:
		return Malformed
	case len(g.Sessions) >= maxThings:
		return Limit
	}
	s := &Session{Statement: e.ID, Name: v.Text("name"), From: from, To: to, Keep: time.Duration(keep) * time.Second, Members: members, By: e.Issuer}
	for _, k := range keys {
		b, _ := k.([]byte)
		s.Keys = append(s.Keys, b)
	}
	g.Sessions = append(g.Sessions, s)
	f.sessions[e.ID] = s
	return ""
}

func (f *fold) attribute(e *Entry) string {
	s := f.sessions[digest(e.Values, "session")]
	switch {
	case s == nil:
		return Unknown
	case !slices.ContainsFunc(s.Members, func(m string) bool { return partyOf(m) == e.Issuer.Party }):
		return NoMember
	case len(s.Attributions) >= maxThings:
		return Limit
	}
	s.Attributions = append(s.Attributions, Attribution{e.ID, e.Issuer.Party, digest(e.Values, "contribution"), e.Values.Bytes("opening")})
	return ""
}

// output is what a session agreed on. Only the rapporteur's party states it, for the statement is signed and names its author, and he speaks for all.
func (f *fold) output(e *Entry) string {
	s := f.sessions[digest(e.Values, "session")]
	switch {
	case s == nil:
		return Unknown
	case s.By.Party != e.Issuer.Party && partyOf(f.Group.Rapporteur) != e.Issuer.Party:
		return NoRapporteur
	case len(s.Outputs) >= maxThings:
		return Limit
	}
	s.Outputs = append(s.Outputs, Output{e.ID, texts(e.Values, "words")})
	return ""
}
