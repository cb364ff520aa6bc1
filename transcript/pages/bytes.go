package pages

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"
)

// The library stamps each font that it embeds with the time at which it wrote it, and the document with another. What is set of the same words would
// then never be the same bytes twice, and nobody could hold a print against another. Both are replaced here: the only input is what the library
// wrote a moment ago, and whatever does not look as it writes is an error and no guess.

const maxFont = 64 << 20 // bytes of a font that is unpacked to be stamped

// shape is what this file looks for in what the library writes: objects, streams, the object of a font, the time of the document.
type shape struct{ object, stream, length, font, created *regexp.Regexp }

func shapes() shape {
	return shape{
		object:  regexp.MustCompile(`^([0-9]+) 0 obj\n`),
		stream:  regexp.MustCompile(`^<<[^\n]*>>stream\n`),
		length:  regexp.MustCompile(`/Length ([0-9]+)`),
		font:    regexp.MustCompile(`/FontFile[23] ([0-9]+) 0 R`),
		created: regexp.MustCompile(`CreationDate\(D:[0-9]{14}(Z|[+-][0-9]{4})\)`),
	}
}

// object is one of a file: its number, what stands before its stream, and the stream.
type object struct {
	number int
	head   []byte // everything, for one that has no stream
	stream []byte
	has    bool
}

// settled is a file of the library's with all times replaced by one, and its table of places written anew.
func settled(file []byte, at time.Time) ([]byte, error) {
	s := shapes()
	start, objects, rest, err := s.parse(file)
	if err != nil {
		return nil, err
	}
	fonts := make(map[int]bool)
	for _, o := range objects {
		for _, m := range s.font.FindAllSubmatch(o.head, -1) {
			n, _ := strconv.Atoi(string(m[1]))
			fonts[n] = true
		}
	}
	out := bytes.NewBuffer(make([]byte, 0, len(file)))
	out.Write(start)
	places := make([]int, len(objects)+1)
	for _, o := range objects {
		if fonts[o.number] {
			if err := o.restamp(); err != nil {
				return nil, err
			}
		}
		if o.number < 1 || o.number >= len(places) || places[o.number] != 0 {
			return nil, fmt.Errorf("pages: object %d", o.number)
		}
		places[o.number] = out.Len()
		fmt.Fprintf(out, "%d 0 obj\n", o.number)
		if !o.has {
			out.Write(s.created.ReplaceAll(o.head, []byte("CreationDate(D:"+at.UTC().Format("20060102150405")+"Z)")))
		} else {
			out.Write(s.length.ReplaceAll(o.head, fmt.Appendf(nil, "/Length %d", len(o.stream))))
			out.Write(o.stream)
			out.WriteString("\nendstream\n")
		}
		out.WriteString("\nendobj\n")
	}
	from := out.Len()
	fmt.Fprintf(out, "xref\n0 %d\n0000000000 65535 f \n", len(places))
	for _, p := range places[1:] {
		fmt.Fprintf(out, "%010d 00000 n \n", p)
	}
	out.Write(rest)
	fmt.Fprintf(out, "\nstartxref\n%d\n%%%%EOF\n", from)
	return out.Bytes(), nil
}

// parse parts a file into what stands before the first object, the objects in their order, and the trailer.
func (s shape) parse(file []byte) (start []byte, objects []object, rest []byte, err error) {
	at := bytes.Index(file, []byte("1 0 obj\n"))
	if m := regexp.MustCompile(`(?m)^[0-9]+ 0 obj$`).FindIndex(file); m != nil {
		at = m[0]
	}
	if at < 0 {
		return nil, nil, nil, fmt.Errorf("pages: no object in the file")
	}
	start = file[:at]
	for {
		tail := file[at:]
		if bytes.HasPrefix(tail, []byte("xref\n")) {
			break
		}
		m := s.object.FindSubmatchIndex(tail)
		if m == nil {
			return nil, nil, nil, fmt.Errorf("pages: no object at %d", at)
		}
		number, _ := strconv.Atoi(string(tail[m[2]:m[3]]))
		o, body := object{number: number}, tail[m[1]:]
		if head := s.stream.Find(body); head != nil {
			l := s.length.FindSubmatch(head)
			if l == nil {
				return nil, nil, nil, fmt.Errorf("pages: object %d has a stream of no length", number)
			}
			n, _ := strconv.Atoi(string(l[1]))
			if n > len(body)-len(head) {
				return nil, nil, nil, fmt.Errorf("pages: object %d is cut off", number)
			}
			o.has, o.head, o.stream = true, head, body[len(head):len(head)+n]
			body = body[len(head)+n:]
			if !bytes.HasPrefix(body, []byte("\nendstream\n\nendobj\n")) {
				return nil, nil, nil, fmt.Errorf("pages: object %d has no end", number)
			}
			body = body[len("\nendstream\n\nendobj\n"):]
		} else {
			end := bytes.Index(body, []byte("\nendobj\n"))
			if end < 0 {
				return nil, nil, nil, fmt.Errorf("pages: object %d has no end", number)
			}
			o.head, body = body[:end], body[end+len("\nendobj\n"):]
		}
		objects = append(objects, o)
		at = len(file) - len(body)
	}
	from, to := bytes.Index(file[at:], []byte("trailer\n")), bytes.LastIndex(file, []byte("\nstartxref\n"))
	if from < 0 || to < at+from {
		return nil, nil, nil, fmt.Errorf("pages: no trailer")
	}
	return start, objects, file[at+from : to], nil
}

// restamp takes the time out of a font's table "head" and puts its sums right.
func (o *object) restamp() error {
	r, err := zlib.NewReader(bytes.NewReader(o.stream))
	if err != nil {
		return fmt.Errorf("pages: font: %w", err)
	}
	font, err := io.ReadAll(io.LimitReader(r, maxFont+1))
	if err != nil || len(font) > maxFont {
		return fmt.Errorf("pages: font of %d bytes: %w", len(font), err)
	}
	if len(font) < 12 {
		return fmt.Errorf("pages: font of %d bytes", len(font))
	}
	tables := int(binary.BigEndian.Uint16(font[4:]))
	if len(font) < 12+16*tables {
		return fmt.Errorf("pages: font of %d bytes", len(font))
	}
	for i := range tables {
		record := font[12+16*i : 28+16*i]
		if string(record[:4]) != "head" {
			continue
		}
		from, long := int(binary.BigEndian.Uint32(record[8:])), int(binary.BigEndian.Uint32(record[12:]))
		if long < 54 || from > len(font) || long > len(font)-from {
			return fmt.Errorf("pages: table head of %d bytes", long)
		}
		table := font[from : from+long]
		copy(table[28:36], table[20:28]) // as old as the font itself
		copy(table[8:12], []byte{0, 0, 0, 0})
		binary.BigEndian.PutUint32(record[4:], sum(font[from:min(len(font), from+(long+3)/4*4)]))
		binary.BigEndian.PutUint32(table[8:], 0xB1B0AFBA-sum(font))
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		if _, err := w.Write(font); err != nil {
			return fmt.Errorf("pages: font: %w", err)
		}
		if err := w.Close(); err != nil {
			return fmt.Errorf("pages: font: %w", err)
		}
		o.stream = b.Bytes()
		return nil
	}
	return fmt.Errorf("pages: a font without its table head")
}

// sum is the checksum of TrueType: big-endian words added up, the last filled with zeros.
func sum(b []byte) (total uint32) {
	for len(b) >= 4 {
		total += binary.BigEndian.Uint32(b)
		b = b[4:]
	}
	if len(b) > 0 {
		var last [4]byte
		copy(last[:], b)
		total += binary.BigEndian.Uint32(last[:])
	}
	return total
}
