package stix_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"detente/label"
	"detente/observable"
	"detente/stix"

	"github.com/TcM1911/stix2"
	"github.com/google/go-cmp/cmp"
)

func read(t testing.TB, s string) *stix.Object {
	t.Helper()
	o, err := newValidator(t).Read([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// A second reader, that shares no code with ours, sees the same.
func TestSecondOpinion(t *testing.T) {
	for _, line := range week(t)[:300] {
		o := read(t, string(line))
		var other stix2.Indicator
		if err := json.Unmarshal(line, &other); err != nil {
			t.Fatal(err)
		}
		i, ok := o.Indicator()
		if !ok || i.Pattern != other.Pattern || !i.ValidFrom.Equal(other.ValidFrom.Time) || !o.Modified.Equal(other.Modified.Time) || string(other.ID) != o.ID ||
			i.Name != other.Name || len(o.Markings) != len(other.ObjectMarking) {
			t.Fatalf("we read %+v, the other %+v", i, other)
		}
	}
}

// The id of an observable follows from its content; these are those of the standard's text and of the tools in use. (The other reader of these tests has
// others.)
func TestIDsOfObservables(t *testing.T) {
	for _, c := range []struct {
		kind    string
		members map[string]any
		want    string
	}{
		{"ipv4-addr", map[string]any{"type": "ipv4-addr", "value": "198.51.100.3"}, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"},
		{"ipv6-addr", map[string]any{"value": "2001:db8::1"}, "ipv6-addr--6469e3a9-b053-5e34-a025-9396ae051d26"},
		{"domain-name", map[string]any{"value": "example.com", "x": 1}, "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"},
	} {
		if id, err := stix.ObservableID(c.kind, c.members); err != nil || id != c.want {
			t.Errorf("%s: %s, %v", c.kind, id, err)
		}
	}
	// Of the hashes one counts, by an order of its own, and members that do not contribute do not.
	md5, sha := strings.Repeat("cd", 16), strings.Repeat("ab", 32)
	a, _ := stix.ObservableID("file", map[string]any{"name": "фото.exe", "size": 5, "hashes": map[string]any{"SHA-256": sha, "MD5": md5}})
	b, _ := stix.ObservableID("file", map[string]any{"name": "фото.exe", "hashes": map[string]any{"MD5": md5}})
	c, _ := stix.ObservableID("file", map[string]any{"name": "фото.exe", "hashes": map[string]any{"SHA-256": sha}})
	if a != b || a == c {
		t.Error(a, b, c)
	}
	if a, _ := stix.ObservableID("process", map[string]any{"pid": 7}); !stix.IsID(a) || a[len("process--")+14] != '4' {
		t.Errorf("the id of a process is %s, should be random", a)
	}
}

func TestBuiltObjectsAreValid(t *testing.T) {
	v := newValidator(t)
	now := time.Date(2026, 11, 25, 12, 0, 0, 123_456_789, time.UTC)
	for _, members := range []map[string]any{
		{"type": "domain-name", "value": "example.com"},
		{"type": "file", "hashes": map[string]any{"MD5": strings.Repeat("cd", 16)}},
		{"type": "identity", "name": "CERT <Northland> & \u2028friends", "identity_class": "organization"},
		{"type": "sighting", "sighting_of_ref": idA, "count": 3, "first_seen": now, "last_seen": now},
		{"type": "indicator", "pattern": "[url:value = 'http://a.example/?a=b&c=<d>']", "pattern_type": "stix", "valid_from": now},
	} {
		o, err := stix.Build(members, now)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Validate(o); err != nil {
			t.Errorf("%s: %v", o.Raw, err)
		}
		if !bytes.HasPrefix(o.Raw, []byte(`{"type":"`+o.Type+`","spec_version":"2.1","id":"`+o.ID+`"`)) || !json.Valid(o.Raw) {
			t.Errorf("written as %s", o.Raw)
		}
		again, err := stix.Build(members, now)
		if err != nil || v.IsObservable(o.Type) != (again.ID == o.ID) {
			t.Errorf("%s twice: %s, %s", o.Type, o.ID, again.ID)
		}
	}
	a := read(t, good)
	gone, err := stix.Revoke(a, now)
	if err != nil || v.Validate(gone) != nil || !gone.Revoked || !gone.Newer(a) || gone.ID != a.ID {
		t.Errorf("revoked: %+v, %v", gone, err)
	}
	if _, err := stix.Revoke(gone, a.Modified); !errors.Is(err, stix.ErrInvalid) {
		t.Error(err)
	}
}

// Of the versions of an object the latest counts, in whatever order they come, and revoked is for good.
func TestVersions(t *testing.T) {
	version := func(day int, revoked bool) *stix.Object {
		return read(t, strings.Replace(with(fmt.Sprintf(`"revoked":%t`, revoked)), "2026-08-24", fmt.Sprintf("2026-09-%02d", day), 1))
	}
	first, second, gone, back := version(1, false), version(2, false), version(3, true), version(4, false)
	other := read(t, other)
	for name, c := range map[string]struct{ in, want []*stix.Object }{
		"in order":         {[]*stix.Object{first, second, other}, []*stix.Object{second, other}},
		"out of order":     {[]*stix.Object{second, other, first}, []*stix.Object{second, other}},
		"revoked":          {[]*stix.Object{first, gone, second}, []*stix.Object{gone}},
		"back in vain":     {[]*stix.Object{gone, back}, []*stix.Object{gone}},
		"revoked too late": {[]*stix.Object{back, gone}, []*stix.Object{gone}},
	} {
		got := stix.Latest(c.in)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d objects", name, len(got))
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %s of %s", name, got[i].ID, got[i].Modified)
			}
		}
	}
	i, _ := first.Indicator()
	if i.Valid(time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)) || !i.Valid(time.Date(2027, 8, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("validity")
	}
	if i, _ := gone.Indicator(); i.Valid(time.Date(2027, 8, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("a revoked indicator is valid")
	}
}

const (
	red    = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
	amber1 = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
	green  = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
	papRed = "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e"
	terms  = "marking-definition--11111111-1111-4111-8111-111111111111"
)

func TestMarkings(t *testing.T) {
	definition := func(id, rest string) *stix.Object {
		o, err := stix.Read([]byte(`{"type":"marking-definition","spec_version":"2.1","id":"`+id+`","created":"2022-10-01T00:00:00.000Z",`+rest+`}`), stix.Standard())
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	known := map[string]*stix.Object{
		terms: definition(terms, `"definition_type":"statement","definition":{"statement":"Not for prosecution."}`),
		idA:   read(t, good),
		"marking-definition--22222222-2222-4222-8222-222222222222": definition("marking-definition--22222222-2222-4222-8222-222222222222",
			`"name":"TLP:CLEAR","extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"clear"}}`),
		"marking-definition--33333333-3333-4333-8333-333333333333": definition("marking-definition--33333333-3333-4333-8333-333333333333",
			`"extensions":{"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce":{"extension_type":"property-extension","access":"none"}}`),
	}
	lookup := func(id string) (*stix.Object, bool) {
		o, ok := known[id]
		return o, ok
	}
	marked := func(refs, granular string) *stix.Object {
		o, err := stix.Read([]byte(with(`"name":"n","description":"d","labels":["a","b"],"object_marking_refs":[`+refs+`],"granular_markings":[`+granular+`]`)), stix.Standard())
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	q := func(id string) string { return `"` + id + `"` }

	m, err := stix.Resolve(marked(q(green)+","+q(amber1)+","+q(terms), `{"selectors":["description"],"marking_ref":"`+red+`"},{"selectors":["labels.[1]"],"marking_ref":"`+papRed+`"},{"selectors":["name"],"lang":"fr"},{"selectors":["labels"],"marking_ref":"`+green+`"}`), lookup)
	if err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]stix.Mark{
		"name":        {TLP: label.TLPAmber, Statements: []string{"Not for prosecution."}},
		"description": {TLP: label.TLPRed, Statements: []string{"Not for prosecution."}},
		"labels.[0]":  {TLP: label.TLPAmber, Statements: []string{"Not for prosecution."}}, // a part never widens the whole
		"labels.[1]":  {TLP: label.TLPAmber, PAP: label.PAPRed, Statements: []string{"Not for prosecution."}},
	} {
		if diff := cmp.Diff(want, m.Of(part)); diff != "" {
			t.Errorf("%s: %s", part, diff)
		}
	}
	if n := m.Narrowest(); n.TLP != label.TLPRed || n.PAP != label.PAPRed {
		t.Errorf("narrowest %+v", n)
	}
	if diff := cmp.Diff([]string{"description", "labels.[1]"}, m.Restrict()); diff != "" {
		t.Error(diff)
	}
	if m, err := stix.Resolve(read(t, good), nil); err != nil || m.Narrowest().TLP != label.Unmarked {
		t.Error("an unmarked object is", m, err)
	}

	for name, c := range map[string]struct{ refs, granular, path string }{
		"nobody knows it":                {q("marking-definition--44444444-4444-4444-8444-444444444444"), "", "/object_marking_refs/0"},
		"it is no marking":               {q(green) + "," + q(idA), "", "/object_marking_refs/1"},
		"a label under a false id":       {q("marking-definition--22222222-2222-4222-8222-222222222222"), "", "/object_marking_refs/0"},
		"a marking of an unknown kind":   {q("marking-definition--33333333-3333-4333-8333-333333333333"), "", "/object_marking_refs/0"},
		"not an id":                      {"17", "", "/object_marking_refs/0"},
		"a selector to nowhere":          {"", `{"selectors":["labels.[2]"],"marking_ref":"` + red + `"}`, "/granular_markings/0/selectors/0"},
		"a selector in another spelling": {"", `{"selectors":["labels.[01]"],"marking_ref":"` + red + `"}`, "/granular_markings/0/selectors/0"},
		"an unknown marking of a part":   {"", `{"selectors":["name"],"marking_ref":"marking-definition--44444444-4444-4444-8444-444444444444"}`, "/granular_markings/0/marking_ref"},
		"a part marked with nothing":     {"", `{"selectors":["name"]}`, "/granular_markings/0"},
	} {
		_, err := stix.Resolve(marked(c.refs, c.granular), lookup)
		if faults := stix.FaultsOf(err); !errors.Is(err, stix.ErrMarking) || faults[0].Path != c.path || faults[0].ID != idA {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDefanged(t *testing.T) {
	for in, want := range map[string]string{
		"see http://evil.example/a.php?x=1 and HTTPS://b.example": "see hxxp://evil[.]example/a[.]php?x=1 and HxxPS://b[.]example",
		"198.51.100.7 and 198.51.100.0/24":                        "198[.]51[.]100[.]7 and 198[.]51[.]100[.]0/24",
		"2001:db8::1 at 12:30:00, ratio 1:2":                      "2001[:]db8[:][:]1 at 12:30:00, ratio 1:2",
		"version 2.1 of 10.5.3":                                   "version 2.1 of 10.5.3",
		"write to a.b@c.example.":                                 "write to a[.]b[@]c[.]example.",
		"ftp://a.example":                                         "ftp[:]//a[.]example",
		"пример.испытание and 例え.テスト":                             "пример[.]испытание and 例え[.]テスト",
		"[url:value = 'http://a.example']":                        "[url:value = 'hxxp://a[.]example']",
		"Nothing here. At all, e.g. this":                         "Nothing here. At all, e[.]g. this",
		"":                                                        "",
	} {
		if got := stix.Defang(in); got != want {
			t.Errorf("%q\n is %q\n not %q", in, got, want)
		}
	}
	for _, s := range []string{"192.0.2.1", "2001:db8::1", "2001:db8::/32", "a.example", "http://a.example:8080/x.php?y=1", "https://[2001:db8::1]/", "a.b@c.example", "AS64500", strings.Repeat("ab", 16)} {
		o, err := observable.Guess(s)
		if err != nil {
			t.Fatal(s, err)
		}
		shown := stix.DefangValue(o)
		if back, err := observable.Guess(shown); err != nil || back != o {
			t.Errorf("%s is shown as %s and read as %v, %v", s, shown, back, err)
		}
		if strings.HasPrefix(shown, "http:") || strings.Contains(strings.Split(shown, "/")[0], "a.example") {
			t.Errorf("%s still leads somewhere", shown)
		}
	}
}

// A case becomes an incident, and an incident of others is read, of whichever draft.
func TestIncident(t *testing.T) {
	v := newValidator(t)
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	in := stix.Incident{Name: "Scanning of a ministry's mail servers", Description: "apparently from or through the territory of the party concerned", Created: now.Add(-time.Hour),
		Modified: now, Determination: "successful-attempt", Status: "open", Types: []string{"information-gathering.scanner"}, Class: label.Classification{Class: "information-gathering", Type: "scanner"},
		Criticality: 60, Confidence: 50, Detection: []string{"human-review"}, Recoverability: "regular", Affected: map[string]int64{"organizations": 1},
		Events: []string{"event--84ede1e8-aa78-4c63-98cd-02f4387fc1ec"}, Case: "XN-2026-0004", References: []stix.Reference{{Source: "cve", ID: "CVE-2026-12345"}}, Markings: []string{green},
		ID: "incident--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}
	o, err := in.Object(now)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Validate(o); err != nil {
		t.Fatal(err)
	}
	out, ok := o.Incident()
	if diff := cmp.Diff(in, out); !ok || diff != "" {
		t.Error(diff)
	}
	stub := read(t, `{"type":"incident","spec_version":"2.1","id":"incident--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-08-23T00:00:00.000Z","modified":"2026-08-23T00:00:00.000Z","name":"n"}`)
	if i, ok := stub.Incident(); !ok || i.Name != "n" || i.Criticality != -1 || i.Confidence != -1 || i.Status != "" {
		t.Errorf("a stub is %+v", i)
	}
	drafts := read(t, `{"type":"incident","spec_version":"2.1","id":"incident--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-08-23T00:00:00.000Z","modified":"2026-08-23T00:00:00.000Z","name":"n",
		"extensions":{"`+stix.IncidentExtension+`":{"extension_type":"property-extension","determination":"confirmed","investigation_status":"closed","incident_types":["ddos"],
		"event_refs":["event--84ede1e8-aa78-4c63-98cd-02f4387fc1ec"],"events":[{"event_ref":"event--94ede1e8-aa78-4c63-98cd-02f4387fc1ec"},{"event_ref":"event--84ede1e8-aa78-4c63-98cd-02f4387fc1ec"}]}}}`)
	if i, _ := drafts.Incident(); len(i.Events) != 2 || i.Determination != "confirmed" || i.Class.String() != "availability.ddos" {
		t.Errorf("both drafts: %+v", i)
	}
	if i, err := (stix.Incident{Name: "new", Criticality: -1, Confidence: -1}).Object(now); err != nil || v.Validate(i) != nil {
		t.Error(i, err)
	}
	if _, ok := read(t, good).Incident(); ok {
		t.Error("an indicator is an incident")
	}
}

// What feeds still ship in the old version is refused with its reason, and can be upgraded into what is valid.
func TestUpgrade(t *testing.T) {
	v := newValidator(t)
	uuid := "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
	old := func(kind, rest string) string {
		return `{"type":"` + kind + `","id":"` + kind + `--` + uuid + `","created":"2017-05-31T21:30:19.73501Z","modified":"2017-05-31T21:30:20Z",` + rest + `}`
	}
	in := `{"type":"bundle","spec_version":"2.0","id":"bundle--` + uuid + `","objects":[` + strings.Join([]string{
		old("indicator", `"labels":["malicious-activity"],"pattern":"[ipv4-addr:value = '198.51.100.7']","valid_from":"2017-05-31T21:30:19Z"`),
		old("malware", `"name":"m","labels":["trojan"]`),
		old("report", `"name":"r","labels":["threat-report"],"published":"2017-05-31T21:30:19Z","object_refs":["`+idA+`"]`),
		old("identity", `"name":"i","identity_class":"organization","labels":["cert"]`),
		old("observed-data", `"first_observed":"2017-05-31T21:30:19Z","last_observed":"2017-05-31T21:30:19Z","number_observed":1,"objects":{"0":{"type":"domain-name","value":"a.example","resolves_to_refs":["1"]},"1":{"type":"ipv4-addr","value":"198.51.100.7"}}`),
		`{"type":"marking-definition","id":"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9","created":"2017-01-20T00:00:00.000Z","definition_type":"tlp","definition":{"tlp":"white"}}`,
	}, ",") + `]}`
	bundle, err := v.Split([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range bundle.Items {
		if !errors.Is(it.Err, stix.ErrVersion) || !strings.Contains(it.Err.Error(), "STIX 2.0") {
			t.Errorf("%s: %v", it.Object.ID, it.Err)
		}
	}
	if bundle, err = stix.Split([]byte(in), v.Limits); err != nil {
		t.Fatal(err)
	}
	stix.UpgradeBundle(bundle)
	for _, it := range bundle.Items {
		if it.Err != nil || !strings.Contains(in, string(it.Raw)) {
			t.Fatal(it.Err)
		}
		if err := v.Validate(it.Object); err != nil && it.Object.Type != "observed-data" {
			t.Errorf("%s: %v", it.Object.Raw, err)
		}
	}
	if i, _ := bundle.Items[0].Object.Indicator(); i.PatternType != "stix" || len(i.Types) != 1 {
		t.Errorf("%+v", i)
	}
	if got := bundle.Items[4].Object.Observables(); len(got) != 2 {
		t.Errorf("observed: %v", got)
	}
	same := read(t, good)
	if o, err := stix.Upgrade(same); o != same || err != nil {
		t.Error("what is 2.1 was changed")
	}
}

func TestStream(t *testing.T) {
	a, b := good, other
	bad := `{"a":1,"a":2}`
	for name, in := range map[string]string{
		"a bundle":            `{"type":"bundle","id":"x","objects":[` + a + `,` + bad + `,` + b + `],"x_more":{"a":["]"]}} `,
		"an envelope":         `{"more":false,"objects":[` + a + "\n,\n" + bad + ` , ` + b + `]}`,
		"a list":              `[` + a + `,` + bad + `,` + b + `]`,
		"one a line":          a + "\n" + bad + "\n" + b + "\n",
		"one after the other": a + bad + b,
	} {
		s := stix.NewStream(iotest.HalfReader(strings.NewReader(in)), stix.Standard())
		var got []string
		var errs int
		for {
			it, err := s.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, string(it.Raw))
			if it.Err != nil {
				errs++
			}
		}
		if diff := cmp.Diff([]string{a, bad, b}, got); diff != "" || errs != 1 {
			t.Errorf("%s: %d faults, %s", name, errs, diff)
		}
	}
	for name, in := range map[string]string{
		"half a bundle": `{"objects":[` + a + `,`, "half an object": a + a[:50], "no end of a list": `[` + a, "no object": `17`, "more after": `{"objects":[]}{}`,
		"no comma": `[` + a + a + `]`, "endless rest": `{"objects":[],"a":"` + strings.Repeat("a", 2<<20) + `"}`,
	} {
		s := stix.NewStream(strings.NewReader(in), stix.Standard())
		var err error
		for err == nil {
			_, err = s.Next()
		}
		if err == io.EOF || stix.FaultsOf(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Next(); err != io.EOF {
			t.Errorf("%s goes on", name)
		}
	}
	// What is too large for one object costs its place only.
	big := `{"objects":[` + a + `,{"a":"` + strings.Repeat("a", 2<<20) + `"},"text",17,` + b + `]}`
	s := stix.NewStream(strings.NewReader(big), stix.Standard())
	var kinds []bool
	for {
		it, err := s.Next()
		if err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			break
		}
		kinds = append(kinds, it.Err == nil)
	}
	if diff := cmp.Diff([]bool{true, false, false, false, true}, kinds); diff != "" {
		t.Error(diff)
	}
	boom := errors.New("the disk is gone")
	s = stix.NewStream(io.MultiReader(strings.NewReader(a), iotest.ErrReader(boom)), stix.Standard())
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(); !errors.Is(err, boom) {
		t.Error(err)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(`{"type":"bundle","objects":[` + good + `,17,"a"],"x":1}`))
	f.Add([]byte(`[` + other + `]`))
	f.Add([]byte(good + "\n" + other))
	f.Fuzz(func(t *testing.T, b []byte) {
		lim := stix.Standard()
		lim.Object = 2048
		s := stix.NewStream(bytes.NewReader(b), lim)
		for n := 0; ; n++ {
			it, err := s.Next()
			if err != nil {
				return
			}
			if n > len(b) || !bytes.Contains(b, it.Raw) {
				t.Fatalf("item %d of %d bytes: %q", n, len(b), it.Raw)
			}
		}
	})
}
