package floor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"detente/directory"
	"detente/node"
	"detente/officer"
	"detente/officer/officertest"
)

// Whoever administers officers cannot make himself a second person: not by a link for somebody, not by one that he was given, not by a new passkey.
func TestTheSecondPersonIsAnother(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		ctx := t.Context()
		b := xn.bureau()
		anna, annas := b.enrol("anna", at(officer.HeadOfPost), officer.Grant{Post: "*", Role: officer.Administrator})
		boris, boriss := b.enrol("boris", at(officer.Deputy))
		clara, claras := b.enrol("clara", at(officer.Deputy))
		letIn := func(id, by string) {
			in, err := b.roll.Invite(ctx, id, by)
			must(t, err)
			_, _, err = b.roll.SignInByLink(ctx, in.Secret, "")
			must(t, err)
		}
		letIn("anna", "terminal")
		letIn("boris", "anna")
		letIn("clara", "terminal")
		refused := func(what string, by officer.Actor, p officer.Pending, response []byte) {
			t.Helper()
			if _, _, err := b.releases.Approve(ctx, p.ID, by, "", response); !errors.Is(err, officer.ErrSuspect) {
				t.Errorf("%s: %v", what, err)
			}
		}
		one, two := b.ask(anna, b.flash("One.")), b.ask(boris, b.flash("Two."))
		refused("an officer whom the drafter has let in", boris, one, b.signed(one, officer.Deputy, boriss))
		refused("the officer who has let in the drafter", anna, two, b.signed(two, officer.HeadOfPost, annas))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		late := officertest.Passkey(t, b.roll, "clara")
		refused("a passkey younger than the draft", clara, one, b.signed(one, officer.Deputy, late))
		if n := len(b.sent()); n != 0 {
			t.Fatalf("%d were sent", n)
		}
		_, _, err := b.releases.Approve(ctx, one.ID, clara, "", b.signed(one, officer.Deputy, claras))
		must(t, err)
		if n := len(b.sent()); n != 1 {
			t.Errorf("%d sent by two persons", n)
		}
	})
}

// A channel that was suspended after a draft was made lets it pass no more, whoever releases it; once it is open again it goes.
func TestASuspensionHoldsWhatWaits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world, xn, xs *capital) {
		ctx := t.Context()
		b := xn.bureau()
		anna, _ := b.enrol("anna", at(officer.DutyOfficer))
		boris, key := b.enrol("boris", at(officer.Deputy))
		suspended := true
		b.releases.Permit = func(_ context.Context, d *node.Draft, _ bool) error {
			if suspended && d.Channel == w.channel {
				return fmt.Errorf("%w: incidents", directory.ErrSuspended)
			}
			return nil
		}
		p := b.ask(anna, b.flash("The grid is down."))
		_, _, err := b.releases.Approve(ctx, p.ID, boris, "", b.signed(p, officer.Deputy, key))
		if !errors.Is(err, directory.ErrSuspended) || len(b.sent()) != 0 {
			t.Fatalf("released on a suspended channel: %v", err)
		}
		suspended = false
		p, _, err = b.releases.Approve(ctx, p.ID, boris, "", b.signed(p, officer.Deputy, key))
		if err != nil || p.State != officer.Done || len(b.sent()) != 1 {
			t.Errorf("it waited, and the channel is open: %s, %v", p.State, err)
		}
	})
}
