package storetest

import (
	"errors"
	"testing"

	"detente/store"
)

func TestEach(t *testing.T) {
	Each(t, func(t *testing.T, open func(...store.Schema) *store.DB) {
		db := open(store.Schema{Package: "letter", Steps: []string{"CREATE TABLE letter (id {rowkey}, body {bytes} NOT NULL)"}})
		err := db.Update(t.Context(), store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO letter (id, body) VALUES ($1, $2)", 7, []byte("hello"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.View(t.Context(), func(tx *store.Tx) error {
			body, err := store.One(t.Context(), tx, func(b *[]byte) []any { return []any{b} }, "SELECT body FROM letter WHERE id = $1", 7)
			if err != nil || string(body) != "hello" {
				t.Errorf("letter 7 is %q, %v", body, err)
			}
			_, err = store.One(t.Context(), tx, func(b *[]byte) []any { return []any{b} }, "SELECT body FROM letter WHERE id = $1", 8)
			return err
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("letter 8: %v", err)
		}
	})
}
