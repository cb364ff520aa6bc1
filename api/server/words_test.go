package server

import (
	"testing"

	"golang.org/x/text/language"

	"detente/exchange"
)

// A key that the code puts together has its phrase: else an officer would read the key.
func TestEveryKindHasItsWords(t *testing.T) {
	book, err := Phrases()
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{
		"standing.invalid", "standing.out-of-order", "level.E0", "level.E1", "level.E2",
		"item.acknowledge", "item.answer", "item.info", "item.missed.acknowledgement", "item.missed.answer", "item.missed.own",
	}
	for _, why := range exchange.Silences() {
		keys = append(keys, "silence."+string(why))
	}
	for _, what := range []string{"acknowledgement", "answer"} {
		keys = append(keys, "owed."+what, "owed."+what+".overdue", "owed."+what+".unknown")
	}
	for _, kind := range []string{exchange.AlarmFork, exchange.AlarmRollback, exchange.AlarmBehind, exchange.AlarmExtend, exchange.AlarmInvalid,
		exchange.AlarmHostile, exchange.AlarmSilent} {
		keys = append(keys, "item.alarm."+kind)
	}
	for _, key := range keys {
		if book.Phrase(language.English, key) == key {
			t.Errorf("no phrase for %s", key)
		}
	}
}
