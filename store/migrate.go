package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// The steps that were applied, with the hash of each, so that an edited one is noticed.
const stepTable = `CREATE TABLE IF NOT EXISTS store_step (
	package TEXT NOT NULL,
	step {bigint} NOT NULL,
	sha256 TEXT NOT NULL,
	PRIMARY KEY (package, step)
)`

type step struct {
	pkg    string
	number int
	hash   string
}

// migrate brings the tables up to date, in one transaction that only one process can be in: if the process
// dies in it, nothing has changed.
func migrate(ctx context.Context, db *DB, schemas []Schema) error {
	s, types := db.writer, db.engine.types()
	if err := s.beginSchema(); err != nil {
		return fmt.Errorf("store: schema: %w", err)
	}
	if err := s.script(types.Replace(stepTable)); err != nil {
		return fmt.Errorf("store: schema: %w", err)
	}
	tx := &Tx{db: db, s: s}
	applied, err := All(ctx, tx, func(p *step) []any { return []any{&p.pkg, &p.number, &p.hash} },
		"SELECT package, step, sha256 FROM store_step ORDER BY package, step")
	if err != nil {
		return fmt.Errorf("store: schema: %w", err)
	}
	known := map[string][]string{}
	for _, sc := range schemas {
		if _, twice := known[sc.Package]; twice {
			return fmt.Errorf("store: schema: package %s is named twice", sc.Package)
		}
		known[sc.Package] = sc.Steps
	}
	done := map[string]int{}
	for _, a := range applied {
		switch steps := known[a.pkg]; {
		case a.number >= len(steps):
			return fmt.Errorf("%w: it has step %d of package %s", ErrNewerSchema, a.number, a.pkg)
		case a.hash != stepHash(steps[a.number]):
			return fmt.Errorf("store: schema: step %d of package %s was edited after it had been applied", a.number, a.pkg)
		}
		done[a.pkg]++
	}
	for _, sc := range schemas {
		for n := done[sc.Package]; n < len(sc.Steps); n++ {
			if err := s.script(types.Replace(sc.Steps[n])); err != nil {
				return fmt.Errorf("store: schema: step %d of package %s: %w", n, sc.Package, err)
			}
			_, err := s.exec(ctx, "INSERT INTO store_step (package, step, sha256) VALUES ($1, $2, $3)",
				[]any{sc.Package, n, stepHash(sc.Steps[n])})
			if err != nil {
				return fmt.Errorf("store: schema: %w", err)
			}
		}
	}
	if err := s.commit(); err != nil {
		return fmt.Errorf("store: schema: %w", err)
	}
	return nil
}

func stepHash(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}
