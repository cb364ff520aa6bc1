package console

import (
	"context"
	"time"

	"detente/api"
	"detente/console/cases"
)

// sheet is a page whose content package cases makes.
type sheet[T interface{ Titled() string }] struct {
	Frame
	In   T
	name string // of its screen, where it is shown in answer to a form
}

func (p *sheet[T]) screen() string { return p.name }

// within is the builder of such a page.
func within[T interface{ Titled() string }](make func(context.Context, *cases.Desk) (T, error)) func(*visit) (page, error) {
	return func(v *visit) (page, error) {
		in, err := make(v.ctx, v.desk())
		if err != nil {
			return nil, err
		}
		p := &sheet[T]{In: in}
		p.Title = in.Titled()
		return p, nil
	}
}

// desk is the visit, as package cases needs to know it.
func (v *visit) desk() *cases.Desk {
	return &cases.Desk{
		Client: v.client, Party: v.cfg.Party, Plane: v.plane, Lang: v.tag(), RTL: v.paper.Book.RTL(v.lang), Now: time.Now().UTC(), Query: v.r.URL.Query(), ID: v.r.PathValue("id"),
		May: v.may, Say: v.say, To: v.to, Refused: v.refused, Posts: v.voices,
	}
}

// voices are the own posts that may speak on a channel.
func (v *visit) voices(c api.Channel) (out []cases.Choice, err error) {
	charters, err := v.client.Charters(v.ctx)
	for _, p := range v.posts(charters, c, "") {
		out = append(out, cases.Choice(p))
	}
	return out, err
}

// doSee takes what concerns own systems, or a mail, off the watch.
func doSee(v *visit) (string, page, error) {
	to := v.to("/collections", "said", "seen")
	if number := v.r.PostForm.Get("back"); number != "" {
		to = v.to("/case", "n", number, "said", "seen")
	}
	return to, nil, cases.See(v.ctx, v.client, v.r.PostForm)
}

// doReview decides on objects that wait before they are stated.
func doReview(v *visit) (string, page, error) {
	g := v.r.PostForm
	return v.to("/collections", "said", "reviewed"), nil, cases.DecideOn(v.ctx, v.client, g["key"], g.Get("decision"), g.Get("reason"))
}
