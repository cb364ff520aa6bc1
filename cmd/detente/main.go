// Command detente is a node of the arrangement, and the tools of the party that runs it.
// It must never do anything itself: all of it is package cli, so that tests can run it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"detente/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
