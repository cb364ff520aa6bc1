package sim_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"detente/form"
	"detente/node"
	"detente/sim"
	"detente/traffic"
)

// courier takes a pouch from one capital to another.
func courier(t *testing.T, w *sim.World, from, to traffic.Party) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pouch")
	if _, err := w.Capital(from).Node().ExportPouch(t.Context(), to, path); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := w.Capital(to).Node().ImportPouch(t.Context(), file); err != nil {
		t.Fatal(err)
	}
}

// The line is cut for weeks. An attachment goes by courier: one pouch brings the words, the next asks for the file, the third has it, though
// all the while the nodes try to ask and to give over the line.
func TestAttachmentGoesByPouch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, 5*time.Minute, 1)
		defer w.Close()
		w.Add(sim.Found(t, "xn", "en", true))
		w.Add(sim.Found(t, "xs", "ru", true))
		w.Pair("xn", "xs")
		channel := w.Channel("nrrc", "xn", "xs")
		w.Net.Cut("xn", "xs")
		file := make([]byte, 300_000)
		for i := range file {
			file[i] = byte(i * i >> 3)
		}
		err := w.Speak("xn", node.Draft{
			Channel: channel, Plane: traffic.Real, Precedence: traffic.Priority, Post: "nrrc", Audience: "xs/nrrc", Form: "notice", Language: "en",
			Values: form.Values{"subject": "information", "text": "See the file.", "attachments": []any{
				map[string]any{"hash": sum(file), "size": int64(len(file)), "name": "report", "type": "application/octet-stream"},
			}},
			Drafter: "duty-officer", Blobs: [][]byte{file},
		})
		if err != nil {
			t.Fatal(err)
		}
		courier(t, w, "xn", "xs")
		time.Sleep(20 * time.Minute) // calls have set out into the cut
		courier(t, w, "xs", "xn")
		time.Sleep(20 * time.Minute)
		courier(t, w, "xn", "xs")
		if _, complete, err := w.Capital("xs").Node().BlobHeld(t.Context(), [32]byte(sum(file))); err != nil || !complete {
			t.Errorf("xs does not hold the file: %v", err)
		}
		w.Net.Mend()
		if err := errors.Join(w.Settle(time.Hour), w.Check(), w.Audit()); err != nil {
			t.Fatal(err)
		}
	})
}

// Whoever cannot be called has a FLASH at once by the request that it holds open, and the sender has it in the pouch directory: neither keeps
// the other from it, though both look for what is to be sent at the same moment.
func TestFlashByTheRequestHeldOpenAndByPouch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, 5*time.Minute, 1)
		defer w.Close()
		w.Add(sim.Found(t, "xn", "en", true))
		w.Add(sim.Found(t, "xl", "en", false))
		w.Pair("xn", "xl")
		channel := w.Channel("cert", "xn", "xl")
		for n := 1; n <= 20; n++ {
			time.Sleep(10 * time.Second) // a request is open again
			start := time.Now()
			sent, err := w.Send(sim.Letter{From: "xn", To: "xl", Channel: channel, Precedence: traffic.Flash, Form: "check", Text: "Does this reach you?"})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Capital("xn").Node().WaitReceipt(t.Context(), sent, "xl"); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 100*time.Millisecond {
				t.Errorf("FLASH %d: receipt after %v", n, took)
			}
			synctest.Wait()
			files, err := filepath.Glob(filepath.Join(w.Capital("xn").Pouches(), "*"))
			if err != nil || len(files) != n {
				t.Fatalf("%d FLASHes, %d pouch files: %v", n, len(files), err)
			}
		}
		if err := errors.Join(w.Check(), w.Audit()); err != nil {
			t.Fatal(err)
		}
	})
}
