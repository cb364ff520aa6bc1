package asking_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"detente/asking"
	"detente/form"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

// said is a statement as a fold takes it.
type said struct {
	id statement.ID
	h  statement.Header
	v  form.Values
}

// talk is what was said between South, who has lists, and North, who asks.
type talk struct {
	t     *testing.T
	all   []said
	clock int64
	key   *asking.Key
}

func (k *talk) say(by traffic.Party, at time.Time, f string, v form.Values, refs ...statement.ID) statement.ID {
	k.clock++
	id := statement.ID(sha256.Sum256(fmt.Append(nil, k.clock)))
	k.all = append(k.all, said{id, statement.Header{
		Issuer: traffic.Address{Party: by, Post: "cert"}, IssuedAt: at, Form: f, Plane: traffic.Real, Refs: refs, Clock: k.clock,
	}, v})
	return id
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func (k *talk) list(epoch int64) statement.ID {
	return k.say("xs", noon, asking.FormList, form.Values{
		"epoch": epoch, "key": must(k.key.Public())(k.t), "bucket": int64(1024), "per_day": int64(5), "total": int64(8),
		"window": []any{noon.Unix(), noon.AddDate(0, 0, 30).Unix()}, "kinds": []any{"domain"},
		"list": form.Blob{Hash: [32]byte{1}, Size: 23 + 1024*16, Name: "list", Type: asking.ListType}.Value(),
	})
}

func (k *talk) ask(by traffic.Party, at time.Time, n int, list statement.ID) statement.ID {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("n%d.example", i))
	}
	q := must(asking.Ask(guess(k.t, names...)))(k.t)
	return k.say(by, at, asking.FormQuestion, form.Values{"count": int64(n), "elements": q.Elements}, list)
}

func fold(order []said) *asking.Ledger {
	l := asking.NewLedger()
	for _, s := range order {
		l.Add(s.id, &s.h, s.v)
	}
	return l
}

// Whatever comes first at which side: both give each question the same verdict, and count the same.
func TestBothSidesCountAlike(t *testing.T) {
	k := &talk{t: t, key: must(asking.NewKey())(t)}
	day := noon.AddDate(0, 0, 1)
	list := k.list(1)
	four := k.ask("xn", noon, 4, list)
	two := k.ask("xn", noon.Add(time.Hour), 2, list)   // six on a day of five
	one := k.ask("xn", noon.Add(2*time.Hour), 1, list) // five
	other := k.ask("xl", noon, 5, list)                // has an account of its own
	tomorrow := k.ask("xn", day, 2, list)              // seven in all
	back := k.ask("xn", noon, 1, list)                 // dated back: it counts for the day that has begun
	over := k.ask("xn", day.AddDate(0, 0, 1), 1, list) // nine of eight
	late := k.ask("xn", noon.AddDate(0, 0, 30), 1, list)
	early := k.ask("xn", noon.Add(-time.Second), 1, list)
	replay := k.say("xn", day, asking.FormQuestion, k.all[1].v, list)
	wrong := k.say("xn", day, asking.FormQuestion, form.Values{"count": int64(2), "elements": k.all[1].v.Bytes("elements")[:32]}, list)
	identity := k.say("xn", day, asking.FormQuestion, form.Values{"count": int64(1), "elements": make([]byte, 32)}, list)
	nowhere := k.ask("xn", day, 1, four)
	own := k.ask("xs", day, 1, list)
	answer := k.say("xs", day, asking.FormAnswer, form.Values{"outcome": "refused", "reason": "limit"}, two)
	k.say("xl", noon, asking.FormAnswer, form.Values{"outcome": "evaluated", "elements": make([]byte, 32), "proof": make([]byte, 64)}, four) // not its owner
	second := k.list(2)

	want := map[statement.ID]asking.Reason{
		four: asking.Answerable, two: asking.Limit, one: asking.Answerable, other: asking.Answerable, tomorrow: asking.Answerable, back: asking.Answerable,
		over: asking.Limit, late: asking.Window, early: asking.Window, replay: asking.Replayed, wrong: asking.Malformed, identity: asking.Malformed,
		nowhere: asking.NoList, own: asking.NoList,
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for try := range 40 {
		order := slices.Clone(k.all)
		if try > 0 {
			rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		l := fold(order)
		got := map[statement.ID]asking.Reason{}
		for id := range want {
			q, ok := l.Question(id)
			if !ok {
				t.Fatal("a question is lost")
			}
			got[id] = q.Verdict
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("order %d: %s", try, d)
		}
		c := l.Count(list, "xn")
		if c.Today != 3 || c.Total != 8 || c.Refused != 7 || !c.Day.Equal(day.Truncate(24*time.Hour)) || c.Left(day) != 0 || l.Count(list, "xl").Total != 5 {
			t.Fatalf("order %d: %+v", try, c)
		}
		q, _ := l.Question(two)
		if a := l.Answer(q); a == nil || a.ID != answer || a.Refused != asking.Limit {
			t.Fatalf("answer %+v", a)
		}
		if q, _ := l.Question(four); l.Answer(q) != nil {
			t.Fatal("an answer by one who is not the owner counts")
		}
		if p, _ := l.List(list); p.Ended != second || len(l.InForce()) != 1 || l.InForce()[0].ID != second {
			t.Fatal("the second list does not replace the first")
		}
	}
}

// Who asks amiss without end is answered some times, remembered briefly, and then passed over.
func TestAFloodOfQuestions(t *testing.T) {
	k := &talk{t: t, key: must(asking.NewKey())(t)}
	list := k.list(1)
	k.ask("xn", noon, 1, list)
	for range 300 {
		k.say("xn", noon, asking.FormQuestion, k.all[1].v, list)
	}
	fresh := k.ask("xn", noon, 1, list)
	l := fold(k.all)
	silent, held := 0, 0
	for _, q := range l.Questions(list) {
		if q.Silent {
			silent++
		}
		held += len(q.Elements)
	}
	if q, _ := l.Question(fresh); silent != 45 || !q.Silent || q.Verdict != asking.Limit || held > 257*32 {
		t.Errorf("%d passed over, %d bytes held, the last: %+v", silent, held, q)
	}
	for i := range 10100 {
		k.say("xn", noon, asking.FormQuestion, k.all[1].v, statement.ID{1, byte(i), byte(i >> 8)})
	}
	if l := fold(k.all); len(l.InForce()) != 1 {
		t.Error("a flood of questions to no list")
	}
}
