package kind

// Shallow tells whether no bracket of a text in JSON lies deeper than most. It is asked before anything is built from what a stranger sent: reading goes as deep as the
// text does.
func Shallow(b []byte, most int) bool {
	depth, text := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}
