package instrument_test

import (
	"testing"
	"time"

	"detente/form"
	"detente/instrument"
	"detente/sealing"
	"detente/statement"
)

// A treaty from the first bracket to its end.
func TestATreatyClimbsTheLadder(t *testing.T) {
	w := begin(t, "treaty", "legal", "en ru", "xn", "xs")
	w.rung(instrument.Opened, 0)
	w.order("article a1\nparagraph p1", "xn", "xs")
	w.agree("a1", texts("en", "Notices", "ru", "Уведомления"), "xs", "xn")
	w.does("xn", "position", form.Values{"provision": "p1", "texts": texts("en", "Each Party shall notify without delay.", "ru", "Каждая Сторона уведомляет незамедлительно.")})
	day := texts("en", "Each Party shall notify within 24 hours.", "ru", "Каждая Сторона уведомляет в течение 24 часов.")
	w.does("xs", "position", form.Values{"provision": "p1", "texts": day})
	w.rung(instrument.Tabled, 0)
	w.does("xn", "reservation", with(accepts("p1", day), "reason", "scrutiny", "words", "the capital is asked"))
	if ok, why := w.fold().Agreed("p1"); ok || why != instrument.Reserve {
		t.Errorf("under scrutiny it is agreed: %v, %s", ok, why)
	}
	w.does("xn", "acceptance", accepts("p1", day))
	w.rung(instrument.AgreedText, 0)

	text, err := w.fold().Clean()
	if err != nil {
		t.Fatal(err)
	}
	d := text.Digest()
	w.does("xn", "conformity", form.Values{"text": d[:], "languages": "en ru", "officer": "Language service"})
	w.rung(instrument.Scrubbed, 0)
	w.does("xs", "conformity", form.Values{"text": d[:], "languages": "ru", "officer": "Translation bureau"})
	w.rung(instrument.Scrubbed, 0) // one language alone compares nothing
	w.does("xs", "conformity", form.Values{"text": d[:], "languages": "ru en", "officer": "Translation bureau"})
	w.rung(instrument.Certified, 0)

	h := w.tables(func(m *sealing.Manifest) {
		m.Duration, m.Renewal, m.Notice = sealing.Period{Years: 3}, sealing.Period{Years: 3}, sealing.Period{Months: 6}
	})
	w.refused(instrument.NoPowers, "xn", "initialling", form.Values{"manifest": h})
	w.empower("xn", nil)
	w.empower("xs", nil)
	w.does("xn", "initialling", form.Values{"manifest": h})
	w.rung(instrument.Certified, 0)
	w.does("xs", "initialling", form.Values{"manifest": h})
	w.rung(instrument.Initialled, 0)
	w.refused(instrument.Already, "xs", "initialling", form.Values{"manifest": h})
	w.refused(instrument.Frozen, "xs", "withdrawal", form.Values{"provision": "p1"})

	w.does("xn", "signature", form.Values{"manifest": h, "manner": "subject-to-ratification"})
	signed := w.does("xs", "signature", form.Values{"manifest": h, "manner": "ad-referendum"})
	w.rung(instrument.Initialled, 0)
	w.refused(instrument.NotParty, "xn", "confirmation", form.Values{}, signed)
	w.does("xs", "confirmation", form.Values{}, signed)
	w.rung(instrument.Signed, 0)
	effect := w.now
	w.does("xn", "consent", form.Values{"manifest": h, "manner": "ratification"})
	s := w.rung(instrument.InForce, 0)
	if !s.InForce.Equal(effect) || len(s.Bound) != 2 || !s.Until.Equal(effect.AddDate(3, 0, 0)) {
		t.Errorf("in force from %s until %s for %v", s.InForce, s.Until, s.Bound)
	}
	if later := w.rung(instrument.InForce, days(4*365)); !later.Until.Equal(effect.AddDate(6, 0, 0)) {
		t.Errorf("renewed until %s", later.Until)
	}
	if before := w.fold().Status(effect.Add(-time.Second)); before.Rung != instrument.Signed {
		t.Errorf("a moment before it is %s", before.Rung)
	}

	partly := w.does("xs", "suspension-notice", form.Values{"manifest": h, "provisions": "p1", "ground": "a reason"})
	if s := w.rung(instrument.InForce, 0); len(s.Suspended) != 1 || len(s.Suspenders) != 1 {
		t.Errorf("suspended: %v by %v", s.Suspended, s.Suspenders)
	}
	w.does("xs", "suspension-notice", form.Values{"manifest": h, "ground": "a reason"})
	w.rung(instrument.Suspended, 0)
	w.does("xs", "resumption", form.Values{"manifest": h, "ground": "it is gone"})
	if s := w.rung(instrument.InForce, 0); len(s.Suspended)+len(s.Suspenders) != 0 {
		t.Errorf("suspended: %v", s.Suspended)
	}
	w.refused(instrument.NotParty, "xn", "notice-revocation", form.Values{}, partly)

	notice := w.does("xn", "termination-notice", form.Values{"manifest": h, "effect": w.now.Add(days(7)).Unix()})
	if e, _ := w.fold().Find(notice); len(e.Remarks) != 1 || e.Remarks[0] != instrument.ShortNotice {
		t.Errorf("a notice of a week where six months are due: %v", e.Remarks)
	}
	w.rung(instrument.InForce, days(170))
	w.rung(instrument.Ended, days(190))
	w.does("xn", "notice-revocation", form.Values{}, notice)
	w.rung(instrument.InForce, days(190))
	w.does("xs", "termination-notice", form.Values{"manifest": h, "effect": w.now.Add(days(300)).Unix()})
	w.rung(instrument.InForce, days(298))
	last := w.does("xs", "termination-notice", form.Values{"manifest": h, "effect": w.now.Add(days(310)).Unix()})
	w.now = w.now.Add(days(320))
	w.refused(instrument.Already, "xs", "notice-revocation", form.Values{}, last) // it has taken effect
	w.now = w.now.Add(-days(320))
	if s := w.rung(instrument.Ended, days(301)); len(s.Bound) != 0 {
		t.Errorf("both are released at one instant, but %v are bound", s.Bound)
	}
}

func with(v form.Values, pairs ...any) form.Values {
	for i := 0; i < len(pairs); i += 2 {
		v[pairs[i].(string)] = pairs[i+1]
	}
	return v
}

// Nothing is agreed until everything is agreed: who moves before all have initialled re-opens the text, in sight of all.
func TestReopeningBeforeAllHaveInitialledTakesTheInitialsAway(t *testing.T) {
	w := treaty(t, "political")
	h := w.tables(nil)
	first := w.does("xn", "initialling", form.Values{"manifest": h})
	other := texts("en", "Each Party may notify the other.", "ru", "Каждая Сторона может уведомлять другую.")
	move := w.does("xs", "position", form.Values{"provision": "a1p", "texts": other})
	n := w.fold()
	if n.Provisions["a1p"].Reopened != 1 {
		t.Errorf("re-opened %d times", n.Provisions["a1p"].Reopened)
	}
	if e, _ := n.Find(move); len(e.Remarks) != 1 || e.Remarks[0] != instrument.Reopens {
		t.Errorf("the move is marked %v", e.Remarks)
	}
	if e, _ := n.Find(first); len(e.Remarks) != 1 || e.Remarks[0] != instrument.NoForce {
		t.Errorf("the initials are marked %v", e.Remarks)
	}
	w.rung(instrument.Tabled, 0)
	w.refused(instrument.Incomplete, "xs", "initialling", form.Values{"manifest": h})
	w.does("xn", "acceptance", accepts("a1p", other))
	w.refused(instrument.Incomplete, "xs", "initialling", form.Values{"manifest": h})
	h2 := w.tables(nil)
	w.does("xs", "initialling", form.Values{"manifest": h2})
	w.rung(instrument.AgreedText, 0)
	w.does("xn", "signature", form.Values{"manifest": h2, "manner": "definitive"}) // signing authenticates too
	w.rung(instrument.Initialled, 0)
	w.refused(instrument.Frozen, "xn", "position", form.Values{"provision": "a1p", "texts": other})
	w.does("xs", "signature", form.Values{"manifest": h2, "manner": "definitive"})
	if s := w.rung(instrument.InForce, 0); s.Legal || s.Manifest != [32]byte(h2) {
		t.Error("a political instrument is in effect, by the second manifest")
	}
}

// Who comes back to the wording of a manifest tables it again, and all initial anew.
func TestAManifestIsCompleteAgainWhenItsTextIs(t *testing.T) {
	w := treaty(t, "political")
	b := w.terms(nil)
	h := sealing.HashOf(b)
	w.does("xn", "manifest", form.Values{"manifest": b})
	w.does("xn", "initialling", form.Values{"manifest": h[:]})
	text, _ := w.fold().Text()
	c, _ := text.Clause("p0")
	w.does("xs", "withdrawal", form.Values{"provision": "p0"})
	w.refused(instrument.Incomplete, "xn", "manifest", form.Values{"manifest": b})
	d := c.Texts.Digest()
	w.does("xs", "acceptance", form.Values{"provision": "p0", "digest": d[:]})
	w.refused(instrument.Incomplete, "xs", "initialling", form.Values{"manifest": h[:]})
	w.does("xs", "manifest", form.Values{"manifest": b})
	w.does("xs", "initialling", form.Values{"manifest": h[:]})
	w.rung(instrument.AgreedText, 0)
	w.does("xn", "initialling", form.Values{"manifest": h[:]})
	w.rung(instrument.Initialled, 0)
}

func TestFullPowersAreCheckedInTheirPlace(t *testing.T) {
	w := treaty(t, "legal")
	h := w.tables(nil)
	sign := form.Values{"manifest": h, "manner": "definitive"}
	named := func(id statement.ID) form.Values {
		return with(form.Values{"manifest": h, "manner": "definitive"}, "powers", id[:])
	}
	w.refused(instrument.NoPowers, "xn", "signature", sign)
	w.refused(instrument.NoPowers, "xn", "signature", named(statement.ID{9}))
	w.refused(instrument.PowersOther, "xn", "signature", named(w.empower("xn", form.Values{"may": []any{"initial"}})))
	w.refused(instrument.PowersOther, "xn", "signature", named(w.empower("xn", form.Values{"post": "xn/embassy"})))
	other := statement.ID{7}
	w.refused(instrument.PowersOther, "xn", "signature", named(w.empower("xn", form.Values{"instrument": other[:]})))
	w.refused(instrument.PowersOther, "xn", "signature", named(w.empower("xs", nil)))
	w.refused(instrument.NotParty, "xn/cabinet", "full-powers", form.Values{"post": "xs/mfa", "may": []any{"sign"}, "authority": "head-of-state"})
	ended := []any{day0.Unix(), day0.Add(time.Hour).Unix()}
	w.refused(instrument.PowersWindow, "xn", "signature", named(w.empower("xn", form.Values{"window": ended})))
	begins := []any{w.now.Add(days(1)).Unix(), w.now.Add(days(2)).Unix()}
	w.refused(instrument.PowersWindow, "xn", "signature", named(w.empower("xn", form.Values{"window": begins})))

	revoked := w.empower("xn", nil)
	w.refused(instrument.NotParty, "xs/cabinet", "full-powers-revocation", form.Values{}, revoked)
	w.does("xn/cabinet", "full-powers-revocation", form.Values{}, revoked)
	w.refused(instrument.Already, "xn/cabinet", "full-powers-revocation", form.Values{}, revoked)
	w.refused(instrument.PowersRevoked, "xn", "signature", named(revoked))
	w.refused(instrument.PowersRevoked, "xn", "signature", sign)

	good := w.empower("xn", form.Values{"instrument": w.id[:], "window": []any{w.now.Unix(), w.now.Add(days(1)).Unix()}})
	step := w.does("xn", "signature", sign) // finds them without being told
	if n := w.fold(); n.Steps[len(n.Steps)-1].Powers != good {
		t.Error("signed by other powers")
	}
	w.does("xn/cabinet", "full-powers-revocation", form.Values{}, good) // what was done by them stays done
	w.is(step, "")
	self := w.says("xs", "full-powers", form.Values{"post": "xs/mfa", "may": []any{"sign"}, "authority": "head-of-state"})
	if e, _ := w.fold().Find(self); len(e.Remarks) != 1 || e.Remarks[0] != instrument.SelfGranted {
		t.Errorf("powers that an office gives itself are marked %v", e.Remarks)
	}
}

func TestAnExchangeOfNotesQuotesToTheByte(t *testing.T) {
	w := begin(t, "exchange-of-notes", "legal", "en fr", "xn", "xs")
	w.empower("xn", nil)
	w.empower("xs", nil)
	proposal := texts("en", "We shall not interfere.", "fr", "Nous n’interviendrons pas.")
	first := w.does("xn", "note", form.Values{"order": "first", "number": "1/26", "texts": proposal})
	w.rung(instrument.Tabled, 0)
	second := func(en, fr string) form.Values {
		return form.Values{"order": "second", "number": "7", "texts": texts("en", "Your note reads: "+en+" It is accepted.", "fr", "Votre note : "+fr+" Acceptée."), "quotes": first[:]}
	}
	w.refused(instrument.QuoteDiffers, "xs", "note", second("We shall not  interfere.", "Nous n’interviendrons pas."))
	w.refused(instrument.QuoteDiffers, "xs", "note", second("We shall not interfere.", "Nous n'interviendrons pas."))
	w.refused(instrument.NotParty, "xn", "note", second("We shall not interfere.", "Nous n’interviendrons pas."))
	w.refused(instrument.Unknown, "xs", "note", with(second("", ""), "quotes", make([]byte, 32)))
	effect := w.now
	w.does("xs", "note", second("We shall not interfere.", "Nous n’interviendrons pas."))
	if s := w.rung(instrument.InForce, 0); !s.InForce.Equal(effect) || s.Parties[0].By != "notes" || s.Manifest != [32]byte(first) {
		t.Errorf("in force from %s", s.InForce)
	}
	w.refused(instrument.Already, "xn", "note", form.Values{"order": "first", "number": "2/26", "texts": proposal})
	w.does("xs", "termination-notice", form.Values{"manifest": first[:]})
	w.rung(instrument.InForce, days(360)) // twelve months where nothing was said
	w.rung(instrument.Ended, days(367))
}

func TestARectificationCountsWhenNobodyObjects(t *testing.T) {
	w := treaty(t, "political")
	h := w.tables(nil)
	right := texts("en", "Each Party shall notify the other Party.", "ru", "Каждая Сторона уведомляет другую Сторону.")
	v := func() form.Values {
		return form.Values{"manifest": h, "provision": "a1p", "texts": right, "reason": "a word is missing"}
	}
	w.refused(instrument.NotYet, "xn", "rectification", v())
	w.does("xn", "initialling", form.Values{"manifest": h})
	w.does("xs", "initialling", form.Values{"manifest": h})
	w.refused(instrument.OtherLanguage, "xn", "rectification", with(v(), "texts", texts("en", "in one language")))
	one := w.does("xn", "rectification", v())
	reads := func(after time.Duration) string {
		text, ok := w.fold().TextOn(w.now.Add(after))
		if !ok {
			t.Fatal("nothing is authentic")
		}
		c, _ := text.Clause("a1p")
		return c.Texts["en"]
	}
	if got := reads(days(80)); got != "Each Party shall notify the other." {
		t.Error(got)
	}
	if got := reads(days(91)); got != right["en"] {
		t.Errorf("after 90 days without objection it reads %q", got)
	}
	w.does("xs", "rectification-answer", form.Values{"decision": "object", "words": "it was meant so"}, one)
	if got := reads(days(91)); got != "Each Party shall notify the other." {
		t.Errorf("after an objection it reads %q", got)
	}
	two := w.does("xs", "rectification", v())
	w.refused(instrument.Malformed, "xs", "rectification-answer", form.Values{"decision": "accept"}, two)
	w.does("xn", "rectification-answer", form.Values{"decision": "accept"}, two)
	if got := reads(0); got != right["en"] {
		t.Errorf("accepted by all it reads %q", got)
	}
}

func TestEffectOnADateAndAfterProcedures(t *testing.T) {
	w := treaty(t, "political")
	date := day0.Add(days(30))
	h := w.tables(func(m *sealing.Manifest) { m.Effect = sealing.Effect{Kind: sealing.OnDate, Date: date} })
	for _, p := range []string{"xn", "xs"} {
		w.does(p, "signature", form.Values{"manifest": h, "manner": "definitive"})
	}
	if s := w.rung(instrument.Consented, 0); !s.InForce.Equal(date) {
		t.Errorf("it will be in force from %s", s.InForce)
	}
	w.rung(instrument.InForce, days(30))

	w = treaty(t, "political")
	h = w.tables(func(m *sealing.Manifest) {
		m.Effect = sealing.Effect{Kind: sealing.AfterProcedures, After: sealing.Period{Days: 30}}
		m.Duration = sealing.Period{Years: 1}
	})
	for _, p := range []string{"xn", "xs"} {
		w.does(p, "signature", form.Values{"manifest": h, "manner": "definitive"})
	}
	w.rung(instrument.Signed, days(400))
	w.does("xn", "consent", form.Values{"manifest": h, "manner": "notification"})
	last := w.now
	w.does("xs", "consent", form.Values{"manifest": h, "manner": "notification"})
	w.rung(instrument.Consented, days(29))
	s := w.rung(instrument.InForce, days(31))
	if !s.InForce.Equal(last.AddDate(0, 0, 30)) {
		t.Errorf("in force from %s", s.InForce)
	}
	w.rung(instrument.Ended, days(400))
	until := s.Until.AddDate(1, 0, 0).Unix()
	w.does("xn", "extension", form.Values{"manifest": h, "until": until})
	w.rung(instrument.Ended, days(400))
	w.does("xs", "extension", form.Values{"manifest": h, "until": until})
	w.rung(instrument.InForce, days(400))
	w.rung(instrument.Ended, days(800))
}

// Of three parties one may leave, and the others stay bound; when a second does, it ends.
func TestAPartyOfThreeLeavesTheOthersBound(t *testing.T) {
	w := begin(t, "treaty", "political", "en", "xn", "xs", "xt")
	w.order("paragraph p", "xn", "xs", "xt")
	w.agree("p", texts("en", "We shall meet."), "xt", "xs", "xn")
	h := w.tables(nil)
	for _, p := range []string{"xn", "xs", "xt"} {
		w.does(p, "signature", form.Values{"manifest": h, "manner": "definitive"})
	}
	w.does("xt", "suspension-notice", form.Values{"manifest": h, "ground": "a reason"})
	w.rung(instrument.InForce, 0) // between the two others
	w.does("xs", "termination-notice", form.Values{"manifest": h})
	if s := w.rung(instrument.Suspended, 0); len(s.Bound) != 2 {
		t.Errorf("bound: %v", s.Bound)
	}
	w.does("xt", "resumption", form.Values{"manifest": h, "ground": "it is gone"})
	w.rung(instrument.InForce, 0)
	w.does("xn", "termination-notice", form.Values{"manifest": h})
	w.rung(instrument.Ended, 0)
}

// A manifest of termination releases both at one instant, when both have consented to it.
func TestBothAreReleasedByOneManifest(t *testing.T) {
	w := treaty(t, "political")
	h := w.tables(nil)
	for _, p := range []string{"xn", "xs"} {
		w.does(p, "signature", form.Values{"manifest": h, "manner": "definitive"})
	}
	exit := w.tables(func(m *sealing.Manifest) {
		m.Kind, m.Regards, m.Nonce = instrument.KindTermination, (*[32]byte)(h), [16]byte{1}
	})
	w.does("xn", "consent", form.Values{"manifest": exit, "manner": "exchange"})
	w.rung(instrument.InForce, days(10))
	w.does("xs", "consent", form.Values{"manifest": exit, "manner": "exchange"})
	if s := w.rung(instrument.Ended, 0); s.Manifest != [32]byte(h) {
		t.Error("what ended is the treaty")
	}
}

// What amends an instrument is another negotiation, that names the manifest.
func TestAnAmendmentIsANegotiationOfItsOwn(t *testing.T) {
	w := treaty(t, "political")
	h := w.tables(nil)
	later := begin(t, "treaty", "political", "en", "xn", "xs")
	later.items[0].Values["amends"] = h
	later.order("paragraph p", "xn", "xs")
	later.agree("p", texts("en", "Article 1 is replaced."), "xn", "xs")
	signed := later.tables(nil)
	for _, p := range []string{"xn", "xs"} {
		w.does(p, "signature", form.Values{"manifest": h, "manner": "definitive"})
		later.does(p, "signature", form.Values{"manifest": signed, "manner": "definitive"})
	}
	one, two := w.fold(), later.fold()
	if got := one.Amendments([]*instrument.Negotiation{one, two}, later.now); len(got) != 1 || got[0] != two {
		t.Errorf("amended by %v", got)
	}
	if got := one.Amendments([]*instrument.Negotiation{one, two}, day0); len(got) != 0 {
		t.Errorf("amended before by %v", got)
	}
}
