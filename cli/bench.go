package cli

import (
	"fmt"
	"slices"

	"detente/bench"
	"detente/cli/session"
	"detente/host"
)

type benchCmd struct {
	Flood int    `help:"ROUTINE statements for throughput, and under way while FLASH is sent." default:"100000"`
	Dir   string `help:"Directory on the disk to be measured; a temporary one by default." type:"existingdir" placeholder:"DIR"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (benchCmd) Help() string {
	return "Two nodes over loopback HTTPS, both durable. Beside each figure stands what the machine alone needs for it, measured in the same run.\n\n" +
		session.Detail("detente bench --json", session.ExitDone, session.ExitRefused, session.ExitUse)
}

// Run measures.
func (c *benchCmd) Run(s *session.Session) error {
	regimes, err := host.Regimes()
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(s.Err, format+"\n", args...) }
	r, err := bench.Run(s.Ctx, bench.Config{Dir: c.Dir, Flood: c.Flood, Regimes: regimes, Say: say})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(r)
	}
	s.Printf("\n%-18s %12s %12s %7s  %s\n", "", "value", "floor", "ratio", "unit")
	for _, f := range []struct {
		name string
		bench.Figure
	}{
		{"single", r.Single}, {"throughput", r.Throughput}, {"flash under load", r.FlashUnderLoad}, {"audit", r.Audit}, {"bytes", r.Bytes}, {"memory", r.Memory},
	} {
		s.Printf("%-18s %12.1f %12.1f %7.2f  %s\n", f.name, f.Value, f.Floor, f.Ratio, f.Unit)
		if f.Goal != "" {
			s.Printf("%-18s goal: %s\n", "", f.Goal)
		}
		for _, name := range sorted(f.Parts) {
			s.Printf("%-18s %12.1f  %s\n", "", f.Parts[name], name)
		}
	}
	s.Printf("\nthe machine\n")
	for _, name := range sorted(r.Machine) {
		s.Printf("%-18s %12.1f  %s\n", "", r.Machine[name], name)
	}
	return nil
}

func sorted(m map[string]float64) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
