package dossier

import (
	"crypto/sha256"

	"detente/canonical"
	"detente/statement"
)

// essence is what of a state both sides must agree on, in the encoding that is hashed.
type essence struct {
	_       struct{} `cbor:",toarray"`
	Type    string
	ID      statement.ID
	Channel [32]byte
	Plane   string
	Opened  bool
	Entries []essentials
}

type essentials struct {
	_                                            struct{} `cbor:",toarray"`
	ID                                           statement.ID
	Standing                                     string
	Why                                          string
	Acknowledged, Answered, Corrected, Cancelled statement.ID
	AwaitsAcknowledgement, AwaitsAnswer          bool
}

// digest is the SHA-256 of the state's essentials in canonical CBOR.
func (s *State) digest() [32]byte {
	x := essence{Type: "detente-dossier.v1", ID: s.ID, Channel: s.Channel, Plane: string(s.Plane), Opened: s.Opened}
	for _, e := range s.Entries {
		x.Entries = append(x.Entries, essentials{
			ID: e.Statement.ID(), Standing: string(e.Standing), Why: e.Why,
			Acknowledged: e.AcknowledgedBy, Answered: e.AnsweredBy, Corrected: e.CorrectedBy, Cancelled: e.CancelledBy,
			AwaitsAcknowledgement: e.AwaitsAcknowledgement, AwaitsAnswer: e.AwaitsAnswer,
		})
	}
	b, err := canonical.Marshal(x)
	if err != nil {
		return [32]byte{} // unreachable: texts, hashes and truth values always encode
	}
	return sha256.Sum256(b)
}
