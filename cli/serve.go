package cli

import (
	"errors"

	"detente/cli/session"
	"detente/host"
)

type serveCmd struct{}

// Help gives an example and the exit codes.
func (serveCmd) Help() string {
	return "The log goes to standard error. SIGTERM ends it in good order; a kill loses nothing that was receipted.\n\n" +
		session.Detail("detente serve --passphrase-file /run/credentials/detente/passphrase", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run runs the node until the process is told to stop.
func (c *serveCmd) Run(s *session.Session) error {
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return err
	}
	lock, err := s.Lock(settings)
	if err != nil {
		return err
	}
	h, err := host.New(s.Ctx, host.Config{Version: s.Version, Home: s.Home, Settings: settings, Lock: lock, Log: settings.Logger(s.Err)})
	if err != nil {
		return err
	}
	return errors.Join(h.Run(s.Ctx), h.Close())
}
