package register

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"

	"detente/acts"
	"detente/traffic"
)

// listed is what data/register.json says of an instrument.
type listed struct {
	ID      string            `json:"id"`
	Slug    string            `json:"slug"`
	Title   map[string]string `json:"title"`
	Kind    string            `json:"kind,omitempty"`
	Nature  string            `json:"nature"`
	Keeper  traffic.Party     `json:"keeper"`
	Edition string            `json:"edition"`
	Known   string            `json:"known"`
	Acts    int               `json:"acts"`
	InForce bool              `json:"in_force"`
	Entry   acts.Day          `json:"entry,omitzero"`
	Counts  map[string]int    `json:"counts"`
	Bundle  string            `json:"bundle"`
}

// data writes an instrument for programs: what the pages show, without words.
func (s *site) data(v *view) error {
	folder := "data/" + v.slug + "/"
	r := v.Verdict.Record
	type noted struct {
		acts.Noted
		Signed bool `json:"signed"`
	}
	all := make([]noted, len(r.Acts))
	rows := [][]string{{"id", "date", "participant", "kind", "manner", "effect", "known", "provision", "regarding", "opposing", "by", "signed", "why", "texts"}}
	for i := range r.Acts {
		a := &r.Acts[i]
		all[i] = noted{*a, v.signed[a.ID]}
		var texts []string
		for _, t := range list(a.Texts) {
			texts = append(texts, t.Lang+": "+t.Text)
		}
		known := ""
		if !a.Known.IsZero() {
			known = a.Known.UTC().Format("2006-01-02T15:04:05Z")
		}
		rows = append(rows, []string{a.ID, day(a.Date), string(a.Party), string(a.Kind), a.Manner, day(a.Effect), known, a.Provision, a.Regarding,
			yes(a.Opposing), string(a.By), yes(v.signed[a.ID]), string(a.Why), strings.Join(texts, "\n")})
	}
	if err := s.json(folder+"acts.json", all); err != nil {
		return err
	}
	s.csv(folder+"acts.csv", rows)
	if err := s.json(folder+"status.json", v.status); err != nil {
		return err
	}
	rows = [][]string{{"participant", "state", "signed", "consented", "way", "in_force", "ends", "reservations", "declarations"}}
	for _, row := range v.status.Rows {
		rows = append(rows, []string{string(row.Party), string(row.State), day(row.Signed), day(row.Consented), string(row.Way), day(row.InForce), day(row.Ends),
			strconv.Itoa(len(row.Held)), strconv.Itoa(len(row.Statements))})
	}
	s.csv(folder+"status.csv", rows)
	rows = [][]string{{"x", "y", "bond", "since", "reservations", "objections"}}
	for i := range v.bonds {
		for j := range v.bonds[i] {
			b := &v.bonds[i][j]
			if b.Bond == acts.Bound || b.Bond == acts.Unbound {
				continue
			}
			var reservations, objections []string
			for _, m := range append(append([]acts.Modification{}, b.Modified...), b.Excluded...) {
				reservations = append(reservations, m.Reservation)
				if m.Objection != "" {
					objections = append(objections, m.Objection)
				}
			}
			rows = append(rows, []string{string(b.X), string(b.Y), string(b.Bond), day(b.Since), strings.Join(reservations, " "), strings.Join(objections, " ")})
		}
	}
	s.csv(folder+"relations.csv", rows)
	return nil
}

// list writes what there is.
func (s *site) list() error {
	all := make([]listed, 0, len(s.views))
	for _, v := range s.views {
		o := v.Verdict.Opening
		l := listed{ID: v.Verdict.Instrument, Slug: v.slug, Title: o.Title, Kind: o.Kind, Nature: o.Nature, Keeper: v.Verdict.Keeper, Edition: v.Verdict.Edition,
			Known: moment(v.Verdict.Known), Acts: len(v.Verdict.Record.Acts), InForce: v.status.InForce, Entry: v.status.Entry, Counts: make(map[string]int),
			Bundle: "bundles/" + v.slug + ".detente-register"}
		for st, n := range v.status.Counts {
			l.Counts[string(st)] = n
		}
		all = append(all, l)
	}
	return s.json(mark, all)
}

func (s *site) json(name string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	s.out.put(name, b.Bytes())
	return nil
}

// csv writes rows as RFC 4180 has them. A cell that a spreadsheet would take for a formula is prefixed with an apostrophe: the words are of strangers.
func (s *site) csv(name string, rows [][]string) {
	s.out.make(name, func() ([]byte, error) {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = true
		for _, row := range rows {
			for i, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					row[i] = "'" + cell
				}
			}
			if err := w.Write(row); err != nil {
				return nil, err
			}
		}
		w.Flush()
		return b.Bytes(), w.Error()
	})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
