package instrument

import (
	"crypto/sha256"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"detente/canonical"
	"detente/traffic"
)

// Named is a party and what it is called.
type Named struct {
	Party traffic.Party
	// Names by language, and by "language:form" where a language bends them: "ru:gen" behind "{party:1:gen}", "en:for" behind the words "For …" of
	// the signature.
	Names map[string]string
	// Languages of its own, which stand first in its original.
	Languages []string
}

// name is what a party is called in a language and form, its id where nothing better is known.
func (n Named) name(lang, form string) string {
	for _, key := range []string{lang + ":" + form, lang} {
		if s := n.Names[key]; s != "" {
			return s
		}
	}
	return strings.ToUpper(string(n.Party))
}

// Named gives what the parties are called by the agreed names of the text: in each language lines "<party>[:<form>] <name>". all tells whether each of
// them has a name in each language.
func (t *Text) Named(parties []traffic.Party) (named []Named, all bool) {
	all = len(parties) > 0
	for _, p := range parties {
		n := Named{Party: p, Names: make(map[string]string)}
		for _, lang := range t.Languages {
			for text := range strings.SplitSeq(t.Names[lang], "\n") {
				who, name, _ := strings.Cut(strings.TrimSpace(text), " ")
				id, form, bent := strings.Cut(who, ":")
				key := lang
				if bent {
					key += ":" + form
				}
				if name = strings.TrimSpace(name); id == string(p) && name != "" {
					n.Names[key] = name
				}
			}
			all = all && n.Names[lang] != ""
		}
		named = append(named, n)
	}
	return named, all
}

// Original is the text in one language as one party keeps it: that party is named first and signs in the first place, protocol.md#alternat.
type Original struct {
	Lang       string
	RTL        bool
	Party      traffic.Party // whose original it is
	Title      string
	Blocks     []Block
	Signatures []Signature
}

// Block is a clause as it is printed.
type Block struct {
	ID    string
	Kind  Kind
	Label string // "Article 1", "2.", "(a)"; empty: none
	Text  string // may be several lines; the heading of a chapter, article or annex
}

// Signature is where a party signs.
type Signature struct {
	Party traffic.Party
	For   string // "For Northland:"
}

// Columns are the languages in the order in which a party's original has them: its own ones first.
func (t *Text) Columns(own []string) []string {
	var out []string
	for _, lang := range own {
		if slices.Contains(t.Languages, lang) && !slices.Contains(out, lang) {
			out = append(out, lang)
		}
	}
	for _, lang := range t.Languages {
		if !slices.Contains(out, lang) {
			out = append(out, lang)
		}
	}
	return out
}

// Render makes the original of one party in one language. parties are in the order of the opening; where the perspective is none of them they stay so.
func (t *Text) Render(lang string, parties []Named, perspective traffic.Party) Original {
	order := slices.Clone(parties)
	slices.SortStableFunc(order, func(a, b Named) int { return rank(a, perspective) - rank(b, perspective) })
	o := Original{Lang: lang, RTL: rightToLeft(lang), Party: perspective, Title: fill(t.Title[lang], lang, parties, order)}
	for _, c := range t.Clauses {
		o.Blocks = append(o.Blocks, Block{c.ID, c.Kind, Label(lang, c.Kind, c.Number), fill(c.Texts[lang], lang, parties, order)})
	}
	for _, n := range order {
		o.Signatures = append(o.Signatures, Signature{n.Party, signs(lang, n)})
	}
	return o
}

func rank(n Named, first traffic.Party) int {
	if n.Party == first {
		return 0
	}
	return 1
}

var token = regexp.MustCompile(`\{(?:(parties)|(party|side):([0-9]{1,3}))(?::([a-z]{1,12}))?\}`)

// fill puts the parties' names where the text has tokens for them. What a name says is not looked at again.
func fill(text, lang string, fixed, order []Named) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		at := token.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		group := func(i int) string {
			if at[2*i] < 0 {
				return ""
			}
			return text[at[2*i]:at[2*i+1]]
		}
		b.WriteString(text[:at[0]])
		b.WriteString(called(group(0), group(1) != "", group(2), group(3), group(4), lang, fixed, order))
		text = text[at[1]:]
	}
	b.WriteString(text)
	return b.String()
}

func called(whole string, all bool, which, number, form, lang string, fixed, order []Named) string {
	if all {
		names := make([]string, len(order))
		for i, n := range order {
			names[i] = n.name(lang, form)
		}
		return listed(lang, names)
	}
	list := fixed
	if which == "side" {
		list = order
	}
	i, err := strconv.Atoi(number)
	if err != nil || i < 1 || i > len(list) {
		return whole
	}
	return list[i-1].name(lang, form)
}

// Digest names the original, as a manifest has it, protocol.md#alternat.
func (o *Original) Digest() [32]byte {
	blocks, signatures := make([]any, len(o.Blocks)), make([]any, len(o.Signatures))
	for i, b := range o.Blocks {
		blocks[i] = []any{string(b.Kind), b.Label, b.Text}
	}
	for i, s := range o.Signatures {
		signatures[i] = []any{string(s.Party), s.For}
	}
	b, err := canonical.Marshal([]any{o.Lang, o.Title, blocks, signatures})
	if err != nil {
		return [32]byte{} // names that are not UTF-8: whoever made them finds no manifest that has this
	}
	return sha256.Sum256(append([]byte("detente/original/v1\n"), b...))
}

// String is the original as plain text.
func (o *Original) String() string {
	var b strings.Builder
	b.WriteString(o.Title + "\n")
	for _, block := range o.Blocks {
		b.WriteString("\n")
		switch {
		case block.Label != "" && block.Text != "" && block.Kind.Heads():
			b.WriteString(block.Label + "\n" + block.Text)
		case block.Label != "" && block.Text != "":
			space := " "
			if strings.HasSuffix(block.Label, "、") || strings.HasSuffix(block.Label, "）") {
				space = "" // the mark is as wide as a letter and a space
			}
			b.WriteString(block.Label + space + block.Text)
		default:
			b.WriteString(block.Label + block.Text)
		}
		b.WriteString("\n")
	}
	for _, s := range o.Signatures {
		b.WriteString("\n" + s.For + "\n")
	}
	return b.String()
}
