package evidence_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"detente/evidence"
	"detente/feed"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Northland gave a notice; Southland held it. Whoever trusts both charters can tell from the file alone.
func TestProofOfWhatWasSaidAndHeld(t *testing.T) {
	w := newWorld(t)
	w.logs(w.says(w.xn, nil), w.says(w.xn, nil), w.says(w.xn, nil))
	p := w.proves(1)
	v, err := w.reader("xn", "xs").Proof(encoded(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if v.Result != evidence.Proved || v.Level != evidence.E2 || !v.Logged || v.Reason != "" {
		t.Errorf("verdict %q, level %s, logged %t, reason %q", v.Result, v.Level, v.Logged, v.Reason)
	}
	if v.Statement.ID != statement.Hash(p.Statement).String() || v.Statement.Issuer != "xn/nrrc" || v.Position.Index != 1 || v.Position.Size != 3 {
		t.Errorf("statement %+v at %+v", v.Statement, v.Position)
	}
	receipts := []evidence.Receipt{{Party: "xs", At: noon.Add(time.Minute), Algorithms: []string{"Ed25519", "ML-DSA-44"}}}
	if diff := cmp.Diff(receipts, v.Receipts); diff != "" {
		t.Error(diff)
	}
	for signed, want := range map[string][]string{"statement": {"Ed25519"}, "checkpoint": {"Ed25519", "ML-DSA-44"}, "receipt": {"Ed25519", "ML-DSA-44"}} {
		if diff := cmp.Diff(want, algorithms(v, signed)); diff != "" {
			t.Errorf("%s: %s", signed, diff)
		}
	}
	if len(v.RestsOn) != 2 || v.RestsOn[0].Party != "xn" || len(v.RestsOn[0].Words["ru"]) != 16 {
		t.Errorf("rests on %+v", v.RestsOn)
	}
}

// What a file lacks lowers what it proves, and the verdict says what is lacking.
func TestLevels(t *testing.T) {
	tests := []struct {
		name    string
		members []traffic.Party
		to      string
		trusts  []traffic.Party
		change  func(*world, *feed.Proof)
		level   evidence.Level
		held    []traffic.Party
		note    string
	}{
		{name: "all three hold it", members: []traffic.Party{"xl", "xn", "xs"}, level: evidence.E2, held: []traffic.Party{"xl", "xs"}},
		{name: "one of two has not cosigned", members: []traffic.Party{"xl", "xn", "xs"}, level: evidence.E1, held: []traffic.Party{"xl"},
			change: func(w *world, p *feed.Proof) {
				c := w.checkpoint()
				p.Checkpoint = w.signed(c) + w.receipt(c, w.xl, noon)
			}, note: "not shown that xs held it"},
		{name: "who has not cosigned was not addressed", members: []traffic.Party{"xl", "xn", "xs"}, to: "xl/mfa", level: evidence.E2,
			held: []traffic.Party{"xl"}, change: func(w *world, p *feed.Proof) {
				c := w.checkpoint()
				p.Checkpoint = w.signed(c) + w.receipt(c, w.xl, noon)
			}},
		{name: "addressed to its own party", to: "xn", level: evidence.E1, held: []traffic.Party{"xs"}},
		{name: "nobody has cosigned", level: evidence.E1, change: func(w *world, p *feed.Proof) { p.Checkpoint = w.signed(w.checkpoint()) },
			note: "not shown that xs held it"},
		{name: "the author cosigned for itself", level: evidence.E1, change: func(w *world, p *feed.Proof) {
			p.Checkpoint = w.signed(w.checkpoint()) + w.receipt(w.checkpoint(), w.xn, noon)
		}},
		{name: "a stranger to the channel cosigned", level: evidence.E1, trusts: []traffic.Party{"xn", "xs", "xl"}, change: func(w *world, p *feed.Proof) {
			p.Checkpoint = w.signed(w.checkpoint()) + w.receipt(w.checkpoint(), w.xl, noon)
		}},
		{name: "the cosigner is not trusted", level: evidence.E1, trusts: []traffic.Party{"xn"}, note: "no charter that you trust says who xs is"},
		{name: "a cosignature does not verify, the other does", level: evidence.E2, held: []traffic.Party{"xs"}, change: func(w *world, p *feed.Proof) {
			c := w.checkpoint()
			p.Checkpoint = w.signed(c) + flip(w.line(c.Cosign("xs", w.xs.ring.Mirror, noon))) + w.line(c.Cosign("xs", w.xs.ring.MirrorPQ, noon))
		}, note: "cosignature by xs does not verify"},
		{name: "the cosignature is of another checkpoint", level: evidence.E1, change: func(w *world, p *feed.Proof) {
			c := w.checkpoint()
			other := c
			other.Size++
			p.Checkpoint = w.signed(c) + w.receipt(other, w.xs, noon)
		}, note: "cosignature by xs does not verify"},
		{name: "no ML-DSA anywhere", level: evidence.E2, held: []traffic.Party{"xs"}, change: func(w *world, p *feed.Proof) {
			c := w.checkpoint()
			p.Checkpoint = c.Note(w.line(c.Sign(w.xn.ring.Checkpoint, noon)) + w.line(c.Cosign("xs", w.xs.ring.Mirror, noon)))
		}, note: "No ML-DSA-44 signature of the checkpoint"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.members...)
			w.logs(w.says(w.xn, func(d *word) {
				if test.to != "" {
					d.Audience = test.to
				}
			}))
			p := w.proves(0)
			if test.change != nil {
				test.change(w, p)
			}
			if test.trusts == nil {
				test.trusts = w.channel.Members
			}
			v, err := w.reader(test.trusts...).Proof(encoded(t, p))
			if err != nil {
				t.Fatal(err)
			}
			var held []traffic.Party
			for _, r := range v.Receipts {
				held = append(held, r.Party)
			}
			if v.Level != test.level || !cmp.Equal(held, test.held) {
				t.Errorf("level %s, held by %v; want %s, %v", v.Level, held, test.level, test.held)
			}
			if !hasNote(v.Notes, test.note) {
				t.Errorf("no note says %q: %q", test.note, v.Notes)
			}
		})
	}
}

// Everything that can be wrong with a file, each with the word that the second verifier uses for it too.
func TestRefusals(t *testing.T) {
	both := []traffic.Party{"xn", "xs"}
	tests := []struct {
		name   string
		trusts []traffic.Party
		change func(*world, *feed.Proof)
		code   string
		is     error
		logged bool
	}{
		{name: "a channel's charter that is none", code: "channel", change: func(_ *world, p *feed.Proof) { p.Channel = []byte{0xa0} }},
		{name: "a channel's charter that ends early", code: "truncated", change: func(_ *world, p *feed.Proof) { p.Channel = p.Channel[:9] }},
		{name: "another channel", code: judge.WrongFeed, is: evidence.ErrWrongFeed, change: func(w *world, p *feed.Proof) {
			p.Channel = party.LinkChannel(w.xn.chain, w.xs.chain).Bytes()
		}},
		{name: "a channel of others", code: judge.WrongFeed, is: evidence.ErrWrongFeed, change: func(w *world, p *feed.Proof) {
			others := party.LinkChannel(w.xl.chain, w.xs.chain)
			p.Channel, p.Feed.Channel = others.Bytes(), others.ID()
		}},
		{name: "a charter that is none", code: "shape", change: func(_ *world, p *feed.Proof) { p.Charters = append(p.Charters, []byte{}) }},
		{name: "nobody is trusted", trusts: []traffic.Party{}, code: "untrusted", is: evidence.ErrUntrusted, change: nil},
		{name: "only the addressee is trusted", trusts: []traffic.Party{"xs"}, code: "untrusted", is: evidence.ErrUntrusted, change: nil},
		{name: "the trusted party of that name is another", code: "untrusted", is: evidence.ErrUntrusted, change: func(w *world, _ *feed.Proof) {
			w.xn = found(t, "xn")
		}},
		{name: "a checkpoint that is no note", code: "note", change: func(_ *world, p *feed.Proof) { p.Checkpoint = "hello\n" }},
		{name: "a checkpoint without signatures", code: "note", change: func(w *world, p *feed.Proof) { p.Checkpoint = w.checkpoint().Text() }},
		{name: "a checkpoint of another feed", code: "origin", is: evidence.ErrOrigin, change: func(w *world, p *feed.Proof) {
			c := w.checkpoint()
			c.Feed.Epoch++
			p.Checkpoint = w.signed(c)
		}},
		{name: "a checkpoint signed by a stranger", code: "checkpoint-signature", is: evidence.ErrCheckpoint, change: func(w *world, p *feed.Proof) {
			p.Checkpoint = w.checkpoint().Note(w.line(w.checkpoint().Sign(stranger(t, key.Ed25519), noon)))
		}},
		{name: "a checkpoint signed by the addressee alone", code: "checkpoint-signature", is: evidence.ErrCheckpoint, change: func(w *world, p *feed.Proof) {
			p.Checkpoint = w.checkpoint().Note(w.receipt(w.checkpoint(), w.xs, noon))
		}},
		{name: "a checkpoint signed with the author's mirror key", code: "checkpoint-signature", is: evidence.ErrCheckpoint, change: func(w *world, p *feed.Proof) {
			p.Checkpoint = w.checkpoint().Note(w.line(w.checkpoint().Sign(w.xn.ring.Mirror, noon)))
		}},
		{name: "ML-DSA without Ed25519", code: "checkpoint-signature", is: evidence.ErrCheckpoint, change: func(w *world, p *feed.Proof) {
			p.Checkpoint = w.checkpoint().Note(w.line(w.checkpoint().Sign(w.xn.ring.CheckpointPQ, noon)))
		}},
		{name: "Ed25519 beside a false ML-DSA", code: "checkpoint-signature", is: evidence.ErrCheckpoint, change: func(w *world, p *feed.Proof) {
			c := w.checkpoint()
			p.Checkpoint = c.Note(w.line(c.Sign(w.xn.ring.Checkpoint, noon)) + flip(w.line(c.Sign(w.xn.ring.CheckpointPQ, noon))))
		}},
		{name: "a larger tree than was signed", code: "checkpoint-signature", is: evidence.ErrCheckpoint, change: func(_ *world, p *feed.Proof) {
			p.Checkpoint = strings.Replace(p.Checkpoint, "\n3\n", "\n4\n", 1)
		}},
		{name: "another place", code: "not-included", is: evidence.ErrIncluded, change: func(_ *world, p *feed.Proof) { p.Index = 0 }},
		{name: "beyond the tree", code: "not-included", is: evidence.ErrIncluded, change: func(_ *world, p *feed.Proof) { p.Index = 3 }},
		{name: "before the tree", code: "proof-shape", is: evidence.ErrShape, change: func(_ *world, p *feed.Proof) { p.Index = -1 }},
		{name: "a path with a false hash", code: "not-included", is: evidence.ErrIncluded, change: func(_ *world, p *feed.Proof) { p.Path[1][7] ^= 1 }},
		{name: "a path too short", code: "not-included", is: evidence.ErrIncluded, change: func(_ *world, p *feed.Proof) { p.Path = p.Path[:1] }},
		{name: "a statement that was never logged", code: "not-included", is: evidence.ErrIncluded, change: func(w *world, p *feed.Proof) {
			p.Statement = w.says(w.xn, nil)
		}},
		{name: "two approved charters of one version", code: "chain", is: evidence.ErrChain, change: func(w *world, p *feed.Proof) {
			before := *w.xn
			for range 2 {
				*w.xn = before
				w.xn.rotate(party.Withdrawal{}, "node/mirror")
				p.Charters = append(p.Charters, w.xn.chain.Latest().Bytes())
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.logs(w.says(w.xn, nil), w.says(w.xn, nil), w.says(w.xn, nil))
			p := w.proves(1)
			if test.change != nil {
				test.change(w, p)
			}
			if test.trusts == nil {
				test.trusts = both
			}
			refused(t, w.reader(test.trusts...), encoded(t, p), test.code, test.is, test.logged)
		})
	}
}

// refused checks a refusal in every form that a caller can see.
func refused(t *testing.T, r *evidence.Reader, file []byte, code string, is error, logged bool) *evidence.Verdict {
	t.Helper()
	v, err := r.Proof(file)
	var refusal *evidence.Refusal
	if !errors.As(err, &refusal) || refusal.Code() != code || is != nil && !errors.Is(err, is) {
		t.Fatalf("refused with %v, want %s (%v)", err, code, is)
	}
	if v == nil || v.Result != evidence.Refused || v.Reason != code || v.Detail == "" || v.Logged != logged {
		t.Errorf("verdict %+v", v)
	}
	return v
}

// The file itself is a stranger's bytes.
func TestFilesThatAreNoProof(t *testing.T) {
	w := newWorld(t)
	w.logs(w.says(w.xn, nil))
	good := encoded(t, w.proves(0))
	for _, test := range []struct {
		name string
		file []byte
		code string
	}{
		{"nothing", nil, "truncated"},
		{"an empty map", []byte{0xa0}, "proof-shape"},
		{"half of it", good[:len(good)/2], "truncated"},
		{"a byte more", append(good[:len(good):len(good)], 0), "trailing"},
		{"another type", []byte(strings.Replace(string(good), "detente-proof.v1", "detente-proof.v2", 1)), "proof-shape"},
		{"too large", make([]byte, 4<<20+1), "too-large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			refused(t, w.reader("xn", "xs"), test.file, test.code, nil, false)
		})
	}
}

// What is logged and invalid is refused for the reason that everybody marks it with; that it was said is proved all the same.
func TestLoggedButInvalid(t *testing.T) {
	for _, test := range []struct {
		name   string
		demand []key.Algorithm
		posts  []traffic.Post
		say    func(w *world) []byte
		code   string
	}{
		{name: "no statement at all", say: func(w *world) []byte { return []byte("hello") }, code: "shape"},
		{name: "another's statement", say: func(w *world) []byte { return w.says(w.xs, nil) }, code: judge.NotIssuer},
		{name: "another precedence", say: func(w *world) []byte {
			return w.says(w.xn, func(d *word) { d.Precedence = traffic.Routine })
		}, code: judge.WrongFeed},
		{name: "another plane", say: func(w *world) []byte { return w.says(w.xn, func(d *word) { d.Plane = traffic.Exercise }) }, code: judge.WrongFeed},
		{name: "a key of another plane", say: func(w *world) []byte {
			return w.says(w.xn, func(d *word) { d.signers = []key.Signer{w.xn.ring.Post("nrrc", traffic.Test)[0]} })
		}, code: judge.UnknownKey},
		{name: "a stranger's key", say: func(w *world) []byte {
			return w.says(w.xn, func(d *word) { d.signers = []key.Signer{stranger(t, key.Ed25519)} })
		}, code: judge.UnknownKey},
		{name: "a false signature", say: func(w *world) []byte {
			b := w.says(w.xn, nil)
			b[len(b)-1] ^= 1
			return b
		}, code: judge.BadSignature},
		{name: "a signature too few", demand: []key.Algorithm{key.Ed25519, key.MLDSA65}, say: func(w *world) []byte {
			return w.says(w.xn, func(d *word) {
				d.Issuer.Post = "mfa"
				d.signers = []key.Signer{w.xn.ring.Post("mfa", traffic.Real)[0]}
			})
		}, code: judge.SignaturesMissing},
		{name: "a post that may not speak", posts: []traffic.Post{"mfa"}, say: func(w *world) []byte { return w.says(w.xn, nil) }, code: judge.NotAllowedPost},
		{name: "a form that the regime does not hold", say: func(w *world) []byte {
			return w.says(w.xn, func(d *word) { d.Version = 7 })
		}, code: judge.UnknownForm},
		{name: "fields of another form", say: func(w *world) []byte {
			return w.says(w.xn, func(d *word) { d.payload = []byte{0xa0} })
		}, code: judge.BadPayload},
		{name: "one person where two are needed", say: func(w *world) []byte {
			w.feed.Precedence = traffic.Flash
			return w.says(w.xn, func(d *word) { d.Precedence = traffic.Flash })
		}, code: judge.NoReleaser},
		{name: "above the ceiling of the form", say: func(w *world) []byte {
			w.feed.Precedence = traffic.Flash
			return w.says(w.xn, func(d *word) { d.Form, d.fields, d.Precedence = "goodwill", `{"text": "Thank you."}`, traffic.Flash })
		}, code: judge.PrecedenceCeiling},
		{name: "to a stranger", say: func(w *world) []byte { return w.says(w.xn, func(d *word) { d.Audience = "xl" }) }, code: judge.WrongAudience},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.establish(party.Channel{Name: "nrrc", Signatures: test.demand, Posts: test.posts}, "xn", "xs")
			body := test.say(w)
			w.logs(body)
			v := refused(t, w.reader("xn", "xs"), encoded(t, w.proves(0)), test.code, evidence.ErrInvalid, true)
			if v.Level != "" {
				t.Errorf("level %s", v.Level)
			}
		})
	}
}

// A statement may name a charter that the reader cannot reach: then nothing of it can be told.
func TestCharterUnknown(t *testing.T) {
	w := newWorld(t)
	first := w.xn.charters()
	w.xn.rotate(party.Withdrawal{}, "post/nrrc/real")
	w.logs(w.says(w.xn, nil))
	p := w.proves(0)
	if v, err := w.reader("xn", "xs").Proof(encoded(t, p)); err != nil || v.RestsOn[0].Given != 1 || v.RestsOn[0].Known != 2 {
		t.Errorf("the file continues the trusted charter: %v, %+v", err, v.RestsOn)
	}
	p.Charters = first
	v := refused(t, w.reader("xn", "xs"), encoded(t, p), judge.CharterUnknown, evidence.ErrInvalid, false)
	if v.Compare != nil {
		t.Errorf("words to compare of a charter that is trusted: %+v", v.Compare)
	}
	// Another party of that name continues nothing; its words are shown for comparison.
	other := found(t, "xn")
	other.rotate(party.Withdrawal{}, "post/nrrc/real")
	p.Charters = other.charters()
	v = refused(t, w.reader("xn", "xs"), encoded(t, p), judge.CharterUnknown, evidence.ErrInvalid, false)
	if v.Compare == nil || v.Compare.Version != 2 || len(v.Compare.Words["en"]) != 16 {
		t.Errorf("compare %+v", v.Compare)
	}
}

// A key is withdrawn. What it signed before stays proved if the feed shows that it was before; a thief cannot show that.
func TestWithdrawnKeys(t *testing.T) {
	story := func(t *testing.T) (*world, *evidence.Reader) {
		w := newWorld(t)
		w.logs(w.says(w.xn, nil)) // 0: under version 1
		w.xn.rotate(party.Withdrawal{}, "node/bundle")
		w.logs(w.says(w.xn, nil)) // 1: under version 2, which still has the post's key
		w.xn.rotate(party.Withdrawal{Since: noon, Reason: "stolen"}, "post/nrrc/real")
		return w, w.reader("xn", "xs")
	}
	t.Run("nothing newer is shown", func(t *testing.T) {
		w, r := story(t)
		w.logs(w.says(w.xn, nil))
		refused(t, r, encoded(t, w.proves(0)), "withdrawn", evidence.ErrWithdrawn, true)
	})
	t.Run("nobody knows of the newer charter", func(t *testing.T) {
		w, r := story(t)
		p := w.proves(0)
		p.Charters = p.Charters[:2]
		if _, err := r.Proof(encoded(t, p)); err != nil {
			t.Error(err)
		}
	})
	t.Run("an entry under the newer charter follows", func(t *testing.T) {
		w, r := story(t)
		w.logs(w.says(w.xn, nil))
		p := w.proves(0)
		w.adopts(p, 2)
		v, err := r.Proof(encoded(t, p))
		if err != nil {
			t.Fatal(err)
		}
		if !hasNote(v.Notes, "Entry 2 of the feed names version 3") {
			t.Errorf("notes %q", v.Notes)
		}
	})
	t.Run("an entry follows under a charter that still has the key", func(t *testing.T) {
		w, r := story(t)
		p := w.proves(0)
		w.adopts(p, 1)
		refused(t, r, encoded(t, p), "withdrawn", evidence.ErrWithdrawn, true)
	})
	t.Run("the adoption stands before the statement", func(t *testing.T) {
		w, r := story(t)
		stolen := w.xn.chain
		w.logs(w.says(w.xn, nil)) // 2: under version 3
		w.xn.chain = w.xs.chain   // so that the next statement names version 1
		thief := w.says(w.xn, func(d *word) { d.signers = []key.Signer{w.key(t, stolen)} })
		w.xn.chain = stolen
		w.logs(thief) // 3: under version 1 again, which everybody who sees the feed marks as invalid
		p := w.proves(3)
		w.adopts(p, 2)
		refused(t, r, encoded(t, p), "withdrawn", evidence.ErrWithdrawn, true)
	})
	t.Run("the adoption is not signed as its charter demands", func(t *testing.T) {
		w, r := story(t)
		w.logs(w.says(w.xn, func(d *word) { d.signers = []key.Signer{stranger(t, key.Ed25519)} }))
		p := w.proves(0)
		w.adopts(p, 2)
		refused(t, r, encoded(t, p), "withdrawn", evidence.ErrWithdrawn, true)
	})
	t.Run("the adoption is not in the feed", func(t *testing.T) {
		w, r := story(t)
		w.logs(w.says(w.xn, nil))
		p := w.proves(0)
		w.adopts(p, 2)
		p.Adoptions[0].Statement = w.says(w.xn, nil)
		refused(t, r, encoded(t, p), "withdrawn", evidence.ErrWithdrawn, true)
	})
	t.Run("an adoption that is not needed does no harm", func(t *testing.T) {
		w, r := story(t)
		w.logs(w.says(w.xn, nil))
		p := w.proves(2)
		w.adopts(p, 1)
		if _, err := r.Proof(encoded(t, p)); err != nil {
			t.Error(err)
		}
	})
}

// key is the private key that the nrrc had under version 1.
func (w *world) key(t *testing.T, chain *party.Chain) key.Signer {
	t.Helper()
	first, _ := chain.At(1)
	ring, err := w.xn.ring.Under(first)
	if err != nil {
		t.Fatal(err)
	}
	return ring.Post("nrrc", traffic.Real)[0]
}

// The checkpoint too is judged by the charter that is in force where it ends.
func TestCheckpointKeysInForce(t *testing.T) {
	w := newWorld(t)
	w.logs(w.says(w.xn, nil))
	old := w.xn.ring
	early := w.proves(0)
	w.xn.rotate(party.Withdrawal{}, "node/checkpoint", "node/checkpoint-pq")
	w.logs(w.says(w.xn, nil))
	r := w.reader("xn", "xs")
	early.Charters = w.proves(0).Charters
	for name, p := range map[string]*feed.Proof{"the old key while it was in force": early, "the new key, over an older statement": w.proves(0)} {
		if _, err := r.Proof(encoded(t, p)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := w.checkpoint()
	p := w.proves(1)
	p.Checkpoint = c.Note(w.line(c.Sign(old.Checkpoint, noon)))
	refused(t, r, encoded(t, p), "checkpoint-signature", evidence.ErrCheckpoint, false)
}

// A thief has the keys of the post and of the checkpoints, and both are withdrawn. He logs a statement of his own and behind it a copy of a
// genuine entry under the newer charter, in a tree that only he signs.
func TestThiefCopiesAnAdoption(t *testing.T) {
	for _, test := range []struct {
		name string
		// The keys that the thief holds are taken out of the charter in these versions, one after the other.
		withdrawals []party.Withdrawal
		slots       [][]party.Slot
	}{
		{"all at once", []party.Withdrawal{{Since: noon, Reason: "stolen"}}, [][]party.Slot{{"post/nrrc/real", "node/checkpoint", "node/checkpoint-pq"}}},
		{"without saying why", []party.Withdrawal{{}}, [][]party.Slot{{"post/nrrc/real", "node/checkpoint", "node/checkpoint-pq"}}},
		{"first the post's, then the checkpoint's", []party.Withdrawal{{}, {Since: noon, Reason: "stolen"}},
			[][]party.Slot{{"post/nrrc/real"}, {"node/checkpoint", "node/checkpoint-pq"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			thief := w.other(t)
			stolen := w.xn.ring
			forged := w.says(w.xn, func(d *word) { d.fields = `{"subject": "information", "text": "We attack."}` })
			var genuine []byte
			for i, withdrawal := range test.withdrawals {
				w.xn.rotate(withdrawal, test.slots[i]...)
				if i == 0 {
					genuine = w.says(w.xn, nil)
				}
			}
			thief.logs(forged, genuine)
			p := thief.proves(0)
			thief.adopts(p, 1)
			p.Checkpoint = thief.checkpoint().Note(w.line(thief.checkpoint().Sign(stolen.Checkpoint, noon)))
			refused(t, w.reader("xn", "xs"), encoded(t, p), "withdrawn", evidence.ErrWithdrawn, true)

			// The same tree, signed by xn itself, would prove it.
			p.Checkpoint = w.signed(thief.checkpoint())
			if _, err := w.reader("xn", "xs").Proof(encoded(t, p)); err != nil {
				t.Error(err)
			}
		})
	}
}

// A mirror's key was stolen: its receipts from before the theft stand, those with a later time do not.
func TestWithdrawnMirrorKey(t *testing.T) {
	w := newWorld(t)
	w.logs(w.says(w.xn, nil))
	c := w.checkpoint()
	before, after := w.receipt(c, w.xs, noon.Add(-time.Hour)), w.receipt(c, w.xs, noon)
	w.xs.rotate(party.Withdrawal{Since: noon, Reason: "stolen"}, "node/mirror", "node/mirror-pq")
	r := w.reader("xn", "xs")
	for _, test := range []struct {
		name, receipt string
		level         evidence.Level
	}{
		{"before", before, evidence.E2},
		{"from then on", after, evidence.E1},
		{"with the new key", w.receipt(c, w.xs, noon.Add(time.Hour)), evidence.E2},
	} {
		p := w.proves(0)
		p.Checkpoint = w.signed(c) + test.receipt
		v, err := r.Proof(encoded(t, p))
		if err != nil || v.Level != test.level {
			t.Errorf("%s: %v, level %s, want %s", test.name, err, v.Level, test.level)
		}
	}
}

// Without the regime the fields are shown as they are, and the verdict says what it could not judge.
func TestWithoutTheRegime(t *testing.T) {
	w := newWorld(t)
	w.logs(w.says(w.xn, nil), w.says(w.xn, func(d *word) { d.Audience = "xl" }))
	r := w.reader("xn", "xs")
	r.Regimes = nil
	v, err := r.Proof(encoded(t, w.proves(0)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"subject": "information", "text": "A drill begins tomorrow."}
	if diff := cmp.Diff(any(want), v.Statement.Fields); diff != "" {
		t.Error(diff)
	}
	if !hasNote(v.Notes, "The regime of the channel (communications, version 1) is not at hand") {
		t.Errorf("notes %q", v.Notes)
	}
	refused(t, r, encoded(t, w.proves(1)), judge.WrongAudience, evidence.ErrInvalid, true)
}

func TestJSON(t *testing.T) {
	w := newWorld(t)
	w.logs(w.says(w.xn, nil))
	v, err := w.reader("xn", "xs").Proof(encoded(t, w.proves(0)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Verdict, Level string
		Statement      struct {
			Issuer, DTG, Issued string
			Fields              struct{ Text string }
		}
		Position struct{ Index, Size int64 }
		Receipts []struct {
			Party, At  string
			Algorithms []string
		}
		RestsOn []struct{ Party string } `json:"rests_on"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.Verdict != "proved" || m.Level != "E2" || m.Statement.Issuer != "xn/nrrc" || m.Statement.DTG != "231200Z NOV 26" ||
		m.Statement.Fields.Text != "A drill begins tomorrow." || m.Position.Size != 1 || m.Receipts[0].At != "2026-11-23T12:01:00Z" || len(m.RestsOn) != 2 {
		t.Errorf("%s", b)
	}
}
