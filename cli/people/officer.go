// Package people is the commands about officers: who they are, how they come in, and what waits for a second one of them.
// It must never print a secret twice: a link and a token are shown by the command that made them, and by no other.
package people

import (
	"cmp"
	"strings"

	"detente/api"
	"detente/cli/session"
)

// OfficerCmd is the officers of the party.
type OfficerCmd struct {
	List     listCmd     `cmd:"" default:"withargs" help:"The officers, with their grants."`
	Add      addCmd      `cmd:"" help:"Enrol an officer."`
	Change   changeCmd   `cmd:"" help:"Change what is given, and leave the rest."`
	Remove   removeCmd   `cmd:"" help:"End an officer's access at once: sessions, passkeys, links, tokens."`
	Invite   inviteCmd   `cmd:"" help:"Make a link by which an officer signs in once."`
	Token    tokenCmd    `cmd:"" help:"Make a token for an officer's own tools; the one before ends."`
	Sessions sessionsCmd `cmd:"" help:"Sign-ins that have not ended."`
	Revoke   revokeCmd   `cmd:"" help:"End a sign-in at once."`
}

func codes(example string) string {
	return session.Detail(example, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

type listCmd struct {
	Removed bool `help:"Also those who were removed."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (listCmd) Help() string { return codes("detente officer list") }

// Run lists the officers.
func (c *listCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Officers(s.Ctx)
	if err != nil {
		return err
	}
	shown := []api.Officer{}
	for _, o := range all {
		if c.Removed || !o.Removed {
			shown = append(shown, o)
		}
	}
	if c.JSON {
		return s.JSON(shown)
	}
	if len(shown) == 0 {
		s.Printf("No officers. Enrol one with: detente officer add ID --name NAME --grant POST=ROLE\n")
	}
	for _, o := range shown {
		printOfficer(s, o)
	}
	return nil
}

func printOfficer(s *session.Session, o api.Officer) {
	s.Printf("%s  %s%s\n", o.ID, o.Name, map[bool]string{true: "  REMOVED"}[o.Removed])
	for _, g := range o.Grants {
		s.Printf("  %s at %s\n", g.Role, strings.Replace(g.Post, "*", "every post", 1))
	}
	if len(o.Grants) == 0 {
		s.Printf("  no grants: may do nothing\n")
	}
	var facts []string
	for _, p := range o.Passkeys {
		facts = append(facts, "passkey "+p.Label)
	}
	if len(o.Passkeys) == 0 && !o.Removed {
		facts = append(facts, "no passkey yet")
	}
	for _, x := range [][2]string{{"mail ", o.Mail}, {"webhook ", o.Webhook}, {"openid ", o.OpenID}} {
		if x[1] != "" {
			facts = append(facts, x[0]+x[1])
		}
	}
	if o.Token {
		facts = append(facts, "token")
	}
	if !o.Seen.IsZero() {
		facts = append(facts, "signed in "+session.Moment(o.Seen))
	}
	if len(facts) > 0 {
		s.Printf("  %s\n", strings.Join(facts, "; "))
	}
}

// entry is what is said of an officer.
type entry struct {
	Name     string   `help:"Name of the person." placeholder:"TEXT"`
	Grant    []string `help:"A role at a post, such as nrrc=deputy; the post * is every post. Repeat for others." placeholder:"POST=ROLE"`
	Language string   `help:"In which screens and calls are." placeholder:"TAG"`
	Mail     string   `help:"Called there." placeholder:"ADDRESS"`
	Webhook  string   `help:"Called there." placeholder:"URL"`
	OpenID   string   `name:"openid" help:"Subject at the organisation's provider." placeholder:"SUBJECT"`
}

// put writes what is given over what is there.
func (e *entry) put(r *api.OfficerRequest) error {
	for _, x := range []struct {
		to    *string
		given string
	}{{&r.Name, e.Name}, {&r.Language, e.Language}, {&r.Mail, e.Mail}, {&r.Webhook, e.Webhook}, {&r.OpenID, e.OpenID}} {
		if x.given == "-" {
			*x.to = ""
		} else if x.given != "" {
			*x.to = x.given
		}
	}
	if e.Grant == nil {
		return nil
	}
	r.Grants = []api.Grant{}
	for _, g := range e.Grant {
		post, role, found := strings.Cut(g, "=")
		if !found {
			return session.Fail(session.ExitUse, "", "--grant %s: a grant is POST=ROLE", g)
		}
		r.Grants = append(r.Grants, api.Grant{Post: post, Role: role})
	}
	return nil
}

type addCmd struct {
	ID string `arg:"" help:"2 to 32 of a-z, 0-9 and -."`
	entry
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (addCmd) Help() string {
	return "The roles are duty-officer, deputy, head-of-post, senior-official, translator, administrator and auditor; docs/operate.md#roles says what each may do.\n\n" +
		codes(`detente officer add anna --name "Anna Berg" --grant nrrc=duty-officer --language en --mail anna@xn.example`)
}

// Run enrols the officer.
func (c *addCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Officers(s.Ctx)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.ID == c.ID && !o.Removed {
			return session.Fail(session.ExitRefused, "change him with: detente officer change "+c.ID, "%s is an officer already", c.ID)
		}
	}
	r := api.OfficerRequest{ID: c.ID, Grants: []api.Grant{}}
	if err := c.put(&r); err != nil {
		return err
	}
	return set(s, node, r, c.JSON, true)
}

func set(s *session.Session, node *api.Client, r api.OfficerRequest, asJSON, fresh bool) error {
	o, err := node.SetOfficer(s.Ctx, r)
	if err != nil {
		return err
	}
	if asJSON {
		return s.JSON(o)
	}
	printOfficer(s, o)
	if fresh {
		s.Printf("next: detente officer invite %s\n", o.ID)
	}
	return nil
}

type changeCmd struct {
	ID string `arg:"" help:"Officer."`
	entry
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (changeCmd) Help() string {
	return "Grants that are given stand in place of those before. A - takes a value away.\n\n" +
		codes("detente officer change anna --grant nrrc=deputy --grant cert=duty-officer\ndetente officer change anna --webhook -")
}

// Run changes the officer.
func (c *changeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	o, err := find(s, node, c.ID)
	if err != nil {
		return err
	}
	r := api.OfficerRequest{ID: o.ID, Name: o.Name, Grants: o.Grants, Language: o.Language, Mail: o.Mail, Webhook: o.Webhook, OpenID: o.OpenID}
	if err := c.put(&r); err != nil {
		return err
	}
	return set(s, node, r, c.JSON, false)
}

func find(s *session.Session, node *api.Client, id string) (api.Officer, error) {
	all, err := node.Officers(s.Ctx)
	if err != nil {
		return api.Officer{}, err
	}
	for _, o := range all {
		if o.ID == id && !o.Removed {
			return o, nil
		}
	}
	return api.Officer{}, session.Fail(session.ExitNotFound, "see the officers with: detente officer list", "no such officer: %s", id)
}

type removeCmd struct {
	ID string `arg:"" help:"Officer."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (removeCmd) Help() string { return codes("detente officer remove anna") }

// Run removes the officer.
func (c *removeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	o, err := node.RemoveOfficer(s.Ctx, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(o)
	}
	s.Printf("%s may do nothing any more.\n", o.ID)
	return nil
}

type inviteCmd struct {
	ID string `arg:"" help:"Officer."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (inviteCmd) Help() string {
	return "Whoever has the link signs in as the officer, once, within 24 hours, and adds a passkey there. A new link ends the one before.\n\n" +
		codes("detente officer invite anna")
}

// Run makes the link.
func (c *inviteCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	i, err := node.Invite(s.Ctx, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(i)
	}
	s.Printf("%s\n  for %s; works once, until %s\n", cmp.Or(i.Address, i.Link), i.Officer, session.Moment(i.Until))
	if i.Address == "" {
		s.Printf("  next: put the console's address before it; set console.listen, if there is none yet\n")
	}
	return nil
}

type tokenCmd struct {
	ID     string `arg:"" help:"Officer."`
	Remove bool   `help:"End his token, and make none."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (tokenCmd) Help() string {
	return "Tools that show it, as --token-file or Authorization: Bearer, act as the officer, within his roles. It is shown once.\n\n" +
		codes("detente officer token anna > anna.token")
}

// Run makes the token.
func (c *tokenCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if c.Remove {
		o, err := node.RemoveToken(s.Ctx, c.ID)
		if err != nil || c.JSON {
			return orJSON(s, c.JSON, o, err)
		}
		s.Printf("%s has no token any more.\n", c.ID)
		return nil
	}
	t, err := node.NewToken(s.Ctx, c.ID)
	if err != nil || c.JSON {
		return orJSON(s, c.JSON, t, err)
	}
	s.Printf("%s\n", t.Token)
	return nil
}

func orJSON(s *session.Session, asJSON bool, v any, err error) error {
	if err != nil || !asJSON {
		return err
	}
	return s.JSON(v)
}

type sessionsCmd struct {
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (sessionsCmd) Help() string { return codes("detente officer sessions") }

// Run lists the sessions.
func (c *sessionsCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	return printSessions(s, c.JSON)(node.Sessions(s.Ctx))
}

func printSessions(s *session.Session, asJSON bool) func([]api.Session, error) error {
	return func(all []api.Session, err error) error {
		if err != nil || asJSON {
			return orJSON(s, asJSON, all, err)
		}
		if len(all) == 0 {
			s.Printf("Nobody is signed in.\n")
		}
		for _, x := range all {
			s.Printf("%s  %s  by %s  since %s, last seen %s, until %s\n", x.ID, x.Officer, x.Means, session.Moment(x.Begun), session.Moment(x.Seen), session.Moment(x.Until))
			if x.Device != "" {
				s.Printf("          %s\n", x.Device)
			}
		}
		return nil
	}
}

type revokeCmd struct {
	ID string `arg:"" help:"Id of the session."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (revokeCmd) Help() string { return codes("detente officer revoke q4m7xk2n") }

// Run ends the session, and lists those that are left.
func (c *revokeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	return printSessions(s, c.JSON)(node.Revoke(s.Ctx, c.ID))
}
