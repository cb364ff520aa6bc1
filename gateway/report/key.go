package report

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// ErrKey says that a key cannot be used; the text says why.
var ErrKey = errors.New("report: the OpenPGP key")

// maxKey is the largest key that is read. Keys with many signatures of others grow without end.
const maxKey = 1 << 20

// Key is an OpenPGP key: of a team that is written to, or, with its secret part, the own one.
type Key struct{ entity *openpgp.Entity }

// ReadKey reads one key in its armour, and unlocks its secret part, if it has one, with a passphrase. Error: ErrKey.
func ReadKey(armoured, passphrase []byte) (*Key, error) {
	if len(armoured) > maxKey {
		return nil, fmt.Errorf("%w: %d bytes, over %d", ErrKey, len(armoured), maxKey)
	}
	list, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(armoured))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("%w: %d keys in one file", ErrKey, len(list))
	}
	e := list[0]
	if e.PrivateKey != nil {
		if err := e.DecryptPrivateKeys(passphrase); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
	}
	return &Key{entity: e}, nil
}

// Fingerprint is that of the primary key, in groups of four as it is printed.
func (k *Key) Fingerprint() string {
	s := strings.ToUpper(hex.EncodeToString(k.entity.PrimaryKey.Fingerprint))
	var groups []string
	for len(s) > 4 {
		groups, s = append(groups, s[:4]), s[4:]
	}
	return strings.Join(append(groups, s), " ")
}

// Addresses are the mail addresses that the key says are its owner's.
func (k *Key) Addresses() []string {
	var all []string
	for _, id := range k.entity.Identities {
		if id.UserId != nil && id.UserId.Email != "" {
			all = append(all, strings.ToLower(id.UserId.Email))
		}
	}
	return all
}

// Usable tells whether a message can be encrypted to the key now: it is neither expired nor withdrawn. Error: ErrKey.
func (k *Key) Usable(now time.Time) error {
	if _, ok := k.entity.EncryptionKey(now); !ok {
		return fmt.Errorf("%w %s: expired, withdrawn, or not for encryption", ErrKey, k.Fingerprint())
	}
	return nil
}

// settings are for what is written: SHA-512 where the recipient takes it, AES-256.
func settings(now time.Time) *packet.Config {
	return &packet.Config{DefaultHash: crypto.SHA512, DefaultCipher: packet.CipherAES256, DefaultCompressionAlgo: packet.CompressionNone, Time: func() time.Time { return now }}
}

// encrypt signs and encrypts, in one message of OpenPGP with armour.
func encrypt(body []byte, to, by *Key, now time.Time) ([]byte, error) {
	var b bytes.Buffer
	armour, err := armoured(&b, "PGP MESSAGE")
	if err != nil {
		return nil, err
	}
	w, err := openpgp.Encrypt(armour, []*openpgp.Entity{to.entity}, by.entity, &openpgp.FileHints{IsBinary: true}, settings(now))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if err := errors.Join(w.Close(), armour.Close()); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b.Bytes(), nil
}

// sign gives a signature over exact bytes.
func sign(body []byte, by *Key, now time.Time) ([]byte, error) {
	var b bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&b, by.entity, bytes.NewReader(body), settings(now)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return b.Bytes(), nil
}
