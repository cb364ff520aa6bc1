package secretariat_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/chatham"
	"detente/directory"
	"detente/form"
	"detente/node"
	"detente/secretariat"
	"detente/statement"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

// group opens a group under the Chatham House rule, and a session of it.
func (c *capital) group(t *testing.T) statement.ID {
	t.Helper()
	id := c.says(c.Open(t.Context(), c.World.Channels["experts"], traffic.Real, "group", form.Values{
		"name": map[string]string{"en": "Experts"}, "members": []any{"xn/council", "xs/council"}, "rapporteur": "xn/council", "rule": "chatham-house",
	})).ID
	d, err := c.OpenSession(c.talk(id), "first", time.Now(), time.Now().Add(3*time.Hour), 48*time.Hour, nil)
	must(t, err)
	must(t, c.Rehearse(c.talk(id), d))
	c.says(d, nil)
	return id
}

// heard is what a party holds of the last session of a group.
func (c *capital) heard(t *testing.T, id statement.ID) (out []string) {
	t.Helper()
	x, err := c.talk(id).Session("")
	must(t, err)
	list, err := c.Heard(t.Context(), x, time.Now())
	must(t, err)
	for _, s := range list {
		words := string(s.Speaker) + ": " + s.Words
		if s.Attributed {
			words += " (attributed)"
		}
		out = append(out, words)
	}
	return out
}

// What is said in a session goes from member to member in a sealed file, is nowhere in a feed or a journal, and is gone after its time.
func TestWhatIsSaidInASessionStaysThere(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		id := xn.group(t)
		pass(time.Minute)
		const secret = "Unspeakable admissions"
		x, err := xn.talk(id).Session("")
		must(t, err)
		_, err = xn.SayInSession(t.Context(), x, secret+" of one", time.Now())
		must(t, err)
		pass(time.Minute)
		y, err := xs.SayInSession(t.Context(), x, secret+" of the other", time.Now())
		must(t, err)
		for _, way := range [][2]*capital{{xn, xs}, {xs, xn}} {
			file, err := way[0].Sealed(t.Context(), x, false, time.Now())
			must(t, err)
			if bytes.Contains(file, []byte(secret)) {
				t.Error("the file for the others can be read by anybody")
			}
			for _, want := range []int{1, 0} { // a second time, nothing new comes
				got, err := way[1].Take(t.Context(), file, time.Now())
				must(t, err)
				if got.Came != want || got.Refused != 0 {
					t.Errorf("%+v", got)
				}
			}
		}
		if diff := cmp.Diff(xn.heard(t, id), xs.heard(t, id)); diff != "" {
			t.Error("the members heard differently:", diff)
		}
		// Another member can put any words into anybody's mouth; a stranger can not.
		if got, err := xs.Take(t.Context(), forged(t, x.Statement), time.Now()); err != nil || got.Came != 0 || got.Refused != 1 {
			t.Errorf("of a stranger: %+v, %v", got, err)
		}
		out, err := xs.Outside(t.Context(), x, time.Now())
		must(t, err)
		if len(out) != 2 || out[0].Words != secret+" of one" {
			t.Errorf("%+v", out)
		}
		// Its speaker, and nobody else, says later that it was his.
		said := y.ID()
		digits := hex.EncodeToString(said[:8])
		if _, err := xn.Attribute(t.Context(), xn.talk(id), x, digits, time.Now()); !errors.Is(err, secretariat.ErrNothing) {
			t.Error("one party attributes what another said:", err)
		}
		xs.says(xs.Attribute(t.Context(), xs.talk(id), x, digits, time.Now()))
		xn.says(xn.Output(xn.talk(id), x, map[string]string{"en": "Lists are compared."}), nil)
		pass(time.Minute)
		if got := xn.heard(t, id); len(got) != 2 || got[1] != "xs: "+secret+" of the other (attributed)" {
			t.Error(got)
		}
		for _, c := range []*capital{xn, xs} {
			nowhere(t, c, secret)
		}
		pass(52 * time.Hour)
		for _, c := range []*capital{xn, xs} {
			if _, err := c.Heard(t.Context(), x, time.Now()); !errors.Is(err, chatham.ErrOver) {
				t.Error("after its time:", err)
			}
			if n := kept(t, c); n != 0 {
				t.Errorf("%s keeps %d contributions after their time", c.ID, n)
			}
		}
		if g := xs.talk(id).Group; len(g.Sessions[0].Outputs) != 1 {
			t.Error("what was agreed on is not there any more")
		}
	})
}

// forged is a file for a session by whoever does not have its key.
func forged(t *testing.T, session statement.ID) []byte {
	t.Helper()
	s, err := chatham.Open(chatham.NewKey(), session, time.Now().Add(time.Hour))
	must(t, err)
	c, _, err := s.Say("xn", "We did it.", time.Now())
	must(t, err)
	sealed, err := s.Seal(c)
	must(t, err)
	return secretariat.FileOf(session, sealed)
}

// kept counts what a party keeps of sessions.
func kept(t *testing.T, c *capital) (n int) {
	t.Helper()
	must(t, secretariat.Count(t.Context(), c.Node.DB, &n))
	return n
}

// nowhere holds that words stand in no file of a party: not in the database, its log, the marks, nor in any entry of a feed.
func nowhere(t *testing.T, c *capital, words string) {
	t.Helper()
	err := filepath.WalkDir(c.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && bytes.Contains(b, []byte(words)) {
			t.Errorf("%s of %s has what was said in a session", filepath.Base(path), c.ID)
		}
		return err
	})
	must(t, err)
	x := c.talkOfGroup(t)
	for i := range x.Entries {
		for name, v := range x.Entries[i].Values {
			if text, ok := v.(string); ok && strings.Contains(text, words) {
				t.Errorf("the field %s of %s has what was said in a session", name, x.Entries[i].Form)
			}
		}
	}
	feed, err := c.Calendar(t.Context(), secretariat.Filter{}, "en", func(key string, _ ...any) string { return key })
	must(t, err)
	if bytes.Contains(feed, []byte(words)) || bytes.Contains(feed, []byte("first")) {
		t.Error("a calendar tells of a session")
	}
}

func (c *capital) talkOfGroup(t *testing.T) *secretariat.Talk {
	t.Helper()
	all, err := c.Talks(t.Context(), secretariat.Filter{Groups: true})
	must(t, err)
	return all[0]
}

// The council is suspended on all functions. The group, its sessions, what response teams tell each other, checks and notices of accidents go on.
func TestASuspendedCouncilStopsNoGroup(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		series, id := xn.opens(), xn.group(t)
		pass(time.Minute)
		xs.says(node.Draft{
			Channel: w.Channels["council"], Plane: traffic.Real, Precedence: traffic.Routine, Audience: statement.Everyone, Form: "status",
			Values: form.Values{"state": "suspended", "ground": "political", "functions": []any{"all"}},
		}, nil)
		pass(time.Minute)
		permitted := func(c *capital, d node.Draft) error { return c.standing.Permit(t.Context(), &d, false) }
		for _, c := range []*capital{xn, xs} {
			d, err := c.Say(c.talk(series), "round-proposal", form.Values{"mode": "virtual", "window": window(time.Hour)}, "", time.Now())
			must(t, err)
			if err := permitted(c, d); !errors.Is(err, directory.ErrSuspended) && !errors.Is(err, directory.ErrDeclined) {
				t.Errorf("%s: the council goes on: %v", c.ID, err)
			}
			on := func(channel, formID string, post traffic.Post, to string, v form.Values) node.Draft {
				return node.Draft{Channel: w.Channels[channel], Plane: traffic.Real, Precedence: traffic.Routine, Post: post, Audience: to, Form: formID, Values: v}
			}
			for what, d := range map[string]node.Draft{
				"a contribution":             on("experts", "contribution", "council", statement.Everyone, nil),
				"a session":                  on("experts", "session", "council", statement.Everyone, nil),
				"an output":                  on("experts", "session-output", "council", statement.Everyone, nil),
				"a report":                   on("experts", "report-adoption", "council", statement.Everyone, nil),
				"the text of a report":       on("experts", "position", "council", statement.Everyone, nil),
				"a check":                    on("council", "check", "council", string(c.Other()), nil),
				"an accident":                on("council", "notice", "council", string(c.Other()), form.Values{"subject": "accident"}),
				"one team to the other":      on("council", "notice", "cert", string(c.Other())+"/cert", form.Values{"subject": "other"}),
				"an inquiry among the teams": on("council", "inquiry", "cert", string(c.Other())+"/cert", nil),
			} {
				if err := permitted(c, d); err != nil {
					t.Errorf("%s: %s does not go on: %v", c.ID, what, err)
				}
			}
		}
		xs.talk(id)
		d, err := xn.OpenSession(xn.talk(id), "second", time.Now(), time.Now().Add(time.Hour), time.Hour, nil)
		xn.says(d, err)
		pass(time.Minute)
		if g := xs.talk(id).Group; len(g.Sessions) != 2 {
			t.Error("sessions:", len(g.Sessions))
		}
		if _, err := xn.Secretariat.Open(t.Context(), w.Channels["council"], traffic.Real, "group", nil); !errors.Is(err, secretariat.ErrUnprotected) {
			t.Error("a group is opened where a suspension could end it:", err)
		}
	})
}

func FuzzReadFile(f *testing.F) {
	f.Add(secretariat.FileOf(statement.ID{1}, []byte("sealed")))
	f.Add([]byte{0x83})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, sealed, err := secretariat.ReadFile(b)
		if err != nil {
			return
		}
		if again := secretariat.FileOf(id, sealed...); !bytes.Equal(again, b) {
			t.Fatal("a file has a second spelling")
		}
	})
}
