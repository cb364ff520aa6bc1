package cert

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/gateway/misp"
	"detente/incident"
	"detente/label"
	"detente/traffic"
)

// mispCmd is the exchange with MISPs.
type mispCmd struct {
	Key    mispKeyCmd    `cmd:"" help:"Which MISPs may ask: add, list, revoke."`
	Export mispExportCmd `cmd:"" help:"Write what others have shared as the files of a MISP feed."`
	Import mispImportCmd `cmd:"" help:"Read a MISP feed into a collection."`
}

type mispKeyCmd struct {
	Add    mispKeyAddCmd    `cmd:"" help:"Make a key for a MISP. It is shown once."`
	List   mispKeyListCmd   `cmd:"" help:"Which MISPs may ask."`
	Revoke mispKeyRevokeCmd `cmd:"" help:"End a key."`
}

type mispKeyAddCmd struct {
	Name     string `arg:"" help:"Of the MISP."`
	Audience string `help:"Who is behind it: organisation, clients, community or everybody." enum:"organisation,clients,community,everybody" default:"organisation"`
	Plane    string `help:"real, exercise or test." enum:"real,exercise,test" default:"real"`
	Push     string `help:"Collection that takes what it pushes; without it, it only reads." placeholder:"NAME"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (mispKeyAddCmd) Help() string {
	return "In MISP: Sync Actions, Add Server, with the address of [gateway] listen and /misp behind it. What its label keeps from the audience does not exist for the key.\n\n" +
		outcomes("detente gateway misp key add misp-xn --push \"cert to members\"")
}

// Run makes the key.
func (c *mispKeyAddCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	k, err := node.AddMISPKey(s.Ctx, api.MISPKeyRequest{Name: c.Name, Audience: c.Audience, Plane: traffic.Plane(c.Plane), Collection: c.Push})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(k)
	}
	s.Printf("%s\n", k.Secret)
	return nil
}

type mispKeyListCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (mispKeyListCmd) Help() string { return outcomes("detente gateway misp key list") }

// Run lists the keys.
func (c *mispKeyListCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.MISPKeys(s.Ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No MISP may ask. Let one: detente gateway misp key add NAME\n")
	}
	for _, k := range list {
		push := "reads only"
		if k.Collection != "" {
			push = "pushes into " + k.Collection
		}
		s.Printf("%s  %s, %s, %s, since %s\n", k.Name, k.Audience, k.Plane, push, session.Moment(k.Created))
	}
	return nil
}

type mispKeyRevokeCmd struct {
	Name string `arg:"" help:"Of the MISP."`
}

// Help gives an example and the exit codes.
func (mispKeyRevokeCmd) Help() string { return outcomes("detente gateway misp key revoke misp-xn") }

// Run ends the key.
func (c *mispKeyRevokeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if err := node.RevokeMISPKey(s.Ctx, c.Name); err != nil {
		return err
	}
	s.Printf("revoked: %s\n", c.Name)
	return nil
}

type mispExportCmd struct {
	Dir      string `arg:"" help:"Folder, for any web server." type:"path"`
	Audience string `help:"Who can read it: organisation, clients, community or everybody." enum:"organisation,clients,community,everybody" default:"organisation"`
	Plane    string `help:"real, exercise or test." enum:"real,exercise,test" default:"real"`
}

// Help gives an example and the exit codes.
func (mispExportCmd) Help() string {
	return "The manifest is replaced last: whoever reads meanwhile finds nothing in it that is not there. Files of events that are gone are removed.\n\n" +
		outcomes("detente gateway misp export /srv/feed --audience community")
}

// Run writes the feed.
func (c *mispExportCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.MISPEvents(s.Ctx, c.Audience, c.Plane)
	if err != nil {
		return err
	}
	var events []*misp.Event
	for _, e := range list {
		b, err := node.MISPEvent(s.Ctx, c.Audience, c.Plane, e.UUID)
		if p, ok := errors.AsType[*api.Problem](err); ok && p.Status == http.StatusNotFound {
			continue // nothing of it may leave
		}
		if err != nil {
			return err
		}
		read, err := misp.Read(b)
		if err != nil {
			return err
		}
		events = append(events, read)
	}
	files, err := misp.Files(events, label.Path{Audience: audience(c.Audience), Plane: label.Plane(c.Plane)})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	if err := misp.Write(c.Dir, files); err != nil {
		return err
	}
	s.Printf("%d events in %s\n", len(events), c.Dir)
	return nil
}

func audience(name string) label.Audience {
	switch name {
	case "clients":
		return label.Clients
	case "community":
		return label.Community
	case "everybody":
		return label.Everybody
	}
	return label.Organisation
}

type mispImportCmd struct {
	From       string `arg:"" help:"Folder of a feed, or its address: https://HOST/FEED/."`
	Collection string `help:"That takes it, by id or title." required:"" placeholder:"NAME"`
	APIKeyFile string `name:"api-key-file" help:"File with the key that the feed asks for." type:"existingfile" placeholder:"FILE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (mispImportCmd) Help() string {
	return "Events that were here before change nothing. Redirections are not followed, nor anything that stands in the feed.\n\n" +
		outcomes("detente gateway misp import https://misp.xn.example/feed/ --collection \"cert to members\" --api-key-file misp.key")
}

// Run imports the feed.
func (c *mispImportCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	src := &misp.Source{URL: c.From, Header: http.Header{}, HTTP: &http.Client{
		Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if !strings.HasPrefix(c.From, "https://") && !strings.HasPrefix(c.From, "http://") {
		dir, err := filepath.Abs(c.From)
		if err != nil {
			return err
		}
		src.URL, src.HTTP = "file:///", &http.Client{Transport: http.NewFileTransport(http.Dir(dir))}
	}
	if c.APIKeyFile != "" {
		b, err := s.ReadFile(c.APIKeyFile, 4096)
		if err != nil {
			return err
		}
		src.Header.Set("Authorization", strings.TrimSpace(string(b)))
	}
	manifest, err := src.Manifest(s.Ctx)
	if err != nil {
		return err
	}
	all := api.Added{Reasons: map[string]string{}}
	for uuid := range manifest {
		_, raw, err := src.Event(s.Ctx, uuid)
		if err != nil {
			return err
		}
		done, err := node.ImportFile(s.Ctx, c.Collection, uuid+".json", "", raw)
		if p, ok := errors.AsType[*api.Problem](err); ok && p.Status == http.StatusForbidden {
			all.Refused++
			all.Reasons[uuid] = p.Detail
			continue
		}
		if err != nil {
			return err
		}
		sum(&all, done.Added)
	}
	return tell(s, all, c.JSON)
}

func sum(all *api.Added, one api.Added) {
	all.Added, all.Known, all.Refused = all.Added+one.Added, all.Known+one.Known, all.Refused+one.Refused
	for id, why := range one.Reasons {
		all.Reasons[id] = why
	}
}

// takeCmd imports files of any known format.
type takeCmd struct {
	Files      []string `arg:"" help:"STIX bundles, events of MISP, advisories of CSAF, events of IntelMQ (JSON lines, CSV), reports of Shadowserver, CACAO, OpenC2." type:"existingfile"`
	Collection string   `help:"That takes them, by id or title; advisories go into none." placeholder:"NAME"`
	TLP        string   `help:"Label of what says nothing itself." placeholder:"LABEL"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (takeCmd) Help() string {
	return "What a file is, is seen by its content; reports of Shadowserver by their names. What tells a machine to do something is kept and never executed. Large bundles of " +
		"STIX: detente stix import.\n\n" +
		outcomes("detente gateway import event.json 2026-11-23-scan_mysql-xn.csv --collection \"cert to members\" --tlp GREEN\n detente gateway import advisory.json")
}

const maxFile = 64 << 20

// Run imports the files.
func (c *takeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all := api.Added{Reasons: map[string]string{}}
	var each []api.Imported
	for _, path := range c.Files {
		b, err := s.ReadFile(path, maxFile)
		if err != nil {
			return err
		}
		done, err := node.ImportFile(s.Ctx, c.Collection, filepath.Base(path), c.TLP, b)
		if err != nil {
			return err
		}
		sum(&all, done.Added)
		each = append(each, done)
		if !c.JSON {
			s.Printf("%s: %s %s\n", session.Safe(filepath.Base(path)), done.Format, session.Safe(strings.Join(append([]string{done.Advisory}, done.CVEs...), " ")))
		}
	}
	if !c.JSON {
		return tell(s, all, false)
	}
	if err := s.JSON(each); err != nil {
		return err
	}
	if all.Refused > 0 {
		return session.Fail(session.ExitRefused, "", "%d were refused", all.Refused)
	}
	return nil
}

// giveCmd writes a case or a collection in another format.
type giveCmd struct {
	What     string `arg:"" help:"Number of a case, or id or title of a collection."`
	Format   string `help:"misp, intelmq or iodef." enum:"misp,intelmq,iodef" required:"" placeholder:"FORMAT"`
	Audience string `help:"Who will read it: organisation, clients, community or everybody." enum:"organisation,clients,community,everybody" default:"organisation"`
	TLP      string `help:"Label of the document that is made of a case (iodef)." placeholder:"LABEL"`
	After    string `help:"Only what was added to the collection after this stamp." placeholder:"STAMP"`
	Output   string `help:"File; without it the standard output." type:"path" placeholder:"FILE"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (giveCmd) Help() string {
	return "Each object is held against its label; what stays behind is listed on the standard error.\n\n" +
		outcomes("detente gateway export xn/26-0007 --format iodef --tlp AMBER\n detente gateway export \"cert from xs\" --format misp --audience community --output event.json")
}

// Run writes the file.
func (c *giveCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	r := api.FormatRequest{Format: c.Format, Audience: c.Audience, TLP: c.TLP, After: c.After, Collection: c.What}
	if _, err := incident.ParseNumber(strings.ToLower(c.What)); err == nil {
		r.Case, r.Collection = c.What, ""
	}
	x, err := node.ExportFile(s.Ctx, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(x)
	}
	for _, l := range x.Left {
		why := l.Why
		if why == "" {
			why = "the format cannot say it"
		}
		if _, err := io.WriteString(s.Err, "stays: "+session.Safe(l.ID)+"  "+session.Safe(why)+"\n"); err != nil {
			return err
		}
	}
	if c.Output != "" {
		return os.WriteFile(c.Output, x.Data, 0o600)
	}
	_, err = s.Out.Write(x.Data)
	return err
}

// advisoriesCmd lists security advisories.
type advisoriesCmd struct {
	Case string `help:"Those that name a vulnerability of a case." placeholder:"NUMBER"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (advisoriesCmd) Help() string {
	return outcomes("detente gateway advisories --case xn/26-0007")
}

// Run lists them.
func (c *advisoriesCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	list, err := node.Advisories(s.Ctx, c.Case)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No advisories.\n")
	}
	for _, a := range list {
		s.Printf("%s  %s  %s  %s\n    %s\n", session.Safe(a.ID), session.Safe(a.Publisher), a.TLP, session.Safe(a.Severity), session.Safe(a.Title))
		s.Printf("    %s\n", session.Safe(strings.Join(a.CVEs, ", ")))
	}
	return nil
}
