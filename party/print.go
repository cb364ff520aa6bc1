package party

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"detente/key"
)

// Print shows the charter to a person: the fingerprint in both languages first, since that is what is compared. The party's name is given
// in lang, or in the first language it has.
func (c *Charter) Print(w io.Writer, lang string) error {
	p := printer{w: w}
	p.f("%s (%s)\nCharter version %d of %s\n\n", c.name(lang), c.Party, c.Version, c.Issued.Format("2006-01-02 15:04:05 UTC"))
	p.fingerprint(c.Fingerprint())
	p.f("\n")
	p.contents(&c.Contents)
	return p.err
}

// Print shows the draft to a root holder before it is signed: what it says, and whose signatures it still lacks.
func (c *Circular) Print(w io.Writer, lang string) error {
	p := printer{w: w}
	p.f("%s (%s)\nDRAFT of charter version %d of %s\n\n", c.contents.name(lang), c.contents.Party, c.contents.Version,
		c.contents.Issued.Format("2006-01-02 15:04:05 UTC"))
	missing := c.Missing()
	p.f("Signatures: %d of %d\n", len(c.keys)-len(missing), len(c.keys))
	for _, k := range missing {
		p.f("  missing: %s\n", label(k))
	}
	p.f("\n")
	p.contents(&c.contents)
	return p.err
}

func (c *Contents) name(lang string) string {
	if n, ok := c.Name[lang]; ok {
		return n
	}
	for _, l := range slices.Sorted(maps.Keys(c.Name)) {
		return c.Name[l]
	}
	return ""
}

// printer keeps the first error of its writer.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// fingerprint shows the words in rows of four, as they are read out, each row with the number of its first word.
func (p *printer) fingerprint(f Fingerprint) {
	for _, lang := range Languages() {
		words, err := f.Words(lang)
		if err != nil {
			p.err = err
			return
		}
		p.f("Fingerprint in words (%s)\n", lang)
		for i := 0; i < len(words); i += 4 {
			p.f("  %2d  %s\n", i+1, strings.Join(words[i:i+4], " "))
		}
	}
}

func (p *printer) contents(c *Contents) {
	p.f("Roots: %d of %d must approve\n", c.Need, len(c.Roots))
	for i, root := range c.Roots {
		p.f("  root/%d  %s\n", i+1, labels(root))
	}
	p.f("Posts\n")
	for _, post := range c.Posts {
		p.f("  %s: may %s\n", post.Name, orNothing(post.May))
		p.table(func(w io.Writer) {
			for _, k := range post.Keys {
				fmt.Fprintf(w, "    %s\t%s\n", k.Plane, label(k.Key))
			}
		})
	}
	p.f("Node\n")
	p.table(func(w io.Writer) {
		for _, n := range c.Node.signing() {
			fmt.Fprintf(w, "  %s\t%s\n", n.name, label(*n.key))
		}
		fmt.Fprintf(w, "  sealing\tMLKEM768-X25519 %s\n", c.Node.Sealing.ID())
	})
	p.f("Languages: %s\n", strings.Join(c.Languages, ", "))
	p.f("Routes\n")
	p.table(func(w io.Writer) {
		for _, r := range c.Routes {
			fmt.Fprintf(w, "  %s\t%s\n", r.Name, r.Address)
		}
	})
	if len(c.Revoked) > 0 {
		p.f("Withdrawn\n")
	}
	for _, r := range c.Revoked {
		p.f("  %s since %s: %s\n", r.Key, r.Since.Format("2006-01-02 15:04:05 UTC"), r.Reason)
	}
}

func (p *printer) table(fill func(io.Writer)) {
	if p.err != nil {
		return
	}
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	fill(t)
	p.err = t.Flush()
}

func label(k key.Public) string {
	names := map[key.Algorithm]string{key.Ed25519: "Ed25519", key.MLDSA44: "ML-DSA-44", key.MLDSA65: "ML-DSA-65"}
	name, ok := names[k.Algorithm]
	if !ok {
		name = fmt.Sprintf("algorithm %d", k.Algorithm)
	}
	return name + " " + k.ID().String()
}

func labels(keys []key.Public) string {
	var out []string
	for _, k := range keys {
		out = append(out, label(k))
	}
	return strings.Join(out, ", ")
}

func orNothing(s []string) string {
	if len(s) == 0 {
		return "nothing"
	}
	return strings.Join(s, ", ")
}
