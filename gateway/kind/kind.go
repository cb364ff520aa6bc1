// Package kind tells what an attachment is by its first letters, so that a reader is shown a name and the right tool is given the bytes.
// It must never execute, fetch or change what it sees: a playbook or a command of another party is text, and stays text.
package kind

import (
	"bytes"
	"embed"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"

	"detente/form"
)

// Kind is the format of a file.
type Kind string

// The kinds.
const (
	Unknown Kind = ""
	STIX    Kind = "STIX"   // a bundle, or a list of objects
	MISP    Kind = "MISP"   // an event
	CSAF    Kind = "CSAF"   // a security advisory
	IODEF   Kind = "IODEF"  // an incident report
	CACAO   Kind = "CACAO"  // a playbook
	OpenC2  Kind = "OpenC2" // a command, or the answer to one
)

// Opaque tells whether files of the kind are carried and shown only, because they tell a machine to do something.
func (k Kind) Opaque() bool { return k == CACAO || k == OpenC2 }

const (
	maxKeys  = 1000    // looked at in the outermost object
	maxDepth = 100     // of brackets
	maxJSON  = 4 << 20 // bytes of a file that is taken apart
)

// Of recognises a file. What is neither JSON nor XML of a known kind is Unknown; whether the file is well made is for the reader of its kind to say.
func Of(b []byte) Kind {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(b) == 0:
		return Unknown
	case b[0] == '<':
		return ofXML(b)
	case b[0] == '{' && len(b) <= maxJSON:
		return ofJSON(b)
	}
	return Unknown
}

func ofXML(b []byte) Kind {
	d := xml.NewDecoder(bytes.NewReader(b[:min(len(b), 64<<10)]))
	for {
		t, err := d.RawToken()
		if err != nil {
			return Unknown
		}
		if e, ok := t.(xml.StartElement); ok {
			if e.Name.Local == "IODEF-Document" {
				return IODEF
			}
			return Unknown
		}
	}
}

func ofJSON(b []byte) Kind {
	if !Shallow(b, maxDepth) {
		return Unknown
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return Unknown
	}
	top := map[string]json.RawMessage{}
	for n := 0; d.More() && n < maxKeys; n++ {
		key, err := d.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		top[key.(string)] = value
	}
	var name, version, action string
	_, _, _ = json.Unmarshal(top["type"], &name), json.Unmarshal(top["spec_version"], &version), json.Unmarshal(top["action"], &action)
	switch {
	case strings.HasPrefix(version, "cacao-") || name == "playbook" || name == "playbook-template":
		return CACAO
	case name == "bundle" || top["objects"] != nil:
		return STIX
	case top["Event"] != nil:
		return MISP
	case has(top["document"], "csaf_version"):
		return CSAF
	case action != "" && top["target"] != nil, has(top["body"], "openc2"):
		return OpenC2
	}
	return Unknown
}

func has(object json.RawMessage, key string) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal(object, &m) == nil && m[key] != nil
}

// Text shows the beginning of a file, most bytes at the most: every character that could steer a terminal or a page is made visible.
func Text(b []byte, most int) string {
	cut := len(b) > most
	if cut {
		b = b[:most]
	}
	lines := strings.Split(strings.ToValidUTF8(string(b), "\uFFFD"), "\n")
	for i, l := range lines {
		lines[i] = form.Visible(strings.TrimSuffix(l, "\r"))
	}
	text := strings.Join(lines, "\n")
	if cut {
		text += "\n…"
	}
	return text
}

//go:embed phrases
var phraseFiles embed.FS

// Phrases loads the phrases that name a file for its reader: "kind.opaque" and "kind.readable", {1} the kind, and "kind.unknown".
func Phrases() (*form.Phrasebook, error) {
	book, err := form.LoadPhrases(phraseFiles)
	if err != nil {
		return nil, fmt.Errorf("kind: %w", err)
	}
	return book, nil
}

// Key is the key of the phrase that names the kind.
func (k Kind) Key() string {
	switch {
	case k == Unknown:
		return "kind.unknown"
	case k.Opaque():
		return "kind.opaque"
	}
	return "kind.readable"
}
