package bundle

import (
	"crypto/hpke"
	"fmt"

	"detente/traffic"
)

// NewRecipient reads a party's sealing key as its charter has it. Error: ErrShape.
func NewRecipient(p traffic.Party, public []byte) (Recipient, error) {
	k, err := hpke.MLKEM768X25519().NewPublicKey(public)
	if err != nil {
		return Recipient{}, fmt.Errorf("%w: sealing key of %s", ErrShape, p)
	}
	return Recipient{Party: p, Key: k}, nil
}
