// Package evidence reads proof files and fork objects against the charters that its reader trusts, protocol.md#proof.
// It must never need a node, a database, a network or a clock: the same files give the same verdict to everyone, for ever.
//
// [Reader.Proof] follows the order of the protocol step by step; whoever audits it should begin there.
package evidence

import (
	"bytes"
	"time"

	"detente/form"
	"detente/key"
	"detente/party"
	"detente/traffic"
)

// Reader is whoever reads evidence. Its methods may be called at the same time.
type Reader struct {
	Registry key.Registry
	// Trusted are the charters whose words the reader has compared. Charters in a file count only if they continue one of these.
	Trusted map[traffic.Party]*party.Chain
	// Regimes are those at hand. Without the regime of a channel its statements are shown field by field, and what only the regime can
	// tell is not judged; the verdict says so.
	Regimes []*form.Regime
}

// Kind tells what a file claims to be: "proof", "fork", "case", "register", "charters", or "" for anything else. It proves nothing; it says whom to ask.
func Kind(b []byte) string {
	head := b[:min(len(b), 8<<10)] // in the order of keys, "type" stands behind a path of at most 64 hashes
	switch {
	case isCase(b):
		return "case"
	case isRegister(b):
		return "register"
	case bytes.HasPrefix(b, []byte("\x82\x73detente-charters.v1")):
		return "charters"
	case bytes.Contains(head, []byte("\x64type\x70detente-proof.v1")):
		return "proof"
	case bytes.Contains(head, []byte("\x64type\x6fdetente-fork.v1")):
		return "fork"
	}
	return ""
}

// The results of a verdict.
const (
	Proved  = "proved"
	Refused = "refused"
)

// Level is how much a proof proves, protocol.md#proof.
type Level string

// The levels. A file that proves less than E1 is refused.
const (
	E0 Level = "E0" // signed by its issuer
	E1 Level = "E1" // and logged in the issuer's feed
	E2 Level = "E2" // and held by every party it is addressed to
)

// Verdict is what a proof file shows, and what it rests on. Encoded in JSON it is what a script reads.
type Verdict struct {
	Result string `json:"verdict"` // Proved or Refused
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"` // the reason in words
	Level  Level  `json:"level,omitempty"`
	// Logged is true also for a refused statement, if the issuer's feed is proved to hold it: it was said, and is invalid.
	Logged    bool       `json:"logged"`
	Statement *Statement `json:"statement,omitempty"`
	Position  *Position  `json:"position,omitempty"`
	Receipts  []Receipt  `json:"receipts,omitempty"`
	Keys      []Key      `json:"keys,omitempty"`
	RestsOn   []Basis    `json:"rests_on,omitempty"`
	Compare   *Untrusted `json:"compare,omitempty"` // whose words must be compared before the file can prove anything
	Notes     []string   `json:"notes,omitempty"`   // above all, what the file does not show

	regime *form.Regime // nil when it is not at hand
	form   *form.Form   // nil when the regime is not at hand, or the fields do not fit
	values form.Values
	issuer traffic.Party
	others []traffic.Party // the other members of the channel
}

// Statement is the statement proved, as a verdict shows it.
type Statement struct {
	ID         string             `json:"id"` // hex, as all hashes here
	Issuer     string             `json:"issuer"`
	Audience   string             `json:"audience"`
	Channel    string             `json:"channel"`
	Form       string             `json:"form"`
	Version    int                `json:"form_version"`
	Precedence traffic.Precedence `json:"precedence"`
	Plane      traffic.Plane      `json:"plane"`
	Issued     time.Time          `json:"issued"` // by the issuer's clock
	DTG        string             `json:"dtg"`
	Dossier    string             `json:"dossier"` // its own id, if it opened one
	Refs       []string           `json:"refs,omitempty"`
	Language   string             `json:"language"`
	Marking    string             `json:"marking,omitempty"`
	Drafter    string             `json:"drafter"`
	Releaser   string             `json:"releaser,omitempty"`
	Charter    int                `json:"charter"`
	Fields     any                `json:"fields"` // as the form writes them in JSON, or byte strings in hex when it is not at hand

	raw any // the payload as it is
}

// Position is where the statement stands.
type Position struct {
	Feed  string `json:"feed"` // the origin of the feed's checkpoints
	Index int64  `json:"index"`
	Size  int64  `json:"size"` // of the checkpoint shown
	Root  string `json:"root"`
}

// Receipt says that a member had durably stored the feed, the statement in it, by a time, protocol.md#receipt.
type Receipt struct {
	Party      traffic.Party `json:"party"`
	At         time.Time     `json:"at"` // by the clock of that member; the earliest, where there are two
	Algorithms []string      `json:"algorithms"`
}

// Key is a key whose signature was verified.
type Key struct {
	Signed    string `json:"signed"` // "statement", "checkpoint", "receipt"
	Holder    string `json:"holder"` // party, or party/post
	Algorithm string `json:"algorithm"`
	ID        string `json:"id"`
	// Withdrawn is when the key was withdrawn because others may have had it, zero if it never was, protocol.md#charter.
	Withdrawn time.Time `json:"withdrawn,omitzero"`
}

// Basis is the charters of one party, on which the verdict rests.
type Basis struct {
	Party traffic.Party `json:"party"`
	Given int           `json:"given"` // the newest version that the reader gave
	Known int           `json:"known"` // the newest version that those and the file link together
	// Words is the fingerprint of the newest version given, by language: what the reader has compared with the party.
	Words map[string][]string `json:"words"`
}
