package form

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"detente/traffic"
)

// Message is what a rendering shows of a statement. Everything but Form, Precedence and Plane may be empty.
type Message struct {
	Form       *Form
	Values     Values
	Number     string // such as "XN/NRRC 26-0042"
	From, To   string
	At         time.Time // of release
	Precedence traffic.Precedence
	Plane      traffic.Plane
	Case       string
	Refs       []string     // display numbers of what it answers, corrects or cancels
	Original   language.Tag // the language of the originator's words, the authoritative ones
	Marking    string       // such as "TLP:AMBER"
	Status     []string     // lines on its receipts, in the reader's language already
}

// Document is a statement as one reader sees it: the phrases of the form in his language, the originator's words as they were signed.
type Document struct {
	Lang       language.Tag
	RTL        bool
	Banner     string // the plane where it is not the real one: to be shown first and last
	Precedence string
	Title      string
	Number     string
	Head       []Entry
	Items      []Item
	Fixed      string // the form's fixed sentence
	Status     []string
	End        string

	statusLabel string
	quote       string // quotation marks around {1}
	item        string // a number {1} and a label {2}, as the language sets them before what follows
}

// Entry is one line of the head.
type Entry struct{ Label, Text string }

// Item is one field: the form's label and what was stated. Items are numbered from 1 in their order.
type Item struct {
	Label string
	Runs  []Run
}

// Run is a piece of text on lines of its own: the form's, or the originator's.
type Run struct {
	Text   string
	Quoted bool         // the originator's words, to be set apart and never translated
	Lang   language.Tag // of quoted words
	RTL    bool         // of quoted words
}

// The phrases that every regime has beside those of its forms, each with its plane, precedence or use.
var frameKeys = []string{
	"plane.exercise", "plane.test",
	"precedence.Z", "precedence.O", "precedence.P", "precedence.R",
	"frame.dtg", "frame.from", "frame.to", "frame.refs", "frame.case", "frame.marking", "frame.original", "frame.authority",
	"frame.acknowledge", "frame.answer", "frame.status", "frame.quote", "frame.item", "frame.end",
	"value.yes", "value.no", "value.window", "value.file", "value.data", "value.digests",
	"value.days", "value.hours", "value.minutes", "value.seconds", "value.span",
}

// reserved tells whether a form of that id would clash with the frame's phrases.
func reserved(id string) bool {
	return id == "plane" || id == "precedence" || id == "frame" || id == "value"
}

// phraseKeys lists every phrase that the regime prints.
func (r *Regime) phraseKeys() map[string]bool {
	keys := map[string]bool{}
	for _, key := range frameKeys {
		keys[key] = true
	}
	for _, f := range r.forms {
		keys[f.ID] = true
		if f.Fixed {
			keys[f.ID+".fixed"] = true
		}
		for _, field := range f.Fields {
			key := f.ID + "." + field.Name
			keys[key] = true
			for _, code := range field.Codes {
				keys[key+"."+code] = true
			}
		}
	}
	return keys
}

// checkPhrases holds that every language has each phrase that can be printed, and none besides: no form falls back to another language.
func (r *Regime) checkPhrases() error {
	want, have := r.phraseKeys(), r.Phrases.keys()
	var faults []string
	for key := range want {
		if !have[key] {
			faults = append(faults, "none has "+key)
		}
	}
	for key := range have {
		// The words of a table are for whoever knows what the table means to hold against it.
		if table, _, _ := strings.Cut(key, "."); !want[key] && r.tables[table] == nil {
			faults = append(faults, "nothing prints "+key)
		}
	}
	if err := faulty(faults); err != nil {
		return err
	}
	return r.Phrases.Complete()
}

// Render lays out m for a reader of lang, or of the regime's nearest language.
func (r *Regime) Render(m Message, lang language.Tag) *Document {
	lang = r.Phrases.Match(lang)
	say := func(key string, args ...any) string { return r.Phrases.Phrase(lang, key, args...) }
	d := &Document{
		Lang: lang, RTL: r.Phrases.RTL(lang),
		Precedence: say("precedence." + string(m.Precedence)), Title: say(m.Form.ID), Number: clean(m.Number),
		statusLabel: say("frame.status"), quote: say("frame.quote"), item: say("frame.item"), Status: m.Status,
	}
	if m.Plane != traffic.Real {
		d.Banner = say("plane." + string(m.Plane))
	}
	entry := func(key, text string) {
		if text != "" {
			d.Head = append(d.Head, Entry{say("frame." + key), text})
		}
	}
	p := printer{say: say, original: m.Original, rtl: d.RTL}
	if !m.At.IsZero() {
		entry("dtg", p.apart(DTG(m.At)))
	}
	entry("from", p.apart(m.From))
	entry("to", p.apart(m.To))
	entry("refs", p.apart(strings.Join(m.Refs, ", ")))
	entry("case", p.apart(m.Case))
	entry("marking", p.apart(m.Marking))
	for i := range m.Form.Fields {
		field := &m.Form.Fields[i]
		if value, ok := m.Values[field.Name]; ok {
			key := m.Form.ID + "." + field.Name
			d.Items = append(d.Items, Item{say(key), p.runs(field, key, value)})
		}
	}
	if m.Original != language.Und && d.quotes() {
		entry("original", say("frame.authority", languageName(m.Original, lang)))
	}
	entry("acknowledge", p.duration(m.Form.AcknowledgeWithin(m.Precedence)))
	entry("answer", p.duration(m.Form.AnswerWithin(m.Precedence)))
	if m.Form.Fixed {
		d.Fixed = say(m.Form.ID + ".fixed")
	}
	d.End = say("frame.end", d.Number)
	return d
}

// quotes tells whether any of the originator's words stand in d.
func (d *Document) quotes() bool {
	return slices.ContainsFunc(d.Items, func(i Item) bool {
		return slices.ContainsFunc(i.Runs, func(r Run) bool { return r.Quoted })
	})
}

// languageName names a language in another, with its tag: "Russian (ru)".
func languageName(tag, in language.Tag) string {
	if namer := display.Languages(in); namer != nil {
		if name := namer.Name(tag); name != "" {
			return name + " (" + tag.String() + ")"
		}
	}
	return tag.String()
}

// printer turns values into runs of text. It takes values of any type: one that the form would refuse prints as nothing.
type printer struct {
	say      func(key string, args ...any) string
	original language.Tag
	rtl      bool
}

// apart makes s safe to stand in a line, whatever it is and whatever stands beside it.
func (p printer) apart(s string) string { return isolate(clean(s), p.rtl) }

func (p printer) runs(field *Field, key string, value any) []Run {
	system := func(lines ...string) (runs []Run) {
		for _, line := range lines {
			runs = append(runs, Run{Text: line})
		}
		return runs
	}
	switch field.Kind {
	case KindText, KindLine:
		s, _ := value.(string)
		return []Run{p.quoted(s)}
	case KindTexts:
		return p.texts(value)
	case KindCode:
		code, _ := value.(string)
		return system(p.say(key + "." + code))
	case KindCodes:
		list, _ := value.([]any)
		var lines []string
		for _, item := range list {
			code, _ := item.(string)
			lines = append(lines, p.say(key+"."+code))
		}
		return system(lines...)
	case KindTime:
		return system(p.apart(moment(value)))
	case KindWindow:
		if w, ok := value.([]any); ok && len(w) == 2 {
			return system(p.say("value.window", moment(w[0]), moment(w[1])))
		}
	case KindDuration:
		n, _ := value.(int64)
		return system(p.duration(time.Duration(n) * time.Second))
	case KindCount:
		n, _ := value.(int64)
		return system(strconv.FormatInt(n, 10))
	case KindBool:
		if b, _ := value.(bool); b {
			return system(p.say("value.yes"))
		}
		return system(p.say("value.no"))
	case KindAddress:
		s, _ := value.(string)
		return system(p.apart(s))
	case KindAddresses:
		list, _ := value.([]any)
		var lines []string
		for _, item := range list {
			s, _ := item.(string)
			lines = append(lines, p.apart(s))
		}
		return system(lines...)
	case KindStatement:
		b, _ := value.([]byte)
		return system(p.apart(hex.EncodeToString(b)))
	case KindBytes:
		b, _ := value.([]byte)
		return system(p.data(b))
	case KindBytesList:
		list, _ := value.([]any)
		var lines []string
		for _, item := range list {
			b, _ := item.([]byte)
			lines = append(lines, p.data(b))
		}
		return system(lines...)
	case KindDigests:
		list, _ := value.([]any)
		h := sha256.New()
		for _, item := range list {
			b, _ := item.([]byte)
			h.Write(b)
		}
		return system(p.say("value.digests", len(list), hex.EncodeToString(h.Sum(nil)))) // one hash, for two readers to compare
	case KindBlob:
		return p.file(value)
	case KindBlobs:
		list, _ := value.([]any)
		var runs []Run
		for _, item := range list {
			runs = append(runs, p.file(item)...)
		}
		return runs
	}
	return nil
}

func (p printer) quoted(s string) Run {
	return Run{Text: cleanText(s), Quoted: true, Lang: p.original, RTL: mostlyRTL(s)}
}

// data prints what is too long to read by its hash.
func (p printer) data(b []byte) string {
	if len(b) <= sha256.Size {
		return p.apart(hex.EncodeToString(b))
	}
	hash := sha256.Sum256(b)
	return p.say("value.data", len(b), hex.EncodeToString(hash[:]))
}

// file prints the name as the originator's words, the rest as the form's.
func (p printer) file(value any) []Run {
	b, ok := blobOf(value)
	if !ok {
		return nil
	}
	return []Run{p.quoted(b.Name), {Text: p.say("value.file", b.Size, clean(b.Type), hex.EncodeToString(b.Hash[:]))}}
}

// duration names the largest units, such as "1 hour 30 minutes"; "" for none.
func (p printer) duration(d time.Duration) string {
	span := ""
	for _, unit := range []struct {
		key  string
		size time.Duration
	}{{"value.days", 24 * time.Hour}, {"value.hours", time.Hour}, {"value.minutes", time.Minute}, {"value.seconds", time.Second}} {
		// Up to two days are said in hours, as time limits are.
		if unit.size > time.Hour && d <= 48*time.Hour {
			continue
		}
		if n := d / unit.size; n > 0 {
			part := p.say(unit.key, int64(n))
			if span != "" {
				part = p.say("value.span", span, part)
			}
			span = part
			d -= n * unit.size
		}
	}
	return span
}

// moment is a date-time group that keeps the seconds, where there are any: two different values never print alike.
func moment(value any) string {
	n, _ := value.(int64)
	t := time.Unix(n, 0).UTC()
	if t.Second() != 0 {
		return strings.ToUpper(t.Format(dtgSeconds))
	}
	return DTG(t)
}
