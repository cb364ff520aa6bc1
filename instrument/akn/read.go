package akn

import (
	"bytes"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"detente/instrument"
	"detente/traffic"
	"detente/wording"
)

// node is an element, or words if it has no name. Elements of the standard have their local name, others their name space before it.
type node struct {
	name  string
	attrs []xml.Attr
	kids  []*node
	words string
}

func (n *node) attr(name string) string {
	for _, a := range n.attrs {
		if a.Name.Local == name && (a.Name.Space == "" || a.Name.Space == own || a.Name.Space == "http://www.w3.org/XML/1998/namespace") {
			return a.Value
		}
	}
	return ""
}

func (n *node) kid(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// parsed reads the elements of a document, of no more than the limits allow.
func parsed(b []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	top := &node{}
	open := []*node{top}
	for tokens := 0; ; tokens++ {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrFormat, err)
		}
		if tokens > maxTokens || len(open) > maxDepth {
			return nil, fmt.Errorf("%w: more than %d elements, or %d in each other", ErrFormat, maxTokens, maxDepth)
		}
		last := open[len(open)-1]
		switch t := t.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("%w: it declares a type", ErrFormat)
		case xml.StartElement:
			name := t.Name.Local
			if t.Name.Space != space {
				name = t.Name.Space + " " + name
			}
			n := &node{name: name, attrs: slices.Clone(t.Attr)}
			last.kids = append(last.kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.kids = append(last.kids, &node{words: string(t)})
		}
	}
	for _, k := range top.kids {
		if k.name == "akomaNtoso" {
			return k, nil
		}
	}
	return nil, fmt.Errorf("%w: it is no Akoma Ntoso 3.0", ErrFormat)
}

// reader makes an expression out of elements.
type reader struct {
	e     Expression
	exact bool // spaces are what was written, not what looks well
	path  []string
	ids   map[string]bool
	again map[string]int // how often an id was made out of the same place
}

// Read reads a document in one language. Errors: ErrFormat for what is none, ErrRefused (a *Refusal) for one that has what cannot be read.
func Read(in io.Reader) (*Expression, error) {
	var b bytes.Buffer // grows with what is there
	n, err := io.Copy(&b, io.LimitReader(in, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("akn: %w", err)
	}
	if n > MaxFile {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrFormat, MaxFile)
	}
	top, err := parsed(b.Bytes())
	if err != nil {
		return nil, err
	}
	r := &reader{ids: make(map[string]bool), again: make(map[string]int)}
	var docs []*node
	for _, k := range top.kids {
		if k.name != "" {
			docs = append(docs, k)
		}
	}
	if len(docs) != 1 || !slices.Contains([]string{"act", "bill", "doc", "statement"}, docs[0].name) {
		return nil, r.refuse("neither an act nor a bill, a doc or a statement")
	}
	if err := r.document(docs[0]); err != nil {
		return nil, err
	}
	if r.e.Lang == "" {
		return nil, r.refuse("its language is not given")
	}
	return &r.e, nil
}

func (r *reader) refuse(format string, args ...any) error {
	place := strings.Join(r.path, " > ")
	if place == "" {
		place = "at its top"
	}
	return &Refusal{Place: place, What: fmt.Sprintf(format, args...)}
}

// each calls fn for the elements in one. Words between them are refused.
func (r *reader) each(n *node, fn func(*node) error) error {
	here := n.name
	if id := n.attr("eId"); id != "" {
		here += " " + id[:min(len(id), 60)]
	}
	r.path = append(r.path, here)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	for _, k := range n.kids {
		if k.name == "" {
			if strings.TrimSpace(k.words) != "" {
				return r.refuse("words outside any provision: %.40q", k.words)
			}
			continue
		}
		if err := fn(k); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) unknown(n *node) error { return r.refuse("cannot be read: %.60s", n.name) }

func (r *reader) document(n *node) error {
	return r.each(n, func(k *node) error {
		switch k.name {
		case "meta":
			return r.meta(k)
		case "preface":
			return r.each(k, r.preface)
		case "preamble":
			return r.each(k, r.preamble)
		case "body", "mainBody":
			return r.each(k, r.hierarchy)
		case "conclusions":
			return r.each(k, r.conclusion)
		case "attachments":
			return r.each(k, r.attachment)
		}
		return r.unknown(k)
	})
}

func (r *reader) meta(n *node) error {
	return r.each(n, func(k *node) error {
		switch k.name {
		case "identification":
			x := k.kid("FRBRExpression")
			if x == nil {
				return r.refuse("no FRBRExpression")
			}
			var err error
			for _, p := range x.kids {
				switch p.name {
				case "FRBRlanguage":
					if r.e.Lang != "" {
						return r.refuse("it is in several languages")
					}
					if r.e.Lang, err = tag(p.attr("language")); err != nil {
						return r.refuse("%v", err)
					}
					r.e.Languages = append(r.e.Languages, r.e.Lang)
				case "FRBRtranslation":
					if p.attr("authoritative") == "true" {
						other, err := tag(p.attr("fromLanguage"))
						if err != nil || len(r.e.Languages) >= wording.MaxLanguages {
							return r.refuse("a translation out of %.40q", p.attr("fromLanguage"))
						}
						r.e.Languages = append(r.e.Languages, other)
					}
				}
			}
		case "lifecycle":
			return r.each(k, r.event)
		case "proprietary":
			if own := k.kid(own + " text"); own != nil {
				return r.own(own)
			}
		case "references":
			for _, p := range k.kids {
				party := traffic.Party(p.attr("eId"))
				if p.name == "TLCOrganization" && party.Valid() && party != "detente" && len(r.e.Parties) < 1000 {
					r.e.Parties = append(r.e.Parties, party)
				}
			}
		}
		return nil // what else is known about it changes no word
	})
}

// own reads what only documents that were written here have.
func (r *reader) own(n *node) error {
	langs := strings.Fields(n.attr("languages"))
	if len(langs) > wording.MaxLanguages || !slices.Contains(langs, r.e.Lang) {
		return r.refuse("languages %.60q", n.attr("languages"))
	}
	for _, l := range langs {
		if t, err := tag(l); err != nil || t != l {
			return r.refuse("languages %.60q", n.attr("languages"))
		}
	}
	digest, err := hex.DecodeString(n.attr("digest"))
	if err != nil || len(digest) != 32 {
		return r.refuse("digest %.80q", n.attr("digest"))
	}
	if p := n.attr("prevailing"); p != "" && !slices.Contains(langs, p) {
		return r.refuse("prevailing language %.60q", p)
	}
	var names strings.Builder
	for _, k := range n.kids {
		if names.WriteString(k.words); k.name != "" || names.Len() > maxText {
			return r.refuse("names of the parties")
		}
	}
	if r.e.Names = norm.NFC.String(names.String()); !writable(r.e.Names) {
		return r.refuse("names of the parties")
	}
	r.e.Languages, r.e.Prevailing, r.e.Digest, r.exact = langs, n.attr("prevailing"), [32]byte(digest), true
	return nil
}

// tag is a language as BCP 47 has it in its one form. The standard also allows the three letters of ISO 639-2.
func tag(s string) (string, error) {
	if len(s) > 35 {
		return "", errors.New("no language")
	}
	t, err := language.Parse(s)
	if err != nil || t == language.Und {
		return "", fmt.Errorf("%q is no language", s)
	}
	return t.String(), nil
}

func (r *reader) event(n *node) error {
	if n.name != "eventRef" || len(r.e.Events) >= maxEvents {
		return r.unknown(n)
	}
	at, err := time.Parse(time.DateOnly, n.attr("date")[:min(10, len(n.attr("date")))])
	if err != nil {
		return r.refuse("the date %.40q", n.attr("date"))
	}
	r.e.Events = append(r.e.Events, Event{Date: at, Name: strings.TrimPrefix(strings.TrimPrefix(n.attr("refersTo"), "#"), "step-"), Type: n.attr("type")})
	return nil
}

func (r *reader) preface(n *node) error {
	if n.name != "p" && n.name != "longTitle" {
		return r.unknown(n)
	}
	text, brackets, err := r.line(n)
	if err != nil || text == "" {
		return err
	}
	if brackets {
		return r.refuse("a title in brackets")
	}
	if r.e.Title != "" {
		text = r.e.Title + "\n" + text
	}
	if r.e.Title = text; len(text) > maxText {
		return r.refuse("a title of more than %d bytes", maxText)
	}
	return nil
}

func (r *reader) preamble(n *node) error {
	switch n.name {
	case "recitals":
		return r.each(n, r.preamble)
	case "recital":
		return r.provision(n, instrument.Preamble)
	case "p", "formula", "block":
		return r.loose(n, instrument.Preamble)
	}
	return r.unknown(n)
}

func (r *reader) conclusion(n *node) error {
	switch n.name {
	case "container":
		return r.provision(n, instrument.Closing)
	case "p":
		return r.loose(n, instrument.Closing)
	}
	return r.unknown(n)
}

// loose is a paragraph that is a provision by itself.
func (r *reader) loose(n *node, kind instrument.Kind) error {
	text, brackets, err := r.line(n)
	if err != nil {
		return err
	}
	return r.add(n, Clause{Kind: kind, Text: text, Bracketed: brackets})
}

func (r *reader) attachment(n *node) error {
	if n.name != "attachment" {
		return r.unknown(n)
	}
	c := Clause{Kind: instrument.Annex}
	var doc *node
	err := r.each(n, func(k *node) error {
		switch k.name {
		case "num", "heading":
			return r.head(k, &c)
		case "doc", "act", "statement":
			if doc != nil {
				return r.unknown(k)
			}
			doc = k
			return nil
		}
		return r.unknown(k)
	})
	if err != nil {
		return err
	}
	if doc == nil {
		return r.refuse("an attachment without its text")
	}
	if err := r.add(n, c); err != nil {
		return err
	}
	return r.each(doc, func(k *node) error {
		switch k.name {
		case "meta":
			return nil // said for the whole
		case "mainBody", "body":
			return r.each(k, func(k *node) error {
				if k.name == "p" && len(k.kids) == 0 {
					return nil
				}
				return r.hierarchy(k)
			})
		}
		return r.unknown(k)
	})
}

// kind is what an element of the hierarchy is. The parts of a text above its articles are all chapters.
func kind(n *node) instrument.Kind {
	switch n.name {
	case "chapter", "part", "title", "section":
		return instrument.Chapter
	case "article":
		return instrument.Article
	case "paragraph", "subparagraph", "clause":
		return instrument.Paragraph
	case "point", "subpoint":
		if n.attr("class") == "subpoint" || n.name == "subpoint" {
			return instrument.Subpoint
		}
		return instrument.Point
	case "indent":
		return instrument.Subpoint
	case "alinea":
		return instrument.Passage
	case "hcontainer":
		if k := instrument.Kind(n.attr("name")); slices.Contains(instrument.Kinds(), k) {
			return k
		}
	}
	return ""
}

func (r *reader) hierarchy(n *node) error {
	if n.name == "list" { // holds points and is none itself
		return r.each(n, r.hierarchy)
	}
	k := kind(n)
	if k == "" {
		return r.unknown(n)
	}
	return r.provision(n, k)
}

// provision reads a number, a heading or words, and what stands in it.
func (r *reader) provision(n *node, kind instrument.Kind) error {
	if n.attr("alternativeTo") != "" {
		return r.refuse("%.60s is an alternative: which party wants it, the format does not tell", n.attr("eId"))
	}
	c := Clause{Kind: kind}
	at := -1
	var lines []string
	size := 0
	begin := func() error {
		if at >= 0 {
			return nil
		}
		if at = len(r.e.Clauses); !kind.Heads() {
			c.Text = strings.Join(lines, "\n")
		}
		return r.add(n, c)
	}
	more := func(p *node) error {
		if p.name != "p" {
			return r.unknown(p)
		}
		text, brackets, err := r.line(p)
		if err != nil {
			return err
		}
		c.Bracketed = c.Bracketed || brackets
		lines = append(lines, text)
		if size += len(text) + 1; size > maxText+1 {
			return r.refuse("more than %d bytes", maxText)
		}
		return nil
	}
	err := r.each(n, func(k *node) error {
		switch k.name {
		case "num", "heading":
			if at >= 0 {
				return r.refuse("a number or heading behind its words")
			}
			return r.head(k, &c)
		case "intro", "content":
			if kind.Heads() {
				if words(k) == "" {
					return nil
				}
				// The words of an article that has no paragraphs are a paragraph without a number.
				if err := begin(); err != nil {
					return err
				}
				return r.provision(&node{name: k.name, attrs: []xml.Attr{{Name: xml.Name{Local: "eId"}, Value: n.attr("eId") + "__content"}}, kids: k.kids}, instrument.Paragraph)
			}
			if at >= 0 || len(lines) > 0 {
				return r.refuse("words in two places")
			}
			return r.each(k, more)
		case "p":
			if at >= 0 || kind.Heads() {
				return r.refuse("words in two places")
			}
			return more(k)
		case "wrapUp":
			if err := begin(); err != nil {
				return err
			}
			return r.provision(&node{name: "alinea", attrs: append([]xml.Attr{{Name: xml.Name{Local: "eId"}, Value: n.attr("eId") + "__end"}}, k.attrs...), kids: k.kids}, instrument.Passage)
		}
		if err := begin(); err != nil {
			return err
		}
		return r.hierarchy(k)
	})
	if err != nil {
		return err
	}
	return begin()
}

func words(n *node) string {
	var b strings.Builder
	for _, k := range n.kids {
		b.WriteString(strings.TrimSpace(k.words))
		b.WriteString(words(k))
	}
	return b.String()
}

func (r *reader) head(n *node, c *Clause) error {
	text, brackets, err := r.line(n)
	if err != nil {
		return err
	}
	if n.name == "num" {
		if c.Number != "" || brackets || len(text) > 100 {
			return r.refuse("the number %.40q", text)
		}
		c.Number = text
		for _, a := range n.attrs {
			if a.Name.Space == own && a.Name.Local == "number" && len(a.Value) <= 100 && instrument.Label(r.e.Lang, c.Kind, a.Value) == text {
				c.Number = a.Value
			}
		}
		return nil
	}
	if c.Text != "" || !c.Kind.Heads() {
		return r.refuse("a heading, %.40q, of what has none", text)
	}
	c.Text, c.Bracketed = text, brackets
	return nil
}

var (
	provisions = regexp.MustCompile(`^[a-z0-9.-]{1,64}$`)
	unfit      = regexp.MustCompile(`[^a-z0-9.]+`)
)

func (r *reader) add(n *node, c Clause) error {
	if len(r.e.Clauses) >= maxClauses {
		return r.refuse("more than %d provisions", maxClauses)
	}
	// The id of a provision is that which the work gives it; a document of others has only that of its place.
	c.ID = n.attr("wId")
	if !provisions.MatchString(c.ID) {
		c.ID = unfit.ReplaceAllString(strings.ReplaceAll(strings.ToLower(n.attr("eId")), "__", "."), "-")
		if len(c.ID) > 56 {
			c.ID = c.ID[:56]
		}
		if !provisions.MatchString(c.ID) {
			c.ID = string(c.Kind)
		}
		if first := c.ID; r.ids[first] {
			r.again[first]++
			c.ID = fmt.Sprintf("%s-%d", first, r.again[first]+1)
		}
	}
	if r.ids[c.ID] || c.ID == instrument.Structure || c.ID == instrument.Title || c.ID == instrument.Names {
		return r.refuse("the provision %s stands there twice, or has a name that is reserved", c.ID)
	}
	r.ids[c.ID] = true
	r.e.Clauses = append(r.e.Clauses, c)
	return nil
}
