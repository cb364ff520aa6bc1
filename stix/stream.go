package stix

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Stream reads objects one after the other out of what is too large to hold: a bundle or envelope, a list of objects, objects one a line. It holds
// one object at a time, so a million cost no more memory than one. Repetitions are not looked for.
type Stream struct {
	r      *bufio.Reader
	lim    Limits
	depth  int  // of the lists and bundles that we are in
	list   bool // objects follow each other with commas between
	begun  bool
	after  bool // an object stood there: a comma or the end must follow
	ended  bool
	bundle map[string]any
	at     int64
	buf    []byte
}

// NewStream reads from r. The caller closes it.
func NewStream(r io.Reader, lim Limits) *Stream {
	return &Stream{r: bufio.NewReaderSize(r, 64<<10), lim: lim, bundle: map[string]any{}}
}

// Next returns the next object, or what is wrong with it. At the end it returns io.EOF, and for what is no JSON, or what r fails with, another error
// after which nothing more comes. The item's bytes are the caller's to keep.
func (s *Stream) Next() (Item, error) {
	if s.ended {
		return Item{}, io.EOF
	}
	item, err := s.next()
	if err != nil {
		s.ended = true
		if err == io.ErrUnexpectedEOF {
			err = &Fault{Kind: ErrSyntax, Reason: "it ends too early", Offset: int(s.at)}
		} else if f, ok := errors.AsType[*Fault](err); ok && f.Offset == 0 {
			f.Offset = int(s.at)
		} else if err != io.EOF && !ok {
			err = fmt.Errorf("stix: stream: %w", err)
		}
	}
	return item, err
}

func (s *Stream) bad(reason string) error {
	return &Fault{Kind: ErrSyntax, Reason: reason, Offset: int(s.at)}
}

// token returns the next byte that is no space, without taking it.
func (s *Stream) token() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case ' ', '\n', '\r', '\t':
			s.at++
		default:
			return c, s.r.UnreadByte()
		}
	}
}

func (s *Stream) take() {
	if _, err := s.r.Discard(1); err == nil {
		s.at++
	}
}

func (s *Stream) next() (Item, error) {
	c, err := s.token()
	switch {
	case err != nil && s.depth > 0 && err == io.EOF:
		return Item{}, io.ErrUnexpectedEOF
	case err != nil:
		return Item{}, err
	case !s.begun:
		s.begun = true
		if c == '[' {
			s.take()
			s.depth, s.list = 1, true
			return s.next()
		}
		return s.first(c)
	case s.list:
		if c == ']' {
			s.take()
			s.list, s.after = false, false
			if s.depth--; s.depth > 0 {
				return Item{}, s.rest()
			}
			return Item{}, s.finish()
		}
		if s.after {
			if c != ',' {
				return Item{}, s.bad("neither a comma nor the end of the list")
			}
			s.take()
			s.after = false
			if _, err := s.token(); err != nil {
				return Item{}, io.ErrUnexpectedEOF
			}
		}
		s.after = true
	}
	return s.object()
}

// first looks at what comes first: a bundle, whose objects are wanted, or an object.
func (s *Stream) first(c byte) (Item, error) {
	if c != '{' {
		return Item{}, s.bad("no object")
	}
	// A bundle has its list among its first few members; an object that large is none that we would take.
	const look = 32 << 10
	head, _ := s.r.Peek(look) // whatever is there; what failed fails again where it matters
	r := &reader{b: head, lim: s.lim, left: s.lim.Members, cut: true}
	r.at++
	for {
		r.space()
		if r.peek() != '"' {
			break
		}
		k, fault := r.key()
		if fault != nil {
			break
		}
		r.space()
		if k == "objects" && r.peek() == '[' {
			r.at++
			if _, err := s.r.Discard(r.at); err != nil {
				return Item{}, err
			}
			s.at += int64(r.at)
			s.depth, s.list = 2, true
			return s.next()
		}
		if s.bundle[k], fault = r.value(1); fault != nil {
			break
		}
		if r.space(); r.peek() == ',' {
			r.at++
			continue
		}
		break
	}
	clear(s.bundle)
	return s.object()
}

// rest passes over what stands behind the list of a bundle.
func (s *Stream) rest() error {
	var f frame
	f.depth = 1
	for n := 0; ; n++ {
		c, err := s.r.ReadByte()
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		s.at++
		if f.step(c) && f.depth <= 0 {
			return s.finish()
		}
		if n > s.lim.Object {
			return &Fault{Kind: ErrLimit, Reason: "the bundle goes on behind its objects"}
		}
	}
}

// finish sees that nothing follows.
func (s *Stream) finish() error {
	if _, err := s.token(); err != nil {
		return err
	}
	return s.bad("more after the end")
}

// object takes the bytes of one value, and reads it.
func (s *Stream) object() (Item, error) {
	s.buf = s.buf[:0]
	c, err := s.token()
	if err != nil {
		return Item{}, io.ErrUnexpectedEOF
	}
	if c != '{' && c != '[' && c != '"' {
		if !s.list {
			return Item{}, s.bad("no object")
		}
		return s.scalar()
	}
	var f frame
	over := false
	for done := false; !done; {
		c, err := s.r.ReadByte()
		if err == io.EOF {
			return Item{}, io.ErrUnexpectedEOF
		}
		if err != nil {
			return Item{}, err
		}
		s.at++
		done = f.step(c)
		if len(s.buf) < s.lim.Object {
			s.buf = append(s.buf, c)
		} else {
			over = true
		}
	}
	if over {
		return Item{Raw: bytes.Clone(s.buf[:64]), Err: &Fault{Kind: ErrLimit, Reason: tooLong(s.lim)}}, nil
	}
	raw := bytes.Clone(s.buf)
	o, err := Read(raw, s.lim)
	if err != nil {
		return Item{Raw: raw, Err: err}, nil
	}
	return Item{Raw: raw, Object: o}, nil
}

// scalar passes over a value in a list that is neither object nor list.
func (s *Stream) scalar() (Item, error) {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return Item{}, io.ErrUnexpectedEOF
		}
		if c == ',' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t' {
			if err := s.r.UnreadByte(); err != nil {
				return Item{}, err
			}
			break
		}
		if s.at++; len(s.buf) > maxNumber {
			return Item{}, s.bad("no value")
		}
		s.buf = append(s.buf, c)
	}
	return Item{Raw: bytes.Clone(s.buf), Err: &Fault{Kind: ErrInvalid, Reason: "it is no object of JSON", Offset: int(s.at)}}, nil
}
