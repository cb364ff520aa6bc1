package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/bundle"
	"detente/dossier"
	"detente/feed"
	"detente/judge"
	"detente/key"
	"detente/party"
	"detente/store"
	"detente/traffic"
)

// mostViewAlarms is how many dossiers of a channel's plane have an alarm of their own. A peer that sees more of them differently computes
// differently, or invents: that is one thing to look into.
const mostViewAlarms = 8

// PackViews adds to a hello the own views of channels, by their names, protocol.md#view. What finds no room waits for the next hello.
func (l *Link) PackViews(ctx context.Context, tx *store.Tx, b *bundle.Bundle, channels map[[32]byte]string, signer key.Signer, room int) error {
	for _, c := range slices.SortedFunc(maps.Keys(channels), func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) }) {
		for _, plane := range traffic.Planes() {
			v, ok, err := dossier.Observe(ctx, tx, l.Self, c, plane)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			note, err := feed.SignText(v.Text(), signer)
			if err != nil {
				return err
			}
			if room -= len(note) + bundle.EntryOverhead; room < 0 || len(b.Gossip) == bundle.MaxGossip {
				return nil
			}
			b.Gossip = append(b.Gossip, note)
		}
	}
	return nil
}

// viewOf is what a view is about.
type viewOf struct {
	channel [32]byte
	plane   traffic.Plane
}

// Viewed is a peer's view whose signature was verified.
type Viewed struct {
	dossier.View
	note string // as it was signed
	name string // of the channel
}

// OpenViews finds the peer's views among the notes of a bundle and verifies them, before the transaction: of each channel's plane the first, and not
// again before some time has gone by, so that a peer which sends thousands costs no more than one which sends one.
func (l *Link) OpenViews(notes []string, channels map[[32]byte]string, again time.Duration, chain *party.Chain) (out []Viewed) {
	for _, note := range notes {
		if !dossier.IsView(note) {
			continue
		}
		v, err := viewIn(note)
		name, known := channels[v.Channel]
		if err != nil || v.Party != l.Peer || !known || !l.viewDue(viewOf{v.Channel, v.Plane}, again) {
			continue
		}
		if _, by, err := feed.OpenText(note, judge.EverSigned(chain)...); err == nil && !withdrawn(chain, by) {
			out = append(out, Viewed{v, note, name})
		}
	}
	return out
}

func withdrawn(chain *party.Chain, id key.ID) bool {
	_, yes := chain.WithdrawnAt(id)
	return yes
}

// viewIn reads the view in a note, and verifies nothing.
func viewIn(note string) (dossier.View, error) {
	text, _, _ := strings.Cut(note, "\n\n")
	return dossier.ParseView(text + "\n")
}

// viewDue tells whether a view is to be looked at, and notes that it was.
func (l *Link) viewDue(of viewOf, again time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if last, ok := l.viewed[of]; ok && now.Sub(last) < again {
		return false
	}
	l.viewed[of] = now
	return true
}

// CompareViews compares what the peer sees with what is seen here: one alarm stands for each dossier that it sees differently, while it does. It
// returns the alarms that are new. A view that rests on other feeds says nothing: the next one may.
func (l *Link) CompareViews(ctx context.Context, tx *store.Tx, views []Viewed) (news []Alarm, err error) {
	for _, theirs := range views {
		mine, ok, err := dossier.Observe(ctx, tx, l.Self, theirs.Channel, theirs.Plane)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		differing, comparable := mine.Compare(theirs.View)
		if !comparable {
			continue
		}
		if differing, err = unexplained(ctx, tx, mine, differing); err != nil {
			return nil, err
		}
		raised, err := theirs.raise(ctx, tx, differing)
		if err != nil {
			return nil, err
		}
		news = append(news, raised...)
	}
	return news, nil
}

// unexplained leaves out dossiers that are seen differently for a while only: one of the sides has yet to receive a charter.
func unexplained(ctx context.Context, tx *store.Tx, mine dossier.View, all []dossier.Difference) (out []dossier.Difference, err error) {
	if len(all) > mostViewAlarms {
		return all, nil
	}
	for _, d := range all {
		items, err := dossier.Load(ctx, tx, dossier.Name{ID: d.ID, Channel: mine.Channel, Plane: mine.Plane})
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(items, func(it dossier.Item) bool { return it.Reason == judge.CharterUnknown }) {
			out = append(out, d)
		}
	}
	return out, nil
}

// raise has the alarms stand that a comparison calls for, and ends those whose cause has gone.
func (v *Viewed) raise(ctx context.Context, tx *store.Tx, differing []dossier.Difference) (news []Alarm, err error) {
	now := make(map[string]bool)
	for _, a := range v.alarms(differing) {
		now[a.Subject] = true
		fresh, err := Raise(ctx, tx, a)
		if err != nil {
			return nil, err
		}
		if fresh {
			news = append(news, a)
		}
	}
	standing, err := Alarms(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, a := range standing {
		if a.Kind != AlarmView || now[a.Subject] {
			continue
		}
		old, err := viewIn(string(a.Evidence))
		if err != nil || old.Party != v.Party || old.Channel != v.Channel || old.Plane != v.Plane {
			continue
		}
		if err := Clear(ctx, tx, a.Kind, a.Subject); err != nil {
			return nil, err
		}
	}
	return news, nil
}

// alarms are what is to be said of differences.
func (v *Viewed) alarms(differing []dossier.Difference) (out []Alarm) {
	where := fmt.Sprintf("%s, %s: of the same statements", v.name, v.Plane)
	a := Alarm{Kind: AlarmView, Subject: fmt.Sprintf("%x/%s at %s", v.Channel, v.Plane, v.Party), Evidence: []byte(v.note)}
	if len(differing) > mostViewAlarms {
		a.Detail = fmt.Sprintf("%s %s computes %d open dossiers differently", where, v.Party, len(differing))
		return []Alarm{a}
	}
	for _, d := range differing {
		if d.ID == (dossier.Difference{}).ID {
			a.Detail = fmt.Sprintf("%s %s computes open dossiers differently that its view does not list", where, v.Party)
		} else {
			a.Subject = fmt.Sprintf("%s at %s", d.ID, v.Party)
			a.Detail = fmt.Sprintf("%s this side computes %s, and %s computes %s", where, seenAs(d.Mine), v.Party, seenAs(d.Other))
		}
		out = append(out, a)
	}
	return out
}

// seenAs is a digest as an alarm names it.
func seenAs(digest [32]byte) string {
	if digest == [32]byte{} {
		return "that it is not open"
	}
	return fmt.Sprintf("%x", digest)
}

// OpenGossip verifies a third member's checkpoint, of a channel that is shared; the chain is nil when the note is of no use here.
func OpenGossip(note string, self traffic.Party, shared func([32]byte) bool, chainOf func(traffic.Party) *party.Chain) (feed.Checkpoint, *party.Chain) {
	first, _, err := feed.OpenCheckpoint(note)
	if err != nil && !errors.Is(err, feed.ErrUnsigned) || !shared(first.Feed.Channel) || first.Feed.Party == self {
		return first, nil
	}
	chain := chainOf(first.Feed.Party)
	if chain == nil {
		return first, nil
	}
	c, _, err := feed.OpenCheckpoint(note, judge.EverSigned(chain)...)
	if err != nil {
		return c, nil
	}
	return c, chain
}
