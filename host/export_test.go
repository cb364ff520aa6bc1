package host

import (
	"detente/console"
)

// OpenConsole makes the pages without a port, for a benchmark that asks them directly.
func (h *Host) OpenConsole() (*console.Server, error) { return h.openConsole() }
