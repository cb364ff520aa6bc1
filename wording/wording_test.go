package wording_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"detente/traffic"
	"detente/wording"
)

func TestADigestIsOfAllLanguagesTogether(t *testing.T) {
	both := wording.Texts{"en": "Each Party shall notify.", "ru": "Каждая Сторона уведомляет."}
	d := both.Digest()
	if got := hex.EncodeToString(d[:]); got != "503fabb1da46c4b8c65df1acbc4cf06ac79223a001c42f068000c7e1bd87948c" {
		t.Errorf("%s: whoever computes it from the protocol's text alone gets another", got)
	}
	for name, other := range map[string]wording.Texts{
		"one language":       {"en": both["en"]},
		"another word":       {"en": "Each Party may notify.", "ru": both["ru"]},
		"languages swapped":  {"ru": both["en"], "en": both["ru"]},
		"one language twice": {"en": both["en"], "fr": both["en"], "ru": both["ru"]},
	} {
		if other.Digest() == d {
			t.Errorf("%s: the same digest", name)
		}
	}
	if !both.Covers([]string{"ru", "en"}) || both.Covers([]string{"en"}) || both.Covers([]string{"en", "fr"}) {
		t.Error("Covers counts languages wrongly")
	}
}

func TestWhatIsNotInItsOneFormIsRefused(t *testing.T) {
	many := wording.Texts{}
	for i := range 25 {
		many[fmt.Sprintf("%c%c", 'a'+i/26, 'a'+i%26)] = "text"
	}
	for name, test := range map[string]struct {
		texts wording.Texts
		want  error
	}{
		"in order":          {wording.Texts{"en": "a\nb", "zh-Hans": "一", "ar": "نص"}, nil},
		"nothing":           {wording.Texts{}, wording.ErrLimit},
		"too many":          {many, wording.ErrLimit},
		"too long":          {wording.Texts{"en": strings.Repeat("a", 30<<10), "ru": strings.Repeat("a", 30<<10)}, wording.ErrLimit},
		"no tag":            {wording.Texts{"": "a"}, wording.ErrLanguage},
		"a tag in capitals": {wording.Texts{"EN": "a"}, wording.ErrLanguage},
		"a private tag":     {wording.Texts{"x-wish": "a"}, wording.ErrLanguage},
		"blank":             {wording.Texts{"en": " \n"}, wording.ErrText},
		"decomposed":        {wording.Texts{"fr": "E\u0301tat"}, wording.ErrText},
		"a control":         {wording.Texts{"en": "a\tb"}, wording.ErrText},
		"reordered":         {wording.Texts{"en": "a\u202eb"}, wording.ErrText},
		"no UTF-8":          {wording.Texts{"en": "a\xff"}, wording.ErrText},
	} {
		if err := test.texts.Check(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestDifferencesAreOfWords(t *testing.T) {
	for _, test := range []struct{ lang, a, b, want string }{
		{"en", "shall notify the other Party without delay of incidents", "shall notify the other Party within 24 hours of significant incidents",
			"=shall notify the other Party |-without delay|+within 24 hours|= of |+significant |=incidents"},
		{"ru", "Стороны обмениваются информацией", "Стороны незамедлительно обмениваются информацией", "=Стороны |+незамедлительно |=обмениваются информацией"},
		{"zh", "双方应及时通报网络事件。", "双方应立即通报重大网络事件。", "=双方应|-及时|+立即|=通报|+重大|=网络事件。"},
		{"ar", "يخطر كل طرف الطرف الآخر دون تأخير", "يخطر كل طرف الطرف الآخر خلال 24 ساعة", "=يخطر كل طرف الطرف الآخر |-دون تأخير|+خلال 24 ساعة"},
		{"fr", "l’État partie", "l’État hôte", "=l’État |-partie|+hôte"},
		{"es", "sin demora", "sin demora", "=sin demora"},
		{"en", "", "new", "+new"},
		{"en", "old", "", "-old"},
	} {
		var got []string
		for _, c := range wording.Diff(test.lang, test.a, test.b) {
			got = append(got, string(c.Op)+c.Text)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "|")); diff != "" {
			t.Errorf("%s: %s", test.lang, diff)
		}
	}
}

func TestBracketsSayWhoWantsWhat(t *testing.T) {
	two := []wording.Wish{{"xn", "Each Party shall notify the other Party without delay of incidents."}, {"xs", "Each Party shall notify the other Party within 24 hours of significant incidents."}}
	if got, want := wording.Line(wording.Brackets("en", two)), "Each Party shall notify the other Party [XN: without delay] [XS: within 24 hours] of [XS: significant] incidents."; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	three := append(slices.Clone(two), wording.Wish{"xt", two[0].Text})
	if got, want := wording.Line(wording.Brackets("en", three)), "Each Party shall notify the other Party [XN, XT: without delay] [XS: within 24 hours] of [XS: significant] incidents."; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	three[2].Text = "Each Party shall inform all States of incidents."
	if got, want := wording.Line(wording.Brackets("en", three)),
		"Each Party shall [XN: notify the other Party without delay of] [XS: notify the other Party within 24 hours of significant] [XT: inform all States of] incidents."; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, want := wording.Line(wording.Brackets("zh", []wording.Wish{{"xn", "双方应及时通报。"}, {"xs", "双方应立即通报。"}})), "双方应[XN: 及时] [XS: 立即]通报。"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	forged := []wording.Wish{{"xn", "Nothing [XS: agreed] here"}, {"xs", "Nothing here"}}
	if got, want := wording.Line(wording.Brackets("en", forged)), "Nothing [XN: [[XS: agreed]]] here"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := wording.Brackets("en", nil); got != nil {
		t.Error(got)
	}
}

// What anybody wished is in the brackets to the byte, and nobody else's words are.
func TestBracketsNeverMisattribute(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		check(t, "en", randomWishes(random))
	}
}

func check(t *testing.T, lang string, wishes []wording.Wish) {
	t.Helper()
	pieces := wording.Brackets(lang, wishes)
	for _, w := range wishes {
		if got := wording.Wished(pieces, w.Party); got != w.Text {
			t.Fatalf("%s wished %q, the brackets say %q: %v", w.Party, w.Text, got, pieces)
		}
	}
	for _, p := range pieces {
		for _, w := range wishes {
			if (p.Parties == nil || slices.Contains(p.Parties, w.Party)) && !strings.Contains(w.Text, p.Text) {
				t.Fatalf("%q is attributed to %s, who said %q", p.Text, w.Party, w.Text)
			}
		}
	}
}

// randomWishes makes texts that are somewhat alike.
func randomWishes(r *rand.Rand) []wording.Wish {
	vocabulary := []string{"a", "b", "c", " ", " ", ", ", "通", "报", "ا", "صلة", "é", "\n", "[", "]", ". ", "24"}
	base := make([]string, r.IntN(30))
	for i := range base {
		base[i] = vocabulary[r.IntN(len(vocabulary))]
	}
	wishes := make([]wording.Wish, 1+r.IntN(4))
	for i := range wishes {
		words := slices.Clone(base)
		for range r.IntN(6) {
			at := r.IntN(len(words) + 1)
			if at < len(words) && r.IntN(2) == 0 {
				words = slices.Delete(words, at, at+1)
			} else {
				words = slices.Insert(words, at, vocabulary[r.IntN(len(vocabulary))])
			}
		}
		wishes[i] = wording.Wish{Party: traffic.Party(fmt.Sprintf("x%d", i)), Text: strings.Join(words, "")}
	}
	return wishes
}

// Texts made to be dear cost little: they are as large as statements may be.
func TestHostileTextsCostLittle(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	noise := func(kinds int) string {
		var b strings.Builder
		for b.Len() < 48<<10 {
			fmt.Fprintf(&b, "%x ", r.IntN(kinds))
		}
		return b.String()
	}
	for name, pair := range map[string][2]string{
		"two words":        {noise(2), noise(2)},
		"few words":        {noise(40), noise(40)},
		"many words":       {noise(1 << 20), noise(1 << 20)},
		"only spaces":      {strings.Repeat(" ", 48<<10), strings.Repeat(" x", 24<<10)},
		"turned":           {strings.Repeat("a b ", 12<<10), strings.Repeat("b a ", 12<<10)},
		"one against none": {noise(3), ""},
	} {
		changes := wording.Diff("en", pair[0], pair[1])
		var a, b strings.Builder
		for _, c := range changes {
			if c.Op != wording.Added {
				a.WriteString(c.Text)
			}
			if c.Op != wording.Gone {
				b.WriteString(c.Text)
			}
		}
		if a.String() != pair[0] || b.String() != pair[1] {
			t.Errorf("%s: the difference does not give both texts", name)
		}
	}
}

func FuzzBrackets(f *testing.F) {
	f.Add("shall notify without delay", "shall notify within 24 hours", "may notify")
	f.Add("双方应及时通报", "双方应立即通报", "")
	f.Add("[XS: yes]", "]", "[[")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if len(a)+len(b)+len(c) > 4<<10 {
			return
		}
		wishes := []wording.Wish{{"xa", a}, {"xb", b}, {"xc", c}}
		check(t, "en", wishes[:2])
		check(t, "en", wishes)
		if got := strings.Join(wording.Words("en", a), ""); got != a {
			t.Errorf("words of %q give %q", a, got)
		}
		_ = wording.Line(wording.Brackets("en", wishes))
	})
}

func TestInALanguageOrTheNextBest(t *testing.T) {
	texts := map[string]string{"en": "yes", "ru": "да", "ar": ""}
	for _, c := range []struct {
		texts map[string]string
		langs []string
		want  string
	}{
		{texts, []string{"ru"}, "да"},
		{texts, []string{"ru-RU", "ru"}, "да"},
		{texts, []string{"ar"}, "yes"}, // it is empty there
		{texts, nil, "yes"},
		{map[string]string{"ru": "да", "fr": "oui", "ar": ""}, []string{"zh"}, "oui"},
		{nil, []string{"en"}, ""},
	} {
		if got := wording.In(c.texts, c.langs...); got != c.want {
			t.Errorf("%v in %v: %q, not %q", c.texts, c.langs, got, c.want)
		}
	}
}
