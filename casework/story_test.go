//go:build !race

package casework_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"detente/casework"
	"detente/incident"
	"detente/ledger"
	"detente/node"
	"detente/statement"
	"detente/traffic"
	"detente/watch"

	"github.com/google/go-cmp/cmp"
)

// span is a window as a person writes it, from now on.
func span(from, to time.Duration) string {
	now := time.Now().UTC()
	return now.Add(from).Format(time.RFC3339) + "/" + now.Add(to).Format(time.RFC3339)
}

func scan() fields {
	return fields{
		"class": "scan", "window": span(73*time.Hour, 80*time.Hour), "text": "A survey of open resolvers.", "sources": "198.51.100.0/28", "recognition": "SURVEY/1",
		"contact": "+00 1 234", "intensity": "low",
	}
}

// A scan is declared; one thing that is observed is that scan, another is not. The question about it says so at once, on the board and in the file, and the
// answer ties the two.
func TestWhatWasDeclaredIsKnownWhenSomebodyAsks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		notice, declared := xs.opens("nrrc", traffic.Routine, "planned-activity", "", scan())
		pass(74 * time.Hour)
		xs.states("nrrc", notice, "activity-status", fields{"status": "activated", "at": time.Now().UTC().Format(time.RFC3339)})
		pass(time.Minute)

		watched := func(sources string) []casework.Match {
			o, err := casework.Observe(span(-time.Hour, 0), sources, "", "", "")
			must(t, err)
			list, err := xn.Matches(t.Context(), traffic.Real, o)
			must(t, err)
			return list
		}
		if m := watched("198.51.100.7"); len(m) != 1 || m[0].Conclusion != incident.Matches || m[0].Notice.ID != declared || m[0].Number != "XS/NRRC-R-0001" {
			t.Errorf("the scan that was declared: %+v", m)
		}
		if m := watched("203.0.113.9"); len(m) == 1 && m[0].Conclusion == incident.Matches {
			t.Errorf("what was not declared matches: %+v", m)
		}
		before, err := xn.Node.Entries(t.Context())
		must(t, err)
		watched("198.51.100.7")
		pass(time.Hour)
		if after, err := xn.Node.Entries(t.Context()); err != nil || after != before {
			t.Errorf("looking has left %d entries in feeds (%v)", after-before, err)
		}

		number, asked := xn.opens("nrrc", traffic.Priority, "clarification", "", fields{
			"asked": "check", "observed": span(-30*time.Minute, 0), "observation": "Many small queries.", "sources": "198.51.100.7", "severity": "none",
		})
		_, other := xn.opens("nrrc", traffic.Priority, "clarification", "", fields{
			"asked": "check", "observed": span(-30*time.Minute, 0), "observation": "Sign-ins from an unknown place.", "sources": "203.0.113.9",
		})
		pass(time.Minute)
		if got := xs.Announced(asked); got != "XS/NRRC-R-0001" {
			t.Errorf("the question about the scan is announced as %q", got)
		}
		if got := xs.Announced(other); got != "" {
			t.Errorf("the other question is announced as %q", got)
		}
		v, err := xs.Floor.Watch(t.Context(), "", "")
		must(t, err)
		said := map[statement.ID]string{}
		for _, it := range v.Items {
			if it.Kind == watch.Acknowledge {
				said[it.Statement] = it.Say
			}
		}
		if said[asked] != "acknowledge.announced" || said[other] != "acknowledge" {
			t.Errorf("the board says %q and %q", said[asked], said[other])
		}
		d, err := xs.Declared(t.Context(), xs.file(number))
		must(t, err)
		if len(d) != 1 || d[0].Notice.ID != declared {
			t.Errorf("the file shows %+v", d)
		}

		xs.states("nrrc", number, "reply", fields{"finding": "declared-activity", "declared": d[0].Number, "notice": declared.String()})
		pass(time.Minute)
		for _, c := range []*capital{xn, xs} {
			if got := c.stands(number); got != "clarification declared" {
				t.Errorf("%s: the case stands %s", c.ID, got)
			}
			if l := c.file(number).Sheets[0].Links; len(l) != 1 || l[0].Notice != declared {
				t.Errorf("%s: %+v", c.ID, l)
			}
		}

		// A cancelled notice announces nothing any more: the match goes with it.
		xs.states("nrrc", notice, "activity-status", fields{"status": "completed", "at": time.Now().UTC().Add(-90 * time.Minute).Format(time.RFC3339)})
		pass(time.Minute)
		if got := xs.Announced(asked); got != "" {
			t.Errorf("it was over by then, and is still announced as %q", got)
		}
	})
}

// A case from its opening to its closing by both, over two channels, with the line cut for most of a day and one node started anew in the middle.
func TestACaseFromBothSides(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		report := []byte(`{"type": "bundle"}`)
		number, asked := xn.opens("nrrc", traffic.Priority, "clarification", "", fields{
			"asked": "check,stop", "observed": span(-2*time.Hour, -time.Hour), "observation": "Sign-ins to a control room.", "sources": "203.0.113.9", "severity": "major",
			"severity_own": "level 4", "confidence": "moderate",
		}, report)
		if number != "xn/26-0001" && number != "xn/00-0001" {
			t.Error("the first number is", number)
		}
		technical, _ := xn.opens("cert", traffic.Priority, "clarification", number, fields{"asked": "check", "observed": span(-2*time.Hour, -time.Hour), "observation": "Logs."})
		pass(time.Minute)
		if f := xs.file(number); len(f.Sheets) != 2 || technical != number {
			t.Fatalf("%d sheets", len(f.Sheets))
		}
		if b, err := xs.Node.Blob(t.Context(), firstFile(t, xs.file(number))); err != nil || string(b) != string(report) {
			t.Errorf("the report: %q, %v", b, err)
		}
		if diff := cmp.Diff([]string{"case.first-word " + number, "case.first-word " + number}, xs.board()); diff != "" {
			t.Error(diff)
		}
		if got := xn.board(); len(got) != 0 {
			t.Error("nothing is owed by the asker, and the board says", got)
		}

		xs.acknowledges(asked)
		xs.states("nrrc", number, "interim", fields{"status": "checking"})
		pass(time.Minute)
		if diff := cmp.Diff([]string{"case.first-word " + number}, xs.board()); diff != "" {
			t.Error("of the two channels one has its first word:", diff)
		}

		// The line is cut; both go on. The one asks for data, which are not there in time; the other's node is started anew meanwhile.
		w.Sever(true)
		xs.states("nrrc", number, "interim", fields{"status": "need-data", "data": "The names of the hosts."})
		pass(13 * time.Hour)
		if got := xn.board(); !slices.Contains(got, "case.missed "+number) {
			t.Error("the cert's first word has not come, and the board says", got)
		}
		was := xs.board()
		xs.Stop()
		xs.Start()
		pass(time.Minute)
		if diff := cmp.Diff(was, xs.board()); diff != "" {
			t.Error("a new process sees another board:", diff)
		}
		pass(5 * time.Hour)
		xn.states("nrrc", number, "dissemination", fields{"passed_to": "cert,operators", "confirmed_by": "cert"})
		w.Sever(false)
		pass(30 * time.Minute)
		same(t, xn, xs, number)
		if got := xn.board(); !slices.Contains(got, "case.data "+number) {
			t.Error("data were asked for, and the board says", got)
		}

		xn.states("nrrc", number, "particulars", fields{"text": "Two hosts.", "networks": "192.0.2.0/30"})
		pass(time.Minute)
		if got := xs.board(); !slices.Contains(got, "case.explain "+number) {
			t.Error("with the data the answer is due again, and the board says", got)
		}
		xs.states("nrrc", number, "reply", fields{"finding": "confirmed-stopped", "measures": "The host was taken off the network.", "confidence": "high"})
		pass(time.Minute)
		if got := xn.board(); !slices.Contains(got, "case.closing "+number) {
			t.Error("it is answered, and the board says", got)
		}
		xs.states("nrrc", number, "incident-report", fields{
			"case": number, "observed": span(-200*time.Hour, -199*time.Hour), "summary": "A stolen password was used.", "severity": "moderate", "outcome": "open",
		})
		xn.states("nrrc", number, "closure", fields{"outcome": "agreed"})
		pass(time.Minute)
		xs.states("nrrc", number, "closure-answer", fields{"decision": "accepted", "review": "true"})
		pass(time.Minute)
		same(t, xn, xs, number)
		for _, c := range []*capital{xn, xs} {
			i := slices.IndexFunc(c.file(number).Sheets, func(s casework.Sheet) bool { return s.Name.Channel == w.Channels["nrrc"] })
			s := c.file(number).Sheets[i]
			if s.View.Outcome != "agreed" || !s.Review || len(s.Passings) != 1 || len(s.Severity) != 2 {
				t.Errorf("%s: outcome %q, review %v, %d passings, severity %+v", c.ID, s.View.Outcome, s.Review, len(s.Passings), s.Severity)
			}
			if r := c.file(number).Report(); r["outcome"] != "agreed" || r["measures"] == "" || r["summary"] == "" || r["observed"] == "" || r["case"] != number {
				t.Errorf("%s: the report is drafted as %v", c.ID, r)
			}
		}
		if got := xn.board(); slices.Contains(got, "case.closing "+number) {
			t.Error("it is closed, and the board says", got)
		}
		sameLedger(t, w, xn, xs)
	})
}

// Observe, ask, check, stop: a request to cease runs by its short clock, which the boards of both sides show.
func TestARequestToCeaseIsAnsweredInTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		words := fields{"observed": span(-time.Hour, 0), "observation": "Commands reach a dispatch system.", "stop": "The traffic.", "sources": "203.0.113.7"}
		number, asked := xn.opens("nrrc", traffic.Immediate, "cease-request", "", words)
		late, _ := xn.opens("nrrc", traffic.Immediate, "cease-request", "", words)
		pass(time.Minute)
		if diff := cmp.Diff([]string{"case.cease-check " + number, "case.cease-check " + late}, slices.Sorted(slices.Values(xs.board()))); diff != "" {
			t.Error(diff)
		}
		xs.acknowledges(asked)
		xs.states("nrrc", number, "interim", fields{"status": "checking"})
		pass(40 * time.Minute)
		if got := xn.board(); !slices.Equal(got, []string{"case.missed " + late}) {
			t.Error("one was checked in time, and the board says", got)
		}
		xs.states("nrrc", number, "reply", fields{"finding": "confirmed-stopped", "measures": "Taken off."})
		pass(time.Minute)
		if got := xn.stands(number); got != "cease stopped" {
			t.Error(got)
		}
		sameLedger(t, w, xn, xs)
	})
}

// An account is drawn from what is kept of each dossier, and is the one that is drawn from the database, whatever was said in between.
func TestTheLedgerReadsOnlyWhatHasChanged(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		nrrc := w.Channels["nrrc"]
		year := func() ledger.Period { return ledger.Year(time.Now()).ClosedAt(time.Now()) }
		agrees := func(what string, unread int) {
			t.Helper()
			pass(time.Minute)
			must(t, xs.Read(t.Context()))
			if got := xs.Unread(nrrc); got != unread {
				t.Errorf("%s: %d dossiers are to be read, not %d", what, got, unread)
			}
			of := []ledger.Period{year(), ledger.Month(time.Now()).ClosedAt(time.Now().Add(-30 * time.Minute)), ledger.Year(time.Now().AddDate(-1, 0, 0))}
			drawn := func() (all []string) {
				for _, p := range of {
					a, published, err := xs.Account(t.Context(), nrrc, traffic.Real, p)
					must(t, err)
					text, err := json.Marshal([]any{a, published})
					must(t, err)
					digest := a.Digest()
					all = append(all, string(text), string(digest[:]))
				}
				return all
			}
			kept := drawn()
			if got := xs.Unread(nrrc); got != 0 {
				t.Errorf("%s: after it was drawn, %d dossiers are to be read", what, got)
			}
			again, weight := drawn(), xs.Weighs()
			xs.Forget()
			anew := drawn()
			if diff := cmp.Diff(anew, kept) + cmp.Diff(anew, again); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
			if xs.Weighs() != weight || weight == 0 {
				t.Errorf("%s: what is kept weighs %d, and %d anew", what, weight, xs.Weighs())
			}
		}
		words := fields{"asked": "check", "observed": span(-2*time.Hour, -time.Hour), "observation": "Sign-ins.", "sources": "203.0.113.9"}
		first, asked := xn.opens("nrrc", traffic.Priority, "clarification", "", words)
		second, _ := xn.opens("nrrc", traffic.Priority, "clarification", "", words)
		xn.opens("cert", traffic.Priority, "clarification", second, words)
		agrees("two questions", 2)
		agrees("nothing new", 0)
		xs.acknowledges(asked)
		agrees("an acknowledgement", 1)
		xs.states("nrrc", first, "interim", fields{"status": "checking"})
		xs.states("nrrc", second, "reply", fields{"finding": "not-confirmed"})
		agrees("an interim reply and an answer", 2)
		pass(40 * time.Hour) // in which a time limit goes by, and nobody says a word
		agrees("silence", 0)
		xn.sends(node.Draft{
			Channel: nrrc, Precedence: traffic.Routine, Post: "nrrc", Audience: "xs/nrrc", Form: "cancellation", Dossier: asked, Refs: []statement.ID{asked},
		}, fields{"reason": "It was our own."})
		agrees("a cancellation", 1)
		before, _, err := xs.Account(t.Context(), nrrc, traffic.Real, year())
		must(t, err)
		xs.Stop()
		xs.Start()
		must(t, xs.Read(t.Context()))
		agrees("a new process", 2)
		after, _, err := xs.Account(t.Context(), nrrc, traffic.Real, before.Period)
		must(t, err)
		if before.Digest() != after.Digest() || len(after.Requests) != 2 {
			t.Errorf("a new process draws another account, of %d requests", len(after.Requests))
		}
		sameLedger(t, w, xn, xs)
	})
}

func firstFile(t *testing.T, f *casework.File) [32]byte {
	t.Helper()
	for _, s := range f.Sheets {
		for _, e := range s.Entries {
			if list, _ := e.Values["attachments"].([]any); len(list) > 0 {
				return [32]byte(list[0].(map[string]any)["hash"].([]byte))
			}
		}
	}
	t.Fatal("no file")
	return [32]byte{}
}

// same holds that both sides see one case, to the last word.
func same(t *testing.T, xn, xs *capital, number string) {
	t.Helper()
	told := func(c *capital) (out []string) {
		for _, s := range c.file(number).Sheets {
			out = append(out, s.View.Machine+" "+s.View.State+" "+s.View.Outcome)
			for _, e := range s.Entries {
				out = append(out, e.Number+" "+e.Form+" "+e.From+" "+e.To+" "+e.Why)
			}
			for _, d := range s.View.Owed {
				out = append(out, d.ID+" "+string(d.Owner)+" "+d.At.String())
			}
		}
		return out
	}
	if diff := cmp.Diff(told(xn), told(xs)); diff != "" {
		t.Error("xn and xs see the case differently:", diff)
	}
}

// sameLedger holds that both sides draw one account, to the byte.
func sameLedger(t *testing.T, w *world, xn, xs *capital) {
	t.Helper()
	draw := func(c *capital) *ledger.Account {
		a, _, err := c.Account(t.Context(), w.Channels["nrrc"], traffic.Real, ledger.Year(time.Now()).ClosedAt(time.Now()))
		must(t, err)
		return a
	}
	a, b := draw(xn), draw(xs)
	if a.Digest() != b.Digest() {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		t.Errorf("xn draws\n%s\nxs draws\n%s", x, y)
	}
	if len(a.Requests) == 0 {
		t.Error("the account is empty")
	}
}
