package cli

import "detente/host"

// configCmd shows the settings.
type configCmd struct {
	Show configShowCmd `cmd:"" help:"Print the settings, with what each key means."`
}

type configShowCmd struct {
	Default bool `help:"Those that a new party has, not those of this one."`
}

// Help gives an example and the exit codes.
func (configShowCmd) Help() string {
	return detail("detente config show --default", exitDone, exitUse, exitNotFound)
}

// Run prints the settings.
func (c *configShowCmd) Run(s *session) error {
	if c.Default {
		return host.DefaultSettings("").Write(s.out)
	}
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return err
	}
	return settings.Write(s.out)
}
