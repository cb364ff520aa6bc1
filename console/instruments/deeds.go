package instruments

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"detente/api"
	"detente/api/drafting"
	"detente/console/cases"
	"detente/traffic"
)

// Done is what came of a form: where to go, or the page on which it was written, with why it was not done.
type Done struct {
	To     string
	File   *File
	Editor *Editor
	New    *New
}

// Do does what a form on these pages says. One form says one thing.
func Do(ctx context.Context, d *cases.Desk, given url.Values) (Done, error) {
	id, provision, what := given.Get("n"), given.Get("p"), given.Get("do")
	if what == "open" {
		return open(ctx, d, given)
	}
	if what == "complain" {
		return complain(ctx, d, given)
	}
	if id == "" {
		return Done{}, &api.Problem{Status: http.StatusBadRequest, Code: "no-choice"}
	}
	if what == "look" {
		e, err := edit(ctx, d, given)
		if err == nil {
			e.Preview = e.preview(d)
		}
		return Done{Editor: e}, err
	}
	said, err := say(ctx, d, id, provision, what, given)
	if err == nil {
		to := d.To("/instrument", "n", id, "said", said)
		if given.Get("from") == "editor" && provision != "" {
			to = d.To("/instrument/provision", "n", id, "p", provision, "said", said)
		} else if provision != "" {
			to += "#p-" + provision
		}
		return Done{To: to}, nil
	}
	if p, ok := cases.Problem(err); ok && p.Code == "release-needed" { // a second person says it
		release := ""
		if len(p.Fields) > 0 {
			release = p.Fields[0]
		}
		return Done{To: d.To("/releases", "id", release, "said", "waits")}, nil
	}
	why, err := d.Refused(err)
	if err != nil {
		return Done{}, err
	}
	if given.Get("from") == "editor" {
		e, err := edit(ctx, d, given)
		if err == nil {
			e.Problem = why
		}
		return Done{Editor: e}, err
	}
	d.Query = url.Values{"n": {id}}
	f, err := file(ctx, d, given)
	if err == nil {
		f.Problem = why
	}
	return Done{File: f}, err
}

// say says or keeps one thing, and gives the word for what was done.
func say(ctx context.Context, d *cases.Desk, id, provision, what string, given url.Values) (string, error) {
	c := drafting.Client{Node: d.Client}
	v := drafting.Voice{Post: traffic.Post(given.Get("post")), Language: d.Lang}
	words := clean(given.Get("words"))
	x, err := c.Show(ctx, id, d.Lang)
	if err == nil && v.Post == "" {
		var posts []cases.Choice
		posts, err = voices(ctx, d, &x)
		v.Post = traffic.Post(chosen(posts))
	}
	if err != nil {
		return "", err
	}
	switch what {
	case "table":
		r, err := position(d, &x, provision, given)
		if err != nil {
			return "", err
		}
		r.Voice = v
		_, err = c.Table(ctx, id, r)
		return "tabled", err
	case "accept":
		_, err = c.Accept(ctx, id, drafting.Accept{Voice: v, Provisions: []string{provision}, Of: given.Get("of")})
		return "accepted", err
	case "accept-all":
		_, err = c.Accept(ctx, id, drafting.Accept{Voice: v, Provisions: unspoken(&x, d)})
		return "accepted", err
	case "reserve":
		_, err = c.Reserve(ctx, id, drafting.Reserve{Voice: v, Provision: provision, Of: given.Get("of"), Reason: given.Get("reason"), Words: words})
		return "reserved", err
	case "withdraw":
		_, err = c.Withdraw(ctx, id, drafting.Withdraw{Voice: v, Provision: provision})
		return "stand-withdrawn", err
	case "comment":
		_, err = c.Comment(ctx, id, drafting.Remark{Voice: v, Provision: provision, Words: words, Paper: given.Get("paper") != ""})
		return "commented", err
	case "package":
		of := make(map[string]string)
		for _, p := range given["in"] {
			of[p] = given.Get("of." + p)
		}
		_, err = c.Package(ctx, id, drafting.Bundle{Voice: v, Name: given.Get("name"), Items: of})
		return "packed", err
	case "unpack":
		_, err = c.Unpack(ctx, id, given.Get("package"), v)
		return "unpacked", err
	case "note":
		_, err = c.Note(ctx, id, drafting.NewNote{Provision: provision, Kind: given.Get("kind"), Words: words})
		return "kept-here", err
	case "keep": // the wording in the editor, as a fall-back
		_, err = c.Note(ctx, id, drafting.NewNote{Provision: provision, Kind: "fall-back", Words: clean(given.Get("note")), Texts: texts(given, x.Languages)})
		return "kept-here", err
	case "forget":
		return "forgotten", c.Forget(ctx, id, given.Get("note"))
	case "manifest":
		r, err := terms(given, v)
		if err == nil {
			_, err = c.Manifest(ctx, id, r)
		}
		return "manifested", err
	case "seal-open", "seal-deposit", "seal-certify":
		return seal(ctx, d.Client, what, given.Get("round"), traffic.Post(given.Get("post")))
	case "step":
		r, err := step(&x, given, v)
		if err == nil {
			_, err = c.Step(ctx, id, r)
		}
		return "stepped", err
	}
	return "", &api.Problem{Status: http.StatusBadRequest, Code: "no-choice"}
}

// unspoken are the provisions on which all the others stand on one wording, and this party has not spoken.
func unspoken(x *drafting.File, d *cases.Desk) (out []string) {
	for i := range x.Provisions {
		p := &x.Provisions[i]
		digest, silent, fits := "", true, true
		for _, s := range p.Stands {
			if s.Party == d.Party {
				silent = s.Kind == ""
				continue
			}
			fits = fits && s.Kind != "" && (digest == "" || digest == s.Digest)
			digest = s.Digest
		}
		if silent && fits && digest != "" {
			out = append(out, p.ID)
		}
	}
	return out
}

// voices are the posts in whose name the officer may speak in a negotiation: the one that has spoken in it already, else those that may on its channel.
func voices(ctx context.Context, d *cases.Desk, x *drafting.File) ([]cases.Choice, error) {
	for i := len(x.Entries) - 1; i >= 0; i-- {
		if by, err := traffic.ParseAddress(x.Entries[i].By); err == nil && by.Party == d.Party && x.Entries[i].Why == "" {
			return []cases.Choice{{Value: string(by.Post), Label: string(by.Post), Chosen: true}}, nil
		}
	}
	channel, err := d.Client.Channel(ctx, x.ChannelID, d.Lang)
	if p, ok := cases.Problem(err); ok && p.Status < 500 {
		return nil, nil // the node says itself what it lacks
	}
	if err != nil {
		return nil, err
	}
	return speakers(d, channel)
}

// speakers are the own posts that may speak on a channel. That of the ministry is meant more often than any other.
func speakers(d *cases.Desk, channel api.Channel) ([]cases.Choice, error) {
	out, err := d.Posts(channel)
	if i := slices.IndexFunc(out, func(c cases.Choice) bool { return c.Value == "mfa" }); i >= 0 && !slices.ContainsFunc(out, func(c cases.Choice) bool { return c.Chosen }) {
		out[i].Chosen = true
	}
	return out, err
}

// chosen is the value that is chosen, else the first.
func chosen(list []cases.Choice) string {
	for _, c := range list {
		if c.Chosen {
			return c.Value
		}
	}
	if len(list) > 0 {
		return list[0].Value
	}
	return ""
}

// position is what an officer has written: texts, or an order of the clauses; for a new clause, with its place.
func position(d *cases.Desk, x *drafting.File, provision string, given url.Values) (drafting.Table, error) {
	r := drafting.Table{Provision: provision, Note: clean(given.Get("note"))}
	if provision == "structure" {
		r.Order = ordered(given)
		return r, nil
	}
	r.Texts = texts(given, x.Languages)
	if provision == "" {
		r.Kind, r.After = given.Get("kind"), given.Get("after")
		if !slices.ContainsFunc(kinds(d, ""), func(k cases.Choice) bool { return k.Value == r.Kind }) {
			return r, &api.Problem{Status: http.StatusBadRequest, Code: "no-choice"}
		}
	}
	return r, nil
}
