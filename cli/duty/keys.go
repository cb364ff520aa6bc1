package duty

import (
	"io"
	"unicode/utf8"
)

// key is what was pressed: a letter, or one of these.
type key rune

const (
	enter key = '\r'
	back  key = 0x7f
	esc   key = 0x1b
	stop  key = 0x03 // Ctrl-C, which a raw terminal hands over as a letter
	up    key = -1
	down  key = -2
	gone  key = -3 // nobody types any more
)

// readKeys sends what is typed. A read cannot be broken off: when the watch ends it is left to the end of the process.
func readKeys(in io.Reader, keys chan<- key) {
	defer close(keys)
	b := make([]byte, 64)
	var rest []byte
	for {
		n, err := in.Read(b)
		rest = append(rest, b[:n]...)
		for len(rest) > 0 {
			k, size := decodeKey(rest)
			if size == 0 {
				break // the rest of a letter is still to come
			}
			rest = rest[size:]
			keys <- k
		}
		if err != nil {
			return
		}
	}
}

// decodeKey reads one key, and gives no size where its end has not come.
func decodeKey(b []byte) (k key, size int) {
	if b[0] == byte(esc) {
		if len(b) < 3 || b[1] != '[' && b[1] != 'O' {
			return esc, 1
		}
		end := 2
		for end < len(b)-1 && b[end] >= 0x20 && b[end] < 0x40 { // the parameters of a longer sequence
			end++
		}
		switch b[end] {
		case 'A':
			return up, end + 1
		case 'B':
			return down, end + 1
		}
		return 0, end + 1
	}
	if !utf8.FullRune(b) {
		return 0, 0
	}
	r, n := utf8.DecodeRune(b)
	switch r {
	case '\n':
		return enter, n
	case '\b':
		return back, n
	}
	return key(r), n
}

// edit changes a line by one key, and tells whether it is finished, or given up.
func edit(text string, k key) (after string, done, left bool) {
	switch {
	case k == enter:
		return text, true, false
	case k == esc, k == stop:
		return "", false, true
	case k == back:
		_, n := utf8.DecodeLastRuneInString(text)
		return text[:len(text)-n], false, false
	case k >= ' ' && len(text) < 4000 && utf8.ValidRune(rune(k)):
		return text + string(rune(k)), false, false
	}
	return text, false, false
}
