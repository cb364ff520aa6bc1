package docx

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"

	"golang.org/x/text/language"
)

// numbers is the language of a cell that has only the number of its row: that of what is not language, by BCP 47.
const numbers = "zxx"

var hashed = regexp.MustCompile(`^h_[a-z2-7]{26}$`)

// name is the bookmark of a provision in a language. Word takes letters, digits and underlines, 40 at most.
func name(provision, lang string) string {
	n := strings.NewReplacer(".", "__", "-", "_").Replace(provision) + "__" + strings.ReplaceAll(lang, "-", "_")
	if first := n[0]; len(n) > maxName || first < 'a' || first > 'z' || hashed.MatchString(n) {
		return hash(provision, lang)
	}
	if p, l, ok := named(n); !ok || p != provision || l != lang {
		return hash(provision, lang)
	}
	return n
}

func hash(provision, lang string) string {
	sum := sha256.Sum256([]byte("detente/bookmark/v1\n" + provision + "\n" + lang))
	return "h_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))[:26]
}

var provisions = regexp.MustCompile(`^[a-z0-9.-]{1,64}$`)

// named reads a bookmark. A hashed one is a provision of its own name in no language, until somebody who has the text finds it.
func named(bookmark string) (provision, lang string, ok bool) {
	if len(bookmark) > 120 {
		return "", "", false
	}
	if hashed.MatchString(bookmark) {
		return bookmark, "", true
	}
	at := strings.LastIndex(bookmark, "__")
	if at <= 0 {
		return "", "", false
	}
	provision = strings.NewReplacer("__", ".", "_", "-").Replace(bookmark[:at])
	tag := strings.ReplaceAll(bookmark[at+2:], "_", "-")
	if tag == numbers {
		return provision, numbers, provisions.MatchString(provision)
	}
	parsed, err := language.Parse(tag)
	if err != nil || parsed == language.Und || !provisions.MatchString(provision) {
		return "", "", false
	}
	return provision, parsed.String(), true
}
