package view

import (
	"encoding/hex"
	"time"

	"detente/api"
	"detente/ledger"
	"detente/statement"
	"detente/traffic"
)

// Ledger is the account of a channel as a reader sees it.
func (v *Viewer) Ledger(a *ledger.Account, proposals []ledger.Publication) api.Ledger {
	digest := a.Digest()
	out := api.Ledger{
		Channel: v.Channel(a.Channel), Plane: a.Plane, From: a.Period.From, Until: a.Period.To, Closed: a.Period.Until, Digest: hex.EncodeToString(digest[:]),
		Figures: []api.LedgerFigure{}, Requests: []api.LedgerRequest{}, Publications: []api.LedgerPublication{},
	}
	for _, f := range a.Figures {
		out.Figures = append(out.Figures, api.LedgerFigure{
			From: f.From, To: f.To, Form: f.Form, What: v.regimeSay(a.Channel, f.Form), Precedence: f.Precedence.String(), Requests: f.Requests,
			Acknowledged: f.Acknowledged, InTime: f.InTime, Late: f.Late, Unanswered: f.Unanswered, Pending: f.Pending, Withdrawn: f.Withdrawn,
			Extensions: f.Extensions, AcknowledgedMedian: f.AcknowledgedMedian, AcknowledgedP90: f.AcknowledgedP90, AnsweredMedian: f.AnsweredMedian,
			AnsweredP90: f.AnsweredP90, Behind: ids(f.Behind),
		})
	}
	for _, r := range a.Requests {
		out.Requests = append(out.Requests, api.LedgerRequest{
			ID: r.ID.String(), From: r.From, To: r.To, Form: r.Form, What: v.regimeSay(a.Channel, r.Form), Precedence: r.Precedence.String(), Issued: r.Issued,
			Due: r.Due, Acknowledged: at(r.Acknowledged), Answered: at(r.Answered), Extensions: r.Extensions, Outcome: string(r.Outcome),
			Words: v.say("ledger.outcome." + string(r.Outcome)),
		})
	}
	for _, p := range proposals {
		out.Publications = append(out.Publications, api.LedgerPublication{
			ID: p.ID.String(), Party: p.By, From: p.Period.From, Until: p.Period.To, Digest: hex.EncodeToString(p.Figures[:]), For: parties(p.For),
			Against: parties(p.Against), Agreed: p.Agreed,
		})
	}
	return out
}

func at(r *ledger.Reply) time.Time {
	if r == nil {
		return time.Time{}
	}
	return r.At
}

func ids(list []statement.ID) []string {
	out := []string{}
	for _, id := range list {
		out = append(out, id.String())
	}
	return out
}

func parties(list []traffic.Party) []traffic.Party {
	if list == nil {
		return []traffic.Party{}
	}
	return list
}
