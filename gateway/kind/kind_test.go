package kind_test

import (
	"strings"
	"testing"

	"detente/gateway/kind"

	"golang.org/x/text/language"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]kind.Kind{
		`{"type":"bundle","id":"bundle--1","objects":[]}`:                              kind.STIX,
		`{"objects":[{"type":"indicator"}]}`:                                           kind.STIX,
		` {"Event":{"uuid":"x"}}`:                                                      kind.MISP,
		`{"document":{"csaf_version":"2.0"},"vulnerabilities":[]}`:                     kind.CSAF,
		`{"type":"playbook","spec_version":"cacao-2.0","workflow":{}}`:                 kind.CACAO,
		`{"action":"deny","target":{"ipv4_net":"198.51.100.0/24"}}`:                    kind.OpenC2,
		`{"headers":{},"body":{"openc2":{"request":{}}}}`:                              kind.OpenC2,
		"\xef\xbb\xbf<?xml version=\"1.0\"?><!-- x --><IODEF-Document xmlns='urn:x'/>": kind.IODEF,
		`<html>`:                     kind.Unknown,
		`{"action":"deny"}`:          kind.Unknown,
		`{"document":{"title":"x"}}`: kind.Unknown,
		`{"type":`:                   kind.Unknown,
		`hello`:                      kind.Unknown,
		``:                           kind.Unknown,
		`{"objects":` + strings.Repeat("[", 5000): kind.Unknown,
	} {
		if got := kind.Of([]byte(text)); got != want {
			t.Errorf("%.60s: %q, want %q", text, got, want)
		}
	}
	if !kind.CACAO.Opaque() || !kind.OpenC2.Opaque() || kind.STIX.Opaque() {
		t.Error("what tells a machine to do something is opaque, and nothing else")
	}
}

// A rival's playbook may hold what a terminal obeys.
func TestText(t *testing.T) {
	got := kind.Text([]byte("{\x1b[2J\"type\":\r\n\u202e\"playbook\xff\"}\n1234567890"), 32)
	if strings.ContainsAny(got, "\x1b\u202e\r") || !strings.HasSuffix(got, "\n…") || !strings.Contains(got, "playbook") {
		t.Errorf("%q", got)
	}
	book, err := kind.Phrases()
	if err != nil {
		t.Fatal(err)
	}
	if s := book.Phrase(language.English, kind.CACAO.Key(), string(kind.CACAO)); s != "A file of the format CACAO: shown as text, never executed" {
		t.Error(s)
	}
}

func FuzzOf(f *testing.F) {
	f.Add([]byte(`{"type":"playbook"}`))
	f.Add([]byte(`<a/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		kind.Of(b)
		kind.Text(b, 100)
	})
}
