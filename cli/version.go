package cli

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"detente/cli/session"
)

// version is that of the module, or else of the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := cmp.Or(info.Main.Version, "(devel)")
	if v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel " + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}

type versionCmd struct{ session.JSONFlag }

// Help gives an example and the exit codes.
func (versionCmd) Help() string { return session.Detail("detente version", session.ExitDone) }

// Run prints the version.
func (c *versionCmd) Run(s *session.Session) error {
	if c.JSON {
		return s.JSON(map[string]string{"version": version(), "go": runtime.Version(), "protocol": "1"})
	}
	s.Printf("detente %s, protocol 1, %s\n", version(), runtime.Version())
	return nil
}
