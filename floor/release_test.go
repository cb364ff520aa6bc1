package floor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"detente/feed"
	"detente/floor"
	"detente/floor/release"
	"detente/form"
	"detente/journal"
	"detente/node"
	"detente/officer"
	"detente/officer/officertest"
	"detente/statement"
	"detente/store"
	"detente/traffic"
)

// bureau is the officers of a capital, with where their drafts wait. It is made anew after a restart, as the process makes it.
type bureau struct {
	*capital
	roll     *officer.Roll
	releases *release.Desk
	journal  *journal.Journal
}

func (c *capital) bureau() *bureau {
	c.world.t.Helper()
	b := &bureau{capital: c}
	var err error
	b.roll, err = officer.New(officer.Config{DB: c.node.DB, Origin: "https://watch.xn.example"})
	must(c.world.t, err)
	b.journal, err = journal.Open(c.node)
	must(c.world.t, err)
	b.releases = release.New(c.node, b.roll, b.journal, nil)
	return b
}

func (b *bureau) enrol(id string, grants ...officer.Grant) (officer.Actor, *officertest.Device) {
	b.world.t.Helper()
	_, err := b.roll.Set(b.world.t.Context(), officer.Officer{ID: id, Name: id, Grants: grants}, "terminal")
	must(b.world.t, err)
	return officer.Actor{ID: id, Grants: grants}, officertest.Passkey(b.world.t, b.roll, id)
}

func at(role string) officer.Grant { return officer.Grant{Post: "nrrc", Role: role} }

func (b *bureau) flash(text string) node.Draft {
	return node.Draft{
		Channel: b.world.channel, Plane: traffic.Real, Precedence: traffic.Flash, Post: "nrrc", Audience: "xs/nrrc", Form: "notice", Language: "en",
		Values: form.Values{"subject": "accident", "text": text},
	}
}

// ask has an officer draft what he may not send alone.
func (b *bureau) ask(by officer.Actor, d node.Draft) officer.Pending {
	b.world.t.Helper()
	_, err := b.releases.Say(b.world.t.Context(), by, officer.Send, d, false)
	e, ok := errors.AsType[*release.Needed](err)
	if !ok {
		b.world.t.Fatalf("it was sent by one person: %v", err)
	}
	return e.Release
}

// signed is an officer's approval of a release in a role.
func (b *bureau) signed(p officer.Pending, role string, d *officertest.Device) []byte {
	b.world.t.Helper()
	digest, err := b.releases.Digest(p, role)
	must(b.world.t, err)
	return d.Approve(digest)
}

// sent lists the statements that this party has said on the channel at FLASH.
func (b *bureau) sent() (out []*statement.Statement) {
	b.world.t.Helper()
	must(b.world.t, b.node.DB.View(b.world.t.Context(), func(tx *store.Tx) error {
		out = nil
		h, err := feed.Find(b.world.t.Context(), tx, traffic.Feed{Channel: b.world.channel, Party: b.id, Plane: traffic.Real, Precedence: traffic.Flash})
		if errors.Is(err, feed.ErrNoFeed) {
			return nil
		}
		if err != nil {
			return err
		}
		return h.Range(b.world.t.Context(), tx, 0, h.Size, func(e feed.Entry) bool {
			s, err := statement.Decode(e.Bytes)
			if err != nil || e.Reason != "" {
				b.world.t.Errorf("entry %d is %s, %v", e.Index, e.Reason, err)
			}
			out = append(out, s)
			return true
		})
	}))
	return out
}

// approvals lists the approvals that the journal keeps.
func (b *bureau) approvals() (out []form.Values) {
	b.world.t.Helper()
	_, err := b.journal.Each(b.world.t.Context(), 0, func(e journal.Entry) bool {
		if e.Statement.Form == "release" && e.Values.Text("action") == "approved" {
			out = append(out, e.Values)
		}
		return true
	})
	must(b.world.t, err)
	return out
}

func TestAFlashIsSentWhenASecondPersonHasReleasedIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		ctx := t.Context()
		b := xn.bureau()
		anna, _ := b.enrol("anna", at(officer.DutyOfficer))
		boris, key := b.enrol("boris", at(officer.Deputy))
		p := b.ask(anna, b.flash("The grid is down."))
		if len(b.sent()) != 0 {
			t.Fatal("it was sent before anybody released it")
		}
		p, sent, err := b.releases.Approve(ctx, p.ID, boris, "", b.signed(p, officer.Deputy, key))
		must(t, err)
		all := b.sent()
		if p.State != officer.Done || len(all) != 1 || all[0].ID() != sent.ID || all[0].Drafter != officer.DutyOfficer || all[0].Releaser != officer.Deputy {
			t.Fatalf("%s, %d sent: %+v", p.State, len(all), all)
		}
		// Whoever has the statement and the journal's entry, and nothing else, sees that this statement was approved, by this key.
		kept := b.approvals()
		if len(kept) != 1 || statement.ID(kept[0].Bytes("statement")) != sent.ID {
			t.Fatalf("journal: %v", kept)
		}
		digest, err := all[0].Release(all[0].Payload)
		must(t, err)
		from, err := officer.VerifyApproval(kept[0].Bytes("credential"), kept[0].Bytes("assertion"), digest)
		if err != nil || from != "https://watch.xn.example" {
			t.Errorf("approval of the statement: %q, %v", from, err)
		}
		changed := all[0].Header
		changed.Audience = "xs"
		other, err := changed.Release(all[0].Payload)
		must(t, err)
		if _, err := officer.VerifyApproval(kept[0].Bytes("credential"), kept[0].Bytes("assertion"), other); !errors.Is(err, officer.ErrAssertion) {
			t.Errorf("it is taken for the approval of another statement: %v", err)
		}
	})
}

func TestWhoMayNotRelease(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		ctx := t.Context()
		b := xn.bureau()
		anna, annas := b.enrol("anna", at(officer.DutyOfficer), at(officer.Deputy))
		boris, key := b.enrol("boris", at(officer.Deputy))
		dora, doras := b.enrol("dora", at(officer.DutyOfficer))
		other, others := b.enrol("other", officer.Grant{Post: "cert", Role: officer.Deputy})
		p, q := b.ask(anna, b.flash("One.")), b.ask(anna, b.flash("Two."))
		digest := func(p officer.Pending) [32]byte {
			d, err := b.releases.Digest(p, officer.Deputy)
			must(t, err)
			return d
		}
		refuse := func(name string, by officer.Actor, role string, response []byte, want error) {
			t.Helper()
			if _, _, err := b.releases.Approve(ctx, p.ID, by, role, response); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		refuse("the drafter himself, as a deputy", anna, "", annas.Approve(digest(p)), officer.ErrOwnDraft)
		refuse("who has no right to release", dora, "", doras.Approve(digest(p)), officer.ErrRole)
		refuse("a deputy of another post", other, "", others.Approve(digest(p)), officer.ErrRole)
		refuse("a role that he has not", boris, officer.HeadOfPost, key.Approve(digest(p)), officer.ErrRole)
		refuse("without a passkey's word", boris, "", nil, officer.ErrAssertion)
		refuse("the approval of another draft", boris, "", key.Approve(digest(q)), officer.ErrAssertion)
		refuse("the digest without a releaser", boris, "", key.Approve(p.Digest), officer.ErrAssertion)
		refuse("another's passkey", boris, "", doras.Approve(digest(p)), officer.ErrAssertion)
		page := *key
		page.RP.Origin = "https://evil.example"
		refuse("given on another site's page", boris, "", page.Approve(digest(p)), officer.ErrAssertion)
		page = *key
		page.Auth.Options.UserNotVerified = true
		refuse("nobody verified", boris, "", page.Approve(digest(p)), officer.ErrAssertion)
		key.Cred.Counter = 50
		_, _, err := key.SignIn()
		must(t, err)
		key.Cred.Counter = 20
		refuse("a copy of the key", boris, "", key.Approve(digest(p)), officer.ErrSignIn)
		key.Cred.Counter = 60
		if len(b.sent()) != 0 {
			t.Fatal("something was sent")
		}
		_, err = b.releases.Refuse(ctx, p.ID, dora, "I may not")
		if !errors.Is(err, officer.ErrRole) {
			t.Errorf("refused by who has no right to: %v", err)
		}
		_, err = b.releases.Refuse(ctx, p.ID, boris, "Not yet.")
		must(t, err)
		refuse("what was refused", boris, "", key.Approve(digest(p)), officer.ErrNotOpen)
		r, err := b.releases.Refuse(ctx, q.ID, anna, "I was wrong.")
		if err != nil || r.State != officer.Withdrawn {
			t.Errorf("withdrawn: %s, %v", r.State, err)
		}
		p = b.ask(anna, b.flash("Three."))
		time.Sleep(officer.ReleaseLife)
		refuse("what has waited too long", boris, "", key.Approve(digest(p)), officer.ErrNotOpen)
		_, err = b.releases.Tend(ctx)
		must(t, err)
		if p, err = b.roll.Release(ctx, p.ID); err != nil || p.State != officer.Lapsed {
			t.Errorf("%s, %v", p.State, err)
		}
	})
}

// Nothing is said in the name of the council by one person alone, whatever the form; but that something was received is.
func TestTheCouncilSpeaksByTwo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		b := xn.bureau()
		head := officer.Actor{ID: "clara", Grants: []officer.Grant{{Post: "*", Role: officer.HeadOfPost}}}
		d := node.Draft{
			Channel: w.channel, Plane: traffic.Real, Precedence: traffic.Routine, Post: "nrrc", Audience: "xs", Form: "goodwill", Language: "en",
			Values: form.Values{"text": "A good year."},
		}
		_, err := b.releases.Say(t.Context(), head, officer.Send, d, false)
		must(t, err)
		d.Post = release.Council
		if _, err := b.releases.Say(t.Context(), head, officer.Send, d, false); err == nil {
			t.Error("the council spoke by one person")
		}
		if _, err := b.releases.Say(t.Context(), officer.Actor{ID: "x"}, officer.Send, d, false); !errors.Is(err, officer.ErrRole) {
			t.Errorf("nobody's word: %v", err)
		}
	})
}

var errDead = errors.New("the process is dead")

// Wherever the process dies between the approval and the end, the statement is there once, and so is its approval in the journal.
func TestAReleaseIsSentOnceWhereverTheProcessDies(t *testing.T) {
	died := true
	for n := 1; died; n++ {
		for _, step := range []string{"commit", "committed"} {
			t.Run(fmt.Sprintf("%s %d", step, n), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
					ctx := t.Context()
					b := xn.bureau()
					anna, _ := b.enrol("anna", at(officer.DutyOfficer))
					boris, key := b.enrol("boris", at(officer.Deputy))
					same := b.ask(anna, b.flash("The grid is down.")) // in the same words, and of another release
					p := b.ask(anna, b.flash("The grid is down."))
					_, _, err := b.releases.Approve(ctx, same.ID, boris, "", b.signed(same, officer.Deputy, key))
					must(t, err)
					synctest.Wait()

					seen := 0
					died = false
					xn.trap(func(s string) error {
						if died {
							return errDead
						}
						if s == step {
							seen++
						}
						if died = seen == n; died {
							return errDead
						}
						return nil
					})
					answer := b.signed(p, officer.Deputy, key)
					b.releases.Approve(ctx, p.ID, boris, "", answer)
					xn.stop()
					xn.trap(nil)
					xn.start()
					b = xn.bureau()
					_, err = b.releases.Tend(context.WithoutCancel(ctx))
					must(t, err)
					p, err = b.roll.Release(ctx, p.ID)
					must(t, err)
					if p.State == officer.Waiting { // the approval was not kept, and he was not told that it was
						if len(b.sent()) != 1 {
							t.Fatalf("%d were sent, one of them unreleased", len(b.sent()))
						}
						p, _, err = b.releases.Approve(ctx, p.ID, boris, "", b.signed(p, officer.Deputy, key))
						must(t, err)
					}
					if p.State != officer.Done || len(b.sent()) != 2 {
						t.Errorf("%s, and %d were sent", p.State, len(b.sent()))
					}
					for range 2 {
						_, err = b.releases.Tend(ctx)
						must(t, err)
					}
					if len(b.sent()) != 2 {
						t.Errorf("%d were sent in the end", len(b.sent()))
					}
					found := map[string]bool{}
					for _, v := range b.approvals() {
						found[string(v.Bytes("statement"))] = true
					}
					if len(found) != 2 {
						t.Errorf("the journal has approvals of %d statements", len(found))
					}
				})
			})
		}
	}
}

func TestAHandOverIsDoneWhenBothHaveApprovedIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		ctx := t.Context()
		b := xn.bureau()
		anna, annas := b.enrol("anna", at(officer.DutyOfficer))
		boris, boriss := b.enrol("boris", at(officer.DutyOfficer))
		clara, claras := b.enrol("clara", at(officer.HeadOfPost))
		var done []officer.Pending
		b.releases.HandedOver = func(_ context.Context, p officer.Pending) error { done = append(done, p); return nil }
		digest := [32]byte{1, 2, 3}
		id, err := b.releases.AskHandover(ctx, "nrrc", floor.By{Officer: "anna", Role: officer.DutyOfficer}, digest, []string{"anna", "boris"}, []byte("two open items"))
		must(t, err)
		if _, _, err := b.releases.Approve(ctx, id, clara, "", claras.Approve(digest)); !errors.Is(err, officer.ErrRole) {
			t.Errorf("somebody else: %v", err)
		}
		p, _, err := b.releases.Approve(ctx, id, anna, "", annas.Approve(digest))
		must(t, err)
		if p.State != officer.Waiting || len(done) != 0 {
			t.Errorf("%s after one", p.State)
		}
		if _, _, err := b.releases.Approve(ctx, id, anna, "", annas.Approve(digest)); !errors.Is(err, officer.ErrRole) {
			t.Errorf("the same officer twice: %v", err)
		}
		p, _, err = b.releases.Approve(ctx, id, boris, "", boriss.Approve(digest))
		must(t, err)
		if p.State != officer.Done || len(done) != 1 || string(done[0].Draft) != "two open items" || len(done[0].Approvals) != 2 {
			t.Errorf("%s, %+v", p.State, done)
		}
	})
}
