package casework

// Forget has the ledger read every dossier anew.
func (c *Casework) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.counted {
		r.part = nil
	}
	c.weight = 0
}

// Unread is how many dossiers of a channel the ledger would read now.
func (c *Casework) Unread(channel [32]byte) (n int) {
	charter, regime, err := c.node.Channel(channel)
	if err != nil {
		return -1
	}
	_, left := c.kept(channel, "real", reading{charters: c.charters(charter), regime: regime})
	return len(left)
}

// Weighs is the weight of what the ledger keeps.
func (c *Casework) Weighs() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.weight
}
