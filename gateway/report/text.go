package report

import (
	"embed"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"detente/form"
	"detente/label"

	"golang.org/x/text/language"
)

//go:embed phrases
var phraseFiles embed.FS

// phrases loads the words of a report.
func phrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(phraseFiles)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return book, nil
}

// subject is the line by which CERTs sort: numbers, plane, label, type, identifier. Discreet leaves out what says something of the incident.
func (r *Report) subject(discreet bool) string {
	words := []string{r.Ticket.String()}
	if r.Theirs.Valid() {
		words = append(words, r.Theirs.String())
	}
	if r.Label.Plane != label.Real {
		words = append(words, "["+r.Label.Plane.Flag()+"]")
	}
	words = append(words, r.Label.TLP.String())
	if !discreet {
		if id, ok := identifier(r.Identifier); ok {
			words = append(words, r.Class.String(), id)
		}
	}
	if r.Kind != Opening {
		words = append(words, string(r.Kind))
	}
	return strings.Join(words, " ")
}

// text is the report for a reader of each language, one after the other. The first line is the label.
func (r *Report) text(book *form.Phrasebook, languages []language.Tag) string {
	var b strings.Builder
	b.WriteString(r.Label.TLP.String())
	if p := r.Label.PAP.String(); p != "" {
		b.WriteString(" " + p)
	}
	b.WriteString("\n")
	if r.Label.Plane != label.Real {
		word := r.Label.Plane.Flag()
		b.WriteString(word + " " + word + " " + word + "\n")
	}
	for i, lang := range languages {
		if i > 0 {
			b.WriteString("\n" + strings.Repeat("=", 72) + "\n")
		}
		w := &writer{book: book, lang: lang, b: &b}
		w.report(r)
	}
	if r.Text != "" {
		b.WriteString("\n" + strings.Repeat("-", 72) + "\n" + clean(r.Text) + "\n")
	}
	if r.Evidence.Header != "" {
		b.WriteString("\n" + strings.Repeat("-", 72) + "\n" + clean(r.Evidence.Header) + "\n")
	}
	return b.String()
}

// clean keeps lines and tabs, and makes visible what could steer a terminal.
func clean(s string) string {
	lines := strings.Split(strings.ToValidUTF8(s, "\uFFFD"), "\n")
	for i, l := range lines {
		parts := strings.Split(strings.TrimSuffix(l, "\r"), "\t")
		for j := range parts {
			parts[j] = form.Visible(parts[j])
		}
		lines[i] = strings.Join(parts, "\t")
	}
	return strings.Join(lines, "\n")
}

// writer writes in one language.
type writer struct {
	book *form.Phrasebook
	lang language.Tag
	b    *strings.Builder
}

func (w *writer) say(key string, args ...any) string { return w.book.Phrase(w.lang, key, args...) }

// line writes a fact under its name; one that is empty is left out.
func (w *writer) line(key, value string) {
	if value != "" {
		w.b.WriteString("  " + w.say("line."+key) + ": " + clean(value) + "\n")
	}
}

func (w *writer) section(key string) { w.b.WriteString("\n" + w.say("section."+key) + "\n") }

// moment writes a time as CERTs ask for it: in UTC, and saying so.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC (+00:00)"
}

func (w *writer) report(r *Report) {
	w.b.WriteString("\n" + w.say("title."+string(r.Kind)) + "\n")
	if r.Label.Plane != label.Real {
		w.b.WriteString(w.say("plane."+string(r.Label.Plane)) + "\n")
	}
	w.section("sender")
	w.line("team", r.Team.Name)
	w.line("mail", r.Team.Mail)
	w.line("phone", r.Team.Phone)
	w.line("key", r.Team.Fingerprint)
	w.line("about", r.Team.About)
	w.line("member", r.Team.Member)
	w.line("ticket", r.Ticket.String())
	if r.Theirs.Valid() {
		w.line("theirs", r.Theirs.String())
	}
	if r.Kind == Opening {
		w.opening(r)
	}
	if len(r.Files) > 0 {
		names := make([]string, len(r.Files))
		for i, f := range r.Files {
			names[i] = f.Name
		}
		w.b.WriteString("\n" + w.say("attached", strings.Join(names, ", ")) + "\n")
	}
	w.b.WriteString("\n" + w.say("answer", r.Ticket.String()) + "\n")
}

func (w *writer) opening(r *Report) {
	w.section("request")
	if r.Info {
		w.b.WriteString("  " + w.say("purpose.info") + "\n")
	} else {
		w.line("action", r.Action)
		w.line("until", moment(r.Until))
	}

	w.section("sharing")
	w.line("label", r.Label.TLP.String())
	var onward []string
	for _, o := range r.Onward {
		onward = append(onward, w.say("onward."+o))
	}
	if len(onward) == 0 {
		onward = []string{w.say("onward.none")}
	}
	w.line("onward", strings.Join(onward, ", "))
	w.line("naming", w.say("naming."+strconv.FormatBool(r.Naming)))

	w.section("subject")
	id, _ := identifier(r.Identifier)
	w.line("identifier", defang(id))
	w.line("class", r.Class.String())
	w.line("severity", w.level(r.Severity))
	w.line("effect", r.Effect)
	w.line("vulnerabilities", strings.Join(r.CVEs, ", "))
	w.line("techniques", strings.Join(r.Techniques, ", "))

	w.section("times")
	w.line("first", moment(r.First))
	w.line("last", moment(r.Last))
	w.line("detected", moment(r.Detected))
	clock := w.say("clock." + strconv.FormatBool(r.NTP))
	if r.Clock != "" {
		clock += ", " + r.Clock
	}
	w.line("clock", clock)

	w.section("evidence")
	e := &r.Evidence
	w.line("source", end(e.Source, e.SourcePort))
	w.line("destination", end(e.Destination, e.DestinationPort))
	w.line("protocol", e.Protocol)
	w.line("address", defang(e.URL))
	w.line("hashes", strings.Join(e.Hashes, ", "))
	if len(e.Log) > 0 {
		w.b.WriteString("  " + w.say("line.log") + ":\n")
		for _, l := range e.Log {
			for part := range strings.SplitSeq(strings.TrimRight(l, "\n"), "\n") {
				w.b.WriteString("    " + clean(part) + "\n")
			}
		}
	}

	w.section("judgement")
	w.line("confidence", w.level(r.Confidence))
	w.line("rating", r.Rating.String())
	w.line("seen", w.say("relayed."+strconv.FormatBool(r.Relayed)))
	w.line("made", w.say("machine."+strconv.FormatBool(r.Machine)))

	if len(r.Told) > 0 || r.Done != "" || r.Leave != "" {
		w.section("done")
		w.line("told", strings.Join(r.Told, ", "))
		w.line("done", r.Done)
		w.line("leave", r.Leave)
	}
}

func (w *writer) level(s string) string {
	if s == "" {
		return ""
	}
	return w.say("level." + s)
}

// end writes an end of a connection.
func end(address string, port int) string {
	if port == 0 || address == "" {
		return address
	}
	return net.JoinHostPort(address, strconv.Itoa(port))
}

// defang writes a name or URL so that nothing follows it by mistake. Addresses stay: ticket systems look for them.
func defang(s string) string {
	if id, ok := identifier(s); ok && (strings.HasPrefix(id, "AS") || strings.Trim(id, "0123456789abcdef.:/") == "") {
		return id
	}
	s = strings.ReplaceAll(s, "://", "[://]")
	if strings.HasPrefix(strings.ToLower(s), "http") {
		s = "hxxp" + s[4:]
	}
	return strings.ReplaceAll(s, ".", "[.]")
}
