package canonical

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Reader walks an item whose shape is known beforehand, without making anything of the parts that are not asked for. The first thing that is
// not as asked for makes the whole ErrShape, and from then on everything read is zero. What it returns aliases the bytes that are read.
//
// It is for records that come by the thousand: [Unmarshal] says the same of them, and costs several times as much.
type Reader struct {
	b     []byte
	pairs int // of the map that is being read, those that may still come
	err   error
}

// Read calls walk for b, at most limit bytes, after [Check]. ErrShape means that b is not what walk asked for, or more than that.
func Read(b []byte, limit int, walk func(*Reader)) error {
	if err := Check(b, limit); err != nil {
		return err
	}
	r := Reader{b: b}
	if walk(&r); len(r.b) > 0 || r.pairs > 0 {
		r.fail("more than was expected")
	}
	return r.err
}

func (r *Reader) fail(why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrShape, why)
	}
	r.b, r.pairs = nil, 0
}

// head reads the head of an item of one of two major types. Check has seen that the bytes are there.
func (r *Reader) head(major, or byte) (is byte, arg uint64) {
	if len(r.b) == 0 || r.b[0]>>5 != major && r.b[0]>>5 != or {
		r.fail("another type")
		return major, 0
	}
	is, arg = r.b[0]>>5, uint64(r.b[0]&31)
	n := 1
	if arg >= 24 {
		var wide [8]byte
		n += 1 << (arg - 24)
		copy(wide[8-(n-1):], r.b[1:n])
		arg = binary.BigEndian.Uint64(wide[:])
	}
	r.b = r.b[n:]
	return is, arg
}

// Int reads an integer.
func (r *Reader) Int() int64 {
	major, arg := r.head(0, 1)
	if major == 1 {
		return -1 - int64(arg)
	}
	return int64(arg)
}

// Count reads an integer that an int can hold.
func (r *Reader) Count() int {
	n := r.Int()
	if int64(int(n)) != n {
		r.fail("a number that is too large")
		return 0
	}
	return int(n)
}

// Bytes reads a byte string; it is nil only after something went wrong.
func (r *Reader) Bytes() []byte { return r.string(2) }

// Text reads a text.
func (r *Reader) Text() string { return string(r.string(3)) }

func (r *Reader) string(major byte) []byte {
	_, n := r.head(major, major)
	if r.err != nil {
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

// Fill reads a byte string that is exactly as long as to.
func (r *Reader) Fill(to []byte) {
	if s := r.Bytes(); len(s) == len(to) {
		copy(to, s)
		return
	}
	r.fail("another length")
}

// Raw reads whatever item comes, as it stands.
func (r *Reader) Raw() []byte {
	left := maxItems
	n, err := item(r.b, 0, &left)
	if err != nil {
		r.fail("nothing is left")
		return nil
	}
	raw := r.b[:n:n]
	r.b = r.b[n:]
	return raw
}

// Array reads the head of an array and returns how many elements come next; each takes a byte at least, and those are there.
func (r *Reader) Array() int {
	_, n := r.head(4, 4)
	return int(n)
}

// Tuple reads the head of an array of exactly n elements.
func (r *Reader) Tuple(n int) {
	if r.Array() != n {
		r.fail("another number of elements")
	}
}

// NotEmpty refuses the length 0: what is optional and empty must be left out.
func (r *Reader) NotEmpty(n int) int {
	if n == 0 {
		r.fail("there, and empty")
	}
	return n
}

// Empty reads a map without entries.
func (r *Reader) Empty() {
	if _, n := r.head(5, 5); n > 0 {
		r.fail("a map that is not empty")
	}
}

// Map reads the head of a map of integer keys. Its entries are read by Key and Has in ascending order of the encoded keys, and they must be
// all, before anything else is; no such map stands within another.
func (r *Reader) Map() {
	_, n := r.head(5, 5)
	r.pairs = int(n)
}

// Key reads the key of an entry that must come next.
func (r *Reader) Key(k int64) {
	if !r.Has(k) {
		r.fail("a key is missing")
	}
}

// Has reads the key of an entry if it comes next.
func (r *Reader) Has(k int64) bool {
	if r.pairs == 0 {
		return false
	}
	at := r.b
	if major := at[0] >> 5; major > 1 || r.Int() != k {
		r.b = at
		return false
	}
	r.pairs--
	return true
}

// Fields decodes a map with text keys, at most limit bytes. Its values are int64, bool, string, []byte, []any, and map[string]any of the same;
// byte strings are copies. Errors: those of [Check]; ErrShape for what is no map, or has a key that is no text, however deep.
func Fields(b []byte, limit int) (m map[string]any, err error) {
	err = Read(b, limit, func(r *Reader) { m = r.fields() })
	return m, err
}

func (r *Reader) fields() map[string]any {
	_, n := r.head(5, 5)
	m := make(map[string]any, n)
	for ; n > 0 && r.err == nil; n-- {
		key := r.Text()
		m[key] = r.value()
	}
	return m
}

func (r *Reader) value() any {
	if len(r.b) == 0 {
		r.fail("nothing is left")
		return nil
	}
	switch r.b[0] >> 5 {
	case 0, 1:
		return r.Int()
	case 2:
		return bytes.Clone(r.Bytes())
	case 3:
		return r.Text()
	case 4:
		n := r.Array()
		list := make([]any, 0, n)
		for ; n > 0 && r.err == nil; n-- {
			list = append(list, r.value())
		}
		return list
	case 5:
		return r.fields()
	}
	truth := r.b[0]&31 == 21 // Check lets no other simple value through
	r.b = r.b[1:]
	return truth
}
