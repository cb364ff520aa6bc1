package instrument

import (
	"strconv"
	"strings"
)

// Label is a number as treaties in that language print it: "Article 1", "Статья 1", "第一条"; "" for a clause without one that is no heading. In a language
// that is not known here it is the number alone.
func Label(lang string, kind Kind, number string) string {
	base, _, _ := strings.Cut(lang, "-")
	if kind == Annex && number == "" {
		return map[string]string{"ar": "المرفق", "en": "Annex", "es": "Anexo", "fr": "Annexe", "ru": "Приложение", "zh": "附件"}[base]
	}
	if number == "" {
		return ""
	}
	n := value(kind, number)
	switch base {
	case "ar":
		return arabic(kind, n)
	case "zh":
		return chinese(kind, n)
	case "fr":
		if kind == Article && n == 1 {
			return "Article premier"
		}
	case "ru":
		if kind == Point {
			return counted(n, []rune("абвгдежзиклмнопрстуфхцчшщэюя")) + ")"
		}
	}
	type words struct{ chapter, article, annex, open, shut string }
	w, known := map[string]words{
		"en": {"Chapter ", "Article ", "Annex ", "(", ")"},
		"es": {"Capítulo ", "Artículo ", "Anexo ", "", ")"},
		"fr": {"Chapitre ", "Article ", "Annexe ", "", ")"},
		"ru": {"Глава ", "Статья ", "Приложение ", "", ")"},
	}[base]
	if !known {
		w.open, w.shut = "(", ")"
	}
	switch kind {
	case Chapter:
		return w.chapter + number
	case Article:
		return w.article + number
	case Annex:
		return w.annex + number
	case Paragraph:
		return number + "."
	}
	return w.open + number + w.shut
}

func arabic(kind Kind, n int) string {
	switch kind {
	case Chapter:
		return "الفصل " + strconv.Itoa(n)
	case Article:
		return "المادة " + strconv.Itoa(n)
	case Annex:
		return "المرفق " + strconv.Itoa(n)
	case Paragraph:
		return strconv.Itoa(n) + " -"
	case Point:
		return "(" + counted(n, []rune("أبجدهوزحطيكلمنسعفصقرشتثخذضظغ")) + ")"
	}
	return "(" + strconv.Itoa(n) + ")"
}

func chinese(kind Kind, n int) string {
	switch kind {
	case Chapter:
		return "第" + hanNumber(n) + "章"
	case Article:
		return "第" + hanNumber(n) + "条"
	case Annex:
		return "附件" + hanNumber(n)
	case Paragraph:
		return hanNumber(n) + "、"
	case Point:
		return "（" + hanNumber(n) + "）"
	}
	return strconv.Itoa(n) + "."
}

// value reads a number as numbers wrote it.
func value(kind Kind, number string) int {
	switch kind {
	case Chapter, Subpoint:
		values := map[rune]int{'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100, 'D': 500, 'M': 1000}
		n, before := 0, 0
		for _, r := range strings.ToUpper(number) {
			v := values[r]
			if n += v; before < v {
				n -= 2 * before
			}
			before = v
		}
		return n
	case Point:
		n := 0
		for _, r := range number {
			n = n*26 + int(r-'a') + 1
		}
		return n
	}
	n, _ := strconv.Atoi(number)
	return n
}

// counted counts in an alphabet: its letters, then pairs of them.
func counted(n int, alphabet []rune) string {
	s := ""
	for ; n > 0; n = (n - 1) / len(alphabet) {
		s = string(alphabet[(n-1)%len(alphabet)]) + s
	}
	return s
}

// hanNumber writes 1 to 9999 in Chinese numerals.
func hanNumber(n int) string {
	if n < 1 || n > 9999 {
		return strconv.Itoa(n)
	}
	digits, places := []rune("零一二三四五六七八九"), []string{"", "十", "百", "千"}
	s, gap := "", false
	for place := 3; place >= 0; place-- {
		p := 1
		for range place {
			p *= 10
		}
		switch d := n / p % 10; {
		case d == 0:
			gap = gap || s != ""
		case d == 1 && place == 1 && s == "":
			s += places[1] // ten is 十, not 一十
		default:
			if gap {
				s += "零"
			}
			s += string(digits[d]) + places[place]
			gap = false
		}
	}
	return s
}

// listed puts names in a row as the language does.
func listed(lang string, names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := names[len(names)-1]
	base, _, _ := strings.Cut(lang, "-")
	between, and := ", ", ", "
	switch base {
	case "ar":
		between, and = " و", " و"
	case "en":
		and = " and "
	case "es":
		and = " y "
		if l := strings.ToLower(last); strings.HasPrefix(l, "i") || strings.HasPrefix(l, "í") || strings.HasPrefix(l, "hi") && !strings.HasPrefix(l, "hie") {
			and = " e "
		}
	case "fr":
		and = " et "
	case "ru":
		and = " и "
	case "zh":
		between, and = "、", "和"
	}
	return strings.Join(names[:len(names)-1], between) + and + last
}

// signs is what stands above a signature. The form "for" of a name is all of it but the first word: "For the Government of Northland".
func signs(lang string, n Named) string {
	base, _, _ := strings.Cut(lang, "-")
	name := n.name(lang, "for")
	switch base {
	case "ar":
		return "عن " + name + ":"
	case "en":
		return "For " + name + ":"
	case "es":
		return "Por " + name + ":"
	case "fr":
		return "Pour " + name + "\u00a0:"
	case "ru":
		return "За " + name + ":"
	case "zh":
		return name + "代表："
	}
	return name + ":"
}

func rightToLeft(lang string) bool {
	base, _, _ := strings.Cut(lang, "-")
	switch base {
	case "ar", "fa", "he", "ps", "ur":
		return true
	}
	return false
}
