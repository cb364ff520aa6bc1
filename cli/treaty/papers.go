package treaty

import (
	"strings"

	"detente/api/drafting"
	"detente/cli/session"
	"detente/traffic"
)

// document writes the text as a document: docx, akn or pdf.
func (c *exportCmd) document(s *session.Session, node drafting.Client, format string) error {
	if c.Output == "-" && session.IsTerminal(s.Out) {
		return session.Fail(session.ExitUse, "name a file with -o FILE", "a document is not for a terminal")
	}
	b, err := node.Document(s.Ctx, c.Draft, format, traffic.Party(c.Original), strings.FieldsFunc(c.In, func(r rune) bool { return r == ',' || r == ' ' })...)
	if err != nil {
		return err
	}
	return s.WriteNew(c.Output, b, 0o644)
}

// isDocument tells by its content whether a file is one of a word processor, or of Akoma Ntoso.
func isDocument(file []byte) bool {
	text := strings.TrimLeft(strings.TrimPrefix(string(file[:min(len(file), 200)]), "\ufeff"), " \t\r\n")
	return strings.HasPrefix(text, "PK") || strings.HasPrefix(text, "<") || strings.HasPrefix(text, "\xd0\xcf")
}

// proposals shows what a document says otherwise than the text as this side stands on it, and tables it. Languages that it leaves alone keep the wording
// that was shown.
func (c *importCmd) proposals(s *session.Session, file []byte) error {
	node, err := client(s)
	if err != nil {
		return err
	}
	r, err := node.Read(s.Ctx, c.Draft, file)
	if err != nil {
		return err
	}
	tabled := []drafting.Tabled{}
	if !c.JSON {
		shown(s, &r)
	}
	for _, p := range r.Proposals {
		if c.DryRun {
			break
		}
		t, err := node.Table(s.Ctx, c.Draft, drafting.Table{Voice: c.api(), Provision: p.Provision, Texts: p.Texts, Note: c.Note})
		if err != nil {
			return err
		}
		tabled = append(tabled, t)
		if c.JSON {
			continue
		}
		if err := c.lines(s, t.Sent...); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		return s.JSON(struct {
			drafting.Reading
			Tabled []drafting.Tabled `json:"tabled"`
		}{r, tabled})
	case c.DryRun && len(r.Proposals) > 0:
		s.Printf("Nothing was tabled.\n")
	}
	return nil
}

// shown prints what is proposed, word by word.
func shown(s *session.Session, r *drafting.Reading) {
	if len(r.Proposals) == 0 {
		s.Printf("Nothing differs from where this side stands.\n")
	}
	for _, p := range r.Proposals {
		s.Printf("%s  changed\n", session.Safe(p.Provision))
		for _, x := range p.Changes {
			by := ""
			if len(x.Authors) > 0 {
				by = "  (" + strings.Join(x.Authors, ", ") + ")"
			}
			if x.Untracked {
				by += "  (not tracked, or the text has gone on since)"
			}
			s.Printf("  [%s] %s%s\n", session.Safe(x.Lang), session.Safe(changed(x.Words)), session.Safe(by))
		}
	}
	for _, m := range r.Missing {
		s.Printf("not in the document: %s\n", session.Safe(m))
	}
}
