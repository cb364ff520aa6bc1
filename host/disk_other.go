//go:build !linux && !darwin && !freebsd

package host

// free is nil: nobody can tell here how much of the disk is left.
func (h *Host) free() func() (int64, error) { return nil }
