package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"detente/store"
	"detente/store/storetest"
)

// withParam adds a parameter to a DSN of either kind.
func withParam(dsn, name, value string) string {
	if strings.Contains(dsn, "://") {
		return dsn + "&" + name + "=" + value
	}
	return dsn + " " + name + "=" + value
}

// cutter returns a function that cuts all connections of the application called name.
func cutter(t *testing.T, dsn, name string) func() {
	t.Helper()
	server, err := sql.Open("pgx", strings.TrimPrefix(dsn, "postgres "))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return func() {
		// The second argument waits until they are gone.
		rows, err := server.Query("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()", name)
		if err != nil {
			t.Error(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
	}
}

func TestPostgresRefusesToBeForgetful(t *testing.T) {
	dsn := withParam(storetest.Postgres(t), "synchronous_commit", "off")
	db, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err == nil {
		db.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Errorf("Open: %v", err)
	}
}

// A connection that dies between two transactions, or inside one, is replaced, and nobody notices.
func TestPostgresConnectionCut(t *testing.T) {
	dsn := storetest.Postgres(t)
	cut := cutter(t, dsn, "cut")
	dsn = withParam(dsn, "application_name", "cut")
	n := open(t, store.Config{DSN: dsn})
	n.insert(1)
	n.has(1)

	cut()
	n.has(1)
	cut()
	n.insert(2)

	runs := 0
	n.update(func(tx *store.Tx) error {
		if runs++; runs == 1 {
			n.exec(tx, "INSERT INTO letter (id) VALUES (98)")
			cut()
		}
		if err := n.exec(tx, "INSERT INTO letter (id) VALUES (3)"); err != nil {
			return errors.New("an error that hides its cause")
		}
		return nil
	})
	if runs != 2 {
		t.Errorf("run %d times", runs)
	}
	n.has(1, 2, 3)
}

// Two ways in which COMMIT does not answer as it should. A trigger stands in for a server that goes down at this moment,
// and for one that gives up waiting for its standby: then too, a warning is all that comes.
func TestPostgresUnknownOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		does string
		want []int64
	}{
		"cut":     {"PERFORM pg_terminate_backend(pg_backend_pid())", nil},
		"warning": {"RAISE WARNING USING ERRCODE = '01000', MESSAGE = 'canceling wait for synchronous replication'", []int64{1}},
	} {
		t.Run(name, func(t *testing.T) {
			trigger := store.Schema{Package: "trigger", Steps: []string{
				"CREATE FUNCTION hurt() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN " + c.does + "; RETURN NULL; END $$;" +
					"CREATE CONSTRAINT TRIGGER hurt AFTER INSERT ON letter DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id < 10) EXECUTE FUNCTION hurt()",
			}}
			n := open(t, store.Config{DSN: storetest.Postgres(t), Schemas: []store.Schema{letters, trigger}})
			err := n.db.Update(n.ctx, store.Calm, func(tx *store.Tx) error {
				tx.AfterCommit(func() { t.Error("released") })
				return n.exec(tx, "INSERT INTO letter (id) VALUES (1)")
			})
			if !errors.Is(err, store.ErrUnknownOutcome) {
				t.Errorf("Update returned %v", err)
			}
			n.has(c.want...)
			n.insert(10)
			n.has(append(slices.Clone(c.want), 10)...)
		})
	}
}

// The server commits, but its answer never arrives.
func TestPostgresAnswerLost(t *testing.T) {
	dsn := storetest.Postgres(t)
	n := open(t, store.Config{DSN: dsn})
	dsn, cut := cutAtCommit(t, dsn)
	remote := open(t, store.Config{DSN: dsn})
	remote.insert(1)
	cut.Store(true)
	runs := 0
	err := remote.db.Update(n.ctx, store.Calm, func(tx *store.Tx) error {
		runs++
		return remote.exec(tx, "INSERT INTO letter (id) VALUES (2)")
	})
	if !errors.Is(err, store.ErrUnknownOutcome) || runs != 1 {
		t.Errorf("Update returned %v, run %d times", err, runs)
	}
	cut.Store(false)
	remote.insert(3)
	n.has(1, 2, 3)
}

// cutAtCommit puts a wire between a client and the server, which breaks, while cut is set, as soon as the server has
// answered a COMMIT.
func cutAtCommit(t *testing.T, dsn string) (_ string, cut *atomic.Bool) {
	t.Helper()
	config, err := pgx.ParseConfig(strings.TrimPrefix(dsn, "postgres "))
	if err != nil {
		t.Fatal(err)
	}
	network, server := pgconn.NetworkAddress(config.Host, config.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cut = new(atomic.Bool)
	var wires sync.WaitGroup
	t.Cleanup(func() { l.Close(); wires.Wait() })
	wires.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wires.Go(func() {
				defer c.Close()
				s, err := net.Dial(network, server)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				var committing atomic.Bool
				wires.Go(func() {
					defer s.Close()
					relay(s, c, func(b []byte) bool {
						committing.Store(cut.Load() && bytes.Contains(b, []byte("COMMIT\x00")))
						return true
					})
				})
				relay(c, s, func([]byte) bool { return !committing.Load() })
			})
		}
	})
	port := l.Addr().(*net.TCPAddr).Port
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		u.Host = l.Addr().String()
		return withParam(u.String(), "sslmode", "disable"), cut
	}
	return fmt.Sprintf("%s host=127.0.0.1 port=%d sslmode=disable", dsn, port), cut
}

// relay copies until either side ends or pass returns false for what was read.
func relay(to io.Writer, from io.Reader, pass func([]byte) bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil || !pass(buf[:n]) {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// Two processes take two rows in opposite order; the server sends one of them back, and it tries again.
func TestPostgresDeadlock(t *testing.T) {
	dsn := storetest.Postgres(t)
	n := open(t, store.Config{DSN: dsn})
	n.insert(1)
	n.insert(2)
	var meet, both sync.WaitGroup
	meet.Add(2)
	runs := make([]int, 2)
	for i, order := range [][]int64{{1, 2}, {2, 1}} {
		process := open(t, store.Config{DSN: dsn})
		both.Go(func() {
			process.update(func(tx *store.Tx) error {
				runs[i]++
				for at, id := range order {
					if err := process.exec(tx, "UPDATE letter SET weight = COALESCE(weight, 0) + 1 WHERE id = $1", id); err != nil {
						return err
					}
					if at == 0 && runs[i] == 1 {
						meet.Done()
						meet.Wait()
					}
				}
				return nil
			})
		})
	}
	both.Wait()
	if runs[0]+runs[1] < 3 {
		t.Errorf("run %v times: they did not meet", runs)
	}
	n.view(func(tx *store.Tx) error {
		weights, err := store.All(n.ctx, tx, func(w *float64) []any { return []any{w} }, "SELECT weight FROM letter")
		if !slices.Equal(weights, []float64{2, 2}) {
			t.Errorf("weights %v, %v", weights, err)
		}
		return err
	})
}

// Several processes start at once on an empty database: each step is applied once.
func TestPostgresSchemaRace(t *testing.T) {
	dsn := storetest.Postgres(t)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			db, err := store.Open(t.Context(), store.Config{DSN: dsn, Schemas: []store.Schema{letters, numbers}})
			if err != nil {
				t.Error(err)
				return
			}
			db.Close()
		})
	}
	all.Wait()
}
