package instrument_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/form"
	"detente/instrument"
	"detente/sealing"
)

// rung is a row of the ladder as people read it, and how the test walks it: from each of its rungs, on an instrument that stands there.
type rung struct {
	from   []instrument.Rung
	what   string // statement, or what time does
	by     string
	powers string // what full powers must say, of a legal instrument
	to     instrument.Rung
	time   bool // nobody says it
	walk   func(w *talks, h []byte) time.Duration
}

func each(formID string, v func(h []byte) form.Values) func(*talks, []byte) time.Duration {
	return func(w *talks, h []byte) time.Duration {
		for _, p := range []string{"xn", "xs"} {
			w.says(p, formID, v(h))
		}
		return 0
	}
}

func manner(code string) func([]byte) form.Values {
	return func(h []byte) form.Values { return form.Values{"manifest": h, "manner": code} }
}

func conforms(w *talks, parties ...string) {
	text, _ := w.fold().Text()
	d := text.Digest()
	for _, p := range parties {
		w.says(p, "conformity", form.Values{"text": d[:], "languages": "en ru", "officer": "Language service"})
	}
}

func reopens(w *talks, _ []byte) time.Duration {
	w.says("xs", "withdrawal", form.Values{"provision": "p0"})
	return 0
}

func ladder() []rung {
	none := func(*talks, []byte) time.Duration { return days(1000) }
	return []rung{
		{from: []instrument.Rung{instrument.Opened}, what: "position, package", by: "any", to: instrument.Tabled, walk: func(w *talks, _ []byte) time.Duration {
			w.says("xs", "position", form.Values{"provision": "p0", "texts": texts("en", "A", "ru", "А")})
			return 0
		}},
		{from: []instrument.Rung{instrument.Tabled}, what: "acceptance: the last provision is agreed", by: "any", to: instrument.AgreedText, walk: func(w *talks, _ []byte) time.Duration {
			w.order("preamble p0", "xn", "xs")
			w.agree("p0", texts("en", "A", "ru", "А"), "xn", "xs")
			return 0
		}},
		{from: []instrument.Rung{instrument.AgreedText}, what: "conformity, of all languages", by: "one", to: instrument.Scrubbed, walk: func(w *talks, _ []byte) time.Duration {
			conforms(w, "xn")
			return 0
		}},
		{from: []instrument.Rung{instrument.AgreedText, instrument.Scrubbed}, what: "conformity, of all languages", by: "each", to: instrument.Certified, walk: func(w *talks, _ []byte) time.Duration {
			conforms(w, "xn", "xs")
			return 0
		}},
		{from: []instrument.Rung{instrument.AgreedText, instrument.Scrubbed, instrument.Certified}, what: "position, withdrawal, reservation, …", by: "any", to: instrument.Tabled, walk: reopens},
		{from: []instrument.Rung{instrument.AgreedText, instrument.Scrubbed, instrument.Certified}, what: "initialling", by: "each", powers: "initial or sign", to: instrument.Initialled,
			walk: each("initialling", func(h []byte) form.Values { return form.Values{"manifest": h} })},
		{from: []instrument.Rung{instrument.AgreedText, instrument.Scrubbed, instrument.Certified, instrument.Initialled}, what: "signature: subject-to-ratification", by: "each", powers: "sign", to: instrument.Signed,
			walk: each("signature", manner("subject-to-ratification"))},
		{from: []instrument.Rung{instrument.Initialled}, what: "signature: ad-referendum; confirmation", by: "each", powers: "sign", to: instrument.Consented, walk: func(w *talks, h []byte) time.Duration {
			for _, p := range []string{"xn", "xs"} {
				w.says(p, "confirmation", form.Values{}, w.says(p, "signature", manner("ad-referendum")(h)))
			}
			return 0
		}},
		{from: []instrument.Rung{instrument.AgreedText, instrument.Scrubbed, instrument.Certified, instrument.Initialled}, what: "signature: definitive", by: "each", powers: "sign", to: instrument.Consented,
			walk: each("signature", manner("definitive"))},
		{from: []instrument.Rung{instrument.Signed}, what: "consent: ratification, acceptance, approval, …", by: "each", powers: "consent", to: instrument.Consented, walk: each("consent", manner("ratification"))},
		{from: []instrument.Rung{instrument.Consented}, what: "the effect that the manifest names", to: instrument.InForce, time: true, walk: none},
		{from: []instrument.Rung{instrument.AgreedText, instrument.Initialled, instrument.Signed}, what: "certificate: in-force", by: "whoever has it", to: instrument.InForce, walk: func(w *talks, _ []byte) time.Duration {
			b := w.terms(sealers(w.t, 1, 0))
			w.says("xn", "manifest", form.Values{"manifest": b})
			w.says("xn", "certificate", certificate(w.t, b, sealing.InForce, 0, 1))
			return days(1000)
		}},
		{from: []instrument.Rung{instrument.AgreedText, instrument.Scrubbed, instrument.Certified}, what: "certificate: lapsed", by: "whoever has it", to: instrument.Lapsed, walk: func(w *talks, _ []byte) time.Duration {
			b := w.terms(sealers(w.t, 1, 0))
			w.says("xn", "manifest", form.Values{"manifest": b})
			w.says("xn", "certificate", certificate(w.t, b, sealing.Lapsed, 0, 1))
			return days(1000)
		}},
		{from: []instrument.Rung{instrument.InForce}, what: "suspension-notice, of the whole", by: "one of two", powers: "withdraw", to: instrument.Suspended, walk: func(w *talks, h []byte) time.Duration {
			w.says("xs", "suspension-notice", form.Values{"manifest": h, "ground": "a reason", "from": w.now.Add(days(200)).Unix()})
			return days(200)
		}},
		{from: []instrument.Rung{instrument.Suspended}, what: "resumption", by: "who suspended", powers: "withdraw", to: instrument.InForce, walk: func(w *talks, h []byte) time.Duration {
			w.says("xs", "resumption", form.Values{"manifest": h, "ground": "it is gone", "from": w.now.Add(days(200)).Unix()})
			return days(200)
		}},
		{from: []instrument.Rung{instrument.InForce, instrument.Suspended}, what: "termination-notice; the notice period", by: "one of two", powers: "withdraw", to: instrument.Ended, walk: func(w *talks, h []byte) time.Duration {
			w.says("xs", "termination-notice", form.Values{"manifest": h, "effect": w.now.Add(days(200)).Unix()})
			return days(200)
		}},
		{from: []instrument.Rung{instrument.InForce, instrument.Suspended}, what: "the duration ends, and is not renewed or extended", to: instrument.Ended, time: true,
			walk: func(*talks, []byte) time.Duration { return days(4000) }},
	}
}

// at makes an instrument that stands on a rung, and the hash of its manifest. It takes effect 150 days on, for ten years.
func at(t *testing.T, r instrument.Rung) (*talks, []byte) {
	if r == instrument.Opened || r == instrument.Tabled {
		w := begin(t, "treaty", "political", "en ru", "xn", "xs")
		if r == instrument.Tabled {
			w.says("xn", "position", form.Values{"provision": "p1", "texts": texts("en", "B", "ru", "Б")})
		}
		return w, nil
	}
	w := treaty(t, "political")
	h := w.tables(func(m *sealing.Manifest) {
		m.Effect, m.Duration = sealing.Effect{Kind: sealing.OnDate, Date: day0.Add(days(150))}, sealing.Period{Years: 10}
	})
	if r == instrument.Scrubbed || r == instrument.Certified {
		conforms(w, []string{"xn", "xs"}[:map[instrument.Rung]int{instrument.Scrubbed: 1, instrument.Certified: 2}[r]]...)
	}
	i := slices.Index(instrument.Rungs(), r)
	if i >= slices.Index(instrument.Rungs(), instrument.Initialled) {
		each("initialling", func(h []byte) form.Values { return form.Values{"manifest": h} })(w, h)
	}
	switch {
	case r == instrument.Signed:
		each("signature", manner("subject-to-ratification"))(w, h)
	case i > slices.Index(instrument.Rungs(), instrument.Signed):
		each("signature", manner("definitive"))(w, h)
	}
	if i >= slices.Index(instrument.Rungs(), instrument.InForce) {
		w.now = w.now.Add(days(160))
	}
	if r == instrument.Suspended {
		w.says("xs", "suspension-notice", form.Values{"manifest": h, "ground": "a reason"})
	}
	return w, h
}

// Every row that people read is what the fold does, from each rung that it names.
func TestTheLadderIsWalked(t *testing.T) {
	for _, row := range ladder() {
		for _, from := range row.from {
			w, h := at(t, from)
			if s := w.fold().Status(w.now); s.Rung != from {
				t.Fatalf("an instrument that should stand on %s stands on %s", from, s.Rung)
			}
			after := row.walk(w, h)
			if s := w.fold().Status(w.now.Add(after)); s.Rung != row.to {
				t.Errorf("%s, %s: %s, want %s", from, row.what, s.Rung, row.to)
			}
		}
	}
}

func TestTheDocumentIsCurrent(t *testing.T) {
	const open, shut = "<!-- made by go test ./instrument -update -->\n", "<!-- to here -->\n"
	path := filepath.Join("..", "docs", "instruments.md")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(b), open)
	_, behind, closed := strings.Cut(rest, shut)
	if !found || !closed {
		t.Fatal("docs/instruments.md has no place for the ladder")
	}
	golden(t, path, before+open+table()+shut+behind)
	golden(t, filepath.Join("..", "docs", "pictures", "instrument-ladder.svg"), picture())
}

func table() string {
	var b strings.Builder
	b.WriteString("\n![The ladder](pictures/instrument-ladder.svg)\n\n| from | statement | by | full powers | to |\n|---|---|---|---|---|\n")
	for _, r := range ladder() {
		from := make([]string, len(r.from))
		for i, f := range r.from {
			from[i] = string(f)
		}
		what := "`" + strings.NewReplacer("; ", "`; `", ", ", "`, `").Replace(r.what) + "`"
		if r.time || strings.Contains(r.what, " all ") || strings.Contains(r.what, "the ") || strings.Contains(r.what, "…") || strings.Contains(r.what, ": ") {
			what = r.what
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", strings.Join(from, ", "), what, r.by, r.powers, r.to)
	}
	b.WriteString("\n")
	return b.String()
}

// Measures of the picture, in pixels.
const (
	column = 84
	label  = 330
	row    = 24
	head   = 56
)

// picture has a column for each rung and a row for each step, so that no line crosses a word.
func picture() string {
	rungs := instrument.Rungs()
	rows := ladder()
	width, height := label+column*len(rungs)+8, head+row*len(rows)+12
	middle := func(r instrument.Rung) int { return label + column*slices.Index(rungs, r) + column/2 }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="11" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>The ladder of an instrument</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height)
	for _, r := range rungs {
		fill, ink := "#fff", "#111"
		switch r {
		case instrument.InForce, instrument.Suspended:
			fill = "#e4e4e4"
		case instrument.Ended, instrument.Lapsed:
			fill, ink = "#333", "#fff"
		}
		x := middle(r)
		fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#ccc"/>`+"\n", x, head-16, x, height-6)
		fmt.Fprintf(&b, `<rect x="%d" y="8" width="%d" height="32" rx="4" fill="%s" stroke="#555"/><text x="%d" y="28" text-anchor="middle" fill="%s">%s</text>`+"\n", x-column/2+3, column-6, fill, x, ink, r)
	}
	for i, r := range rows {
		y := head + row*i + row/2
		if i%2 == 0 {
			fmt.Fprintf(&b, `<rect x="0" y="%d" width="%d" height="%d" fill="#000" fill-opacity=".035"/>`+"\n", y-row/2, width, row)
		}
		text, dash := r.what, ""
		if r.by != "" {
			text = r.by + " · " + text
		}
		if r.time {
			dash = ` stroke-dasharray="4 3"`
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", label-8, y+4, text)
		to := middle(r.to)
		low, high := to, to
		for _, f := range r.from {
			x := middle(f)
			low, high = min(low, x), max(high, x)
			fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="3.5" fill="#1a4f8a"/>`+"\n", x, y)
		}
		if low < to {
			fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#1a4f8a" stroke-width="1.5"%s/><path d="M%d %d l-8 -4 v8 z" fill="#1a4f8a"/>`+"\n", low, y, to-7, y, dash, to, y)
		}
		if high > to {
			fmt.Fprintf(&b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#1a4f8a" stroke-width="1.5"%s/><path d="M%d %d l8 -4 v8 z" fill="#1a4f8a"/>`+"\n", high, y, to+7, y, dash, to, y)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}
