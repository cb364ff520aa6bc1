// Package cert is the commands about what response teams exchange: objects of STIX, and later the gateway to their own tools.
// It must never resolve, fetch or show unbroken a name that stands in an object.
package cert

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"detente/cli/session"
	"detente/stix"
)

// StixCmd is objects of STIX.
type StixCmd struct {
	Validate validateCmd `cmd:"" help:"Whether objects are STIX 2.1, and where they are not."`
	Import   importCmd   `cmd:"" help:"Add objects to a collection of the gateway."`
	Export   exportCmd   `cmd:"" help:"The objects of a collection, one a line."`
}

type validateCmd struct {
	Files  []string `arg:"" help:"Bundles, envelopes of TAXII, or objects one a line; - for the standard input."`
	Faults bool     `help:"Show only what is wrong, or unusual."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (validateCmd) Help() string {
	return "Each object is held against the schemas of OASIS and the rules that no schema can say, as the gateway does before it sends one. It needs no node, no " +
		"database and no network.\n\n" +
		session.Detail("detente stix validate bundle.json\n cat week.ndjson | detente stix validate - --faults", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

// found is what was found of one object.
type found struct {
	File   string   `json:"file"`
	Number int      `json:"number"` // in the file, from 1
	ID     string   `json:"id,omitempty"`
	OK     bool     `json:"ok"`
	Faults []fault  `json:"faults,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

type fault struct {
	Path   string `json:"path,omitempty"` // a JSON pointer into the object
	Kind   string `json:"kind"`
	Reason string `json:"reason,omitempty"`
}

// result is what --json prints.
type result struct {
	Objects int     `json:"objects"`
	Refused int     `json:"refused"`
	Found   []found `json:"found"`
}

// Run validates the files.
func (c *validateCmd) Run(s *session.Session) error {
	v, err := stix.NewValidator()
	if err != nil {
		return err
	}
	all := result{Found: []found{}}
	for _, path := range c.Files {
		err := c.file(s, v, path, func(f found) {
			all.Objects++
			if !f.OK {
				all.Refused++
			}
			if c.Faults && f.OK && len(f.Notes) == 0 {
				return
			}
			if c.JSON {
				all.Found = append(all.Found, f)
			} else {
				c.print(s, f)
			}
		})
		if err != nil {
			return err
		}
	}
	if c.JSON {
		if err := s.JSON(all); err != nil {
			return err
		}
	} else if all.Refused == 0 {
		s.Printf("%d objects, all valid.\n", all.Objects)
	}
	if all.Refused > 0 {
		return session.Fail(session.ExitRefused, "", "%d of %d objects are not valid", all.Refused, all.Objects)
	}
	return nil
}

// print writes a line for an object, and one for each fault of it.
func (c *validateCmd) print(s *session.Session, f found) {
	state, name := "ok  ", f.ID
	if !f.OK {
		state = "FAIL"
	}
	if name == "" {
		name = fmt.Sprintf("object %d", f.Number)
	}
	if len(c.Files) > 1 {
		name = f.File + ": " + name
	}
	if len(f.Notes) > 0 {
		name += "  (" + strings.Join(f.Notes, "; ") + ")"
	}
	s.Printf("%s  %s\n", state, session.Safe(name))
	for _, w := range f.Faults {
		text := w.Kind
		if w.Reason != "" {
			text += ": " + w.Reason
		}
		if w.Path != "" {
			text = w.Path + "  " + text
		}
		s.Printf("      %s\n", session.Safe(text))
	}
}

// file validates the objects of a file, one at a time, however many they are.
func (c *validateCmd) file(s *session.Session, v *stix.Validator, path string, tell func(found)) error {
	in := s.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	// A version that comes twice must be the same both times. Half a hash of each is kept, since there may be a million.
	type version struct {
		id       string
		modified int64
	}
	seen := map[version][16]byte{}
	stream := stix.NewStream(in, v.Limits)
	for n := 1; ; n++ {
		item, err := stream.Next()
		if errors.Is(err, io.EOF) && n == 1 {
			return session.Fail(session.ExitRefused, "", "%s: there is no object in it", path)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return session.Fail(session.ExitRefused, "", "%s: %w", path, err)
		}
		wrong := item.Err
		f := found{File: path, Number: n}
		if o := item.Object; o != nil {
			wrong = v.Validate(o)
			f.ID, f.Notes = o.ID, notes(o)
			key, sum := version{o.ID, o.Modified.UnixNano()}, sha256.Sum256(o.Raw)
			if first, twice := seen[key]; !twice {
				seen[key] = [16]byte(sum[:16])
			} else if first == [16]byte(sum[:16]) {
				f.Notes = append(f.Notes, stix.ErrRepeated.Error())
			} else if wrong == nil {
				wrong = &stix.Fault{ID: o.ID, Kind: stix.ErrConflict}
			}
		}
		f.OK = wrong == nil
		for _, w := range stix.FaultsOf(wrong) {
			f.Faults = append(f.Faults, fault{w.Path, w.Kind.Error(), w.Reason})
		}
		tell(f)
	}
}

// notes says what is allowed and yet unusual in the texts of an object.
func notes(o *stix.Object) []string {
	var out []string
	for _, n := range []struct {
		flag stix.Flags
		text string
	}{
		{stix.Replaced, "text that is not UTF-8"}, {stix.Control, "control characters in text"}, {stix.Bidi, "text that turns its direction"},
	} {
		if o.Flags&n.flag != 0 {
			out = append(out, n.text)
		}
	}
	return out
}
