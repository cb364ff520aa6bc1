package talks

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/api/talks"
	"detente/cli/session"
	"detente/yearly"
)

type packCmd struct {
	Series   string   `arg:"" help:"Number of the series or of one of its statements, or digits of an id."`
	Round    int      `arg:"" help:"Number of the round."`
	Output   string   `short:"o" help:"Where to: a directory for PDF, DOCX and JSON, or a file whose name ends in one of them." placeholder:"DIR|FILE"`
	Alternat string   `help:"Which party stands first, and reads first; the own one by default." placeholder:"PARTY"`
	In       string   `help:"Two languages beside each other, with a comma; by default those of the series that the party reads first." placeholder:"TAGS"`
	From     string   `help:"Beginning of the period; the end of the round that was held last before by default." placeholder:"TIME"`
	To       string   `help:"End of the period; the beginning of the day of the round, or of today, by default; now for this moment." placeholder:"TIME"`
	Channel  []string `help:"Only of this channel and that of the series; by default of all that have the same members. Repeat for others." sep:"none" placeholder:"CHANNEL"`
	Against  string   `help:"JSON of the other side's pack: name each statement and each figure that differs." placeholder:"FILE"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (packCmd) Help() string {
	return "The cases of the period that nobody contests and those that somebody does, figures, changes to points of contact, codes and charters, open actions. Both ends that hold the same statements compute the same, to the byte: compare the digests. " +
		"Where something of the record is missing, here or at the other side, the pack is refused and what is missing is named: exit code 1.\n\n" + session.Detail(`
		detente round pack XN/COUNCIL-R-0001 2 -o review
		detente round pack XN/COUNCIL-R-0001 2 --alternat xs --in ru,en -o pack-xs.pdf
		detente round pack XN/COUNCIL-R-0001 2 --to 2027-02-01T00:00:00Z --json > pack.json
		detente round pack XN/COUNCIL-R-0001 2 --against pack-of-xs.json`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run makes the pack, or compares it.
func (c *packCmd) Run(s *session.Session) error {
	formats, err := c.formats()
	if err != nil {
		return err
	}
	node, err := ask(s)
	if err != nil {
		return err
	}
	r := talks.Review{
		From: c.From, To: c.To, Channels: strings.Join(c.Channel, ","), Alternat: strings.ToLower(c.Alternat),
		Langs: strings.Join(strings.FieldsFunc(c.In, func(r rune) bool { return r == ',' || r == ' ' }), " "),
	}
	if c.To == "now" {
		r.To = stamp(time.Now())
	}
	if c.Against != "" {
		return c.compare(s, node, r)
	}
	b, err := node.Pack(s.Ctx, c.Series, c.Round, "json", r)
	if err != nil {
		return err
	}
	p, err := yearly.Parse(b)
	if err != nil {
		return err
	}
	if len(formats) > 1 {
		if err := os.MkdirAll(c.Output, 0o755); err != nil {
			return err
		}
	}
	for _, format := range formats {
		if format != "json" {
			// The period is the one that was just computed, whatever the time is meanwhile.
			r.From, r.To = stamp(p.From), stamp(p.To)
			if b, err = node.Pack(s.Ctx, c.Series, c.Round, format, r); err != nil {
				return err
			}
		}
		if err := s.WriteNew(c.path(format), b, 0o644); err != nil {
			return err
		}
	}
	if c.JSON {
		_, err := s.Out.Write(b)
		return err
	}
	outline(s, p)
	return nil
}

// formats are those that are to be written.
func (c *packCmd) formats() ([]string, error) {
	if c.Output == "" {
		return nil, nil
	}
	ends := strings.TrimPrefix(strings.ToLower(filepath.Ext(c.Output)), ".")
	switch known := slices.Contains([]string{"json", "pdf", "docx"}, ends); {
	case c.JSON || c.Against != "":
		return nil, session.Fail(session.ExitUse, "leave one of them out", "-o stands beside --json or --against")
	case known:
		return []string{ends}, nil
	case ends != "":
		if at, err := os.Stat(c.Output); err != nil || !at.IsDir() {
			return nil, session.Fail(session.ExitUse, "a name that ends in .pdf, .docx or .json, or a directory", "%s is not a kind of file that a pack is written as", c.Output)
		}
	}
	return []string{"json", "pdf", "docx"}, nil
}

// path is where a format goes.
func (c *packCmd) path(format string) string {
	if strings.EqualFold(filepath.Ext(c.Output), "."+format) {
		return c.Output
	}
	name := fmt.Sprintf("round-%d", c.Round)
	if format != "json" && c.Alternat != "" {
		name += "-" + strings.ToLower(c.Alternat)
	}
	return filepath.Join(c.Output, name+"."+format)
}

// compare holds the own pack of the period of another against that.
func (c *packCmd) compare(s *session.Session, node talks.Client, r talks.Review) error {
	b, err := s.ReadFile(c.Against, yearly.MaxPack)
	if err != nil {
		return err
	}
	there, err := yearly.Parse(b)
	if err != nil {
		return session.Fail(session.ExitRefused, "such a file is made with: detente round pack --json", "%s: %w", c.Against, err)
	}
	if c.From == "" {
		r.From = stamp(there.From)
	}
	if c.To == "" {
		r.To = stamp(there.To)
	}
	if len(c.Channel) == 0 {
		var names []string
		for _, x := range there.Channels {
			names = append(names, x.Name)
		}
		r.Channels = strings.Join(names, ",")
	}
	r.Partial = true
	if b, err = node.Pack(s.Ctx, c.Series, c.Round, "json", r); err != nil {
		return err
	}
	here, err := yearly.Parse(b)
	if err != nil {
		return err
	}
	differences := yearly.Compare(here, there)
	if c.JSON {
		if err := s.JSON(struct {
			Lacks       []yearly.Lack       `json:"lacks"`
			Differences []yearly.Difference `json:"differences"`
		}{append([]yearly.Lack{}, here.Lacks...), append([]yearly.Difference{}, differences...)}); err != nil {
			return err
		}
	} else {
		for _, l := range here.Lacks {
			s.Printf("missing: %s\n", l)
		}
		for _, d := range differences {
			s.Printf("%s\n", d)
		}
	}
	switch {
	case len(here.Lacks) > 0:
		return session.Fail(session.ExitRefused, "wait until it has come: detente link", "the record is not complete: %d missing, %d differences", len(here.Lacks), len(differences))
	case len(differences) > 0:
		return session.Fail(session.ExitRefused, "the side that lacks a statement waits for it, and makes its pack anew", "the packs differ in %d places", len(differences))
	case !c.JSON:
		s.Printf("the same, SHA-256 %s\n", here.Digest)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// outline says what is in a pack.
func outline(s *session.Session, p *yearly.Pack) {
	s.Printf("%s, round %d: %s to %s\n", p.Number, p.Round, session.Moment(p.From), session.Moment(p.To))
	for _, ch := range p.Channels {
		entries := int64(0)
		for _, f := range ch.Feeds {
			entries += f.Size
		}
		s.Printf("  %s, %s: %d feeds, %d entries\n", ch.Name, ch.Regime, len(ch.Feeds), entries)
	}
	listed := func(what string, list []yearly.Case) {
		s.Printf("%s: %d\n", what, len(list))
		for _, x := range list {
			s.Printf("  %s  %s, of %s, %s\n", x.Case, x.Form, x.Opener, cmp.Or(x.Outcome, x.State))
			for _, y := range x.Contests {
				s.Printf("    %s: %s  %s\n", y.By, y.What, y.Number)
			}
		}
	}
	listed("agreed", p.Agreed)
	listed("disputed", p.Disputed)
	requests := 0
	for _, a := range p.Accounts {
		for _, f := range a.Figures {
			requests += f.Requests
		}
	}
	s.Printf("requests %d, changes to contacts %d, codes %d, charters %d, open actions %d\n", requests, len(p.Contacts), len(p.Codes), len(p.Charters), len(p.Actions))
	s.Printf("SHA-256 %s\n", p.Digest)
}
