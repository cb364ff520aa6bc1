package secretariat_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/calendar"
	"detente/call"
	"detente/secretariat"

	"github.com/emersion/go-smtp"
)

// postbox is a mail server that keeps what it is given, and refuses some.
type postbox struct {
	mu    sync.Mutex
	taken []string
}

func (p *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return p, nil }
func (p *postbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (p *postbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone@") {
		return &smtp.SMTPError{Code: 550, Message: "nobody of that name"}
	}
	return nil
}
func (p *postbox) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, string(b))
	return err
}
func (p *postbox) Reset()        {}
func (p *postbox) Logout() error { return nil }

func (p *postbox) serve(t *testing.T) *call.Mail {
	t.Helper()
	server := smtp.NewServer(p)
	server.Domain = "mail.xn.example"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return &call.Mail{Server: l.Addr().String(), Security: call.Plain, From: "watch@xn.example"}
}

// parts reads a letter: the text of each part by its media type, and the method of the one that calendars act on.
func parts(t *testing.T, kind string, body io.Reader, into map[string]string) {
	t.Helper()
	media, more, err := mime.ParseMediaType(kind)
	must(t, err)
	if !strings.HasPrefix(media, "multipart/") {
		b, err := io.ReadAll(body)
		must(t, err)
		into[media+" "+more["method"]] = string(b)
		return
	}
	for r := multipart.NewReader(body, more["boundary"]); ; {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		must(t, err)
		var read io.Reader = p // quoted-printable is undone by the reader of parts
		if p.Header.Get("Content-Transfer-Encoding") == "base64" {
			read = base64.NewDecoder(base64.StdEncoding, p)
		}
		parts(t, p.Header.Get("Content-Type"), read, into)
	}
}

// Three people are invited to a round. Each gets a letter of his own that calendars understand; that one address is refused keeps nobody from being invited.
func TestInvitationsGoByMail(t *testing.T) {
	var file, log bytes.Buffer
	at := time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC)
	must(t, calendar.Write(&file, calendar.Calendar{Method: "REQUEST", Events: []calendar.Event{{
		UID: "round-3@detente", Stamp: at, Start: at, End: at.Add(time.Hour), Summary: "Консультации: раунд 3", Organizer: "protocol@mfa.xn.example", Attendees: []string{"a@xs.example"},
	}}}))
	s, box := secretariat.Silent(slog.New(slog.NewTextHandler(&log, nil))), &postbox{}
	letter := secretariat.Letter{
		Subject: "Консультации: раунд 3", Text: "Приглашаем вас.", Organizer: "protocol@mfa.xn.example", Calendar: file.Bytes(),
		To: []string{"a@xs.example", "gone@xs.example", "b@xn.example"},
	}
	by := box.serve(t)
	for range 2 {
		done, err := s.Post(t.Context(), by, letter)
		must(t, err)
		if len(done) != 3 || done[0].Err != nil || !errors.Is(done[1].Err, call.ErrRefused) || done[2].Err != nil || done[1].To != "gone@xs.example" {
			t.Fatalf("%+v", done)
		}
	}
	if len(box.taken) != 4 || strings.Count(log.String(), "not taken") != 2 {
		t.Fatalf("%d letters; log: %s", len(box.taken), &log)
	}
	ids := map[string]int{}
	for i, raw := range box.taken {
		m, err := mail.ReadMessage(strings.NewReader(raw))
		must(t, err)
		ids[m.Header.Get("Message-Id")]++
		if want := []string{"<a@xs.example>", "<b@xn.example>"}[i%2]; m.Header.Get("To") != want || m.Header.Get("Reply-To") != "<protocol@mfa.xn.example>" {
			t.Errorf("header: %v", m.Header)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		must(t, err)
		got := map[string]string{}
		parts(t, m.Header.Get("Content-Type"), m.Body, got)
		if subject != letter.Subject || got["text/plain "] != letter.Text || got["text/calendar REQUEST"] != file.String() || got["application/ics "] != file.String() {
			t.Errorf("%q: %q", subject, got)
		}
	}
	if len(ids) != 2 {
		t.Errorf("a letter that is sent again has another id: %v", ids)
	}
}

// Nobody is invited where one address is none: a letter half sent could not be called back.
func TestInvitationsThatDoNotGo(t *testing.T) {
	s, box := secretariat.Silent(slog.New(slog.DiscardHandler)), &postbox{}
	by := box.serve(t)
	good := secretariat.Letter{Subject: "Round", Text: "Come.", To: []string{"a@xs.example"}, Calendar: []byte("BEGIN:VCALENDAR\r\n")}
	if _, err := s.Post(t.Context(), nil, good); !errors.Is(err, secretariat.ErrNoMail) {
		t.Error("without a server:", err)
	}
	for name, change := range map[string]func(l *secretariat.Letter){
		"nobody": func(l *secretariat.Letter) { l.To = nil },
		"too many": func(l *secretariat.Letter) {
			l.To = strings.Split(strings.Repeat("a@xs.example ", secretariat.MaxInvited+1), " ")
		},
		"no address":                 func(l *secretariat.Letter) { l.To = append(l.To, "xs") },
		"a header in the address":    func(l *secretariat.Letter) { l.To = append(l.To, "a@xs.example\r\nBcc: eve@evil.example") },
		"an organizer who is nobody": func(l *secretariat.Letter) { l.Organizer = "protocol" },
	} {
		l := good
		change(&l)
		if _, err := s.Post(t.Context(), by, l); !errors.Is(err, secretariat.ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(box.taken) > 0 {
		t.Errorf("sent: %q", box.taken)
	}
	by.Server = "127.0.0.1:1"
	if done, err := s.Post(t.Context(), by, good); err != nil || !errors.Is(done[0].Err, call.ErrCall) || errors.Is(done[0].Err, call.ErrRefused) {
		t.Errorf("no server answers: %v, %v", done, err)
	}
}
