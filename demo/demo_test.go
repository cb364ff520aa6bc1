package demo_test

import (
	"context"
	"strings"
	"testing"

	"detente/demo"
)

func TestTheStoryIsTold(t *testing.T) {
	var out strings.Builder
	verified := 0
	err := demo.Run(t.Context(), demo.Config{Out: &out, Verify: func(context.Context, []string) (string, error) {
		verified++
		return "proved", nil
	}})
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, seen := range []string{"ЗАПРОС", "НЕМЕДЛЕННО", "pouch", "no fault", "NUMBER", "Nobody takes it", "calls Иван Петров (duty officer)",
		"calls Ольга Иванова (deputy)", "OVERDUE on Southland's watch", "post-unmanned", "● Ольга Иванова takes it", "needs a second person", "both have signed", "is the duty officer now", "watch log", "acknowledged, late"} {
		if !strings.Contains(out.String(), seen) {
			t.Errorf("the story does not show %q", seen)
		}
	}
	if verified < 7 {
		t.Errorf("%d proofs verified", verified)
	}
}
