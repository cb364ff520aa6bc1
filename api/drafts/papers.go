package drafts

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"detente/api/drafting"
	"detente/api/server"
	"detente/chancery"
	"detente/instrument"
	"detente/instrument/akn"
	"detente/instrument/docx"
	"detente/instrument/proposal"
	"detente/officer"
	"detente/traffic"
	"detente/transcript/originals"
	"detente/transcript/pages"
	"detente/wording"
)

// errDocument is a document that cannot be made as it was asked for.
var errDocument = errors.New("drafts: no such document")

// papers registers what is about documents: for word processors, as Akoma Ntoso, for print.
func (f *face) papers(s *server.Server, get func(path, id, summary string) server.Request) {
	for _, is := range []struct{ format, mediaType, summary string }{
		{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "The text for a word processor: the own wording, with what the others want as their changes"},
		{"akn", "application/akn+xml", "The text in one language as Akoma Ntoso 3.0"},
		{"pdf", "application/pdf", "The original of a party to be printed; while something is open, the draft with its brackets"},
	} {
		server.HandleFile(s, get("/v1/drafts/{draft}/documents/"+is.format, "draft-"+is.format, is.summary), is.mediaType, func(ctx context.Context, _ officer.Actor, in *struct {
			Draft string        `path:"draft" maxLength:"128"`
			Party traffic.Party `query:"party" maxLength:"32" doc:"Whose original; the own party by default."`
			Langs string        `query:"langs" maxLength:"200" doc:"Languages, parted by spaces: of a PDF those that stand beside each other, of Akoma Ntoso one."`
		}) ([]byte, error) {
			r, err := f.find(ctx, &OnDraft{Draft: in.Draft})
			if err != nil {
				return nil, err
			}
			return r.document(is.format, cmp.Or(in.Party, f.work.Self()), strings.Fields(in.Langs))
		})
	}
	server.Handle(s, server.Operation(s, officer.Read, "instruments", http.MethodPost, "/v1/drafts/{draft}/documents", "read-document",
		"What a document says otherwise than the text as this party stands on it; nothing is stated").Recorded(), f.read)
}

// paperRules says how what may go wrong with documents looks from outside.
func paperRules() []server.Rule {
	const malformed = http.StatusUnprocessableEntity
	return []server.Rule{
		{Is: docx.ErrRefused, Status: malformed, Code: "document-refused", Hint: "change the document at that place, and save it again"},
		{Is: akn.ErrRefused, Status: malformed, Code: "document-refused", Hint: "change the document at that place, and save it again"},
		{Is: docx.ErrFormat, Status: malformed, Code: "no-document", Hint: "save it as .docx, without password and macros"},
		{Is: akn.ErrFormat, Status: malformed, Code: "no-document", Hint: "a document is .docx, or XML of Akoma Ntoso 3.0"},
		{Is: proposal.ErrMisfit, Status: malformed, Code: "document-misfit", Hint: "export the text anew; what stands where is moved with: detente draft table structure"},
		{Is: docx.ErrText, Status: malformed, Code: "no-such-document", Hint: "a document for word processors has six languages at most"},
		{Is: akn.ErrText, Status: malformed, Code: "no-such-document"},
		{Is: errDocument, Status: malformed, Code: "no-such-document", Hint: "see the languages with: detente draft show"},
		{Is: pages.ErrFonts, Status: http.StatusServiceUnavailable, Code: "no-fonts", Hint: "install fonts where the node runs: fonts-noto-core and fonts-droid-fallback"},
		{Is: originals.ErrFonts, Status: http.StatusServiceUnavailable, Code: "no-fonts", Hint: "install fonts where the node runs: fonts-noto-core and fonts-droid-fallback"},
		{Is: originals.ErrShape, Status: malformed, Code: "no-such-document"},
	}
}

func (r *reader) document(format string, party traffic.Party, langs []string) ([]byte, error) {
	d := r.draft
	var b bytes.Buffer
	for _, lang := range langs {
		if !slices.Contains(d.Opening.Languages, lang) {
			return nil, fmt.Errorf("%w: the text is not in %q", errDocument, lang)
		}
	}
	switch format {
	case "docx":
		err := docx.Write(&b, docx.Rolling(d.Negotiation, r.work.Self()))
		return b.Bytes(), err
	case "akn":
		if len(langs) == 0 {
			langs = d.Opening.Languages[:1]
		}
		doc := akn.Of(d.Negotiation, r.work.Self())
		doc.Parties = r.work.Named(d, &doc.Text)
		err := akn.Write(&b, doc, langs[0])
		return b.Bytes(), err
	}
	text := instrument.Text{Languages: d.Opening.Languages}
	if len(langs) == 0 { // the own language first, one other beside it
		var own []string
		if chain := r.node.Chain(party); chain != nil {
			own = chain.Latest().Languages
		}
		langs = text.Columns(own)
		langs = langs[:min(2, len(langs))]
	}
	fonts, err := pages.FindFonts(pages.Places()...)
	if err != nil {
		return nil, err
	}
	if _, ok := d.Text(); !ok { // nothing to sign yet: the draft, with its brackets
		return originals.Rolling(fonts, d.TitleTexts(), d.Rolling(), d.Number()+"  "+d.Last().UTC().Format(time.RFC3339), langs...)
	}
	var all []instrument.Original
	for _, lang := range langs {
		o, err := r.work.Original(d, party, lang)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return originals.PDF(fonts, all...)
}

func (f *face) read(ctx context.Context, _ officer.Actor, in *struct {
	Draft   string `path:"draft" maxLength:"128"`
	RawBody []byte `contentType:"application/octet-stream"`
}) (drafting.Reading, error) {
	out := drafting.Reading{Proposals: []drafting.PaperPoint{}, Missing: []string{}}
	if len(in.RawBody) > docx.MaxFile {
		return out, fmt.Errorf("%w: %d bytes, at most %d are read", docx.ErrFormat, len(in.RawBody), docx.MaxFile)
	}
	r, err := f.find(ctx, &OnDraft{Draft: in.Draft})
	if err != nil {
		return out, err
	}
	if r.draft.Frozen != nil {
		return out, chancery.ErrFrozen
	}
	base, found, missing, format, err := held(r.draft.Negotiation, f.work.Self(), in.RawBody)
	if err != nil {
		return out, err
	}
	out.Format, out.Missing = format, append(out.Missing, missing...)
	for _, p := range found {
		last := len(out.Proposals) - 1
		if last < 0 || out.Proposals[last].Provision != p.Provision {
			out.Proposals = append(out.Proposals, drafting.PaperPoint{Provision: p.Provision, Texts: map[string]string{}})
			last++
			maps.Copy(out.Proposals[last].Texts, whole(&base, p.Provision))
		}
		point := &out.Proposals[last]
		if point.Texts[p.Lang] = p.New; p.New == "" {
			delete(point.Texts, p.Lang)
		}
		point.Changes = append(point.Changes, drafting.PaperChange{
			Lang: p.Lang, Old: p.Old, New: p.New, Words: compared(wording.Texts{p.Lang: p.Old}, wording.Texts{p.Lang: p.New})[p.Lang], Authors: p.Authors, Untracked: p.Untracked,
		})
	}
	return out, nil
}

// held holds a document of either format against the text as a party stands on it.
func held(n *instrument.Negotiation, p traffic.Party, document []byte) (base instrument.Text, found []proposal.Proposal, missing []string, format string, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(document[:min(len(document), 100)]), []byte("<")) || bytes.HasPrefix(document, []byte("\xef\xbb\xbf<")) {
		base = proposal.Standing(n, p, false)
		e, err := akn.Read(bytes.NewReader(document))
		if err != nil {
			return base, nil, nil, "", err
		}
		found, missing, err = e.Changes(base)
		return base, found, missing, "akn", err
	}
	base = docx.Base(n, p)
	d, err := docx.Read(bytes.NewReader(document), int64(len(document)), base)
	if err != nil {
		return base, nil, nil, "", err
	}
	found, missing, err = d.Changes(base)
	return base, found, missing, "docx", err
}

// whole is the wording of a provision in a text.
func whole(t *instrument.Text, provision string) wording.Texts {
	switch provision {
	case instrument.Title:
		return t.Title
	case instrument.Names:
		return t.Names
	}
	if c, ok := t.Clause(provision); ok {
		return c.Texts
	}
	return nil
}
