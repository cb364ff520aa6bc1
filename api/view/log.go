package view

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/api"
	"detente/call"
	"detente/floor"
	"detente/form"
	"detente/officer"
	"detente/party"
	"detente/traffic"
	"detente/watch"

	"golang.org/x/text/language"
)

// The journal keeps codes. This file gives them the reader's words; what a person has written stays as he wrote it.

// Role is a role in the reader's words. What is no role of this program, such as a peer's own word for one of its posts, stays as it is.
func (v *Viewer) Role(role string) string {
	if slices.Contains(officer.Roles(), role) || role == "node" || role == "terminal" {
		return v.say("role." + role)
	}
	return role
}

// Words are what an item of the watch says.
func (v *Viewer) Words(w watch.Words) string { return w.In(v.say) }

// Failure is why a call was not placed.
func (v *Viewer) Failure(code string) string {
	if slices.Contains(call.Failures(), code) {
		return v.say("failure." + code)
	}
	return v.say("failure." + call.Other)
}

// reason tells the standing of a statement that counts for nothing, and why: a code of the judge or of the fold, in words.
func (v *Viewer) reason(standing, why string) string {
	if key := "reason." + why; v.phrases.Has(key) {
		return v.say("standing."+standing, v.say(key))
	}
	return v.say("standing."+standing, why)
}

// Open is what was open when the watch was handed over, one item a line.
func (v *Viewer) Open(l floor.OpenList) string {
	var lines []string
	phrases := v.phrases
	if _, regime, err := v.node.Channel(party.InternalChannel(v.node.Chain(v.node.Self())).ID()); err == nil {
		phrases = regime.Phrases
	}
	for _, o := range l.Open {
		line := phrases.Phrase(v.lang, "precedence."+string(o.Precedence)) + "  " + v.Words(o.Words())
		if !o.Due.IsZero() {
			line += "  " + form.DTG(o.Due)
		}
		if o.Role != "" || o.By != "" {
			line += "  ● " + strings.TrimSpace(v.Role(o.Role)+" "+o.By)
		}
		lines = append(lines, line)
	}
	if l.More > 0 {
		lines = append(lines, fmt.Sprintf("+%d", l.More))
	}
	return strings.Join(lines, "\n")
}

// unsaid are the fields of an entry that have a column of their own in the log, or that only a program reads.
func unsaid(l floor.LogLine) []string {
	names := []string{"post", "by", "key", "digest", "statement", "credential", "assertion", "approvals", "args", "also", "detail"}
	if l.Form.ID == "release" { // whoever decided has a column of his own; the node has no role
		names = append(names, "officer")
		if !l.Human {
			names = append(names, "role")
		}
	}
	return names
}

// LogEntry is a line of the watch log: the form's words, and what stands in its fields.
func (v *Viewer) LogEntry(l floor.LogLine) api.LogEntry {
	out := api.LogEntry{
		Index: l.Index, At: l.At, Post: l.Post, Kind: l.Kind, Title: l.Kind, By: l.By, Who: v.Role(l.By), Human: l.Human, Text: l.Kind, Proof: l.Statement.ID().String(),
	}
	for _, id := range l.Statement.Refs {
		out.Refs = append(out.Refs, id.String())
	}
	_, regime, err := v.node.Channel(l.Statement.Channel)
	if err != nil {
		return out
	}
	original, _ := language.Parse(l.Statement.Language)
	values := maps.Clone(l.Values)
	for _, name := range unsaid(l) {
		delete(values, name)
	}
	d := regime.Render(form.Message{Form: l.Form, Values: values, Precedence: traffic.Routine, Plane: traffic.Real, Original: original}, v.lang)
	words := v.decoded(l)
	var parts []string
	for i := range l.Form.Fields {
		name := l.Form.Fields[i].Name
		if _, said := values[name]; !said {
			continue
		}
		item := d.Items[len(parts)] // one for each field that is said, in the order of the form
		text, coded := words[name]
		if !coded {
			var runs []string
			for _, r := range item.Runs {
				runs = append(runs, r.Text)
			}
			text = strings.Join(runs, " ")
		}
		parts = append(parts, item.Label+v.say("log.colon")+text)
	}
	out.Title, out.Text = d.Title, d.Title
	if len(parts) > 0 {
		out.Text += ". " + strings.Join(parts, v.say("log.semicolon"))
	}
	return out
}

// decoded is what the codes of an entry mean, by their fields. They go beside what is rendered and not through it: the signs that keep a name in its
// direction are taken out there, as they are out of everything that a person wrote.
func (v *Viewer) decoded(l floor.LogLine) map[string]string {
	out := make(map[string]string)
	put := func(name, text string) {
		if _, there := l.Values[name]; there {
			out[name] = text
		}
	}
	if role := l.Values.Text("role"); v.Role(role) != role { // what a terminal claims may be no role
		put("role", v.Role(role))
	}
	put("title", v.Words(watch.Decode(l.Values.Text("title"), l.Values.Text("args"))))
	put("failure", v.Failure(l.Values.Text("failure")))
	if key := "operation." + l.Values.Text("what"); v.phrases.Has(key) {
		put("what", v.say(key))
	}
	if grants := l.Values.Text("grants"); grants != "" {
		var words []string
		for _, line := range strings.Split(grants, "\n") {
			post, role, _ := strings.Cut(line, " ")
			if post == "*" {
				words = append(words, v.say("grant.every", v.Role(role)))
			} else {
				words = append(words, v.say("grant", v.Role(role), post))
			}
		}
		out["grants"] = strings.Join(words, ", ")
	}
	if l.Form.ID == "handover" {
		put("items", v.Open(floor.OpenOf(l.Values.Text("items"))))
	}
	return out
}

// LogText is a log to be printed.
func LogText(list []api.LogEntry) []byte {
	var b bytes.Buffer
	for _, e := range list {
		mark := "○" // what a machine did is told on paper from what a person did
		if e.Human {
			mark = "●"
		}
		text := strings.ReplaceAll(strings.TrimSpace(e.Number+" "+e.Text), "\n", " / ")
		fmt.Fprintf(&b, "%6d  %s  %-10s  %s %-16s  %s  [%.12s]\n", e.Index, form.DTG(e.At), e.Post, mark, e.Who, text, e.Proof)
	}
	return b.Bytes()
}

// LogCSV is a log as a table, its head in the reader's words too.
func (v *Viewer) LogCSV(list []api.LogEntry) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var head []string
	for _, name := range []string{"index", "at", "post", "kind", "by", "did", "text", "refs", "proof"} {
		head = append(head, v.say("log."+name))
	}
	err := w.Write(head)
	for _, e := range list {
		did := v.say("log.machine")
		if e.Human {
			did = v.say("log.person")
		}
		err = cmp.Or(err, w.Write([]string{
			strconv.FormatInt(e.Index, 10), e.At.UTC().Format(time.RFC3339), string(e.Post), harmless(e.Title), harmless(e.Who), did,
			harmless(strings.TrimSpace(e.Number + " " + e.Text)), strings.Join(e.Refs, " "), e.Proof,
		}))
	}
	w.Flush()
	return b.Bytes(), cmp.Or(err, w.Error())
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(text string) string {
	if strings.IndexAny(text, "=+-@\t\r") == 0 {
		return "'" + text
	}
	return text
}
