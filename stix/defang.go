package stix

import (
	"net/netip"
	"regexp"
	"strings"

	"detente/observable"
)

// What is shown cannot be clicked, looked up by a mail program, or fetched by a preview: hxxp, [.], [:], [@]. observable.Guess reads it back.

var (
	webAddress  = regexp.MustCompile(`(?i)\b(h)(tt)(ps?://)`)
	otherScheme = regexp.MustCompile(`(?i)\b(ftp|sftp|smb|ldaps?|wss?|file)://`)
	dottedName  = regexp.MustCompile(`[\pL\pN_-]+(?:\.[\pL\pN_-]+)+`)
	mailAt      = regexp.MustCompile(`([\pL\pN._%+-])@([\pL\pN-]+\.)`)
	hexGroups   = regexp.MustCompile(`[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*`)
)

// Defang writes text so that no address in it leads anywhere: what looks like a URL, a name, a mail address, an address of version 4 or 6.
// Numbers with a point, such as versions, are left when nothing could take them for a name.
func Defang(s string) string {
	s = webAddress.ReplaceAllString(s, "${1}xx${3}")
	s = otherScheme.ReplaceAllString(s, "$1[:]//")
	s = mailAt.ReplaceAllString(s, "$1[@]$2")
	s = dottedName.ReplaceAllStringFunc(s, func(name string) string {
		if _, err := netip.ParseAddr(name); err != nil && !strings.ContainsFunc(name[strings.LastIndexByte(name, '.'):], isLetter) {
			return name // 2.1, 10.5.3
		}
		return strings.ReplaceAll(name, ".", "[.]")
	})
	return hexGroups.ReplaceAllStringFunc(s, func(a string) string {
		if _, err := netip.ParseAddr(a); err != nil {
			return a // 12:30:00
		}
		return strings.ReplaceAll(a, ":", "[:]")
	})
}

func isLetter(r rune) bool { return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') }

// DefangValue writes an observable so that it leads nowhere, and observable.Guess still reads it back.
func DefangValue(o observable.Observable) string {
	switch o.Kind {
	case observable.URL:
		scheme, rest, _ := strings.Cut(o.Value, "://")
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		if strings.HasPrefix(scheme, "http") {
			scheme = "hxxp" + scheme[4:]
		}
		return scheme + "://" + brackets(rest[:end]) + rest[end:]
	case observable.Hash, observable.Number:
		return o.Value
	}
	return brackets(o.Value)
}

func brackets(s string) string {
	return strings.NewReplacer(".", "[.]", ":", "[:]", "@", "[@]").Replace(s)
}
