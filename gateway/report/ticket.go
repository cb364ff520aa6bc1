package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

// Ticket is a number of an incident, as ticket systems keep it in a subject: [queue #number]. RTIR finds its own by it, and leaves ours where it is.
type Ticket struct{ Queue, Number string }

const maxTickets = 20 // found in one subject

var (
	ticketPart = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)
	// [queue #number], and what OTRS and its heirs write: [Ticket#2026112310000017].
	ticketForm = regexp.MustCompile(`\[([A-Za-z0-9][A-Za-z0-9 ._-]{0,39}?) ?#:? ?([A-Za-z0-9][A-Za-z0-9_-]{0,39})\]`)
)

// Valid tells whether the ticket can stand in a subject, and in the id of a message.
func (t Ticket) Valid() bool {
	return ticketPart.MatchString(strings.NewReplacer(" ", "", ".", "").Replace(t.Queue)) && oneLine(t.Queue) && ticketPart.MatchString(t.Number)
}

// String is the ticket as it stands in a subject.
func (t Ticket) String() string { return "[" + t.Queue + " #" + t.Number + "]" }

// Tickets finds the tickets in a subject.
func Tickets(subject string) []Ticket {
	var all []Ticket
	if len(subject) > 2000 {
		subject = subject[:2000]
	}
	for _, m := range ticketForm.FindAllStringSubmatch(subject, maxTickets) {
		all = append(all, Ticket{Queue: m[1], Number: m[2]})
	}
	return all
}

// messageID names the n-th mail about a ticket: the same however often it is made, so that a mail sent twice is one. The mark in it is known to nobody who has
// not had the mail, so who answers to it has.
func messageID(secret []byte, t Ticket, n int, domain string) string {
	number := t.Number + "." + strconv.Itoa(n)
	return t.Queue + "." + number + "." + mark(secret, t.Queue+"."+number) + "@" + domain
}

func mark(secret []byte, s string) string {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("detente/report/message-id\x00" + s))
	return hex.EncodeToString(m.Sum(nil)[:12])
}

// ownMessage reads an id that messageID made. ok is false if it did not.
func ownMessage(secret []byte, id string) (t Ticket, ok bool) {
	local, _, _ := strings.Cut(strings.Trim(id, "<> \t"), "@")
	parts := strings.Split(local, ".")
	if len(parts) != 4 || len(local) > 200 {
		return Ticket{}, false
	}
	t = Ticket{Queue: parts[0], Number: parts[1]}
	want := mark(secret, strings.Join(parts[:3], "."))
	return t, t.Valid() && hmac.Equal([]byte(want), []byte(parts[3]))
}
