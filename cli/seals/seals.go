// Package seals is the commands about sealing rounds: over a node, at a table without one, and the verdict for anybody who holds the file.
// It must never print who has consented before a round has ended, nor show anything of a box before its state is kept.
package seals

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/key"
	"detente/sealing"
	"detente/sealing/ceremony"
	"detente/traffic"
)

// SealCmd is sealing rounds.
type SealCmd struct {
	Status      statusCmd      `cmd:"" default:"withargs" help:"Rounds and how they stand."`
	Propose     proposeCmd     `cmd:"" help:"Open the round of a manifest that was declared."`
	Deposit     depositCmd     `cmd:"" help:"Deposit this party's consent with every sealer, encrypted to each."`
	Certificate certificateCmd `cmd:"" help:"State the certificate of a decided round, or write the file from which anybody computes the verdict."`
	Verify      verifyCmd      `cmd:"" help:"Compute the verdict from a file. No node is needed."`
	Ceremony    ceremonyCmd    `cmd:"" help:"A round at a table: one sealer on a machine without a network, messages to be scanned or pasted."`
}

type statusCmd struct {
	Round string `arg:"" optional:"" help:"Beginning of its hash." placeholder:"ROUND"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (statusCmd) Help() string {
	return session.Detail("detente seal status", session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run shows how rounds stand.
func (c *statusCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	all, err := node.Seals(s.Ctx)
	if err != nil {
		return err
	}
	found := []api.Seal{}
	for _, r := range all {
		if strings.HasPrefix(r.Round, strings.ToLower(c.Round)) {
			found = append(found, r)
		}
	}
	switch {
	case c.Round != "" && len(found) == 0:
		return session.Fail(session.ExitNotFound, "", "no such round")
	case c.JSON:
		return s.JSON(found)
	case len(found) == 0:
		s.Printf("No round is open. Open one with: detente seal propose MANIFEST\n")
	}
	for i := range found {
		show(s, &found[i])
	}
	return nil
}

func show(s *session.Session, r *api.Seal) {
	s.Printf("%s  %s of %s, %s: %s\n", r.Round[:12], r.Kind, strings.Join(r.Parties, ", "), r.Plane, r.State)
	s.Printf("  consents until %s, decided after %s by %d of %d sealers\n", session.Moment(r.Deadline), session.Moment(r.Final), r.Need, len(r.Sealers))
	for _, one := range r.Sealers {
		says := cmp.Or(strings.Join(one.Says, " and "), "nothing yet")
		if one.Own {
			says += " (own)"
		}
		if one.Refused != "" {
			says += "; it takes no part: " + session.Safe(one.Refused)
		}
		s.Printf("  %-12s  %s\n", one.Sealer, says)
	}
	for _, a := range r.Double {
		s.Printf("  %s HAS SIGNED BOTH\n", a)
	}
	if n := len(r.Deposits); n > 0 {
		s.Printf("  this side has sent %d packets to sealers, the first at %s\n", n, session.Moment(r.Deposits[0].Sent))
	}
	if r.Certified != "" {
		s.Printf("  certified: %s\n", r.Certified)
	}
}

type proposeCmd struct {
	Manifest string       `arg:"" help:"Beginning of the hash of a manifest that was declared and initialled." placeholder:"MANIFEST"`
	Post     traffic.Post `help:"Post that speaks; that of the manifest by default." placeholder:"POST"`
	Releaser string       `help:"Duty role of the second person, where two are needed." placeholder:"ROLE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (proposeCmd) Help() string {
	return session.Detail("detente seal propose 1f0c77", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run opens the round.
func (c *proposeCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	sent, err := node.ProposeSeal(s.Ctx, api.SealProposal{Manifest: c.Manifest, Post: c.Post, Releaser: c.Releaser})
	return told(s, sent, c.JSON, err)
}

func told(s *session.Session, sent api.Sent, asJSON bool, err error) error {
	switch {
	case err != nil:
		return err
	case asJSON:
		return s.JSON(sent)
	}
	s.Printf("%s  %s\n  durable here, and on its way\n", sent.Number, sent.ID)
	return nil
}

type depositCmd struct {
	Round string `arg:"" help:"Beginning of its hash." placeholder:"ROUND"`
	Blank bool   `help:"Send packets of nothing: whoever does not consent, or not yet, looks like whoever does."`
	Yes   bool   `help:"Do not ask whether it is meant."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (depositCmd) Help() string {
	return "It cannot be taken back before the round has ended. It binds if, and only if, the verdict is that all parties are bound.\n\n" +
		session.Detail("detente seal deposit 1f0c77 --yes", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run deposits.
func (c *depositCmd) Run(s *session.Session) error {
	if !c.Yes && !c.Blank {
		answer, err := s.Ask("It cannot be taken back before the round has ended. Write yes to consent: ")
		if err != nil {
			return err
		}
		if strings.TrimSpace(answer) != "yes" {
			return session.Fail(session.ExitRefused, "", "nothing was deposited")
		}
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	done, err := node.DepositSeal(s.Ctx, c.Round, api.SealDeposit{Blank: c.Blank})
	switch {
	case err != nil:
		return err
	case c.JSON:
		return s.JSON(done)
	}
	s.Printf("sent to %d sealers\n", done.Sent)
	return nil
}

type certificateCmd struct {
	Round  string `arg:"" help:"Beginning of its hash." placeholder:"ROUND"`
	Output string `short:"o" help:"Write the file, and state nothing." placeholder:"FILE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (certificateCmd) Help() string {
	return "A running node of a party states it by itself; this is for when it did not.\n\n" +
		session.Detail("detente seal certificate 1f0c77 -o treaty.detente-verdict", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run states it, or writes the file.
func (c *certificateCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	if c.Output == "" {
		sent, err := node.CertifySeal(s.Ctx, c.Round)
		return told(s, sent, c.JSON, err)
	}
	b, err := node.SealFile(s.Ctx, c.Round)
	if err != nil {
		return err
	}
	return s.WriteNew(c.Output, b, 0o644)
}

type verifyCmd struct {
	File string `arg:"" help:"File of a verdict, or the lines of one; - for standard input." placeholder:"FILE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (verifyCmd) Help() string {
	return "It needs no node, no network and no clock. It tells what the signatures of the keys in the manifest show; whose keys they are, charters tell.\n\n" +
		session.Detail("detente seal verify treaty.detente-verdict", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

// verdict is what a file shows, for a machine.
type verdict struct {
	Round    string            `json:"round"`
	Kind     string            `json:"kind"`
	Plane    traffic.Plane     `json:"plane"`
	State    sealing.State     `json:"state"`
	Effect   string            `json:"effect"`
	From     time.Time         `json:"from,omitzero"`
	Consents []traffic.Party   `json:"consents"`
	InForce  []traffic.Address `json:"in_force"`
	Lapsed   []traffic.Address `json:"lapsed"`
	Double   []traffic.Address `json:"double"`
	Need     int               `json:"need"`
}

// Run verifies.
func (c *verifyCmd) Run(s *session.Session) error {
	b, err := message(s, c.File, ceremony.KindVerdict)
	if err != nil {
		return err
	}
	manifest, evidence, err := sealing.DecodeFile(b)
	if err != nil {
		return session.Fail(session.ExitRefused, "detente seal certificate ROUND -o FILE makes one", "%s: %w", c.File, err)
	}
	r, err := sealing.Open(manifest, key.Standard())
	if err != nil {
		return session.Fail(session.ExitRefused, "", "%s: %w", c.File, err)
	}
	o, m := r.Verdict(evidence), r.Manifest()
	v := verdict{
		Round: fmt.Sprintf("%x", r.Hash()), Kind: m.Kind, Plane: m.Plane, State: o.State, Effect: m.Effect.Kind, Consents: o.Consents, InForce: o.InForce, Lapsed: o.Lapsed,
		Double: o.Double, Need: o.Need,
	}
	switch m.Effect.Kind {
	case sealing.OnSealing:
		v.From = m.Final()
	case sealing.OnDate:
		v.From = m.Effect.Date
	}
	if c.JSON {
		return s.JSON(v)
	}
	s.Printf("%s\nround %s\n", strings.ToUpper(string(o.State)), v.Round)
	s.Printf("  %s, %s, between %s\n", m.Kind, m.Plane, addresses(m.Parties))
	for _, t := range m.Texts {
		s.Printf("  text of %s, %s: %x\n", t.Party, t.Lang, t.Digest)
	}
	s.Printf("  decided by %d of %d sealers: %s\n", o.Need, len(m.Sealers), addresses(m.Sealers))
	s.Printf("  good signatures: %d consents, %d in force, %d lapsed\n", len(o.Consents), len(o.InForce), len(o.Lapsed))
	for _, a := range o.Double {
		s.Printf("  %s HAS SIGNED BOTH\n", a)
	}
	if o.State == sealing.StateInForce && !v.From.IsZero() {
		s.Printf("  with effect from %s\n", session.Moment(v.From))
	}
	if o.State == sealing.StatePending || o.State == sealing.StateContested {
		return session.Fail(session.ExitRefused, "", "nobody is bound by what this file shows")
	}
	return nil
}

func addresses(members []sealing.Member) string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = m.Address().String()
	}
	return strings.Join(list, ", ")
}

// message reads a file that holds the bytes of a message, or its lines.
func message(s *session.Session, file string, kind ceremony.Kind) ([]byte, error) {
	b, err := s.ReadFile(file, 4*sealing.MaxFile)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(b), "DETENTE-SEAL:") && !strings.Contains(string(b), "detente-seal:") {
		return b, nil
	}
	list, err := ceremony.Read(string(b))
	if err != nil {
		return nil, session.Fail(session.ExitRefused, "scan or paste it again", "%s: %w", file, err)
	}
	for _, m := range list {
		if m.Kind == kind {
			return m.Data, nil
		}
	}
	return nil, session.Fail(session.ExitUse, "", "%s holds no %s", file, strings.ToLower(string(kind)))
}

// overwrite replaces a file. If the process dies here it holds the old bytes or the new ones, whole.
func overwrite(path string, b []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if syncErr := f.Sync(); err == nil {
		err = syncErr
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	return err
}
