package treaty

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"

	"detente/api/drafting"
	"detente/cli/session"
)

func number(n int) string { return strconv.Itoa(n) }

type showCmd struct {
	Draft   string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	In      string `help:"Language of the text; the first authentic one by default." placeholder:"TAG"`
	Beside  string `help:"A second language beside it, in a second column." placeholder:"TAG"`
	Open    bool   `help:"Only what is not agreed."`
	History bool   `help:"Every statement too, and why some have no effect."`
	Width   int    `help:"Characters of a line." default:"100"`
	Lang    string `help:"Language of the words around the text." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (showCmd) Help() string {
	return "Brackets show who wants what: It shall do so [XN: without delay] [XS: within 24 hours].\n\n" + session.Detail(`
		detente draft show 1f2e3d4c
		detente draft show 1f2e3d4c --in en --beside ru --open`, session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows the negotiation.
func (c *showCmd) Run(s *session.Session) error {
	node, err := client(s)
	if err != nil {
		return err
	}
	f, err := node.Show(s.Ctx, c.Draft, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(f)
	}
	for _, lang := range []string{c.In, c.Beside} {
		if lang != "" && !slices.Contains(f.Languages, lang) {
			return session.Fail(session.ExitUse, "", "%s is negotiated in %s", f.Number, strings.Join(f.Languages, ", "))
		}
	}
	p := &printer{s, &f, max(c.Width, 40)}
	p.head()
	p.text(c)
	p.tail(c)
	return nil
}

// printer prints one negotiation.
type printer struct {
	*session.Session
	f     *drafting.File
	width int
}

func (p *printer) say(indent int, text string) {
	for _, line := range wrap(session.Safe(text), p.width-indent) {
		p.Printf("%s%s\n", strings.Repeat(" ", indent), line)
	}
}

func (p *printer) head() {
	f := p.f
	p.say(0, f.Title)
	p.say(2, f.Number+"  "+f.ID)
	line := f.KindWords + ", " + strings.Join(f.Parties, ", ") + ", " + strings.Join(f.Languages, " ")
	if f.Prevailing != "" {
		line += " (" + f.Prevailing + " prevails)"
	}
	p.say(2, line+", on "+f.Channel)
	p.say(2, f.Stands+", since "+session.Moment(f.Since))
	p.say(2, number(f.Agreed)+" of "+number(f.Total)+" provisions agreed; the others wait for this side on "+number(f.Ours))
	if f.Text != "" {
		p.say(2, "clean text "+short(f.Text))
	}
	for _, n := range f.Notes {
		if n.Provision == "" {
			p.note(2, n)
		}
	}
	p.Printf("\n")
}

// text prints the provisions, in one column or two.
func (p *printer) text(c *showCmd) {
	left := c.In
	if left == "" {
		left = p.f.Languages[0]
	}
	for i := range p.f.Provisions {
		v := &p.f.Provisions[i]
		if c.Open && v.Agreed {
			continue
		}
		mark := "  "
		switch {
		case v.Ours:
			mark = "◀ " // the others wait for this side
		case !v.Agreed:
			mark = "○ "
		}
		if c.Beside == "" {
			for j, line := range wrap(session.Safe(p.line(v, left)), p.width-2) {
				if j > 0 {
					mark = "  "
				}
				p.Printf("%s%s\n", mark, line)
			}
		} else {
			p.beside(mark, session.Safe(p.line(v, left)), session.Safe(p.line(v, c.Beside)))
		}
		if !v.Agreed || v.Reopened > 0 || len(v.Comments)+len(v.Notes) > 0 {
			p.open(v)
		}
	}
}

// line is a provision in a language: its number, and its text with brackets.
func (p *printer) line(v *drafting.Provision, lang string) string {
	text := v.Texts[lang]
	switch {
	case v.ID == "structure":
		if text = "(structure agreed)"; !v.Agreed {
			text = "(structure)"
		}
	case text == "":
		if text = v.Lines[lang]; text == "" {
			text = "(no text in " + lang + ")"
			if v.Kind == "article" || v.Kind == "chapter" || v.Kind == "annex" {
				text = ""
			}
		}
	}
	if l := v.Label[lang]; l != "" {
		return strings.TrimSpace(l + " " + text)
	}
	return text
}

// beside prints two languages beside each other.
func (p *printer) beside(mark, a, b string) {
	half := (p.width - 5) / 2
	left, right := wrap(a, half), wrap(b, half)
	for i := range max(len(left), len(right)) {
		x, y := "", ""
		if i < len(left) {
			x = left[i]
		}
		if i < len(right) {
			y = right[i]
		}
		p.Printf("%s\n", strings.TrimRight(mark+x+strings.Repeat(" ", max(0, half-uniseg.StringWidth(x)))+" │ "+y, " "))
		mark = "  "
	}
}

// open prints who stands where, and what was said of it.
func (p *printer) open(v *drafting.Provision) {
	head := v.ID
	if !v.Agreed {
		head += ": " + v.WhyWords
	}
	if v.Reopened > 0 {
		head += "; re-opened " + number(v.Reopened)
	}
	p.say(6, head)
	for _, st := range v.Stands {
		line := string(st.Party) + ": " + st.Words
		if st.Digest != "" {
			line += " " + st.Digest[:8]
		}
		if st.Number != "" {
			line += "  " + st.Number
		}
		if st.Reason != "" {
			line += "  │ " + st.Reason
		}
		if v.Agreed && st.Reserved == "" {
			continue
		}
		p.say(8, line)
		if v.ID == "structure" && !v.Agreed {
			p.say(10, strings.ReplaceAll(st.Order, "\n", " · "))
		}
	}
	for _, k := range v.Hidden {
		line := string(k.Party) + ": committed to a wording that is not shown"
		if len(k.Waits) > 0 {
			line += "; it waits for " + parties(k.Waits)
		}
		p.say(8, line)
	}
	for _, x := range v.Comments {
		p.say(8, x.By+": "+x.Words)
	}
	for _, n := range v.Notes {
		p.note(8, n)
	}
}

func (p *printer) note(indent int, n drafting.Note) {
	text := "own side only, " + n.Kind + " " + n.ID[:8] + ": " + n.Words
	for _, lang := range sortedKeys(n.Texts, p.f.Languages) {
		text += " [" + lang + "] " + n.Texts[lang]
	}
	p.say(indent, text)
}

func (p *printer) tail(c *showCmd) {
	f := p.f
	for _, k := range f.Packages {
		state := "open"
		if k.Withdrawn {
			state = "withdrawn"
		} else if k.Met {
			state = "met"
		}
		p.say(0, "package "+k.ID[:8]+" of "+string(k.By)+", "+k.Name+": "+strings.Join(sortedKeys(k.Items, nil), ", ")+" ("+state+")")
	}
	for _, x := range f.Comments {
		if x.Provision == "" {
			kind := ""
			if x.Paper {
				kind = " (non-paper)"
			}
			p.say(0, x.By+kind+": "+x.Words)
		}
	}
	for _, m := range f.Manifests {
		p.manifest(m)
	}
	for _, w := range f.Powers {
		state := ""
		if w.RevokedBy != "" {
			state = ", revoked"
		}
		p.say(0, "full powers "+w.Number+": "+w.Representative+" ("+w.Post+") may "+strings.Join(w.May, ", ")+state)
	}
	for _, r := range f.Ladder {
		p.say(0, session.Moment(r.At)+"  "+r.By+"  "+strings.TrimSpace(r.What+" "+r.Manner)+"  "+r.Number)
	}
	if c.History {
		p.Printf("\n")
		for _, e := range f.Entries {
			line := session.Moment(e.At) + "  " + e.Number + "  " + e.By + "  " + e.What
			if e.Why != "" {
				line += "  (without effect: " + e.WhyWords + ")"
			}
			for _, remark := range e.Remarks {
				line += "  (" + remark + ")"
			}
			p.say(0, line)
		}
	}
	if len(f.Next) > 0 {
		p.say(0, "possible from here: "+strings.Join(f.Next, ", "))
	}
}

func (p *printer) manifest(m drafting.Manifest) {
	line := "manifest " + short(m.Hash) + " by " + m.By
	if !m.Current {
		line += ", not of the text as it stands"
	}
	p.say(0, line)
	for _, o := range m.Originals {
		if o.Own != "same" {
			p.say(4, "original of "+string(o.Party)+" in "+o.Lang+": "+o.Own)
		}
	}
	terms := "effect: " + m.Effect
	for _, x := range [][2]string{{"duration", m.Duration}, {"renewal", m.Renewal}, {"notice", m.Notice}} {
		if x[1] != "" {
			terms += "; " + x[0] + ": " + x[1]
		}
	}
	p.say(4, terms)
	for _, ch := range m.Channels {
		p.say(4, "channel "+ch.Name+" under "+ch.Regime+": "+ch.State)
	}
	for _, x := range []struct {
		what string
		who  []string
	}{{"initialled", m.Initialled}, {"signed", m.Signed}, {"consented", m.Consented}} {
		if len(x.who) > 0 {
			p.say(4, x.what+": "+strings.Join(x.who, ", "))
		}
	}
}

// wrap breaks a text into lines of so many columns of a terminal, at spaces where there are any, and between characters where a script has none.
func wrap(text string, width int) (out []string) {
	for paragraph := range strings.SplitSeq(text, "\n") {
		line, used := "", 0
		rest, state := paragraph, -1
		var part string
		for rest != "" {
			part, rest, _, state = uniseg.FirstLineSegmentInString(rest, state)
			w := uniseg.StringWidth(strings.TrimRight(part, " "))
			if used > 0 && used+w > width {
				out, line, used = append(out, strings.TrimRight(line, " ")), "", 0
			}
			line += part
			used += uniseg.StringWidth(part)
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	return out
}
