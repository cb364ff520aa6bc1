package proposal_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/form"
	"detente/instrument"
	"detente/instrument/akn"
	"detente/instrument/docx"
	"detente/instrument/proposal"
	"detente/statement"
	"detente/traffic"
)

// talks is a negotiation of parties on two provisions, in two languages.
func talks(positions ...func(add func(from traffic.Party, id string, v form.Values))) *instrument.Negotiation {
	var items []instrument.Item
	add := func(from traffic.Party, id string, v form.Values) {
		i := len(items) + 1
		item := instrument.Item{
			ID: statement.ID{byte(i)}, Issuer: traffic.Address{Party: from, Post: "legal"}, Audience: statement.Everyone, At: time.Unix(1795000000+int64(i), 0), Form: id, Clock: int64(i), Values: v,
		}
		if i > 1 {
			item.Refs = []statement.ID{{1}}
		}
		items = append(items, item)
	}
	add("xn", "negotiation", form.Values{
		"title": map[string]any{"en": "Agreement", "ru": "Соглашение"}, "kind": "treaty", "nature": "legal", "languages": "en ru", "parties": []any{"xn", "xs", "xw"},
	})
	for _, p := range positions {
		p(add)
	}
	return instrument.Fold(items)
}

func tables(from traffic.Party, provision, en, ru string) func(func(traffic.Party, string, form.Values)) {
	return func(add func(traffic.Party, string, form.Values)) {
		v := form.Values{"provision": provision}
		if ru == "" {
			v["order"] = en
		} else {
			v["texts"] = map[string]any{"en": en, "ru": ru}
		}
		add(from, "position", v)
	}
}

// Whoever gets the draft as a document sees the own wording, and what each other party wants as that party's changes; nothing that was tabled is hidden,
// and the document of today proposes nothing but what the others want.
func TestTheOwnWordingWithTheChangesOfTheOthers(t *testing.T) {
	n := talks(
		tables("xn", "structure", "article art.1\nparagraph art.1.1\nparagraph art.1.2", ""),
		tables("xn", "art.1.1", "Each Party shall notify without delay.", "Каждая Сторона уведомляет незамедлительно."),
		tables("xs", "art.1.1", "Each Party shall notify within 24 hours.", "Каждая Сторона уведомляет в течение 24 часов."),
		tables("xs", "art.1.2", "Silence is no answer.", "Молчание не есть ответ."),
		tables("xw", "lost", "In no structure.", "Вне структуры."),
	)
	if len(n.Provisions) < 4 {
		t.Fatalf("%+v", n.Entries)
	}
	for party, want := range map[traffic.Party]string{
		"xn": "=Each Party shall notify  -without delay by XS +within 24 hours by XS =.",
		"xs": "=Each Party shall notify  +without delay by XN -within 24 hours by XN =.",
		"xw": "=Each Party shall notify  -without delay by XS +within 24 hours by XS =.",
	} {
		d := docx.Rolling(n, party)
		rows := make(map[string]docx.Cell)
		for _, r := range d.Rows {
			rows[r.Provision] = r.Cells["en"]
		}
		got := ""
		for _, r := range rows["art.1.1"] {
			got += string(r.Op) + r.Text
			if r.Author != "" {
				got += " by " + r.Author
			}
			got += " "
		}
		if diff := cmp.Diff(want+" ", got); diff != "" {
			t.Errorf("%s: %s", party, diff)
		}
		if rows["art.1.2"].New() != "Silence is no answer." || rows["lost"].New() != "In no structure." {
			t.Errorf("%s: %+v", party, rows)
		}
		var b bytes.Buffer
		if err := docx.Write(&b, d); err != nil {
			t.Fatal(err)
		}
		base := docx.Base(n, party)
		again, err := docx.Read(bytes.NewReader(b.Bytes()), int64(b.Len()), base)
		if err != nil {
			t.Fatal(err)
		}
		changes, missing, err := again.Changes(base)
		if err != nil || len(missing) > 0 || len(changes) != 2 || changes[0].Provision != "art.1.1" || changes[0].Untracked || changes[0].Old != again.Rows[2].Cells["en"].Old() {
			t.Errorf("%s: %+v %v %v", party, changes, missing, err)
		}
	}
	a := akn.Of(n, "xn")
	if a.Brackets["art.1.1"] == nil || len(a.Clauses) != 3 {
		t.Errorf("%+v", a)
	}
	for _, lang := range a.Languages {
		if err := akn.Write(&bytes.Buffer{}, a, lang); err != nil {
			t.Error(err)
		}
	}
}

// Of three parties each with a wording of its own, each is the author of its own.
func TestThreeWordings(t *testing.T) {
	n := talks(
		tables("xn", "structure", "paragraph p", ""), tables("xn", "p", "At once.", "Сразу."), tables("xs", "p", "In a day.", "За день."), tables("xw", "p", "In a week.", "За неделю."),
	)
	texts := map[string]string{}
	for _, c := range proposal.Changes(n, "xs", "p", "en") {
		texts[fmt.Sprintf("%c%v", c.Op, c.By)] += c.Text
	}
	if texts["-[xn xw]"] == "" || texts["+[xn]"] == "" || texts["+[xw]"] == "" {
		t.Errorf("%v", texts)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	text := proposal.Standing(talks(tables("xn", "structure", "paragraph a\nparagraph b", ""), tables("xn", "a", "A.", "А."), tables("xn", "b", "B.", "Б.")), "xn", false)
	for what, seen := range map[string][]proposal.Seen{
		"an unknown provision": {{Provision: "c", Lang: "en"}},
		"an unknown language":  {{Provision: "a", Number: "1", Lang: "fr"}},
		"another order":        {{Provision: "b", Number: "2", Lang: "en"}, {Provision: "a", Number: "1", Lang: "en"}},
		"another number":       {{Provision: "a", Number: "3", Lang: "en"}},
		"twice":                {{Provision: "a", Number: "1", Lang: "en"}, {Provision: "a", Number: "1", Lang: "en"}},
	} {
		for i := range seen {
			if c, ok := text.Clause(seen[i].Provision); ok && seen[i].Number != "3" {
				seen[i].Number = c.Number
			}
		}
		if _, _, err := proposal.Of(text, seen); !errors.Is(err, proposal.ErrMisfit) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
