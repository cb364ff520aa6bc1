//go:build linux || darwin || freebsd

package host

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
)

// free tells how many bytes are free where the database lies; nil where that is another machine's.
func (h *Host) free() func() (int64, error) {
	path := h.cfg.Settings.dsn(h.cfg.Home)
	if strings.HasPrefix(path, "postgres") {
		return nil
	}
	folder := filepath.Dir(path)
	return func() (int64, error) {
		var st syscall.Statfs_t
		if err := syscall.Statfs(folder, &st); err != nil {
			return 0, fmt.Errorf("host: free space: %w", err)
		}
		return int64(st.Bavail) * int64(st.Bsize), nil
	}
}
