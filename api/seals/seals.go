// Package seals is the requests of the local API about sealing rounds: an extension of api/server.
// It must never show who has consented before the round has ended, nor what an own sealer holds.
package seals

import (
	"cmp"
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"detente/api"
	"detente/api/server"
	"detente/officer"
	"detente/sealer"
	"detente/sealing"
	"detente/traffic"
)

// desk answers the requests.
type desk struct {
	*server.Server
	seals *sealer.Desk
}

// Extend adds the requests to a server.
func Extend(l *sealer.Desk) server.Extension {
	return func(s *server.Server) {
		const tag = "seals"
		d := &desk{s, l}
		server.Handle(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/seals", "list-seals", "Sealing rounds and how they stand"), d.list)
		server.Handle(s, server.Operation(s, officer.Commit, tag, http.MethodPost, "/v1/seals", "propose-seal", "Open the sealing round of a manifest that was declared"), d.propose)
		server.Handle(s, server.Operation(s, officer.Commit, tag, http.MethodPost, "/v1/seals/{round}/deposit", "deposit-seal", "Deposit the consent of this party with every sealer"), d.deposit)
		server.Handle(s, server.Operation(s, officer.Send, tag, http.MethodPost, "/v1/seals/{round}/certificate", "certify-seal", "State the certificate of a decided round"), d.certify)
		server.HandleFile(s, server.Operation(s, officer.Read, tag, http.MethodGet, "/v1/seals/{round}/file", "seal-file", "What anybody needs to compute the verdict of a round"),
			"application/vnd.detente.verdict", d.file)
		s.Teach(rules()...)
	}
}

// rules says how what may go wrong looks from outside.
func rules() []server.Rule {
	const status = "see the rounds with: detente seal status"
	return []server.Rule{
		{Is: sealer.ErrNoRound, Status: http.StatusNotFound, Code: "no-round", Hint: status},
		{Is: sealer.ErrAmbiguous, Status: http.StatusConflict, Code: "ambiguous-round", Hint: "give more digits of the hash"},
		{Is: sealer.ErrPlain, Status: http.StatusConflict, Code: "plain-manifest", Hint: "without sealers each party expresses its consent with: detente consent"},
		{Is: sealer.ErrNotOurs, Status: http.StatusConflict, Code: "not-in-round", Hint: status},
		{Is: sealer.ErrNoKeys, Status: http.StatusConflict, Code: "no-round-keys", Hint: "deposit from the node that holds the keys which the manifest names"},
		{Is: sealer.ErrLate, Status: http.StatusConflict, Code: "late", Hint: "agree on another round, with a new manifest"},
		{Is: sealer.ErrPending, Status: http.StatusConflict, Code: "round-pending", Hint: "wait until the sealers have decided: detente seal status"},
	}
}

func (s *desk) list(ctx context.Context, _ officer.Actor, _ *server.None) ([]api.Seal, error) {
	if err := s.seals.Work(ctx); err != nil {
		return nil, err
	}
	rounds, err := s.seals.Rounds(ctx)
	if err != nil {
		return nil, err
	}
	out := []api.Seal{}
	for i := range rounds {
		out = append(out, view(&rounds[i]))
	}
	return out, nil
}

func view(r *sealer.State) api.Seal {
	m := r.Manifest
	v := api.Seal{
		Round: sealer.Name(r.Hash), Kind: m.Kind, Plane: r.Plane, Channel: hex.EncodeToString(r.Channel[:]), Dossier: r.Dossier.String(), Opened: r.Opened.String(),
		By: r.By.String(), At: r.At, Deadline: m.Deadline, Final: m.Final(), Faulty: m.Faulty, Need: r.Outcome.Need, State: string(r.Outcome.State),
		Certified: string(r.Certified), Deposits: []api.SealDeposited{},
	}
	for _, p := range m.Parties {
		v.Parties = append(v.Parties, p.Address().String())
	}
	for _, member := range m.Sealers {
		a := member.Address()
		one := api.SealSealer{Sealer: a.String(), Says: []string{}}
		for _, x := range []struct {
			d  sealing.Decision
			by []traffic.Address
		}{{sealing.InForce, r.Outcome.InForce}, {sealing.Lapsed, r.Outcome.Lapsed}} {
			if slices.Contains(x.by, a) {
				one.Says = append(one.Says, string(x.d))
			}
		}
		if i := slices.IndexFunc(r.Own, func(o sealer.Own) bool { return o.Sealer == a }); i >= 0 {
			one.Own = true
			if err := r.Own[i].Refused; err != nil {
				_, one.Refused, _ = strings.Cut(err.Error(), ": ")
			}
		}
		v.Sealers = append(v.Sealers, one)
	}
	for _, a := range r.Outcome.Double {
		v.Double = append(v.Double, a.String())
	}
	for _, d := range r.Deposits {
		v.Deposits = append(v.Deposits, api.SealDeposited{Sealer: d.Sealer, Blank: d.Blank, Sent: d.Sent})
	}
	return v
}

func (s *desk) propose(ctx context.Context, by officer.Actor, in *struct{ Body api.SealProposal }) (api.Sent, error) {
	m, err := s.seals.Declared(ctx, in.Body.Manifest)
	if err != nil {
		return api.Sent{}, err
	}
	own, ok := m.Party(s.seals.Self())
	if !ok {
		return api.Sent{}, sealer.ErrNotOurs
	}
	post := cmp.Or(in.Body.Post, own.Post)
	role, err := server.Must(by, officer.Commit, post)
	if err != nil {
		return api.Sent{}, err
	}
	sent, err := s.seals.Propose(ctx, sealer.Proposal{Manifest: in.Body.Manifest, Post: post, Drafter: role, Releaser: in.Body.Releaser})
	if err != nil {
		return api.Sent{}, err
	}
	return s.Sent(sent, post), nil
}

// post is that of this party in a round.
func (s *desk) post(ctx context.Context, round string) (traffic.Post, error) {
	m, err := s.seals.Manifest(ctx, round)
	if err != nil {
		return "", err
	}
	own, ok := m.Party(s.seals.Self())
	if !ok {
		return "", sealer.ErrNotOurs
	}
	return own.Post, nil
}

func (s *desk) deposit(ctx context.Context, by officer.Actor, in *struct {
	Round string `path:"round"`
	Body  api.SealDeposit
}) (api.SealDepositDone, error) {
	post, err := s.post(ctx, in.Round)
	if err != nil {
		return api.SealDepositDone{}, err
	}
	role, err := server.Must(by, officer.Commit, post)
	if err != nil {
		return api.SealDepositDone{}, err
	}
	n, err := s.seals.Deposit(ctx, sealer.Deposit{Round: in.Round, Drafter: role, Blank: in.Body.Blank})
	return api.SealDepositDone{Sent: n}, err
}

func (s *desk) certify(ctx context.Context, by officer.Actor, in *struct {
	Round string `path:"round"`
}) (api.Sent, error) {
	post, err := s.post(ctx, in.Round)
	if err != nil {
		return api.Sent{}, err
	}
	role, err := server.Must(by, officer.Send, post)
	if err != nil {
		return api.Sent{}, err
	}
	sent, err := s.seals.Certify(ctx, in.Round, post, role)
	if err != nil {
		return api.Sent{}, err
	}
	return s.Sent(sent, post), nil
}

func (s *desk) file(ctx context.Context, _ officer.Actor, in *struct {
	Round string `path:"round"`
}) ([]byte, error) {
	return s.seals.File(ctx, in.Round)
}
