// Package words is what a person gives on the command line to be stated: fields, files, on whose part; and how it is told where that stands.
// It must never make up what was not given.
package words

import (
	"errors"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/api"
	"detente/blob"
	"detente/cli/session"
	"detente/traffic"
)

// Words is what a statement says, and on whose part.
type Words struct {
	Fields    []string      `arg:"" optional:"" name:"field=value" help:"Fields of the form: codes with commas between, times as 231415Z NOV 26 or RFC 3339, a window as FROM/TO, texts in several languages as NAME.en=… NAME.ru=…."`
	Attach    []string      `help:"File to attach, FILE or FIELD=FILE. Repeat for others." sep:"none" placeholder:"FILE"`
	Language  string        `name:"lang" help:"Language in which it is written; the party's first by default." placeholder:"TAG"`
	Marking   string        `help:"Such as TLP:AMBER." placeholder:"TEXT"`
	Drafter   string        `help:"Duty role of the person who wrote it." default:"duty-officer" placeholder:"ROLE"`
	Releaser  string        `help:"Duty role of the second person who releases it, where the form demands one." placeholder:"ROLE"`
	Essential bool          `help:"It cannot wait: it passes MINIMIZE, and what another member has suspended."`
	Wait      string        `help:"Return when the receipt of every member it goes to is here." enum:",receipt" default:"" placeholder:"receipt"`
	Timeout   time.Duration `help:"How long to wait." default:"1m"`
	session.JSONFlag
}

// Request is the words as the API takes them.
func (w *Words) Request(s *session.Session, form string) (api.Words, error) {
	r := api.Words{
		Form: form, Text: make(map[string]string), Language: w.Language, Marking: w.Marking, Drafter: w.Drafter, Releaser: w.Releaser, Essential: w.Essential,
	}
	for _, f := range w.Fields {
		name, value, ok := strings.Cut(f, "=")
		if !ok || name == "" {
			return r, session.Fail(session.ExitUse, "detente channel show CHANNEL lists the fields of each form", "%q is not of the shape field=value", f)
		}
		if _, twice := r.Text[name]; twice {
			return r, session.Fail(session.ExitUse, "", "field %s is given twice", name)
		}
		r.Text[name] = value
	}
	for _, a := range w.Attach {
		field, path := "", a
		if _, err := os.Stat(a); errors.Is(err, os.ErrNotExist) {
			if name, rest, ok := strings.Cut(a, "="); ok {
				field, path = name, rest
			}
		}
		b, err := s.ReadFile(path, blob.MaxSize)
		if err != nil {
			return r, err
		}
		r.Attachments = append(r.Attachments, api.Attachment{Field: field, Name: filepath.Base(path), Type: mediaType(path), Data: b})
	}
	return r, nil
}

// mediaType is what a file's name says it is.
func mediaType(path string) string {
	if t := mime.TypeByExtension(filepath.Ext(path)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// Tell says where the statement now stands, and waits for receipts if asked to.
func (w *Words) Tell(s *session.Session, node *api.Client, sent api.Sent) error {
	if w.Wait == "" {
		if w.JSON {
			return s.JSON(sent)
		}
		if sent.Case != "" {
			s.Printf("case %s\n", sent.Case)
		}
		s.Printf("%s  %s\n  durable here; on its way to %s\n", sent.Number, sent.ID, list(sent.Waits))
		return nil
	}
	receipts, err := node.Receipts(s.Ctx, sent.ID, w.Timeout, "")
	if err != nil {
		s.Printf("%s  %s\n  durable here; not receipted yet\n", sent.Number, sent.ID)
		return err
	}
	if w.JSON {
		return s.JSON(struct {
			api.Sent
			Receipts any `json:"receipts"`
		}{sent, receipts})
	}
	s.Printf("%s  %s\n", sent.Number, sent.ID)
	for _, r := range receipts {
		s.Printf("  ○ held by %s since %s (automatic receipt)\n", r.Mirror, session.Moment(time.Unix(r.At, 0)))
	}
	return nil
}

func list(parties []traffic.Party) string {
	var out []string
	for _, p := range parties {
		out = append(out, string(p))
	}
	return strings.Join(out, ", ")
}
