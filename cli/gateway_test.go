package cli_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"detente/api"

	"github.com/rogpeppe/go-internal/testscript"
)

// awaits PATTERN COMMAND… runs a command until it says something that fits.
func awaits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: awaits PATTERN COMMAND…")
	}
	fits, err := regexp.Compile(`(?m)` + args[0])
	ts.Check(err)
	until(ts, args[0], func() bool { return ts.Exec(args[1], args[2:]...) == nil && fits.MatchString(ts.ReadFile("stdout")) })
}

// serves HOME waits until a node answers on its socket: a command that comes before would open the database itself, and the node could not.
func serves(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(filepath.Join(args[0], "node.sock"))
	until(ts, path, func() bool { _, err := os.Stat(path); return err == nil })
}

func until(ts *testscript.TestScript, what string, done func() bool) {
	end := time.After(time.Minute)
	for !done() {
		select {
		case <-end:
			ts.Fatalf("in vain: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// listens HOME lets the gateway of a party listen, on a port that was free.
func listens(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("TAXII_"+args[0], l.Addr().String())
	ts.Check(l.Close())
	path := ts.MkAbs(filepath.Join(args[0], "config.toml"))
	before, gateway, ok := strings.Cut(ts.ReadFile(path), "\n[gateway]\n")
	if !ok {
		ts.Fatalf("the settings have no section for the gateway")
	}
	gateway = strings.Replace(gateway, `listen = ""`, `listen = "`+l.Addr().String()+`"`, 1)
	ts.Check(os.WriteFile(path, []byte(before+"\n[gateway]\n"+gateway), 0o600))
}

// door VARIABLE HOME TITLE takes the address of a collection, from its gateway's status in JSON on standard output.
func door(ts *testscript.TestScript, _ bool, args []string) {
	var st api.GatewayStatus
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &st))
	for _, c := range st.Collections {
		if c.Title == args[2] {
			ts.Setenv(args[0], "http://"+ts.Getenv("TAXII_"+args[1])+"/taxii2/node/collections/"+c.ID+"/")
			return
		}
	}
	ts.Fatalf("no collection %s", args[2])
}
