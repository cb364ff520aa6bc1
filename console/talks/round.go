package talks

import (
	"strconv"

	"detente/api/talks"
	"detente/console/cases"
)

// Round is one round, with what this side can do about it.
type Round struct {
	talks.Round
	Of        *File
	Coming    bool // it is the one that is to come
	Proposals []Proposal
	Texts     []Text
	Refused   int    // refusals in force
	Invite    string // the file that invites; empty where nothing is agreed
	Lacks     []string
	Papers    []cases.Choice // of the review, from the record; none for a series that reviews nothing
}

// Proposal is a time and a form, with who stands on it.
type Proposal struct {
	talks.Proposal
	Href   string
	Agreed bool
	Ours   bool // this side stands on it
	Accept bool // this side can
	Leave  bool // it can leave it
}

// Text is an agenda, minutes or a report.
type Text struct {
	talks.Text
	Of    *File
	Round int
	Href  string
	Items []Item
	Open  int
	Sign  bool // our signature is outstanding
}

// Item is a line of a text.
type Item struct {
	talks.Item
	Words []Words
}

func itoa(n int) string { return strconv.Itoa(n) }

func (f *File) round(d *cases.Desk, x *talks.Round) Round {
	r := Round{Round: *x, Of: f, Coming: x.Number == f.Round}
	for i := len(x.Proposals) - 1; i >= 0; i-- { // the newest first
		p := x.Proposals[i]
		out := Proposal{Proposal: p, Href: statement(d, p.ID), Agreed: x.Agreed != nil && x.Agreed.ID == p.ID, Ours: has(p.Standing, f.Self)}
		said := len(x.Held) == 0 && f.Speaks
		out.Accept = said && !out.Ours && party(p.By) != f.Self && len(p.Standing) > 0 && p.To.After(d.Now)
		out.Leave = said && out.Ours
		r.Proposals = append(r.Proposals, out)
	}
	for _, y := range x.Refusals {
		if y.InForce {
			r.Refused++
		}
	}
	if x.Agreed != nil && len(x.Held) == 0 {
		r.Invite = d.To("/talks/"+f.ID+"/file", "what", "invitation", "round", itoa(x.Number))
	}
	if f.Level == "review" || f.Basis != "" {
		for _, as := range []string{"pdf", "docx"} {
			r.Papers = append(r.Papers, cases.Choice{Value: d.To("/talks/"+f.ID+"/file", "what", "papers", "as", as, "round", itoa(x.Number)), Label: as})
		}
	}
	for _, t := range x.Texts {
		out := Text{Text: t, Of: f, Round: x.Number, Href: d.To("/instrument", "n", t.Negotiation), Sign: t.What == "minutes" && t.Agreed && !has(t.Signed, f.Self)}
		for _, i := range t.Items {
			if len(i.Texts) == 0 {
				continue // the order of the items, and no words
			}
			if !i.Agreed {
				out.Open++
			}
			out.Items = append(out.Items, Item{i, words(i.Texts, d.Lang)})
		}
		r.Texts = append(r.Texts, out)
	}
	for _, what := range []string{"agenda", "minutes"} {
		there := false
		for _, t := range x.Texts {
			there = there || t.What == what
		}
		if !there {
			r.Lacks = append(r.Lacks, what)
		}
	}
	return r
}
