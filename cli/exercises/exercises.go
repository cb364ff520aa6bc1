// Package exercises holds the commands that play a scenario on the plane EXERCISE and draw the debrief.
// It must never state anything on another plane.
package exercises

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/exercise"
	"detente/traffic"
	"detente/wording"
)

// Cmd is exercises.
type Cmd struct {
	List    listCmd    `cmd:"" help:"The scenarios that the program has with it."`
	Show    showCmd    `cmd:"" help:"A scenario: what happens when, and what is expected."`
	Run     runCmd     `cmd:"" help:"Play the part of the own side, in its time."`
	Debrief debriefCmd `cmd:"" help:"What was answered, how fast, and what was missed."`
}

// play is which scenario is played by whom.
type play struct {
	Scenario string                   `arg:"" help:"A file, or the name of a scenario that the program has with it."`
	Role     map[string]traffic.Party `help:"Who plays a role: --role alpha=xn --role bravo=xs." placeholder:"ROLE=PARTY"`
	Lang     string                   `help:"Language of the texts." default:"en" placeholder:"TAG"`
}

func (p *play) read(s *session.Session) (*exercise.Scenario, error) {
	var b []byte
	if _, err := os.Stat(p.Scenario); errors.Is(err, fs.ErrNotExist) {
		var ok bool
		if b, ok = exercise.Named(p.Scenario); !ok {
			return nil, session.Fail(session.ExitNotFound, "detente exercise list", "no file and no scenario %q", p.Scenario)
		}
	} else if b, err = s.ReadFile(p.Scenario, exercise.MaxFile); err != nil {
		return nil, err
	}
	x, err := exercise.Parse(b)
	if err != nil {
		return nil, session.Fail(session.ExitUse, "", "%s: %w", p.Scenario, err)
	}
	return x, nil
}

func (p *play) cast(x *exercise.Scenario) (exercise.Cast, error) {
	c := exercise.Cast(p.Role)
	if err := x.Check(c); err != nil {
		return nil, session.Fail(session.ExitUse, "such as --role alpha=xn --role bravo=xs", "%w", err)
	}
	return c, nil
}

type listCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (listCmd) Help() string { return session.Detail("detente exercise list", session.ExitDone) }

// Run lists them.
func (c *listCmd) Run(s *session.Session) error {
	ids, err := exercise.Shipped()
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(ids)
	}
	for _, id := range ids {
		b, _ := exercise.Named(id)
		x, err := exercise.Parse(b)
		if err != nil {
			return err
		}
		s.Printf("%-10s %s (%s)\n", id, wording.In(x.Title, "en"), x.Length())
	}
	return nil
}

type showCmd struct{ play }

// Help gives an example and the exit codes.
func (showCmd) Help() string {
	return session.Detail("detente exercise show wiper --lang ru", session.ExitDone, session.ExitUse, session.ExitNotFound)
}

// Run shows it.
func (c *showCmd) Run(s *session.Session) error {
	x, err := c.read(s)
	if err != nil {
		return err
	}
	s.Printf("EXERCISE  %s\n%s\nroles %s; SHA-256 %s\n\n", session.Safe(wording.In(x.Title, c.Lang)), session.Safe(wording.In(x.Brief, c.Lang)), strings.Join(x.Roles, ", "), hex.EncodeToString(x.Hash[:]))
	for _, i := range x.Inject {
		if i.Says() {
			s.Printf("%6s  %s → %s  %s %s\n", i.At, i.By, i.To, i.Precedence, i.Form)
		} else {
			s.Printf("%6s  to %s: %s\n", i.At, i.To, session.Safe(wording.In(i.Brief, c.Lang)))
		}
	}
	s.Printf("\n")
	for _, e := range x.Expect {
		s.Printf("%6s after %s  %s: %s\n", e.Within, e.After, e.By, session.Safe(wording.In(e.What, c.Lang)))
	}
	return nil
}

type runCmd struct {
	play
	Start time.Time `help:"When both sides begin; now by default." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	Speed float64   `help:"How many times faster: for rehearsals. The clocks of the agreement do not run faster." default:"1"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (runCmd) Help() string {
	return "Both sides compare the SHA-256 of the scenario (detente exercise show) and agree on a start. Each node makes the statements of its own side, and tells its officers what happens; the rest is theirs. " +
		"It ends with the debrief. Broken off, it can be begun again with the same start: what was made is not made again.\n\n" +
		session.Detail("detente exercise run wiper --role alpha=xn --role bravo=xs --start 2027-02-01T09:00:00Z",
			session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run plays it.
func (c *runCmd) Run(s *session.Session) error {
	x, err := c.read(s)
	if err != nil {
		return err
	}
	cast, err := c.cast(x)
	if err != nil {
		return err
	}
	if c.Speed < 1 || c.Speed > 1e6 {
		return session.Fail(session.ExitUse, "", "a speed of %g", c.Speed)
	}
	if c.Start.IsZero() {
		c.Start = time.Now().UTC().Truncate(time.Second)
	}
	node, err := s.Client(true)
	if err != nil {
		return err
	}
	st, err := node.Status(s.Ctx)
	if err != nil {
		return err
	}
	tell := s.Printf
	if c.JSON {
		tell = func(string, ...any) {}
	}
	tell("EXERCISE  %s: %s plays %s from %s\n", session.Safe(wording.In(x.Title, c.Lang)), st.Party, roleOf(cast, st.Party), session.Moment(c.Start))
	r := &running{s: s, tell: tell, node: node, x: x.Faster(c.Speed), cast: cast, start: c.Start.UTC(), made: map[string]string{}}
	for _, i := range r.x.Due(cast, st.Party) {
		if err := r.until(i.At); err != nil {
			return err
		}
		if !i.Says() {
			tell("EXERCISE  %s  to %s: %s\n", session.Moment(time.Now()), cast.Address(i.To), session.Safe(wording.In(i.Brief, c.Lang)))
			continue
		}
		if err := r.say(i); err != nil {
			return err
		}
	}
	if err := r.until(r.x.Length()); err != nil {
		return err
	}
	return debrief(s, node, r.x, cast, r.start, c.Lang, c.JSON)
}

func roleOf(c exercise.Cast, p traffic.Party) string {
	for role, who := range c {
		if who == p {
			return role
		}
	}
	return "no role"
}

// running is an exercise while it is played by one side.
type running struct {
	s     *session.Session
	tell  func(format string, args ...any)
	node  *api.Client
	x     *exercise.Scenario
	cast  exercise.Cast
	start time.Time
	made  map[string]string // ids of the statements of injects
}

func (r *running) until(at time.Duration) error {
	t := time.NewTimer(time.Until(r.start.Add(at)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-r.s.Ctx.Done():
		return r.s.Ctx.Err()
	}
}

// find is the statement of an inject, made by either side, if it is held here.
func (r *running) find(i *exercise.Inject) (string, error) {
	if id := r.made[i.ID]; id != "" {
		return id, nil
	}
	said, err := held(r.s, r.node, r.start)
	if err != nil {
		return "", err
	}
	if x, ok := r.x.Made(r.cast, r.start, said)[i.ID]; ok {
		r.made[i.ID] = x.ID
		return x.ID, nil
	}
	return "", nil
}

// say makes the statement of an inject, unless an earlier run has made it.
func (r *running) say(i exercise.Inject) error {
	if id, err := r.find(&i); err != nil || id != "" {
		return err
	}
	now := time.Now().UTC()
	said := api.Words{Form: i.Form, Text: make(map[string]string, len(i.Fields)), Drafter: "duty-officer", Releaser: "head-of-post", Marking: "EXERCISE"}
	for name, value := range i.Fields {
		said.Text[name] = when(value, now)
	}
	sent, err := r.state(i, said)
	if err != nil {
		return fmt.Errorf("inject %s: %w", i.ID, err)
	}
	r.made[i.ID] = sent.ID
	r.tell("EXERCISE  %s  %s: %s to %s\n", session.Moment(now), sent.Number, i.Form, r.cast.Address(i.To))
	return nil
}

// state opens a case with the words, or says them in the case of another inject.
func (r *running) state(i exercise.Inject, said api.Words) (api.Sent, error) {
	_, post, _ := strings.Cut(i.By, "/")
	if i.About == "" {
		return r.node.OpenCase(r.s.Ctx, api.CaseRequest{SendRequest: api.SendRequest{
			Channel: i.Channel, To: r.cast.Address(i.To), Post: traffic.Post(post), Plane: traffic.Exercise, Precedence: i.Precedence, Words: said,
		}})
	}
	about, err := r.await(i.About)
	if err != nil {
		return api.Sent{}, err
	}
	k, err := r.node.Case(r.s.Ctx, about, "en")
	if err != nil {
		return api.Sent{}, err
	}
	said.Text["case"] = k.Number
	return r.node.StateInCase(r.s.Ctx, about, api.CaseStatement{Channel: i.Channel, To: r.cast.Address(i.To), Post: traffic.Post(post), Precedence: i.Precedence, Words: said})
}

// await waits for the statement of an inject that the other side makes.
func (r *running) await(id string) (string, error) {
	i := slices.IndexFunc(r.x.Inject, func(i exercise.Inject) bool { return i.ID == id })
	for tries := 0; ; tries++ {
		found, err := r.find(&r.x.Inject[i])
		if err != nil || found != "" {
			return found, err
		}
		if tries == 0 {
			r.tell("EXERCISE  waiting for %s from %s\n", id, r.cast.Address(r.x.Inject[i].By))
		}
		if err := r.until(time.Since(r.start) + time.Second); err != nil {
			return "", err
		}
	}
}

// when puts the time of the inject in place of now, and a window in place of now+PERIOD.
func when(value string, now time.Time) string {
	rest, ok := strings.CutPrefix(value, "now")
	if !ok {
		return value
	}
	if rest == "" {
		return now.Add(-10*time.Minute).Format(time.RFC3339) + "/" + now.Format(time.RFC3339)
	}
	d, err := time.ParseDuration(strings.TrimPrefix(rest, "+"))
	if err != nil {
		return value
	}
	return now.Format(time.RFC3339) + "/" + now.Add(d).Format(time.RFC3339)
}

// held lists what this node holds of the plane since the start.
func held(s *session.Session, node *api.Client, start time.Time) ([]exercise.Said, error) {
	lines, err := node.List(s.Ctx, api.Listing{Direction: "all", Plane: traffic.Exercise, Newest: true, Limit: 500})
	if err != nil {
		return nil, err
	}
	var out []exercise.Said
	for _, l := range lines {
		if l.Issued.Before(start.Add(-time.Minute)) || l.Standing == "invalid" || l.Standing == "cancelled" {
			continue
		}
		out = append(out, exercise.Said{ID: l.ID, Number: l.Number, From: l.From, Form: l.Form, At: l.Issued, Dossier: l.Dossier})
	}
	return out, nil
}

type debriefCmd struct {
	play
	Start time.Time `help:"When it began." format:"2006-01-02T15:04:05Z07:00" required:"" placeholder:"TIME"`
	Speed float64   `help:"How many times faster it was played." default:"1"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (debriefCmd) Help() string {
	return "Both sides that hold the same statements draw the same table. Who was called is the own log's, and for the own side.\n\n" +
		session.Detail("detente exercise debrief wiper --role alpha=xn --role bravo=xs --start 2027-02-01T09:00:00Z", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run draws it.
func (c *debriefCmd) Run(s *session.Session) error {
	x, err := c.read(s)
	if err != nil {
		return err
	}
	cast, err := c.cast(x)
	if err != nil {
		return err
	}
	if c.Speed < 1 || c.Speed > 1e6 {
		return session.Fail(session.ExitUse, "", "a speed of %g", c.Speed)
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	return debrief(s, node, x.Faster(c.Speed), cast, c.Start.UTC(), c.Lang, c.JSON)
}

// finding is a line of the debrief in JSON.
type finding struct {
	ID      string  `json:"id"`
	What    string  `json:"what"`
	By      string  `json:"by"`
	Outcome string  `json:"outcome"` // met, late, missed, moot
	Seconds float64 `json:"seconds,omitempty"`
	Allowed float64 `json:"allowed_seconds"`
	Answer  string  `json:"answer,omitempty"`
}

func debrief(s *session.Session, node *api.Client, x *exercise.Scenario, cast exercise.Cast, start time.Time, lang string, inJSON bool) error {
	said, err := held(s, node, start)
	if err != nil {
		return err
	}
	out := []finding{}
	rows := [][]string{{"EXPECTED", "OF", "OUTCOME", "AFTER", "ALLOWED", "STATEMENT"}}
	for _, f := range x.Debrief(cast, start, said) {
		line := finding{ID: f.ID, What: wording.In(f.What, lang), By: f.Post, Outcome: "missed", Allowed: f.Within.Seconds()}
		after, number := "", ""
		switch {
		case f.Moot:
			line.Outcome = "moot"
		case f.Answer != nil:
			line.Outcome, line.Seconds, line.Answer = "late", f.Elapsed.Seconds(), f.Answer.ID
			after, number = f.Elapsed.Round(time.Second).String(), f.Answer.Number
			if f.Met {
				line.Outcome = "met"
			}
		}
		out = append(out, line)
		rows = append(rows, []string{session.Safe(line.What), f.Post, line.Outcome, after, f.Within.String(), number})
	}
	calls, err := node.Log(s.Ctx, api.LogListing{Kind: "call", From: start, Until: start.Add(2*x.Length() + time.Minute), Limit: 500, Lang: lang})
	if err != nil {
		return err
	}
	if inJSON {
		return s.JSON(struct {
			Scenario string         `json:"scenario"`
			Hash     string         `json:"sha256"`
			Start    time.Time      `json:"start"`
			Findings []finding      `json:"findings"`
			Calls    []api.LogEntry `json:"calls"`
		}{x.ID, hex.EncodeToString(x.Hash[:]), start, out, calls})
	}
	s.Printf("EXERCISE  debrief of %s, begun %s\n", session.Safe(wording.In(x.Title, lang)), session.Moment(start))
	if err := s.Table(rows...); err != nil {
		return err
	}
	s.Printf("calls of this watch: %d\n", len(calls))
	for _, e := range slices.Backward(calls) {
		s.Printf("  %s  %s  %s\n", session.Moment(e.At), e.Post, session.Safe(e.Text))
	}
	return nil
}
