package server

import (
	"fmt"
	"testing"

	"golang.org/x/text/language"

	"detente/directory"
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
		"reply.terminal", "duplicate", "prepared.error", "prepared.correction", "item.check", "item.directory.unconfirmed", "item.directory.expired",
		"check.year.title", "check.year.desc", "check.year.day", "check.year.none", "check.year.all", "check.year.late", "check.year.missed", "check.year.waiting", "check.year.empty",
		"ledger.chart.months", "ledger.chart.months.desc", "ledger.chart.bar", "ledger.chart.elapsed", "ledger.chart.elapsed.desc", "ledger.chart.span", "ledger.chart.none",
		"ledger.outcome.in-time", "ledger.outcome.late", "ledger.outcome.unanswered", "ledger.outcome.pending", "ledger.outcome.withdrawn",
		"translation.person", "translation.machine", "translation.machine-reviewed", "translation.translator", "translation.reviewer", "translation.certifier",
		"item.acknowledge", "item.answer", "item.info", "item.missed.acknowledgement", "item.missed.answer", "item.missed.own",
		"item.roster", "item.release", "item.handover", "item.check", "item.directory." + directory.Unconfirmed, "item.directory." + directory.Expired,
	}
	for _, why := range exchange.Silences() {
		keys = append(keys, "silence."+string(why))
	}
	for _, on := range []string{"never-heard", "heard", "failure", "statement", "receipt", "no-receipt", "acknowledged", "suspended", "unmanned", "not-taken"} {
		keys = append(keys, "silence.evidence."+on)
	}
	for n := 1; n <= 12; n++ {
		if keys = append(keys, fmt.Sprintf("month.%d", n)); n <= 7 {
			keys = append(keys, fmt.Sprintf("weekday.%d", n))
		}
	}
	for _, what := range []string{"acknowledgement", "answer"} {
		keys = append(keys, "owed."+what, "owed."+what+".overdue", "owed."+what+".unknown")
	}
	for _, kind := range []string{exchange.AlarmFork, exchange.AlarmRollback, exchange.AlarmBehind, exchange.AlarmExtend, exchange.AlarmInvalid,
		exchange.AlarmHostile, exchange.AlarmSilent, exchange.AlarmView} {
		keys = append(keys, "item.alarm."+kind)
	}
	for _, key := range keys {
		if book.Phrase(language.English, key) == key {
			t.Errorf("no phrase for %s", key)
		}
	}
}
