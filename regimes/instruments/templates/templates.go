// Package templates carries the models of instruments that ship beside the agreement on incidents: guarantees of non-interference in the formats that states use, and the commitment not to
// strike first. It must never prefer one format: which is acceptable to both sides is theirs to say.
package templates

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"detente/regimes/incidents/agreement"
	"detente/regimes/models"
)

//go:embed *.json
var files embed.FS

// ErrUnknown is returned for a model that does not ship.
var ErrUnknown = errors.New("templates: no such model")

// All reads every model that ships, in the order of their names.
func All() ([]*models.Model, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	first, err := agreement.Load()
	if err != nil {
		return nil, err
	}
	out := []*models.Model{first}
	for _, e := range entries {
		b, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
		m, err := models.Parse(b)
		if err != nil {
			return nil, fmt.Errorf("templates: %s: %w", e.Name(), err)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *models.Model) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// Load reads the model of that name, such as "guarantees-notes/1"; the version may be left out. Error: ErrUnknown.
func Load(name string) (*models.Model, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.Name() == name || m.ID == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%w: %.80q", ErrUnknown, name)
}
