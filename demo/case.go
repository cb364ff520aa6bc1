package demo

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"detente/api"
)

//go:embed stix/amadey.json
var suspects []byte

// scan is the notice of the case: what it is about, and how it is known here.
const (
	scanners = "198.51.100.0/28"
	scanned  = "192.0.2.0/25"
	bank     = "192.0.2.128/25"
	suspect  = "203.0.113.45"
)

// soon is how long after its announcement the window of the scan opens: long enough for the word that it begins to come before, and for the drill to
// be over after it.
const soon = drillLimit * 4 / 5

// declare has Northland announce a scan and begin it.
func (p *play) declare(ctx context.Context) error {
	begun := time.Now().UTC().Add(soon).Truncate(time.Second)
	p.begun = begun
	sent, err := p.open(ctx, p.north, p.south, "planned activity", "R", api.Words{Form: "planned-activity", Text: map[string]string{
		"class": "scan", "window": span(begun, begun.Add(6*time.Hour)), "sources": scanners, "networks": scanned, "sectors": "finance",
		"text":        "A survey of servers that a flaw published this morning leaves open. One question to each host, nothing is changed.",
		"recognition": "User agent SURVEY/1; one packet a second.", "intensity": "low", "contact": "cert, +00 55 0101",
		"short_notice": "The flaw became known today.",
	}})
	if err != nil {
		return err
	}
	p.survey = sent.Case
	p.step("Northland announces a scan in the case %s: from %s, of %s, from %s to %s", p.survey, scanners, scanned, begun.Format("15:04:05Z"),
		begun.Add(6*time.Hour).Format("15:04:05Z"))
	_, err = p.state(ctx, p.north, p.south, "the scan begins", p.survey, words("activity-status", "status", "activated", "at", begun.Format(time.RFC3339)))
	return err
}

// look has Southland see two things, and hold them against what was announced before it says anything.
func (p *play) look(ctx context.Context) error {
	for _, seen := range []struct{ what, from, to string }{{"questions to servers of a bank", "198.51.100.7", "192.0.2.17"}, {"orders to the terminals of a bank", suspect, bank}} {
		if err := p.observe(ctx, seen.what, seen.from, seen.to); err != nil {
			return err
		}
	}
	return nil
}

// observe has Southland hold what it saw against what was announced. Nothing of it leaves its node.
func (p *play) observe(ctx context.Context, what, from, to string) error {
	list, err := p.south.duty().MatchObservation(ctx, api.ObservationRequest{Observed: span(p.begun, time.Now().UTC()), Sources: from, Networks: to}, "en")
	if err != nil {
		return err
	}
	if matched := len(list) > 0; matched != (from != suspect) {
		return fmt.Errorf("demo: what came from %s matches %d notices", from, len(list))
	}
	if len(list) == 0 {
		p.step("Southland sees %s, from %s: nothing that was announced is like it. So it asks", what, from)
		return nil
	}
	m := list[0]
	p.step("Southland sees %s, from %s, and looks before it worries. %s: %s, of %s", what, from, m.Notice.Number, m.Words, name(string(m.Notice.Party)))
	p.note("it agrees in %s; to be compared: %s", strings.Join(m.Hit, ", "), m.Notice.Recognition)
	return nil
}

// clarify has Southland open a case about the second, and Northland say that it looks.
func (p *play) clarify(ctx context.Context) error {
	at := time.Now().UTC().Truncate(time.Minute)
	sent, err := p.open(ctx, p.south, p.north, "clarification", "O", api.Words{
		Form: "clarification", Language: "ru", Marking: "TLP:AMBER", Text: map[string]string{
			"observed": span(at.Add(-2*time.Hour), at), "sector": "finance", "severity": "moderate", "ongoing": "yes", "confidence": "moderate",
			"observation": "Терминалы банка обращаются к серверам управления, описанным в приложении; управление идёт через указанный адрес.",
			"source":      suspect + ", предположительно с вашей территории или через неё.", "sources": suspect, "networks": bank,
			"limits": "Адресом могли пользоваться другие.", "asked": "check,stop,explain", "reply_by": at.Add(6 * time.Hour).Format(time.RFC3339),
		},
		Attachments: []api.Attachment{{Name: "amadey.json", Type: "application/stix+json", Data: suspects}},
	})
	if err != nil {
		return err
	}
	f, err := p.file(ctx, p.north, sent.Case)
	if err != nil {
		return err
	}
	p.number, p.dossier = f.Number, sent
	p.step("Northland's file of the case %s: %s; %d deadlines run", f.Number, f.Stands, len(f.Sheets[0].Owed))
	for _, d := range f.Sheets[0].Owed {
		if !d.Soft {
			p.note("%s owes: %s, until %s", name(string(d.Party)), d.Words, d.At.UTC().Format("02 Jan 15:04Z"))
		}
	}
	if _, err := p.state(ctx, p.north, p.south, "acknowledgement", p.number, words("acknowledgement", "received", now(), "understood", "true", "forwarded_to", "cert")); err != nil {
		return err
	}
	_, err = p.state(ctx, p.north, p.south, "interim: checking", p.number, words("interim", "status", "checking", "text", "The owner of the network has been called."))
	return err
}

// cease has Southland ask that it stops, within the same case and on a shorter clock, and Northland stop it.
func (p *play) cease(ctx context.Context) error {
	at := time.Now().UTC().Truncate(time.Minute)
	sent, err := p.speak(ctx, p.south, api.SendRequest{
		Channel: "nrrc", To: "xn/nrrc", Post: post, Precedence: "O", Dossier: p.dossier.ID, Refs: []string{p.dossier.ID},
		Words: api.Words{Form: "cease-request", Language: "ru", Text: map[string]string{
			"case": p.number, "observed": span(at.Add(-time.Minute), at), "observation": "Управление терминалами продолжается.", "severity": "major",
			"stop": "Обмен между " + suspect + " и терминалами банка.", "sources": suspect, "ongoing": "yes",
		}},
	})
	if err != nil {
		return err
	}
	sent.Case = p.number
	p.note("Southland in %s, request to cease", p.number)
	if err := p.arrived(ctx, sent, p.south, p.north, "cease-request", ""); err != nil {
		return err
	}
	said := func(what string, w api.Words) error {
		_, err := p.about(ctx, p.north, p.south, what, p.number, sent.ID, w)
		return err
	}
	if err := said("acknowledgement", words("acknowledgement", "received", now(), "understood", "true", "forwarded_to", "cert")); err != nil {
		return err
	}
	if err := said("interim: checking", words("interim", "status", "checking")); err != nil {
		return err
	}
	if err := said("reply: stopped", words("reply", "finding", "confirmed-stopped", "measures", "The server was taken off the network; its disk is kept.")); err != nil {
		return err
	}
	f, err := p.file(ctx, p.south, p.number)
	if err != nil {
		return err
	}
	for _, m := range f.Sheets[0].Matters {
		if m.ID == sent.ID && m.State != "stopped" {
			return fmt.Errorf("demo: the request to cease is %s", m.State)
		}
	}
	_, err = p.about(ctx, p.north, p.south, "reply: explained", p.number, p.dossier.ID, words("reply", "finding", "confirmed-stopped",
		"text", "A rented server whose tenant was himself broken into. He was not aware of it.", "confidence", "high"))
	return err
}

// settle closes the case by both, and ends the scan.
func (p *play) settle(ctx context.Context) error {
	if _, err := p.state(ctx, p.south, p.north, "closure proposed", p.number, api.Words{Form: "closure", Language: "ru", Text: map[string]string{
		"outcome": "agreed", "review": "true", "text": "Прекращено и объяснено. Предлагаем рассмотреть на ежегодной встрече.",
	}}); err != nil {
		return err
	}
	if _, err := p.state(ctx, p.north, p.south, "closure accepted", p.number, words("closure-answer", "decision", "accepted")); err != nil {
		return err
	}
	if _, err := p.state(ctx, p.north, p.south, "the scan is over", p.survey, words("activity-status", "status", "completed", "at", now())); err != nil {
		return err
	}
	var stands []string
	for _, a := range []*actor{p.north, p.south} {
		f, err := p.file(ctx, a, p.number)
		if err != nil {
			return err
		}
		if f.Open || f.State != "closed-agreed" {
			return fmt.Errorf("demo: at %s the case %s is %s", a.name, p.number, f.State)
		}
		stands = append(stands, fmt.Sprintf("%s: %s", a.name, f.Stands))
	}
	p.step("the case %s is closed by both, with %d statements. %s", p.number, p.counted(p.number), strings.Join(stands, "; "))
	return nil
}

// counted is how many statements of the story bear a case's number.
func (p *play) counted(number string) (n int) {
	for _, t := range p.told {
		if t.Case == number {
			n++
		}
	}
	return n
}

// account draws the ledger at both ends. Each draws it from what it holds; that both have the same digest is what settles arguments about numbers.
func (p *play) account(ctx context.Context) error {
	var drawn []api.Ledger
	if err := p.south.until(ctx, "one ledger at both", func() (bool, error) {
		drawn = nil
		for _, a := range []*actor{p.north, p.south} {
			l, err := a.duty().Ledger(ctx, api.LedgerQuery{Channel: "nrrc", Period: "month", Lang: "en"})
			if err != nil {
				return false, err
			}
			drawn = append(drawn, l)
		}
		return drawn[0].Digest == drawn[1].Digest, nil // a minute that ends between the two closes them at different moments
	}); err != nil {
		return err
	}
	p.step("the ledger of nrrc, drawn by each from what it holds: both have the digest %s…", drawn[0].Digest[:16])
	p.printf("         │ %-4s %-4s %-34s %-9s %5s %4s %8s %5s %8s\n", "FROM", "TO", "WHAT", "PREC.", "ASKED", "ACK", "IN TIME", "LATE", "PENDING")
	for _, f := range drawn[0].Figures {
		p.printf("         │ %-4s %-4s %-34s %-9s %5d %4d %8d %5d %8d\n", f.From, f.To, short(f.What, 34), f.Precedence, f.Requests, f.Acknowledged, f.InTime, f.Late, f.Pending)
	}
	for _, r := range drawn[1].Requests {
		if r.Form == "cease-request" && r.Outcome == "in-time" {
			p.note("asked to cease at %s, answered at %s: %s", r.Issued.UTC().Format("15:04:05Z"), r.Answered.UTC().Format("15:04:05Z"), r.Words)
			return nil
		}
	}
	return fmt.Errorf("demo: the ledger knows no request to cease that was answered in time")
}

// open has a party open a case.
func (p *play) open(ctx context.Context, by, to *actor, what, precedence string, w api.Words) (api.Sent, error) {
	sent, err := by.duty().OpenCase(ctx, api.CaseRequest{SendRequest: api.SendRequest{
		Channel: "nrrc", To: string(to.id) + "/nrrc", Post: post, Precedence: precedence, Words: w,
	}})
	if sent, err = p.release(ctx, by, sent, err); err != nil {
		return sent, err
	}
	f, err := p.file(ctx, by, sent.ID)
	if err != nil {
		return sent, err
	}
	sent.Case = f.Number
	return sent, p.arrived(ctx, sent, by, to, what, precedence)
}

// state has a party say something in a case: the node finds what it is about.
func (p *play) state(ctx context.Context, by, to *actor, what, number string, w api.Words) (api.Sent, error) {
	return p.about(ctx, by, to, what, number, "", w)
}

func (p *play) about(ctx context.Context, by, to *actor, what, number, id string, w api.Words) (api.Sent, error) {
	sent, err := by.duty().StateInCase(ctx, number, api.CaseStatement{About: id, Post: post, Words: w})
	if sent, err = p.release(ctx, by, sent, err); err != nil {
		return sent, err
	}
	sent.Case = number
	p.note("%s in %s, %s", by.name, number, what)
	return sent, p.arrived(ctx, sent, by, to, what, "")
}

// file is a case as a party sees it.
func (p *play) file(ctx context.Context, a *actor, notation string) (api.CaseFile, error) {
	return a.duty().Case(ctx, notation, "en")
}

// words are the words of a form: names and values of fields.
func words(form string, pairs ...string) api.Words {
	w := api.Words{Form: form, Text: make(map[string]string)}
	for i := 0; i+1 < len(pairs); i += 2 {
		w.Text[pairs[i]] = pairs[i+1]
	}
	return w
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

func span(from, to time.Time) string {
	return from.Format(time.RFC3339) + "/" + to.Format(time.RFC3339)
}

// name is a party of the story by its English name.
func name(id string) string {
	for _, c := range cast() {
		if string(c.id) == id {
			return c.name["en"]
		}
	}
	return "whoever is asked"
}
