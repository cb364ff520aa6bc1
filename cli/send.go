package cli

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

// words is what a statement says, and on whose part.
type words struct {
	Fields    []string      `arg:"" optional:"" name:"field=value" help:"Fields of the form: codes with commas between, times as 231415Z NOV 26 or RFC 3339, a window as FROM/TO."`
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

// request is the words as the API takes them.
func (w *words) request(s *session.Session, form string) (api.Words, error) {
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

// tell says where the statement now stands, and waits for receipts if asked to.
func (w *words) tell(s *session.Session, node *api.Client, sent api.Sent) error {
	if w.Wait == "" {
		if w.JSON {
			return s.JSON(sent)
		}
		s.Printf("%s  %s\n  durable here; on its way to %s\n", sent.Number, sent.ID, join(sent.Waits))
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

type sendCmd struct {
	Channel    string        `help:"Name, or the beginning of the id." required:"" placeholder:"CHANNEL"`
	Form       string        `help:"What kind of statement; detente channel show lists them." required:"" placeholder:"FORM"`
	To         string        `help:"PARTY, PARTY/POST, or * for all members. Default: the other member of two, else all." placeholder:"ADDRESS"`
	Post       traffic.Post  `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Precedence string        `short:"p" help:"FLASH (Z), IMMEDIATE (O), PRIORITY (P) or ROUTINE (R)." default:"ROUTINE"`
	Plane      traffic.Plane `help:"real, exercise or test: kept apart in everything." default:"real" enum:"real,exercise,test"`
	Dossier    string        `help:"Id or number of a statement of the dossier that it belongs to; a new one by default." placeholder:"ID"`
	Ref        []string      `help:"Id or number of a statement that it refers to." placeholder:"ID"`
	words
}

// Help gives examples and the exit codes.
func (sendCmd) Help() string {
	return session.Detail(`
		detente send --channel nrrc --form check level=2 question="What is the weather at your post?"
		detente send --channel nrrc --form notice -p IMMEDIATE --releaser head-of-post subject=accident text="…" --attach indicators.json`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run makes the statement.
func (c *sendCmd) Run(s *session.Session) error {
	w, err := c.request(s, c.Form)
	if err != nil {
		return err
	}
	node, err := s.Client(c.Wait != "")
	if err != nil {
		return err
	}
	sent, err := node.Send(s.Ctx, api.SendRequest{
		Channel: c.Channel, To: c.To, Post: c.Post, Plane: c.Plane, Precedence: c.Precedence, Dossier: c.Dossier, Refs: c.Ref, Words: w,
	})
	if err != nil {
		return err
	}
	return c.tell(s, node, sent)
}
