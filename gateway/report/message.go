package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"time"

	"detente/form"
	"detente/label"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"golang.org/x/text/language"
)

// Recipient is a team that is written to.
type Recipient struct {
	Name      string // as labels name it: a party or post
	Mail      string
	Key       *Key           // nil: it has none, and gets only what may be read on the way
	Languages []language.Tag // in which it reads; none is English
}

// Desk writes mails. It may be used by several goroutines.
type Desk struct {
	key    *Key
	secret []byte
	book   *form.Phrasebook
}

// NewDesk makes a desk that signs with the own key. The secret marks the ids of its messages; it must stay the same, or answers to earlier mails
// are known by their number only. Error: ErrKey.
func NewDesk(key *Key, secret []byte) (*Desk, error) {
	if key == nil || key.entity.PrivateKey == nil {
		return nil, fmt.Errorf("%w: its secret part is needed to sign", ErrKey)
	}
	if len(secret) < 32 {
		return nil, errors.New("report: a secret of 32 bytes is needed")
	}
	book, err := phrases()
	if err != nil {
		return nil, err
	}
	return &Desk{key: key, secret: secret, book: book}, nil
}

// Message is a mail as it goes out.
type Message struct {
	From, To string
	ID       string // of the message, without brackets
	Subject  string
	Raw      []byte // header and body, lines end with CRLF
	Sealed   bool   // it is encrypted
}

// Write makes the mail of a report for one recipient: signed, and encrypted if the recipient has a key. What is narrower than GREEN goes encrypted or not at
// all. The subject of a RED one says no more than its numbers: mail servers read it. Errors: ErrMissing, ErrPlain, ErrKey; a [label.Refusal].
func (d *Desk) Write(r *Report, to Recipient) (*Message, error) {
	if err := label.Leave(r.Label, label.Path{Audience: label.Named, Recipients: []string{to.Name}, Plane: r.Label.Plane}); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	if _, err := mail.ParseAddress(to.Mail); err != nil || !oneLine(to.Mail) || strings.ContainsAny(to.Mail, "<>, ") {
		return nil, fmt.Errorf("%w: the recipient's address %.80q", ErrMissing, to.Mail)
	}
	if to.Key == nil && r.Label.TLP.Audience() < label.Community {
		return nil, fmt.Errorf("%w: %s for %s", ErrPlain, r.Label.TLP, to.Name)
	}
	languages := to.Languages
	if len(languages) == 0 {
		languages = []language.Tag{language.English}
	}
	_, domain, _ := strings.Cut(r.Team.Mail, "@")
	m := &Message{From: r.Team.Mail, To: to.Mail, Sealed: to.Key != nil, Subject: r.subject(to.Key != nil && r.Label.TLP == label.TLPRed)}
	m.ID = messageID(d.secret, r.Ticket, r.Sent, domain)
	inner := d.inner(r, languages)
	wrapped, err := d.wrap(inner, r, to)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	header(&b, "From", (&mail.Address{Name: r.Team.Name, Address: r.Team.Mail}).String())
	header(&b, "To", "<"+to.Mail+">")
	header(&b, "Subject", mime.QEncoding.Encode("utf-8", m.Subject))
	header(&b, "Date", r.At.UTC().Format(time.RFC1123Z))
	header(&b, "Message-ID", "<"+m.ID+">")
	if r.Sent > 0 {
		first := "<" + messageID(d.secret, r.Ticket, 0, domain) + ">"
		last := "<" + messageID(d.secret, r.Ticket, r.Sent-1, domain) + ">"
		header(&b, "In-Reply-To", last)
		if first != last {
			first += " " + last
		}
		header(&b, "References", first)
	}
	header(&b, "MIME-Version", "1.0")
	if r.Machine {
		header(&b, "Auto-Submitted", "auto-generated")
	}
	b.Write(wrapped)
	m.Raw = b.Bytes()
	return m, nil
}

func header(b *bytes.Buffer, name, value string) {
	// A value holds no line's end: check has seen to that, or it was encoded.
	b.WriteString(name + ": " + strings.NewReplacer("\r", " ", "\n", " ").Replace(value) + "\r\n")
}

// inner is the entity that is signed: the text, and the files beside it. Its first header repeats the subject, so that it is signed and kept secret too.
func (d *Desk) inner(r *Report, languages []language.Tag) []byte {
	var b bytes.Buffer
	boundary := boundaryOf("inner", r)
	mixed := len(r.Files) > 0
	subject := "; protected-headers=\"v1\"\r\nSubject: " + mime.QEncoding.Encode("utf-8", r.subject(false)) + "\r\n"
	if mixed {
		b.WriteString("Content-Type: multipart/mixed; boundary=\"" + boundary + "\"" + subject + "\r\n--" + boundary + "\r\nContent-Type: text/plain; charset=utf-8\r\n")
	} else {
		b.WriteString("Content-Type: text/plain; charset=utf-8" + subject)
	}
	b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = io.WriteString(q, strings.ReplaceAll(r.text(d.book, languages), "\n", "\r\n")) // into memory
	_ = q.Close()
	for _, f := range r.Files {
		b.WriteString("\r\n--" + boundary + "\r\n")
		b.WriteString("Content-Type: " + mediaType(f.Type) + "\r\nContent-Disposition: " + mime.FormatMediaType("attachment", map[string]string{"filename": fileName(f.Name)}) + "\r\n")
		b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
		for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(f.Data)), 76) {
			b.Write(line)
			b.WriteString("\r\n")
		}
	}
	if mixed {
		b.WriteString("\r\n--" + boundary + "--\r\n")
	}
	return b.Bytes()
}

func mediaType(s string) string {
	t, p, err := mime.ParseMediaType(s)
	if err != nil || !strings.Contains(t, "/") || strings.HasPrefix(t, "multipart/") || strings.HasPrefix(t, "message/") {
		return "application/octet-stream"
	}
	return mime.FormatMediaType(t, p)
}

// fileName keeps what is a name on every system.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "")
	}
	if strings.Trim(s, ".") == "" {
		return "file"
	}
	return s
}

// boundaryOf is a line that the parts do not hold: they would have to hold the hash of what they are part of.
func boundaryOf(what string, r *Report) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %d %s", what, r.Ticket, r.Sent, r.Text)
	for _, f := range r.Files {
		h.Write(f.Data)
	}
	return "=_" + hex.EncodeToString(h.Sum(nil)[:15])
}

// wrap signs, and encrypts where there is a key: RFC 3156.
func (d *Desk) wrap(inner []byte, r *Report, to Recipient) ([]byte, error) {
	var b bytes.Buffer
	outer := boundaryOf("outer", r)
	if to.Key != nil {
		if err := to.Key.Usable(r.At); err != nil {
			return nil, err
		}
		sealed, err := encrypt(inner, to.Key, d.key, r.At)
		if err != nil {
			return nil, err
		}
		b.WriteString("Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"" + outer + "\"\r\n\r\n")
		b.WriteString("--" + outer + "\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n")
		b.WriteString("--" + outer + "\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\nContent-Disposition: inline; filename=\"encrypted.asc\"\r\n\r\n")
		b.Write(crlf(sealed))
		b.WriteString("\r\n--" + outer + "--\r\n")
		return b.Bytes(), nil
	}
	signature, err := sign(inner, d.key, r.At)
	if err != nil {
		return nil, err
	}
	b.WriteString("Content-Type: multipart/signed; micalg=pgp-sha512; protocol=\"application/pgp-signature\"; boundary=\"" + outer + "\"\r\n\r\n")
	b.WriteString("--" + outer + "\r\n")
	b.Write(inner)
	b.WriteString("\r\n--" + outer + "\r\nContent-Type: application/pgp-signature; name=\"signature.asc\"\r\nContent-Disposition: attachment; filename=\"signature.asc\"\r\n\r\n")
	b.Write(crlf(signature))
	b.WriteString("\r\n--" + outer + "--\r\n")
	return b.Bytes(), nil
}

func crlf(b []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

func armoured(w io.Writer, kind string) (io.WriteCloser, error) {
	a, err := armor.Encode(w, kind, nil)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return a, nil
}
