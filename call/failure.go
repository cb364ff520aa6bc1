package call

import (
	"context"
	"errors"
	"net"
	"strings"
)

// Why a call was not placed, in code: people read a phrase for it, in their own languages.
const (
	Unreachable = "unreachable" // nothing answers where calls are handed over
	Refused     = "refused"     // it answers, and does not take the call
	Late        = "late"        // it has not answered in time
	Unset       = "unset"       // this node has no such means
	Other       = "other"       // see the program's log
)

// Failures lists the codes.
func Failures() []string { return []string{Unreachable, Refused, Late, Unset, Other} }

// Code tells in one of the codes why a call was not placed.
func Code(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Late
	case errors.Is(err, ErrRefused):
		return Refused
	case errors.Is(err, ErrUnset):
		return Unset
	case errors.As(err, &network):
		if network.Timeout() {
			return Late
		}
		return Unreachable
	}
	return Other
}

// CodeOf is the code with which a text begins that [Code] and a space were put before; Other for any other text.
func CodeOf(text string) string {
	first, _, _ := strings.Cut(text, " ")
	for _, code := range Failures() {
		if first == code {
			return code
		}
	}
	return Other
}
