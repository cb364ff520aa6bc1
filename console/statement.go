package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"detente/api"
	"detente/console/cases"
	"detente/console/paper"
)

// statementPage answers: what does it say, where does it stand, what proves it?
type statementPage struct {
	Frame
	Statement api.Statement
	Ladders   []ladder
	Proof     []word
	Replies   []reply
	Actions   []deed
	Files     []attached
	Case      string
	CaseHref  string
	ProofHref string
}

// word is a line of the proof in words, with who did it.
type word struct {
	Mark string // machine, person, or nothing
	Text string
}

// reply is a statement that refers to the one shown.
type reply struct {
	api.Reply
	Href string
}

// attached is a file beside a statement.
type attached struct {
	api.AttachedFile
	Href string
}

func buildStatement(v *visit) (page, error) {
	s, err := v.client.Statement(v.ctx, v.r.PathValue("id"), v.tag())
	if err != nil {
		return nil, err
	}
	if s.Plane != v.plane {
		// A window never mixes planes.
		return nil, &api.Problem{Status: http.StatusNotFound, Code: "other-plane"}
	}
	at := "/statement/" + url.PathEscape(s.ID)
	p := &statementPage{Statement: s, Ladders: v.ladders(&s), Proof: proofOf(s.Status), Actions: v.deeds(&s), ProofHref: v.to(at + "/proof")}
	for _, r := range s.Replies {
		p.Replies = append(p.Replies, reply{r, v.to("/statement/" + url.PathEscape(r.ID))})
	}
	for i, f := range s.Attachments {
		p.Files = append(p.Files, attached{f, v.to(at + "/files/" + strconv.Itoa(i))})
	}
	p.Title = s.Number
	p.Case, p.CaseHref, err = cases.Of(v.ctx, v.desk(), &s)
	return p, err
}

// proofOf parts the lines of a statement's standing from their marks, which become shapes.
func proofOf(status []string) (out []word) {
	for _, line := range status {
		if text, ok := strings.CutPrefix(line, "○ "); ok {
			out = append(out, word{"machine", text})
		} else if text, ok := strings.CutPrefix(line, "● "); ok {
			out = append(out, word{"person", text})
		} else {
			out = append(out, word{"", line})
		}
	}
	return out
}

func giveProof(v *visit) (string, string, []byte, error) {
	s, err := v.client.Statement(v.ctx, v.r.PathValue("id"), v.tag())
	if err != nil {
		return "", "", nil, err
	}
	b, err := v.client.Prove(v.ctx, s.ID)
	return strings.NewReplacer("/", "-", " ", "-").Replace(s.Number) + ".detente-proof", "application/octet-stream", b, err
}

// giveAttachment gives a stranger's file, always as one to be saved: its name and its type are his, so neither is believed.
func giveAttachment(v *visit) (string, string, []byte, error) {
	s, err := v.client.Statement(v.ctx, v.r.PathValue("id"), v.tag())
	if err != nil {
		return "", "", nil, err
	}
	n, err := strconv.Atoi(v.r.PathValue("n"))
	if err != nil || n < 0 || n >= len(s.Attachments) {
		return "", "", nil, &api.Problem{Status: http.StatusNotFound, Code: "no-page"}
	}
	f := s.Attachments[n]
	b, err := v.client.Attachment(v.ctx, f.Hash)
	return paper.FileName(f.Name), "application/octet-stream", b, err
}

// textFields are a statement's own texts, by field.
func textFields(raw json.RawMessage) map[string]string {
	var all map[string]any
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	out := make(map[string]string)
	for k, v := range all {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}
