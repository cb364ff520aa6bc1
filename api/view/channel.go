package view

import (
	"encoding/hex"
	"strconv"
	"strings"

	"detente/accord"
	"detente/api"
	"detente/form"
	"detente/party"
	"detente/traffic"

	"golang.org/x/text/language"
)

// Channel is a channel and who has agreed to it.
func Channel(c accord.Channel) api.Channel {
	id := c.ID()
	out := api.Channel{
		ID: hex.EncodeToString(id[:]), Name: ChannelName(c.Channel), Kind: c.Kind, Members: c.Members, Posts: append([]traffic.Post{}, c.Posts...),
		Regime: c.Regime.ID + "/" + strconv.Itoa(c.Regime.Version), Open: c.Open, Protected: c.Protected, Signatures: []string{},
		Established: c.Established, Proposer: c.Proposer, Agreed: append([]traffic.Party{}, c.Agreed...), Refused: c.Refused,
	}
	for _, a := range c.Signatures {
		out.Signatures = append(out.Signatures, Algorithm(a))
	}
	return out
}

// Forms are what can be stated under a regime.
func Forms(r *form.Regime, lang language.Tag) []api.Form {
	var out []api.Form
	for _, f := range r.Forms() {
		v := api.Form{
			ID: f.ID, Version: f.Version, Title: r.Phrases.Phrase(lang, f.ID), Ceiling: f.Ceiling, TwoPersons: f.TwoPersons, Posts: f.Posts,
			MustAcknowledge: f.MustAcknowledge != "", MustAnswer: f.MustAnswer != "", AnswersWith: f.AnswersWith, Refs: string(f.Refs), Fields: []api.Field{},
		}
		for _, field := range f.Fields {
			key := f.ID + "." + field.Name
			shown := api.Field{
				Name: field.Name, Kind: string(field.Kind), Title: r.Phrases.Phrase(lang, key), Required: field.Required || field.Always,
				Codes: field.Codes, Min: field.Min, Max: field.Max, Words: field.Words,
			}
			for _, code := range field.Codes {
				shown.Labels = append(shown.Labels, r.Phrases.Phrase(lang, key+"."+code))
			}
			if field.When != nil {
				shown.When = &api.When{Field: field.When.Field, Codes: field.When.Codes}
			}
			v.Fields = append(v.Fields, shown)
		}
		out = append(out, v)
	}
	return out
}

// Charter is a party as it is known at self. Error: of a fingerprint that cannot be said in words.
func Charter(self traffic.Party, chain *party.Chain, trusted bool, lang string) (api.Charter, error) {
	c, genesis := chain.Latest(), chain.Genesis()
	out := api.Charter{
		Party: c.Party, Own: c.Party == self, Trusted: trusted, Name: c.Name, Version: c.Version, Issued: c.Issued,
		Genesis: hex.EncodeToString(genesis[:]), Words: map[string][]string{}, Posts: []api.Post{}, Languages: c.Languages, Routes: []api.Route{},
	}
	for _, l := range party.Languages() {
		words, err := c.Fingerprint().Words(l)
		if err != nil {
			return out, err
		}
		out.Words[l] = words
	}
	for _, p := range c.Posts {
		out.Posts = append(out.Posts, api.Post{Post: p.Name, May: p.May})
	}
	for _, r := range c.Routes {
		out.Routes = append(out.Routes, api.Route{Route: r.Name, Address: r.Address})
	}
	var text strings.Builder
	err := c.Print(&text, lang)
	out.Text = text.String()
	return out, err
}
