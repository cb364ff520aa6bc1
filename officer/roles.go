package officer

import (
	"cmp"
	"slices"

	"detente/traffic"
)

// Action is what a request does, as far as the right to do it goes. docs/operate.md, section "Officers and roles", has the table of which role may do
// what; a test compares it with this file.
type Action string

// The actions.
const (
	Self        Action = "self"        // whoever is signed in, with what is his own
	Read        Action = "read"        // traffic and the board
	Take        Action = "take"        // an item
	Acknowledge Action = "acknowledge" // a statement
	Answer      Action = "answer"      // a statement
	Send        Action = "send"        // a statement of his own
	Release     Action = "release"     // what another has drafted
	Commit      Action = "commit"      // the party: channels, charters, suspension, forms that only some posts may state
	Check       Action = "check"       // communication checks and their plan
	Handover    Action = "handover"    // of the watch
	Roster      Action = "roster"      // who is on duty
	Directory   Action = "directory"   // own points of contact
	Translate   Action = "translate"   // translations and terms
	Note        Action = "note"        // in the watch log
	Log         Action = "log"         // read the watch log
	Officers    Action = "officers"    // enrol, change, remove; sessions of others
	Inspect     Action = "inspect"     // how the node stands, and whether what it holds is sound
	System      Action = "system"      // settings, pouches, recovery
	Export      Action = "export"      // the log and the directory, as files
)

// The roles. The first four are duty roles, the ladder of the watch, in its order.
const (
	DutyOfficer    = "duty-officer"
	Deputy         = "deputy"
	HeadOfPost     = "head-of-post"
	SeniorOfficial = "senior-official"
	Translator     = "translator"
	Administrator  = "administrator"
	Auditor        = "auditor"
)

// Roles lists every role, the duty roles first.
func Roles() []string {
	return []string{DutyOfficer, Deputy, HeadOfPost, SeniorOfficial, Translator, Administrator, Auditor}
}

// Actions lists every action.
func Actions() []Action {
	return []Action{
		Self, Read, Take, Acknowledge, Answer, Send, Release, Commit, Check, Handover, Roster, Directory, Translate, Note, Log, Officers, Inspect, System,
		Export,
	}
}

// permitted is what a role may do; nil for a word that is no role.
func permitted(role string) []Action {
	duty := []Action{Self, Read, Take, Acknowledge, Answer, Send, Check, Handover, Note, Log, Translate, Export}
	switch role {
	case DutyOfficer:
		return duty
	case Deputy:
		return append(duty, Release, Roster)
	case HeadOfPost:
		return append(duty, Release, Roster, Directory, Commit)
	case SeniorOfficial:
		return []Action{Self, Read, Take, Acknowledge, Answer, Release, Commit, Log, Note}
	case Translator:
		return []Action{Self, Read, Translate, Note}
	case Administrator:
		return []Action{Self, Officers, Inspect, System, Roster, Log, Export}
	case Auditor:
		return []Action{Self, Read, Log, Export, Inspect}
	}
	return nil
}

// Everywhere is the post of a grant that holds at every post.
const Everywhere = "*"

// Grant is a role at a post, or at Everywhere.
type Grant struct {
	Post string `json:"post"`
	Role string `json:"role"`
}

func (g Grant) valid() bool {
	return permitted(g.Role) != nil && (g.Post == Everywhere || traffic.Post(g.Post).Valid())
}

// May tells whether the grants permit an action at a post; the empty post asks whether they permit it at any.
func May(grants []Grant, a Action, post traffic.Post) bool { return len(RolesFor(grants, a, post)) > 0 }

// RolesFor lists the roles in which the grants permit an action at a post, the lowest of the ladder first; the empty post is any.
func RolesFor(grants []Grant, a Action, post traffic.Post) []string {
	var out []string
	for _, g := range grants {
		if (post == "" || g.Post == Everywhere || g.Post == string(post)) && slices.Contains(permitted(g.Role), a) && !slices.Contains(out, g.Role) {
			out = append(out, g.Role)
		}
	}
	slices.SortFunc(out, func(x, y string) int { return cmp.Compare(slices.Index(Roles(), x), slices.Index(Roles(), y)) })
	return out
}

// Actor is whoever asks the node for something.
type Actor struct {
	ID       string // officer; Terminal's for whoever may open the node's socket
	Name     string
	Grants   []Grant
	Language string
	Means    string // how he signed in
	Session  string // id of the session, where there is one
}

// terminal is the id of whoever may open the node's socket. No officer can bear it.
const terminal = "terminal"

// Terminal is whoever may open the node's socket or knows its token: he may do everything, and claims his duty roles.
func Terminal() Actor { return Actor{ID: terminal, Name: "Terminal", Means: terminal, Language: "en"} }

// Terminal tells whether the actor is no officer but the node's own socket.
func (a Actor) Terminal() bool { return a.ID == terminal }

// May tells whether the actor may do something at a post; the empty post is any.
func (a Actor) May(what Action, post traffic.Post) bool {
	return a.Terminal() || May(a.Grants, what, post)
}

// Role is the duty role in which the actor does something at a post: the wanted one if he has it, by default the lowest that suffices. It is
// empty where none does. The terminal has whatever role it claims.
func (a Actor) Role(what Action, post traffic.Post, wanted string) string {
	if a.Terminal() {
		return cmp.Or(wanted, DutyOfficer)
	}
	roles := RolesFor(a.Grants, what, post)
	switch {
	case len(roles) == 0 || wanted != "" && !slices.Contains(roles, wanted):
		return ""
	case wanted != "":
		return wanted
	}
	return roles[0]
}

// Permitted lists what the actor may do at some post.
func (a Actor) Permitted() []Action {
	return slices.DeleteFunc(Actions(), func(x Action) bool { return !a.May(x, "") })
}
