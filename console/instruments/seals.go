package instruments

import (
	"context"
	"strings"

	"detente/api"
	"detente/console/cases"
	"detente/traffic"
)

// Seal is a sealing round of the instrument: who has spoken, and by when it is decided.
type Seal struct {
	api.Seal
	Href     string
	Save     string // address of the file from which anybody computes the verdict
	Sent     int    // packets of this party
	Spoken   int    // sealers that have said their final word
	Deposit  bool   // this officer may deposit the consent of this party
	Certify  bool   // and state the certificate
	Decided  bool
	Overtime bool // the deadline for consents is past
}

// seals are the rounds of a negotiation, and which of its manifests have none yet.
func (f *File) seals(ctx context.Context, d *cases.Desk) error {
	all, err := d.Client.Seals(ctx)
	if absent(err) {
		return nil // no sealing at this node
	}
	for _, s := range all {
		if s.Dossier != f.ID || s.Plane != d.Plane {
			continue
		}
		row := Seal{
			Seal: s, Href: statement(d, s.Opened), Save: d.To("/instrument/seal", "round", s.Round), Sent: len(s.Deposits), Overtime: s.Deadline.Before(d.Now),
			Decided: s.State == "in-force" || s.State == "lapsed",
		}
		for _, x := range s.Sealers {
			if len(x.Says) > 0 {
				row.Spoken++
			}
		}
		row.Deposit = s.State == "pending" && !row.Overtime && d.May("commit")
		row.Certify = row.Decided && s.Certified == "" && d.May("send")
		f.Seals = append(f.Seals, row)
	}
	for i := range f.Manifests {
		m := &f.Manifests[i]
		m.Proposes = len(m.Sealers) > 0 && m.Deadline.After(d.Now) && d.May("commit")
		for _, s := range f.Seals {
			m.Proposes = m.Proposes && s.Round != m.Hash
		}
	}
	return err
}

// seal does what a form about a round says.
func seal(ctx context.Context, c *api.Client, what, round string, post traffic.Post) (said string, err error) {
	switch what {
	case "seal-open":
		_, err = c.ProposeSeal(ctx, api.SealProposal{Manifest: round, Post: post})
		return "seal-opened", err
	case "seal-deposit":
		_, err = c.DepositSeal(ctx, round, api.SealDeposit{})
		return "seal-deposited", err
	}
	_, err = c.CertifySeal(ctx, round)
	return "seal-certified", err
}

// SealFile gives the file from which anybody computes the verdict of a round.
func SealFile(ctx context.Context, d *cases.Desk) (name, mediaType string, content []byte, err error) {
	round := d.Query.Get("round")
	content, err = d.Client.SealFile(ctx, round)
	return "seal-" + strings.Map(hexadecimal, round[:min(len(round), 16)]) + ".detente-seal", "application/octet-stream", content, err
}

func hexadecimal(r rune) rune {
	if strings.ContainsRune("0123456789abcdef", r) {
		return r
	}
	return -1
}
