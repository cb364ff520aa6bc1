package yearly

import (
	"slices"
	"strings"

	"golang.org/x/text/language"

	"detente/form"
	"detente/traffic"
	"detente/wording"
)

// write writes the whole, section by section.
func (w *writing) write() {
	named := make([]string, len(w.tags))
	for i, tag := range w.tags {
		named[i] = wording.In(w.Name, base(tag))
	}
	for i, text := range w.say("title", named, w.Round) {
		w.out.Title[w.out.Languages[i]] = text
	}
	parties := make([]string, len(w.tags))
	for i, tag := range w.tags {
		parties[i] = w.everybody(tag)
	}
	w.row(0, w.say("parties", parties))
	w.row(0, w.say("period", w.From, w.To))
	if w.Basis != "" {
		w.row(0, w.say("basis", w.Basis))
	}
	w.heading("agreed", len(w.Agreed))
	w.list(w.Agreed)
	w.heading("disputed", len(w.Disputed))
	w.list(w.Disputed)
	w.figures()
	w.heading("sent", len(w.Pack.Sent))
	for _, x := range sorted(w, w.Pack.Sent, func(x Sent) traffic.Party { return x.Party }) {
		line := w.say("sent", x.Party, x.Channel, w.precedence(x.Precedence), x.Valid+x.Invalid)
		if x.Invalid > 0 {
			line = joined(" · ", line, w.say("invalid", x.Invalid))
		}
		w.row(0, line)
	}
	w.heading("checks", len(w.Pack.Checks))
	for _, x := range sorted(w, w.Pack.Checks, func(x Checks) traffic.Party { return x.From }) {
		w.row(0, w.say("check", x.From, w.addressee(x.To), x.Channel, x.Level), w.say("check.outcome", x.Sent, x.Answered, x.Late, x.Missed, x.Waiting))
	}
	w.changes()
	w.actions()
	w.record()
}

// everybody lists the parties in the order of the copy.
func (w *writing) everybody(tag language.Tag) string {
	var names []string
	for _, p := range sorted(w, w.Parties, func(p traffic.Party) traffic.Party { return p }) {
		names = append(names, w.book.Phrase(tag, "party", form.Clean(w.party(tag, p), true, maxCell), strings.ToUpper(string(p))))
	}
	return strings.Join(names, " · ")
}

// joined puts texts behind each other, language by language.
func joined(between string, all ...[]string) []string {
	out := slices.Clone(all[0])
	for _, texts := range all[1:] {
		for i, t := range texts {
			if t != "" {
				out[i] += between + t
			}
		}
	}
	return out
}

func (w *writing) list(all []Case) {
	for i := range all {
		c := &all[i]
		lines := [][]string{w.say("case", c.Case, c.Channel, w.regime(c.Channel, c.Form, c.Form), c.Opener, c.Opened), w.say("case.stands", w.stands(c))}
		if c.Closed != nil {
			lines = append(lines, w.say("case.closed", *c.Closed))
		}
		if len(c.Severity) > 0 {
			lines = append(lines, w.say("case.severity", w.severity(c)))
		}
		if c.Overdue > 0 {
			lines = append(lines, w.say("case.overdue", c.Overdue))
		}
		if c.Review {
			lines = append(lines, w.say("case.review"))
		}
		w.row(0, lines...)
		for _, x := range c.Contests {
			w.row(1, w.say("contest."+x.What, x.By, x.Number, x.At))
		}
	}
}

func (w *writing) severity(c *Case) []string {
	var all [][]string
	for _, s := range sorted(w, c.Severity, func(s Severity) traffic.Party { return s.By }) {
		words := w.regime(c.Channel, "clarification.severity."+s.Level, s.Level)
		all = append(all, w.say("of", s.By, words))
	}
	return joined(" · ", all...)
}

func (w *writing) figures() {
	n := 0
	for _, a := range w.Accounts {
		n += len(a.Figures)
	}
	w.heading("figures", n)
	for _, a := range w.Accounts {
		if len(a.Figures) == 0 {
			continue
		}
		w.row(0, w.say("account", a.Channel, a.Digest))
		for _, f := range sorted(w, a.Figures, func(f Figure) traffic.Party { return f.From }) {
			lines := [][]string{
				w.say("figure", f.From, w.addressee(f.To), w.regime(a.Channel, f.Form, f.Form), w.precedence(f.Precedence), f.Requests),
				w.say("figure.outcome", f.Acknowledged, f.InTime, f.Late, f.Unanswered, f.Pending, f.Withdrawn),
			}
			if f.AnsweredMedian >= 0 {
				lines = append(lines, w.say("figure.times", clock(f.AnsweredMedian), clock(f.AnsweredP90)))
			}
			w.row(1, lines...)
		}
	}
}

func (w *writing) changes() {
	w.heading("contacts", len(w.Contacts))
	for _, x := range sorted(w, w.Contacts, func(x ContactChange) traffic.Party { return x.Party }) {
		lines := [][]string{w.say("contact."+x.Change, x.Party, x.Name, x.Channel)}
		for _, f := range x.Fields {
			label := w.regime(x.Channel, "contact."+f.Field, f.Field)
			was, is := w.each(func(language.Tag) string { return f.Was }), w.each(func(language.Tag) string { return f.Is })
			switch {
			case f.Was == "":
				lines = append(lines, w.say("of", label, is))
			case f.Is == "":
				lines = append(lines, w.say("field.gone", label, was))
			default:
				lines = append(lines, w.say("field.changed", label, was, is))
			}
		}
		w.row(0, lines...)
	}
	w.heading("codes", len(w.Codes))
	for _, x := range w.Codes {
		w.row(0, w.say("code."+x.Action, x.Signal, x.Agreed), w.each(func(language.Tag) string { return x.Meaning }))
	}
	w.heading("charters", len(w.Charters))
	for _, x := range sorted(w, w.Charters, func(x CharterChange) traffic.Party { return x.Party }) {
		lines := [][]string{w.say("charter", x.Party, x.Version, x.Issued)}
		for _, is := range []struct {
			key   string
			posts []traffic.Post
		}{{"charter.added", x.Added}, {"charter.gone", x.Gone}, {"charter.rekeyed", x.Rekeyed}} {
			if len(is.posts) > 0 {
				lines = append(lines, w.say(is.key, strings.Join(strs(is.posts), ", ")))
			}
		}
		w.row(0, lines...)
	}
}

func (w *writing) actions() {
	w.heading("actions", len(w.Actions))
	for _, x := range w.Actions {
		words := w.each(func(tag language.Tag) string { return wording.In(x.Words, base(tag)) })
		key := "action.due"
		if x.Late {
			key = "action.late"
		}
		w.row(0, w.say("of", w.addressee(x.Owner), words), w.say(key, x.Due, x.Number))
	}
}

// record says of what all this was computed.
func (w *writing) record() {
	w.heading("record", len(w.Channels))
	for _, c := range w.Channels {
		w.row(0, w.say("record.channel", c.Name, c.Regime))
		for _, f := range sorted(w, c.Feeds, func(f Feed) traffic.Party { return f.Party }) {
			w.row(1, w.say("record.feed", f.Party, w.precedence(f.Precedence), f.Size, f.Root))
		}
	}
}
