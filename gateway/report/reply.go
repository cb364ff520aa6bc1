package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"strings"
	"time"

	"detente/label"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"golang.org/x/text/encoding/htmlindex"
)

// ErrMail says that a mail cannot be read; the text says why.
var ErrMail = errors.New("report: the mail cannot be read")

// MaxMail is the largest mail that is read.
const MaxMail = 24 << 20

// Reply is a mail that came. Nothing in it is proved but what is said to be: anybody can write a sender into a mail.
type Reply struct {
	Ticket  Ticket   // the own number that it is about; zero if it names none
	Answers bool     // it answers to a mail of ours that its sender has had: the id proves it
	Theirs  []Ticket // other numbers in its subject
	From    string   // the address that it says it comes from
	Subject string
	Date    time.Time // as it says
	ID      string    // of the message; empty if it has none

	Text  string // of its first part that is text
	Files []File // every other part, the names made safe

	Signed  bool   // the signature is good, of a key that is known
	By      string // the fingerprint of that key
	Team    string // the name under which the key is known
	Matches bool   // the key says that the address From is its owner's
	Sealed  bool   // it was encrypted to us
	Flaw    string // why a signature that is there does not count

	TLP   label.TLP   // in the subject or the first line; Unmarked if neither says
	Plane label.Plane // an exercise or a test if the subject says so
	Auto  bool        // a machine sent it: it must not be answered by one
}

// Known is a team whose key is known.
type Known struct {
	Name string
	Key  *Key
}

// Receive reads a mail: finds the own number, decrypts, checks the signature. Error: ErrMail.
func (d *Desk) Receive(raw []byte, queue string, known []Known, now time.Time) (*Reply, error) {
	if len(raw) > MaxMail {
		return nil, fmt.Errorf("%w: over %d bytes", ErrMail, MaxMail)
	}
	whole, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMail, err)
	}
	if len(whole.header) == 0 {
		return nil, fmt.Errorf("%w: it has no header", ErrMail)
	}
	r := &reader{desk: d, known: known, now: now, parts: maxParts, reply: &Reply{Plane: label.Real}}
	if err := r.entity(whole, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMail, err)
	}
	r.head(whole.header, queue)
	return r.reply, nil
}

const maxHeader = 128 << 10

// head reads what the header says, when it is known what was signed.
func (r *reader) head(h mail.Header, queue string) {
	p := r.reply
	p.Subject = decodeWords(h.Get("Subject"))
	if r.subject != "" { // a signed or sealed one counts more
		p.Subject = r.subject
	}
	if len(p.Subject) > 2000 {
		p.Subject = strings.ToValidUTF8(p.Subject[:2000], "")
	}
	if a, err := mail.ParseAddress(decodeWords(h.Get("From"))); err == nil {
		p.From = strings.ToLower(a.Address)
	}
	p.Date, _ = h.Date()
	p.ID = strings.Trim(h.Get("Message-Id"), "<> \t")
	if auto := strings.ToLower(h.Get("Auto-Submitted")); auto != "" && auto != "no" || h.Get("X-Auto-Response-Suppress") != "" || strings.EqualFold(h.Get("Precedence"), "bulk") {
		p.Auto = true
	}
	for _, t := range Tickets(p.Subject) {
		if strings.EqualFold(t.Queue, queue) && p.Ticket == (Ticket{}) {
			p.Ticket = Ticket{Queue: queue, Number: t.Number}
			continue
		}
		p.Theirs = append(p.Theirs, t)
	}
	ids := strings.Fields(h.Get("In-Reply-To") + " " + h.Get("References"))
	for _, id := range ids[:min(len(ids), 100)] {
		t, ok := ownMessage(r.desk.secret, id)
		if ok && strings.EqualFold(t.Queue, queue) && (p.Ticket == (Ticket{}) || p.Ticket == t) {
			p.Ticket, p.Answers = t, true
		}
	}
	upper := strings.ToUpper(p.Subject)
	for _, plane := range []label.Plane{label.Exercise, label.Test} {
		if strings.Contains(upper, "["+plane.Flag()+"]") {
			p.Plane = plane
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(p.Text), "\n")
	for _, word := range append(strings.Fields(p.Subject), strings.Fields(first)...) {
		if strings.HasPrefix(strings.ToUpper(word), "TLP:") {
			t, ok := label.ParseTLP(strings.Trim(word, "[](),;."))
			if !ok {
				t = label.TLPRed
			}
			p.TLP = p.TLP.Narrower(t)
		}
	}
	if r.signer != nil {
		for _, a := range r.signer.Key.Addresses() {
			p.Matches = p.Matches || a == p.From
		}
	}
}

// words decodes the words of a header that are not ASCII.
func decodeWords(s string) string {
	d := mime.WordDecoder{CharsetReader: charset}
	out, err := d.DecodeHeader(s)
	if err != nil {
		return s
	}
	return out
}

// charset reads the characters that mails are written in, in all six languages.
func charset(name string, in io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(strings.ToLower(name))
	if err != nil {
		return nil, err
	}
	return e.NewDecoder().Reader(in), nil
}

// keyring are the keys by which a signature may be good, and the own one to decrypt with.
func (r *reader) keyring() openpgp.EntityList {
	list := openpgp.EntityList{r.desk.key.entity}
	for _, k := range r.known {
		if k.Key != nil {
			list = append(list, k.Key.entity)
		}
	}
	return list
}

// signedBy notes a good signature: only that of a team that is known counts.
func (r *reader) signedBy(e *openpgp.Entity) {
	for i, k := range r.known {
		if k.Key != nil && e != nil && bytes.Equal(k.Key.entity.PrimaryKey.Fingerprint, e.PrimaryKey.Fingerprint) {
			r.signer = &r.known[i]
			r.reply.Signed, r.reply.By, r.reply.Team = true, k.Key.Fingerprint(), k.Name
			return
		}
	}
	r.reply.Flaw = "the key is not known"
}

// decrypt opens what was encrypted to the own key. The signature in it counts only if it covers the whole mail.
func (r *reader) decrypt(sealed []byte, whole bool) ([]byte, error) {
	block, err := armor.Decode(bytes.NewReader(sealed))
	if err != nil {
		return nil, fmt.Errorf("its armour: %w", err)
	}
	most := int64(MaxMail)
	md, err := openpgp.ReadMessage(block.Body, r.keyring(), nil, &packet.Config{Time: func() time.Time { return r.now }, MaxDecompressedMessageSize: &most})
	if err != nil {
		return nil, fmt.Errorf("it cannot be decrypted: %w", err)
	}
	if !md.IsEncrypted {
		return nil, errors.New("it says that it is encrypted, and is not")
	}
	b, err := io.ReadAll(io.LimitReader(md.UnverifiedBody, MaxMail+1))
	if err != nil {
		return nil, fmt.Errorf("it cannot be decrypted: %w", err)
	}
	if len(b) > MaxMail {
		return nil, errors.New("it grows too large")
	}
	r.reply.Sealed = true
	switch {
	case !md.IsSigned:
	case md.SignedBy == nil:
		r.reply.Flaw = "the key is not known"
	case md.SignatureError != nil:
		r.reply.Flaw = "the signature is bad"
	case !whole:
		r.reply.Flaw = "only a part is signed"
	default:
		r.signedBy(md.SignedBy.Entity)
	}
	return b, nil
}

// verify checks a signature over exact bytes.
func (r *reader) verify(signed, signature []byte) {
	signer, err := openpgp.CheckArmoredDetachedSignature(r.keyring(), bytes.NewReader(crlf(signed)), bytes.NewReader(signature), &packet.Config{Time: func() time.Time { return r.now }})
	if err != nil {
		r.reply.Flaw = "the signature is bad, or its key not known"
		return
	}
	r.signedBy(signer)
}
