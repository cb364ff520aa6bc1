package view

import (
	"detente/api"
	"detente/form"
)

// viewDocument is a rendering in its parts.
func viewDocument(d *form.Document) *api.Document {
	out := &api.Document{
		Language: d.Lang.String(), Banner: d.Banner, Precedence: d.Precedence, Title: d.Title, Head: []api.DocumentLine{},
		Items: []api.DocumentField{}, Fixed: d.Fixed,
	}
	for _, e := range d.Head {
		out.Head = append(out.Head, api.DocumentLine{Label: e.Label, Text: e.Text})
	}
	for _, item := range d.Items {
		shown := api.DocumentField{Label: item.Label, Runs: []api.DocumentRun{}}
		for _, run := range item.Runs {
			r := api.DocumentRun{Text: run.Text, Quoted: run.Quoted}
			if run.Quoted {
				r.Language, r.Direction = run.Lang.String(), "ltr"
				if run.RTL {
					r.Direction = "rtl"
				}
			}
			shown.Runs = append(shown.Runs, r)
		}
		out.Items = append(out.Items, shown)
	}
	return out
}
