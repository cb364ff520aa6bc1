package register

import "golang.org/x/sys/unix"

// exchange puts one folder in the place of another, and that one in its place, at once.
func exchange(a, b string) error {
	if unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) == nil {
		return nil
	}
	return swap(a, b) // not every file system can
}
