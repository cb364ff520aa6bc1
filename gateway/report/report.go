// Package report is the report that a person at a CERT reads: one mail for one incident and one network identifier, signed and encrypted, and the answers to it.
// It must never send what its label forbids, leave out what a CERT cannot work without, or believe the sender of an answer that is not signed.
package report

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"detente/label"
)

// Errors of a report that does not go out. What its label forbids is a [label.Refusal].
var (
	ErrMissing = errors.New("report: it lacks what a CERT needs") // the text lists it
	ErrPlain   = errors.New("report: it may not go unencrypted")  // the recipient has no key
)

// Kind is what a mail is within the exchange about an incident.
type Kind string

// The kinds.
const (
	Opening         Kind = "report"
	Acknowledgement Kind = "acknowledgement" // it has come, with the own number
	Status          Kind = "status"
	Closing         Kind = "closing"
)

// Team is who writes, or who else is in it: an office, never a named person.
type Team struct {
	Name        string
	Mail        string // the address for answers
	Phone       string // for what is urgent
	Fingerprint string // of its OpenPGP key
	About       string // where its RFC 2350 stands
	Member      string // such as "FIRST, TF-CSIRT"
}

// Report is what a mail says. The comment of a field names its group in what CERTs ask for; * marks what a report is refused without. An
// acknowledgement, a status and a closing need only who writes, the number, the label and a text.
type Report struct {
	Kind   Kind
	Team   Team   // 1*: name and mail
	Ticket Ticket // 1*: the own number
	Theirs Ticket // the other side's, once it is known

	Info   bool      // 2*: for information only; else:
	Action string    // 2*: what is asked for
	Until  time.Time // 2*: by when

	Label  label.Parcel // 3*: TLP; 10*: the plane
	Onward []string     // 3: to whom it may go on: of operator, police, vendor, ministry
	Naming bool         // 3: the team may be named as the source

	Identifier string // 4*: one address, prefix, AS number or domain name

	First    time.Time // 5*
	Last     time.Time // 5
	Detected time.Time // 5
	NTP      bool      // 5: the clocks are synchronised
	Clock    string    // 5*: how accurate they are, such as "1 s"

	Evidence Evidence // 6*: at least one of it

	Class      label.Classification // 7*
	CVEs       []string             // 7
	Techniques []string             // 7: of ATT&CK
	Severity   string               // 7: low, medium or high
	Effect     string               // 7: on which services

	Confidence string          // 8*: low, medium or high
	Rating     label.Admiralty // 8
	Relayed    bool            // 8: told by another; else seen by the team itself
	Machine    bool            // 8: made by a machine; else by a person

	Told  []string // 9: who else was
	Done  string   // 9: what was done
	Leave string   // 9: what is not to be touched

	Text  string    // in own words, in the language it is written in
	Files []File    // the machine's form of it
	At    time.Time // when it was written
	Sent  int       // how many mails went out about the ticket before
}

// Evidence is what was seen.
type Evidence struct {
	Source, Destination         string // addresses
	SourcePort, DestinationPort int
	Protocol                    string
	URL                         string
	Hashes                      []string
	Log                         []string // short extracts
	Header                      string   // the full header of a mail, as it was
}

// File is an attachment.
type File struct {
	Name string
	Type string // such as application/stix+json
	Data []byte
}

// The limits of what is sent.
const (
	maxLog   = 100
	maxBody  = 256 << 10
	maxFiles = 20
	maxSize  = 10 << 20 // of all files: what mail servers take
)

// check lists everything that is missing at once.
func (r *Report) check() error {
	var missing []string
	need := func(ok bool, what string) {
		if !ok {
			missing = append(missing, what)
		}
	}
	need(r.Team.Name != "", "the team's name")
	need(strings.Count(r.Team.Mail, "@") == 1 && oneLine(r.Team.Mail), "the address for answers")
	need(r.Ticket.Valid(), "the own number")
	need(r.Theirs == Ticket{} || r.Theirs.Valid(), "a number of the other side that can be written")
	need(!r.At.IsZero(), "the time of writing")
	switch r.Kind {
	case Opening:
		need(r.Info || r.Action != "", "what is asked for, or that it is for information")
		need(r.Info != (r.Action != ""), "either information or an action, not both")
		need(r.Info || !r.Until.IsZero(), "by when")
		_, ok := identifier(r.Identifier)
		need(ok, "one network identifier: an address, a prefix, an AS number or a domain name")
		need(!r.First.IsZero(), "when it was first seen")
		need(r.Clock != "" || r.NTP, "how accurate the clocks are")
		need(r.Evidence.any(), "evidence")
		need(r.Class.Valid(), "class and type of RSIT")
		need(level(r.Confidence), "the confidence: low, medium or high")
		need(r.Severity == "" || level(r.Severity), "a severity low, medium or high")
	case Acknowledgement, Status, Closing:
		need(r.Text != "" || r.Kind == Acknowledgement, "a text")
	default:
		need(false, "its kind")
	}
	size := 0
	for _, f := range r.Files {
		size += len(f.Data)
	}
	need(len(r.Files) <= maxFiles && size <= maxSize, "files that a mail can hold")
	need(len(r.Evidence.Log) <= maxLog && len(r.Text)+len(r.Evidence.Header) <= maxBody, "texts that a mail can hold")
	for _, o := range r.Onward {
		need(strings.Contains(" operator police vendor ministry ", " "+o+" "), "a known recipient beyond: operator, police, vendor, ministry")
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrMissing, strings.Join(missing, "; "))
	}
	return nil
}

func level(s string) bool { return s == "low" || s == "medium" || s == "high" }

func oneLine(s string) bool { return !strings.ContainsAny(s, "\r\n\x00") }

func (e *Evidence) any() bool {
	return e.Source != "" || e.Destination != "" || e.URL != "" || len(e.Hashes) > 0 || len(e.Log) > 0 || e.Header != ""
}

// identifier tells whether s is exactly one network identifier, and writes it in one way.
func identifier(s string) (string, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return a.Unmap().String(), true
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked().String(), true
	}
	if n, ok := strings.CutPrefix(strings.ToUpper(s), "AS"); ok && n != "" && len(n) <= 10 && strings.Trim(n, "0123456789") == "" {
		return "AS" + n, true
	}
	s = strings.TrimSuffix(strings.ToLower(s), ".")
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 {
		return "", false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return "", false
		}
	}
	return s, strings.Trim(labels[len(labels)-1], "0123456789") != ""
}
