package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"detente/key"
	"detente/party"
)

// Founding is what a party decides before its home is made.
type Founding struct {
	Plan     party.Plan
	Settings Settings
	Lock     party.Lock   // of the node's keys
	Roots    []party.Lock // of each root key file; Lock where there are fewer
}

// Found makes the home of a new party: keys, charter, settings. The settings are written last, so a home with settings is complete; what a
// process that died left behind is refused as party.ErrOtherKeys, and is to be removed by hand. Errors: ErrThere, party.ErrOtherKeys, those of party.Found.
func Found(home string, f Founding) (*party.Charter, error) {
	if _, err := os.Stat(filepath.Join(home, SettingsName)); err == nil {
		return nil, fmt.Errorf("%w: %s", ErrThere, home)
	}
	charter, ring, roots, err := party.Found(f.Plan)
	if err != nil {
		return nil, err
	}
	chain, err := party.NewChain(charter)
	if err != nil {
		return nil, err
	}
	if err := mkdirs(home, "", "keys", "data"); err != nil {
		return nil, err
	}
	for i, r := range roots {
		lock := f.Lock
		if i < len(f.Roots) {
			lock = f.Roots[i]
		}
		if err := party.SaveRoot(RootPath(home, i+1), r, lock); err != nil {
			return nil, err
		}
	}
	if err := party.SaveKeyring(KeyringPath(home), ring, f.Lock); err != nil {
		return nil, err
	}
	pins, err := party.OpenPins(KeysDir(home), key.Standard())
	if err != nil {
		return nil, err
	}
	if err := pins.SetOwn(chain); err != nil {
		return nil, err
	}
	var text strings.Builder
	if err := f.Settings.Write(&text); err != nil {
		return nil, err
	}
	return charter, writeFile(filepath.Join(home, SettingsName), []byte(text.String()))
}

// writeFile writes a file so that its name never stands for a part of it.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
