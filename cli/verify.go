package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"detente/cli/session"
	"detente/evidence"
	"detente/host"
	"detente/key"
	"detente/party"
	"detente/traffic"
)

type verifyCmd struct {
	Files []string `arg:"" help:"Proof files, case files, register bundles and fork objects, and the charter files that you trust."`
	session.LangFlag
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (verifyCmd) Help() string {
	return "It needs no node, no database and no network. Where no charter file is given, those count that the party of the home directory trusts.\n\n" +
		session.Detail("detente verify inquiry.detente-proof xn.charters xs.charters", session.ExitDone, session.ExitRefused, session.ExitUse)
}

// verdict is what was found of one file.
type verdict struct {
	File string `json:"file"`
	Kind string `json:"kind"`
	Any  any    `json:"result"`
}

// Run verifies the files.
func (c *verifyCmd) Run(s *session.Session) error {
	reader := &evidence.Reader{Registry: key.Standard(), Trusted: make(map[traffic.Party]*party.Chain)}
	all, err := host.Regimes()
	if err != nil {
		return err
	}
	reader.Regimes = all
	type evidenceFile struct {
		path, kind string
		bytes      []byte
	}
	var files []evidenceFile
	for _, path := range c.Files {
		b, err := s.ReadFile(path, evidence.MaxRegister)
		if err != nil {
			return session.Fail(session.ExitUse, "", "%w", err)
		}
		kind := evidence.Kind(b)
		if kind != "charters" {
			files = append(files, evidenceFile{path, kind, b})
			continue
		}
		chain, err := party.DecodeChain(b, key.Standard())
		if err != nil {
			return session.Fail(session.ExitRefused, "ask its party for it again", "%s: %w", path, err)
		}
		if known := reader.Trusted[chain.Party()]; known == nil || chain.Extends(known) {
			reader.Trusted[chain.Party()] = chain
		} else if !known.Extends(chain) {
			return session.Fail(session.ExitRefused, "ask the party which is its own", "two charter files of %s contradict each other", chain.Party())
		}
	}
	if len(files) == 0 {
		return session.Fail(session.ExitUse, "detente prove ID > FILE makes one", "there is no proof file among these files")
	}
	if len(reader.Trusted) == 0 {
		if err := trustHome(reader, s.Home); err != nil {
			return err
		}
	}
	var found []verdict
	refused := 0
	for _, f := range files {
		v := verdict{File: f.path, Kind: f.kind}
		var print func() error
		switch f.kind {
		case "fork":
			conviction, err := reader.Fork(f.bytes)
			if err != nil {
				refused++
			}
			v.Any, print = conviction, func() error { return conviction.Print(s.Out) }
		case "case":
			whole, err := reader.Case(f.bytes)
			if err != nil {
				refused++
			}
			v.Any, print = whole, func() error { return whole.Print(s.Out, c.Lang) }
		case "register":
			whole, err := reader.Register(f.bytes)
			if err != nil {
				refused++
			}
			v.Any, print = whole, func() error { return whole.Print(s.Out) }
		default:
			proof, err := reader.Proof(f.bytes) // a file of no known kind is refused as one
			if err != nil {
				refused++
			}
			v.Any, print = proof, func() error { return proof.Print(s.Out, c.Lang) }
		}
		found = append(found, v)
		if c.JSON {
			continue
		}
		if len(files) > 1 {
			s.Printf("== %s\n", f.path)
		}
		if err := print(); err != nil {
			return err
		}
	}
	if c.JSON {
		if err := s.JSON(found); err != nil {
			return err
		}
	}
	if refused > 0 {
		return session.Fail(session.ExitRefused, "", "%d of %d files prove nothing", refused, len(files))
	}
	return nil
}

// trustHome trusts whom the party of the home directory trusts, if there is one.
func trustHome(r *evidence.Reader, home string) error {
	if _, err := os.Stat(filepath.Join(host.KeysDir(home), "own.charters")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	pins, err := party.OpenPins(host.KeysDir(home), key.Standard())
	if err != nil {
		return err
	}
	r.Trusted[pins.Own().Party()] = pins.Own()
	for _, p := range pins.Peers() {
		r.Trusted[p] = pins.Trusted(p)
	}
	return nil
}
