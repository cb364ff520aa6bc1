package csaf

import (
	"fmt"
	"time"

	"detente/label"
)

// file is the part of the format that is read. The schema has already held every type and every compulsory field.
type file struct {
	Document struct {
		Title, Category, Lang string
		Publisher             struct{ Name, Namespace string }
		Notes                 []note
		Distribution          struct {
			TLP struct{ Label string }
		}
		Tracking struct {
			ID, Status, Version string
			Initial             time.Time `json:"initial_release_date"`
			Current             time.Time `json:"current_release_date"`
		}
	}
	Products struct {
		Branches      []branch
		Names         []product `json:"full_product_names"`
		Relationships []struct {
			Product product `json:"full_product_name"`
		}
		Groups []struct {
			ID       string   `json:"group_id"`
			Products []string `json:"product_ids"`
		} `json:"product_groups"`
	} `json:"product_tree"`
	Vulnerabilities []struct {
		CVE, Title string
		CWE        struct{ ID string }
		Notes      []note
		Status     struct {
			First       []string `json:"first_affected"`
			Affected    []string `json:"known_affected"`
			Last        []string `json:"last_affected"`
			FirstFixed  []string `json:"first_fixed"`
			Fixed       []string
			NotAffected []string `json:"known_not_affected"`
			Unsure      []string `json:"under_investigation"`
		} `json:"product_status"`
		Remediations []struct{ Category, Details, URL string }
		Scores       []struct {
			V2 score `json:"cvss_v2"`
			V3 score `json:"cvss_v3"`
		}
	}
}

type note struct{ Category, Text string }

type product struct {
	Name string
	ID   string `json:"product_id"`
}

type branch struct {
	Branches []branch
	Product  *product
}

type score struct {
	Base     float64 `json:"baseScore"`
	Severity string  `json:"baseSeverity"`
}

func (f *file) document() (*Document, error) {
	in := &f.Document
	d := &Document{
		ID: in.Tracking.ID, Title: in.Title, Category: in.Category, Publisher: in.Publisher.Name, Namespace: in.Publisher.Namespace, Language: in.Lang,
		Status: in.Tracking.Status, Version: in.Tracking.Version, Initial: in.Tracking.Initial.UTC(), Current: in.Tracking.Current.UTC(), Summary: summary(in.Notes),
	}
	if text := in.Distribution.TLP.Label; text != "" {
		tlp, ok := label.ParseTLP(text)
		if !ok {
			return nil, fmt.Errorf("the label %.40q is none of TLP", text)
		}
		d.TLP = tlp
	}
	names := map[string]string{}
	for _, p := range f.Products.Names {
		names[p.ID] = p.Name
	}
	for _, r := range f.Products.Relationships {
		names[r.Product.ID] = r.Product.Name
	}
	collect(f.Products.Branches, names)
	if len(names) > maxProducts {
		return nil, fmt.Errorf("%d products, over %d", len(names), maxProducts)
	}
	for _, v := range f.Vulnerabilities {
		out := Vulnerability{CVE: v.CVE, CWE: v.CWE.ID, Title: v.Title, Summary: summary(v.Notes)}
		for _, s := range v.Scores {
			for _, one := range []score{s.V2, s.V3} {
				if one.Base >= out.Score {
					out.Score, out.Severity = one.Base, one.Severity
				}
			}
		}
		st := &v.Status
		out.Affected = named(names, st.First, st.Affected, st.Last)
		out.Fixed, out.Safe, out.Unsure = named(names, st.FirstFixed, st.Fixed), named(names, st.NotAffected), named(names, st.Unsure)
		for _, r := range v.Remediations {
			out.Remedies = append(out.Remedies, Remedy{Kind: r.Category, Text: r.Details, URL: r.URL})
		}
		d.Vulnerabilities = append(d.Vulnerabilities, out)
	}
	return d, nil
}

func summary(notes []note) string {
	for _, want := range []string{"summary", "description"} {
		for _, n := range notes {
			if n.Category == want {
				return n.Text
			}
		}
	}
	return ""
}

func collect(branches []branch, names map[string]string) {
	for _, b := range branches {
		if b.Product != nil {
			names[b.Product.ID] = b.Product.Name
		}
		collect(b.Branches, names) // as deep as Read lets it
	}
}

// named gives products their names, each once, in the order of the advisory. One that the advisory does not name keeps its id.
func named(names map[string]string, lists ...[]string) []string {
	var out []string
	seen := map[string]bool{}
	for _, ids := range lists {
		for _, id := range ids {
			if seen[id] || len(out) >= maxListed {
				continue
			}
			seen[id] = true
			if name := names[id]; name != "" {
				out = append(out, name)
			} else {
				out = append(out, id)
			}
		}
	}
	return out
}
