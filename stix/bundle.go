package stix

import (
	"bytes"
	"strconv"
)

// Item is one object of a bundle, or why it is none.
type Item struct {
	Raw    []byte  // its bytes as they stand in the bundle
	Object *Object // nil if Err says that it cannot be read; not if it is a repetition
	Err    error   // a *[Fault]: what Read says, or ErrRepeated or ErrConflict
}

// Bundle is a bundle of STIX, or an envelope of TAXII, cut into its objects.
type Bundle struct {
	Type  string         // "bundle"; an envelope has none
	ID    string         // of the bundle; it means nothing beyond the transport
	Rest  map[string]any // every other member, such as "more" and "next" of an envelope
	Items []Item
}

func tooLong(lim Limits) string { return "longer than " + strconv.Itoa(lim.Object) + " bytes" }

// Split cuts a bundle or envelope into its objects, in one pass and without changing a byte of them. An object that breaks a limit, or is none, has its
// error in its item, and the others are read all the same; what is not JSON at all spoils the whole. Error: a *[Fault].
func Split(b []byte, lim Limits) (*Bundle, error) {
	r := &reader{b: b, lim: lim, left: lim.Members}
	out := &Bundle{Rest: map[string]any{}}
	if fault := r.bundle(out); fault != nil {
		return nil, fault
	}
	out.Type, _ = out.Rest["type"].(string)
	out.ID, _ = out.Rest["id"].(string)
	delete(out.Rest, "type")
	delete(out.Rest, "id")
	repetitions(out.Items)
	return out, nil
}

// bundle reads the members of a bundle.
func (r *reader) bundle(out *Bundle) *Fault {
	r.space()
	if r.peek() != '{' {
		return r.fail(ErrSyntax, "no object")
	}
	if fault := r.open(0); fault != nil {
		return fault
	}
	if r.peek() == '}' {
		r.at++
		return r.end()
	}
	objects := false
	for more := true; more; {
		if fault := r.count(); fault != nil {
			return fault
		}
		k, fault := r.key()
		if fault != nil {
			return fault
		}
		if _, twice := out.Rest[k]; twice || objects && k == "objects" {
			return r.fail(ErrTwice, "").in(k)
		}
		r.space()
		if k == "objects" && r.peek() == '[' {
			objects = true
			if fault = r.items(out); fault != nil {
				return fault
			}
		} else if out.Rest[k], fault = r.value(1); fault != nil {
			return fault.in(k)
		}
		if more, fault = r.next('}'); fault != nil {
			return fault
		}
	}
	return r.end()
}

func (r *reader) end() *Fault {
	if r.space(); r.at < len(r.b) {
		return r.fail(ErrSyntax, "more after the end")
	}
	return nil
}

// items reads the list of objects.
func (r *reader) items(out *Bundle) *Fault {
	if fault := r.open(1); fault != nil {
		return fault
	}
	if r.peek() == ']' {
		r.at++
		return nil
	}
	for more := true; more; {
		if len(out.Items) >= r.lim.Objects {
			return r.fail(ErrLimit, "more than "+strconv.Itoa(r.lim.Objects)+" objects").in("objects")
		}
		r.space()
		item, end, fault := readItem(r.b, r.at, r.lim)
		if fault != nil {
			return fault.in(strconv.Itoa(len(out.Items))).in("objects")
		}
		out.Items = append(out.Items, item)
		r.at = end
		if more, fault = r.next(']'); fault != nil {
			return fault
		}
	}
	return nil
}

// readItem reads the value at start of b, and returns where it ends. A fault that it returns is one of the whole.
func readItem(b []byte, start int, lim Limits) (Item, int, *Fault) {
	r := &reader{b: b, at: start, lim: lim, left: lim.Members}
	if len(b)-start > lim.Object {
		r.b, r.cut = b[:start+lim.Object], true
	}
	tree, fault := r.top()
	if fault == nil {
		raw := b[start:r.at:r.at]
		o, wrong := object(raw, tree, r.flags)
		if wrong != nil {
			return Item{Raw: raw, Err: wrong}, r.at, nil
		}
		return Item{Raw: raw, Object: o}, r.at, nil
	}
	if fault.Kind == ErrSyntax && r.peekAt(start) == '{' {
		return Item{}, 0, fault
	}
	end, ok := skip(b, start)
	if !ok {
		return Item{}, 0, &Fault{Kind: ErrSyntax, Reason: "the bundle has no end", Offset: len(b)}
	}
	return Item{Raw: b[start:end:end], Err: fault}, end, nil
}

func (r *reader) peekAt(i int) byte {
	if i < len(r.b) {
		return r.b[i]
	}
	return 0
}

// frame finds the end of a value of JSON by its brackets and quotes alone. It goes on where it stopped, however the bytes are cut.
type frame struct {
	depth           int
	quoted, escaped bool
}

// step takes a byte and tells whether an object, a list or a string ends with it.
func (f *frame) step(c byte) bool {
	switch {
	case f.escaped:
		f.escaped = false
	case f.quoted && c == '\\':
		f.escaped = true
	case c == '"':
		f.quoted = !f.quoted
		return !f.quoted && f.depth == 0
	case f.quoted:
	case c == '{' || c == '[':
		f.depth++
	case c == '}' || c == ']':
		f.depth--
		return f.depth <= 0
	}
	return false
}

// skip returns where the value at start ends.
func skip(b []byte, start int) (int, bool) {
	if start >= len(b) {
		return 0, false
	}
	if c := b[start]; c != '{' && c != '[' && c != '"' {
		n := bytes.IndexAny(b[start:min(len(b), start+maxNumber+2)], ",]} \n\r\t")
		return start + n, n > 0
	}
	var f frame
	for i, c := range b[start:] {
		if f.step(c) {
			return start + i + 1, true
		}
	}
	return 0, false
}

// repetitions marks what stands in a bundle twice. Two versions of an object are no repetition.
func repetitions(items []Item) {
	type version struct {
		id       string
		modified int64
	}
	seen := make(map[version]int, len(items))
	for i := range items {
		o := items[i].Object
		if o == nil {
			continue
		}
		v := version{o.ID, o.Modified.UnixNano()}
		first, twice := seen[v]
		switch {
		case !twice:
			seen[v] = i
		case bytes.Equal(items[first].Raw, items[i].Raw):
			items[i].Err = &Fault{ID: o.ID, Kind: ErrRepeated}
		default:
			items[i].Err = &Fault{ID: o.ID, Kind: ErrConflict, Reason: "the first of them counts"}
		}
	}
}
