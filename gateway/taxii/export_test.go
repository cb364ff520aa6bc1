package taxii

// What the tests ask of the inside.
var (
	Acceptable = acceptable
	Sent       = sent
)
