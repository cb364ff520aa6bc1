package flat_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"detente/gateway/flat"
	"detente/gateway/mint"
	"detente/label"
	"detente/stix"

	"github.com/google/go-cmp/cmp"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, name string) *bytes.Reader {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	return bytes.NewReader(b)
}

// read collects events, and the lines that were none.
func read(t testing.TB, from func(func(int, flat.Event, error) error) error) (events []flat.Event, bad []int) {
	t.Helper()
	must(t, from(func(line int, e flat.Event, err error) error {
		switch {
		case err != nil && !errors.Is(err, flat.ErrLine):
			t.Errorf("line %d: %v", line, err)
		case err != nil:
			bad = append(bad, line)
		default:
			events = append(events, e)
		}
		return nil
	}))
	return events, bad
}

func TestIntelMQ(t *testing.T) {
	events, bad := read(t, func(fn func(int, flat.Event, error) error) error { return flat.Lines(open(t, "events.json"), fn) })
	if d := cmp.Diff([]int{7, 8}, bad); d != "" {
		t.Error(d)
	}
	want := flat.Event{
		"time.source": "2026-11-23T05:00:00Z", "time.observation": "2026-11-23T05:10:00Z", "classification.taxonomy": "malicious-code", "classification.type": "c2-server",
		"source.ip": "198.51.100.7", "source.port": "443", "source.asn": "64500", "source.fqdn": "c2.example", "protocol.transport": "tcp", "feed.name": "sensors", "feed.accuracy": "90",
		"malware.name": "qakbot", "tlp": "AMBER", "extra.tag": "x", "extra.n": "5", "raw": "cmF3", "source.tor_node": "false",
	}
	if d := cmp.Diff(want, events[0]); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(flat.Event{"time.source": "2026-11-23T06:00:00Z", "classification.type": "brute-force", "source.ip": "2001:db8::7", "destination.ip": "192.0.2.1", "destination.port": "22",
		"protocol.transport": "tcp", "protocol.application": "ssh", "source.geolocation.cc": "XS"}, events[1]); d != "" {
		t.Error(d)
	}
	var text bytes.Buffer
	must(t, flat.WriteJSON(&text, events))
	again, bad := read(t, func(fn func(int, flat.Event, error) error) error { return flat.Lines(&text, fn) })
	if d := cmp.Diff(events, again); d != "" || bad != nil {
		t.Error(d, bad)
	}
	must(t, flat.WriteCSV(&text, events))
	again, bad = read(t, func(fn func(int, flat.Event, error) error) error { return flat.CSV(&text, "", fn) })
	if d := cmp.Diff(events, again); d != "" || bad != nil {
		t.Error(d, bad)
	}
}

func TestShadowserver(t *testing.T) {
	name := "2026-11-23-event4_sinkhole_http-xn-geo.csv"
	events, bad := read(t, func(fn func(int, flat.Event, error) error) error {
		return flat.CSV(open(t, name), flat.Report(name), fn)
	})
	if d := cmp.Diff([]int{4, 5}, bad); d != "" {
		t.Error(d)
	}
	want := flat.Event{
		"time.source": "2026-11-23T00:00:00Z", "classification.taxonomy": "malicious-code", "classification.type": "infected-system", "classification.identifier": "sinkhole_http",
		"source.ip": "198.51.100.2", "source.port": "60902", "source.asn": "64500", "source.geolocation.cc": "XN", "source.geolocation.region": "NORTH", "source.geolocation.city": "HARBOUR",
		"destination.ip": "203.0.113.2", "destination.port": "80", "destination.asn": "64501", "destination.geolocation.cc": "XS", "destination.fqdn": "differentia.example",
		"protocol.transport": "tcp", "malware.name": "andromeda", "extra.family": "andromeda", "extra.tag": "andromeda-avalanche", "feed.name": "Shadowserver event4_sinkhole_http",
		"feed.code": "shadowserver-event4_sinkhole_http", "feed.provider": "Shadowserver",
	}
	if d := cmp.Diff(want, events[0]); d != "" {
		t.Error(d)
	}
	if events[1]["extra.src_sector"] != `Communications, Service Provider, and "Hosting" Service` || events[1]["source.ip"] != "2001:db8::3" {
		t.Error(events[1])
	}
	name = "2026-11-23-scan_mysql-xn-geo.csv"
	events, bad = read(t, func(fn func(int, flat.Event, error) error) error {
		return flat.CSV(open(t, name), flat.Report(name), fn)
	})
	if len(events) != 1 || bad != nil || events[0].Class().String() != "vulnerable.potentially-unwanted-accessible" || events[0]["source.reverse_dns"] != "node01.xn.example" {
		t.Errorf("%v %v", events, bad)
	}
	if flat.Report("events.csv") != "" || flat.Report("x/2026-11-23-scan_ntp.csv") != "scan_ntp" {
		t.Error("the type of a report")
	}
}

// An event becomes objects that the schemas accept, and these the event again. A machine that is infected is no indicator; what is to be looked for is one, once.
func TestThereAndBack(t *testing.T) {
	v, err := stix.NewValidator()
	must(t, err)
	events, _ := read(t, func(fn func(int, flat.Event, error) error) error { return flat.Lines(open(t, "events.json"), fn) })
	name := "2026-11-23-event4_sinkhole_http-xn-geo.csv"
	more, _ := read(t, func(fn func(int, flat.Event, error) error) error {
		return flat.CSV(open(t, name), flat.Report(name), fn)
	})
	events = append(events, more...)
	var objects []*stix.Object
	counts := map[string]int{}
	var want []flat.Event
	for _, e := range events {
		made, err := e.STIX(flat.In{TLP: label.TLPGreen})
		if e.Time().IsZero() {
			if !errors.Is(err, flat.ErrLine) {
				t.Errorf("an event without time: %v", err)
			}
			continue
		}
		must(t, err)
		for _, o := range made {
			counts[o.Type]++
			if err := v.Validate(o); err != nil {
				t.Errorf("%v\n%s", err, o.Raw)
			}
		}
		objects = append(objects, made...)
		if e.Plane() == label.Real {
			want = append(want, e)
		}
	}
	if counts["observed-data"] != 7 || counts["indicator"] != 4 || counts["sighting"] != 4 {
		t.Error(counts)
	}
	got, left := flat.Events(objects, flat.Out{Path: label.Path{Audience: label.Organisation, Plane: label.Real}})
	if len(left) != 1 || !errors.Is(left[0].Why, label.ErrRefused) {
		t.Errorf("the test should stay: %v", left)
	}
	for i, e := range want {
		tlp := "GREEN"
		if e["tlp"] == "AMBER" {
			tlp = "AMBER"
		}
		delete(e, "raw") // in the line itself, which is kept
		e["tlp"] = tlp
		if c := e.Class(); c.Class != "" {
			e["classification.taxonomy"] = c.Class
		}
		if e["source.fqdn"] == "" { // what was seen is said in full
			delete(got[i], "source.fqdn")
		}
		if e["malware.hash.sha256"] != "" {
			e["malware.hash.sha256"] = got[i]["malware.hash.sha256"]
		}
		if d := cmp.Diff(e, got[i]); d != "" {
			t.Errorf("%d: %s", i, d)
		}
	}
	again, err := events[0].STIX(flat.In{TLP: label.TLPGreen})
	must(t, err)
	if !slices.EqualFunc(again, objects[:len(again)], func(a, b *stix.Object) bool { return a.ID == b.ID }) {
		t.Error("an event that comes twice gives other objects")
	}
	public, left := flat.Events(objects, flat.Out{Path: label.Path{Audience: label.Community, Plane: label.Real}})
	if len(public) != len(want)-1 || len(left) != 2 {
		t.Errorf("to the community %d, left %v", len(public), left)
	}
}

// Indicators from elsewhere become events if a single value says them.
func TestIndicators(t *testing.T) {
	indicator := func(pattern string) *stix.Object {
		at := flat.Event{"time.source": "2026-11-23T00:00:00Z"}.Time()
		o, err := mint.Object("indicator", mint.UUID(pattern), at, at, mint.Fields{"pattern": pattern, "pattern_type": "stix", "valid_from": at, "name": "x", "object_marking_refs": mint.Markings(label.TLPClear, "")})
		must(t, err)
		return o
	}
	events, left := flat.Events([]*stix.Object{indicator("[ipv4-addr:value = '198.51.100.0/24']"), indicator("[url:value LIKE 'a%']"), indicator("[file:hashes.MD5 = '0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c']")},
		flat.Out{Path: label.Path{Audience: label.Everybody, Plane: label.Real}, Feed: "xn"})
	if len(left) != 1 || left[0].Why != nil {
		t.Error(left)
	}
	want := []flat.Event{
		{"source.network": "198.51.100.0/24", "time.source": "2026-11-23T00:00:00Z", "tlp": "CLEAR", "feed.name": "xn", "event_description.text": "x"},
		{"malware.hash.md5": strings.Repeat("0c", 16), "time.source": "2026-11-23T00:00:00Z", "tlp": "CLEAR", "feed.name": "xn", "event_description.text": "x"},
	}
	if d := cmp.Diff(want, events); d != "" {
		t.Error(d)
	}
}

func TestRefused(t *testing.T) {
	none := func(int, flat.Event, error) error { return nil }
	for name, text := range map[string]string{
		"nothing": "", "no fields": "a,b\n1,2\n", "an open quote": "source.ip,comment\n192.0.2.1,\"" + strings.Repeat("x", 2<<20), "many columns": strings.Repeat("a,", 500) + "\n",
	} {
		if err := flat.CSV(strings.NewReader(text), "", none); !errors.Is(err, flat.ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := flat.CSV(strings.NewReader("a,b\n"), "scan_x", none); !errors.Is(err, flat.ErrFile) {
		t.Errorf("a report without addresses: %v", err)
	}
	if err := flat.Lines(strings.NewReader(strings.Repeat("x", 2<<20)), none); !errors.Is(err, flat.ErrFile) {
		t.Errorf("a long line: %v", err)
	}
	enough := errors.New("enough")
	if err := flat.Lines(open(t, "events.json"), func(int, flat.Event, error) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
}

func FuzzLines(f *testing.F) {
	b, err := os.ReadFile("testdata/events.json")
	must(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = flat.Lines(bytes.NewReader(b), func(_ int, e flat.Event, err error) error {
			if err == nil {
				_, _ = e.STIX(flat.In{TLP: label.TLPRed})
			}
			return nil
		})
	})
}

func FuzzCSV(f *testing.F) {
	b, err := os.ReadFile("testdata/2026-11-23-event4_sinkhole_http-xn-geo.csv")
	must(f, err)
	f.Add(b, "event4_sinkhole_http")
	f.Add([]byte("source.ip,time.source\n192.0.2.1,2026-11-23\n"), "")
	f.Fuzz(func(t *testing.T, b []byte, report string) {
		_ = flat.CSV(bytes.NewReader(b), report, func(_ int, e flat.Event, err error) error {
			if err == nil {
				_, _ = e.STIX(flat.In{})
			}
			return nil
		})
	})
}
