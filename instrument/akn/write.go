package akn

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"detente/instrument"
	"detente/wording"
)

// writer writes elements.
type writer struct {
	bytes.Buffer
	d    *Document
	lang string
	ids  map[string]int // how often a place was asked for
	open []level
	err  error
}

// level is an element of the hierarchy that is still open.
type level struct {
	element string
	kind    instrument.Kind
	id      string // eId
	content bool   // its words are written, and what closes them
	words   string // its words, until it is known whether something follows in it
	nth     int    // of what it holds
}

// Write writes the text in one of its languages. The same document is the same bytes.
func Write(out io.Writer, d *Document, lang string) error {
	if !slices.Contains(d.Languages, lang) || len(d.Languages) > wording.MaxLanguages || len(d.Clauses) == 0 || len(d.Clauses) > maxClauses || len(d.Events) > maxEvents {
		return fmt.Errorf("%w: in %q, %d provisions", ErrText, lang, len(d.Clauses))
	}
	w := &writer{d: d, lang: lang, ids: make(map[string]int)}
	w.text()
	if w.err != nil {
		return w.err
	}
	if _, err := out.Write(w.Bytes()); err != nil {
		return fmt.Errorf("akn: %w", err)
	}
	return nil
}

func (w *writer) put(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = w.escaped(s)
		}
	}
	fmt.Fprintf(w, format, args...)
}

func (w *writer) escaped(s string) string {
	if !writable(s) && w.err == nil {
		w.err = fmt.Errorf("%w: %.40q", ErrText, s)
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "\r", "&#13;").Replace(s)
}

// writable tells whether XML can hold a text as it is, and a reader sees it as it is: none of the signs that turn the direction of writing by force.
func writable(s string) bool {
	return utf8.ValidString(s) && len(s) <= maxText &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return r < 0x20 && r != '\n' || r == 0xfffe || r == 0xffff || r == 0x7f || r >= 0x202a && r <= 0x202e
		})
}

// uri is the address of the instrument, and of it in a language.
func (w *writer) uri(lang string) string {
	name := named.ReplaceAllString(w.d.Name, "-")
	if name == "" {
		name = "draft"
	}
	u := "/akn/un/act/agreement/" + day(w.d.Date) + "/" + name
	if lang != "" {
		base, _ := language.Make(lang).Base()
		u += "/" + base.ISO3() + "@" + day(w.d.Date)
	}
	return u
}

var named = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

func day(t time.Time) string {
	if t.IsZero() || t.Year() > 9999 || t.Year() < 1 {
		return "1970-01-01"
	}
	return t.UTC().Format(time.DateOnly)
}

func (w *writer) text() {
	w.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<akomaNtoso xmlns=\"%s\" xmlns:d=\"%s\">\n<act name=\"agreement\" contains=\"originalVersion\">\n", space, own)
	w.meta("!main")
	if t := w.d.Title[w.lang]; t != "" {
		w.put("<preface><p wId=\"title\"><docTitle>")
		w.inline(t)
		w.put("</docTitle></p></preface>\n")
	}
	clauses := w.d.Clauses
	n := 0
	for n < len(clauses) && clauses[n].Kind == instrument.Preamble {
		n++
	}
	if n > 0 {
		w.put("<preamble><recitals eId=\"recs\">\n")
		for i, c := range clauses[:n] {
			w.put("<recital eId=\"%s\" wId=\"%s\">", w.id("", "rec", fmt.Sprint(i+1)), c.ID)
			w.num(c)
			w.blocks(c)
			w.put("</recital>\n")
		}
		w.put("</recitals></preamble>\n")
	}
	clauses = clauses[n:]
	annexes := slices.IndexFunc(clauses, func(c instrument.Clause) bool { return c.Kind == instrument.Annex })
	if annexes < 0 {
		annexes = len(clauses)
	}
	end := annexes
	for end > 0 && clauses[end-1].Kind == instrument.Closing {
		end--
	}
	w.put("<body>\n")
	w.hierarchy("", clauses[:end])
	w.put("</body>\n")
	if end < annexes {
		w.put("<conclusions>\n")
		for i, c := range clauses[end:annexes] {
			w.put("<container name=\"closing\" eId=\"%s\" wId=\"%s\">", w.id("", "closing", fmt.Sprint(i+1)), c.ID)
			w.blocks(c)
			w.put("</container>\n")
		}
		w.put("</conclusions>\n")
	}
	if annexes < len(clauses) {
		w.put("<attachments>\n")
		for nth := 1; annexes < len(clauses); nth++ {
			to := annexes + 1
			for to < len(clauses) && clauses[to].Kind != instrument.Annex {
				to++
			}
			w.annex(nth, clauses[annexes], clauses[annexes+1:to])
			annexes = to
		}
		w.put("</attachments>\n")
	}
	w.put("</act>\n</akomaNtoso>\n")
}

func (w *writer) annex(nth int, c instrument.Clause, inner []instrument.Clause) {
	id := w.id("", "att", fmt.Sprint(nth))
	w.put("<attachment eId=\"%s\" wId=\"%s\">", id, c.ID)
	w.heads(c)
	w.put("<doc name=\"annex\" contains=\"originalVersion\">\n")
	w.meta(fmt.Sprintf("!annex_%d", nth))
	w.put("<mainBody>\n")
	if len(inner) == 0 {
		w.put("<p/>")
	}
	w.hierarchy(id, inner)
	w.put("</mainBody></doc></attachment>\n")
}

// id is an eId of its own.
func (w *writer) id(within, name, number string) string {
	id := name + "_" + named.ReplaceAllString(number, "-")
	if within != "" {
		id = within + "__" + id
	}
	if w.ids[id]++; w.ids[id] > 1 {
		id += fmt.Sprintf("_%d_again", w.ids[id]) // no number ends so
	}
	return id
}

// rank says what may stand in what: a clause goes into the last one that is open and of a lower rank.
func rank(k instrument.Kind) int {
	switch k {
	case instrument.Chapter:
		return 1
	case instrument.Article:
		return 2
	case instrument.Paragraph, instrument.Preamble, instrument.Closing:
		return 3
	case instrument.Point, instrument.Passage:
		return 4
	case instrument.Subpoint:
		return 5
	}
	return 3
}

// elements are the names of kinds in the standard, and how their ids begin.
func elements(k instrument.Kind) (element, id string) {
	switch k {
	case instrument.Chapter:
		return "chapter", "chp"
	case instrument.Article:
		return "article", "art"
	case instrument.Paragraph:
		return "paragraph", "para"
	case instrument.Point, instrument.Subpoint:
		return "point", "point"
	case instrument.Passage:
		return "alinea", "al"
	}
	return "hcontainer", "hcontainer"
}

func (w *writer) hierarchy(within string, clauses []instrument.Clause) {
	w.open = []level{{id: within, content: true}}
	for _, c := range clauses {
		for len(w.open) > 1 && rank(w.open[len(w.open)-1].kind) >= rank(c.Kind) {
			w.close()
		}
		above := &w.open[len(w.open)-1]
		w.intro(above)
		above.nth++
		element, name := elements(c.Kind)
		number := c.Number
		if number == "" {
			number = fmt.Sprint(above.nth)
		}
		l := level{element: element, kind: c.Kind, id: w.id(above.id, name, number)}
		w.put("<%s eId=\"%s\" wId=\"%s\"", element, l.id, c.ID)
		if element == "hcontainer" {
			w.put(" name=\"%s\"", string(c.Kind))
		}
		if c.Kind == instrument.Subpoint {
			w.put(" class=\"subpoint\"") // which in the standard is a point like any
		}
		w.put(">")
		w.heads(c)
		if !c.Kind.Heads() {
			var words writer
			words.d, words.lang, words.ids = w.d, w.lang, w.ids
			words.blocks(c)
			if words.err != nil && w.err == nil {
				w.err = words.err
			}
			l.words = words.String()
		}
		w.open = append(w.open, l)
	}
	for len(w.open) > 1 {
		w.close()
	}
}

// intro writes the words of an element before what it holds.
func (w *writer) intro(l *level) {
	if l.content {
		return
	}
	l.content = true
	if l.words != "" {
		w.WriteString("<intro>" + l.words + "</intro>")
	}
	w.WriteString("\n")
}

func (w *writer) close() {
	l := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	if !l.content {
		if l.words == "" {
			l.words = "<p/>"
		}
		w.WriteString("<content>" + l.words + "</content>")
	}
	w.put("</%s>\n", l.element)
}

// num writes the number as treaties print it, and beside it as we count.
func (w *writer) num(c instrument.Clause) {
	if label := instrument.Label(w.lang, c.Kind, c.Number); label != "" || c.Number != "" {
		w.put("<num d:number=\"%s\">%s</num>", c.Number, label)
	}
}

// heads writes the number and the heading of a clause.
func (w *writer) heads(c instrument.Clause) {
	w.num(c)
	if !c.Kind.Heads() {
		return
	}
	if pieces := w.pieces(c); len(pieces) > 0 {
		w.put("<heading>")
		w.spans(pieces)
		w.put("</heading>")
	} else if t := c.Texts[w.lang]; t != "" {
		w.put("<heading>")
		w.inline(t)
		w.put("</heading>")
	}
}

// pieces are the brackets of a clause; none where all agree.
func (w *writer) pieces(c instrument.Clause) []wording.Piece { return w.d.Brackets[c.ID][w.lang] }

// blocks writes the words of a clause, a line of them as a paragraph.
func (w *writer) blocks(c instrument.Clause) {
	if pieces := w.pieces(c); len(pieces) > 0 {
		w.put("<p>")
		w.spans(pieces)
		w.put("</p>")
		return
	}
	for line := range strings.SplitSeq(c.Texts[w.lang], "\n") {
		if line != strings.Trim(line, " ") || strings.Contains(line, "  ") {
			w.put("<p xml:space=\"preserve\">%s</p>", line)
		} else {
			w.put("<p>%s</p>", line)
		}
	}
}

// spans writes brackets, each with the parties that want what is in it.
func (w *writer) spans(pieces []wording.Piece) {
	for _, p := range pieces {
		if p.Parties == nil {
			w.inline(p.Text)
			continue
		}
		var who []string
		for _, party := range p.Parties {
			who = append(who, string(party))
		}
		w.put("<span class=\"bracket\" refersTo=\"#%s\" d:parties=\"%s\">[", who[0], strings.Join(who, " "))
		w.inline(p.Text)
		w.put("]</span>")
	}
}

// inline writes words within a line.
func (w *writer) inline(text string) {
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			w.put("<eol/>")
		}
		w.put("%s", line)
	}
}

func (w *writer) meta(component string) {
	work, expression, date := w.uri(""), w.uri(w.lang), day(w.d.Date)
	w.put("<meta><identification source=\"#detente\">\n<FRBRWork><FRBRthis value=\"%s/%s\"/><FRBRuri value=\"%s\"/><FRBRdate date=\"%s\" name=\"opening\"/>", work, component, work, date)
	w.authors()
	w.put("<FRBRcountry value=\"un\"/></FRBRWork>\n<FRBRExpression><FRBRthis value=\"%s/%s\"/><FRBRuri value=\"%s\"/><FRBRdate date=\"%s\" name=\"opening\"/>", expression, component, expression, date)
	w.authors()
	w.put("<FRBRauthoritative value=\"true\"/><FRBRlanguage language=\"%s\"/>", w.lang)
	for _, other := range w.d.Languages {
		if other != w.lang { // equally authentic: each is as good as a translation of the other
			w.put("<FRBRtranslation href=\"%s\" fromLanguage=\"%s\" authoritative=\"true\" by=\"#detente\"/>", w.uri(other), other)
		}
	}
	w.put("</FRBRExpression>\n<FRBRManifestation><FRBRthis value=\"%s/%s.xml\"/><FRBRuri value=\"%s.xml\"/><FRBRdate date=\"%s\" name=\"opening\"/><FRBRauthor href=\"#detente\"/></FRBRManifestation>\n</identification>",
		expression, component, expression, date)
	if component == "!main" && len(w.d.Events) > 0 {
		w.put("\n<lifecycle source=\"#detente\">")
		for i, e := range w.d.Events {
			w.put("<eventRef eId=\"event_%s\" date=\"%s\" type=\"%s\" source=\"#detente\" refersTo=\"#%s\"/>", fmt.Sprint(i+1), day(e.Date), e.Type, "step-"+e.Name)
		}
		w.put("</lifecycle>")
	}
	w.put("\n<references source=\"#detente\"><TLCOrganization eId=\"%s\" href=\"/akn/ontology/organization/detente\" showAs=\"Detente\"/>", w.ref("detente", component))
	for _, p := range w.d.Parties {
		shown := p.Names[w.lang]
		if shown == "" {
			shown = strings.ToUpper(string(p.Party))
		}
		w.put("<TLCOrganization eId=\"%s\" href=\"/akn/ontology/organization/%s\" showAs=\"%s\"/>", w.ref(string(p.Party), component), string(p.Party), shown)
	}
	if component == "!main" {
		seen := make(map[string]bool)
		for _, e := range w.d.Events {
			if !seen[e.Name] {
				seen[e.Name] = true
				w.put("<TLCEvent eId=\"%s\" href=\"/akn/ontology/event/%s\" showAs=\"%s\"/>", w.ref("step-"+e.Name, component), e.Name, e.Name)
			}
		}
		digest := w.d.Digest()
		w.put("</references>\n<proprietary source=\"#detente\"><d:text languages=\"%s\" prevailing=\"%s\" digest=\"%s\">%s</d:text></proprietary></meta>\n",
			strings.Join(w.d.Languages, " "), w.d.Prevailing, hex.EncodeToString(digest[:]), w.d.Names[w.lang])
		return
	}
	w.put("</references></meta>\n")
}

// ref is the id of a reference: that of an annex's own list has its component before it.
func (w *writer) ref(name, component string) string {
	if component != "!main" {
		name = strings.TrimPrefix(component, "!") + "__" + name
	}
	return name
}

func (w *writer) authors() {
	if len(w.d.Parties) == 0 {
		w.put("<FRBRauthor href=\"#detente\"/>")
	}
	for _, p := range w.d.Parties {
		w.put("<FRBRauthor href=\"#%s\"/>", string(p.Party))
	}
}
