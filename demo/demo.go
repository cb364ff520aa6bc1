package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"detente/api"
	"detente/api/drafting"
)

// Config is how the story is told.
type Config struct {
	Out  io.Writer
	Stay bool // keep the nodes up at the end, until ctx ends
	// Verify runs the command "verify" on files: its text, and an error when it does not exit with 0.
	Verify func(ctx context.Context, files []string) (string, error)
}

// play is one performance.
type play struct {
	cfg                Config
	world              *world
	north, south, lake *actor
	question           api.Sent
	series, group      string // of consultations, of experts
	draft, opened      string // the negotiation; the instrument that is open to all
	manifest           drafting.Manifest
	survey, number     string    // cases: of the scan that was announced, and of what was asked
	begun              time.Time // when the window of the scan opens
	dossier            api.Sent  // what opened the latter
	shared             api.Sent  // what a tool of Northland has shared
	taxii              []door
	told               []*told
	steps              int
	start              time.Time
}

// Run plays the story. The parties live in a temporary directory, which is removed unless the nodes are to stay.
func Run(ctx context.Context, cfg Config) (err error) {
	dir, err := os.MkdirTemp("", "detente-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p := &play{cfg: cfg, start: time.Now()}
	if p.world, err = newWorld(ctx, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.world.close()) }()
	p.north, p.south, p.lake = p.world.actors[0], p.world.actors[1], p.world.actors[2]
	if err := p.tell(ctx); err != nil {
		return err
	}
	p.printf("\nDone in %.1f s: %d statements sent, each held by those addressed, each receipt and each proof verified.\n", time.Since(p.start).Seconds(), len(p.told))
	if cfg.Stay {
		return p.stay(ctx)
	}
	return nil
}

func (p *play) stay(ctx context.Context) error {
	if err := p.doors(ctx); err != nil {
		return err
	}
	p.point()
	p.printf("Or talk to each node in another terminal:\n\n")
	for _, a := range p.world.actors {
		p.printf("  # %s\n  detente --home %s watch\n", a.name, a.home)
	}
	p.printf("\n  detente --home %s show %s --lang ru\n", p.south.home, p.question.Number)
	p.printf("  detente --home %s case show %s --lang ru\n  detente --home %s ledger nrrc\n  detente --home %s gateway\n", p.south.home, p.number, p.north.home, p.south.home)
	p.printf("  detente --home %s send --channel nrrc --post mfa --form goodwill text='Good morning.'\n\nCtrl-C ends it, and removes everything.\n", p.north.home)
	<-ctx.Done()
	return nil
}

func (p *play) step(format string, args ...any) {
	p.steps++
	p.printf("%6.2fs  %s\n", time.Since(p.start).Seconds(), fmt.Sprintf(format, args...))
}

func (p *play) note(format string, args ...any) {
	p.printf("         %s\n", fmt.Sprintf(format, args...))
}

func (p *play) quote(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		p.printf("         │ %s\n", line)
	}
}

func (p *play) printf(format string, args ...any) { fmt.Fprintf(p.cfg.Out, format, args...) }
