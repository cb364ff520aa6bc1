package secrets

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"detente/cli/session"
	"detente/disclosure"
	"detente/traffic"
)

// DiscloseCmd is parts withheld from a report.
type DiscloseCmd struct {
	Make   discloseMakeCmd   `cmd:"" help:"Make the digests for a statement, and the file that opens them."`
	Reveal discloseRevealCmd `cmd:"" help:"Write a file that opens some parts only, to hand over."`
	Check  discloseCheckCmd  `cmd:"" help:"Open the parts that a file shows, and hold them against a statement's digests."`
}

type discloseMakeCmd struct {
	Parts  []string      `arg:"" help:"Parts, each name=text." placeholder:"NAME=TEXT"`
	Issuer traffic.Party `help:"Party that will sign the statement." required:"" placeholder:"PARTY"`
	Output string        `short:"o" help:"File to write, which opens all parts: keep it." default:"report.detente-disclosures" placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (discloseMakeCmd) Help() string {
	return "It prints the digests, as the field withheld of the form indicators takes them. Without the file nobody, not even the author, can show a part.\n\n" +
		session.Detail(`detente disclose make --issuer xn source="A sensor at the exchange point." victim="District hospital"`, session.ExitDone, session.ExitRefused, session.ExitUse)
}

// Run makes them.
func (c *discloseMakeCmd) Run(s *session.Session) error {
	var parts []disclosure.Part
	for _, p := range c.Parts {
		name, text, is := strings.Cut(p, "=")
		if !is || text == "" {
			return session.Fail(session.ExitUse, `write each part as name=text`, "%q is no part", p)
		}
		parts = append(parts, disclosure.Part{Name: name, Value: text})
	}
	if !c.Issuer.Valid() {
		return session.Fail(session.ExitUse, "", "%q is no party", c.Issuer)
	}
	digests, all, err := disclosure.Make(c.Issuer, parts)
	if err != nil {
		return session.Fail(session.ExitUse, "a name is a-z, 0-9 and _, and stands once", "%w", err)
	}
	f := &disclosure.File{Issuer: c.Issuer, Digests: digests, Disclosures: all}
	b, err := f.Bytes()
	if err != nil {
		return err
	}
	if err := s.WriteNew(c.Output, b, 0o600); err != nil {
		return err
	}
	s.Printf("withheld=%s\n", joined(digests))
	return nil
}

func joined(digests []disclosure.Digest) string {
	out := make([]string, len(digests))
	for i, d := range digests {
		out[i] = hex.EncodeToString(d[:])
	}
	return strings.Join(out, ",")
}

type discloseRevealCmd struct {
	File   string   `arg:"" help:"File that opens the parts."`
	Names  []string `arg:"" help:"Parts to show." placeholder:"NAME"`
	Output string   `short:"o" help:"File to write." default:"shown.detente-disclosures" placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (discloseRevealCmd) Help() string {
	return session.Detail("detente disclose reveal report.detente-disclosures victim -o for-xs.detente-disclosures", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

// Run writes it.
func (c *discloseRevealCmd) Run(s *session.Session) error {
	f, err := read(s, c.File)
	if err != nil {
		return err
	}
	if f.Disclosures, err = disclosure.Reveal(f.Disclosures, c.Names...); err != nil {
		return session.Fail(session.ExitNotFound, "detente disclose check "+c.File+" lists them", "%w", err)
	}
	b, err := f.Bytes()
	if err != nil {
		return err
	}
	return s.WriteNew(c.Output, b, 0o600)
}

func read(s *session.Session, path string) (*disclosure.File, error) {
	b, err := s.ReadFile(path, disclosure.MaxFile)
	if err != nil {
		return nil, session.Fail(session.ExitUse, "", "%w", err)
	}
	f, err := disclosure.ParseFile(b)
	if err != nil {
		return nil, session.Fail(session.ExitRefused, "", "%s: %w", path, err)
	}
	return f, nil
}

type discloseCheckCmd struct {
	File    string `arg:"" help:"File that shows parts."`
	Digests string `help:"The digests of the statement, as its field withheld has them." placeholder:"HEX,…"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (discloseCheckCmd) Help() string {
	return "A file proves nothing by itself: give the digests of a statement that was verified. It needs no node.\n\n" +
		session.Detail("detente disclose check for-xs.detente-disclosures --digests 0a1b…,2c3d…", session.ExitDone, session.ExitRefused, session.ExitUse)
}

// Run opens them.
func (c *discloseCheckCmd) Run(s *session.Session) error {
	f, err := read(s, c.File)
	if err != nil {
		return err
	}
	parts, err := f.Parts()
	if err != nil {
		return session.Fail(session.ExitRefused, "", "%s: %w", c.File, err)
	}
	if c.Digests != "" && c.Digests != joined(f.Digests) {
		return session.Fail(session.ExitRefused, "the parts belong to another report, or the digests are not all there", "%s: its digests are not those of the statement", c.File)
	}
	if c.JSON {
		out := map[string]string{}
		for _, p := range parts {
			out[p.Name] = said(p.Value)
		}
		return s.JSON(map[string]any{"issuer": f.Issuer, "digests": len(f.Digests), "held_against_statement": c.Digests != "", "shown": out})
	}
	for _, p := range parts {
		s.Printf("%s: %s\n", p.Name, session.Safe(said(p.Value)))
	}
	s.Printf("withheld: up to %d parts; shown: %d\n", len(f.Digests)-len(parts), len(parts))
	if c.Digests == "" {
		s.Printf("NOT PROVED: give --digests of a verified statement of %s\n", f.Issuer)
	}
	return nil
}

// said is a part as a person reads it.
func said(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return hex.EncodeToString(v)
	case int64, bool:
		return fmt.Sprint(v)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return fmt.Sprintf("%v", v)
	}
	return strings.TrimSpace(b.String())
}
