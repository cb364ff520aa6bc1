package instruments

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/api/protected"
	"detente/asset"
	"detente/console/cases"
	"detente/traffic"
)

// Assets answers: what have parties said that they protect, from when, and is a proof of theirs good? The lists themselves nobody shows.
type Assets struct {
	Parties []cases.Choice // of whom one can be chosen
	Heads   []Head
	Holding int            // of the heads shown, those in force
	More    []cases.Choice // parties whose heads do not stand on the page, with where they do
	Action  string         // where a proof goes
	Given   Given
	Verdict *Verdict // nil before a proof was read
}

// Head is a head on the page.
type Head struct {
	protected.Head
	Until time.Time // the next version's; zero where none is known
	State string    // in-force, coming, replaced, never
	Hasty bool      // less than a week lies between when it was first held and its effect
	Href  string
	Proof string
}

// Given is what was written beside a proof.
type Given struct {
	Hit string
	On  string
}

// Verdict is what is found about a proof. Words are codes that the phrases have.
type Verdict struct {
	Wrong string // why nothing can be said: file, unknown, root; else empty, and the entry is on the list
	Party traffic.Party
	List  uint64
	Entry string // empty where the file is no proof
	Head  *Head
	At    time.Time
	Held  bool   // in force at that time
	Hit   string // covers, not, unread; empty where it was not asked
}

// Titled is empty: the screen's own name does.
func (a *Assets) Titled() string { return "" }

// mostHeads is how many heads a page shows before the parties that are left are only named.
const mostHeads = 200

// MakeAssets makes the page of what parties have published: of all of them, or of one.
func MakeAssets(ctx context.Context, d *cases.Desk) (*Assets, error) {
	a := &Assets{Action: d.To("/assets")}
	charters, err := d.Client.Charters(ctx)
	if err != nil {
		return nil, err
	}
	one := d.Query.Get("p")
	a.Parties = []cases.Choice{{Value: "", Label: d.Say("assets.every"), Chosen: one == ""}}
	for _, c := range charters {
		p := string(c.Party)
		a.Parties = append(a.Parties, cases.Choice{Value: p, Label: strings.ToUpper(p), Chosen: p == one})
		if one != "" && one != p {
			continue
		}
		if len(a.Heads) >= mostHeads {
			a.More = append(a.More, cases.Choice{Value: d.To("/assets", "p", p), Label: strings.ToUpper(p)})
			continue
		}
		all, err := protected.Heads(ctx, d.Client, c.Party, d.Plane)
		if err != nil {
			return nil, err
		}
		for i := len(all) - 1; i >= 0; i-- { // the newest first
			h := headAt(d, all, i)
			if h.State == "in-force" {
				a.Holding++
			}
			a.Heads = append(a.Heads, h)
		}
	}
	return a, nil
}

// headAt is one of a party's heads, with how it stands now.
func headAt(d *cases.Desk, all []protected.Head, i int) Head {
	h := Head{Head: all[i], Until: protected.Until(all, i), State: "coming", Hasty: all[i].Short(), Href: statement(d, all[i].ID), Proof: statement(d, all[i].ID) + "/proof"}
	switch current, some := protected.InForce(all, d.Now); {
	case some && current.Version == h.Version:
		h.State = "in-force"
	case !h.Until.IsZero() && !h.Until.After(h.Effective):
		h.State = "never"
	case !h.Effective.After(d.Now):
		h.State = "replaced"
	}
	return h
}

// VerifyAsset holds a proof against the heads that its party has published. It states nothing, and keeps nothing.
func VerifyAsset(ctx context.Context, d *cases.Desk, file []byte, given url.Values) (*Assets, error) {
	g := Given{Hit: strings.TrimSpace(given.Get("hit")), On: strings.TrimSpace(given.Get("on"))}
	v := &Verdict{At: d.Now}
	if g.On != "" {
		day, err := time.Parse(time.DateOnly, g.On)
		if err != nil {
			return nil, &api.Problem{Status: http.StatusBadRequest, Code: "form-broken"}
		}
		v.At = day
	}
	a, err := MakeAssets(ctx, d)
	if err != nil {
		return nil, err
	}
	a.Given, a.Verdict = g, v
	p, err := asset.ParseProof(file)
	if err != nil {
		v.Wrong = "file"
		return a, nil
	}
	v.Party, v.List, v.Entry = p.Party, p.Version, p.Entry.String()
	all, err := protected.Heads(ctx, d.Client, p.Party, d.Plane)
	if err != nil {
		return nil, err
	}
	h, held, err := protected.Verify(p, all, v.At)
	switch {
	case errors.Is(err, protected.ErrUnknown):
		v.Wrong = "unknown"
		return a, nil
	case err != nil:
		v.Wrong = "root"
		return a, nil
	}
	head := headAt(d, all, slices.IndexFunc(all, func(x protected.Head) bool { return x.ID == h.ID }))
	v.Head, v.Held = &head, held
	if g.Hit != "" {
		switch covers, err := protected.Covers(p, g.Hit); {
		case err != nil:
			v.Hit = "unread"
		case covers:
			v.Hit = "covers"
		default:
			v.Hit = "not"
		}
	}
	return a, nil
}
