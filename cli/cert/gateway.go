package cert

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"detente/api"
	"detente/cli/session"
	"detente/stix"
)

// GatewayCmd is the collections that TAXII clients read and fill.
type GatewayCmd struct {
	Status     statusCmd     `cmd:"" default:"withargs" help:"The collections, and what flows through them."`
	Token      tokenCmd      `cmd:"" help:"Which tools may ask: add, list, revoke."`
	Pending    pendingCmd    `cmd:"" help:"What waits for a person before it is stated."`
	Approve    approveCmd    `cmd:"" help:"Let it be stated."`
	Refuse     refuseCmd     `cmd:"" help:"Keep it here."`
	Pull       pullCmd       `cmd:"" help:"Add what is new in a collection of a local TAXII server."`
	Matches    matchesCmd    `cmd:"" help:"Indicators of others that concern own systems."`
	Import     takeCmd       `cmd:"" help:"Recognise files of other formats and take in what is in them."`
	Export     giveCmd       `cmd:"" help:"Write a case or a collection in another format."`
	Advisories advisoriesCmd `cmd:"" help:"Security advisories."`
	MISP       mispCmd       `cmd:"" name:"misp" help:"Feeds of MISP, and which MISPs may ask."`
	Mail       mailCmd       `cmd:"" help:"Reports of cases by mail, and the answers."`
	Seen       seenCmd       `cmd:"" help:"Take such a match off the watch."`
	Push       pushCmd       `cmd:"" help:"Give what is new in a collection to a local TAXII server."`
}

func outcomes(example string) string {
	return session.Detail(example, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

type statusCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (statusCmd) Help() string { return outcomes("detente gateway status") }

// Run lists the collections and what has arrived.
func (c *statusCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	st, err := node.Gateway(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(st)
	}
	if len(st.Collections) == 0 {
		s.Printf("No collections yet: they come with a channel whose regime has the form indicators. detente channel propose cert --regime indicators --with PARTY\n")
	}
	for _, k := range st.Collections {
		s.Printf("%s  %-5s  %s  %d objects, the newest %s\n", k.ID, k.Flow, session.Safe(k.Title), k.Objects, session.Moment(k.Newest))
		var parts []string
		for _, state := range slices.Sorted(maps.Keys(k.States)) {
			parts = append(parts, strconv.FormatInt(k.States[state], 10)+" "+state)
		}
		if len(parts) > 0 {
			s.Printf("    %s\n", strings.Join(parts, ", "))
		}
	}
	for _, a := range st.Arrivals {
		if a.Done.IsZero() {
			s.Printf("on its way: %.16s to %s\n", a.Statement, session.Safe(a.Collection))
			continue
		}
		s.Printf("%s  %.16s to %s: %d added, %d known, %d in conflict, %d refused %s\n", session.Moment(a.Done), a.Statement, session.Safe(a.Collection), a.Added, a.Duplicates, a.Conflicts, a.Refused, session.Safe(a.Reason))
	}
	for _, p := range st.Pulls {
		s.Printf("%s  %s: %d objects\n", session.Moment(p.At), session.Safe(p.Name), p.Objects)
	}
	for _, r := range st.Remotes {
		way := "from"
		if r.Push {
			way = "to"
		}
		s.Printf("every %s: %s %s %s: last %s, %d added, %d refused; next %s\n", r.Every, session.Safe(r.Collection), way, session.Safe(r.URL), session.Moment(r.Last), r.Added, r.Refused, session.Moment(r.Next))
		if r.Failure != "" {
			s.Printf("    has failed %d times: %s\n", r.Failed, session.Safe(r.Failure))
		}
	}
	return nil
}

type tokenCmd struct {
	Add    tokenAddCmd    `cmd:"" help:"Make a token for a tool. It is shown once."`
	List   tokenListCmd   `cmd:"" help:"Which tools may ask."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token."`
}

type tokenAddCmd struct {
	Name  string   `arg:"" help:"Of the tool, such as opencti."`
	Read  []string `help:"Collections that it reads, by id or title; * is all." placeholder:"LIST"`
	Write []string `help:"Collections that it adds to." placeholder:"LIST"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (tokenAddCmd) Help() string {
	return "The tool shows it as Authorization: Bearer, or as the password of Basic with any user.\n\n" +
		outcomes("detente gateway token add opencti --read '*'\n detente gateway token add misp --read '*' --write \"cert to members\"")
}

// Run makes the token.
func (c *tokenAddCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if len(c.Read)+len(c.Write) == 0 {
		return session.Fail(session.ExitUse, "give --read or --write", "the token would see no collection")
	}
	t, err := node.AddGatewayToken(s.Ctx, api.GatewayTokenRequest{Name: c.Name, Reads: c.Read, Writes: c.Write})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(t)
	}
	s.Printf("%s\n", t.Secret)
	return nil
}

type tokenListCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (tokenListCmd) Help() string { return outcomes("detente gateway token list") }

// Run lists the tokens.
func (c *tokenListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.GatewayTokens(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No tool may ask. Let one: detente gateway token add NAME --read '*'\n")
	}
	for _, t := range list {
		s.Printf("%s  since %s\n    reads %s\n    writes %s\n", t.Name, session.Moment(t.Created), some(t.Reads), some(t.Writes))
	}
	return nil
}

func some(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

type tokenRevokeCmd struct {
	Name string `arg:"" help:"Of the tool."`
}

// Help gives an example and the exit codes.
func (tokenRevokeCmd) Help() string { return outcomes("detente gateway token revoke opencti") }

// Run ends the token.
func (c *tokenRevokeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if err := node.RevokeGatewayToken(s.Ctx, c.Name); err != nil {
		return err
	}
	s.Printf("revoked: %s\n", c.Name)
	return nil
}

type pendingCmd struct {
	Limit int `help:"At most so many." default:"100"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (pendingCmd) Help() string { return outcomes("detente gateway pending") }

// Run lists what waits.
func (c *pendingCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Reviews(s.Ctx, c.Limit)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("Nothing waits.\n")
	}
	for _, r := range list {
		name := r.ID
		if o, err := stix.Read([]byte(r.Object), stix.Standard()); err == nil && o.Text("name") != "" {
			name = stix.Defang(o.Text("name"))
		}
		s.Printf("%s  %s  %s %s as %s to %s by %s\n    %s\n", r.Key, session.Safe(r.Collection), r.TLP, r.Type, r.Form, session.Safe(r.To), session.Safe(r.Token), session.Safe(name))
		if r.Failure != "" {
			s.Printf("    the node has refused it: %s\n", session.Safe(r.Failure))
		}
	}
	return nil
}

type approveCmd struct {
	Keys []string `arg:"" help:"Keys of what waits, as detente gateway pending shows them."`
}

// Help gives an example and the exit codes.
func (approveCmd) Help() string { return outcomes("detente gateway approve 2-1795644000000001") }

// Run approves.
func (c *approveCmd) Run(s *session.Session) error {
	return review(s, api.ReviewRequest{Keys: c.Keys}, "approved")
}

type refuseCmd struct {
	Keys   []string `arg:"" help:"Keys of what waits."`
	Reason string   `help:"Why." placeholder:"TEXT"`
}

// Help gives an example and the exit codes.
func (refuseCmd) Help() string {
	return outcomes("detente gateway refuse 2-1795644000000001 --reason \"names a victim\"")
}

// Run refuses.
func (c *refuseCmd) Run(s *session.Session) error {
	return review(s, api.ReviewRequest{Keys: c.Keys, Refuse: true, Reason: c.Reason}, "refused")
}

func review(s *session.Session, r api.ReviewRequest, word string) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if err := node.Review(s.Ctx, r); err != nil {
		return err
	}
	s.Printf("%s: %d\n", word, len(r.Keys))
	return nil
}

// remote is a collection on a server of the party's own.
type remote struct {
	URL        string `arg:"" name:"url" help:"Of the collection there: https://HOST/ROOT/collections/ID/. http is for this machine alone."`
	Collection string `help:"The one of here, by id or title." required:"" placeholder:"NAME"`
	User       string `help:"User of Basic; without it the secret is shown as Bearer." placeholder:"NAME"`
	SecretFile string `help:"File with the password or token." type:"existingfile" placeholder:"FILE"`
	session.JSONFlag
}

func (c *remote) run(s *session.Session, push bool) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	r := api.RemoteRequest{URL: c.URL, User: c.User, Collection: c.Collection, Push: push}
	if c.SecretFile != "" {
		b, err := s.ReadFile(c.SecretFile, 4096)
		if err != nil {
			return err
		}
		r.Secret = strings.TrimSpace(string(b))
	}
	a, err := node.ExchangeGateway(s.Ctx, r)
	if err != nil {
		return err
	}
	return tell(s, a, c.JSON)
}

type pullCmd struct{ remote }

// Help gives an example and the exit codes.
func (pullCmd) Help() string {
	return "It goes on where the last pull of this address ended. What comes is treated as if a tool had posted it.\n\n" +
		outcomes("detente gateway pull https://opencti.xn.example/taxii2/api/collections/6d…/ --collection \"cert to members\" --secret-file opencti.token")
}

// Run pulls.
func (c *pullCmd) Run(s *session.Session) error { return c.run(s, false) }

type pushCmd struct{ remote }

// Help gives an example and the exit codes.
func (pushCmd) Help() string {
	return "It goes on where the last push to this address ended.\n\n" +
		outcomes("detente gateway push https://misp.xn.example/taxii2/api/collections/6d…/ --collection \"cert from xs\" --user sync --secret-file misp.password")
}

// Run pushes.
func (c *pushCmd) Run(s *session.Session) error { return c.run(s, true) }

func tell(s *session.Session, a api.Added, asJSON bool) error {
	if asJSON {
		if err := s.JSON(a); err != nil {
			return err
		}
	} else {
		for _, id := range slices.Sorted(maps.Keys(a.Reasons)) {
			s.Printf("refused: %s  %s\n", session.Safe(id), session.Safe(a.Reasons[id]))
		}
		s.Printf("%d added, %d known, %d refused\n", a.Added, a.Known, a.Refused)
	}
	if a.Refused > 0 {
		return session.Fail(session.ExitRefused, "", "%d objects were refused", a.Refused)
	}
	return nil
}

// importCmd adds the objects of files to a collection.
type importCmd struct {
	Files      []string `arg:"" help:"Bundles, envelopes of TAXII, or objects one a line; - for the standard input."`
	Collection string   `help:"By id or title." required:"" placeholder:"NAME"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (importCmd) Help() string {
	return "Each object is validated, and marked, reviewed and stated as if a tool had posted it. However many there are, a few are held at a time.\n\n" +
		outcomes("detente stix import week.ndjson --collection \"cert to members\"")
}

// together is how many objects, and bytes of them, go in one request.
const (
	together      = 500
	togetherBytes = 4 << 20
)

// Run imports the files.
func (c *importCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all := api.Added{Reasons: map[string]string{}}
	var batch []byte
	n := 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		a, err := node.AddObjects(s.Ctx, c.Collection, append(append([]byte(`{"objects":[`), batch...), "]}"...))
		all.Added, all.Known, all.Refused = all.Added+a.Added, all.Known+a.Known, all.Refused+a.Refused
		maps.Copy(all.Reasons, a.Reasons)
		batch, n = batch[:0], 0
		return err
	}
	for _, path := range c.Files {
		err := each(s, path, func(it stix.Item) error {
			if it.Object == nil {
				all.Refused++
				all.Reasons[fmt.Sprintf("%s, object %d", path, all.Added+all.Known+all.Refused)] = it.Err.Error()
				return nil
			}
			if n > 0 {
				batch = append(batch, ',')
			}
			batch = append(batch, it.Raw...)
			if n++; n == together || len(batch) > togetherBytes {
				return flush()
			}
			return nil
		})
		if err = errors.Join(err, flush()); err != nil {
			return err
		}
	}
	return tell(s, all, c.JSON)
}

// each reads the objects of a file, one at a time.
func each(s *session.Session, path string, fn func(stix.Item) error) error {
	in := s.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	for stream := stix.NewStream(in, stix.Standard()); ; {
		it, err := stream.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = fn(it)
		}
		if err != nil {
			return err
		}
	}
}

// exportCmd writes the objects of a collection, one a line.
type exportCmd struct {
	Collection string `arg:"" help:"By id or title."`
	After      string `help:"Only what was added after this stamp." placeholder:"STAMP"`
}

// Help gives an example and the exit codes.
func (exportCmd) Help() string { return outcomes("detente stix export \"cert from xs\" > week.ndjson") }

// Run writes all versions, in the order in which they were added.
func (c *exportCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	for after := c.After; ; {
		lines, next, err := node.Objects(s.Ctx, c.Collection, after)
		if err != nil {
			return err
		}
		if _, err := s.Out.Write(lines); err != nil {
			return err
		}
		if after = next; next == "" {
			return nil
		}
	}
}
