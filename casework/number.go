package casework

import (
	"context"
	"fmt"
	"time"

	"detente/incident"
)

// Allot gives the number of a case that this party is about to open. No other process of the party gets the same, and none that was given is given again,
// though its case be never opened: a gap in the numbers harms nothing, one number for two cases would tie what does not belong together.
func (c *Casework) Allot(ctx context.Context) (incident.Number, error) {
	if err := c.Read(ctx); err != nil {
		return incident.Number{}, err
	}
	year := time.Now().UTC().Year()
	for range attempts {
		n := c.next(year)
		got := false
		err := c.floor.Once(ctx, "case-number:"+n.String(), "allotted", func() error {
			got = true // the claim itself is what makes it ours
			return nil
		})
		if err != nil {
			return incident.Number{}, fmt.Errorf("casework: allot a number: %w", err)
		}
		if got {
			return n, nil
		}
	}
	return incident.Number{}, fmt.Errorf("casework: %d numbers in a row were taken", attempts)
}

// attempts bounds how many numbers are tried that another process has taken, or this one before it was started anew.
const attempts = 10000

// next is the next number that is not known to be taken, and takes it.
func (c *Casework) next(year int) incident.Number {
	c.mu.Lock()
	defer c.mu.Unlock()
	var taken []incident.Number
	for _, k := range c.cases {
		taken = append(taken, k.Number)
	}
	for n := range c.reserved {
		taken = append(taken, n)
	}
	n := incident.Next(c.self, year, taken)
	c.reserved[n] = true
	return n
}
