package dossier_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"detente/dossier"
	"detente/form"
	"detente/key"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"
)

// failing is what a story needs of a test: testing and rapid both have it.
type failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func communications(t testing.TB) *form.Regime {
	t.Helper()
	r, err := form.Load(regimes.Communications())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// utterer signs with one key for all parties: a fold does not look at signatures, which were judged before.
func utterer(t failing) key.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte("dossier"))
	k, err := key.FromSeed(key.Ed25519, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// story is a dossier told line by line: "LABEL PARTY FORM [REF…] [to=PARTY] [clock=N] [plane=P] [invalid=REASON] [again=PARTY]". The first line
// opens it. Clocks rise by one a line unless they are given; again logs the same statement in a feed of another party too.
type story struct {
	t      failing
	signer key.Signer
	name   dossier.Name
	ids    map[string]statement.ID
	labels map[statement.ID]string
	items  []dossier.Item
	clock  int64
}

func tell(t failing, lines ...string) *story {
	t.Helper()
	s := &story{t: t, signer: utterer(t), ids: map[string]statement.ID{}, labels: map[statement.ID]string{}}
	for _, line := range lines {
		s.line(line)
	}
	return s
}

func (s *story) line(line string) {
	s.t.Helper()
	words := strings.Fields(line)
	s.clock++
	h := statement.Header{
		Issuer: traffic.Address{Party: traffic.Party(words[1]), Post: "nrrc"}, Audience: statement.Everyone, IssuedAt: noon, Channel: [32]byte{7},
		Plane: traffic.Real, Precedence: traffic.Priority, Form: words[2], Version: 1, Dossier: s.name.ID, Clock: s.clock, Language: "en",
		Drafter: words[0], Charter: 1,
	}
	var reason string
	var again []traffic.Party
	for _, w := range words[3:] {
		option, value, is := strings.Cut(w, "=")
		switch {
		case !is:
			id, ok := s.ids[w]
			if !ok {
				id = statement.Hash([]byte(w)) // a statement that nobody holds
			}
			h.Refs = append(h.Refs, id)
		case option == "to":
			h.Audience = value
		case option == "clock":
			fmt.Sscan(value, &h.Clock)
			s.clock = max(s.clock, h.Clock)
		case option == "plane":
			h.Plane = traffic.Plane(value)
		case option == "invalid":
			reason = value
		case option == "again":
			again = append(again, traffic.Party(value))
		default:
			s.t.Fatalf("%q: no option %s", line, option)
		}
	}
	st, err := statement.Sign(h, []byte{0xa0}, s.signer)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.name.ID == (statement.ID{}) {
		s.name = dossier.Name{ID: st.ID(), Channel: h.Channel, Plane: h.Plane}
	}
	s.ids[words[0]], s.labels[st.ID()] = st.ID(), words[0]
	f := traffic.Feed{Channel: h.Channel, Party: h.Issuer.Party, Plane: h.Plane, Precedence: h.Precedence}
	s.items = append(s.items, dossier.Item{Statement: st, Feed: f, Index: int64(len(s.items)), Held: noon, Reason: reason})
	for _, p := range again {
		f.Party = p
		s.items = append(s.items, dossier.Item{Statement: st, Feed: f, Index: int64(len(s.items)), Held: noon, Reason: "not-issuer"})
	}
}

// standings tells a state as a story's outcome: "LABEL STANDING [WHY]", and what is due.
func (s *story) standings(st *dossier.State) (out []string) {
	for _, e := range st.Entries {
		line := s.labels[e.Statement.ID()] + " " + string(e.Standing)
		if e.Why != "" {
			line += " " + e.Why
		}
		if e.AwaitsAcknowledgement {
			line += ", acknowledgement due"
		}
		if e.AwaitsAnswer {
			line += ", answer due"
		}
		out = append(out, line)
	}
	return out
}

func TestFold(t *testing.T) {
	r := communications(t)
	for _, test := range []struct {
		name  string
		story []string
		want  []string
	}{
		{"a check is answered",
			[]string{"check xn check", "pong xs check-answer check"},
			[]string{"check answered", "pong noted"}},
		{"an inquiry waits",
			[]string{"q xn inquiry"},
			[]string{"q open, acknowledgement due, answer due"}},
		{"an inquiry is acknowledged, looked into and answered",
			[]string{"q xn inquiry", "ack xs acknowledgement q", "wait xs interim q", "a xs answer q", "ack2 xn acknowledgement a"},
			[]string{"q answered", "ack noted", "wait noted", "a acknowledged", "ack2 noted"}},
		{"an acknowledgement is no answer",
			[]string{"q xn inquiry", "ack xs acknowledgement q"},
			[]string{"q acknowledged, answer due", "ack noted"}},
		{"an interim reply is no answer, but shows that the inquiry was read",
			[]string{"q xn inquiry", "wait xs interim q"},
			[]string{"q acknowledged, answer due", "wait noted"}},
		{"an answer alone leaves nothing due from its author",
			[]string{"q xn inquiry", "a xs answer q"},
			[]string{"q answered", "a open, acknowledgement due"}},
		{"an inquiry about a notice acknowledges it and is open itself",
			[]string{"n xn notice", "q xs inquiry n"},
			[]string{"n acknowledged", "q open, acknowledgement due, answer due"}},
		{"goodwill asks for nothing",
			[]string{"hello xn goodwill", "hello2 xs goodwill hello"},
			[]string{"hello noted", "hello2 noted"}},
		{"a correction leaves due what was due",
			[]string{"q xn inquiry", "ack xs acknowledgement q", "fix xn correction q", "ackfix xs acknowledgement fix"},
			[]string{"q corrected, answer due", "ack noted", "fix acknowledged", "ackfix noted"}},
		{"a cancelled inquiry asks for nothing any more",
			[]string{"q xn inquiry", "never xn cancellation q"},
			[]string{"q cancelled", "never open, acknowledgement due"}},
		{"a cancelled answer is no answer",
			[]string{"q xn inquiry", "a xs answer q", "never xs cancellation a"},
			[]string{"q open, acknowledgement due, answer due", "a cancelled", "never open, acknowledgement due"}},
		{"a cancelled cancellation has no effect",
			[]string{"q xn inquiry", "never xn cancellation q", "ever xn cancellation never"},
			[]string{"q open, acknowledgement due, answer due", "never cancelled", "ever open, acknowledgement due"}},
		{"nobody corrects or cancels another's words",
			[]string{"q xn inquiry", "fix xs correction q", "never xs cancellation q"},
			[]string{"q open, acknowledgement due, answer due", "fix out-of-order other-party", "never out-of-order other-party"}},
		{"nobody answers himself",
			[]string{"q xn inquiry", "a xn answer q", "ack xn acknowledgement q"},
			[]string{"q open, acknowledgement due, answer due", "a out-of-order own-statement", "ack out-of-order own-statement"}},
		{"only who was asked answers",
			[]string{"q xn inquiry to=xs", "a xl answer q", "b xs answer q"},
			[]string{"q answered", "a out-of-order not-addressed", "b open, acknowledgement due"}},
		{"an inquiry of a third party about a notice that was not for it has no effect",
			[]string{"n xn notice to=xs", "q xl inquiry n"},
			[]string{"n open, acknowledgement due", "q open, acknowledgement due, answer due"}},
		{"an answer to what is no question",
			[]string{"hello xn goodwill", "a xs answer hello", "ack xs acknowledgement hello"},
			[]string{"hello noted", "a out-of-order no-reply", "ack out-of-order no-reply"}},
		{"a translation, by either side, changes nothing",
			[]string{"q xn inquiry to=xs", "t xn translation q", "u xs translation q"},
			[]string{"q open, acknowledgement due, answer due", "t noted", "u noted"}},
		{"an answer to what nobody holds",
			[]string{"q xn inquiry", "a xs answer elsewhere"},
			[]string{"q open, acknowledgement due, answer due", "a out-of-order ref-unknown"}},
		{"an answer that claims to be older than the inquiry",
			[]string{"q xn inquiry clock=9", "a xs answer q clock=4"},
			[]string{"a out-of-order ref-later", "q open, acknowledgement due, answer due"}},
		{"what rests on an invalid statement is void",
			[]string{"q xn inquiry invalid=bad-signature", "a xs answer q", "ack xn acknowledgement a"},
			[]string{"q invalid bad-signature", "a out-of-order ref-void", "ack out-of-order ref-void"}},
		{"an invalid answer has no effect",
			[]string{"q xn inquiry", "a xs answer q invalid=no-releaser"},
			[]string{"q open, acknowledgement due, answer due", "a invalid no-releaser"}},
		{"a form that nobody knows has no effect",
			[]string{"q xn inquiry", "a xs haiku q"},
			[]string{"q open, acknowledgement due, answer due", "a noted"}},
		{"another logs the inquiry as its own: it counts once, where it is valid",
			[]string{"q xn inquiry again=xa", "ack xs acknowledgement q again=xa again=xz"},
			[]string{"q acknowledged, answer due", "ack noted"}},
		{"what is said in an exercise is no part of it",
			[]string{"q xn inquiry", "a xs answer q plane=exercise"},
			[]string{"q open, acknowledgement due, answer due"}},
		{"two at one clock stand in the order of their issuers",
			[]string{"q xn inquiry", "b xs goodwill clock=5", "a xl goodwill clock=5"},
			[]string{"q open, acknowledgement due, answer due", "a noted", "b noted"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := tell(t, test.story...)
			st := dossier.Fold(s.name, s.items, r)
			if diff := cmp.Diff(test.want, s.standings(st)); diff != "" {
				t.Error(diff)
			}
			if !st.Opened {
				t.Error("the opening statement is held, and the state says that it is not")
			}
		})
	}
}

// The regime of the links works by the same rules: what a proposal is answered with, its data say.
func TestFoldOfTheLink(t *testing.T) {
	r, err := form.Load(regimes.Link())
	if err != nil {
		t.Fatal(err)
	}
	s := tell(t, "p xn channel-proposal", "p2 xn channel-proposal", "yes xs channel-acceptance p", "c xs charter")
	want := []string{"p answered", "p2 noted", "yes noted", "c noted"}
	if diff := cmp.Diff(want, s.standings(dossier.Fold(s.name, s.items, r))); diff != "" {
		t.Error(diff)
	}
}

func TestReplies(t *testing.T) {
	s := tell(t, "q xn inquiry", "ack xs acknowledgement q", "ack2 xs acknowledgement q", "a xs answer q", "a2 xs answer q", "fix xn correction q", "fix2 xn correction q")
	st := dossier.Fold(s.name, s.items, communications(t))
	q := st.Find(s.ids["q"])
	got := []string{s.labels[q.AcknowledgedBy], s.labels[q.AnsweredBy], s.labels[q.CorrectedBy], s.labels[q.CancelledBy]}
	if diff := cmp.Diff([]string{"ack", "a", "fix2", ""}, got); diff != "" {
		t.Error(diff)
	}
	if st.Find(statement.ID{}) != nil {
		t.Error("found what is not there")
	}
	if diff := cmp.Diff([]statement.ID{s.ids["a"], s.ids["a2"], s.ids["fix"], s.ids["fix2"]}, st.Open); diff != "" {
		t.Error(diff)
	}
}

// What came before the opening statement is kept, and falls into its place when that arrives.
func TestOpeningStatementNotHeldYet(t *testing.T) {
	r := communications(t)
	s := tell(t, "q xn inquiry", "a xs answer q")
	early := dossier.Fold(s.name, s.items[1:], r)
	if early.Opened || len(early.Entries) != 1 || early.Entries[0].Why != dossier.RefUnknown {
		t.Errorf("%+v", early)
	}
	late := dossier.Fold(s.name, s.items, r)
	if !late.Opened || late.Digest == early.Digest {
		t.Errorf("%+v", late)
	}
	if none := dossier.Fold(s.name, nil, r); none.Opened || len(none.Entries) > 0 || none.Digest == early.Digest {
		t.Errorf("%+v", none)
	}
}

// The digest is on the wire between people: it must not change.
func TestDigestIsFixed(t *testing.T) {
	s := tell(t, "q xn inquiry", "ack xs acknowledgement q", "fix xn correction q", "odd xs answer elsewhere", "bad xs answer q invalid=clock")
	st := dossier.Fold(s.name, s.items, communications(t))
	const want = "31cae5c632ed01c0fa4a1f54d593dfd2119e5d0ac9672410d66f83d1e5858e08"
	if got := hex.EncodeToString(st.Digest[:]); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

// Whatever arrives, in whatever order and however often, on whatever side, the state is the same; and nothing disappears.
func TestFoldIsAFunctionOfTheSet(t *testing.T) {
	r := communications(t)
	var forms []string
	for _, f := range r.Forms() {
		forms = append(forms, f.ID)
	}
	parties := []string{"xa", "xb", "xc"}
	rapid.Check(t, func(t *rapid.T) {
		s := &story{t: t, signer: utterer(t), ids: map[string]statement.ID{}, labels: map[statement.ID]string{}}
		n := rapid.IntRange(1, 20).Draw(t, "statements")
		for i := range n {
			line := fmt.Sprintf("s%d %s %s", i, rapid.SampledFrom(parties).Draw(t, "party"), rapid.SampledFrom(forms).Draw(t, "form"))
			for range rapid.IntRange(0, 2).Draw(t, "refs") {
				line += fmt.Sprintf(" s%d", rapid.IntRange(0, n).Draw(t, "ref"))
			}
			line += rapid.SampledFrom([]string{"", "", "", " to=xb", " clock=3", " invalid=clock", " again=xc", " plane=test"}).Draw(t, "option")
			s.line(line)
		}
		here := dossier.Fold(s.name, s.items, r)
		there := rapid.Permutation(s.items).Draw(t, "arrival")
		for i := range there { // and nothing local enters
			there[i].Held = noon.Add(time.Duration(i) * time.Hour)
		}
		there = append(there, there[:rapid.IntRange(0, len(there)).Draw(t, "repeated")]...)
		state := dossier.Fold(s.name, there, r)
		if state.Digest != here.Digest || !slices.Equal(state.Open, here.Open) {
			t.Fatalf("here %q, there %q", s.standings(here), s.standings(state))
		}
		seen := map[statement.ID]bool{}
		for i, e := range here.Entries {
			if e.Standing == "" || seen[e.Statement.ID()] {
				t.Fatalf("entry %d stands %q", i, e.Standing)
			}
			if void := e.Standing == dossier.Invalid || e.Standing == dossier.OutOfOrder; void != (e.Why != "") || void && (e.AwaitsAnswer || e.AwaitsAcknowledgement) {
				t.Fatalf("entry %d: %+v", i, e)
			}
			seen[e.Statement.ID()] = true
		}
		for _, it := range s.items {
			if it.Statement.Plane == s.name.Plane && !seen[it.Statement.ID()] {
				t.Fatalf("%s disappeared", s.labels[it.Statement.ID()])
			}
		}
	})
}

func BenchmarkFold(b *testing.B) {
	r := communications(b)
	lines := []string{"s0 xn inquiry"}
	for i := 1; i < 1000; i++ {
		party, form := []string{"xs", "xn"}[i%2], []string{"acknowledgement", "inquiry", "answer", "correction"}[i%4]
		lines = append(lines, fmt.Sprintf("s%d %s %s s%d", i, party, form, i-1))
	}
	s := tell(b, lines...)
	for b.Loop() {
		dossier.Fold(s.name, s.items, r)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/statement")
}
