package call_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/call"

	"github.com/emersion/go-smtp"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func flash() call.Call {
	return call.Call{
		ID: "acknowledge:ab12:anna:mail", Officer: "anna", Role: "duty-officer", Address: "anna@xn.example", Language: "en", Kind: "acknowledge", Post: "nrrc",
		Plane: "exercise", Precedence: "FLASH", Number: "XS/NRRC-Z-0001", Title: "XS/NRRC-Z-0001 from xs/nrrc: to be acknowledged",
		Due: time.Date(2026, 11, 23, 7, 10, 0, 0, time.UTC), More: 2, Console: "https://watch.xn.example",
	}
}

// post is a mail server that keeps what it is given.
type post struct {
	mu     sync.Mutex
	taken  []string
	closed bool // takes nothing
}

func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return p, nil }
func (p *post) Mail(string, *smtp.MailOptions) error        { return nil }
func (p *post) Rcpt(string, *smtp.RcptOptions) error {
	if p.closed {
		return &smtp.SMTPError{Code: 451, Message: "come back later"}
	}
	return nil
}
func (p *post) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	p.mu.Lock()
	p.taken = append(p.taken, string(b))
	p.mu.Unlock()
	return err
}
func (p *post) Reset()        {}
func (p *post) Logout() error { return nil }

// serve opens the mail server, with a certificate for localhost.
func (p *post) serve(t *testing.T, security string) *call.Mail {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	trusted := x509.NewCertPool()
	trusted.AddCert(cert)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server := smtp.NewServer(p)
	server.Domain = "mail.xn.example"
	if security == call.StartTLS {
		server.TLSConfig = config
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := l.Addr().String()
	if security == call.TLS {
		l = tls.NewListener(l, config)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return &call.Mail{Server: address, Security: security, From: "watch@xn.example", Config: &tls.Config{RootCAs: trusted}}
}

func TestMail(t *testing.T) {
	for _, security := range []string{call.StartTLS, call.TLS, call.Plain} {
		t.Run(security, func(t *testing.T) {
			p := &post{}
			m := p.serve(t, security)
			must(t, m.Place(t.Context(), flash()))
			must(t, m.Place(t.Context(), flash()))
			if len(p.taken) != 2 {
				t.Fatalf("%d mails", len(p.taken))
			}
			var ids []string
			for _, raw := range p.taken {
				msg, err := mail.ReadMessage(strings.NewReader(raw))
				must(t, err)
				if s := msg.Header.Get("Subject"); s != "EXERCISE FLASH nrrc XS/NRRC-Z-0001" {
					t.Errorf("subject %q", s)
				}
				if msg.Header.Get("Auto-Submitted") != "auto-generated" || msg.Header.Get("To") != "<anna@xn.example>" {
					t.Errorf("header %v", msg.Header)
				}
				ids = append(ids, msg.Header.Get("Message-Id"))
			}
			if ids[0] == "" || ids[0] != ids[1] {
				t.Errorf("a call placed twice has the ids %q", ids)
			}
			if !strings.Contains(p.taken[0], "2026-11-23 07:10 UTC") || !strings.Contains(p.taken[0], "https://watch.xn.example") {
				t.Errorf("mail:\n%s", p.taken[0])
			}
		})
	}
}

func TestMailIsNotPlaced(t *testing.T) {
	p := &post{}
	m := p.serve(t, call.StartTLS)
	for name, change := range map[string]func(*call.Mail, *call.Call){
		"a certificate that nobody knows": func(m *call.Mail, _ *call.Call) { m.Config = nil },
		"no address":                      func(_ *call.Mail, c *call.Call) { c.Address = "" },
		"a header in the address":         func(_ *call.Mail, c *call.Call) { c.Address = "anna@xn.example\r\nBcc: eve@evil.example" },
		"a password that nobody asks for": func(m *call.Mail, _ *call.Call) { m.User, m.Password = "watch", "x" },
		"no server":                       func(m *call.Mail, _ *call.Call) { m.Server = "127.0.0.1:1" },
		"no port":                         func(m *call.Mail, _ *call.Call) { m.Server = "127.0.0.1" },
		"security that is none":           func(m *call.Mail, _ *call.Call) { m.Security = "some" },
	} {
		changed, c := *m, flash()
		change(&changed, &c)
		if err := changed.Place(t.Context(), c); !errors.Is(err, call.ErrCall) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.closed = true
	if err := m.Place(t.Context(), flash()); !errors.Is(err, call.ErrCall) {
		t.Errorf("a server that refuses: %v", err)
	}
	bare := (&post{}).serve(t, call.Plain)
	bare.Security = call.StartTLS
	if err := bare.Place(t.Context(), flash()); !errors.Is(err, call.ErrCall) {
		t.Errorf("a server without TLS: %v", err)
	}
	if len(p.taken) > 0 {
		t.Errorf("something was sent: %q", p.taken)
	}
}

func TestWebhook(t *testing.T) {
	secret := []byte("a secret of both sides")
	var got []*http.Request
	var bodies []string
	status := http.StatusNoContent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r), append(bodies, string(b))
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/hook", http.StatusTemporaryRedirect)
			return
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	w := &call.Webhook{Secret: secret}
	c := flash()
	c.Address = server.URL + "/hook"
	must(t, w.Place(t.Context(), c))
	r := got[0]
	if r.Method != http.MethodPost || r.Header.Get("Idempotency-Key") != c.ID || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("request %s %v", r.Method, r.Header)
	}
	header := r.Header.Get(call.SignatureHeader)
	must(t, call.Verify(secret, time.Now(), header, []byte(bodies[0])))
	for name, err := range map[string]error{
		"another body":   call.Verify(secret, time.Now(), header, []byte(bodies[0]+" ")),
		"another secret": call.Verify([]byte("x"), time.Now(), header, []byte(bodies[0])),
		"later":          call.Verify(secret, time.Now().Add(6*time.Minute), header, []byte(bodies[0])),
		"another time":   call.Verify(secret, time.Now(), strings.Replace(header, "t=1", "t=2", 1), []byte(bodies[0])),
		"no signature":   call.Verify(secret, time.Now(), "", []byte(bodies[0])),
	} {
		if err == nil {
			t.Errorf("%s is taken for signed", name)
		}
	}
	if !strings.Contains(bodies[0], `"number":"XS/NRRC-Z-0001"`) || strings.Contains(bodies[0], "Address") {
		t.Errorf("body %s", bodies[0])
	}
	status = http.StatusInternalServerError
	if err := w.Place(t.Context(), c); !errors.Is(err, call.ErrCall) {
		t.Errorf("a failing receiver: %v", err)
	}
	status, got = http.StatusOK, nil
	c.Address = server.URL + "/moved"
	if err := w.Place(t.Context(), c); !errors.Is(err, call.ErrCall) || len(got) != 1 {
		t.Errorf("a redirect: %v, %d requests", err, len(got))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Place(ctx, c); !errors.Is(err, call.ErrCall) {
		t.Errorf("given up: %v", err)
	}
}

func TestCommand(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	script := filepath.Join(t.TempDir(), "page")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\nprintf '%s\\n' \"$@\" > "+out+"\ncat >> "+out+"\n"), 0o700))
	c := flash()
	c.Officer = "anna; rm -rf {id} $(x)"
	m := &call.Command{Args: []string{script, "--to={officer}", "{precedence} {post}", "{unknown}"}}
	must(t, m.Place(t.Context(), c))
	b, err := os.ReadFile(out)
	must(t, err)
	lines := strings.SplitN(string(b), "\n", 4)
	if lines[0] != "--to=anna; rm -rf {id} $(x)" || lines[1] != "FLASH nrrc" || lines[2] != "{unknown}" || !strings.HasPrefix(lines[3], `{"id":"acknowledge:`) {
		t.Errorf("the program was given:\n%s", b)
	}
	for name, args := range map[string][]string{"a program that fails": {"/bin/sh", "-c", "echo no tone >&2; exit 3"}, "no program": {"/nowhere/page"}, "none": nil} {
		err := (&call.Command{Args: args}).Place(t.Context(), c)
		if !errors.Is(err, call.ErrCall) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "a program that fails" && !strings.Contains(err.Error(), "no tone") {
			t.Errorf("it does not tell what the program said: %v", err)
		}
	}
	began := time.Now()
	err = (&call.Command{Args: []string{"/bin/sh", "-c", "sleep 60"}, Limit: 100 * time.Millisecond}).Place(t.Context(), c)
	if !errors.Is(err, call.ErrCall) || time.Since(began) > 20*time.Second {
		t.Errorf("a program that does not end: %v after %s", err, time.Since(began))
	}
}
