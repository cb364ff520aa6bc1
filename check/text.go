package check

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed questions
var questionFiles embed.FS

// Languages are those in which there are questions.
func Languages() []string { return []string{"ar", "en", "es", "fr", "ru", "zh"} }

// questions are those of a language; English where there are none.
func questions(lang string) []string {
	b, err := questionFiles.ReadFile("questions/" + base(lang) + ".txt")
	if err != nil {
		b, err = questionFiles.ReadFile("questions/en.txt")
	}
	if err != nil {
		return nil // unreachable: it is embedded
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// base is the language of a tag without script and region.
func base(lang string) string {
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	if len(lang) != 2 {
		return "en"
	}
	return lang
}

// Question gives a question of level 2: one that a person answers out of the moment and no machine out of a list. draw is a random number, and
// last the question before: the same one is never asked twice in a row, whatever its number is. Neutral, and without humour: it is read at three in
// the morning by somebody who does not trust us.
func Question(lang string, draw uint64, last string) string {
	all := questions(lang)
	n := strconv.Itoa(1000 + int((draw>>32)%9000))
	i := int(draw % uint64(len(all)))
	if same(all[i], last) {
		i = (i + 1) % len(all)
	}
	return strings.ReplaceAll(all[i], "{n}", n)
}

// same tells whether a question was made of a pattern.
func same(pattern, asked string) bool {
	before, after, slot := strings.Cut(pattern, "{n}")
	if !slot {
		return pattern == asked
	}
	return len(asked) >= len(before)+len(after) && strings.HasPrefix(asked, before) && strings.HasSuffix(asked, after)
}

// scripts is a text in which every script of the six languages stands, with accents, digits, both directions and the signs that break programs. It
// has no meaning beside that, so that nobody reads one into it.
func scripts() []string {
	return []string{
		"THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG 0123456789",
		"the quick brown fox jumps over the lazy dog .,:;!?'\"()[]{}<>/\\|&%$#@*+-=_^~`",
		"àâæçéèêëîïôœùûüÿ ÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸ áéíñóúü ¿¡ ß åøö «»„“”’–—…",
		"АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ абвгдеёжзийклмнопрстуфхцчшщъыьэюя №",
		"天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。一二三四五六七八九十〇「」《》、；：",
		"أبجد هوز حطي كلمن سعفص قرشت ثخذ ضظغ ٠١٢٣٤٥٦٧٨٩ ،؛؟ لا ة ى ء ؤ ئ",
		"العدد 123 في السطر, and 456 beside it, и 789 рядом, 以及 012。",
		"a\u0301 e\u0300 o\u0308 и\u0306 \u0628\u064e\u0651 𠀀𠮷 😀",
	}
}

// Scripts is a text that exercises every script: what arrives as it was sent has crossed every table of characters on its way.
func Scripts() string {
	return strings.Join(scripts(), "\n")
}

// MaxText is the most characters of the longest text that a form of the regime communications takes.
const MaxText = 12000

// Largest is a text of every script that fills a statement as far as a text can: so many characters, and at most so many bytes. It is numbered
// throughout, so that one look at the end shows whether it came whole.
func Largest(characters, size int) string {
	var b strings.Builder
	count := 0
	for i := 1; ; i++ {
		line := fmt.Sprintf("%05d %s\n", i, scripts()[i%len(scripts())])
		n := utf8.RuneCountInString(line)
		if count+n > characters || b.Len()+len(line) > size {
			break
		}
		b.WriteString(line)
		count += n
	}
	return strings.TrimSuffix(b.String(), "\n")
}
