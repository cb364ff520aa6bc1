package wording

// The operations of a Change.
const (
	Same  = '='
	Added = '+'
	Gone  = '-'
)

// Change is a run of words that two texts share, or that only one of them has.
type Change struct {
	Op   byte // Same, Added, Gone
	Text string
}
