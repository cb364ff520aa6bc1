package feed_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"detente/feed"
	"detente/key"
	"detente/traffic"
)

// A text that a party signs is read by its keys only, and can never pass for a checkpoint.
func TestSignedTexts(t *testing.T) {
	signer, err := key.Generate(key.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	other, err := key.Generate(key.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := feed.Candidate{Key: verifier(t, signer)}, feed.Candidate{Key: verifier(t, other)}
	note, err := feed.SignText("detente.v1/view/x\n1\n", signer)
	if err != nil {
		t.Fatal(err)
	}
	if text, by, err := feed.OpenText(note, theirs, mine); err != nil || text != "detente.v1/view/x\n1\n" || by != mine.Key.ID() {
		t.Fatalf("%q by %v: %v", text, by, err)
	}
	for name, bad := range map[string]string{
		"another text":     strings.Replace(note, "\n1\n", "\n2\n", 1),
		"another name":     strings.Replace(note, "— detente.v1/view/x", "— detente.v1/view/y", 1),
		"two lines":        note + note[strings.Index(note, "—"):],
		"no line":          "detente.v1/view/x\n1\n",
		"a line cut short": note[:len(note)-9] + "\n",
		"nothing":          "",
	} {
		if _, _, err := feed.OpenText(bad, mine); !errors.Is(err, feed.ErrWord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := feed.OpenText(note, theirs); !errors.Is(err, feed.ErrWord) {
		t.Errorf("by another's key: %v", err)
	}
	c := feed.Checkpoint{Feed: traffic.Feed{Party: "xn", Plane: traffic.Real, Precedence: traffic.Routine}, Size: 1}
	if _, err := feed.SignText(c.Text(), signer); !errors.Is(err, feed.ErrWord) {
		t.Errorf("a checkpoint: %v", err)
	}
	line, err := c.Sign(signer, time.Unix(1795000200, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := feed.ReadNote(c.Note(line)); err != nil {
		t.Fatal(err)
	}
	if _, err := feed.ReadNote(note); !errors.Is(err, feed.ErrNote) {
		t.Errorf("a view read as a checkpoint: %v", err)
	}
}
