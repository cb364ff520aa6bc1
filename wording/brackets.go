package wording

import "detente/traffic"

// Wish is the wording that a party wants, in one language.
type Wish struct {
	Party traffic.Party
	Text  string
}

// Piece is a run of words and who wants it.
type Piece struct {
	Text    string
	Parties []traffic.Party // nil: all
}
