package officer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/officer"
	"detente/officer/officertest"
	"detente/store"
	"detente/store/storetest"

	"github.com/descope/virtualwebauthn"
)

const origin = "https://watch.xn.example"

// house is a party's officers, with the devices on which they keep their passkeys.
type house struct {
	t      *testing.T
	roll   *officer.Roll
	db     *store.DB
	events []officer.Event
}

func open(t *testing.T) *house {
	t.Helper()
	return openOn(t, storetest.Open(t, officer.Schema()))
}

func openOn(t *testing.T, db *store.DB) *house {
	t.Helper()
	h := &house{t: t, db: db}
	var err error
	h.roll, err = officer.New(officer.Config{DB: db, Origin: origin, Title: "Detente", Record: func(_ context.Context, e officer.Event) { h.events = append(h.events, e) }})
	must(t, err)
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func (h *house) enrol(id, role string) {
	h.t.Helper()
	_, err := h.roll.Set(h.t.Context(), officer.Officer{ID: id, Name: strings.ToUpper(id), Grants: []officer.Grant{{Post: "nrrc", Role: role}}}, "terminal")
	must(h.t, err)
}

// passkey has an officer add a passkey on a new device.
func (h *house) passkey(id string) *officertest.Device { return officertest.Passkey(h.t, h.roll, id) }

// onEach plays a story on each database engine that there is.
func onEach(t *testing.T, story func(t *testing.T, h *house)) {
	storetest.Each(t, func(t *testing.T, open func(schemas ...store.Schema) *store.DB) {
		story(t, openOn(t, open(officer.Schema())))
	})
}

func TestAnOfficerSignsInByLinkThenByPasskey(t *testing.T) { onEach(t, signsIn) }

func signsIn(t *testing.T, h *house) {
	h.enrol("anna", officer.DutyOfficer)
	in, err := h.roll.Invite(t.Context(), "anna", "terminal")
	must(t, err)
	first, s, err := h.roll.SignInByLink(t.Context(), in.Secret, "Firefox on Linux")
	must(t, err)
	if s.Means != officer.ByLink || s.Device != "Firefox on Linux" {
		t.Errorf("session %+v", s)
	}
	_, _, err = h.roll.SignInByLink(t.Context(), in.Secret, "")
	wants(t, err, officer.ErrSignIn) // it works once

	d := h.passkey("anna")
	second, _, err := d.SignIn()
	must(t, err)
	if first == second {
		t.Error("a sign-in has the token of the one before: whoever knew it is signed in too")
	}
	a, err := h.roll.Actor(t.Context(), second)
	must(t, err)
	if a.ID != "anna" || a.Means != officer.ByPasskey || !a.May(officer.Send, "nrrc") || a.May(officer.Send, "cert") || a.May(officer.Release, "nrrc") {
		t.Errorf("actor %+v", a)
	}
	// Nothing that was handed out can be found in what is kept.
	must(t, h.db.View(t.Context(), func(tx *store.Tx) error {
		for _, q := range []string{"SELECT token FROM officer_sessions", "SELECT link FROM officer_links"} {
			rows, err := store.All(t.Context(), tx, func(b *[]byte) []any { return []any{b} }, q)
			for _, b := range rows {
				if len(b) != 32 || strings.Contains(second, string(b)) {
					t.Errorf("%s keeps %q", q, b)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
	var said []string
	for _, e := range h.events {
		said = append(said, e.Form+" "+e.Action)
	}
	want := "officer enrolled, officer invited, session signed-in, officer passkey-added, session signed-in"
	if got := strings.Join(said, ", "); got != want {
		t.Errorf("recorded: %s\nwant: %s", got, want)
	}
}

// A sign-in gives a token that nobody could have known before; a session that was there stays what it was.
func TestSessionIsNotFixed(t *testing.T) {
	h := open(t)
	h.enrol("anna", officer.DutyOfficer)
	h.enrol("boris", officer.Deputy)
	a, b := h.passkey("anna"), h.passkey("boris")
	planted, _, err := b.SignIn()
	must(t, err)
	own, _, err := a.SignIn()
	must(t, err)
	if who, err := h.roll.Actor(t.Context(), planted); err != nil || who.ID != "boris" {
		t.Errorf("the planted token is %v, %v", who.ID, err)
	}
	if who, err := h.roll.Actor(t.Context(), own); err != nil || who.ID != "anna" {
		t.Errorf("the own token is %v, %v", who.ID, err)
	}
	for _, made := range []string{"", "ds_", "dt_", "ds_AAAA", own[:len(own)-1], strings.Replace(own, "ds_", "dt_", 1), own + "A"} {
		_, err := h.roll.Actor(t.Context(), made)
		wants(t, err, officer.ErrSession)
	}
}

func TestSignInIsRefused(t *testing.T) {
	h := open(t)
	h.enrol("anna", officer.DutyOfficer)
	d := h.passkey("anna")
	begin := func() []byte {
		t.Helper()
		options, err := h.roll.BeginSignIn(t.Context())
		must(t, err)
		return options
	}
	finish := func(answer []byte) error {
		_, _, err := h.roll.FinishSignIn(t.Context(), answer, "")
		return err
	}
	t.Run("the same answer again", func(t *testing.T) {
		answer := d.Sign(begin())
		must(t, finish(answer))
		wants(t, finish(answer), officer.ErrSignIn)
	})
	t.Run("a challenge nobody asked", func(t *testing.T) {
		made := []byte(`{"publicKey":{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","rpId":"watch.xn.example"}}`)
		wants(t, finish(d.Sign(made)), officer.ErrSignIn)
	})
	t.Run("another site's page", func(t *testing.T) {
		other := *d
		other.RP.Origin = "https://watch.xn.example.evil.example"
		wants(t, finish(other.Sign(begin())), officer.ErrSignIn)
	})
	t.Run("another site's key", func(t *testing.T) {
		other := *d
		other.RP.ID = "evil.example"
		wants(t, finish(other.Sign(begin())), officer.ErrSignIn)
	})
	t.Run("nobody verified", func(t *testing.T) {
		d.Auth.Options.UserNotVerified = true
		defer func() { d.Auth.Options.UserNotVerified = false }()
		wants(t, finish(d.Sign(begin())), officer.ErrSignIn)
	})
	t.Run("another key", func(t *testing.T) {
		other := *d
		other.Cred = officertest.Credential()
		other.Cred.ID = d.Cred.ID
		wants(t, finish(other.Sign(begin())), officer.ErrSignIn)
	})
	t.Run("the counter goes backwards", func(t *testing.T) {
		d.Cred.Counter = 40
		must(t, finish(d.Sign(begin())))
		d.Cred.Counter = 10
		wants(t, finish(d.Sign(begin())), officer.ErrSignIn)
		d.Cred.Counter = 41
	})
	t.Run("the answer to adding a passkey", func(t *testing.T) {
		options, err := h.roll.BeginPasskey(t.Context(), "anna")
		must(t, err)
		wants(t, finish(d.Sign(options)), officer.ErrSignIn)
	})
	t.Run("junk", func(t *testing.T) {
		wants(t, finish([]byte("{")), officer.ErrSignIn)
	})
	t.Run("a passkey that was removed", func(t *testing.T) {
		o, err := h.roll.Officer(t.Context(), "anna")
		must(t, err)
		_, err = h.roll.RemovePasskey(t.Context(), "anna", o.Passkeys[0].ID, "anna")
		must(t, err)
		wants(t, finish(d.Sign(begin())), officer.ErrSignIn)
	})
	refusals := 0
	for _, e := range h.events {
		if e.Form == "session" && e.Action == "refused" && e.Officer == "anna" {
			refusals++
		}
	}
	if refusals < 5 {
		t.Errorf("%d refusals were recorded", refusals)
	}
}

func TestAPasskeyIsAddedByWhoBegan(t *testing.T) {
	h := open(t)
	h.enrol("anna", officer.DutyOfficer)
	h.enrol("boris", officer.Deputy)
	options, err := h.roll.BeginPasskey(t.Context(), "anna")
	must(t, err)
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	must(t, err)
	answer := virtualwebauthn.CreateAttestationResponse(virtualwebauthn.RelyingParty{ID: "watch.xn.example", Name: "Detente", Origin: origin}, virtualwebauthn.NewAuthenticator(), officertest.Credential(), *asked)
	_, err = h.roll.FinishPasskey(t.Context(), "boris", []byte(answer), "")
	wants(t, err, officer.ErrSignIn)
	_, err = h.roll.FinishPasskey(t.Context(), "anna", []byte(answer), "")
	wants(t, err, officer.ErrSignIn) // the challenge is used up
}

func TestSessionsAndLinksEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		defer func() { must(t, h.db.Close()) }()
		h.enrol("anna", officer.DutyOfficer)
		d := h.passkey("anna")
		alive := func(token string) bool {
			_, err := h.roll.Actor(t.Context(), token)
			if err != nil {
				wants(t, err, officer.ErrSession)
			}
			return err == nil
		}
		token, _, err := d.SignIn()
		must(t, err)
		for range 3 { // somebody who works stays signed in
			time.Sleep(7 * time.Hour)
			if !alive(token) {
				t.Fatal("the session ended under the hands of its officer")
			}
		}
		time.Sleep(4 * time.Hour)
		if alive(token) {
			t.Error("the session lasts longer than a day")
		}
		token, _, err = d.SignIn()
		must(t, err)
		time.Sleep(13 * time.Hour)
		if alive(token) {
			t.Error("the session outlives 12 idle hours")
		}
		if all, err := h.roll.Sessions(t.Context(), ""); err != nil || len(all) != 0 {
			t.Errorf("sessions %v, %v", all, err)
		}

		in, err := h.roll.Invite(t.Context(), "anna", "terminal")
		must(t, err)
		time.Sleep(officer.LinkLife)
		_, _, err = h.roll.SignInByLink(t.Context(), in.Secret, "")
		wants(t, err, officer.ErrSignIn)

		options, err := h.roll.BeginSignIn(t.Context())
		must(t, err)
		time.Sleep(6 * time.Minute)
		_, _, err = h.roll.FinishSignIn(t.Context(), d.Sign(options), "")
		wants(t, err, officer.ErrSignIn)
	})
}

func TestAccessEndsAtOnce(t *testing.T) { onEach(t, accessEnds) }

func accessEnds(t *testing.T, h *house) {
	h.enrol("anna", officer.DutyOfficer)
	d := h.passkey("anna")
	one, s, err := d.SignIn()
	must(t, err)
	two, _, err := d.SignIn()
	must(t, err)
	tool, err := h.roll.NewToken(t.Context(), "anna", "anna")
	must(t, err)
	in, err := h.roll.Invite(t.Context(), "anna", "terminal")
	must(t, err)
	ended := func(token string) {
		t.Helper()
		_, err := h.roll.Actor(t.Context(), token)
		wants(t, err, officer.ErrSession)
	}
	must(t, h.roll.Revoke(t.Context(), s.ID, "boss"))
	ended(one)
	wants(t, h.roll.Revoke(t.Context(), s.ID, "boss"), officer.ErrNotFound)
	if a, err := h.roll.Actor(t.Context(), tool); err != nil || a.Means != officer.ByToken {
		t.Errorf("token: %+v, %v", a, err)
	}
	again, err := h.roll.NewToken(t.Context(), "anna", "anna")
	must(t, err)
	ended(tool)
	// What he may do changes with the next request, and so does whether he may do anything.
	_, err = h.roll.Set(t.Context(), officer.Officer{ID: "anna", Name: "A", Grants: []officer.Grant{{Post: "*", Role: officer.Auditor}}}, "boss")
	must(t, err)
	if a, err := h.roll.Actor(t.Context(), two); err != nil || a.May(officer.Send, "nrrc") || !a.May(officer.Inspect, "") {
		t.Errorf("%+v, %v", a, err)
	}
	_, err = h.roll.Remove(t.Context(), "anna", "boss")
	must(t, err)
	ended(two)
	ended(again)
	_, _, err = h.roll.SignInByLink(t.Context(), in.Secret, "")
	wants(t, err, officer.ErrSignIn)
	_, _, err = d.SignIn()
	wants(t, err, officer.ErrSignIn)
	_, err = h.roll.Invite(t.Context(), "anna", "boss")
	wants(t, err, officer.ErrNoOfficer)
	// Enrolled anew he begins anew.
	h.enrol("anna", officer.DutyOfficer)
	_, _, err = d.SignIn()
	wants(t, err, officer.ErrSignIn)
}

func TestTheRollRefusesWhatIsNoEntry(t *testing.T) {
	h := open(t)
	good := officer.Officer{ID: "anna", Name: "Anna", Grants: []officer.Grant{{Post: "*", Role: officer.Administrator}}, OpenID: "s1"}
	_, err := h.roll.Set(t.Context(), good, "terminal")
	must(t, err)
	for name, change := range map[string]func(*officer.Officer){
		"id": func(o *officer.Officer) { o.ID = "Anna" }, "reserved id": func(o *officer.Officer) { o.ID = "terminal" },
		"machine's id": func(o *officer.Officer) { o.ID = "node" }, "no name": func(o *officer.Officer) { o.Name = " " },
		"two lines": func(o *officer.Officer) { o.Name = "a\nb" }, "role": func(o *officer.Officer) { o.Grants[0].Role = "king" },
		"post": func(o *officer.Officer) { o.Grants[0].Post = "N R" }, "language": func(o *officer.Officer) { o.Language = "??" },
		"mail": func(o *officer.Officer) { o.Mail = "A <a@b.example>" }, "header in mail": func(o *officer.Officer) { o.Mail = "a@b.example\r\nBcc: x@y.example" },
		"webhook": func(o *officer.Officer) { o.Webhook = "file:///etc" }, "password in it": func(o *officer.Officer) { o.Webhook = "https://a:b@c.example" },
		"subject of another": func(o *officer.Officer) { o.ID = "boris" },
	} {
		o := good
		o.Grants = []officer.Grant{good.Grants[0]}
		change(&o)
		if _, err := h.roll.Set(t.Context(), o, "terminal"); !errors.Is(err, officer.ErrField) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = h.roll.Remove(t.Context(), "anna", "anna")
	wants(t, err, officer.ErrLast)
	demoted := good
	demoted.Grants = []officer.Grant{{Post: "*", Role: officer.Auditor}}
	_, err = h.roll.Set(t.Context(), demoted, "anna")
	wants(t, err, officer.ErrLast)
	_, err = h.roll.Remove(t.Context(), "anna", "terminal") // whoever has the machine has the last word
	must(t, err)
}

func TestOriginsThatBrowsersWouldRefuse(t *testing.T) {
	for _, o := range []string{"watch.example", "http://watch.example", "https://10.0.0.1", "https://watch.example/path", "ftp://watch.example", "https://u:p@watch.example"} {
		if _, err := officer.New(officer.Config{Origin: o}); !errors.Is(err, officer.ErrField) {
			t.Errorf("%s: %v", o, err)
		}
	}
	for _, o := range []string{"https://watch.example", "https://watch.example:8443", "http://localhost:7480"} {
		if _, err := officer.New(officer.Config{Origin: o}); err != nil {
			t.Errorf("%s: %v", o, err)
		}
	}
	r, err := officer.New(officer.Config{})
	must(t, err)
	_, err = r.BeginSignIn(t.Context())
	wants(t, err, officer.ErrNoConsole)
}

// A release goes from state to state, and one process at a time does what was approved.
func TestAReleaseGoesFromStateToState(t *testing.T) { onEach(t, releaseGoes) }

func releaseGoes(t *testing.T, h *house) {
	ctx := t.Context()
	h.enrol("anna", officer.DutyOfficer)
	h.enrol("boris", officer.Deputy)
	d := h.passkey("boris")
	boris := officer.Actor{ID: "boris", Grants: []officer.Grant{{Post: "nrrc", Role: officer.Deputy}}}
	p, err := h.roll.Ask(ctx, officer.Pending{
		Kind: officer.KindStatement, Post: "nrrc", Digest: [32]byte{1}, Draft: []byte("draft"), Officer: "anna", Role: officer.DutyOfficer,
	})
	must(t, err)
	if _, ok, err := h.roll.Claim(ctx, p.ID, "one", 0, 7); err != nil || ok {
		t.Errorf("what was not approved is claimed: %v, %v", ok, err)
	}
	decision := officer.Decision{By: boris, Role: officer.Deputy, Digest: [32]byte{2}, Response: d.Approve([32]byte{2})}
	approved, err := h.roll.Approve(ctx, p.ID, decision)
	must(t, err)
	if approved.State != officer.Approved || len(approved.Approvals) != 1 {
		t.Errorf("%+v", approved)
	}
	_, err = h.roll.Approve(ctx, p.ID, decision)
	wants(t, err, officer.ErrNotOpen)
	first, ok, err := h.roll.Claim(ctx, p.ID, "one", 0, 7)
	if err != nil || !ok || first.Size != 7 {
		t.Fatalf("claim: %v %v %d", ok, err, first.Size)
	}
	second, ok, err := h.roll.Claim(ctx, p.ID, "two", 0, 9)
	must(t, err)
	if ok == h.db.Multi() { // where other processes may be, it is the first's for a while; where none can be, the first is dead
		t.Errorf("the claim of a second process: %v", ok)
	}
	if ok && second.Size != 7 {
		t.Errorf("the second looks from %d on", second.Size)
	}
	id := make([]byte, 32)
	id[0] = 9
	must(t, h.roll.Mark(ctx, p.ID, officer.Sent, id))
	if taken, err := h.roll.Taken(ctx, id); err != nil || !taken {
		t.Errorf("taken %v, %v", taken, err)
	}
	undone, err := h.roll.Releases(ctx, officer.Approved, officer.Sent)
	if err != nil || len(undone) != 1 || string(undone[0].Statement) != string(id) || undone[0].Approvals[0].Digest != [32]byte{2} {
		t.Errorf("undone %+v, %v", undone, err)
	}
	must(t, h.roll.Mark(ctx, p.ID, officer.Done, id))
	q, err := h.roll.Ask(ctx, officer.Pending{Kind: officer.KindHandover, Post: "nrrc", Draft: []byte{}, Officer: "anna", Role: officer.DutyOfficer, Needs: []string{"anna", "boris"}})
	must(t, err)
	q, err = h.roll.Approve(ctx, q.ID, officer.Decision{By: officer.Terminal()})
	if err != nil || q.State != officer.Waiting || len(q.Missing()) != 1 {
		t.Errorf("the terminal signs for one: %+v, %v", q, err)
	}
	if _, next, err := h.roll.Lapse(ctx); err != nil || !next.Equal(q.Until) {
		t.Errorf("lapses at %v, %v", next, err)
	}
	_, err = h.roll.Refuse(ctx, q.ID, "boris")
	must(t, err)
	_, err = h.roll.Refuse(ctx, q.ID, "boris")
	wants(t, err, officer.ErrNotOpen)
	_, err = h.roll.Release(ctx, "nosuch")
	wants(t, err, officer.ErrNotFound)
}
