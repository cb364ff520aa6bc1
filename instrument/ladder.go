package instrument

import (
	"time"

	"detente/sealing"
	"detente/statement"
	"detente/traffic"
	"detente/wording"
)

// Rung is how far an instrument has come.
type Rung string

// The rungs in their order, protocol.md#ladder. What stands on a rung has passed those before it, except that an instrument may be signed without
// conformity or initialling, and consented to without signature.
const (
	Opened     Rung = "opened"
	Tabled     Rung = "tabled"     // some party has taken a position
	AgreedText Rung = "agreed"     // every provision is agreed: there is a clean text
	Scrubbed   Rung = "scrubbed"   // a party's officer certifies that all languages of the clean text say the same
	Certified  Rung = "certified"  // one of each party does
	Initialled Rung = "initialled" // by all: the text is authentic, and is moved no more
	Signed     Rung = "signed"     // by all
	Consented  Rung = "consented"  // all have consented to be bound, and it is not yet in force
	InForce    Rung = "in-force"   // of a political instrument: in effect
	Suspended  Rung = "suspended"  // as a whole
	Ended      Rung = "ended"      // terminated, or its duration has run out
	Lapsed     Rung = "lapsed"     // the sealing round that was to bring it into force has failed
)

// Rungs lists the rungs in their order.
func Rungs() []Rung {
	return []Rung{Opened, Tabled, AgreedText, Scrubbed, Certified, Initialled, Signed, Consented, InForce, Suspended, Ended, Lapsed}
}

// Kinds of manifests that do something with an instrument, named by Regards, instead of being one.
const (
	KindRatification = "ratification" // all consent at one stroke
	KindTermination  = "termination"  // all are released at one stroke
)

// Manifest is a complete set of terms that parties initial and sign: package sealing says what is in it.
type Manifest struct {
	Hash      [32]byte
	Bytes     []byte
	Terms     *sealing.Manifest
	Statement statement.ID // that tabled it last
	By        traffic.Party
	At        time.Time
	Complete  bool // its text is the clean text, and was in its place
	Text      Text // as it was then
	// Unchecked tells that the text names no party, so that the digests of the originals could not be computed here.
	Unchecked bool
	// Sealed is what the evidence of a certificate says of the round about it.
	Sealed sealing.State
}

// Acts tells whether the manifest does something with another one of this negotiation.
func (n *Negotiation) Acts(m *Manifest) bool {
	return m.Terms.Regards != nil && n.ManifestOf(*m.Terms.Regards) != nil
}

// ManifestOf gives the manifest of that hash, nil if there is none.
func (n *Negotiation) ManifestOf(hash [32]byte) *Manifest {
	for _, m := range n.Manifests {
		if m.Hash == hash {
			return m
		}
	}
	return nil
}

// Powers are full powers as a statement gives them.
type Powers struct {
	Statement      statement.ID
	Party          traffic.Party
	Representative string // an office
	Post           traffic.Address
	May            []string
	Instrument     [32]byte // zero: all
	From, To       time.Time
	Authority      string
	Revoked        statement.ID // zero: not
}

// Note is one of the two notes of an exchange.
type Note struct {
	Second    bool
	Number    string
	By        traffic.Address
	Texts     wording.Texts
	Quotes    statement.ID
	Powers    statement.ID
	Statement statement.ID
	At        time.Time
}

// Step is a statement on the ladder that has effect.
type Step struct {
	Form      string   // conformity, initialling, signature, confirmation, consent, …
	Manifest  [32]byte // or the id of the first note of an exchange
	By        traffic.Address
	Manner    string       // of a signature or consent
	Powers    statement.ID // by which it was taken; zero where none are needed
	Regarding statement.ID // what it confirms, revokes, answers
	Decision  string       // accept or object
	Text      [32]byte     // digest of the text that is certified
	Full      bool         // a certificate compared all languages
	Provision string
	Texts     wording.Texts
	Ground    string
	From      time.Time // effect of a notice; until of an extension
	Provs     []string  // provisions suspended; none: all
	Statement statement.ID
	At        time.Time
	LapsedAt  time.Time // when the text was re-opened after it; zero: it was not
}

// Status is how an instrument stands on a date.
type Status struct {
	On       time.Time
	Rung     Rung
	Since    time.Time // when it came to stand there
	Legal    bool      // else political
	Manifest [32]byte  // by which it stands there, or the first note of an exchange; zero below initialled
	InForce  time.Time // when it enters or entered into force as things stand, zero if that is open
	Until    time.Time // when it ends as things stand; zero: no end is known
	Bound    []traffic.Party
	Parties  []PartyStatus // in the order of the opening
	// Suspended are provisions out of operation.
	Suspended []string
	// Suspenders are who have suspended it or provisions of it, in order: each may resume what it has suspended, and nothing else.
	Suspenders []traffic.Party
}

// PartyStatus is how far one party has come.
type PartyStatus struct {
	Party      traffic.Party
	Certified  time.Time
	Initialled time.Time
	Signed     time.Time
	Manner     string    // of the signature
	Confirmed  time.Time // of one ad referendum
	Consented  time.Time
	By         string    // manner of the consent: signature, ratification, seal, notes, …
	Leaves     time.Time // effect of its notice of termination
}
