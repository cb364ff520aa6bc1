package asking_test

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"slices"
	"testing"

	"detente/asking"
	"detente/observable"
)

func guess(t testing.TB, values ...string) (out []observable.Observable) {
	t.Helper()
	for _, v := range values {
		o, err := observable.Guess(v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// publish makes a list, and reads it as whoever asks does.
func publish(t testing.TB, k *asking.Key, values ...string) asking.List {
	t.Helper()
	b := must(k.Publish(context.Background(), guess(t, values...)))(t)
	return must(asking.ParseList(b, asking.MinBucket))(t)
}

// South knows three things. North asks about two, and learns of each whether South knows it; South learns that two were asked.
func TestAskingWithoutTelling(t *testing.T) {
	key := must(asking.NewKey())(t)
	public := must(key.Public())(t)
	list := publish(t, key, "evil.example", "192.0.2.7", "https://evil.example/x", "EVIL.example.")
	if list.Size() != asking.MinBucket {
		t.Errorf("the list tells of %d entries", list.Size())
	}
	q := must(asking.Ask(guess(t, "evil[.]example", "good.example", "192.0.2.7")))(t)

	// North's machine stops and comes up again: what was kept is the question that went out.
	again := must(asking.ParseQuestion(must(q.Bytes())(t)))(t)
	if !bytes.Equal(again.Elements, q.Elements) {
		t.Fatal("what was kept is another question")
	}
	evaluated, proof, err := key.Answer(q.Elements)
	if err != nil {
		t.Fatal(err)
	}
	var known []bool
	for _, e := range must(again.Finish(public, evaluated, proof))(t) {
		known = append(known, list.Has(e))
	}
	if !slices.Equal(known, []bool{true, false, true}) {
		t.Errorf("known: %v", known)
	}
	if other := must(asking.Ask(q.Values()))(t); bytes.Equal(other.Elements, q.Elements) {
		t.Error("the same question twice looks the same")
	}
	saved := must(asking.ParseKey(must(key.Bytes())(t)))(t)
	if !bytes.Equal(must(saved.Public())(t), public) {
		t.Error("a key that was kept is another")
	}
}

// Under the next key nothing of the list before is known again.
func TestTheNextListSharesNothingWithTheLast(t *testing.T) {
	first, second := must(asking.NewKey())(t), must(asking.NewKey())(t)
	publish(t, first, "evil.example")
	list := publish(t, second, "evil.example")
	q := must(asking.Ask(guess(t, "evil.example")))(t)
	evaluated, proof, err := first.Answer(q.Elements)
	if err != nil {
		t.Fatal(err)
	}
	if list.Has(must(q.Finish(must(first.Public())(t), evaluated, proof))(t)[0]) {
		t.Error("an answer under the old key fits the new list")
	}
	if _, err := q.Finish(must(second.Public())(t), evaluated, proof); !errors.Is(err, asking.ErrProof) {
		t.Errorf("an answer under another key than the list's: %v", err)
	}
}

// The owner may not answer at will: with another key, about other elements, with a proof that was changed.
func TestAnAnswerThatWasNotMadeWithTheKey(t *testing.T) {
	key := must(asking.NewKey())(t)
	public := must(key.Public())(t)
	q := must(asking.Ask(guess(t, "a.example", "b.example")))(t)
	evaluated, proof, err := key.Answer(q.Elements)
	if err != nil {
		t.Fatal(err)
	}
	swapped := slices.Concat(evaluated[32:], evaluated[:32])
	changed := slices.Clone(proof)
	changed[0] ^= 1
	// s + L is the same scalar in another spelling.
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	malleated := slices.Clone(proof)
	s := slices.Clone(proof[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	copy(malleated[32:], sum)
	identity := slices.Concat(make([]byte, 32), evaluated[32:])
	for name, c := range map[string]struct {
		public, evaluated, proof []byte
		want                     error
	}{
		"another key":      {must(must(asking.NewKey())(t).Public())(t), evaluated, proof, asking.ErrProof},
		"swapped":          {public, swapped, proof, asking.ErrProof},
		"changed":          {public, evaluated, changed, asking.ErrProof},
		"second spelling":  {public, evaluated, malleated, asking.ErrProof},
		"short proof":      {public, evaluated, proof[:63], asking.ErrProof},
		"no proof":         {public, evaluated, nil, asking.ErrProof},
		"one less":         {public, evaluated[:32], proof, asking.ErrCount},
		"half an element":  {public, evaluated[:48], proof, asking.ErrCount},
		"identity":         {public, identity, proof, asking.ErrElement},
		"key is identity":  {make([]byte, 32), evaluated, proof, asking.ErrKey},
		"key is no point":  {bytes.Repeat([]byte{0xff}, 32), evaluated, proof, asking.ErrKey},
		"key is too short": {public[:31], evaluated, proof, asking.ErrKey},
	} {
		if _, err := q.Finish(c.public, c.evaluated, c.proof); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := q.Finish(public, evaluated, proof); err != nil {
		t.Error(err)
	}
}

func TestWhatNobodyCanAsk(t *testing.T) {
	key := must(asking.NewKey())(t)
	for name, elements := range map[string][]byte{
		"none": nil, "half": make([]byte, 16), "identity": make([]byte, 32), "no point": bytes.Repeat([]byte{0xff}, 32), "too many": make([]byte, 257*32),
		// The field's p - 1 and p + 1 are encodings that RFC 9496 refuses: negative, and not reduced.
		"negative":    append(append([]byte{0xec}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f),
		"not reduced": append(append([]byte{0xee}, bytes.Repeat([]byte{0xff}, 30)...), 0x7f),
	} {
		if _, _, err := key.Answer(elements); !errors.Is(err, asking.ErrCount) && !errors.Is(err, asking.ErrElement) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := asking.Ask(nil); !errors.Is(err, asking.ErrCount) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := asking.Ask(guess(t, "AS64500")); !errors.Is(err, asking.ErrKind) {
		t.Errorf("AS number: %v", err)
	}
	for _, b := range [][]byte{nil, make([]byte, 32), bytes.Repeat([]byte{0xff}, 32), make([]byte, 33)} {
		if _, err := asking.ParseKey(b); !errors.Is(err, asking.ErrKey) {
			t.Errorf("key %x: %v", b, err)
		}
	}
}

func TestListsInTheirOneForm(t *testing.T) {
	key := must(asking.NewKey())(t)
	good := must(key.Publish(context.Background(), nil))(t)
	for name, b := range map[string][]byte{
		"nothing": nil, "no head": good[1:], "one less": good[:len(good)-16], "cut off": good[:len(good)-1],
		"out of order": slices.Concat(good[:len(good)-32], good[len(good)-16:], good[len(good)-32:len(good)-16]),
		"twice":        slices.Concat(good[:len(good)-16], good[len(good)-32:len(good)-16]),
	} {
		if _, err := asking.ParseList(b, asking.MinBucket); !errors.Is(err, asking.ErrList) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := asking.ParseList(good, 2*asking.MinBucket); !errors.Is(err, asking.ErrList) {
		t.Errorf("another bucket than was said: %v", err)
	}
	for n, want := range map[int]int{0: 1024, 1024: 1024, 1025: 2048, 1 << 21: 1 << 21, 1<<21 + 1: 0, -1: 0} {
		if got := asking.Bucket(n); got != want {
			t.Errorf("%d indicators are told as %d", n, got)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := key.Publish(ctx, guess(t, "a.example")); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits for it any more: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	key := must(asking.NewKey())(f)
	q := must(asking.Ask(guess(f, "a.example")))(f)
	f.Add(must(q.Bytes())(f))
	f.Add(q.Elements)
	f.Add(must(key.Publish(context.Background(), nil))(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := asking.ParseQuestion(b); err == nil {
			if again, err := q.Bytes(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("a question has two spellings: %v", err)
			}
		}
		if evaluated, proof, err := key.Answer(b); err == nil {
			if asking.CheckElements(evaluated) != nil || len(proof) != asking.ProofSize {
				t.Error("an answer that nobody takes")
			}
		}
		if l, err := asking.ParseList(b, int64((len(b)-23)/16)); err == nil {
			l.Has(asking.Entry{})
		}
		asking.ParseKey(b)
	})
}

func BenchmarkAnswer256(b *testing.B) {
	key := must(asking.NewKey())(b)
	values := make([]observable.Observable, 256)
	for i := range values {
		values[i] = observable.Observable{Kind: observable.Hash, Value: string(bytes.Repeat([]byte{"0123456789abcdef"[i%16], "0123456789abcdef"[i/16]}, 16))}
	}
	q := must(asking.Ask(values))(b)
	for b.Loop() {
		key.Answer(q.Elements)
	}
}

func BenchmarkPublish1024(b *testing.B) {
	key := must(asking.NewKey())(b)
	values := make([]observable.Observable, 1024)
	for i := range values {
		values[i] = observable.Observable{Kind: observable.Domain, Value: string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + ".example"}
	}
	for b.Loop() {
		key.Publish(context.Background(), values)
	}
}
