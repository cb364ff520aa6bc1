package evidence

import (
	"errors"
	"fmt"
	"strings"

	"detente/canonical"
	"detente/envelope"
	"detente/feed"
	"detente/key"
	"detente/party"
	"detente/statement"
	"detente/traffic"
)

// Why evidence is refused, beside the errors of the packages that decode its parts and the reasons of package judge. Each comes wrapped in a
// [Refusal].
var (
	ErrUntrusted  = errors.New("evidence: no trusted charter says who this party is")
	ErrWrongFeed  = errors.New("evidence: the channel's charter and the feed do not belong together")
	ErrOrigin     = errors.New("evidence: checkpoint of another feed")
	ErrCheckpoint = errors.New("evidence: checkpoint is not signed by the issuer's key in force")
	ErrIncluded   = errors.New("evidence: the statement is not in the checkpoint's tree")
	ErrWithdrawn  = errors.New("evidence: a key that signed was withdrawn, and it is not shown that the statement is older")
	ErrInvalid    = errors.New("evidence: the statement is invalid")
	ErrShape      = errors.New("evidence: not a proof file or fork object")
	ErrNoFork     = errors.New("evidence: the two checkpoints do not contradict each other")
	ErrChain      = errors.New("evidence: a party has approved two charters of one version")
)

// Refusal is why a file proves nothing. Every error of [Reader] is one.
type Refusal struct {
	code string
	err  error
}

func (r *Refusal) Error() string { return r.err.Error() }

func (r *Refusal) Unwrap() error { return r.err }

// Code is the reason in one word: of protocol.md#canonical or protocol.md#held, or one of untrusted, chain, wrong-feed, origin,
// checkpoint-signature, not-included, withdrawn, proof-shape, channel, charter, not-approved, note, no-fork, case-shape, seal, order, wrong-dossier, standing,
// state, register-shape, edition, list, tampered, or what an envelope or a
// statement was refused for. The published vectors use the same words.
func (r *Refusal) Code() string { return r.code }

// Untrusted says whose charter nobody has vouched for.
type Untrusted struct {
	Party   traffic.Party       `json:"party"`
	Version int                 `json:"version,omitempty"` // of the newest charter in the file; 0 when there is none
	Words   map[string][]string `json:"words,omitempty"`   // its fingerprint, by language: what the party must be asked to say
}

func (u *Untrusted) Error() string {
	if u.Version == 0 {
		return u.brief()
	}
	return u.brief() + "; ask " + string(u.Party) + " by another way whether its words are: " + strings.Join(u.Words["en"], " ")
}

// brief is the error without the words.
func (u *Untrusted) brief() string {
	if u.Version == 0 {
		return fmt.Sprintf("%v: you gave no charter of %s, and the file has none", ErrUntrusted, u.Party)
	}
	return fmt.Sprintf("%v: no charter that you gave is continued by the file's charter of %s, version %d", ErrUntrusted, u.Party, u.Version)
}

func (u *Untrusted) Unwrap() error { return ErrUntrusted }

func untrusted(p traffic.Party, c *party.Charter) *Untrusted {
	u := &Untrusted{Party: p}
	if c == nil {
		return u
	}
	u.Version, u.Words = c.Version, fingerprint(c)
	return u
}

// fingerprint is the words of a charter, by language.
func fingerprint(c *party.Charter) map[string][]string {
	words := make(map[string][]string)
	for _, lang := range party.Languages() {
		if w, err := c.Fingerprint().Words(lang); err == nil {
			words[lang] = w
		}
	}
	return words
}

// explain takes an error apart for a verdict: its code, its text for people, and whose words to compare.
func explain(err error, compare *Untrusted) (code, detail string, u *Untrusted) {
	detail = err.Error()
	if r := (*Refusal)(nil); errors.As(err, &r) {
		code = r.code
	}
	if errors.As(err, &compare) {
		detail = compare.brief()
	}
	return code, strings.TrimPrefix(detail, "evidence: "), compare
}

// decoding refuses a part of a file that is not what it should be: for the reason that its decoder names, or else with the code of the part.
func decoding(part string, err error) *Refusal {
	for _, r := range [...]struct {
		err  error
		code string
	}{
		{statement.ErrClaims, "claims"},
		{statement.ErrHeader, "header"},
		{envelope.ErrUnknownHeader, "unknown-header"},
		{envelope.ErrContentType, "content-type"},
		{envelope.ErrSignatureSet, "signature-set"},
		{envelope.ErrUnknownKey, "unknown-key"},
		{envelope.ErrBadSignature, "bad-signature"},
		{envelope.ErrShape, "shape"},
		{party.ErrNotApproved, "not-approved"},
		{key.ErrUnknownAlgorithm, "unknown-algorithm"},
		{key.ErrMalformed, "malformed-key"},
		{canonical.ErrTooLarge, "too-large"},
		{canonical.ErrTruncated, "truncated"},
		{canonical.ErrTrailing, "trailing"},
		{canonical.ErrNotCanonical, "not-canonical"},
		{canonical.ErrDuplicateKey, "duplicate-key"},
		{canonical.ErrForbidden, "forbidden"},
		{canonical.ErrDepth, "depth"},
		{canonical.ErrText, "text"},
		{feed.ErrNote, "note"},
		{ErrCaseShape, "case-shape"},
		{ErrRegisterShape, "register-shape"},
	} {
		if errors.Is(err, r.err) {
			return &Refusal{r.code, err}
		}
	}
	return &Refusal{part, err}
}
