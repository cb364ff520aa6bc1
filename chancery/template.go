package chancery

import "fmt"

// Templates are the texts that a negotiation can begin from.
func (c *Chancery) Templates() []Document { return c.templates }

// Template is one of them. Error: ErrTemplate.
func (c *Chancery) Template(name string) (Document, error) {
	for _, t := range c.templates {
		if t.Name == name {
			return t, nil
		}
	}
	return Document{}, fmt.Errorf("%w: %.70q", ErrTemplate, name)
}
