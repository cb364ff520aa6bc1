package detente_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"detente/canonical"
)

type canonicalVector struct {
	Vector
	CBOR  Hex `json:"cbor"`
	Limit int `json:"limit"`
}

func TestVectorsCanonical(t *testing.T) {
	runVectors(t, "canonical.json", func(t testing.TB) []canonicalVector {
		var list []canonicalVector
		add := func(refuse, name, cbor, doc string) {
			b, err := hex.DecodeString(strings.ReplaceAll(cbor, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, canonicalVector{Vector{name, doc, refuse}, b, 64})
		}
		add("", "zero", "00", "The integer 0.")
		add("", "23", "17", "The largest integer in the initial byte.")
		add("", "24", "18 18", "The smallest integer in one byte more.")
		add("", "256", "19 0100", "The smallest integer in two bytes more.")
		add("", "65536", "1a 00010000", "The smallest integer in four bytes more.")
		add("", "2^32", "1b 0000000100000000", "The smallest integer in eight bytes more.")
		add("", "max-int64", "1b 7fffffffffffffff", "The largest integer that fits 64 bits signed.")
		add("", "min-int64", "3b 7fffffffffffffff", "The smallest integer that fits 64 bits signed.")
		add("", "empty-bytes", "40", "A byte string of no bytes.")
		add("", "empty-text", "60", "A text of no bytes.")
		add("", "text-cyrillic", "6c d09fd180d0b8d0b2d0b5d182", "A text in UTF-8.")
		add("", "array", "83 01 4161 6161", "An array of an integer, bytes and text.")
		add("", "map-order", "a3 02 00 20 00 61 61 00", "Keys stand in the bytewise order of their encodings: 2, -1, \"a\".")
		add("", "map-order-length", "a2 62 6161 00 63 616161 00", "A shorter text key stands before a longer one.")
		add("", "booleans", "82 f4 f5", "false and true.")
		add("", "depth-16", strings.Repeat("81", 16)+"00", "An integer inside sixteen arrays: the outermost item is at depth 0, this one at depth 16.")
		add("", "depth-16-empty", strings.Repeat("81", 16)+"80", "An empty array at depth 16.")

		add("too-large", "too-large", "58 3f"+strings.Repeat("00", 63), "65 bytes where 64 are the limit.")
		add("truncated", "empty", "", "No bytes at all.")
		add("truncated", "truncated-head", "19 01", "The bytes end inside a head.")
		add("truncated", "truncated-bytes", "42 00", "The bytes end inside a byte string.")
		add("truncated", "truncated-text", "62 61", "The bytes end inside a text.")
		add("truncated", "truncated-array", "82 00", "An array has an element less than its head says.")
		add("truncated", "truncated-map", "a1 00", "A map ends after a key.")
		add("truncated", "truncated-huge-count", "9b 7fffffffffffffff 00", "An array claims 2^63-1 elements: nothing may be allocated for them.")
		add("truncated", "truncated-huge-bytes", "5b 7fffffffffffffff 00", "A byte string claims 2^63-1 bytes.")
		add("trailing", "trailing", "00 00", "A byte follows the item.")
		add("not-canonical", "long-integer", "18 17", "23 in two bytes.")
		add("not-canonical", "long-integer-2", "19 00ff", "255 in three bytes.")
		add("not-canonical", "long-integer-4", "1a 0000ffff", "65535 in five bytes.")
		add("not-canonical", "long-integer-8", "1b 00000000ffffffff", "2^32-1 in nine bytes.")
		add("not-canonical", "long-length", "58 01 00", "The length of a byte string in two bytes where one is enough.")
		add("not-canonical", "long-count", "98 01 00", "The count of an array in two bytes where one is enough.")
		add("not-canonical", "indefinite-bytes", "5f 41 00 ff", "A byte string of indefinite length.")
		add("not-canonical", "indefinite-text", "7f 61 61 ff", "A text of indefinite length.")
		add("not-canonical", "indefinite-array", "9f 00 ff", "An array of indefinite length.")
		add("not-canonical", "indefinite-map", "bf 00 00 ff", "A map of indefinite length.")
		add("not-canonical", "reserved-head", "1c", "A head with the reserved additional information 28.")
		add("not-canonical", "break", "ff", "A break outside of any item.")
		add("not-canonical", "keys-out-of-order", "a2 02 00 01 00", "Keys 2, 1.")
		add("not-canonical", "keys-order-rfc7049", "a2 20 00 18 18 00", "Keys -1, 24: the order of the older RFC 7049, by length first.")
		add("not-canonical", "keys-again-later", "a3 01 00 02 00 01 00", "Keys 1, 2, 1: the first that breaks the order is named, not the repetition.")
		add("duplicate-key", "duplicate-key", "a2 01 00 01 01", "Keys 1, 1.")
		add("duplicate-key", "duplicate-text-key", "a2 61 61 00 61 61 00", "Keys \"a\", \"a\".")
		add("forbidden", "null", "f6", "null.")
		add("forbidden", "undefined", "f7", "undefined.")
		add("forbidden", "simple", "e0", "The simple value 0.")
		add("forbidden", "simple-32", "f8 20", "The simple value 32.")
		add("forbidden", "float16", "f9 0000", "A float of 16 bits.")
		add("forbidden", "float32", "fa 3f800000", "A float of 32 bits.")
		add("forbidden", "float64", "fb 3ff0000000000000", "A float of 64 bits.")
		add("forbidden", "tag", "c1 00", "A tag.")
		add("forbidden", "nested-null", "81 f6", "null inside an array.")
		add("forbidden", "2^63", "1b 8000000000000000", "An integer that does not fit 64 bits signed.")
		add("forbidden", "minus-2^63-1", "3b 8000000000000000", "A negative integer that does not fit 64 bits signed.")
		add("forbidden", "bytes-key", "a1 41 61 00", "A map key that is a byte string.")
		add("forbidden", "array-key", "a1 80 00", "A map key that is an array.")
		add("forbidden", "bool-key", "a1 f4 00", "A map key that is false.")
		add("depth", "depth-17", strings.Repeat("81", 17)+"00", "An integer inside seventeen arrays, at depth 17.")
		add("depth", "depth-17-map", strings.Repeat("a100", 17)+"00", "An integer inside seventeen maps, at depth 17.")
		add("text", "text-latin1", "61 e9", "A text in Latin-1.")
		add("text", "text-surrogate", "63 eda080", "A text that holds half a surrogate pair.")
		add("text", "text-overlong", "62 c080", "A text with an overlong encoding of U+0000.")
		add("text", "text-key", "a1 61 ff 00", "A map key that is not UTF-8.")
		return list
	}, func(t testing.TB, v canonicalVector) error {
		err := canonical.Check(v.CBOR, v.Limit)
		if err != nil {
			return err
		}
		var item any
		if err := canonical.Unmarshal(v.CBOR, &item, math.MaxInt); err != nil {
			t.Errorf("checked but not decoded: %v", err)
		}
		if again := must(canonical.Marshal(item))(t); !bytes.Equal(again, v.CBOR) {
			t.Errorf("encodes again to %x", again)
		}
		return nil
	})
}
