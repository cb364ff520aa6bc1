package instrument

import (
	"slices"

	"detente/statement"
	"detente/traffic"
)

// What full powers may be for.
const (
	mayInitial  = "initial"
	maySign     = "sign"
	mayConsent  = "consent"
	mayWithdraw = "withdraw"
)

// grant takes in full powers. They may stand before the opening: they are the party's, not the negotiation's.
func (f *fold) grant(e *Entry) string {
	if e.Values == nil {
		return Malformed
	}
	post, err := traffic.ParseAddress(e.Values.Text("post"))
	if err != nil {
		return Malformed
	}
	if post.Party != e.Issuer.Party {
		return NotParty // nobody gives powers in another's name
	}
	p := &Powers{
		Statement: e.ID, Party: post.Party, Representative: e.Values.Text("representative"), Post: post, May: codes(e.Values, "may"), Authority: e.Values.Text("authority"),
	}
	p.Instrument, _ = digest(e.Values, "instrument")
	p.From, p.To = window(e.Values, "window")
	if post == e.Issuer {
		e.Remarks = append(e.Remarks, SelfGranted)
	}
	f.Powers = append(f.Powers, p)
	f.granted[e.ID] = p
	return ""
}

// revoke ends full powers for whatever comes after it.
func (f *fold) revoke(e *Entry) string {
	if len(e.Refs) != 1 || f.granted[e.Refs[0]] == nil {
		return Unknown
	}
	p := f.granted[e.Refs[0]]
	switch {
	case p.Party != e.Issuer.Party:
		return NotParty
	case p.Revoked != statement.ID{}:
		return Already
	}
	p.Revoked = e.ID
	return ""
}

// empowered finds the full powers for a step: those that it names, or else the first that fit. As of its place: what comes later in the canonical order
// neither gives nor takes them. A political instrument needs none.
func (f *fold) empowered(e *Entry, may ...string) (statement.ID, string) {
	if id, named := digest(e.Values, "powers"); named {
		p := f.granted[id]
		if p == nil {
			return statement.ID{}, NoPowers
		}
		return id, f.fits(p, e, may)
	}
	if !f.Opening.Legal() {
		return statement.ID{}, ""
	}
	why := NoPowers
	for _, p := range f.Powers {
		if p.Post != e.Issuer {
			continue
		}
		if why = f.fits(p, e, may); why == "" {
			return p.Statement, ""
		}
	}
	return statement.ID{}, why
}

// fits tells whether full powers are for the step, or why not.
func (f *fold) fits(p *Powers, e *Entry, may []string) string {
	switch {
	case p.Post != e.Issuer, p.Instrument != [32]byte{} && p.Instrument != [32]byte(f.ID), !slices.ContainsFunc(may, func(m string) bool { return slices.Contains(p.May, m) }):
		return PowersOther
	case p.Revoked != statement.ID{}:
		return PowersRevoked
	case !p.From.IsZero() && (e.At.Before(p.From) || e.At.After(p.To)):
		return PowersWindow
	}
	return ""
}
