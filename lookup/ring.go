package lookup

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"

	"detente/asking"
	"detente/party"
	"detente/traffic"
)

// ring is the keys of the own lists, in memory and in their file.
type ring struct {
	path string
	lock party.Lock
	file party.LookupKeys
	keys map[string]*asking.Key // by public key
}

func openRing(path string, self traffic.Party, lock party.Lock) (*ring, error) {
	r := &ring{path: path, lock: lock, file: party.LookupKeys{Party: self}, keys: make(map[string]*asking.Key)}
	if path == "" {
		return r, nil
	}
	file, err := party.OpenLookupKeys(path, lock)
	if errors.Is(err, fs.ErrNotExist) {
		rand.Read(r.file.ID[:])
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	r.file = *file
	for _, b := range file.Keys {
		k, err := asking.ParseKey(b)
		if err != nil {
			return nil, errors.Join(party.ErrKeyFile, err)
		}
		public, err := k.Public()
		if err != nil {
			return nil, err
		}
		r.keys[string(public)] = k
	}
	return r, nil
}

// with gives the ring with one key more, and without those of which keep says no: the file first, so that no list goes out whose key is not durable.
func (r *ring) with(k *asking.Key, keep func(public []byte) bool) (*ring, error) {
	if r.path == "" {
		return nil, ErrNoKeys
	}
	next := &ring{path: r.path, lock: r.lock, file: party.LookupKeys{Party: r.file.Party, ID: r.file.ID}, keys: make(map[string]*asking.Key)}
	public, err := k.Public()
	if err != nil {
		return nil, err
	}
	next.keys[string(public)] = k
	for p, old := range r.keys {
		if keep([]byte(p)) {
			next.keys[p] = old
		}
	}
	for _, k := range next.keys {
		b, err := k.Bytes()
		if err != nil {
			return nil, err
		}
		next.file.Keys = append(next.file.Keys, bytes.Clone(b))
	}
	return next, party.SaveLookupKeys(next.path, &next.file, next.lock)
}
