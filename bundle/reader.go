package bundle

import "encoding/binary"

// CBOR major types.
const (
	unsigned byte = iota
	_
	byteString
	textString
	array
	pairs
)

// reader walks bytes that canonical.Check has passed, so it never meets a lying length; it judges types and limits. The first thing wrong
// stays in err, and from then on everything read is zero.
type reader struct {
	b       []byte
	err     error
	entries int // entries that may still come
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// head reads the head of an item of the given type, and returns its argument, which must lie between least and most.
func (r *reader) head(major byte, least, most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	if len(r.b) == 0 || r.b[0]>>5 != major {
		r.fail(ErrShape)
		return 0
	}
	arg, n := uint64(r.b[0]&31), 1
	if arg >= 24 {
		width := 1 << (arg - 24)
		var wide [8]byte
		copy(wide[8-width:], r.b[1:1+width])
		arg, n = binary.BigEndian.Uint64(wide[:]), 1+width
	}
	r.b = r.b[n:]
	switch {
	case arg < least, arg > most && least == most: // a length that is prescribed is no limit
		r.fail(ErrShape)
		return 0
	case arg > most:
		r.fail(ErrLimit)
		return 0
	}
	return arg
}

func (r *reader) number(least, most int64) int64 {
	return int64(r.head(unsigned, uint64(least), uint64(most)))
}

func (r *reader) array(least, most int) int {
	return int(r.head(array, uint64(least), uint64(most)))
}

func (r *reader) pairs(least, most int) int {
	return int(r.head(pairs, uint64(least), uint64(most)))
}

func (r *reader) string(major byte, least, most int) []byte {
	n := r.head(major, uint64(least), uint64(most))
	if r.err != nil {
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

func (r *reader) bytes(most int) []byte { return r.string(byteString, 0, most) }
func (r *reader) text(most int) string  { return string(r.string(textString, 1, most)) }

func (r *reader) hash() (h [32]byte) {
	copy(h[:], r.string(byteString, len(h), len(h)))
	return h
}

// key reads a map key that must be this one: since keys are sorted, it is known which comes next.
func (r *reader) key(name string) {
	if string(r.string(textString, 0, MaxSealed)) != name {
		r.fail(ErrShape)
	}
}

// list reads a list of 1 to most elements. An element takes a byte at least, and those bytes are there.
func list[T any](r *reader, most int, one func() T) []T {
	n := r.array(1, most)
	if r.err != nil {
		return nil
	}
	out := make([]T, 0, n)
	for range n {
		out = append(out, one())
	}
	return out
}
