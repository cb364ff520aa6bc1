// Package pledges holds the commands about guarantees at work: what can be relied on, protected processes, complaints.
// It must never say that a guarantee was broken: a complaint asks, and the case answers.
package pledges

import (
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/cli/words"
	"detente/form"
	"detente/traffic"
)

// Cmd is guarantees of non-interference at work.
type Cmd struct {
	List     listCmd     `cmd:"" default:"withargs" help:"What can be relied on, protected processes, complaints."`
	Protect  protectCmd  `cmd:"" help:"Notify a process to be protected: an election, a referendum."`
	Cancel   cancelCmd   `cmd:"" help:"Say that a process will not take place, or not then."`
	Complain complainCmd `cmd:"" help:"State that a guarantee appears not to have been observed; it opens a case."`
}

type listCmd struct {
	Plane traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	Past  bool          `help:"Also processes that are over or were called off."`
	Lang  string        `help:"Language of names and titles." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (listCmd) Help() string {
	return session.Detail("detente guarantee list", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists them.
func (c *listCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Guarantees(s.Ctx, c.Plane, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(all)
	}
	if len(all.Instruments) == 0 {
		s.Printf("No instrument is known here that could be relied on. Begin with: detente draft new --template guarantees-statement\n")
	} else {
		rows := [][]string{{"INSTRUMENT", "KIND", "TITLE"}}
		for _, i := range all.Instruments {
			rows = append(rows, []string{i.ID[:12], session.Safe(i.Kind), session.Safe(line(i.Title))})
		}
		if err := s.Table(rows...); err != nil {
			return err
		}
	}
	rows := [][]string{{"PROCESS", "BY", "NAME", "STATE", "FROM", "UNTIL", "ON DUTY", "CHECKS"}}
	for _, p := range all.Processes {
		if c.Past || p.State == "upcoming" || p.State == "open" {
			rows = append(rows, []string{p.Number, p.By, session.Safe(line(p.Name)), p.State, session.Moment(p.From), session.Moment(p.Until), strings.Join(p.Duty, " "),
				(time.Duration(p.Every) * time.Second).String()})
		}
	}
	if len(rows) > 1 {
		s.Printf("\n")
		if err := s.Table(rows...); err != nil {
			return err
		}
	}
	rows = [][]string{{"COMPLAINT", "BY", "AT", "CASE", "ABOUT"}}
	for _, k := range all.Complaints {
		rows = append(rows, []string{k.Number, k.By, session.Moment(k.At), session.Safe(k.Case), session.Safe(line(k.Words))})
	}
	if len(rows) == 1 {
		return nil
	}
	s.Printf("\n")
	return s.Table(rows...)
}

// line is the beginning of a text, on one line.
func line(text string) string { return form.Clean(strings.Join(strings.Fields(text), " "), true, 70) }

type protectCmd struct {
	On         string        `arg:"" name:"instrument" help:"The beginning of the id of the guarantee."`
	To         string        `help:"PARTY, PARTY/POST, or * for all members. Default: the other member of two, else all." placeholder:"ADDRESS"`
	Post       traffic.Post  `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Precedence string        `short:"p" help:"PRIORITY (P) or ROUTINE (R)." default:"ROUTINE"`
	Plane      traffic.Plane `help:"real, exercise or test: kept apart in everything." default:"real" enum:"real,exercise,test"`
	words.Words
}

// Help gives an example and the exit codes.
func (protectCmd) Help() string {
	return session.Detail(`
		detente guarantee protect 3f9a name.en="General election" name.ru="Всеобщие выборы" process=election window=2026-12-01T06:00:00Z/2026-12-14T18:00:00Z scope="Systems of the electoral commission." duty=xn/nrrc,xs/nrrc rhythm=1h`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run notifies the process, in the negotiation of the guarantee.
func (c *protectCmd) Run(s *session.Session) error {
	w, err := c.Request(s, "protected-process")
	if err != nil {
		return err
	}
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	all, err := node.Guarantees(s.Ctx, c.Plane, "en")
	if err != nil {
		return err
	}
	on, err := find(all.Instruments, c.On)
	if err != nil {
		return err
	}
	w.Text["basis"] = on.ID
	sent, err := node.Send(s.Ctx, api.SendRequest{
		Channel: on.Channel, To: c.To, Post: c.Post, Plane: c.Plane, Precedence: c.Precedence, Dossier: on.Dossier, Words: w,
	})
	if err != nil {
		return err
	}
	return c.Tell(s, node, sent)
}

// find is the instrument that a person means.
func find(all []api.GuaranteeInstrument, prefix string) (api.GuaranteeInstrument, error) {
	var found []api.GuaranteeInstrument
	for _, i := range all {
		if len(prefix) >= 4 && strings.HasPrefix(i.ID, strings.ToLower(prefix)) {
			found = append(found, i)
		}
	}
	switch {
	case len(found) == 0:
		return api.GuaranteeInstrument{}, session.Fail(session.ExitNotFound, "see what can be relied on with: detente guarantee list", "no instrument that is known here begins with %q", prefix)
	case len(found) > 1:
		return api.GuaranteeInstrument{}, session.Fail(session.ExitUse, "give more digits", "%d instruments begin with %q", len(found), prefix)
	case found[0].Dossier == "":
		return api.GuaranteeInstrument{}, session.Fail(session.ExitUse, "notify it with: detente send --channel CHANNEL --form protected-process", "%q is open to all and has no channel of its own", prefix)
	}
	return found[0], nil
}

type cancelCmd struct {
	Process    string       `arg:"" help:"Id or number of the notification."`
	Post       traffic.Post `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Precedence string       `short:"p" help:"PRIORITY (P) or ROUTINE (R)." default:"ROUTINE"`
	words.Words
}

// Help gives an example and the exit codes.
func (cancelCmd) Help() string {
	return session.Detail(`detente guarantee cancel XN/COUNCIL-R-0007 reason="The election is put off."`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run states it.
func (c *cancelCmd) Run(s *session.Session) error {
	w, err := c.Request(s, "process-cancellation")
	if err != nil {
		return err
	}
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	sent, err := node.Reply(s.Ctx, c.Process, api.ReplyRequest{Post: c.Post, Precedence: c.Precedence, Words: w})
	if err != nil {
		return err
	}
	return c.Tell(s, node, sent)
}

type complainCmd struct {
	On         string        `arg:"" name:"instrument" help:"The beginning of the id of the guarantee."`
	Text       string        `arg:"" help:"What appears not to have been observed."`
	Provision  string        `help:"Provision that is relied on." placeholder:"ID"`
	From       string        `help:"Since when it was observed: 231415Z NOV 26 or RFC 3339." placeholder:"TIME"`
	Until      string        `help:"Until when; now by default." placeholder:"TIME"`
	Channel    string        `help:"Name, or the beginning of the id; that of the guarantee by default." placeholder:"CHANNEL"`
	To         string        `help:"PARTY, PARTY/POST, or * for all members. Default: the other member of two, else all." placeholder:"ADDRESS"`
	Post       traffic.Post  `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Precedence string        `short:"p" help:"IMMEDIATE (O), PRIORITY (P) or ROUTINE (R)." default:"PRIORITY"`
	Plane      traffic.Plane `help:"real, exercise or test: kept apart in everything." default:"real" enum:"real,exercise,test"`
	Language   string        `name:"lang" help:"Language in which it is written; the party's first by default." placeholder:"TAG"`
	Drafter    string        `help:"Duty role of the person who wrote it." default:"duty-officer" placeholder:"ROLE"`
	Essential  bool          `help:"It cannot wait: it passes MINIMIZE, and what another member has suspended."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (complainCmd) Help() string {
	return session.Detail(`detente guarantee complain 3f9a "Accounts of the electoral commission were entered, apparently from or through your territory." --from "010600Z DEC 26"`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run states the complaint. The node opens its case.
func (c *complainCmd) Run(s *session.Session) error {
	r := api.ComplaintRequest{
		Basis: c.On, Provision: c.Provision, Text: c.Text, Channel: c.Channel, To: c.To, Post: c.Post, Plane: c.Plane, Precedence: c.Precedence, Language: c.Language, Drafter: c.Drafter,
		Essential: c.Essential,
	}
	var err error
	if r.From, err = moment(c.From); err != nil {
		return err
	}
	if r.Until, err = moment(c.Until); err != nil {
		return err
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := node.Complain(s.Ctx, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(sent)
	}
	s.Printf("%s  %s\n  durable here; case %s\n", sent.Number, sent.ID, sent.Case)
	if sent.Pending {
		s.Printf("  the case is not open yet: the node tries again, and the board says why\n")
	}
	return nil
}

func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = form.ParseDTG(text)
	}
	if err != nil {
		return t, session.Fail(session.ExitUse, "write a time as 231415Z NOV 26 or 2026-11-23T14:15:00Z", "%q is no time", text)
	}
	return t, nil
}
