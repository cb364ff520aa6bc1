package stix

import (
	"errors"
	"strconv"
	"strings"
)

// What a caller may decide on. Each is wrapped by a [Fault].
var (
	ErrSyntax   = errors.New("not JSON")
	ErrLimit    = errors.New("over a limit")
	ErrTwice    = errors.New("a member twice")
	ErrInvalid  = errors.New("not STIX")
	ErrVersion  = errors.New("another version of STIX")
	ErrMarking  = errors.New("a marking that cannot be followed")
	ErrRepeated = errors.New("the same object again")                     // in one bundle, byte for byte: it counts once
	ErrConflict = errors.New("two objects with the same id and modified") // in one bundle, not the same
)

// Fault says what is wrong with an object, and where.
type Fault struct {
	ID     string // of the object; "" if it could not be read
	Path   string // a JSON pointer into the object, such as "/pattern"
	Kind   error  // one of the sentinels above
	Reason string // in English, for whoever made the object; nothing of this program stands in it
	Offset int    // for ErrSyntax, ErrLimit and ErrTwice: the byte at which reading stopped
}

func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString("stix: ")
	if f.ID != "" {
		b.WriteString(f.ID + ": ")
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Kind.Error())
	if f.Reason != "" {
		b.WriteString(": " + f.Reason)
	}
	if f.Kind == ErrSyntax {
		b.WriteString(" at byte " + strconv.Itoa(f.Offset))
	}
	return b.String()
}

func (f *Fault) Unwrap() error { return f.Kind }

// in says that a fault is within the member k.
func (f *Fault) in(k string) *Fault {
	const longest = 512 // a path is for people
	if len(f.Path) < longest {
		if len(k) > 64 {
			k = strings.ToValidUTF8(k[:64], "") + "..."
		}
		f.Path = "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(k) + f.Path
	}
	return f
}

// Faults are all that is wrong with one object, as far as it was looked for. As an error it says the first and how many more.
type Faults []*Fault

func (f Faults) Error() string {
	if len(f) == 0 {
		return "stix: no fault"
	}
	if len(f) == 1 {
		return f[0].Error()
	}
	return f[0].Error() + ", and " + strconv.Itoa(len(f)-1) + " more"
}

// Unwrap returns the faults as errors.
func (f Faults) Unwrap() []error {
	all := make([]error, len(f))
	for i := range f {
		all[i] = f[i]
	}
	return all
}

// FaultsOf returns the faults that an error holds; nil if it holds none.
func FaultsOf(err error) Faults {
	if all, ok := errors.AsType[Faults](err); ok {
		return all
	}
	if one, ok := errors.AsType[*Fault](err); ok {
		return Faults{one}
	}
	return nil
}
