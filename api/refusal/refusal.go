// Package refusal words an error for whoever asked over the local API.
// It must never let through what only the source knows: who reads it knows no package.
package refusal

import "regexp"

// packageNames are the packages that begin their errors with their names; a test reads them from the source.
const packageNames = "acts|akn|api|archive|asking|asset|audit|blob|bundle|calendar|call|canonical|cases|casework|ceremony|chancery|chatham|check|console|csaf" +
	"|directory|disclosure|docket|docx|dossier|drafting|drafts|envelope|evidence|exchange|exercise|feed|flat|floor|form|gateway|guarantee|host" +
	"|incident|instrument|iodef|journal|keeper|key|label|ledger|lookup|mailbox|match|matching|metrics|mint|misp|models|node|objects|observable" +
	"|officer|originals|pages|paper|party|pattern|programme|proposal|protected|register|relations|release|report|roster|route|sealer|sealing" +
	"|secretariat|standing|statement|stix|store|taxii|templates|traffic|transcript|watch|wording|yearly"

var packages = regexp.MustCompile(`(^|: )(?:` + packageNames + `): `)

// Plain takes the names of packages out of an error's text: the rest stands as it was.
func Plain(err error) string {
	text := err.Error()
	for {
		shorter := packages.ReplaceAllString(text, "$1") // of two names in a row it takes the first
		if shorter == text {
			return text
		}
		text = shorter
	}
}
