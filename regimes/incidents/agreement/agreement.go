// Package agreement carries the model agreement on preventing incidents in the information space, after the agreement of 1972 on incidents at sea and its protocol.
// It must never be changed once it is published: a negotiation names the version with which it began.
package agreement

import (
	_ "embed"

	"detente/regimes/models"
)

//go:embed agreement.json
var text []byte

// Load reads the agreement: English and Russian, with an annex that names the regime incidents/1 and its channel.
func Load() (*models.Model, error) { return models.Parse(text) }
