package detente_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"
	"time"

	"detente/canonical"
	"detente/envelope"
	"detente/key"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

const statementContent = "application/vnd.detente.statement"

type statementVector struct {
	Vector
	Keys      []PublicKey     `json:"keys"`
	Statement Hex             `json:"statement"`
	Says      *statementValue `json:"says,omitempty"`
}

// statementValue is what a statement says, all of it.
type statementValue struct {
	ID         Hex     `json:"id"`
	Issuer     string  `json:"issuer"`
	Audience   string  `json:"audience"`
	IssuedAt   int64   `json:"issued-at"`
	Channel    Hex     `json:"channel"`
	Plane      string  `json:"plane"`
	Precedence string  `json:"precedence"`
	Form       string  `json:"form"`
	Version    int     `json:"version"`
	Dossier    Hex     `json:"dossier,omitempty"`
	Refs       []Hex   `json:"refs,omitempty"`
	Seen       []sight `json:"seen,omitempty"`
	SeenHash   Hex     `json:"seen-hash,omitempty"`
	Clock      int64   `json:"clock"`
	Language   string  `json:"language"`
	Marking    string  `json:"marking,omitempty"`
	Drafter    string  `json:"drafter"`
	Releaser   string  `json:"releaser,omitempty"`
	Charter    int     `json:"charter"`
	Payload    Hex     `json:"payload"`
}

type sight struct {
	Party      string `json:"party"`
	Precedence string `json:"precedence"`
	Epoch      int    `json:"epoch"`
	Size       int64  `json:"size"`
	Root       Hex    `json:"root"`
}

func says(s *statement.Statement) *statementValue {
	id := s.ID()
	v := &statementValue{
		ID: id[:], Issuer: s.Issuer.String(), Audience: s.Audience, IssuedAt: s.IssuedAt.Unix(), Channel: s.Channel[:], Plane: string(s.Plane),
		Precedence: string(s.Precedence), Form: s.Form, Version: s.Version, Clock: s.Clock, Language: s.Language, Marking: s.Marking,
		Drafter: s.Drafter, Releaser: s.Releaser, Charter: s.Charter, Payload: s.Payload,
	}
	if s.Dossier != (statement.ID{}) {
		v.Dossier = s.Dossier[:]
	}
	for _, r := range s.Refs {
		v.Refs = append(v.Refs, r[:])
	}
	for _, x := range s.Seen.Sights {
		v.Seen = append(v.Seen, sight{string(x.Party), string(x.Precedence), x.Epoch, x.Size, x.Root[:]})
	}
	if s.Seen.Hash != ([32]byte{}) {
		v.SeenHash = s.Seen.Hash[:]
	}
	return v
}

func TestVectorsStatements(t *testing.T) {
	runVectors(t, "statements.json", generateStatements, func(t testing.TB, v statementVector) error {
		s, err := statement.Decode(v.Statement)
		if err != nil {
			return err
		}
		if err := s.Verify(finder(t, v.Keys)); err != nil {
			return err
		}
		if diff := cmp.Diff(v.Says, says(s)); diff != "" {
			t.Error(diff)
		}
		return nil
	})
}

func generateStatements(t testing.TB) []statementVector {
	post, lattice := fixedKey(t, key.Ed25519, "xn/nrrc real"), fixedKey(t, key.MLDSA65, "xn/nrrc real ml-dsa-65")
	keys := []PublicKey{post.published()}
	payload := must(canonical.Marshal(map[string]any{"text": "Explain the traffic from your network.", "count": 3}))(t)
	opening := statement.Header{
		Issuer: traffic.Address{Party: "xn", Post: "nrrc"}, Audience: "xs/nrrc", IssuedAt: time.Unix(1795000000, 0),
		Channel: [32]byte(hashOf([]byte("channel"))), Plane: traffic.Real, Precedence: traffic.Immediate, Form: "inquiry", Version: 1,
		Clock: 1, Language: "en", Drafter: "duty-officer", Charter: 1,
	}
	var list []statementVector
	accepted := func(name, doc string, h statement.Header, payload []byte, signers ...fixedSigner) *statement.Statement {
		v := statementVector{Vector: Vector{name, doc, ""}}
		var as []key.Signer
		for _, s := range signers {
			v.Keys, as = append(v.Keys, s.published()), append(as, s)
		}
		s := must(statement.Sign(h, payload, as...))(t)
		v.Statement, v.Says = s.Bytes(), says(s)
		list = append(list, v)
		return s
	}
	first := accepted("opening", "Opens a dossier: only the fields that are always there.", opening, payload, post)

	reply := opening
	reply.Audience, reply.Precedence, reply.Plane, reply.Clock = "*", traffic.Flash, traffic.Exercise, 7
	reply.Dossier, reply.Refs, reply.Marking, reply.Releaser = first.ID(), []statement.ID{first.ID(), {1}}, "TLP:AMBER+STRICT", "deputy"
	sights := []statement.Sight{
		{Party: "xs", Precedence: traffic.Routine, Size: 300, Root: [32]byte{1}},
		{Party: "xs", Precedence: traffic.Flash, Epoch: 1, Size: 2, Root: [32]byte{2}},
		{Party: "xs", Precedence: traffic.Priority, Size: 0},
	}
	reply.Seen = must(statement.NewSeen(sights, 2))(t)
	accepted("every-field", "All fields; seen is a list because the channel has two members, sorted and without the empty feed.", reply, payload, post)
	reply.Seen = must(statement.NewSeen(append(sights, statement.Sight{Party: "xl", Precedence: traffic.Flash, Size: 1}), 3))(t)
	accepted("seen-of-three", "seen is a hash because the channel has three members.", reply, payload, post)
	accepted("two-algorithms", "Signed with Ed25519 and ML-DSA-65.", opening, payload, post, lattice)
	accepted("no-fields", "A form without fields: the payload is an empty map.", opening, []byte{0xa0}, post)
	accepted("payload-no-map", "The payload is one item and no map: that is the form's to refuse.", opening, []byte{1}, post)
	cyrillic := opening
	cyrillic.Issuer, cyrillic.Audience, cyrillic.Language = traffic.Address{Party: "xs", Post: "nrrc"}, "xn", "ru"
	accepted("russian", "Audience is a party as a whole; the text is Russian.", cyrillic,
		must(canonical.Marshal(map[string]any{"text": "Запрос получен."}))(t), post)
	latest := opening
	latest.IssuedAt, latest.Clock, latest.Version, latest.Charter = time.Unix(253402300799, 0), 1<<62, 1<<31, 1<<31
	accepted("large-numbers", "The last second of the year 9999, and numbers beyond 32 bits.", latest, payload, post)

	add := func(refuse, name, doc string, b []byte) {
		list = append(list, statementVector{Vector: Vector{name, doc, refuse}, Keys: keys, Statement: b})
	}
	claims := map[int]any{1: "xn/nrrc", 3: "xs/nrrc", 6: 1795000000}
	header := map[int]any{
		1: opening.Channel[:], 2: "real", 3: "O", 4: "inquiry", 5: 1, 9: 1, 10: "en", 12: "duty-officer", 14: 1,
	}
	sign := func(claims, header map[int]any, payload []byte) []byte {
		c := envelope.Contents{ContentType: statementContent, Payload: payload}
		if claims != nil {
			c.Claims = must(canonical.Marshal(claims))(t)
		}
		if header != nil {
			c.Header = must(canonical.Marshal(header))(t)
		}
		return must(envelope.Sign(c, post))(t)
	}
	if again := sign(claims, header, payload); !bytes.Equal(again, first.Bytes()) {
		t.Fatal("the pieces do not give the statement that the refused ones are made of")
	}
	with := func(m map[int]any, label int, v any) map[int]any {
		m = maps.Clone(m)
		if m[label] = v; v == nil {
			delete(m, label)
		}
		return m
	}
	for _, c := range []struct {
		name, doc string
		label     int
		value     any
	}{
		{"issuer-missing", "No issuer.", 1, nil},
		{"issuer-party", "The issuer is a party without a post.", 1, "xn"},
		{"issuer-upper-case", "The issuer is in upper case.", 1, "XN/nrrc"},
		{"issuer-two-slashes", "The issuer has a slash too many.", 1, "xn/nrrc/"},
		{"issuer-everyone", "The issuer is \"*\".", 1, "*"},
		{"issuer-long", "The issuer's post has 33 letters.", 1, "xn/" + strings.Repeat("a", 33)},
		{"audience-missing", "No audience.", 3, nil},
		{"audience-empty", "The audience is empty.", 3, ""},
		{"audience-array", "The audience is an array, which a CWT would allow.", 3, []string{"xs"}},
		{"time-missing", "No time.", 6, nil},
		{"time-negative", "A time before 1970.", 6, -1},
		{"time-10000", "The first second of the year 10000.", 6, 253402300800},
		{"time-text", "The time is text.", 6, "2026-11-23T00:00:00Z"},
		{"claim-unknown", "Claim 4 (expires) is not one of those listed.", 4, 1795000001},
	} {
		add("claims", c.name, c.doc, sign(with(claims, c.label, c.value), header, payload))
	}
	add("claims", "claims-missing", "No claims at all.", sign(nil, header, payload))
	add("header", "header-missing", "No header at all.", sign(claims, nil, payload))
	long := strings.Repeat("x", 129)
	ids := make([][]byte, 65)
	for i := range ids {
		ids[i] = hashOf([]byte{byte(i)})
	}
	root := make([]byte, 32)
	one, two := []any{"xs", "R", 0, 1, root}, []any{"xs", "Z", 0, 1, root}
	for _, c := range []struct {
		name, doc string
		label     int
		value     any
	}{
		{"channel-missing", "No channel.", 1, nil},
		{"channel-short", "A channel id of 31 bytes.", 1, opening.Channel[:31]},
		{"channel-long", "A channel id of 33 bytes.", 1, append(opening.Channel[:], 0)},
		{"channel-integers", "A channel id that is an array of integers.", 1, integers(opening.Channel[:])},
		{"plane-missing", "No plane.", 2, nil},
		{"plane-unknown", "A plane that there is not.", 2, "drill"},
		{"precedence-missing", "No precedence.", 3, nil},
		{"precedence-word", "The precedence is a word.", 3, "IMMEDIATE"},
		{"precedence-two", "Two precedences.", 3, "OP"},
		{"form-missing", "No form.", 4, nil},
		{"form-long", "A form id of 129 bytes.", 4, long},
		{"version-missing", "No form version.", 5, nil},
		{"version-zero", "Form version 0.", 5, 0},
		{"dossier-short", "A dossier id of 31 bytes.", 6, root[:31]},
		{"dossier-empty", "A dossier id of no bytes.", 6, []byte{}},
		{"dossier-zero", "A dossier id of zeros, which would read as \"opens one\".", 6, root},
		{"refs-empty", "An empty list of refs.", 7, []any{}},
		{"refs-65", "65 refs.", 7, ids},
		{"refs-short", "A ref of 31 bytes.", 7, [][]byte{root[:31]}},
		{"seen-empty", "An empty list of feeds seen.", 8, []any{}},
		{"seen-text", "seen is text.", 8, "xs"},
		{"seen-hash-short", "A seen hash of 31 bytes.", 8, root[:31]},
		{"seen-unsorted", "The feeds seen are not in the order of their encodings.", 8, []any{two, one}},
		{"seen-twice", "A feed seen twice.", 8, []any{one, one}},
		{"seen-size-zero", "A feed seen of size 0.", 8, []any{[]any{"xs", "R", 0, 0, root}}},
		{"seen-epoch-negative", "A feed seen of epoch -1.", 8, []any{[]any{"xs", "R", -1, 1, root}}},
		{"seen-epoch-large", "A feed seen of epoch 2^31.", 8, []any{[]any{"xs", "R", 1 << 31, 1, root}}},
		{"seen-precedence", "A feed seen of a precedence that there is not.", 8, []any{[]any{"xs", "X", 0, 1, root}}},
		{"seen-party", "A feed seen of a party whose id is not one.", 8, []any{[]any{"Xs", "R", 0, 1, root}}},
		{"seen-root-short", "A feed seen with a root of 31 bytes.", 8, []any{[]any{"xs", "R", 0, 1, root[:31]}}},
		{"clock-missing", "No clock.", 9, nil},
		{"clock-zero", "Clock 0.", 9, 0},
		{"clock-negative", "Clock -1.", 9, -1},
		{"language-missing", "No language.", 10, nil},
		{"language-empty", "An empty language.", 10, ""},
		{"marking-empty", "A marking that is there and empty.", 11, ""},
		{"drafter-missing", "No drafter.", 12, nil},
		{"drafter-long", "A drafter of 129 bytes.", 12, long},
		{"releaser-empty", "A releaser that is there and empty.", 13, ""},
		{"charter-missing", "No charter version.", 14, nil},
		{"charter-zero", "Charter version 0.", 14, 0},
		{"label-unknown", "Label 15 is not one of those listed.", 15, 1},
	} {
		add("header", c.name, c.doc, sign(claims, with(header, c.label, c.value), payload))
	}
	add("not-canonical", "payload-not-canonical", "The payload is an integer with a longer head than needed.", sign(claims, header, []byte{0x18, 1}))
	add("truncated", "payload-empty", "The payload is no item.", sign(claims, header, nil))
	add("trailing", "payload-two", "The payload is two items.", sign(claims, header, []byte{0xa0, 0xa0}))
	add("forbidden", "payload-float", "The payload holds a float.", sign(claims, header, []byte("\xa1\x61x\xf9\x3c\x00")))
	add("duplicate-key", "payload-duplicate", "A field is there twice.", sign(claims, header, []byte("\xa2\x61x\x01\x61x\x02")))
	add("text", "payload-text", "A field is not UTF-8.", sign(claims, header, []byte("\xa1\x61x\x61\xff")))
	add("content-type", "content-type", "An envelope of another content type.", must(envelope.Sign(envelope.Contents{
		ContentType: "application/vnd.detente.charter", Payload: payload,
	}, post))(t))

	full := sign(claims, header, payload)
	large := must(canonical.Marshal(map[string]any{"text": strings.Repeat("x", statement.MaxSize)}))(t)
	room := statement.MaxSize - (len(sign(claims, header, large)) - statement.MaxSize)
	large = must(canonical.Marshal(map[string]any{"text": strings.Repeat("x", room+1)}))(t)
	add("too-large", "too-large", "A byte over 48 KiB.", sign(claims, header, large))
	add("trailing", "trailing", "A byte follows the statement.", append(bytes.Clone(full), 0))
	add("bad-signature", "forged", "Another clock than the one signed.", bytes.Replace(full, []byte("\x09\x01\x0a"), []byte("\x09\x02\x0a"), 1))
	add("unknown-key", "other-post", "Signed by a key that is not the post's.", must(envelope.Sign(envelope.Contents{
		ContentType: statementContent, Claims: must(canonical.Marshal(claims))(t), Header: must(canonical.Marshal(header))(t), Payload: payload,
	}, fixedKey(t, key.Ed25519, "another")))(t))
	if n := len(list[len(list)-4].Statement); n != statement.MaxSize+1 {
		t.Fatalf("the large statement has %d bytes", n)
	}
	return list
}
