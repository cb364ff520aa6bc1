// Package canonical is the one byte encoding of everything that is signed: CBOR in core deterministic encoding.
// It must never accept bytes that it would not have written itself, so that one record has one hash.
package canonical

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// What a decoder refuses, protocol.md#canonical.
var (
	ErrTooLarge     = errors.New("canonical: too large")
	ErrTruncated    = errors.New("canonical: truncated")
	ErrTrailing     = errors.New("canonical: bytes follow the item")
	ErrNotCanonical = errors.New("canonical: not in deterministic encoding")
	ErrDuplicateKey = errors.New("canonical: duplicate map key")
	ErrForbidden    = errors.New("canonical: forbidden type")
	ErrDepth        = errors.New("canonical: nested too deep")
	ErrText         = errors.New("canonical: text is not UTF-8")
	ErrShape        = errors.New("canonical: not of the expected shape")
)

const (
	maxDepth = 16
	// maxItems bounds what a decoder builds: four megabytes of empty maps would otherwise take a hundred times their size.
	maxItems = 1 << 18
)

// modes holds the two settings of the CBOR library.
type modes struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

// The two modes are constants in all but syntax: built from literals that cannot fail, never changed.
var fixed = func() modes {
	enc, err := cbor.EncOptions{
		Sort:          cbor.SortCoreDeterministic,
		IndefLength:   cbor.IndefLengthForbidden,
		NilContainers: cbor.NilContainerAsEmpty,
	}.EncMode()
	if err != nil {
		panic(err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		IntDec:            cbor.IntDecConvertSignedOrFail,
		MaxNestedLevels:   maxDepth + 1,
		MaxArrayElements:  maxItems,
		MaxMapPairs:       maxItems,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return modes{enc, dec}
}()

// Marshal gives the one encoding of v. Byte slices are byte strings, structs with the tag option keyasint or text keys are maps; a nil slice or
// map is an empty one. What [Check] would refuse in the result is refused here with the same error.
func Marshal(v any) ([]byte, error) {
	b, err := fixed.enc.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canonical: encode: %w", err)
	}
	if err := Check(b, len(b)); err != nil {
		return nil, err
	}
	return b, nil
}

// AppendBytes appends the encoding of a byte string.
func AppendBytes(to, s []byte) []byte {
	const byteString = 2 << 5
	switch n := len(s); {
	case n < 24:
		to = append(to, byteString|byte(n))
	case n < 1<<8:
		to = append(to, byteString|24, byte(n))
	case n < 1<<16:
		to = binary.BigEndian.AppendUint16(append(to, byteString|25), uint16(n))
	case n < 1<<32:
		to = binary.BigEndian.AppendUint32(append(to, byteString|26), uint32(n))
	default:
		to = binary.BigEndian.AppendUint64(append(to, byteString|27), uint64(n))
	}
	return append(to, s...)
}

// Unmarshal decodes b, at most limit bytes, into v, after [Check]. ErrShape means that b is not what v would be encoded as: an unknown or a
// missing key, a value of another type or length, an optional field that is there and empty.
//
// The library alone would cut a byte string that is longer than a Go array, take an array of integers for bytes, and leave absent fields
// zero. Each gives a second spelling of one record, so the decoded value is encoded again and must give b.
func Unmarshal(b []byte, v any, limit int) error {
	if err := Check(b, limit); err != nil {
		return err
	}
	if err := fixed.dec.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %v", ErrShape, err)
	}
	same := expect(b)
	if err := fixed.enc.NewEncoder(&same).Encode(v); err != nil || len(same) > 0 {
		return fmt.Errorf("%w: not the encoding of its contents", ErrShape)
	}
	return nil
}

// expect is a writer that fails unless it is given exactly its own bytes; what it has not been given is left in it.
type expect []byte

func (e *expect) Write(p []byte) (int, error) {
	rest, ok := bytes.CutPrefix(*e, p)
	if !ok {
		return 0, ErrShape
	}
	*e = rest
	return len(p), nil
}

// Check tells whether b is exactly one canonical item of at most limit bytes, without tags. It allocates nothing, so that a stranger's
// bytes cost nothing before they are known to be well formed.
func Check(b []byte, limit int) error {
	if len(b) > limit {
		return ErrTooLarge
	}
	left := maxItems
	n, err := item(b, 0, &left)
	if err != nil {
		return err
	}
	if n != len(b) {
		return ErrTrailing
	}
	return nil
}

// head reads the initial byte and argument of an item.
func head(b []byte) (major byte, arg uint64, n int, err error) {
	if len(b) == 0 {
		return 0, 0, 0, ErrTruncated
	}
	major, info := b[0]>>5, b[0]&31
	switch {
	case info < 24:
		return major, uint64(info), 1, nil
	case info > 27:
		return 0, 0, 0, ErrNotCanonical
	}
	n = 1 << (info - 24)
	if len(b) < 1+n {
		return 0, 0, 0, ErrTruncated
	}
	for _, c := range b[1 : 1+n] {
		arg = arg<<8 | uint64(c)
	}
	if major == 7 {
		return major, uint64(info), 1 + n, nil // a float or an extended simple value; the caller forbids both
	}
	least := [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24]
	if arg < least {
		return 0, 0, 0, ErrNotCanonical
	}
	return major, arg, 1 + n, nil
}

// item returns the length of the item at the start of b, and takes it and all within it off the items left.
func item(b []byte, depth int, left *int) (int, error) {
	if *left--; *left < 0 {
		return 0, ErrTooLarge
	}
	if depth > maxDepth {
		return 0, ErrDepth
	}
	major, arg, n, err := head(b)
	if err != nil {
		return 0, err
	}
	switch major {
	case 0, 1:
		if arg > 1<<63-1 {
			return 0, ErrForbidden
		}
		return n, nil
	case 2, 3:
		if arg > uint64(len(b)-n) {
			return 0, ErrTruncated
		}
		end := n + int(arg)
		if major == 3 && !utf8.Valid(b[n:end]) {
			return 0, ErrText
		}
		return end, nil
	case 4:
		for ; arg > 0; arg-- { // each element takes a byte or fails, so a false count costs nothing
			m, err := item(b[n:], depth+1, left)
			if err != nil {
				return 0, err
			}
			n += m
		}
		return n, nil
	case 5:
		return entries(b, n, arg, depth, left)
	case 7:
		if n == 1 && (arg == 20 || arg == 21) {
			return n, nil
		}
	}
	return 0, ErrForbidden
}

// entries returns the end of a map of count pairs whose first key stands at n; the keys must ascend bytewise.
func entries(b []byte, n int, count uint64, depth int, left *int) (int, error) {
	var last []byte
	for ; count > 0; count-- {
		m, err := item(b[n:], depth+1, left)
		if err != nil {
			return 0, err
		}
		k := b[n : n+m]
		if kind := k[0] >> 5; kind > 3 || kind == 2 {
			return 0, ErrForbidden
		}
		if last != nil {
			switch c := bytes.Compare(last, k); {
			case c == 0:
				return 0, ErrDuplicateKey
			case c > 0:
				return 0, ErrNotCanonical
			}
		}
		last, n = k, n+m
		if m, err = item(b[n:], depth+1, left); err != nil {
			return 0, err
		}
		n += m
	}
	return n, nil
}
