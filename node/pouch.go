package node

import (
	"context"
	"fmt"
	"io"

	"detente/bundle"
	"detente/exchange"
	"detente/route"
	"detente/traffic"
)

// PouchReport is what a pouch brought.
type PouchReport struct {
	Bundles int             `json:"bundles"`
	From    []traffic.Party `json:"from"`
	Refused int             `json:"refused"`
}

// ExportPouch writes to a file everything that the peer has not cosigned, with the receipts owed to it. It takes nothing off any other route:
// what is brought twice is stored once. Error: ErrNoPeer, fs.ErrExist.
func (n *Node) ExportPouch(ctx context.Context, peer traffic.Party, path string) (statements int, err error) {
	l := n.link(peer)
	if l == nil {
		return 0, fmt.Errorf("%w: %s", ErrNoPeer, peer)
	}
	aside := l.Aside()
	var bundles [][]byte
	taken := make(map[traffic.Feed]int64)
	for more := true; more; {
		sealed, _, m, err := n.pack(ctx, aside, packing{
			lanes: []exchange.Lane{exchange.Urgent, exchange.Calm}, limit: bundle.MaxSealed, pouch: taken, force: bundles == nil,
		})
		if err != nil {
			return 0, err
		}
		if sealed != nil {
			bundles = append(bundles, sealed)
		}
		statements += m.Entries
		more = m.More && m.Entries+m.Pieces > 0
	}
	return statements, route.WritePouch(path, bundles...)
}

// ImportPouch takes in a pouch file, in any order with anything else, as often as it is brought.
func (n *Node) ImportPouch(ctx context.Context, file io.Reader) (PouchReport, error) {
	r := PouchReport{From: []traffic.Party{}}
	for sealed, err := range route.ReadPouch(file) {
		if err != nil {
			return r, err
		}
		from, err := n.Receive(ctx, "pouch", sealed)
		if err != nil {
			n.log.Warn("bundle of a pouch refused", "holds", bundle.Describe(sealed), "reason", err)
			r.Refused++
			continue
		}
		r.Bundles++
		r.From = append(r.From, from)
		n.link(from).Kick(exchange.Calm) // the receipts are owed
	}
	return r, nil
}

// pouchFlash puts a FLASH into the pouch directory too, once: it goes out on all routes at the same time.
func (n *Node) pouchFlash(ctx context.Context, l *exchange.Link, m *exchange.Manifest, sealed []byte) {
	if n.cfg.PouchDir == "" || !l.FirstPouch(m) {
		return
	}
	if _, err := (route.Pouch{Dir: n.cfg.PouchDir}).Carry(ctx, route.Peer{Party: l.Peer}, sealed); err != nil {
		n.log.Error("pouch", "peer", l.Peer, "reason", err)
		return
	}
	l.Pouched(m)
	n.bump()
}
