package store_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"detente/store"
)

// numbers is a series with one counter, as a feed has a head: the process that appends holds the counter's row.
var numbers = store.Schema{Package: "number", Steps: []string{
	`CREATE TABLE head (id {rowkey}, size {bigint} NOT NULL);
	 CREATE TABLE number (n {rowkey}, writer {bigint} NOT NULL);
	 INSERT INTO head (id, size) VALUES (1, 0);`,
}}

// childEnv makes the test binary a child of itself: "append:" or "disk:" and a DSN.
const childEnv = "DETENTE_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	role, dsn, _ := strings.Cut(os.Getenv(childEnv), ":")
	switch role {
	case "append":
		appendForEver(dsn)
	case "disk":
		failDisk(dsn)
	default:
		os.Exit(m.Run())
	}
}

// appendForEver appends numbers from several goroutines and prints each that was acknowledged.
func appendForEver(dsn string) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{DSN: dsn, Schemas: []store.Schema{numbers}})
	if err != nil {
		log.Fatal(err)
	}
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for {
				var n int64
				err := db.Update(ctx, store.Calm, func(tx *store.Tx) error {
					if err := tx.QueryRow(ctx, "SELECT size FROM head WHERE id = 1"+tx.ForUpdate()).Scan(&n); err != nil {
						return err
					}
					if _, err := tx.Exec(ctx, "INSERT INTO number (n, writer) VALUES ($1, $2)", n, os.Getpid()); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, "UPDATE head SET size = $1 WHERE id = 1", n+1)
					return err
				})
				if err != nil {
					log.Fatal(err)
				}
				fmt.Println(n)
			}
		})
	}
	writers.Wait()
}

// Processes are killed while they write; on PostgreSQL two at a time, of which one goes on. All that was acknowledged
// is there, once, in a series without a gap, and nobody is kept waiting by the dead.
func testKill(t *testing.T, dsn string) {
	n := open(t, store.Config{DSN: dsn, Schemas: []store.Schema{numbers}})
	shared := n.db.Multi()
	acknowledged := map[int64]int{} // number → process
	for round := range 4 {
		if !shared {
			if err := n.db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		victim := startChild(t, dsn)
		victim.read(t, 50+171*round, acknowledged)
		if shared {
			survivor := startChild(t, dsn)
			survivor.read(t, 100, acknowledged)
			victim.kill(t, acknowledged)
			survivor.read(t, 100, acknowledged)
			survivor.kill(t, acknowledged)
		} else {
			victim.kill(t, acknowledged)
			n.db = nil
			n.reopen()
		}

		var size, found int64
		n.view(func(tx *store.Tx) error {
			if err := tx.QueryRow(n.ctx, "SELECT size FROM head").Scan(&size); err != nil {
				return err
			}
			rows, err := tx.Query(n.ctx, "SELECT n, writer FROM number ORDER BY n")
			if err != nil {
				return err
			}
			defer rows.Close()
			for ; rows.Next(); found++ {
				var number int64
				var writer int
				if err := rows.Scan(&number, &writer); err != nil {
					return err
				}
				if number != found {
					t.Fatalf("number %d where %d should be", number, found)
				}
				if by, ok := acknowledged[number]; ok && by != writer {
					t.Fatalf("number %d is by %d, but was acknowledged to %d", number, writer, by)
				}
				delete(acknowledged, number)
			}
			return rows.Err()
		})
		if size != found {
			t.Errorf("the head says %d, there are %d", size, found)
		}
		if len(acknowledged) > 0 {
			t.Fatalf("round %d: lost although acknowledged: %v", round, acknowledged)
		}
	}
}

type child struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func startChild(t *testing.T, dsn string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=append:"+dsn)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return &child{cmd, bufio.NewReader(out)}
}

// read notes the next numbers that the child was told are durable.
func (c *child) read(t *testing.T, count int, acknowledged map[int64]int) {
	t.Helper()
	for range count {
		if !c.next(t, acknowledged) {
			t.Fatal("the child has ended")
		}
	}
}

func (c *child) next(t *testing.T, acknowledged map[int64]int) bool {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		return false // a last line that was cut short was not heard
	}
	var n int64
	if _, err := fmt.Sscan(line, &n); err != nil {
		t.Fatalf("the child said %q", line)
	}
	if by, twice := acknowledged[n]; twice {
		t.Fatalf("number %d was acknowledged to %d and to %d", n, by, c.cmd.Process.Pid)
	}
	acknowledged[n] = c.cmd.Process.Pid
	return true
}

// kill kills the child where it stands and notes what it had still said.
func (c *child) kill(t *testing.T, acknowledged map[int64]int) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for c.next(t, acknowledged) {
	}
	c.cmd.Wait()
}
