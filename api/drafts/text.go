package drafts

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"detente/api"
	"detente/api/drafting"
	"detente/chancery"
	"detente/instrument"
	"detente/officer"
	"detente/traffic"
)

// document is a text as it came.
func document(t *drafting.Text) chancery.Document {
	x := chancery.Document{Kind: t.Kind, Nature: t.Nature}
	x.Title, x.Languages, x.Prevailing, x.Names = t.Title, slices.Clone(t.Languages), t.Prevailing, t.Names
	for _, c := range t.Clauses {
		x.Clauses = append(x.Clauses, instrument.Clause{ID: c.ID, Kind: instrument.Kind(c.Kind), Texts: maps.Clone(c.Texts)})
	}
	return x
}

func (f *face) imports(ctx context.Context, by officer.Actor, in *struct {
	OnDraft
	Body drafting.Import
}) (drafting.Imported, error) {
	out := drafting.Imported{Changes: []drafting.ImportChange{}, Sent: []api.Sent{}}
	r, err := f.find(ctx, &in.OnDraft)
	if err != nil {
		return out, err
	}
	wishes, err := r.draft.Import(f.work.Self(), document(&in.Body.Text), in.Body.Note)
	if err != nil {
		return out, err
	}
	for _, w := range wishes {
		c := drafting.ImportChange{Provision: w.Provision, New: r.draft.Provisions[w.Provision] == nil, Texts: w.Texts, Order: w.Order}
		if own := r.draft.Stands(f.work.Self(), w.Provision); own != nil && w.Provision != instrument.Structure {
			c.Changes = compared(own.Texts, w.Texts)
		}
		out.Changes = append(out.Changes, c)
	}
	if in.Body.DryRun || len(wishes) == 0 {
		return out, nil
	}
	out.Sent, err = f.wish(ctx, by, in.Body.Voice, r, wishes)
	return out, err
}

func (f *face) templates(_ context.Context, _ officer.Actor, in *struct {
	Lang string `query:"lang" default:"en" maxLength:"64"`
}) ([]drafting.Template, error) {
	all, err := chancery.Templates()
	out := []drafting.Template{}
	for _, t := range all {
		out = append(out, drafting.Template{Name: t.Name, Title: t.Title, Kind: t.Kind, Nature: t.Nature, Languages: t.Languages, About: cmp.Or(t.About[in.Lang], t.About["en"])})
	}
	return out, err
}

// text is the clean text; while something is open, the text as it stands, with who wants what.
func (f *face) text(ctx context.Context, _ officer.Actor, in *OnDraft) (drafting.Text, error) {
	r, err := f.find(ctx, in)
	if err != nil {
		return drafting.Text{}, err
	}
	d := r.draft
	out := drafting.Text{
		Title: d.TitleTexts(), Kind: d.Opening.Kind, Nature: d.Opening.Nature, Languages: d.Opening.Languages, Prevailing: d.Opening.Prevailing, Clauses: []drafting.Clause{},
	}
	if text, ok := d.Text(); ok {
		out.Digest, out.Names = hexed(text.Digest()), text.Names
		for _, c := range text.Clauses {
			out.Clauses = append(out.Clauses, drafting.Clause{ID: c.ID, Kind: string(c.Kind), Number: c.Number, Texts: c.Texts})
		}
		return out, nil
	}
	for _, c := range d.Rolling().Clauses {
		if c.Outside {
			continue
		}
		v := drafting.Clause{ID: c.ID, Kind: string(c.Kind), Number: c.Number, Texts: c.Texts}
		if len(c.Texts) == 0 {
			v.Open = make(map[string][]drafting.Piece)
			for lang, pieces := range c.Brackets {
				for _, p := range pieces {
					v.Open[lang] = append(v.Open[lang], drafting.Piece{Text: p.Text, Parties: p.Parties})
				}
			}
			// Whoever edits the file edits his own wording, and finds it there.
			if own := d.Stands(f.work.Self(), c.ID); own != nil {
				v.Texts = own.Texts
			}
		}
		out.Clauses = append(out.Clauses, v)
	}
	return out, nil
}

func (f *face) original(ctx context.Context, _ officer.Actor, in *struct {
	Draft string        `path:"draft" maxLength:"128"`
	Party traffic.Party `query:"party" maxLength:"32" doc:"This party by default."`
	Lang  string        `query:"lang" maxLength:"35" doc:"Of the original; the first authentic one by default."`
}) (drafting.Print, error) {
	r, err := f.find(ctx, &OnDraft{Draft: in.Draft})
	if err != nil {
		return drafting.Print{}, err
	}
	o, err := f.work.Original(r.draft, cmp.Or(in.Party, f.work.Self()), cmp.Or(in.Lang, r.draft.Opening.Languages[0]))
	if err != nil {
		return drafting.Print{}, err
	}
	out := drafting.Print{Party: o.Party, Lang: o.Lang, RTL: o.RTL, Title: o.Title, Blocks: []drafting.PrintBlock{}, Signatures: []string{}, Digest: hexed(o.Digest())}
	for _, b := range o.Blocks {
		out.Blocks = append(out.Blocks, drafting.PrintBlock{ID: b.ID, Kind: string(b.Kind), Label: b.Label, Text: b.Text})
	}
	for _, s := range o.Signatures {
		out.Signatures = append(out.Signatures, strings.TrimSpace(s.For))
	}
	return out, nil
}
