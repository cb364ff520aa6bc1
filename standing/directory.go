package standing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/directory"
	"detente/form"
	"detente/traffic"
	"detente/watch"
)

// ErrNoContact is returned for an entry that this party does not have.
var ErrNoContact = errors.New("standing: this party has no such entry in the directory")

// ContactShown is an entry with its number and the last check.
type ContactShown struct {
	directory.Contact
	Number    string
	LastCheck *CheckShown // with its party, on its channel; nil for none
}

// Directory lists the points of contact on the real plane, of one channel or, where it is nil, of all.
func (s *Standing) Directory(ctx context.Context, channel *[32]byte) ([]ContactShown, error) {
	if err := s.Read(ctx); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []ContactShown
	for _, c := range s.contacts.All(traffic.Real) {
		if channel != nil && c.Channel != *channel {
			continue
		}
		e := ContactShown{Contact: *c, Number: s.places[c.ID].number()}
		if last := s.lastCheck(c.Channel, c.Party); last != nil && c.Party != s.self {
			e.LastCheck = &CheckShown{*last, s.places[last.ID].number()}
		}
		out = append(out, e)
	}
	return out, nil
}

// Contact finds an own entry. Error: ErrNoContact.
func (s *Standing) Contact(ctx context.Context, channel [32]byte, name string) (directory.Contact, error) {
	if err := s.Read(ctx); err != nil {
		return directory.Contact{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.contacts.Find(directory.Key{Channel: channel, Plane: traffic.Real, Party: s.self, Name: name})
	if c == nil {
		return directory.Contact{}, fmt.Errorf("%w: %q", ErrNoContact, name)
	}
	return *c, nil
}

// Changes are the entries of a table that are not stated as they stand in it. refused are the lines that the form refuses, with the reason.
func (s *Standing) Changes(ctx context.Context, channel [32]byte, fm *form.Form, entries []directory.Entry) (changed []form.Values, unchanged int, refused []string, err error) {
	if err := s.Read(ctx); err != nil {
		return nil, 0, nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	seen := make(map[string]int)
	for _, e := range entries {
		v, err := fm.FromText(e.Fields)
		if err == nil {
			err = fm.Permit(form.Use{Precedence: traffic.Routine}, v)
		}
		var payload []byte
		if err == nil {
			payload, err = fm.Encode(v)
		}
		name := v.Text("name")
		if err == nil && seen[name] > 0 {
			err = fmt.Errorf("%q stands in line %d already", name, seen[name])
		}
		if err != nil {
			refused = append(refused, fmt.Sprintf("line %d: %v", e.Line, err))
			continue
		}
		seen[name] = e.Line
		old := s.contacts.Find(directory.Key{Channel: channel, Plane: traffic.Real, Party: s.self, Name: name})
		if old != nil && old.Withdrawn.IsZero() {
			if was, err := fm.Encode(old.Values); err == nil && string(was) == string(payload) {
				unchanged++
				continue
			}
		}
		changed = append(changed, v)
	}
	return changed, unchanged, refused, nil
}

// stale are the entries that cannot be relied on any more. An own one is to be confirmed or withdrawn, for another's its party is to be asked. What was
// withdrawn is as it should be. s.mu is held.
func (s *Standing) stale(now time.Time) (items []*watch.Item, again time.Time) {
	for _, c := range s.contacts.All(traffic.Real) {
		why := c.Stale(now)
		switch why {
		case "":
			again = sooner(again, c.StaleAt().Add(time.Second))
			continue
		case directory.Withdrawn:
			continue
		}
		line := s.places[c.ID]
		it := &watch.Item{
			Kind: watch.Directory, Key: watch.Key(watch.Directory, why, c.ID.String(), fmt.Sprint(c.Confirmed.Unix())), Post: line.issuer.Post, Plane: traffic.Real,
			Precedence: traffic.Routine, Say: "directory." + why, Args: []any{string(c.Party), c.Name, c.Confirmed}, Statement: c.ID, Number: line.number(), Form: formContact,
			Channel: c.Channel, Peer: c.Party, Since: c.StaleAt(),
		}
		if c.Party != s.self {
			it.Post = "" // of the party as a whole
		}
		items = append(items, it)
	}
	return items, again
}
