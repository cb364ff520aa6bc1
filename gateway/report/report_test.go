package report_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/call"
	"detente/gateway/kind"
	"detente/gateway/report"
	"detente/label"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
)

var update = flag.Bool("update", false, "write the golden files")

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func at(hour int) time.Time { return time.Date(2026, 11, 23, hour, 0, 0, 0, time.UTC) }

// newKey makes the key of a team: with its secret part, and without.
func newKey(t testing.TB, name, address string) (own, public *report.Key, secret []byte) {
	t.Helper()
	e, err := openpgp.NewEntity(name, "", address, &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return at(0).AddDate(-1, 0, 0) }})
	must(t, err)
	armoured := func(kind string, write func(io.Writer) error) []byte {
		var b bytes.Buffer
		w, err := armor.Encode(&b, kind, nil)
		must(t, err)
		must(t, write(w))
		must(t, w.Close())
		return b.Bytes()
	}
	secret = armoured(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivate(w, nil) })
	own, err = report.ReadKey(secret, nil)
	must(t, err)
	public, err = report.ReadKey(armoured(openpgp.PublicKeyType, e.Serialize), nil)
	must(t, err)
	return own, public, secret
}

// cert is one side.
type cert struct {
	desk   *report.Desk
	public *report.Key
	secret []byte
	name   string
	mail   string
	queue  string
}

func newCert(t testing.TB, name string) *cert {
	t.Helper()
	c := &cert{name: name + "/cert", mail: "cert@" + name + ".example", queue: name + "-cert"}
	own, public, secret := newKey(t, "CERT of "+name, c.mail)
	desk, err := report.NewDesk(own, bytes.Repeat([]byte(name), 32))
	must(t, err)
	c.desk, c.public, c.secret = desk, public, secret
	return c
}

func (c *cert) recipient(languages ...language.Tag) report.Recipient {
	return report.Recipient{Name: c.name, Mail: c.mail, Key: c.public, Languages: languages}
}

func (c *cert) known() report.Known { return report.Known{Name: c.name, Key: c.public} }

// scan is a report with everything that a CERT asks for.
func (c *cert) scan() *report.Report {
	return &report.Report{
		Kind: report.Opening, Team: report.Team{Name: "CERT of xn", Mail: c.mail, Phone: "+00 1 234", Fingerprint: "ABCD 1234", About: "https://cert.xn.example/rfc2350.txt", Member: "FIRST"},
		Ticket: report.Ticket{Queue: c.queue, Number: "2026-17"}, Action: "Please look whose host it is, and stop the attempts.", Until: at(18),
		Label: label.Parcel{TLP: label.TLPAmber, PAP: label.PAPGreen, Plane: label.Exercise, Own: true}, Onward: []string{"operator"}, Naming: true,
		Identifier: "198.51.100.7", First: at(6), Last: at(7), Detected: at(7), NTP: true, Clock: "1 s",
		Evidence: report.Evidence{Source: "198.51.100.7", SourcePort: 50123, Destination: "2001:db8::1", DestinationPort: 22, Protocol: "tcp", URL: "http://c2.example/a",
			Hashes: []string{strings.Repeat("ab", 32)}, Log: []string{"06:00:01 sshd: failed password for root from 198.51.100.7\n06:00:02 again"}},
		Class: label.Classification{Class: "intrusion-attempts", Type: "brute-force"}, CVEs: []string{"CVE-2024-3400"}, Techniques: []string{"T1110"}, Severity: "medium",
		Effect: "Remote access was slow for an hour.", Confidence: "high", Rating: label.Admiralty{Source: 'B', Information: '2'}, Machine: true,
		Told: []string{"zq/cert"}, Done: "Slowed down at the border.", Leave: "The disk of the host.", Text: "Some of it comes in waves.\nThe first was at six.",
		Files: []report.File{{Name: "scan.json", Type: "application/stix+json;version=2.1", Data: []byte(`{"type":"bundle","objects":[]}`)}}, At: at(8),
	}
}

// The text of a report in each language, as a person reads it.
func TestText(t *testing.T) {
	xn, xs := newCert(t, "xn"), newCert(t, "xs")
	for _, lang := range []string{"ar", "en", "es", "fr", "ru", "zh"} {
		m, err := xn.desk.Write(xn.scan(), xs.recipient(language.Make(lang)))
		must(t, err)
		r, err := xs.desk.Receive(m.Raw, xs.queue, []report.Known{xn.known()}, at(9))
		must(t, err)
		golden := filepath.Join("testdata", "report."+lang+".txt")
		got := m.Subject + "\n\n" + r.Text
		if *update {
			must(t, os.WriteFile(golden, []byte(got), 0o644))
		}
		want, err := os.ReadFile(golden)
		must(t, err)
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s: %s", lang, d)
		}
	}
}

// post is a mail server that keeps what it is given.
type post struct {
	mu    sync.Mutex
	taken [][]byte
	deaf  bool
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return p, nil }
func (p *post) Mail(string, *smtp.MailOptions) error        { return nil }
func (p *post) Rcpt(string, *smtp.RcptOptions) error {
	if p.deaf {
		return &smtp.SMTPError{Code: 451, Message: "come back later"}
	}
	return nil
}
func (p *post) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	p.mu.Lock()
	p.taken = append(p.taken, b)
	p.mu.Unlock()
	return err
}
func (p *post) Reset()        {}
func (p *post) Logout() error { return nil }

func (p *post) serve(t *testing.T) *call.Mail {
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
	return &call.Mail{Server: l.Addr().String(), Security: call.Plain}
}

// An incident by mail: xn reports, xs acknowledges with its own number, xn sends on how it stands, xs closes. Each finds the other's mail in its own ticket.
func TestExchange(t *testing.T) {
	xn, xs := newCert(t, "xn"), newCert(t, "xs")
	p := &post{}
	server := p.serve(t)
	carried := func(m *report.Message, err error) []byte {
		t.Helper()
		must(t, err)
		must(t, report.Send(t.Context(), server, m))
		return p.taken[len(p.taken)-1]
	}

	opening := xn.scan()
	raw := carried(xn.desk.Write(opening, xs.recipient()))
	outer, err := mail.ReadMessage(bytes.NewReader(raw))
	must(t, err)
	if s := outer.Header.Get("Subject"); s != "[xn-cert #2026-17] [EXERCISE] TLP:AMBER intrusion-attempts.brute-force 198.51.100.7" {
		t.Error(s)
	}
	if bytes.Contains(raw, []byte("sshd")) || bytes.Contains(raw, []byte("bundle")) || outer.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("on the way:\n%s", raw)
	}
	got, err := xs.desk.Receive(raw, xs.queue, []report.Known{xn.known()}, at(9))
	must(t, err)
	if !got.Signed || !got.Sealed || got.Team != "xn/cert" || !got.Matches || got.By != xn.public.Fingerprint() || got.Flaw != "" || got.TLP != label.TLPAmber || got.Plane != label.Exercise || !got.Auto {
		t.Errorf("%+v", got)
	}
	if got.Ticket != (report.Ticket{}) || len(got.Theirs) != 1 || got.Theirs[0] != opening.Ticket {
		t.Errorf("tickets %v %v", got.Ticket, got.Theirs)
	}
	if len(got.Files) != 1 || got.Files[0].Name != "scan.json" || !bytes.Equal(got.Files[0].Data, opening.Files[0].Data) || got.Files[0].Kind() != kind.STIX {
		t.Errorf("files %v", got.Files)
	}
	if !strings.HasPrefix(got.Text, "TLP:AMBER PAP:GREEN\nEXERCISE EXERCISE EXERCISE\n") || !strings.Contains(got.Text, "hxxp[://]c2[.]example/a") {
		t.Errorf("text:\n%s", got.Text)
	}

	back := &report.Report{Kind: report.Acknowledgement, Team: report.Team{Name: "CERT of xs", Mail: xs.mail}, Ticket: report.Ticket{Queue: xs.queue, Number: "4711"}, Theirs: got.Theirs[0],
		Label: label.Parcel{TLP: label.TLPAmber, Plane: label.Exercise, Own: true}, At: at(9)}
	raw = carried(xs.desk.Write(back, xn.recipient()))
	// A person's mail program answers: it quotes our id, and its own words.
	raw = bytes.Replace(raw, []byte("MIME-Version"), []byte("References: <x@y> <"+messageOf(t, p.taken[0])+">\r\nMIME-Version"), 1)
	answer, err := xn.desk.Receive(raw, xn.queue, []report.Known{xs.known()}, at(10))
	must(t, err)
	if answer.Ticket != opening.Ticket || !answer.Answers || answer.Theirs[0] != back.Ticket || !answer.Signed {
		t.Errorf("%+v", answer)
	}

	opening.Kind, opening.Theirs, opening.Sent, opening.At, opening.Files = report.Status, answer.Theirs[0], 1, at(11), nil
	raw = carried(xn.desk.Write(opening, xs.recipient()))
	status, err := mail.ReadMessage(bytes.NewReader(raw))
	must(t, err)
	first := "<" + messageOf(t, p.taken[0]) + ">"
	if status.Header.Get("In-Reply-To") != first || status.Header.Get("References") != first || status.Header.Get("Message-Id") == first {
		t.Errorf("thread: %v", status.Header)
	}
	got, err = xs.desk.Receive(raw, xs.queue, []report.Known{xn.known()}, at(12))
	must(t, err)
	if got.Ticket != back.Ticket || got.Answers || got.Theirs[0] != opening.Ticket {
		t.Errorf("%+v", got)
	}
	again, err := xn.desk.Write(opening, xs.recipient())
	must(t, err)
	if again.ID != messageOf(t, raw) {
		t.Error("a mail made again has another id")
	}

	p.deaf = true
	if err := report.Send(t.Context(), server, again); !errors.Is(err, report.ErrSend) {
		t.Errorf("a server that refuses: %v", err)
	}
	server.Server = "127.0.0.1:1"
	if err := report.Send(t.Context(), server, again); !errors.Is(err, report.ErrSend) {
		t.Errorf("no server: %v", err)
	}
}

func messageOf(t *testing.T, raw []byte) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	must(t, err)
	return strings.Trim(m.Header.Get("Message-Id"), "<>")
}

func TestNotWritten(t *testing.T) {
	xn, xs := newCert(t, "xn"), newCert(t, "xs")
	for name, c := range map[string]struct {
		change func(*report.Report, *report.Recipient)
		want   error
	}{
		"no action":              {func(r *report.Report, _ *report.Recipient) { r.Action = "" }, report.ErrMissing},
		"both":                   {func(r *report.Report, _ *report.Recipient) { r.Info = true }, report.ErrMissing},
		"no time limit":          {func(r *report.Report, _ *report.Recipient) { r.Until = time.Time{} }, report.ErrMissing},
		"two identifiers":        {func(r *report.Report, _ *report.Recipient) { r.Identifier = "198.51.100.7 198.51.100.8" }, report.ErrMissing},
		"no first":               {func(r *report.Report, _ *report.Recipient) { r.First = time.Time{} }, report.ErrMissing},
		"no clock":               {func(r *report.Report, _ *report.Recipient) { r.NTP, r.Clock = false, "" }, report.ErrMissing},
		"no evidence":            {func(r *report.Report, _ *report.Recipient) { r.Evidence = report.Evidence{} }, report.ErrMissing},
		"no class":               {func(r *report.Report, _ *report.Recipient) { r.Class.Class = "" }, report.ErrMissing},
		"no confidence":          {func(r *report.Report, _ *report.Recipient) { r.Confidence = "" }, report.ErrMissing},
		"no team":                {func(r *report.Report, _ *report.Recipient) { r.Team.Name = "" }, report.ErrMissing},
		"a header in an address": {func(r *report.Report, _ *report.Recipient) { r.Team.Mail = "a@b\r\nBcc: c@d" }, report.ErrMissing},
		"a header in ours":       {func(_ *report.Report, to *report.Recipient) { to.Mail = "a@b.example>\r\nBcc: <c@d" }, report.ErrMissing},
		"a ticket of two":        {func(r *report.Report, _ *report.Recipient) { r.Ticket.Number = "1] [x #2" }, report.ErrMissing},
		"no kind":                {func(r *report.Report, _ *report.Recipient) { r.Kind = "" }, report.ErrMissing},
		"too many files":         {func(r *report.Report, _ *report.Recipient) { r.Files = make([]report.File, 21) }, report.ErrMissing},
		"AMBER in the open":      {func(_ *report.Report, to *report.Recipient) { to.Key = nil }, report.ErrPlain},
		"a key that expired":     {func(r *report.Report, _ *report.Recipient) { r.At = at(0).AddDate(-2, 0, 0) }, report.ErrKey},
		"unmarked":               {func(r *report.Report, _ *report.Recipient) { r.Label.TLP = "" }, label.ErrRefused},
		"widened": {func(r *report.Report, _ *report.Recipient) {
			r.Label.Source, r.Label.TLP = label.TLPRed, label.TLPAmber
		}, label.ErrRefused},
		"RED to another": {func(r *report.Report, _ *report.Recipient) {
			r.Label.TLP, r.Label.Own, r.Label.Named = label.TLPRed, false, []string{"zq/cert"}
		}, label.ErrRefused},
	} {
		r, to := xn.scan(), xs.recipient()
		c.change(r, &to)
		if m, err := xn.desk.Write(r, to); !errors.Is(err, c.want) || m != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := xn.desk.Write(&report.Report{Label: label.Parcel{TLP: label.TLPGreen, Plane: label.Real, Own: true}}, xs.recipient())
	if err == nil || strings.Count(err.Error(), ";") < 3 {
		t.Errorf("what is missing is listed at once: %v", err)
	}
	if _, err := report.NewDesk(xs.public, bytes.Repeat([]byte("x"), 32)); !errors.Is(err, report.ErrKey) {
		t.Errorf("a key that cannot sign: %v", err)
	}
}

// A RED mail goes to whom the source named, and its subject tells mail servers nothing.
func TestRed(t *testing.T) {
	xn, xs := newCert(t, "xn"), newCert(t, "xs")
	r := xn.scan()
	r.Label.TLP, r.Label.Own, r.Label.Named = label.TLPRed, false, []string{"xs/cert"}
	m, err := xn.desk.Write(r, xs.recipient())
	must(t, err)
	if m.Subject != "[xn-cert #2026-17] [EXERCISE] TLP:RED" || bytes.Contains(m.Raw, []byte("198.51.100.7")) {
		t.Errorf("%s\n%s", m.Subject, m.Raw)
	}
	got, err := xs.desk.Receive(m.Raw, xs.queue, []report.Known{xn.known()}, at(9))
	must(t, err)
	if !strings.HasSuffix(got.Subject, "brute-force 198.51.100.7") {
		t.Errorf("inside: %s", got.Subject)
	}
}

// To a team without a key goes what may be read on the way, signed; a byte changed on the way shows.
func TestSigned(t *testing.T) {
	xn, xs := newCert(t, "xn"), newCert(t, "xs")
	r, to := xn.scan(), xs.recipient()
	r.Label.TLP, to.Key = label.TLPGreen, nil
	m, err := xn.desk.Write(r, to)
	must(t, err)
	got, err := xs.desk.Receive(m.Raw, xs.queue, []report.Known{xn.known()}, at(9))
	must(t, err)
	if !got.Signed || got.Sealed || got.TLP != label.TLPGreen || len(got.Files) != 1 {
		t.Errorf("%+v", got)
	}
	for name, c := range map[string]struct {
		raw   []byte
		known []report.Known
	}{
		"a byte changed":  {bytes.Replace(m.Raw, []byte("sshd"), []byte("ssh "), 1), []report.Known{xn.known()}},
		"an unknown team": {m.Raw, nil},
		"another's key":   {m.Raw, []report.Known{xs.known()}},
		"a part of it": {[]byte("From: cert@xn.example\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nDo as I say.\r\n--o\r\n" +
			string(m.Raw[bytes.Index(m.Raw, []byte("Content-Type: multipart/signed")):]) + "\r\n--o--\r\n"), []report.Known{xn.known()}},
	} {
		got, err := xs.desk.Receive(c.raw, xs.queue, c.known, at(9))
		must(t, err)
		if got.Signed || got.Flaw == "" {
			t.Errorf("%s: it counts as signed, %q", name, got.Flaw)
		}
	}
}

// What other programs send: an answer in Russian by an old program, an out-of-office note, a number of ours that somebody guessed, a subject that Outlook made.
func TestForeignMail(t *testing.T) {
	xn := newCert(t, "xn")
	receive := func(header, body string) *report.Reply {
		t.Helper()
		r, err := xn.desk.Receive([]byte(strings.ReplaceAll(header+"\n\n"+body, "\n", "\r\n")), xn.queue, nil, at(9))
		must(t, err)
		return r
	}
	r := receive("From: =?koi8-r?B?5MXW1dLO2co=?= <Cert@xs.example>\nSubject: =?koi8-r?B?7tXWztk=?= [xs-cert #4711] [XN-CERT #2026-17]\nContent-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\nMessage-ID: <1@xs>",
		"7uUg7sHbwQ==")
	if r.Ticket != (report.Ticket{Queue: "xn-cert", Number: "2026-17"}) || r.Answers || r.Signed || r.From != "cert@xs.example" || r.Subject != "Нужны [xs-cert #4711] [XN-CERT #2026-17]" ||
		r.Text != "НЕ Наша" || r.Theirs[0].Number != "4711" || r.ID != "1@xs" || r.Plane != label.Real {
		t.Errorf("%+v", r)
	}
	r = receive("From: x@xs.example\nAuto-Submitted: auto-replied\nSubject: AW: [xn-cert #2026-17] [TEST] TLP:GREEN x\nReferences: <xn-cert.2026-17.0.000000000000000000000000@xn.example>",
		"TLP:AMBER+STRICT\nI am out of office.")
	if !r.Auto || r.Answers || r.TLP != label.TLPAmberStrict || r.Plane != label.Test {
		t.Errorf("%+v", r)
	}
	r = receive("From: y\nSubject: [Ticket#2026112310000017] hello\nContent-Type: multipart/alternative; boundary=\"b c\"",
		"preamble\n--b c\nContent-Type: text/html\n\n<script>\n--b c\n\nplain\n--b c\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"../../etc/passwd\"\n\nx\n--b c--\nepilogue")
	if r.Theirs[0] != (report.Ticket{Queue: "Ticket", Number: "2026112310000017"}) || r.Text != "plain" || len(r.Files) != 2 || r.Files[1].Name != ".._.._etc_passwd" || r.From != "" {
		t.Errorf("%+v", r)
	}
}

func TestHostileMail(t *testing.T) {
	xn := newCert(t, "xn")
	nested := "Content-Type: multipart/mixed; boundary=b0\n\n"
	for i := range 30 {
		nested += fmt.Sprintf("--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	for name, raw := range map[string]string{
		"nothing":               "",
		"no header":             "hello",
		"a long header":         "Subject: " + strings.Repeat("x", 200_000) + "\n\nx",
		"nested":                nested,
		"very many parts":       "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 10_000) + "--b--",
		"no boundary":           "Content-Type: multipart/mixed\n\nx",
		"parts that are none":   "Content-Type: multipart/mixed; boundary=b\n\nx",
		"false base64":          "Content-Transfer-Encoding: base64\n\n!!!",
		"encrypted, one part":   "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\n\nVersion: 1\n--b--",
		"encrypted, of nothing": "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\n\nVersion: 1\n--b\n\nx\n--b--",
		"signed, one part":      "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n--b\n\nx\n--b--",
	} {
		if r, err := xn.desk.Receive([]byte(raw), xn.queue, nil, at(9)); !errors.Is(err, report.ErrMail) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if _, err := xn.desk.Receive(make([]byte, report.MaxMail+1), xn.queue, nil, at(9)); !errors.Is(err, report.ErrMail) {
		t.Errorf("too large: %v", err)
	}
	// Encrypted to another.
	xs, zq := newCert(t, "xs"), newCert(t, "zq")
	m, err := xn.desk.Write(xn.scan(), zq.recipient())
	must(t, err)
	if _, err := xs.desk.Receive(m.Raw, xs.queue, nil, at(9)); !errors.Is(err, report.ErrMail) {
		t.Errorf("for another: %v", err)
	}
}

func TestMaildir(t *testing.T) {
	d := report.Maildir{Folder: filepath.Join(t.TempDir(), "in")}
	must(t, d.Create())
	for _, name := range []string{"1.a", "2.b:2,", "3.c"} {
		must(t, os.WriteFile(filepath.Join(d.Folder, "new", name), []byte(name), 0o600))
	}
	later := errors.New("the disk is full")
	var seen []string
	fail := true
	take := func(raw []byte) error {
		seen = append(seen, string(raw))
		switch {
		case string(raw) == "1.a":
			return report.ErrMail
		case string(raw) == "3.c" && fail:
			return later
		}
		return nil
	}
	if err := d.Each(take); !errors.Is(err, later) {
		t.Error(err)
	}
	fail = false
	ctx, cancel := context.WithCancel(t.Context())
	d.Watch(ctx, time.Hour, func(raw []byte) error {
		cancel()
		return take(raw)
	}, func(err error) { t.Error(err) })
	if d := cmp.Diff([]string{"1.a", "2.b:2,", "3.c", "3.c"}, seen); d != "" {
		t.Error(d)
	}
	var cur []string
	files, err := os.ReadDir(filepath.Join(d.Folder, "cur"))
	must(t, err)
	for _, f := range files {
		cur = append(cur, f.Name())
	}
	if d := cmp.Diff([]string{"1.a:2,FS", "2.b:2,S", "3.c:2,S"}, cur); d != "" {
		t.Error(d)
	}
	if err := (report.Maildir{Folder: "/nowhere"}).Each(take); err == nil {
		t.Error("no folder")
	}
}

// GnuPG reads what we write, where it is installed: it is what most CERTs have.
func TestGnuPG(t *testing.T) {
	gpg, err := exec.LookPath("gpg")
	if err != nil {
		t.Skip("gpg is not installed")
	}
	xn, xs := newCert(t, "xn"), newCert(t, "xs")
	m, err := xn.desk.Write(xn.scan(), xs.recipient())
	must(t, err)
	home, err := os.MkdirTemp("", "gpg") // its socket allows short names only
	must(t, err)
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	run := func(in []byte, args ...string) (string, string) {
		c := exec.CommandContext(t.Context(), gpg, append([]string{"--homedir", home, "--batch", "--trust-model", "always", "--faked-system-time", "20261123T090000"}, args...)...)
		var out, errs bytes.Buffer
		c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(in), &out, &errs
		if err := c.Run(); err != nil {
			t.Fatalf("gpg %v: %v\n%s", args, err, errs.String())
		}
		return out.String(), errs.String()
	}
	run(xs.secret, "--import")
	run(xn.secret, "--import")
	_, sealed, _ := strings.Cut(string(m.Raw), "-----BEGIN PGP MESSAGE-----")
	out, said := run([]byte("-----BEGIN PGP MESSAGE-----"+sealed), "--decrypt")
	if !strings.Contains(out, "sshd: failed password") || !strings.Contains(said, "Good signature from \"CERT of xn") {
		t.Errorf("gpg says:\n%s\n%s", said, out)
	}
}

func FuzzReceive(f *testing.F) {
	xn, xs := newCert(f, "xn"), newCert(f, "xs")
	m, err := xs.desk.Write(xs.scan(), xn.recipient())
	must(f, err)
	f.Add(m.Raw)
	r, to := xs.scan(), xn.recipient()
	r.Label.TLP, to.Key = label.TLPClear, nil
	m, err = xs.desk.Write(r, to)
	must(f, err)
	f.Add(m.Raw)
	f.Add([]byte("Subject: [xn-cert #1]\n\nx"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := xn.desk.Receive(raw, xn.queue, []report.Known{xs.known()}, at(9)); err != nil && !errors.Is(err, report.ErrMail) {
			t.Fatal(err)
		}
	})
}
