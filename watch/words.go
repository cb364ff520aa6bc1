package watch

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"detente/roster"
)

// Words are what an item says, in code: whoever reads it, and whenever, has it in his own language. The journal keeps them so.
type Words struct {
	Say  string // phrase; "item." stands before it
	Args []any  // of the phrase: strings, whole numbers, times, and a [roster.Role], which has a phrase of its own
}

// Says lists every phrase that an item may have: a test holds that there are words for each in all languages.
func Says() []string {
	return []string{
		"acknowledge", "answer", "info", "missed.acknowledgement", "missed.answer", "missed.own", "roster", "release", "handover",
		"alarm.fork", "alarm.rollback", "alarm.behind", "alarm.extend", "alarm.invalid", "alarm.hostile", "alarm.silent", "alarm.view",
		"match", "review", "review.refused", "check", "check.flood", "directory.unconfirmed", "directory.expired",
		"case.first-word", "case.cease-check", "case.cease-result", "case.explain", "case.data", "case.measures", "case.closing", "case.completion", "case.control",
		"case.assist", "case.consult", "case.consult-again", "case.record", "case.other", "case.missed", "case.mail",
		"acknowledge.announced", "answer.announced",
		"draft.positions", "draft.commitment", "draft.initial", "draft.sign", "draft.correction", "draft.notice", "draft.term", "draft.channel",
		"guarantee.upcoming", "guarantee.open", "guarantee.unopened",
		"talks.overdue.virtual", "talks.overdue.correspondence", "talks.missed", "talks.minutes", "talks.action",
		"seal.deposit", "seal.refused", "seal.contested",
	}
}

// Words are what the item says.
func (it *Item) Words() Words { return Words{it.Say, it.Args} }

// In gives the words by the phrases of a language; phrase is given a key and what stands in its slots.
func (w Words) In(phrase func(key string, args ...any) string) string {
	args := make([]any, len(w.Args))
	for i, a := range w.Args {
		if role, ok := a.(roster.Role); ok {
			a = phrase("role." + string(role))
		}
		args[i] = a
	}
	return phrase("item."+w.Say, args...)
}

// Bounds of what is kept of a phrase: so many arguments, and so many bytes of each text.
const (
	mostArgs = 6
	longest  = 200
)

// tagged is an argument that is no text and no number.
type tagged struct {
	At   *time.Time  `json:"at,omitempty"`
	Role roster.Role `json:"role,omitempty"`
}

// Code gives the arguments as text, at most 1,600 bytes of it as long as nothing in them has to be escaped, for [Decode].
func (w Words) Code() string {
	list := make([]any, 0, len(w.Args))
	for _, a := range w.Args[:min(len(w.Args), mostArgs)] {
		switch v := a.(type) {
		case time.Time:
			at := v.UTC().Truncate(time.Second)
			list = append(list, tagged{At: &at})
		case roster.Role:
			list = append(list, tagged{Role: v})
		case int, int64:
			list = append(list, v)
		default:
			list = append(list, short(fmt.Sprint(v)))
		}
	}
	b, _ := json.Marshal(list) // of texts, numbers and times nothing can fail
	return string(b)
}

// short is the beginning of a text, whole characters of it.
func short(s string) string {
	if len(s) <= longest {
		return s
	}
	n := longest
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Decode reads what Code has written. What is not of that shape is left out.
func Decode(say, code string) Words {
	w := Words{Say: say}
	var list []json.RawMessage
	if json.Unmarshal([]byte(code), &list) != nil {
		return w
	}
	for _, raw := range list[:min(len(list), mostArgs)] {
		var text string
		var number int64
		var t tagged
		switch {
		case json.Unmarshal(raw, &text) == nil:
			w.Args = append(w.Args, text)
		case json.Unmarshal(raw, &number) == nil:
			w.Args = append(w.Args, number)
		case json.Unmarshal(raw, &t) == nil && t.At != nil:
			w.Args = append(w.Args, *t.At)
		case t.Role != "":
			w.Args = append(w.Args, t.Role)
		}
	}
	return w
}
