// Package treaty is the commands about instruments: their drafting, full powers, initials, signatures, and what comes after.
// It must never do what the API cannot, nor print what this party keeps to itself without saying that it is its own.
package treaty

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/api/drafting"
	"detente/cli/session"
	"detente/traffic"
)

// voice is on whose part something is stated.
type voice struct {
	Post      traffic.Post `help:"Post that speaks; the one of the manifest, or that spoke before, by default." placeholder:"POST"`
	Drafter   string       `help:"Duty role of the person who wrote it." default:"duty-officer" placeholder:"ROLE"`
	Releaser  string       `help:"Duty role of the second person who releases it, where the form demands one." placeholder:"ROLE"`
	Essential bool         `help:"It passes MINIMIZE."`
	session.JSONFlag
}

func (v *voice) api() drafting.Voice {
	return drafting.Voice{Post: v.Post, Drafter: v.Drafter, Releaser: v.Releaser, Essential: v.Essential}
}

// tell says where what was stated now stands.
func (v *voice) tell(s *session.Session, sent api.Sent, err error) error {
	if err != nil {
		return err
	}
	if v.JSON {
		return s.JSON(sent)
	}
	return v.lines(s, sent)
}

func (v *voice) lines(s *session.Session, list ...api.Sent) error {
	for _, sent := range list {
		s.Printf("%s  %s\n", sent.Number, sent.ID)
	}
	if len(list) > 0 {
		var to []string
		for _, p := range list[0].Waits {
			to = append(to, string(p))
		}
		s.Printf("  durable here; on its way to %s\n", strings.Join(to, ", "))
	}
	return nil
}

// client asks the node, and has it exchange only where it runs.
func client(s *session.Session) (drafting.Client, error) {
	node, err := s.Client(false)
	return drafting.Client{Node: node}, err
}

// does asks the node for one statement.
func (v *voice) does(s *session.Session, do func(context.Context, drafting.Client) (api.Sent, error)) error {
	c, err := client(s)
	if err != nil {
		return err
	}
	sent, err := do(s.Ctx, c)
	return v.tell(s, sent, err)
}

// texts reads arguments of the shape LANGUAGE=TEXT; a text that begins with @ is the file of that name.
func texts(s *session.Session, args []string) (map[string]string, error) {
	out := make(map[string]string)
	for _, a := range args {
		lang, text, ok := strings.Cut(a, "=")
		if !ok || lang == "" {
			return nil, session.Fail(session.ExitUse, "write en=\"The text.\", or en=@FILE", "%q is not of the shape LANGUAGE=TEXT", a)
		}
		if _, twice := out[lang]; twice {
			return nil, session.Fail(session.ExitUse, "", "the text in %s is given twice", lang)
		}
		if path, file := strings.CutPrefix(text, "@"); file {
			b, err := s.ReadFile(path, maxFile)
			if err != nil {
				return nil, err
			}
			text = strings.TrimRight(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
		}
		out[lang] = text
	}
	return out, nil
}

const maxFile = 8 << 20

// readText reads the text of an instrument out of a file: JSON, marked text, or Akoma Ntoso, of which a file for each language is named with commas between.
func readText(s *session.Session, path string) (*drafting.Text, error) {
	var files [][]byte
	for name := range strings.SplitSeq(path, ",") {
		b, err := s.ReadFile(name, maxFile)
		if err != nil {
			return nil, err
		}
		files = append(files, b)
	}
	if isDocument(files[0]) {
		t, err := drafting.FromAkomaNtoso(files...)
		if err != nil {
			return nil, session.Fail(session.ExitUse, "a negotiation begins with marked text, JSON, or a file of Akoma Ntoso for each language", "%s: %v", filepath.Base(path), err)
		}
		return &t, nil
	}
	return textOf(path, files[0])
}

// textOf reads JSON, or marked text.
func textOf(path string, b []byte) (*drafting.Text, error) {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "{") {
		t := &drafting.Text{}
		dec := json.NewDecoder(strings.NewReader(string(b)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(t); err != nil {
			return nil, session.Fail(session.ExitUse, "see the shape with: detente draft export DRAFT --format json", "%s: %v", filepath.Base(path), err)
		}
		return t, nil
	}
	t, err := drafting.ParseMarked(string(b))
	if errors.Is(err, drafting.ErrMarked) {
		return nil, session.Fail(session.ExitUse, "see the shape with: detente draft export DRAFT --format text", "%s: %v", filepath.Base(path), err)
	}
	return t, err
}

// day reads a date such as 2027-01-31 (its beginning, UTC) or a time in RFC 3339.
func day(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, session.Fail(session.ExitUse, "write 2027-01-31, or 2027-01-31T12:00:00Z", "%q is no date", text)
}

// scan is a paper instrument as a file; empty is none.
func scan(s *session.Session, path string) (*api.Attachment, error) {
	if path == "" {
		return nil, nil
	}
	b, err := s.ReadFile(path, 64<<20)
	if err != nil {
		return nil, err
	}
	kind := map[string]string{".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".tif": "image/tiff", ".tiff": "image/tiff"}[strings.ToLower(filepath.Ext(path))]
	if kind == "" {
		kind = "application/octet-stream"
	}
	return &api.Attachment{Field: "scan", Name: filepath.Base(path), Type: kind, Data: b}, nil
}

// short is the beginning of a digest or id, as people name it.
func short(hash string) string { return hash[:min(len(hash), 12)] }

// parties writes a list of them.
func parties(list []traffic.Party) string {
	var out []string
	for _, p := range list {
		out = append(out, strings.ToUpper(string(p)))
	}
	return strings.Join(out, ", ")
}

// exists tells whether a file is there, for what may be a file or a name.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func sortedKeys[V any](m map[string]V, first []string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b string) int {
		i, j := slices.Index(first, a), slices.Index(first, b)
		if i >= 0 && j >= 0 {
			return i - j
		}
		return strings.Compare(a, b)
	})
	return out
}
