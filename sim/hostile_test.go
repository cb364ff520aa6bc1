package sim_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/bundle"
	"detente/canonical"
	"detente/evidence"
	"detente/exchange"
	"detente/feed"
	"detente/form"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/route"
	"detente/sim"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

// within runs a story about a forger and some honest parties, on fake time.
func within(t *testing.T, story func(t *testing.T, f *forger, w *sim.World), honest ...traffic.Party) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, 5*time.Minute, 1)
		for i, p := range honest {
			w.Add(sim.Found(t, p, "en", true))
			for _, q := range honest[:i] {
				w.Pair(q, p)
			}
		}
		story(t, newForger(t, w), w)
		w.Close()
	})
}

func routine(c *party.Channel) traffic.Feed {
	return traffic.Feed{Channel: c.ID(), Party: "xf", Plane: traffic.Real, Precedence: traffic.Routine}
}

// What is properly logged but wrong is held, cosigned, and marked with its reason, once; what stands before and after it is not touched.
// protocol.md#held
func TestWhatIsLoggedWronglyIsHeldAndMarkedInvalid(t *testing.T) {
	one := func(d draft) func(*forger, traffic.Feed) []byte {
		return func(f *forger, log traffic.Feed) []byte { return f.sign(log, d) }
	}
	for _, c := range []struct {
		name, reason string
		precedence   traffic.Precedence // ROUTINE when empty
		demands      []key.Algorithm    // of the channel
		bad          func(f *forger, log traffic.Feed) []byte
	}{
		{name: "no statement", reason: judge.Malformed, bad: func(*forger, traffic.Feed) []byte { return []byte("not a statement") }},
		{name: "with a byte too many", reason: judge.Malformed, bad: func(f *forger, log traffic.Feed) []byte {
			return append(f.sign(log, draft{}), 0)
		}},
		{name: "another party's statement as its own", reason: judge.NotIssuer, bad: (*forger).steal},
		{name: "in another party's name", reason: judge.NotIssuer, bad: one(draft{Issuer: "xs"})},
		{name: "of the exercise, logged as real", reason: judge.WrongFeed, bad: one(draft{Plane: traffic.Exercise})},
		{name: "of another precedence", reason: judge.WrongFeed, bad: func(f *forger, log traffic.Feed) []byte {
			log.Precedence = traffic.Flash
			return f.sign(log, draft{})
		}},
		{name: "of another channel", reason: judge.WrongFeed, bad: func(f *forger, log traffic.Feed) []byte {
			log.Channel[0] ^= 1
			return f.sign(log, draft{})
		}},
		{name: "by another post's key", reason: judge.UnknownKey, bad: one(draft{Signer: "council"})},
		{name: "with a bad signature", reason: judge.BadSignature, bad: func(f *forger, log traffic.Feed) []byte { return flip(f.sign(log, draft{})) }},
		{name: "without a signature that the channel demands", reason: judge.SignaturesMissing,
			demands: []key.Algorithm{key.Ed25519, key.MLDSA65}, bad: one(draft{})},
		{name: "by a post that may not speak here", reason: judge.NotAllowedPost, bad: one(draft{Post: "cert"})},
		{name: "of a form that is not in the regime", reason: judge.UnknownForm, bad: one(draft{Form: "ultimatum"})},
		{name: "of a version that is not in the regime", reason: judge.UnknownForm, bad: one(draft{Form: "goodwill", Version: 7})},
		{name: "with a field that the form has not", reason: judge.BadPayload, bad: func(f *forger, log traffic.Feed) []byte {
			b, err := canonical.Marshal(map[string]string{"text": "x", "threat": "y"})
			if err != nil {
				f.t.Fatal(err)
			}
			return f.sign(log, draft{Form: "goodwill", Payload: b})
		}},
		{name: "above the form's ceiling", reason: judge.PrecedenceCeiling, precedence: traffic.Flash, bad: one(draft{})},
		{name: "released by nobody", reason: judge.NoReleaser, precedence: traffic.Immediate,
			bad: one(draft{Form: "notice", Values: form.Values{"subject": "information", "text": "x"}})},
		{name: "addressed to a party that is no member", reason: judge.WrongAudience, bad: one(draft{Audience: "xz/nrrc"})},
		{name: "with a clock that runs back", reason: judge.Clock, bad: one(draft{Clock: 1})},
		{name: "with a clock that leaps", reason: judge.Clock, bad: one(draft{Clock: 1 << 40})},
	} {
		t.Run(c.name, func(t *testing.T) {
			within(t, func(t *testing.T, f *forger, w *sim.World) {
				log := routine(f.join(party.Channel{Name: "talk", Signatures: c.demands, Posts: []traffic.Post{"nrrc", "council"}}, "xs"))
				if c.precedence != "" {
					log.Precedence = c.precedence
				}
				good := f.good
				if c.demands != nil {
					good = f.signBoth
				}
				f.log(log, good(log), good(log), c.bad(f, log), good(log))
				for range 3 {
					f.deliver("xs", f.bundle(f.section(log, 0)))
				}
				if s := f.state("xs", log); s.Size != 4 || s.Cosigned["xs"] != 4 {
					t.Fatalf("held %d, cosigned %d, of 4: what is wrong is receipted like everything else", s.Size, s.Cosigned["xs"])
				}
				if diff := cmp.Diff([]string{"", "", c.reason, ""}, f.reasons("xs", log)); diff != "" {
					t.Fatal(diff)
				}
				if all := f.alarms("xs", exchange.AlarmInvalid, ""); len(all) != 1 || all[0].Subject != log.Origin()+" "+c.reason {
					t.Error("one alarm is raised, not", all)
				}
				if err := errors.Join(w.Check(), w.Audit()); err != nil {
					t.Fatal(err)
				}
			}, "xs")
		})
	}
}

// good is a statement that is in order on the feed.
func (f *forger) good(log traffic.Feed) []byte {
	if log.Precedence.Rank() > traffic.Priority.Rank() {
		return f.sign(log, draft{Form: "check", Values: form.Values{"level": int64(1), "question": "Do you read us?"}})
	}
	return f.sign(log, draft{})
}

// A charter that the receiver does not hold makes what names it wait, not fail: whatever comes between. A key that was taken out of use cannot
// come back.
func TestChartersComeAndDoNotGoBack(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error // of the first durable step when the charter comes
	}{{"in order", nil}, {"when the disk fails", errDisk}, {"when the process dies", sim.ErrCrashed}} {
		t.Run(c.name, func(t *testing.T) {
			within(t, func(t *testing.T, f *forger, w *sim.World) {
				log := routine(f.join(party.Channel{Name: "talk"}, "xs"))
				second, keys := f.rotate("post/nrrc/real")
				old := f.Keys
				f.log(log, f.good(log))
				f.Keys = keys
				f.log(log, f.sign(log, draft{Charter: 2}))
				f.Keys = old
				f.log(log, f.sign(log, draft{Charter: 1})) // by the old key, after the new one
				f.deliver("xs", f.bundle(f.section(log, 0)))
				if diff := cmp.Diff([]string{"", judge.CharterUnknown, ""}, f.reasons("xs", log)); diff != "" {
					t.Fatal(diff)
				}

				b := f.bundle()
				b.Charters = [][]byte{f.Charter.Bytes(), second.Bytes()}
				left := 1
				w.Capital("xs").Trap(func(string) error {
					if left--; left == 0 {
						return c.err
					}
					return nil
				})
				f.node("xs").Answer(t.Context(), f.seal("xs", b))
				if c.err == sim.ErrCrashed {
					w.Capital("xs").Crash()
					w.Capital("xs").Trap(nil)
					w.Capital("xs").Start()
				} else {
					f.deliver("xs", b)
				}
				if diff := cmp.Diff([]string{"", "", judge.CharterBackwards}, f.reasons("xs", log)); diff != "" {
					t.Fatal(diff)
				}
				f.Keys = keys
				f.log(log, f.sign(log, draft{Charter: 2}))
				f.deliver("xs", f.bundle(f.section(log, 0)))
				if diff := cmp.Diff([]string{"", "", judge.CharterBackwards, ""}, f.reasons("xs", log)); diff != "" {
					t.Fatal(diff)
				}
				if err := errors.Join(w.Check(), w.Audit()); err != nil {
					t.Fatal(err)
				}
			}, "xs")
		})
	}
}

// What breaks the tree, the checkpoint's signature or a limit is refused on the link: nothing of it is stored, an alarm is raised once, and the
// link and the feed live on.
func TestWhatBreaksTheFeedIsRefusedOnTheLink(t *testing.T) {
	for _, c := range []struct {
		name, kind string
		breaks     func(f *forger, p *bundle.FeedPart) // an honest section with one new entry
	}{
		{"entries that do not give the root", exchange.AlarmExtend, func(f *forger, p *bundle.FeedPart) {
			p.Checkpoint = f.note(p.Feed, p.Entries[1], p.Entries[0])
		}},
		{"a checkpoint that its party has not signed", exchange.AlarmHostile, func(f *forger, p *bundle.FeedPart) {
			p.Checkpoint = strings.Replace(p.Checkpoint, "— ", "— x", 1)
		}},
		{"a checkpoint signed by another of its keys", exchange.AlarmHostile, func(f *forger, p *bundle.FeedPart) {
			wrong := *f.Keys
			wrong.Checkpoint = f.Keys.Bundle
			right := f.Keys
			f.Keys = &wrong
			p.Checkpoint = f.note(p.Feed, p.Entries...)
			f.Keys = right
		}},
		{"the checkpoint of another feed", exchange.AlarmHostile, func(f *forger, p *bundle.FeedPart) {
			other := p.Feed
			other.Precedence = traffic.Priority
			p.Checkpoint = f.note(other, p.Entries...)
		}},
		{"a checkpoint of another size", exchange.AlarmHostile, func(f *forger, p *bundle.FeedPart) {
			p.Checkpoint = f.note(p.Feed, append(slices.Clone(p.Entries), p.Entries...)...)
		}},
		{"a third member's feed", exchange.AlarmHostile, func(f *forger, p *bundle.FeedPart) {
			p.Feed.Party = "xl"
			p.Checkpoint = f.note(p.Feed, p.Entries...)
		}},
		{"a channel of others", exchange.AlarmHostile, func(f *forger, p *bundle.FeedPart) {
			p.Feed.Channel = f.w.Channel("private", "xs", "xl")
			p.Checkpoint = f.note(p.Feed, p.Entries...)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			within(t, func(t *testing.T, f *forger, w *sim.World) {
				log := routine(f.join(party.Channel{Name: "talk"}, "xs", "xl"))
				f.log(log, f.good(log))
				f.deliver("xs", f.bundle(f.section(log, 0)))
				held := f.state("xs", log)
				p := f.section(log, 0)
				p.Entries = append(slices.Clone(p.Entries), f.good(log))
				p.Checkpoint = f.note(log, p.Entries...)
				c.breaks(f, &p)
				for range 3 {
					f.deliver("xs", f.bundle(p))
				}
				if diff := cmp.Diff(held, f.state("xs", log)); diff != "" {
					t.Fatal("something was stored", diff)
				}
				if s := f.state("xs", p.Feed); p.Feed != log && s.Size > 0 {
					t.Fatal("stored", s)
				}
				if all := f.alarms("xs", c.kind, ""); len(all) != 1 {
					t.Error("one alarm is raised, not", all)
				}
				f.alive("xs", log)
			}, "xs", "xl")
		})
	}
}

// A bundle that is over a limit, or is not what it says it is, is refused whole; the sender is told in one word, and nothing else happens.
func TestBundlesThatAreRefusedWhole(t *testing.T) {
	within(t, func(t *testing.T, f *forger, w *sim.World) {
		talk := f.join(party.Channel{Name: "talk"}, "xs")
		log := routine(talk)
		f.log(log, f.sign(log, draft{}))
		f.deliver("xs", f.bundle(f.section(log, 0)))
		raw := func(v any) []byte {
			b, err := canonical.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			return f.sealRaw("xs", "xf", b)
		}
		part := func(entries ...[]byte) []any {
			return []any{map[string]any{
				"feed": log, "start": 1, "entries": entries, "checkpoint": f.note(log, append(slices.Clone(f.logs[log]), entries...)...),
			}}
		}
		honest := f.seal("xs", f.bundle(f.section(log, 0)))
		for _, c := range []struct {
			name   string
			sealed []byte
			code   route.Refusal
		}{
			{"a statement over the limit", raw(map[string]any{"feeds": part(make([]byte, 48<<10+1))}), "too-large"},
			{"more entries than a bundle may have", raw(map[string]any{"feeds": part(make([][]byte, 1<<16+1)...)}), "too-large"},
			{"more feeds than a bundle may have", raw(map[string]any{"held": make([]int, 4097)}), "too-large"},
			{"nested without end", f.sealRaw("xs", "xf", []byte(strings.Repeat("\x81", 1<<20)+"\x80")), "refused"},
			{"a list that says it is longer than the bundle", f.sealRaw("xs", "xf", []byte("\xa1\x65feeds\x9a\xff\xff\xff\xff")), "refused"},
			{"more bytes than any route carries", make([]byte, route.MaxBundle+1), "too-large"},
			{"nothing", nil, "refused"},
			{"not a bundle", []byte("GET / HTTP/1.1\r\n\r\n"), "refused"},
			{"in another party's name", f.sealRaw("xs", "xl", []byte("\xa0")), "sender"},
			{"for another party", f.sealFor("xs", "xl"), "not-for-us"},
			{"cut off", honest[:len(honest)/2], "refused"},
			{"with a bit turned", flip(honest), "refused"},
		} {
			before := f.state("xs", log)
			alarms, err := f.node("xs").Alarms(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			answer, err := f.node("xs").Answer(t.Context(), c.sealed)
			var code route.Refusal
			if !errors.As(err, &code) || answer != nil {
				t.Fatalf("%s: answered %d bytes, %v", c.name, len(answer), err)
			}
			if code != c.code {
				t.Errorf("%s: the sender is told %q, want %q", c.name, code, c.code)
			}
			after, err := f.node("xs").Alarms(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(alarms, after) + cmp.Diff(before, f.state("xs", log)); diff != "" {
				t.Error(c.name, "something happened", diff)
			}
			f.alive("xs", log)
		}
	}, "xs")
}

// What comes again, and what comes late, changes nothing.
func TestReplay(t *testing.T) {
	within(t, func(t *testing.T, f *forger, w *sim.World) {
		talk := f.join(party.Channel{Name: "talk"}, "xs")
		log := routine(talk)
		var sealed [][]byte
		for i := range 5 {
			f.log(log, f.sign(log, draft{}))
			sealed = append(sealed, f.seal("xs", f.bundle(f.section(log, i/2))))
			f.deliver("xs", f.bundle(f.section(log, 0)))
		}
		before := f.state("xs", log)
		for _, b := range append(slices.Clone(sealed), sealed...) {
			if _, err := f.node("xs").Answer(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(before, f.state("xs", log)); diff != "" {
			t.Fatal(diff)
		}
		alarms, err := f.node("xs").Alarms(t.Context())
		if err != nil || len(alarms) > 0 {
			t.Fatal(err, alarms)
		}
		f.alive("xs", log)
	}, "xs")
}

// A party that has signed two histories is convicted by what it signed: by a member that is shown both, or by two members who compare.
func TestForkIsConvicted(t *testing.T) {
	type telling struct {
		to    traffic.Party
		story string // of which history it is told, by the letters of its entries
	}
	for _, c := range []struct {
		name   string
		told   []telling
		caught []traffic.Party
	}{
		{"one member, the same size", []telling{{"xs", "ab"}, {"xs", "aB"}}, []traffic.Party{"xs"}},
		{"one member, a smaller one afterwards", []telling{{"xs", "abc"}, {"xs", "aB"}}, []traffic.Party{"xs"}},
		{"one member, a larger one afterwards, which another was told too", []telling{{"xs", "ab"}, {"xs", "aBcd"}, {"xl", "aBcd"}}, []traffic.Party{"xs", "xl"}},
		{"two members, the same size", []telling{{"xs", "ab"}, {"xl", "aB"}}, []traffic.Party{"xs", "xl"}},
		{"two members, different sizes", []telling{{"xs", "ab"}, {"xl", "aBcde"}}, []traffic.Party{"xs", "xl"}},
		{"two members, nothing in common", []telling{{"xs", "a"}, {"xl", "ABCDEFG"}}, []traffic.Party{"xs", "xl"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			within(t, func(t *testing.T, f *forger, w *sim.World) {
				talk := f.join(party.Channel{Name: "talk"}, "xs", "xl")
				log := routine(talk)
				entries := make(map[rune][]byte)
				for i, r := range "abcdefgABCDEFG" {
					entries[r] = f.sign(log, draft{Clock: int64(i%7) + 1, Form: "goodwill", Values: form.Values{"text": "Story " + string(r)}})
				}
				for _, told := range c.told {
					var history [][]byte
					for _, r := range told.story {
						history = append(history, entries[r])
					}
					p := bundle.FeedPart{Feed: log, Entries: history, Checkpoint: f.note(log, history...)}
					f.deliver(told.to, f.bundle(p))
					f.deliver(told.to, f.bundle(p))
				}
				time.Sleep(time.Hour) // in which the members compare
				for _, p := range c.caught {
					alarms := f.alarms(p, exchange.AlarmFork, log.Origin())
					if len(alarms) != 1 {
						t.Fatalf("%s has raised %d alarms, want one", p, len(alarms))
					}
					f.convicted(alarms[0].Evidence)
				}
				// The first history that each was told stays, and both go on talking.
				first := make(map[traffic.Party]int64)
				for _, told := range c.told {
					if first[told.to] == 0 {
						first[told.to] = int64(len(told.story))
					}
				}
				for p, size := range first {
					if s := f.state(p, log); s.Size != size {
						t.Errorf("%s holds %d entries, want the %d that it was told first", p, s.Size, size)
					}
				}
				if _, err := w.Send(sim.Letter{From: "xs", To: "xl", Channel: talk.ID(), Precedence: traffic.Flash, Form: "check", Text: "Have you seen this?"}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if err := w.Audit(); err != nil {
					t.Fatal(err)
				}
			}, "xs", "xl")
		})
	}
}

// convicted has the evidence read by somebody who has the forger's charter and nothing else.
func (f *forger) convicted(object []byte) {
	f.t.Helper()
	reader := evidence.Reader{Registry: key.Standard(), Trusted: map[traffic.Party]*party.Chain{"xf": f.chain}}
	if _, err := reader.Fork(object); err != nil {
		f.t.Errorf("the evidence does not convict: %v", err)
	}
	fork, err := feed.DecodeFork(object)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, _, err := fork.Convicts(feed.Candidate{Key: f.Charter.Verifier(f.Charter.Node.Checkpoint)}); err != nil {
		f.t.Error(err)
	}
	if len(object) > 64<<10 {
		f.t.Errorf("the evidence has %d bytes", len(object))
	}
}

// A mirror that holds less than it has cosigned is noticed, once; so is one that says it holds more than was ever said.
func TestRollback(t *testing.T) {
	within(t, func(t *testing.T, f *forger, w *sim.World) {
		talk := f.join(party.Channel{Name: "talk"}, "xs")
		ours := traffic.Feed{Channel: talk.ID(), Party: "xs", Plane: traffic.Real, Precedence: traffic.Routine}
		var heads []feed.Checkpoint
		for range 3 {
			if _, err := w.Send(sim.Letter{From: "xs", To: "xf", Channel: talk.ID(), Precedence: traffic.Routine, Form: "goodwill", Text: "Best wishes."}); err != nil {
				t.Fatal(err)
			}
			s := f.state("xs", ours)
			heads = append(heads, feed.Checkpoint{Feed: ours, Size: s.Size, Root: s.Root})
		}
		hello := func(c feed.Checkpoint) *bundle.Bundle {
			line, err := c.Cosign("xf", f.Keys.Mirror, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return &bundle.Bundle{
				Held: []bundle.Held{{Feed: ours, Size: c.Size, Root: c.Root, Cosignatures: line}}, Know: map[traffic.Party]int{"xf": 1, "xs": 1},
			}
		}
		f.deliver("xs", hello(heads[2]))
		if got := f.state("xs", ours).Cosigned["xf"]; got != 3 {
			t.Fatal(got)
		}
		time.Sleep(time.Minute)
		for range 3 {
			f.deliver("xs", hello(heads[0]))
		}
		if got := f.alarms("xs", exchange.AlarmRollback, ours.Origin()); len(got) != 1 {
			t.Fatal(got)
		}
		if got := f.state("xs", ours).Cosigned["xf"]; got != 3 {
			t.Fatal("the receipt that was given is not taken back", got)
		}

		// It cannot make the victim fall silent with a claim that it does not sign.
		b := hello(heads[2])
		b.Held[0].Size, b.Held[0].Cosignatures = 99, ""
		f.deliver("xs", b)
		// Nor with one for entries that nobody signed.
		f.deliver("xs", hello(feed.Checkpoint{Feed: ours, Size: 99, Root: [32]byte{1}}))
		if _, err := w.Send(sim.Letter{From: "xs", To: "xf", Channel: talk.ID(), Precedence: traffic.Routine, Form: "goodwill", Text: "Still here."}); err != nil {
			t.Errorf("a forged claim silences the victim: %v", err)
		}
		// A cosignature of another history than the own is worth nothing, and an alarm.
		wrong := heads[2]
		wrong.Root[0] ^= 1
		f.deliver("xs", hello(wrong))
		if got := f.alarms("xs", exchange.AlarmExtend, ours.Origin()); len(got) != 1 {
			t.Error(got)
		}
		if err := errors.Join(w.Check(), w.Audit()); err != nil {
			t.Fatal(err)
		}
	}, "xs")
}

// A flood of feeds, each new, each with nothing in it that is signed, leaves nothing behind.
func TestUnsignedFeedsLeaveNothing(t *testing.T) {
	within(t, func(t *testing.T, f *forger, w *sim.World) {
		talk := f.join(party.Channel{Name: "talk"}, "xs")
		before, err := f.node("xs").Feeds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var parts []bundle.FeedPart
		for i := range 500 {
			log := routine(talk)
			log.Epoch = i
			parts = append(parts, bundle.FeedPart{Feed: log, Entries: [][]byte{fmt.Append(nil, i)}, Checkpoint: strings.Replace(f.note(log, fmt.Append(nil, i)), "— ", "— x", 1)})
		}
		f.deliver("xs", f.bundle(parts...))
		after, err := f.node("xs").Feeds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(len(before), len(after)); diff != "" {
			t.Errorf("feeds that hold nothing are kept: %s", diff)
		}
		f.alive("xs", routine(talk))
	}, "xs")
}
