package flat

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// WriteJSON writes events one a line, as IntelMQ reads them: numbers as numbers, answers as answers.
func WriteJSON(w io.Writer, events []Event) error {
	f := known(fields())
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, e := range events {
		m := make(map[string]any, len(e))
		for name, v := range e {
			switch f[name] {
			case whole, decimal:
				m[name] = json.Number(v)
			case boolean:
				m[name] = v == "true"
			default:
				m[name] = v
			}
		}
		if err := enc.Encode(m); err != nil {
			return fmt.Errorf("flat: %w", err)
		}
	}
	return nil
}

// WriteCSV writes events under a row of the fields that any of them has, in alphabetical order.
func WriteCSV(w io.Writer, events []Event) error {
	all := map[string]bool{}
	for _, e := range events {
		for name := range e {
			all[name] = true
		}
	}
	head := slices.Sorted(maps.Keys(all))
	c := csv.NewWriter(w)
	if err := c.Write(head); err != nil {
		return fmt.Errorf("flat: %w", err)
	}
	row := make([]string, len(head))
	for _, e := range events {
		for i, name := range head {
			row[i] = e[name]
		}
		if err := c.Write(row); err != nil {
			return fmt.Errorf("flat: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("flat: %w", err)
	}
	return nil
}
