package report

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"detente/gateway/kind"
)

// The limits of what a mail may be made of.
const (
	maxParts    = 200
	maxNesting  = 8
	maxReplyTxt = 1 << 20
	maxReplies  = 50 // files
)

// entity is a part of a mail, or the whole.
type entity struct {
	header mail.Header
	body   []byte
}

// reader takes a mail apart.
type reader struct {
	desk    *Desk
	known   []Known
	now     time.Time
	reply   *Reply
	parts   int    // that may still come
	signer  *Known // of the good signature
	subject string // that stands within what was signed or sealed
	inside  bool   // of something signed or sealed
}

func (r *reader) entity(e entity, depth int) error {
	if r.parts--; r.parts < 0 || depth > maxNesting {
		return fmt.Errorf("it has more than %d parts, or is nested deeper than %d", maxParts, maxNesting)
	}
	media, params, err := mime.ParseMediaType(e.header.Get("Content-Type"))
	if err != nil {
		media, params = "text/plain", map[string]string{}
	}
	if r.inside && r.subject == "" && params["protected-headers"] != "" {
		r.subject = decodeWords(e.header.Get("Subject"))
	}
	switch {
	case media == "multipart/encrypted" && strings.EqualFold(params["protocol"], "application/pgp-encrypted"):
		return r.sealed(e, params["boundary"], depth)
	case media == "multipart/signed" && strings.EqualFold(params["protocol"], "application/pgp-signature"):
		return r.signed(e, params["boundary"], depth)
	case strings.HasPrefix(media, "multipart/"):
		parts, err := split(e.body, params["boundary"], r.parts)
		if err != nil {
			return err
		}
		for _, p := range parts {
			one, err := parse(p)
			if err != nil {
				return err
			}
			if err := r.entity(one, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return r.leaf(e, media, params)
}

// leaf reads a part that has no parts.
func (r *reader) leaf(e entity, media string, params map[string]string) error {
	body, err := decode(e.header.Get("Content-Transfer-Encoding"), e.body)
	if err != nil {
		return err
	}
	disposition, more, err := mime.ParseMediaType(e.header.Get("Content-Disposition"))
	if err != nil {
		disposition = ""
	}
	if media == "text/plain" && disposition != "attachment" && r.reply.Text == "" {
		text := body
		if bytes.Contains(body, []byte("-----BEGIN PGP MESSAGE-----")) && !r.reply.Sealed {
			// Older programs encrypt the text, and leave the mail as it is.
			if text, err = r.decrypt(body[bytes.Index(body, []byte("-----BEGIN PGP MESSAGE-----")):], false); err != nil {
				return err
			}
		}
		in, err := charset(or(params["charset"], "utf-8"), bytes.NewReader(text))
		if err != nil {
			in = bytes.NewReader(text)
		}
		if text, err = io.ReadAll(io.LimitReader(in, maxReplyTxt)); err != nil {
			return fmt.Errorf("its text: %w", err)
		}
		r.reply.Text = strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\r\n", "\n")
		return nil
	}
	if len(r.reply.Files) >= maxReplies {
		return fmt.Errorf("it has more than %d files", maxReplies)
	}
	r.reply.Files = append(r.reply.Files, File{Name: fileName(decodeWords(or(or(more["filename"], params["name"]), "part"))), Type: media, Data: body})
	return nil
}

// Kind tells what a file is, by its content and not by what the mail says of it.
func (f File) Kind() kind.Kind { return kind.Of(f.Data) }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// sealed reads RFC 3156, section 4: the second part is the message.
func (r *reader) sealed(e entity, boundary string, depth int) error {
	if r.reply.Sealed {
		return errors.New("it is encrypted twice")
	}
	parts, err := split(e.body, boundary, r.parts)
	if err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("an encrypted mail of %d parts", len(parts))
	}
	p, err := parse(parts[1])
	if err != nil {
		return err
	}
	body, err := decode(p.header.Get("Content-Transfer-Encoding"), p.body)
	if err != nil {
		return err
	}
	plain, err := r.decrypt(body, depth == 0)
	if err != nil {
		return err
	}
	inner, err := parse(plain)
	if err != nil {
		return err
	}
	r.inside = true
	return r.entity(inner, depth+1)
}

// signed reads RFC 3156, section 5: the first part is signed as it stands, with its header. Only what is the outermost counts: a signature over a
// part says nothing of the rest.
func (r *reader) signed(e entity, boundary string, depth int) error {
	parts, err := split(e.body, boundary, r.parts)
	if err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("a signed mail of %d parts", len(parts))
	}
	inner, err := parse(parts[0])
	if err != nil {
		return err
	}
	s, err := parse(parts[1])
	if err != nil {
		return err
	}
	signature, err := decode(s.header.Get("Content-Transfer-Encoding"), s.body)
	if err != nil {
		return err
	}
	if depth == 0 || depth == 1 && r.reply.Sealed {
		r.verify(parts[0], signature)
		r.inside = r.inside || r.reply.Signed
	} else {
		r.reply.Flaw = "only a part is signed"
	}
	return r.entity(inner, depth+1)
}

// split cuts a body at its boundary, and keeps every byte of the parts: a signature is over them. The line's end before a boundary belongs to the boundary.
func split(body []byte, boundary string, most int) ([][]byte, error) {
	if boundary == "" || len(boundary) > 200 {
		return nil, errors.New("parts without a boundary")
	}
	mark := []byte("--" + boundary)
	var parts [][]byte
	start := -1
	for at := 0; at < len(body); {
		end := len(body)
		if i := bytes.IndexByte(body[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if rest, ok := bytes.CutPrefix(body[at:end], mark); ok {
			rest = bytes.TrimRight(rest, " \t\r\n")
			last := string(rest) == "--"
			if len(rest) == 0 || last {
				if start >= 0 {
					stop := at - 1 // the \n
					if stop > start && body[stop-1] == '\r' {
						stop--
					}
					parts = append(parts, body[start:max(start, stop)])
					if len(parts) > most {
						return nil, fmt.Errorf("more than %d parts", maxParts)
					}
				}
				if last {
					return parts, nil
				}
				start = end
			}
		}
		at = end
	}
	if start < 0 {
		return nil, errors.New("parts that the boundary does not part")
	}
	return append(parts, body[start:]), nil
}

// parse reads a part. Its body is a slice of what was given.
func parse(b []byte) (entity, error) {
	if len(b) > 0 && (b[0] == '\n' || b[0] == '\r') { // no header
		return entity{header: mail.Header{}, body: bytes.TrimLeft(b, "\r\n")}, nil
	}
	end, body := len(b), len(b)
	for _, blank := range []string{"\n\n", "\r\n\r\n"} {
		if i := bytes.Index(b[:end], []byte(blank)); i >= 0 {
			end, body = i, i+len(blank)
		}
	}
	if end > maxHeader {
		return entity{}, fmt.Errorf("a header is over %d bytes", maxHeader)
	}
	m, err := mail.ReadMessage(io.MultiReader(bytes.NewReader(b[:end]), strings.NewReader("\r\n\r\n")))
	if err != nil {
		return entity{}, fmt.Errorf("a header: %w", err)
	}
	return entity{header: m.Header, body: b[body:]}, nil
}

// decode undoes the transfer encoding. What comes out is never larger than what went in.
func decode(encoding string, body []byte) ([]byte, error) {
	var in io.Reader = bytes.NewReader(body)
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		in = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(bytes.Map(func(c rune) rune {
			if c == '\r' || c == '\n' || c == ' ' || c == '\t' {
				return -1
			}
			return c
		}, body)))
	case "quoted-printable":
		in = quotedprintable.NewReader(in)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("its encoding: %w", err)
	}
	return b, nil
}
