package party_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"detente/party"
)

// fingerprint is one with a different byte at every place.
func fingerprint() (f party.Fingerprint) {
	for i := range f {
		f[i] = byte(17*i + 3)
	}
	return f
}

func words(t testing.TB, f party.Fingerprint, lang string) []string {
	t.Helper()
	w, err := f.Words(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWordsAreToldApartOverABadLine(t *testing.T) {
	everywhere := map[string]bool{}
	for _, lang := range party.Languages() {
		even, odd, err := party.Lists(lang)
		if err != nil {
			t.Fatal(err)
		}
		starts := map[string]string{}
		for i, list := range [][]string{even, odd} {
			if len(list) != 256 || !slices.IsSorted(list) {
				t.Fatalf("%s: %d words, sorted %v", lang, len(list), slices.IsSorted(list))
			}
			for _, w := range list {
				if everywhere[w] {
					t.Errorf("%s: %q is there twice", lang, w)
				}
				everywhere[w] = true
				letters := []rune(w)
				if len(letters) < 4 || len(letters) > 12 {
					t.Errorf("%s: %q is of %d letters", lang, w, len(letters))
					continue
				}
				start := string(letters[:4])
				if other, is := starts[start]; is {
					t.Errorf("%s: %q begins like %q", lang, w, other)
				}
				starts[start] = w
				if got, want := syllables(w, lang), 2+i; got != want {
					t.Errorf("%s: %q has %d syllables, want %d", lang, w, got, want)
				}
				if strings.ToLower(w) != w || strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) || r == 'ё' }) {
					t.Errorf("%s: %q is not in plain lower case", lang, w)
				}
			}
			var sounds [][]rune
			for j, w := range list {
				sounds = append(sounds, sound(w, lang))
				for k, other := range sounds[:j] {
					if distance(sounds[j], other) < 2 {
						t.Errorf("%s: %q sounds like %q", lang, w, list[k])
					}
				}
			}
		}
	}
	if _, _, err := party.Lists("tlh"); !errors.Is(err, party.ErrLanguage) {
		t.Errorf("a language without lists: %v", err)
	}
}

// syllables counts groups of vowels. English spelling deceives that count in the words of the table, which a pronouncing dictionary settled.
func syllables(w, lang string) int {
	if lang == "ru" {
		return count(w, "аеиоуыэюя")
	}
	if n := slices.IndexFunc(deceptive, func(list string) bool { return slices.Contains(strings.Fields(list), w) }); n >= 0 {
		return n
	}
	n := 0
	vowel := false
	for _, r := range w {
		v := strings.ContainsRune("aeiouy", r)
		if v && !vowel {
			n++
		}
		vowel = v
	}
	if strings.HasSuffix(w, "e") && !strings.HasSuffix(w, "le") {
		n--
	}
	return n
}

// deceptive is such words of two syllables and of three.
var deceptive = []string{
	2: "bracelet coffee gazelle giant hedgehog iceberg kayak lifeboat limestone ninety notebook prairie profile " +
		"rosebud statue tadpole virtue",
	3: "atrium audience avenue barbecue calcium crocodile gooseberry gradual hyacinth iodine jubilee matinee mistletoe " +
		"molecule mosaic museum nightingale oasis pioneer punctual royalty scorpion sincerely timetable triangle " +
		"typewriter vestibule viaduct video zodiac",
}

func count(s, of string) (n int) {
	for _, r := range s {
		if strings.ContainsRune(of, r) {
			n++
		}
	}
	return n
}

// sound folds letters that a bad line or an unstressed syllable makes alike.
func sound(w, lang string) []rune {
	alike := strings.NewReplacer("ck", "k", "c", "k", "q", "k", "ph", "f", "v", "f", "b", "p", "d", "t", "g", "k", "z", "s", "y", "i", "e", "i")
	if lang == "ru" {
		alike = strings.NewReplacer("ь", "", "о", "а", "е", "и", "э", "и", "ы", "и", "я", "и", "ю", "у",
			"б", "п", "в", "ф", "г", "к", "д", "т", "з", "с", "ж", "ш", "щ", "ш")
	}
	return slices.Compact([]rune(alike.Replace(w)))
}

// distance is how many sounds must be added, left out or changed to hear b for a.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		corner := row[0]
		row[0] = i + 1
		for j, y := range b {
			changed := corner
			if x != y {
				changed++
			}
			corner = row[j+1]
			row[j+1] = min(row[j+1]+1, row[j]+1, changed)
		}
	}
	return row[len(b)]
}

func TestWordsSpellEveryFingerprint(t *testing.T) {
	for range 200 {
		var f party.Fingerprint
		rand.Read(f[:])
		for _, lang := range party.Languages() {
			spoken := words(t, f, lang)
			for _, said := range []string{
				strings.Join(spoken, " "), strings.ToUpper(strings.Join(spoken, "\n")), "  " + strings.Join(spoken, ", ") + ".",
			} {
				got, err := party.ParseWords(said)
				if err != nil || got != f {
					t.Fatalf("%q: got %x, %v, want %x", said, got, err, f)
				}
			}
		}
	}
	if _, err := (party.Fingerprint{}).Words("tlh"); !errors.Is(err, party.ErrLanguage) {
		t.Errorf("words in an unknown language: %v", err)
	}
}

func TestAMisheardWordIsNamed(t *testing.T) {
	right := words(t, fingerprint(), "en")
	russian := words(t, fingerprint(), "ru")
	said := func(change func(w []string) []string) string {
		return strings.Join(change(slices.Clone(right)), " ")
	}
	for name, c := range map[string]struct{ words, tells string }{
		"unknown":         {said(func(w []string) []string { w[4] = "bakon"; return w }), `word 5, "bakon", is in no list`},
		"neighbours":      {said(func(w []string) []string { w[6], w[7] = w[7], w[6]; return w }), "words 7 and 8"},
		"first two":       {said(func(w []string) []string { w[0], w[1] = w[1], w[0]; return w }), "words 1 and 2"},
		"left out":        {said(func(w []string) []string { return slices.Delete(w, 9, 10) }), "word 10 is missing"},
		"left out first":  {said(func(w []string) []string { return w[1:] }), "word 1 is missing"},
		"left out last":   {said(func(w []string) []string { return w[:15] }), "15 words of 16"},
		"doubled":         {said(func(w []string) []string { return slices.Insert(w, 3, w[2]) }), "word 4, \"" + right[2] + "\", was said twice"},
		"one too many":    {said(func(w []string) []string { return append(w, w[0]) }), "more than 16 words"},
		"two languages":   {said(func(w []string) []string { w[8] = russian[8]; return w }), "word 9, \"" + russian[8] + "\", is in another language"},
		"nothing":         {"", "0 words of 16"},
		"a whole lecture": {strings.Repeat("acorn ", 1000), "far too long"},
	} {
		_, err := party.ParseWords(c.words)
		if !errors.Is(err, party.ErrWords) || !strings.Contains(err.Error(), c.tells) {
			t.Errorf("%s: got %v, want it to tell %q", name, err, c.tells)
		}
	}
}

func TestRussianWordsWithAndWithoutDots(t *testing.T) {
	f := fingerprint()
	said := strings.Join(words(t, f, "ru"), " ")
	if got, err := party.ParseWords(strings.ReplaceAll(said, "е", "ё")); err != nil || got != f {
		t.Errorf("got %x, %v", got, err)
	}
}

func FuzzWords(f *testing.F) {
	for _, lang := range party.Languages() {
		w, err := fingerprint().Words(lang)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.Join(w, " "))
	}
	f.Fuzz(func(t *testing.T, said string) {
		got, err := party.ParseWords(said)
		if err != nil {
			return
		}
		for _, lang := range party.Languages() {
			if again, err := party.ParseWords(strings.Join(words(t, got, lang), " ")); err != nil || again != got {
				t.Errorf("%q is %x, which is spoken as another: %v", said, got, err)
			}
		}
	})
}
