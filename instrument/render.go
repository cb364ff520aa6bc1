package instrument

import "detente/traffic"

// Named is a party and what it is called.
type Named struct {
	Party traffic.Party
	// Names by language, and by "language:case" where a language bends them: "ru:gen" behind "{party:1:gen}".
	Names map[string]string
	// Languages of its own, which stand first in its original.
	Languages []string
}

// Original is the text in one language as one party keeps it: that party is named first and signs in the first place, protocol.md#alternat.
type Original struct {
	Lang       string
	RTL        bool
	Party      traffic.Party // whose original it is
	Title      string
	Blocks     []Block
	Signatures []Signature
}

// Block is a clause as it is printed.
type Block struct {
	ID    string
	Kind  Kind
	Label string // "Article 1", "2.", "(a)"; empty: none
	Text  string // may be several lines; the heading of a chapter, article or annex
}

// Signature is where a party signs.
type Signature struct {
	Party traffic.Party
	For   string // "For Northland:"
}
