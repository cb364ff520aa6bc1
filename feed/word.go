package feed

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"detente/key"
	"detente/traffic"
)

// ErrWord is a text that is not signed by the party whose it claims to be.
var ErrWord = errors.New("feed: not a party's signed text")

// SignText makes the signed note of a text other than a checkpoint, protocol.md#view: one Ed25519 line under the text's first line as the key
// name. Its first line is never the origin of a feed, so no signature made here is one of a checkpoint.
func SignText(text string, s key.Signer) (note string, err error) {
	name, _, _ := strings.Cut(text, "\n")
	if _, err := traffic.ParseOrigin(name); err == nil || s.Public().Algorithm != key.Ed25519 {
		return "", fmt.Errorf("%w: %q is not a text to sign", ErrWord, name)
	}
	sig, err := s.Sign([]byte(text))
	if err != nil {
		return "", fmt.Errorf("feed: sign text: %w", err)
	}
	b := binary.BigEndian.AppendUint32(nil, keyHash(name, typeEd25519, s.Public().Bytes))
	return text + "\n— " + name + " " + base64.StdEncoding.EncodeToString(append(b, sig...)) + "\n", nil
}

// OpenText gives the text of a note of [SignText] and the key that signed it, one of the candidates that are the party itself. Error: ErrWord.
func OpenText(note string, keys ...Candidate) (text string, by key.ID, err error) {
	body, signature, found := strings.Cut(note, "\n\n")
	if len(note) > maxNote || !found || !utf8.ValidString(note) || strings.Count(signature, "\n") != 1 || !strings.HasSuffix(signature, "\n") {
		return "", by, fmt.Errorf("%w: not a text with one signature", ErrWord)
	}
	text = body + "\n"
	name, _, _ := strings.Cut(text, "\n")
	l, err := readLine(signature)
	if err != nil || l.name != name || len(l.signature) != ed25519.SignatureSize {
		return "", by, fmt.Errorf("%w: signature line", ErrWord)
	}
	i := slices.IndexFunc(keys, func(k Candidate) bool {
		return k.kind() == typeEd25519 && keyHash(name, typeEd25519, k.Key.Public().Bytes) == l.hash && k.Key.Verify([]byte(text), l.signature)
	})
	if i < 0 {
		return "", by, fmt.Errorf("%w: by no key that may sign it", ErrWord)
	}
	return text, keys[i].Key.ID(), nil
}
