package register_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/acts"
	"detente/evidence"
	"detente/register"
	"detente/traffic"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func pledge() *acts.Rules {
	return &acts.Rules{Version: 1, Nature: acts.Political, Eligibility: acts.Eligibility{Who: acts.EligibleAll}, Entry: acts.Entry{Threshold: 2},
		Notice: acts.Delay{Months: 6}, Reservations: acts.Reservations{Regime: acts.ReservePermitted}, Runs: acts.RunsAll}
}

func treaty() *acts.Rules {
	return &acts.Rules{Version: 1, Nature: acts.Legal, Eligibility: acts.Eligibility{Who: acts.EligibleAll},
		Entry: acts.Entry{Threshold: 2, Delay: acts.Delay{Days: 30}}, Notice: acts.Delay{Months: 12}, Reservations: acts.Reservations{Regime: acts.ReservePermitted}}
}

// proved stands for a bundle that evidence has proved: what it proves is tested there.
func proved(name string, rules *acts.Rules, title map[string]string, list ...acts.Act) register.Instrument {
	id := sha256.Sum256([]byte(name))
	v := &evidence.RegisterVerdict{Result: evidence.Proved, Instrument: hex.EncodeToString(id[:]), Title: title, Nature: rules.Nature, Keeper: "xl", Edition: strings.Repeat("ed", 32), Known: noon,
		Opening: &acts.Opening{Party: "xl", At: noon, Title: title, Kind: "declaration", Nature: rules.Nature, Languages: []string{"en", "ru"}, Rules: rules,
			Texts: map[string]string{"en": "We shall not be the first to use information and communication technologies for an attack.\n\nEach joins in its own words.", "ru": "Мы не применим первыми информационно-коммуникационные технологии для нападения."}},
		File: &evidence.RegisterFile{}, Record: acts.Fold(rules, list, noon)}
	for i := range v.Record.Acts {
		a := &v.Record.Acts[i]
		v.Acts = append(v.Acts, evidence.RegisterAct{ID: a.ID, Party: a.Party, Kind: a.Kind, Date: a.Date, Why: a.Why, Signed: i%3 != 0})
	}
	return register.Instrument{Bundle: []byte("bundle of " + name), Verdict: v}
}

func on(s string) acts.Day {
	d, err := acts.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

func story() register.Source {
	return register.Source{
		Instruments: []register.Instrument{
			proved("pledge", pledge(), map[string]string{"en": "Commitment not to strike first", "ru": "Обязательство не наносить удар первыми", "ar": "الالتزام بعدم توجيه الضربة الأولى", "zh": "不首先发动攻击的承诺"},
				acts.Act{ID: "p1", Party: "xn", Kind: acts.Adhere, Date: on("2026-01-10"), Texts: map[string]string{"en": "Northland will not be the first. <b>It</b> says so in these words."}},
				acts.Act{ID: "p2", Party: "xs", Kind: acts.Adhere, Date: on("2026-03-01"), Texts: map[string]string{"ru": "Южная земля не нанесёт удара первой."}},
				acts.Act{ID: "p3", Party: "xl", Kind: acts.Adhere, Date: on("2026-06-15"), Texts: map[string]string{"ar": "لن تكون البحيرة أول من يهاجم."}},
				acts.Act{ID: "p4", Party: "xl", Kind: acts.Understand, Date: on("2026-06-15"), Texts: map[string]string{"en": "It understands an attack as one that does physical harm.", "zh": "它将攻击理解为造成物质损害的行为。"}},
				acts.Act{ID: "p5", Party: "xw", Kind: acts.Adhere, Date: on("2026-07-01"), Void: acts.NoPowers},
			),
			proved("treaty", treaty(), map[string]string{"en": "Agreement on preventing incidents", "fr": "Accord sur la prévention des incidents"},
				acts.Act{ID: "t1", Party: "xn", Kind: acts.Sign, Manner: acts.Simple, Date: on("2020-02-01")},
				acts.Act{ID: "t2", Party: "xn", Kind: acts.Ratify, Date: on("2020-08-01")},
				acts.Act{ID: "t3", Party: "xs", Kind: acts.Sign, Manner: acts.Simple, Date: on("2020-02-01")},
				acts.Act{ID: "t4", Party: "xs", Kind: acts.Ratify, Date: on("2021-01-05")},
				acts.Act{ID: "t5", Party: "xs", Kind: acts.Reserve, Date: on("2021-01-05"), Provision: "art-4", Texts: map[string]string{"en": "Article 4 does not bind it."}},
				acts.Act{ID: "t6", Party: "xn", Kind: acts.Object, Regarding: "t5", Opposing: true, Date: on("2021-04-01")},
				acts.Act{ID: "t7", Party: "xl", Kind: acts.Accede, Date: on("2022-01-01")},
				acts.Act{ID: "t8", Party: "xl", Kind: acts.Denounce, Date: on("2024-01-01")},
			),
		},
		Parties: map[traffic.Party]register.Party{
			"xn": {Name: map[string]string{"en": "Northland", "ru": "Северная земля", "ar": "أرض الشمال", "zh": "北国"}, Code: "NL", Region: map[string]string{"en": "North", "ar": "الشمال", "zh": "北方"}},
			"xs": {Name: map[string]string{"en": "Southland", "ru": "Южная земля", "ar": "أرض الجنوب", "zh": "南国"}, Code: "SL", Region: map[string]string{"en": "South", "ar": "الجنوب", "zh": "南方"}},
			"xl": {Name: map[string]string{"en": "Lakeland", "ar": "أرض البحيرة", "zh": "湖国"}, Code: "LL", Region: map[string]string{"en": "North", "ar": "الشمال", "zh": "北方"}},
		},
	}
}

// tree is every file of a folder.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := make(map[string]string)
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func build(t testing.TB, out string, src register.Source) register.Report {
	t.Helper()
	r, err := register.Build(out, src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheSameBundlesGiveTheSameFiles(t *testing.T) {
	dir := t.TempDir()
	first := build(t, filepath.Join(dir, "a"), story())
	second := build(t, filepath.Join(dir, "b"), story())
	if diff := cmp.Diff(tree(t, filepath.Join(dir, "a")), tree(t, filepath.Join(dir, "b"))); diff != "" {
		t.Error(diff)
	}
	if first != second || first.Written != first.Files || first.Files < 60 {
		t.Errorf("%+v, %+v", first, second)
	}
}

func TestOnlyWhatChangedIsWrittenAgain(t *testing.T) {
	out := filepath.Join(t.TempDir(), "www")
	src := story()
	build(t, out, src)
	if again := build(t, out, src); again.Written != 0 || again.Removed != 0 {
		t.Errorf("nothing has changed, and %+v", again)
	}
	src.Instruments = src.Instruments[:1]
	less := build(t, out, src)
	if less.Removed == 0 || less.Written == 0 {
		t.Errorf("an instrument is gone, and %+v", less)
	}
	if _, err := os.Stat(out + ".next"); err == nil {
		t.Error("the edition before is still there")
	}
}

func TestAFolderOfSomebodyElseIsLeftAlone(t *testing.T) {
	out := filepath.Join(t.TempDir(), "www")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "letter"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := register.Build(out, story()); err == nil {
		t.Error("it was replaced")
	}
	if diff := cmp.Diff(map[string]string{"letter": "dear"}, tree(t, out)); diff != "" {
		t.Error(diff)
	}
}

func TestNothingUnprovedIsShown(t *testing.T) {
	src := story()
	src.Instruments[0].Verdict.Result = evidence.Refused
	if _, err := register.Build(filepath.Join(t.TempDir(), "www"), src); err == nil {
		t.Error("it was built")
	}
}

func TestPagesSayWhatTheActsComeTo(t *testing.T) {
	out := filepath.Join(t.TempDir(), "www")
	src := story()
	build(t, out, src)
	all := tree(t, out)
	slug := src.Instruments[0].Slug()
	at := func(name string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(all[name], part) {
				t.Errorf("%s lacks %q", name, part)
			}
		}
	}
	i := func(lang, id, name string) string { return lang + "/i/" + id + "/" + name }
	at("en/index.html", "Commitment not to strike first", "Political commitment", "2026-03-01")
	at(i("en", slug, "index.html"), "In force since 2026-03-01; bound: 3.", "North", ">NL<", "bound", `data-steps="`)
	at(i("ar", slug, "index.html"), `dir="rtl"`, "أرض الشمال", "ملزَم")
	at(i("zh", slug, "acts-1.html"), "它将攻击理解为造成物质损害的行为。", "无全权证书")
	at(i("en", slug, "acts-1.html"), "&lt;b&gt;It&lt;/b&gt;", "without full powers", `lang="ru"`)
	slug = src.Instruments[1].Slug()
	at(i("en", slug, "relations-1-1.html"), `data-status="excluded"`)
	at(i("en", slug, "history-1.html"), "2025-01-01", "left")
	at("en/p/xs.html", "excluded by an objection", "Southland")
	at("data/"+slug+"/status.csv", "xl,left")
	at("data/"+slug+"/relations.csv", "xn,xs,excluded")
	for name, text := range all {
		if strings.HasSuffix(name, ".html") && (strings.Contains(text, "<script>") || strings.Contains(text, " style=") || strings.Contains(text, " onclick")) {
			t.Errorf("%s has script or style within", name)
		}
	}
}

// every link of every page leads to a file, and every fragment to an element.
func TestLinksLeadSomewhere(t *testing.T) {
	out := filepath.Join(t.TempDir(), "www")
	build(t, out, story())
	all := tree(t, out)
	for name, text := range all {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, attr := range []string{` href="`, ` src="`, ` data-bundle="`} {
			for _, rest := range strings.Split(text, attr)[1:] {
				target, _, _ := strings.Cut(rest, `"`)
				file, fragment, _ := strings.Cut(target, "#")
				to := name
				if file != "" {
					to = filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
				}
				if _, ok := all[to]; !ok {
					t.Errorf("%s links to %s", name, target)
				} else if fragment != "" && !strings.Contains(all[to], ` id="`+fragment+`"`) {
					t.Errorf("%s links to %s, and there is no such place", name, target)
				}
			}
		}
	}
}

// crowd is many parties with many acts: each signs, ratifies, reserves, declares, objects.
func crowd(parties, list int) register.Source {
	src := register.Source{Parties: make(map[traffic.Party]register.Party)}
	var all []acts.Act
	name := func(i int) traffic.Party { return traffic.Party(fmt.Sprintf("p%03d", i)) }
	start := on("1980-01-01")
	var reserved []string
	for i := range list {
		who := i % parties
		a := acts.Act{ID: fmt.Sprintf("%064x", i), Party: name(who), Date: start + acts.Day(i*16000/list), Texts: map[string]string{"en": fmt.Sprintf("Words of %d.", i), "fr": "Mots."}}
		switch round := i / parties; {
		case round == 0:
			a.Kind, a.Manner = acts.Sign, acts.Simple
		case round == 1:
			a.Kind = acts.Ratify
		case round == 2 && who%4 == 0:
			a.Kind, a.Provision = acts.Reserve, "art-4"
			reserved = append(reserved, a.ID)
		case round > 2 && who%10 == 1 && len(reserved) > round:
			a.Kind, a.Regarding, a.Opposing = acts.Object, reserved[round%len(reserved)], round%2 == 0
		default:
			a.Kind = acts.Declare
		}
		all = append(all, a)
	}
	for i := range parties {
		src.Parties[name(i)] = register.Party{Name: map[string]string{"en": fmt.Sprintf("Party %d", i)}, Code: fmt.Sprintf("P%d", i), Region: map[string]string{"en": fmt.Sprintf("Region %d", i%6)}}
	}
	rules := treaty()
	rules.Reservations.Late, rules.Reservations.TacitMonths = acts.LateTacit, 12
	src.Instruments = []register.Instrument{proved("crowd", rules, map[string]string{"en": "An instrument of many"}, all...)}
	return src
}

// The figure of docs/performance.md: two hundred parties, twenty thousand acts, six languages, every page.
func BenchmarkBuild(b *testing.B) {
	src := crowd(200, 20000)
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		r := build(b, filepath.Join(dir, fmt.Sprint(i)), src)
		b.ReportMetric(float64(r.Files), "files")
		b.ReportMetric(float64(len(src.Instruments[0].Verdict.Acts)), "acts")
	}
}

func TestManyPartiesArePaged(t *testing.T) {
	out := filepath.Join(t.TempDir(), "www")
	src := crowd(70, 700)
	build(t, out, src)
	all := tree(t, out)
	base := "en/i/" + src.Instruments[0].Slug() + "/"
	for _, name := range []string{"acts-7.html", "relations-3-3.html", "relations-1-3.html", "history-1.html"} {
		if all[base+name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
	if all[base+"acts-8.html"] != "" {
		t.Error("there is a page too many")
	}
	largest := slices.MaxFunc(slices.Collect(func(yield func(string) bool) {
		for name, text := range all {
			if strings.HasSuffix(name, ".html") && !yield(text) {
				return
			}
		}
	}), func(a, b string) int { return len(a) - len(b) })
	if len(largest) > 400_000 {
		t.Errorf("a page has %d bytes", len(largest))
	}
}
