package pattern_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"detente/observable"
	"detente/stix/pattern"

	"github.com/google/go-cmp/cmp"
)

// examples are the patterns in the text of the standard, one a line.
func examples(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "oasis", "pattern_spec_examples.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPatterns(t *testing.T) {
	for line := range strings.Lines(examples(t)) {
		if _, err := pattern.Parse(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	one := func(kind observable.Kind, v string, alone bool) pattern.Observable {
		return pattern.Observable{Observable: observable.Observable{Kind: kind, Value: v}, Alone: alone}
	}
	for in, want := range map[string][]pattern.Observable{
		`[ipv4-addr:value = '203.0.113.33/32']`:                                                               {one(observable.IP, "203.0.113.33", true)},
		`[ipv4-addr:value ISSUBSET '203.0.113.0/24']`:                                                         {one(observable.Prefix, "203.0.113.0/24", true)},
		`[ipv6-addr:value = '2001:DB8:0:0::1']`:                                                               {one(observable.IP, "2001:db8::1", true)},
		`[domain-name:value IN ('A.Example', 'b.example')]`:                                                   {one(observable.Domain, "a.example", true), one(observable.Domain, "b.example", true)},
		`[url:value='http://a.example/x' /* why */ OR email-addr:value = 'A@b.example'] // end`:               {one(observable.URL, "http://a.example/x", true), one(observable.Mail, "a@b.example", true)},
		`[autonomous-system:number = 64500]`:                                                                  {one(observable.Number, "AS64500", true)},
		`[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'example.com']`:    {one(observable.Domain, "example.com", true)},
		`[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]`:                    {one(observable.IP, "192.0.2.1", false)},
		`[email-message:sender_ref.value = 'jdoe@example.com' AND email-message:subject = 'Conference Info']`: {one(observable.Mail, "jdoe@example.com", false)},
		`[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']`:                      {one(observable.Domain, "a.example", false), one(observable.Domain, "b.example", false)},
		`[domain-name:value = 'a.example'] REPEATS 5 TIMES WITHIN 1800 SECONDS`:                               {one(observable.Domain, "a.example", false)},
		`[domain-name:value = 'a.example'] OR ([domain-name:value = 'b.example'] AND [file:name = 'x'])`:      {one(observable.Domain, "a.example", true), one(observable.Domain, "b.example", false)},
		`[domain-name:value != 'a.example']`:                                                                  nil,
		`[domain-name:value NOT = 'a.example']`:                                                               nil,
		`[domain-name:value NOT != 'a.example']`:                                                              nil, // true of it, but written as nobody means it
		`[domain-name:value LIKE '%.example']`:                                                                nil,
		`[domain-name:value MATCHES '^a']`:                                                                    nil,
		`[NOT EXISTS domain-name:value]`:                                                                      nil,
		`[url:value = 'it\'s \\ no URL']`:                                                                     nil,
	} {
		got, err := pattern.Observables(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", in, err, diff)
		}
	}
	sha := strings.Repeat("AB", 32)
	got, err := pattern.Observables(`[file:hashes.'SHA-256' = '` + sha + `' OR file:hashes.SHA1 = '` + sha[:40] + `' OR file:hashes.MD5 = 'no']`)
	if err != nil || len(got) != 2 || got[0].Hash != "SHA-256" || got[0].Value != strings.ToLower(sha) || got[1].Hash != "SHA-1" {
		t.Error(got, err)
	}
	for _, in := range []string{
		``, ` `, `[]`, `[a]`, `[a:b]`, `[a:b = ]`, `[a:b = 1`, `a:b = 1`, `[a:b = 'x]`, `[a:b = 'x\n']`, `[a:b = 1]]`, `[a:b == = 1]`, `[a:b-c = 1]`, `[a:b.[0] = 1]`,
		`[a:b[x] = 1]`, `[a:b LIKE 5]`, `[a:b > true]`, `[a:b = t'2026-13-01T00:00:00Z']`, `[a:b IN (1 2)]`, `[a:b IN (1,)]`, `[a:b = 1] REPEATS 1.5 TIMES`, `[a:b = 1] WITHIN SECONDS`,
		`[a:b = 1] START '2026' STOP '2027'`, `[a:b = 1] AND`, `/* `, `[a:b = 1 ; c:d = 2]`, `[NOT a:b = 1]`, `([a:b = 1]`, `[a:b = h'12]`,
		strings.Repeat("(", 5000) + "[a:b=1]" + strings.Repeat(")", 5000), "[" + strings.Repeat("(", 5000) + "a:b=1" + strings.Repeat(")", 5000) + "]",
		"[a:b = 1" + strings.Repeat(" OR a:b = 1", 20_000) + "]", "[a" + strings.Repeat(":b.c", 100) + " = 1]", "[a:b" + strings.Repeat(".c", 100) + " = 1]",
		"[a:b = '" + strings.Repeat("x", 300<<10) + "']", "[a:b = " + strings.Repeat("9", 100) + "]",
	} {
		if _, err := pattern.Parse(in); !errors.Is(err, pattern.Err) {
			t.Errorf("%.60q: %v", in, err)
		}
	}
}

// What a program of ours writes for observables, it reads back as the same.
func TestPatternsForObservables(t *testing.T) {
	var all []pattern.Observable
	for kind, v := range map[string]string{"ipv4-addr": "192.0.2.1", "ipv6-addr": "2001:db8::/32", "domain-name": "a.example", "url": "http://a.example/it's", "email-addr": "a@b.example",
		"autonomous-system": "64500", "hashes:SHA-256": strings.Repeat("ab", 32)} {
		o, ok := pattern.Of(kind, v)
		if !ok {
			t.Fatal(kind, v)
		}
		o.Alone = true
		all = append(all, o)
		got, err := pattern.Observables(pattern.For(o))
		if diff := cmp.Diff([]pattern.Observable{o}, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", pattern.For(o), err, diff)
		}
	}
	if got, err := pattern.Observables(pattern.For(all...)); err != nil || len(got) != len(all) {
		t.Error(got, err)
	}
	if pattern.For() != "" {
		t.Error("a pattern for nothing")
	}
}

func FuzzPattern(f *testing.F) {
	for line := range strings.Lines(examples(f)) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := pattern.Parse(s)
		if err != nil {
			if !errors.Is(err, pattern.Err) {
				t.Fatal(err)
			}
			return
		}
		if len(p.Comparisons) == 0 {
			t.Fatal("a pattern without a test")
		}
		for _, o := range p.Observables() {
			if again, err := pattern.Observables(pattern.For(o)); err != nil || len(again) != 1 || again[0].Observable != o.Observable {
				t.Fatalf("%v is written as %s and read as %v, %v", o, pattern.For(o), again, err)
			}
		}
	})
}
