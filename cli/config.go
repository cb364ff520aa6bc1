package cli

import (
	"detente/cli/session"
	"detente/host"
)

// configCmd shows the settings.
type configCmd struct {
	Show configShowCmd `cmd:"" help:"Print the settings, with what each key means."`
}

type configShowCmd struct {
	Default bool `help:"Those that a new party has, not those of this one."`
}

// Help gives an example and the exit codes.
func (configShowCmd) Help() string {
	return session.Detail("detente config show --default", session.ExitDone, session.ExitUse, session.ExitNotFound)
}

// Run prints the settings.
func (c *configShowCmd) Run(s *session.Session) error {
	if c.Default {
		return host.DefaultSettings("").Write(s.Out)
	}
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return err
	}
	return settings.Write(s.Out)
}
