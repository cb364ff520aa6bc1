package cli

import "detente/host"

type serveCmd struct{}

// Help gives an example and the exit codes.
func (serveCmd) Help() string {
	return "The log goes to standard error. SIGTERM ends it in good order; a kill loses nothing that was receipted.\n\n" +
		detail("detente serve --passphrase-file /run/credentials/detente/passphrase", exitDone, exitRefused, exitUse, exitUnreachable, exitNotFound)
}

// Run runs the node until the process is told to stop.
func (c *serveCmd) Run(s *session) error {
	settings, err := host.ReadSettings(s.Home)
	if err != nil {
		return err
	}
	lock, err := s.lock(settings)
	if err != nil {
		return err
	}
	s.host, err = host.New(s.ctx, host.Config{Version: version(), Home: s.Home, Settings: settings, Lock: lock, Log: settings.Logger(s.err)})
	if err != nil {
		return err
	}
	return s.host.Run(s.ctx)
}
