package agreement_test

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"detente/regimes"
	"detente/regimes/incidents/agreement"
	"detente/regimes/models"
)

func load(t *testing.T) *models.Model {
	t.Helper()
	m, err := agreement.Load()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Articles are numbered through, so a reference to one is right only as long as the order is.
func TestReferencesLeadToTheArticlesThatAreMeant(t *testing.T) {
	m := load(t)
	number := map[string]int{}
	for _, c := range m.Clauses {
		if c.Kind == "article" {
			number[c.ID] = len(number) + 1
		}
	}
	if n := len(number); n < 18 || n > 22 {
		t.Errorf("%d articles", n)
	}
	meant := map[string][]string{
		"definitions-object": {"objects"}, "signals-2": {"consultations"}, "means-3": {"statements", "incidents", "accidents"}, "others-2": {"clear", "simulation"},
	}
	english, russian := regexp.MustCompile(`Articles? [\d, and]+`), regexp.MustCompile(`[Сс]тат[а-яё]+ [\d, и]+`)
	digits := regexp.MustCompile(`\d+`)
	for _, c := range m.Clauses {
		var want []string
		for _, id := range meant[c.ID] {
			want = append(want, strconv.Itoa(number[id]))
		}
		for lang, cites := range map[string]*regexp.Regexp{"en": english, "ru": russian} {
			if got := digits.FindAllString(strings.Join(cites.FindAllString(c.Texts[lang], -1), " "), -1); !slices.Equal(got, want) {
				t.Errorf("%s in %s refers to articles %v, meant are %v", c.ID, lang, got, want)
			}
		}
	}
}

// The annex names the regime that ships, and posts that may sign its forms.
func TestTheAnnexNamesTheRegime(t *testing.T) {
	channels, err := load(t).Channels()
	if err != nil || len(channels) != 1 {
		t.Fatal(channels, err)
	}
	b, err := fs.ReadFile(regimes.Incidents(), "regime.json")
	if err != nil {
		t.Fatal(err)
	}
	var regime struct {
		ID      string
		Version int
	}
	if err := json.Unmarshal(b, &regime); err != nil {
		t.Fatal(err)
	}
	if c := channels[0]; c.Regime != regime.ID || c.Version != regime.Version || len(c.Posts) == 0 {
		t.Errorf("%+v, the regime is %s/%d", c, regime.ID, regime.Version)
	}
}

// The words accuse nobody.
func TestTheWordsAreNeutral(t *testing.T) {
	for _, c := range load(t).Clauses {
		for _, text := range c.Texts {
			for _, word := range []string{"attacker", "aggressor", "adversary", "victim", "hacker", "агрессор", "противник", "жертв", "хакер", "виновн"} {
				if strings.Contains(strings.ToLower(text), word) {
					t.Errorf("%s says %q", c.ID, word)
				}
			}
		}
	}
}
