package observable_test

import (
	"errors"
	"strings"
	"testing"

	"detente/observable"
)

// Whatever spelling a CERT's tool writes, both sides hash one.
func TestOneSpelling(t *testing.T) {
	for _, c := range []struct {
		kind        observable.Kind
		given, want string
	}{
		{observable.IP, "192.0.2.1", "ip 192.0.2.1"},
		{observable.IP, "2001:DB8:0:0:0:0:0:1", "ip 2001:db8::1"},
		{observable.IP, "::ffff:192.0.2.1", "ip 192.0.2.1"},
		{observable.Prefix, "192.0.2.77/24", "prefix 192.0.2.0/24"},
		{observable.Prefix, "192.0.2.77/32", "ip 192.0.2.77"},
		{observable.Prefix, "2001:db8::1/128", "ip 2001:db8::1"},
		{observable.Domain, "WWW.Example.ORG.", "domain www.example.org"},
		{observable.Domain, "Bücher.example", "domain xn--bcher-kva.example"},
		{observable.Domain, "XN--BCHER-KVA.example", "domain xn--bcher-kva.example"},
		{observable.Domain, "пример。испытание", "domain xn--e1afmkfd.xn--80akhbyknj4f"},
		{observable.Domain, "_dmarc.example.org", "domain _dmarc.example.org"},
		{observable.URL, "HTTP://WWW.Example.org:80", "url http://www.example.org/"},
		{observable.URL, "https://example.org:8443/a/./b/../c?x=%7e%2f#top", "url https://example.org:8443/a/c?x=~%2F"},
		{observable.URL, "https://example.org/%2e%2e/%41?", "url https://example.org/A"},
		{observable.URL, "http://[2001:DB8::1]:80/ü|", "url http://[2001:db8::1]/%C3%BC%7C"},
		{observable.URL, "http://example.org/100%", "url http://example.org/100%25"},
		{observable.URL, "http://u:p@example.org/..", "url http://u:p@example.org/"},
		{observable.URL, "http://192.0.2.7/a//b/", "url http://192.0.2.7/a//b/"},
		{observable.Hash, "D41D8CD98F00B204E9800998ECF8427E", "hash d41d8cd98f00b204e9800998ecf8427e"},
		{observable.Mail, "Billing.Desk@Example.ORG", "mail billing.desk@example.org"},
		{observable.Number, "as064500", "asn AS64500"},
		{observable.Number, "4294967295", "asn AS4294967295"},
	} {
		o, err := observable.Parse(c.kind, c.given)
		if err != nil || o.String() != c.want {
			t.Errorf("%s %q: %q, %v; want %q", c.kind, c.given, o, err, c.want)
			continue
		}
		if again, err := observable.Parse(o.Kind, o.Value); err != nil || again != o {
			t.Errorf("%s: its own spelling gives %q, %v", o, again, err)
		}
	}
}

func TestWhatIsNotOfItsKind(t *testing.T) {
	for _, c := range []struct {
		kind  observable.Kind
		value string
	}{
		{observable.IP, "192.0.2.01"}, {observable.IP, "fe80::1%eth0"}, {observable.IP, "192.0.2.0/24"},
		{observable.Prefix, "192.0.2.0"}, {observable.Prefix, "192.0.2.0/33"}, {observable.Prefix, "::ffff:192.0.2.0/120"},
		{observable.Domain, "localhost"}, {observable.Domain, "a..b"}, {observable.Domain, "1.2.3.4"}, {observable.Domain, "a.0x7f"},
		{observable.Domain, strings.Repeat("a", 64) + ".example"}, {observable.Domain, "a b.example"}, {observable.Domain, ""},
		{observable.URL, "example.org/x"}, {observable.URL, "http://"}, {observable.URL, "http://2130706433/"}, {observable.URL, "http://a@b@c.example/"},
		{observable.URL, "http://example.org\\@evil.example/"}, {observable.URL, "http://example.org:99999/"}, {observable.URL, "http://exam%70le.org/"},
		{observable.Hash, "d41d"}, {observable.Hash, strings.Repeat("g", 32)},
		{observable.Mail, "nobody"}, {observable.Mail, `"a b"@example.org`}, {observable.Mail, "a@localhost"},
		{observable.Number, "AS"}, {observable.Number, "AS4294967296"}, {observable.Number, "AS-1"},
		{"name", "x"},
	} {
		if o, err := observable.Parse(c.kind, c.value); !errors.Is(err, observable.ErrNot) {
			t.Errorf("%s %q: %v, %v", c.kind, c.value, o, err)
		}
	}
}

func TestGuess(t *testing.T) {
	for given, want := range map[string]string{
		"hxxps://evil[.]example/x": "url https://evil.example/x",
		" 192[.]0[.]2[.]1 ":        "ip 192.0.2.1",
		"evil[dot]example":         "domain evil.example",
		"a[@]evil.example":         "mail a@evil.example",
		"192.0.2.0/24":             "prefix 192.0.2.0/24",
		"AS64500":                  "asn AS64500",
		strings.Repeat("aB", 32):   "hash " + strings.Repeat("ab", 32),
	} {
		if o, err := observable.Guess(given); err != nil || o.String() != want {
			t.Errorf("%q: %q, %v; want %q", given, o, err, want)
		}
	}
}

func TestHosts(t *testing.T) {
	for given, want := range map[string]string{
		"http://u:p@example.org:8080/a@b": "domain example.org",
		"http://[2001:db8::1]:81/":        "ip 2001:db8::1",
		"http://192.0.2.1/x":              "ip 192.0.2.1",
		"x@mail.example.org":              "domain mail.example.org",
	} {
		o, err := observable.Guess(given)
		if err != nil {
			t.Fatal(given, err)
		}
		if h, ok := o.Host(); !ok || h.String() != want {
			t.Errorf("%s: host %q, want %q", o, h, want)
		}
	}
}

// The spelling of a spelling is itself, whatever is given: else one side would hash what the other does not.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "2001:db8::/32", "a.example", "http://a.example/%2e/../x?y#z", "bücher.example", "a@b.example", "AS1", "http://[::1]/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range observable.Kinds() {
			o, err := observable.Parse(kind, s)
			if err != nil {
				continue
			}
			again, err := observable.Parse(o.Kind, o.Value)
			if err != nil || again != o {
				t.Fatalf("%s %q gives %q, which gives %q, %v", kind, s, o.Value, again.Value, err)
			}
			if h, ok := o.Host(); ok {
				if p, err := observable.Parse(h.Kind, h.Value); err != nil || p != h {
					t.Fatalf("%s: its host %q is not in its one spelling: %v", o, h.Value, err)
				}
			}
		}
		observable.Guess(s)
	})
}
