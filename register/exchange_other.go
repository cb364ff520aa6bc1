//go:build !linux

package register

func exchange(a, b string) error { return swap(a, b) }
