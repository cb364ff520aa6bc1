package register

import (
	"errors"
	"fmt"

	"detente/form"
	"detente/traffic"
)

// ErrParties is returned, wrapped, for a file of participants that is not well formed.
var ErrParties = errors.New("register: not a file of participants")

const maxNamed = 4096

// ReadParties reads how participants are shown: JSON, {"xn": {"name": {"en": "Northland"}, "code": "NL", "region": {"en": "North"}}}, docs/register.md. Error:
// ErrParties.
func ReadParties(b []byte) (map[traffic.Party]Party, error) {
	var out map[traffic.Party]Party
	if err := form.DecodeStrict(b, &out); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrParties, err)
	}
	if len(out) > maxNamed {
		return nil, fmt.Errorf("%w: over %d", ErrParties, maxNamed)
	}
	for p, n := range out {
		if !p.Valid() {
			return nil, fmt.Errorf("%w: %.40q is no party", ErrParties, p)
		}
		for _, texts := range []map[string]string{n.Name, n.Region, {"": n.Code}} {
			for _, t := range texts {
				if form.Clean(t, true, 200) != t {
					return nil, fmt.Errorf("%w: a text of %s is longer than 200 characters, or no line", ErrParties, p)
				}
			}
		}
	}
	return out, nil
}
