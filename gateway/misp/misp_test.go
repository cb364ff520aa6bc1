package misp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"detente/gateway/mint"
	"detente/gateway/misp"
	"detente/label"
	"detente/stix"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const (
	infoblox = "24e799ca-aad8-4244-8005-90b3ceb44540"
	decoyDog = "6c1c6c4f-5cde-474f-bb69-8e5b8b041f81"
)

func raw(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	must(t, err)
	return b
}

func event(t testing.TB, name string) *misp.Event {
	t.Helper()
	e, err := misp.Read(raw(t, name))
	must(t, err)
	return e
}

func imported(t testing.TB, e *misp.Event) *misp.Import {
	t.Helper()
	in, err := e.STIX()
	must(t, err)
	return in
}

// ours is a path within the own organisation: the CERT's own MISP.
func ours(p label.Plane) label.Path { return label.Path{Audience: label.Organisation, Plane: p} }

// values are what an event holds: type, value, whether to alarm, and labels.
func values(e *misp.Event) []string {
	var out []string
	add := func(prefix string, all []misp.Attribute) {
		for _, a := range all {
			s := prefix + string(a.Type) + " " + string(a.Category) + " " + string(a.Value) + " " + string(a.Comment)
			if a.ToIDS {
				s += " ids"
			}
			if a.Deleted {
				s += " deleted"
			}
			for _, tag := range a.Tags {
				s += " " + string(tag.Name)
			}
			for _, seen := range a.Sightings {
				s += " seen " + string(seen.Date) + " " + string(seen.Source)
			}
			out = append(out, s)
		}
	}
	add("", e.Attributes)
	for _, o := range e.Objects {
		add(string(o.Name)+": ", o.Attributes)
	}
	slices.Sort(out)
	return out
}

// An event becomes objects that the schemas of OASIS accept, and these become the event again: nothing that matters is lost on the way.
func TestThereAndBack(t *testing.T) {
	v := validator(t)
	for _, name := range []string{infoblox, decoyDog, "d83c5966-efe8-45c2-92e4-e9eb1b9fb8fd", "full"} {
		before := event(t, name)
		in := imported(t, before)
		for _, o := range in.Objects {
			if err := v.Validate(o); err != nil {
				t.Errorf("%s: %v\n%s", name, err, o.Raw)
			}
		}
		if again := imported(t, event(t, name)); !slices.EqualFunc(in.Objects, again.Objects, func(a, b *stix.Object) bool { return bytes.Equal(a.Raw, b.Raw) }) {
			t.Errorf("%s: the same event gives other objects", name)
		}
		after, left, err := misp.NewEvent(in.Objects, misp.Out{Path: ours(in.Label.Plane)})
		must(t, err)
		for _, l := range left {
			t.Errorf("%s: %s %s is left: %v", name, l.What, l.ID, l.Why)
		}
		want, got := values(before), values(after)
		if name == "full" {
			// What was not understood is in the bytes of the event; what is written in one way only is written so; a name of a tag is.
			want = slices.DeleteFunc(want, func(s string) bool { return strings.HasPrefix(s, "iban") || strings.HasPrefix(s, "paste") })
			for i, s := range want {
				want[i] = strings.NewReplacer("Evil.example", "evil.example", "AS64500", "64500", "00:00:5E", "00:00:5e").Replace(s)
			}
			slices.Sort(want)
			if ids := []string{in.Left[0].What, in.Left[1].What}; len(in.Left) != 2 || ids[0] != "iban" || ids[1] != "paste" {
				t.Errorf("left: %v", in.Left)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
		same := func(what string, a, b any) {
			if d := cmp.Diff(a, b); d != "" {
				t.Errorf("%s, %s: %s", name, what, d)
			}
		}
		same("uuid", before.UUID, after.UUID)
		same("info", before.Info, after.Info)
		same("date", before.Date, after.Date)
		same("threat level", before.ThreatLevel, after.ThreatLevel)
		if after.Changed().Before(before.Changed()) {
			t.Errorf("%s: changed %s, was %s", name, after.Changed(), before.Changed())
		}
		same("maker", before.Orgc.UUID, after.Orgc.UUID)
		lint(t, after)
	}
}

func TestLabels(t *testing.T) {
	in := imported(t, event(t, "full"))
	want := label.Parcel{TLP: label.TLPGreen, PAP: label.PAPAmber, Plane: label.Exercise, Source: label.TLPGreen}
	if d := cmp.Diff(want, in.Label); d != "" {
		t.Error(d)
	}
	if in.RSIT.String() != "intrusion-attempts.brute-force" || in.Rating.String() != "B2" {
		t.Errorf("%s %s", in.RSIT, in.Rating)
	}
	after, _, err := misp.NewEvent(in.Objects, misp.Out{Path: ours(label.Exercise)})
	must(t, err)
	var tags []string
	for _, tag := range after.Tags {
		tags = append(tags, string(tag.Name))
	}
	slices.Sort(tags)
	if d := cmp.Diff([]string{
		"PAP:AMBER", `admiralty-scale:information-credibility="2"`, `admiralty-scale:source-reliability="b"`, "campaign:autumn", `exercise:locked-shields="2026"`,
		`misp-galaxy:mitre-attack-pattern="Brute Force - T1110"`, `rsit:intrusion-attempts="brute-force"`, "tlp:green",
	}, tags); d != "" {
		t.Error(d)
	}
	// It came as "connected communities" and each hop takes a step.
	if after.Distribution != "1" {
		t.Errorf("distribution %s", after.Distribution)
	}
}

// To the community goes what is GREEN, and the attribute that is AMBER stays behind with its reason. Nothing of an exercise goes out as real.
func TestLeave(t *testing.T) {
	in := imported(t, event(t, "full"))
	after, left, err := misp.NewEvent(in.Objects, misp.Out{Path: label.Path{Audience: label.Community, Plane: label.Exercise}})
	must(t, err)
	amber := strings.Repeat("aa", 32)
	if b, err := after.JSON(); err != nil || bytes.Contains(b, []byte(amber)) {
		t.Errorf("the AMBER hash left: %v", err)
	}
	var refusal *label.Refusal
	if len(left) != 1 || !errors.As(left[0].Why, &refusal) || refusal.Reason != label.ReasonAudience {
		t.Errorf("left %v", left)
	}
	for name, out := range map[string]misp.Out{
		"as real":         {Path: label.Path{Audience: label.Community, Plane: label.Real}},
		"to the public":   {Path: label.Path{Audience: label.Everybody, Plane: label.Exercise}},
		"to one, not own": {Path: label.Path{Audience: label.Nobody, Plane: label.Exercise}},
	} {
		if _, _, err := misp.NewEvent(in.Objects, out); !errors.Is(err, label.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The map of labels to distributions, and RED, which no feed carries.
func TestDistribution(t *testing.T) {
	group := &misp.Sharing{Name: "both CERTs", UUID: "b2c1a8f0-3f6e-5c41-9d28-3a0d3a6d9a10"}
	for tlp, want := range map[label.TLP]string{label.TLPAmberStrict: "0", label.TLPAmber: "4", label.TLPGreen: "2", label.TLPClear: "3"} {
		e, _, err := misp.NewEvent([]*stix.Object{indicator(t, tlp)}, misp.Out{Path: ours(label.Real), Group: group, Key: "case 1", Title: "x"})
		must(t, err)
		if string(e.Distribution) != want || string(e.Tags[0].Name) != strings.ToLower(tlp.String()) {
			t.Errorf("%s: %s %v", tlp, e.Distribution, e.Tags)
		}
	}
	for _, over := range []label.Path{ours(label.Real), {Audience: label.Community, Plane: label.Real}} {
		if _, left, err := misp.NewEvent([]*stix.Object{indicator(t, label.TLPRed)}, misp.Out{Path: over, Own: true, Key: "x"}); !errors.Is(err, misp.ErrEmpty) || len(left) != 1 {
			t.Errorf("RED: %v %v", left, err)
		}
	}
	if _, left, err := misp.NewEvent([]*stix.Object{indicator(t, "")}, misp.Out{Path: ours(label.Real), Key: "x"}); !errors.Is(err, misp.ErrEmpty) || len(left) != 1 {
		t.Errorf("unmarked: %v %v", left, err)
	}
	// Without a tag the distribution says how far; an attribute's counts if it is narrower.
	e := event(t, infoblox)
	e.Tags, e.Distribution = nil, "1"
	e.Attributes[0].Distribution = "0"
	in := imported(t, e)
	tlp, _, _ := mint.Labels(in.Objects[1], nil)
	if in.Label.TLP != label.TLPAmber || tlp != label.TLPAmberStrict {
		t.Errorf("%s, %s", in.Label.TLP, tlp)
	}
	e.Tags = []misp.Tag{{Name: "tlp:unclear"}}
	if in := imported(t, e); in.Label.TLP != label.TLPRed {
		t.Errorf("an unknown label is %s", in.Label.TLP)
	}
}

func indicator(t testing.TB, tlp label.TLP) *stix.Object {
	t.Helper()
	o, err := stix.Read([]byte(`{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-11-23T06:00:00.000Z","modified":"2026-11-23T06:00:00.000Z",`+
		`"pattern":"[ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [url:value = 'http://a.example/']","pattern_type":"stix","valid_from":"2026-11-23T06:00:00Z"`+marking(tlp)+`}`), stix.Standard())
	must(t, err)
	return o
}

func marking(tlp label.TLP) string {
	if tlp == label.Unmarked {
		return ""
	}
	return `,"object_marking_refs":["` + tlp.MarkingID() + `"]`
}

// A part that is marked narrower keeps the object: its parts cannot be told apart in an event. So does a marking that nobody here knows.
func TestMarkedParts(t *testing.T) {
	plain := string(indicator(t, label.TLPClear).Raw)
	for name, more := range map[string]string{
		"a RED part":         `"granular_markings":[{"selectors":["pattern"],"marking_ref":"` + label.TLPRed.MarkingID() + `"}]`,
		"an unknown marking": `"granular_markings":[{"selectors":["pattern"],"marking_ref":"marking-definition--5f1c8a30-6a1e-4f0e-9a55-0d4f7e2f9b11"}]`,
	} {
		o, err := stix.Read([]byte(strings.TrimSuffix(plain, "}")+","+more+"}"), stix.Standard())
		must(t, err)
		if _, left, err := misp.NewEvent([]*stix.Object{o}, misp.Out{Path: ours(label.Real), Key: "x"}); !errors.Is(err, misp.ErrEmpty) || len(left) != 1 || !errors.Is(left[0].Why, label.ErrRefused) {
			t.Errorf("%s: %v %v", name, left, err)
		}
	}
}

// A pattern that no single value can say goes as it is, and comes back as it was.
func TestPattern(t *testing.T) {
	e, _, err := misp.NewEvent([]*stix.Object{indicator(t, label.TLPGreen)}, misp.Out{Path: ours(label.Real), Key: "case 1", Title: "x", Org: misp.Org{Name: "CERT of xn", UUID: mintUUID()}})
	must(t, err)
	if a := e.Attributes[0]; a.Type != "stix2-pattern" || !strings.Contains(string(a.Value), "FOLLOWEDBY") {
		t.Errorf("%+v", a)
	}
	for _, o := range imported(t, e).Objects {
		if o.Type == "indicator" && o.Text("pattern") != indicator(t, label.TLPGreen).Text("pattern") {
			t.Error(o.Text("pattern"))
		}
	}
	again, _, err := misp.NewEvent([]*stix.Object{indicator(t, label.TLPGreen)}, misp.Out{Path: ours(label.Real), Key: "case 1", Title: "x"})
	must(t, err)
	other, _, err := misp.NewEvent([]*stix.Object{indicator(t, label.TLPGreen)}, misp.Out{Path: ours(label.Real), Key: "case 2", Title: "x"})
	must(t, err)
	if e.UUID != again.UUID || e.UUID == other.UUID {
		t.Error("the UUID of an event is not that of its case")
	}
}

func mintUUID() misp.Text { return misp.Text(mint.UUID("test")) }

func TestRefused(t *testing.T) {
	good := string(raw(t, infoblox))
	for name, b := range map[string]string{
		"nothing":            "",
		"a list":             "[]",
		"no event":           "{}",
		"half":               good[:len(good)/2],
		"no uuid":            strings.Replace(good, infoblox, "x", 1),
		"a uuid that climbs": strings.Replace(good, infoblox, "../../../../../../../../etc/passwd--", 1),
		"no time":            strings.Replace(good, `"timestamp": "1722272240"`, `"timestamp": "-1"`, 1),
		"a list for a text":  strings.Replace(good, `"info": "olympics_20240729_iocs"`, `"info": []`, 1),
		"a flag":             strings.Replace(good, `"to_ids": true`, `"to_ids": "maybe"`, 1),
		"deep":               `{"Event":{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}}",
		"an attribute":       strings.Replace(good, "762e0a0e-5f2b-43c0-b0f0-209d4bc8f026", "762e", 1),
		"a long text":        strings.Replace(good, "ticketsparis24.com", strings.Repeat("x", 70_000), 1),
	} {
		if _, err := misp.Read([]byte(b)); !errors.Is(err, misp.ErrEvent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := misp.Read(make([]byte, misp.MaxEvent+1)); !errors.Is(err, misp.ErrEvent) {
		t.Errorf("too large: %v", err)
	}
}

// The validators take some time to make under the race detector: the tests share them.
var (
	stixOnce = sync.OnceValues(stix.NewValidator)
	mispOnce = sync.OnceValues(mispSchema)
)

func validator(t testing.TB) *stix.Validator {
	t.Helper()
	v, err := stixOnce()
	must(t, err)
	return v
}

// mispSchema compiles MISP's own schema. It has one "required" among the properties, where it means nothing and no compiler takes it.
func mispSchema() (*jsonschema.Schema, error) {
	file, err := os.ReadFile("testdata/schema.json")
	if err != nil {
		return nil, err
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	group := schema.(map[string]any)["defs"].(map[string]any)["sharing_group"].(map[string]any)
	delete(group["properties"].(map[string]any), "required")
	c := jsonschema.NewCompiler()
	if err := c.AddResource("misp.json", schema); err != nil {
		return nil, err
	}
	return c.Compile("misp.json")
}

// lint holds what we write against MISP's own schema, which knows neither objects nor the newer times.
func lint(t *testing.T, e *misp.Event) {
	t.Helper()
	s, err := mispOnce()
	must(t, err)
	b, err := e.JSON()
	must(t, err)
	var doc map[string]map[string]any
	must(t, json.Unmarshal(b, &doc))
	delete(doc["Event"], "Object")
	for _, one := range doc["Event"]["Attribute"].([]any) {
		a := one.(map[string]any)
		delete(a, "first_seen")
		delete(a, "last_seen")
		delete(a, "Sighting")
	}
	b, err = json.Marshal(doc)
	must(t, err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	must(t, err)
	if err := s.Validate(v); err != nil {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(raw(f, "full"))
	f.Add(raw(f, infoblox))
	f.Add([]byte(`{"uuid":"24e799ca-aad8-4244-8005-90b3ceb44540","timestamp":1,"Attribute":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := misp.Read(b)
		if err != nil {
			return
		}
		in, err := e.STIX()
		if err != nil {
			return
		}
		tlp := in.Label.TLP
		for _, o := range in.Objects {
			own, _, _ := mint.Labels(o, nil)
			if o.Type != "attack-pattern" && !o.Created.IsZero() && tlp.Valid() && tlp.Widens(own) {
				t.Fatalf("%s is wider than its event", o.ID)
			}
		}
		if _, _, err := misp.NewEvent(in.Objects, misp.Out{Path: label.Path{Audience: label.Named, Recipients: []string{"xs"}, Plane: in.Label.Plane}, Own: true}); err != nil && !errors.Is(err, label.ErrRefused) && !errors.Is(err, misp.ErrEmpty) {
			t.Fatal(err)
		}
	})
}
