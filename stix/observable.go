package stix

import "detente/stix/pattern"

// Observable is something that an object points at.
type Observable = pattern.Observable

// CheckPattern tells what is wrong with a pattern. Error: a *[pattern.Error].
func CheckPattern(s string) error {
	_, err := pattern.Parse(s)
	return err
}
