package instrument_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/form"
	"detente/instrument"
	"detente/key"
	"detente/regimes"
	"detente/sealing"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

var day0 = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// talks makes the statements of one negotiation, each an hour after the last.
type talks struct {
	t     testing.TB
	items []instrument.Item
	now   time.Time
	id    statement.ID // of the opening
	// strict: the next statement must be one that its form takes.
	strict bool
}

// loaded is read once: nothing changes it.
var loaded = sync.OnceValues(func() (*form.Regime, error) { return form.Load(regimes.Instruments(), regimes.All()...) })

func regime(t testing.TB) *form.Regime {
	t.Helper()
	r, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func begin(t testing.TB, kind, nature, languages string, parties ...string) *talks {
	w := &talks{t: t, now: day0}
	titles := map[string]any{}
	for _, lang := range strings.Fields(languages) {
		titles[lang] = "Agreement (" + lang + ")"
	}
	list := make([]any, len(parties))
	for i, p := range parties {
		list[i] = p
	}
	w.id = w.says(parties[0], "negotiation", form.Values{"title": titles, "kind": kind, "nature": nature, "languages": languages, "parties": list})
	return w
}

func (w *talks) says(from, formID string, v form.Values, refs ...statement.ID) statement.ID {
	w.t.Helper()
	party, post, found := strings.Cut(from, "/")
	if !found {
		post = "mfa"
	}
	it := instrument.Item{
		Issuer: traffic.Address{Party: traffic.Party(party), Post: traffic.Post(post)}, Audience: statement.Everyone, At: w.now, Plane: traffic.Real,
		Form: formID, Refs: refs, Clock: int64(len(w.items) + 1), Values: v,
	}
	if f, known := regime(w.t).Latest(formID); known {
		// As the wire carries it. What the form refuses stays as it is: a fold must bear that too, from a regime that knows more.
		if b, err := f.Encode(v); err == nil {
			if it.Values, err = f.Decode(b); err != nil {
				w.t.Fatal(err)
			}
		} else if w.strict {
			w.t.Fatalf("%s: %v", formID, err)
		}
	} else if formID != "nothing-known" {
		w.t.Fatalf("the regime has no form %s", formID)
	}
	it.ID = sha256.Sum256(fmt.Appendf(nil, "%d %s %s", len(w.items), from, formID))
	w.items = append(w.items, it)
	w.now = w.now.Add(time.Hour)
	return it.ID
}

func (w *talks) fold() *instrument.Negotiation { return instrument.Fold(w.items) }

// does is says for a statement that must have its effect.
func (w *talks) does(from, formID string, v form.Values, refs ...statement.ID) statement.ID {
	w.t.Helper()
	w.strict = true
	id := w.says(from, formID, v, refs...)
	w.strict = false
	w.is(id, "")
	return id
}

// refused is says for one that must not.
func (w *talks) refused(why, from, formID string, v form.Values, refs ...statement.ID) statement.ID {
	w.t.Helper()
	id := w.says(from, formID, v, refs...)
	w.is(id, why)
	return id
}

func (w *talks) is(id statement.ID, why string) {
	w.t.Helper()
	e, ok := w.fold().Find(id)
	if !ok || e.Why != why {
		w.t.Errorf("%s by %s: %q, want %q", e.Form, e.Issuer, e.Why, why)
	}
}

func (w *talks) rung(want instrument.Rung, after time.Duration) instrument.Status {
	w.t.Helper()
	s := w.fold().Status(w.now.Add(after))
	if s.Rung != want {
		w.t.Errorf("%v on: %s since %s, want %s", after, s.Rung, s.Since, want)
	}
	return s
}

func texts(pairs ...string) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func wordingOf(m map[string]any) wording.Texts { return form.Values{"t": m}.Texts("t") }

func accepts(provision string, m map[string]any) form.Values {
	d := wordingOf(m).Digest()
	return form.Values{"provision": provision, "digest": d[:]}
}

// agree has one party table a wording and all others accept it.
func (w *talks) agree(provision string, m map[string]any, parties ...string) {
	w.t.Helper()
	w.does(parties[0], "position", form.Values{"provision": provision, "texts": m})
	for _, p := range parties[1:] {
		w.does(p, "acceptance", accepts(provision, m))
	}
}

func (w *talks) order(order string, parties ...string) {
	w.t.Helper()
	w.does(parties[0], "position", form.Values{"provision": "structure", "order": order})
	d, err := instrument.OrderDigest(order)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range parties[1:] {
		w.does(p, "acceptance", form.Values{"provision": "structure", "digest": d[:]})
	}
}

// empower gives a party's foreign office all powers, by its head of state's.
func (w *talks) empower(party string, v form.Values) statement.ID {
	w.t.Helper()
	all := form.Values{
		"representative": "Minister", "post": party + "/mfa", "authority": "head-of-state",
		"may": []any{"negotiate", "initial", "sign", "consent", "withdraw"},
	}
	for k, x := range v {
		all[k] = x
	}
	return w.says(party+"/cabinet", "full-powers", all)
}

// treaty is a small one in two languages between xn and xs, agreed but for what comes after.
func treaty(t testing.TB, nature string) *talks {
	w := begin(t, "treaty", nature, "en ru", "xn", "xs")
	w.order("preamble p0\narticle a1\nparagraph a1p\nclosing end", "xn", "xs")
	w.agree("p0", texts("en", "{parties},", "ru", "{parties},"), "xn", "xs")
	w.agree("a1", texts("en", "Notices", "ru", "Уведомления"), "xs", "xn")
	w.agree("a1p", texts("en", "Each Party shall notify the other.", "ru", "Каждая Сторона уведомляет другую."), "xn", "xs")
	w.agree("end", texts("en", "Done in two originals.", "ru", "Совершено в двух экземплярах."), "xs", "xn")
	return w
}

// terms makes the manifest of the clean text.
func (w *talks) terms(change func(*sealing.Manifest)) []byte {
	w.t.Helper()
	n := w.fold()
	text, ok := n.Text()
	if !ok {
		w.t.Fatal(n.Open())
	}
	named, all := text.Named(n.Opening.Parties)
	m := &sealing.Manifest{
		Kind: "treaty", Plane: traffic.Real, Instrument: [32]byte(w.id), Text: text.Digest(), Deadline: day0.Add(days(60)), Effect: sealing.Effect{Kind: sealing.OnSealing},
	}
	for i, p := range n.Opening.Parties {
		signer := signer(w.t, byte(i+1))
		m.Parties = append(m.Parties, sealing.Member{Party: p, Post: "mfa", Keys: []key.Public{signer.Public()}})
		for _, lang := range n.Opening.Languages {
			d := sha256.Sum256([]byte("original"))
			if all {
				o := text.Render(lang, named, p)
				d = o.Digest()
			}
			m.Texts = append(m.Texts, sealing.TextHash{Party: p, Lang: lang, Digest: d})
		}
	}
	slices.SortFunc(m.Parties, func(a, b sealing.Member) int { return strings.Compare(string(a.Party), string(b.Party)) })
	slices.SortFunc(m.Texts, func(a, b sealing.TextHash) int {
		return strings.Compare(string(a.Party)+" "+a.Lang, string(b.Party)+" "+b.Lang)
	})
	if change != nil {
		change(m)
	}
	b, err := m.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// tables a manifest of the clean text, which all can name by its hash.
func (w *talks) tables(change func(*sealing.Manifest)) []byte {
	w.t.Helper()
	b := w.terms(change)
	w.does("xn", "manifest", form.Values{"manifest": b})
	h := sealing.HashOf(b)
	return h[:]
}

func signer(t testing.TB, n byte) *key.Private {
	t.Helper()
	seed := sha256.Sum256([]byte{n})
	k, err := key.FromSeed(key.Ed25519, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func line(pieces []wording.Piece) string { return wording.Line(pieces) }
