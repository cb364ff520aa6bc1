package duty

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/form"
	"detente/traffic"

	"golang.org/x/text/language"
)

//go:embed phrases
var phraseFiles embed.FS

// words are the phrases in the reader's language.
type words struct {
	book *form.Phrasebook
	lang language.Tag
}

func loadWords(lang string) (words, error) {
	book, err := form.LoadPhrases(phraseFiles)
	if err != nil {
		return words{}, err
	}
	tag, err := language.Parse(lang)
	if err != nil {
		return words{}, fmt.Errorf("%q is no language", lang)
	}
	return words{book, book.Match(tag)}, book.Complete()
}

func (w words) say(key string, args ...any) string { return w.book.Phrase(w.lang, key, args...) }

// or is the phrase for a code, or the code itself where it is newer than this program.
func (w words) or(group, code string) string {
	for _, known := range codes()[group] {
		if known == code {
			return w.say(group + "." + code)
		}
	}
	return clean(code)
}

func codes() map[string][]string {
	return map[string][]string{
		"kind":       {"acknowledge", "answer", "info", "missed", "alarm", "check", "directory", "roster", "release", "match", "review", "case", "instrument"},
		"role":       {"duty-officer", "deputy", "head-of-post", "senior-official", "translator", "administrator", "auditor", "terminal", "node"},
		"means":      {"console", "mail", "webhook", "command"},
		"outcome":    {"under-way", "placed", "failed"},
		"plane":      {"real", "exercise", "test"},
		"precedence": {"Z", "O", "P", "R"},
	}
}

// style is how a line stands out. Each has a word or a shape as well.
type style int

const (
	plain   style = iota
	strong        // headings, what is overdue
	urgent        // an untaken FLASH, and nothing else: red where there is colour
	chosen        // the item that the keys act on
	alarmed       // the same, when it is an untaken FLASH
	banner        // a plane that is not the real one
	calling       // the line that is typed
)

// line is a line of the screen.
type line struct {
	text  string
	style style
}

// view is all that the screen shows.
type view struct {
	now     time.Time
	party   string
	plane   traffic.Plane
	watch   api.Watch
	links   []api.Link
	silent  time.Time // since when the node has not answered; zero while it does
	chosen  string    // key of an item
	message string
	prompt  string // what is asked for; empty when nothing is
	typed   string
	text    string // a statement that is shown in place of the board
	scroll  int
	keys    bool // the terminal takes keys
}

// mostItems is how many items of a kind can be reached with keys: whoever has more than that before him begins at the top.
const mostItems = 200

func most(items []api.Item) []api.Item { return items[:min(len(items), mostItems)] }

// items are the items in the order in which they stand.
func (v *view) items() []api.Item {
	return append(append([]api.Item{}, most(v.watch.Items)...), most(v.watch.Taken)...)
}

// item is the one that the keys act on: the chosen one, or else the first.
func (v *view) item() (api.Item, bool) {
	all := v.items()
	for _, i := range all {
		if i.Key == v.chosen {
			return i, true
		}
	}
	if len(all) == 0 {
		return api.Item{}, false
	}
	return all[0], true
}

// draw lays the view out in so many columns and at most so many lines; 0 lines is as many as it takes.
func (v *view) draw(w words, columns, lines int) []line {
	var top, bottom []line
	if v.plane != traffic.Real {
		word := w.or("plane", string(v.plane))
		top = append(top, line{hatch(word, columns), banner})
		bottom = append(bottom, line{hatch(word, columns), banner})
	}
	top = append(top, v.heading(w, columns))
	if !v.silent.IsZero() {
		top = append(top, line{cut("!! "+w.say("node.silent", form.DTG(v.silent)), columns), strong})
	}
	if v.message != "" {
		bottom = append([]line{{cut(clean(v.message), columns), strong}}, bottom...)
	}
	switch {
	case v.prompt != "":
		bottom = append(bottom, line{tail(clean(v.prompt)+" "+clean(v.typed)+"_", columns), calling})
	case v.keys && v.text != "":
		bottom = append(bottom, line{cut(w.say("keys.text"), columns), plain})
	case v.keys:
		bottom = append(bottom, line{cut(w.say("keys.board"), columns), plain})
	}
	if v.text != "" {
		return join(top, v.page(columns, lines-len(top)-len(bottom)), bottom, lines)
	}
	top = append(top, v.duty(w, columns)...)
	bottom = append(append([]line{{}}, v.linkLines(w, columns)...), bottom...)
	body, at := v.body(w, columns)
	if room := lines - len(top) - len(bottom); lines > 0 && len(body) > room {
		body = window(w, body, at, max(3, room))
	}
	return join(top, body, bottom, lines)
}

// join sets the parts under each other, the last of them at the end of the screen.
func join(top, body, bottom []line, lines int) []line {
	out := append(append([]line{}, top...), body...)
	for len(out)+len(bottom) < lines {
		out = append(out, line{})
	}
	out = append(out, bottom...)
	if lines > 0 && len(out) > lines {
		out = append(out[:lines-1:lines-1], out[len(out)-1])
	}
	return out
}

// hatch fills a line with the name of a plane, so that no part of the screen can be taken for the real one.
func hatch(word string, columns int) string {
	piece := "//// " + word + " "
	return cut(strings.Repeat(piece, columns/max(1, widthOf(piece))+1), columns)
}

// tail is the end of what is typed, where it is longer than the line.
func tail(text string, columns int) string {
	for widthOf(text) > columns {
		_, rest, _ := strings.Cut(text, string([]rune(text)[:1]))
		text = rest
	}
	return text
}

// heading is plane, party, what is untaken by precedence, and the time.
func (v *view) heading(w words, columns int) line {
	var counts []string
	untaken := 0
	style := strong
	for _, p := range precedences() {
		n := 0
		for _, i := range v.watch.Items {
			if i.Precedence == p {
				n++
			}
		}
		if n > 0 {
			word := string(p)
			if p == traffic.Flash {
				word = w.or("precedence", word)
			}
			counts = append(counts, fmt.Sprintf("%s %s %d", shape(p), word, n))
		}
		if untaken += n; n > 0 && p == traffic.Flash {
			style = urgent
		}
	}
	left := w.or("plane", string(v.plane)) + "  " + clean(v.party)
	if untaken > 0 {
		left += "  " + w.say("untaken", strings.Join(counts, "  "))
	}
	right := form.DTG(v.now)
	return line{pad(left, columns-widthOf(right)-1, false) + " " + right, style}
}

func precedences() []traffic.Precedence {
	return []traffic.Precedence{traffic.Flash, traffic.Immediate, traffic.Priority, traffic.Routine}
}

// shape is a precedence to the eye: two bars, one bar, a ring, a dot.
func shape(p traffic.Precedence) string {
	switch p {
	case traffic.Flash:
		return "‖"
	case traffic.Immediate:
		return "|"
	case traffic.Priority:
		return "o"
	}
	return "·"
}

// duty is who is on duty, a line for each post, or for several that the same officers keep.
func (v *view) duty(w words, columns int) []line {
	type manned struct {
		posts []string
		text  string
		style style
	}
	var list []*manned
	for _, d := range v.watch.Duty {
		text, style := onWatch(w, d)
		if i := slices.IndexFunc(list, func(m *manned) bool { return m.text == text }); i >= 0 {
			list[i].posts = append(list[i].posts, clean(string(d.Post)))
			continue
		}
		list = append(list, &manned{[]string{clean(string(d.Post))}, text, style})
	}
	var out []line
	for _, m := range list {
		slices.Sort(m.posts)
		posts := strings.Join(m.posts, " ")
		if widthOf(posts) < 8 {
			posts = pad(posts, 8, false)
		}
		out = append(out, line{cut(cut(posts, max(8, columns/3))+" "+m.text, columns), m.style})
	}
	if most := 4; len(out) > most {
		rest := len(out) - most + 1
		out = append(out[:most-1], line{"         " + w.say("more", rest), plain})
	}
	return out
}

// onWatch is who keeps the watch of a post, and until when.
func onWatch(w words, d api.Duty) (string, style) {
	if d.Unmanned {
		return "! " + w.say("unmanned"), strong
	}
	var who []string
	for _, o := range d.Officers {
		who = append(who, w.say("officer", clean(cmp.Or(o.Name, o.Officer)), w.or("role", o.Role)))
	}
	text := "● " + strings.Join(who, ", ")
	if !d.Until.IsZero() {
		text += "  " + w.say("until", form.DTG(d.Until))
	}
	return text, plain
}

// body is the items, and where the chosen one stands among the lines.
func (v *view) body(w words, columns int) (out []line, at int) {
	chosenItem, _ := v.item()
	section := func(title string, items []api.Item, behind int) {
		out = append(out, line{}, line{cut(title, columns), strong})
		for _, i := range most(items) {
			mine := i.Key == chosenItem.Key
			if mine {
				at = len(out)
			}
			out = append(out, v.row(w, i, columns, mine))
			if mine || !v.keys {
				out = append(out, v.details(w, i, columns)...)
			}
		}
		if n := len(items) - len(most(items)) + behind; n > 0 {
			out = append(out, line{"    ↓ " + w.say("more", n), plain})
		}
	}
	if len(v.watch.Items)+len(v.watch.Taken) == 0 {
		out = append(out, line{}, line{cut(w.say("quiet"), columns), plain})
	}
	if len(v.watch.Items) > 0 {
		section(w.say("section.untaken", len(v.watch.Items)+v.watch.More), v.watch.Items, v.watch.More)
	}
	if len(v.watch.Taken) > 0 {
		section(w.say("section.taken", len(v.watch.Taken)), v.watch.Taken, 0)
	}
	if n := len(v.watch.Done); n > 0 {
		out = append(out, line{}, line{cut(w.say("section.done", n), columns), plain})
	}
	return out, at
}

// row is one item: what it is worth, how long there is, what it is about.
func (v *view) row(w words, i api.Item, columns int, mine bool) line {
	mark, s := "  ", plain
	untaken := i.Taken == nil
	if i.Overdue {
		s = strong
	}
	if untaken && i.Precedence == traffic.Flash {
		s = urgent
	}
	if mine && v.keys {
		mark = "> "
		if s = chosen; untaken && i.Precedence == traffic.Flash {
			s = alarmed
		}
	}
	text := mark + shape(i.Precedence) + " " + clean(string(i.Precedence)) + " " + pad(w.or("precedence", string(i.Precedence)), 11, false) + pad(v.clock(i), 11, true) + "  "
	kind := w.or("kind", i.Kind)
	if i.Overdue {
		kind = w.say("overdue", kind)
	}
	return line{cut(text+kind+"  "+subject(i), columns), s}
}

// subject is what an item is about, in few words: a statement's number and what kind it is, else the item's title.
func subject(i api.Item) string {
	if i.Number == "" || i.Detail == "" {
		return clean(i.Title)
	}
	return clean(i.Number) + "  " + clean(i.Detail)
}

// clock is how long there is, or how long it is past, signed.
func (v *view) clock(i api.Item) string {
	switch {
	case i.Due.IsZero():
		return "–"
	case i.Due.After(v.now):
		return span(i.Due.Sub(v.now))
	}
	return "+" + span(v.now.Sub(i.Due))
}

// span is a time as a clock shows it.
func span(d time.Duration) string {
	d = max(0, d.Truncate(time.Second))
	if d >= 100*time.Hour {
		return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
	}
	return fmt.Sprintf("%02d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// details are what stands below an item: who has it, who was called, who is called next.
func (v *view) details(w words, i api.Item, columns int) (out []line) {
	const indent = "      "
	add := func(text string) { out = append(out, line{cut(indent+text, columns), plain}) }
	for _, text := range []string{i.Title, i.Detail} {
		if text = clean(text); text != "" && !strings.Contains(subject(i), text) {
			add(text)
		}
	}
	if t := i.Taken; t != nil {
		add("● " + w.say("taken.by", clean(t.By), w.or("role", t.Role), form.DTG(t.At)))
	}
	calls := i.Calls
	if n := len(calls) - 3; n > 0 {
		add(w.say("calls.before", n))
		calls = calls[n:]
	}
	for _, c := range calls {
		text := w.say("called", clean(c.Officer), w.or("role", c.Role), w.or("means", c.Means), form.DTG(c.At), w.or("outcome", c.Outcome))
		if c.Detail != "" {
			text += ": " + clean(c.Detail)
		}
		add("○ " + text)
	}
	if n := i.NextCall; n != nil && i.Taken == nil {
		who := w.or("role", n.Role)
		if n.Officer != "" {
			who = w.say("officer", clean(n.Officer), who)
		}
		add(w.say("next", who, span(n.At.Sub(v.now))))
	}
	return out
}

// linkLines are how the links stand: first what is down.
func (v *view) linkLines(w words, columns int) []line {
	var up []string
	var out []line
	for _, l := range v.links {
		if l.Up {
			up = append(up, clean(string(l.Peer)))
			continue
		}
		text := "× " + w.say("link.down", clean(string(l.Peer)), form.DTG(l.Since))
		if l.Failure != "" {
			text += ": " + clean(l.Failure)
		}
		out = append(out, line{cut(text, columns), strong})
	}
	if most := 3; len(out) > most {
		out = append(out[:most-1], line{cut("× "+w.say("more", len(out)-most+1), columns), strong})
	}
	if len(up) > 0 {
		out = append(out, line{cut("✓ "+w.say("link.up", strings.Join(up, ", ")), columns), plain})
	}
	if len(v.links) == 0 {
		out = append(out, line{cut(w.say("link.none"), columns), plain})
	}
	return out
}

// window is the part of the body that the screen has room for, around the line at.
func window(w words, body []line, at, room int) []line {
	from := min(max(0, at-room/3), len(body)-room)
	to := from + room
	out := append([]line{}, body[from:to]...)
	if from > 0 {
		out[0] = line{"    ↑ " + w.say("more", from+1), plain}
	}
	if to < len(body) {
		out[len(out)-1] = line{"    ↓ " + w.say("more", len(body)-to+1), plain}
	}
	return out
}

// page is a part of the text that is shown.
func (v *view) page(columns, room int) (out []line) {
	all := wrap(v.text, columns)
	room = max(1, room)
	v.scroll = max(0, min(v.scroll, len(all)-room))
	for _, text := range all[v.scroll:min(len(all), v.scroll+room)] {
		out = append(out, line{text, plain})
	}
	return out
}
