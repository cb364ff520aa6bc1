package csaf_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/gateway/csaf"
	"detente/label"

	"github.com/google/go-cmp/cmp"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func reader(t testing.TB) *csaf.Reader {
	t.Helper()
	r, err := csaf.NewReader()
	must(t, err)
	return r
}

func advisory(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	return b
}

func TestAdvisory(t *testing.T) {
	raw := advisory(t, "icsa-24-046-06.json")
	d, err := reader(t).Read(raw)
	must(t, err)
	if !bytes.Equal(d.Raw, raw) {
		t.Error("the bytes changed")
	}
	d.Raw = nil
	d.Summary, d.Vulnerabilities[0].Summary = d.Summary[:4], d.Vulnerabilities[0].Summary[:4]
	day := time.Date(2024, 2, 13, 0, 0, 0, 0, time.UTC)
	want := &csaf.Document{
		ID: "ICSA-24-046-06", Title: "Siemens Unicam FX", Category: "csaf_security_advisory", Publisher: "CISA", Namespace: "https://www.cisa.gov/", Language: "en",
		Status: "final", Version: "1", Initial: day, Current: day, TLP: label.TLPClear, Summary: d.Summary,
		Vulnerabilities: []csaf.Vulnerability{{
			CVE: "CVE-2024-22042", CWE: "CWE-648", Title: "CVE-2024-22042", Summary: "The ", Score: 7.8, Severity: "HIGH", Affected: []string{"Unicam FX"},
			Remedies: d.Vulnerabilities[0].Remedies,
		}},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if len(d.Vulnerabilities[0].Remedies) == 0 || d.Vulnerabilities[0].Remedies[0].Kind != "no_fix_planned" {
		t.Errorf("remedies %v", d.Vulnerabilities[0].Remedies)
	}
}

// An advisory arrives while two cases are open: one names a vulnerability of it in its text, the other in an object.
func TestLinkedToCases(t *testing.T) {
	d, err := reader(t).Read(advisory(t, "icsa-24-032-01.json"))
	must(t, err)
	if diff := cmp.Diff([]string{"CVE-2024-1039", "CVE-2024-1040"}, d.CVEs()); diff != "" {
		t.Error(diff)
	}
	got := d.Links(map[string][]string{
		"XN-2": csaf.FindCVEs("They used cve-2024-1040, and (CVE-2024-1039), CVE-2024-1040 again."),
		"XN-1": csaf.FindCVEs("CVE-2024-1039"),
		"XN-3": csaf.FindCVEs("nothing, nor CVE-2024-10391, nor XCVE-2024-1039"),
	})
	want := []csaf.Link{{"XN-1", []string{"CVE-2024-1039"}}, {"XN-2", []string{"CVE-2024-1039", "CVE-2024-1040"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	r := reader(t)
	good := string(advisory(t, "icsa-24-046-06.json"))
	for name, b := range map[string]string{
		"nothing":            "",
		"half":               good[:len(good)/2],
		"two":                good + good,
		"another version":    strings.Replace(good, `"csaf_version": "2.0"`, `"csaf_version": "2.1"`, 1),
		"no title":           strings.Replace(good, `"title": "Siemens Unicam FX"`, `"titel": "Siemens Unicam FX"`, 1),
		"a false CVE":        strings.Replace(good, `"cve": "CVE-2024-22042"`, `"cve": "CVE-22042"`, 1),
		"a false score":      strings.Replace(good, `"baseScore": 7.8`, `"baseScore": 78`, 1),
		"a false date":       strings.Replace(good, `"initial_release_date": "2024-02-13T00:00:00.000000Z"`, `"initial_release_date": "yesterday"`, 1),
		"very deep":          strings.Repeat(`{"a":[`, 1000),
		"deep after a quote": `{"a\"":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}",
	} {
		_, err := r.Read([]byte(b))
		if !errors.Is(err, csaf.ErrDocument) {
			t.Errorf("%s: %v", name, err)
		} else if len(err.Error()) > 400 {
			t.Errorf("%s: a long error: %v", name, err)
		}
	}
	if _, err := r.Read(make([]byte, csaf.MaxDocument+1)); !errors.Is(err, csaf.ErrDocument) {
		t.Errorf("too large: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	r := reader(f)
	f.Add(advisory(f, "icsa-24-046-06.json"))
	f.Add([]byte(`{"document":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := r.Read(b)
		if err != nil {
			if !errors.Is(err, csaf.ErrDocument) {
				t.Fatal(err)
			}
			return
		}
		if d.ID == "" || d.Title == "" {
			t.Fatal("an advisory without id or title")
		}
		_ = d.Links(map[string][]string{"x": d.CVEs()})
	})
}
