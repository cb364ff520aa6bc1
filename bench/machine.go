package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"detente/key"
	"detente/route"
	"detente/store"
	"detente/traffic"
)

// machine is the floor: what the same machine needs, in the same run, for the parts that no program could leave out. In microseconds.
type machine struct {
	fsync, commit, sign, verify, trip float64
	signVerify                        float64 // pairs of one signature and one verification per second, on all cores
	verifyAll                         float64 // verifications per second, on all cores
}

func (m machine) report() map[string]float64 {
	return map[string]float64{
		"fsync_us": m.fsync, "commit_us": m.commit, "sign_us": m.sign, "verify_us": m.verify, "round_trip_us": m.trip,
		"sign_and_verify_per_s": m.signVerify, "verify_per_s": m.verifyAll, "cores": float64(runtime.GOMAXPROCS(0)),
	}
}

func measureMachine(ctx context.Context, dir string) (m machine, err error) {
	work, err := os.MkdirTemp(dir, "detente-floor-")
	if err != nil {
		return m, fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(work)
	if m.fsync, err = fsyncFloor(work); err != nil {
		return m, err
	}
	if m.commit, err = commitFloor(ctx, work); err != nil {
		return m, err
	}
	if err = m.signatures(); err != nil {
		return m, err
	}
	m.trip, err = tripFloor(ctx)
	return m, err
}

const rounds = 300

// median of the time that op takes, in microseconds.
func median(op func() error) (float64, error) {
	d := make([]time.Duration, 0, rounds)
	for range rounds {
		start := time.Now()
		if err := op(); err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		d = append(d, time.Since(start))
	}
	return quantile(d, 0.5), nil
}

func fsyncFloor(dir string) (float64, error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	return median(func() error {
		if _, err := f.Write(page); err != nil {
			return err
		}
		return f.Sync()
	})
}

func commitFloor(ctx context.Context, dir string) (float64, error) {
	db, err := store.Open(ctx, store.Config{DSN: filepath.Join(dir, "commit.db"), Schemas: []store.Schema{{
		Package: "bench", Steps: []string{`CREATE TABLE rows (n {rowkey}, body {bytes} NOT NULL)`},
	}}})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	body, n := make([]byte, 500), 0
	return median(func() error {
		n++
		return db.Update(ctx, store.Calm, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO rows (n, body) VALUES ($1, $2)`, n, body)
			return err
		})
	})
}

func (m *machine) signatures() error {
	k, err := key.Generate(key.Ed25519)
	if err != nil {
		return err
	}
	v, err := key.Standard().Verifier(k.Public())
	if err != nil {
		return err
	}
	message := make([]byte, 500)
	sig, err := k.Sign(message)
	if err != nil {
		return err
	}
	if m.sign, err = median(func() error { _, err := k.Sign(message); return err }); err != nil {
		return err
	}
	if m.verify, err = median(func() error { v.Verify(message, sig); return nil }); err != nil {
		return err
	}
	m.signVerify = allCores(func() {
		sig, _ := k.Sign(message)
		v.Verify(message, sig)
	})
	m.verifyAll = allCores(func() { v.Verify(message, sig) })
	return nil
}

// allCores is how often per second op is done on all cores together.
func allCores(op func()) float64 {
	const each = 10_000
	start := time.Now()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for range each {
				op()
			}
		})
	}
	wg.Wait()
	return float64(each*runtime.GOMAXPROCS(0)) / time.Since(start).Seconds()
}

func tripFloor(ctx context.Context) (float64, error) {
	here, err := key.Generate(key.Ed25519)
	if err != nil {
		return 0, err
	}
	there, err := key.Generate(key.Ed25519)
	if err != nil {
		return 0, err
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	server, err := route.NewServer(route.Config{
		Transport: there,
		Known:     func(key.Public) (traffic.Party, bool) { return "xn", true },
		Accept:    func(_ context.Context, sealed []byte) ([]byte, error) { return sealed, nil },
	})
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { server.Serve(ctx, listen) })
	defer wg.Wait()
	defer stop()
	client, err := route.NewHTTPS(here, nil)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	body := make([]byte, 1000)
	peer := route.Peer{Party: "xs", Address: listen.Addr().String(), Transport: []key.Public{there.Public()}}
	return median(func() error {
		_, err := client.Carry(ctx, peer, body)
		return err
	})
}

func residentMB() float64 {
	runtime.GC()
	return procStatus("VmRSS:")
}

func peakMB() float64 { return procStatus("VmHWM:") }

// procStatus reads a line of /proc/self/status in kB; 0 where the system has none.
func procStatus(name string) float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), name); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
