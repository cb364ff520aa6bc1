package floor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"detente/form"
	"detente/journal"
	"detente/roster"
	"detente/traffic"
)

// Posted is the roster of a post that is in force.
type Posted struct {
	Post      traffic.Post
	Text      string // as it was written; empty where there is none
	By        string
	At        time.Time
	Now       roster.Duty
	Shifts    []roster.Duty // of the next seven days, overrides included
	Overrides []roster.Override
}

// Rosters lists the rosters of all posts, those without one left out.
func (f *Floor) Rosters(ctx context.Context) ([]Posted, error) {
	err := f.current(ctx)
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []Posted
	for _, post := range sortedPosts(f.record.rosters) {
		out = append(out, f.posted(post, time.Now().UTC()))
	}
	return out, err
}

// Roster gives the roster of a post. Errors: ErrNoPost, ErrNoRoster.
func (f *Floor) Roster(ctx context.Context, post traffic.Post) (Posted, error) {
	if !f.has(post) {
		return Posted{}, fmt.Errorf("%w: %s", ErrNoPost, post)
	}
	if err := f.current(ctx); err != nil {
		return Posted{}, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if _, ok := f.record.duty(post, time.Now()); !ok {
		return Posted{}, fmt.Errorf("%w: %s", ErrNoRoster, post)
	}
	return f.posted(post, time.Now().UTC()), nil
}

// ahead is how far duties are listed.
const ahead = 7 * 24 * time.Hour

// posted lays out a roster. f.mu is held.
func (f *Floor) posted(post traffic.Post, now time.Time) Posted {
	out := Posted{Post: post}
	out.Now, _ = f.record.duty(post, now)
	if p := f.record.rosters[post]; p != nil {
		out.Text, out.By, out.At = p.text, p.by, p.at
	}
	for at := now; at.Before(now.Add(ahead)) && len(out.Shifts) < 200; {
		d, _ := f.record.duty(post, at)
		out.Shifts = append(out.Shifts, d)
		if d.Until.IsZero() {
			break
		}
		at = d.Until
	}
	for _, o := range f.record.overrides {
		if o.Post == post && o.Until.After(now) {
			out.Overrides = append(out.Overrides, o)
		}
	}
	return out
}

// SetRoster puts a roster into force, in the place of the post's present one. Errors: roster.ErrRoster, ErrNoPost, ErrNoPerson.
func (f *Floor) SetRoster(ctx context.Context, post traffic.Post, text string, by By) (Posted, error) {
	r, err := roster.Parse(text)
	if err != nil {
		return Posted{}, err
	}
	if r.Post != post {
		return Posted{}, fmt.Errorf("%w: it is of the post %q: write post = %q", roster.ErrRoster, r.Post, post)
	}
	for _, p := range append([]traffic.Post{post}, r.Covers...) {
		if !f.has(p) {
			return Posted{}, fmt.Errorf("%w: %s", ErrNoPost, p)
		}
	}
	err = f.does(ctx, post, by, formRoster, form.Values{"post": string(post), "text": text, "by": by.Officer})
	if err != nil {
		return Posted{}, err
	}
	return f.Roster(ctx, post)
}

// Override puts another officer into a duty role of a post for a time. Errors: ErrNoRoster, ErrNoPost, ErrNoPerson,
// roster.ErrRoster for a role or a time that is none.
func (f *Floor) Override(ctx context.Context, o roster.Override, by By) (Posted, error) {
	if !slices.Contains(roster.Roles(), o.Role) {
		return Posted{}, fmt.Errorf("%w: role %q: one of %v", roster.ErrRoster, o.Role, roster.Roles())
	}
	if !o.From.Before(o.Until) || o.Until.Before(time.Now()) {
		return Posted{}, fmt.Errorf("%w: an override ends after it begins, and not in the past", roster.ErrRoster)
	}
	if o.Officer == "" {
		return Posted{}, fmt.Errorf("%w: name the officer who takes the role", roster.ErrRoster)
	}
	if _, err := f.Roster(ctx, o.Post); err != nil {
		return Posted{}, err
	}
	v := form.Values{
		"post": string(o.Post), "role": string(o.Role), "officer": o.Officer, "window": []any{o.From.Unix(), o.Until.Unix()}, "by": by.Officer,
	}
	if o.Reason != "" {
		v["reason"] = o.Reason
	}
	if err := f.does(ctx, o.Post, by, formOverride, v); err != nil {
		return Posted{}, err
	}
	return f.Roster(ctx, o.Post)
}

// does records what a person does, and has the floor act on it.
func (f *Floor) does(ctx context.Context, post traffic.Post, by By, formID string, v form.Values) error {
	if by.Officer == "" || by.Officer == journal.Machine {
		return ErrNoPerson
	}
	_, err := f.journal.Record(ctx, post, by.Drafter(), formID, v)
	f.kick()
	return err
}
