package cli_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/cli"
)

// serve is what a service manager starts: it says when it is ready, answers on its socket and its port, and ends in good order.
func TestServe(t *testing.T) {
	dir, err := os.MkdirTemp("", "detente-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("DETENTE_TEST_SCRYPT", "10")
	if err := os.WriteFile(filepath.Join(dir, "phrase"), []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	manager, err := net.ListenPacket("unixgram", filepath.Join(dir, "notify"))
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	hears := func(want string) {
		t.Helper()
		manager.SetReadDeadline(time.Now().Add(20 * time.Second))
		b := make([]byte, 64)
		n, _, err := manager.ReadFrom(b)
		if err != nil || string(b[:n]) != want {
			t.Fatalf("heard %q, %v; want %q", b[:n], err, want)
		}
	}
	run := func(ctx context.Context, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := cli.Main(ctx, append([]string{"--home", dir, "--passphrase-file", filepath.Join(dir, "phrase")}, args...), nil, &out, &errs)
		return code, out.String(), errs.String()
	}
	if code, _, errs := run(t.Context(), "init", "--party", "xn", "--name", "en=Northland"); code != 0 {
		t.Fatal(errs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { code, _, _ := run(ctx, "serve"); ended <- code }()
	hears("READY=1")

	info, err := os.Stat(filepath.Join(dir, "node.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v", info.Mode(), err)
	}
	// The running node answers: no passphrase is needed, and the database is not opened twice.
	var out, errs bytes.Buffer
	if code := cli.Main(t.Context(), []string{"--home", dir, "status"}, nil, &out, &errs); code != 0 || !strings.Contains(out.String(), "xn") {
		t.Errorf("status: code %d\n%s%s", code, out.String(), errs.String())
	}
	if code, _, errs := run(t.Context(), "serve"); code != 3 {
		t.Errorf("a second node: code %d, %s", code, errs)
	}
	cancel()
	hears("STOPPING=1")
	if code := <-ended; code != 0 {
		t.Errorf("serve ended with %d", code)
	}
	if _, err := os.Stat(filepath.Join(dir, "node.sock")); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
