package drafting

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"detente/api"
	"detente/instrument"
	"detente/instrument/akn"
	"detente/traffic"
)

// Reading is what a document from a word processor, or one of Akoma Ntoso, says otherwise than the text as this party stands on it. It states nothing.
type Reading struct {
	Format    string       `json:"format" doc:"docx or akn."`
	Proposals []PaperPoint `json:"proposals" doc:"In the order of the text."`
	Missing   []string     `json:"missing" doc:"What the text has and the document has not: provision, or provision and language."`
}

// PaperPoint is what is proposed for one provision.
type PaperPoint struct {
	Provision string            `json:"provision"`
	Texts     map[string]string `json:"texts" doc:"The whole wording, as it would be tabled: languages that the document leaves alone included."`
	Changes   []PaperChange     `json:"changes"`
}

// PaperChange is what is proposed in one language.
type PaperChange struct {
	Lang      string   `json:"lang"`
	Old       string   `json:"old"`
	New       string   `json:"new"`
	Words     []Change `json:"words" doc:"From the one to the other, word by word."`
	Authors   []string `json:"authors,omitempty" doc:"Of tracked changes, as the document calls them. They are never stated."`
	Untracked bool     `json:"untracked,omitempty" doc:"The document without its changes is not the text either: it was changed without tracking, or the text has gone on since."`
}

// Document is the text as a document: docx, with the own wording and the changes of the others; akn, in one language; pdf, the original of a party in
// languages beside each other. The zero values of party and languages are the own party, and the languages of its original.
func (c Client) Document(ctx context.Context, draft, format string, party traffic.Party, langs ...string) ([]byte, error) {
	return api.Ask[[]byte](ctx, c.Node, http.MethodGet, path(draft, "/documents/"+api.Segment(format))+api.Query("party", string(party), "langs", strings.Join(langs, " ")), nil)
}

// Read holds a document against the negotiation, and states nothing.
func (c Client) Read(ctx context.Context, draft string, document []byte) (Reading, error) {
	return api.Ask[Reading](ctx, c.Node, http.MethodPost, path(draft, "/documents"), document)
}

// FromText is a text as it is tabled.
func FromText(t *instrument.Text) Text {
	out := Text{Title: t.Title, Languages: t.Languages, Prevailing: t.Prevailing, Names: t.Names, Clauses: []Clause{}}
	for _, c := range t.Clauses {
		out.Clauses = append(out.Clauses, Clause{ID: c.ID, Kind: string(c.Kind), Number: c.Number, Texts: c.Texts})
	}
	return out
}

// FromAkomaNtoso puts documents of Akoma Ntoso, one for each language, together to a text. Errors: those of package akn.
func FromAkomaNtoso(files ...[]byte) (Text, error) {
	var all []*akn.Expression
	for _, b := range files {
		e, err := akn.Read(bytes.NewReader(b))
		if err != nil {
			return Text{}, err
		}
		all = append(all, e)
	}
	t, err := akn.Join(all...)
	if err != nil {
		return Text{}, err
	}
	return FromText(&t), nil
}
