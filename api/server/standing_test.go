package server_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

// codeOf is the code of the problem that an error is, "" for none.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	p, ok := errors.AsType[*api.Problem](err)
	if !ok {
		t.Fatal(err)
	}
	if p.Hint == "" && p.Code != "request" {
		t.Errorf("%s says not what to do", p.Code)
	}
	return p.Code
}

func (d *desk) goodwill(plane traffic.Plane, text string, refs ...string) (api.Sent, error) {
	return d.client.Send(d.t.Context(), api.SendRequest{
		Channel: "nrrc", Plane: plane, Refs: refs, Words: api.Words{Form: "goodwill", Text: map[string]string{"text": text}},
	})
}

// Real, exercise and test have their own numbers and banners, and nothing of one can be made to refer to another.
func TestPlanesAreKeptApart(t *testing.T) {
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	var numbers []string
	sent := make(map[traffic.Plane]api.Sent)
	for _, plane := range []traffic.Plane{traffic.Real, traffic.Exercise, traffic.Exercise, traffic.Test, traffic.Real} {
		s, err := a.goodwill(plane, "Greetings.")
		must(t, err)
		numbers, sent[plane] = append(numbers, s.Number), s
	}
	want := []string{"XN/NRRC-R-0001", "XN/NRRC-R-0001-EXERCISE", "XN/NRRC-R-0002-EXERCISE", "XN/NRRC-R-0001-TEST", "XN/NRRC-R-0002"}
	if diff := cmp.Diff(want, numbers); diff != "" {
		t.Error(diff)
	}
	a.pouch(b)
	for _, plane := range traffic.Planes() {
		for _, lang := range []string{"en", "ru", "zh", "fr", "es", "ar"} {
			st, err := b.client.Statement(t.Context(), sent[plane].ID, lang)
			must(t, err)
			if banner := st.Document.Banner; (plane == traffic.Real) != (banner == "") || !strings.Contains(st.Text, banner) {
				t.Errorf("%s in %s: banner %q", plane, lang, banner)
			}
		}
		for _, other := range traffic.Planes() {
			_, err := a.goodwill(plane, "With reference.", sent[other].ID)
			if want := map[bool]string{true: "", false: "other-plane"}[plane == other]; codeOf(t, err) != want {
				t.Errorf("%s refers to %s: %v", plane, other, err)
			}
		}
	}
	// A reply is on the plane of what it replies to: there is no way to say otherwise.
	s, err := a.client.Send(t.Context(), api.SendRequest{Channel: "nrrc", Plane: traffic.Exercise, Words: api.Words{Form: "check", Text: map[string]string{"level": "2"}}})
	must(t, err)
	a.pouch(b)
	r, err := b.client.Reply(t.Context(), s.ID, api.ReplyRequest{Words: api.Words{Form: "check-answer", Text: map[string]string{"answered_by": "duty-officer", "answer": "x"}}})
	must(t, err)
	if !strings.HasSuffix(r.Number, "-EXERCISE") {
		t.Errorf("the answer to an exercise is %s", r.Number)
	}
}

// What is previewed is what will be read, and nothing is said.
func TestPreview(t *testing.T) {
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	r := api.SendRequest{
		Channel: "nrrc", Precedence: "O", Plane: traffic.Exercise,
		Words: api.Words{Form: "notice", Text: map[string]string{"subject": "planned", "text": "Works on the relay."}, Releaser: "head-of-post"},
	}
	before, err := a.client.Status(t.Context())
	must(t, err)
	shown, err := a.client.Preview(t.Context(), r, "ru")
	must(t, err)
	after, err := a.client.Status(t.Context())
	must(t, err)
	if before.Statements != after.Statements {
		t.Error("a preview was kept")
	}
	sent, err := a.client.Send(t.Context(), r)
	must(t, err)
	read, err := a.client.Statement(t.Context(), sent.ID, "ru")
	must(t, err)
	if string(shown.Fields) != string(read.Fields) || shown.Title != read.Title || shown.Document.Banner != read.Document.Banner || shown.Direction != read.Direction {
		t.Errorf("previewed\n%s\nread\n%s", shown.Text, read.Text)
	}
	for _, want := range []string{"Works on the relay.", shown.Document.Banner} {
		if !strings.Contains(shown.Text, want) {
			t.Errorf("the preview lacks %q", want)
		}
	}
	r.Text = map[string]string{"subject": "planned"}
	if _, err := a.client.Preview(t.Context(), r, "en"); codeOf(t, err) != "missing-field" {
		t.Error(err)
	}
	r.Text = map[string]string{"subject": "planned", "text": strings.Repeat("word ", 201)}
	if _, err := a.client.Preview(t.Context(), r, "en"); codeOf(t, err) != "too-long" {
		t.Error(err)
	}
	r.Releaser, r.Text = "", map[string]string{"subject": "planned", "text": "x"}
	if _, err := a.client.Preview(t.Context(), r, "en"); err != nil {
		t.Error("a draft is previewed before a second person releases it:", err)
	}
}

// Of both sides each sees the ladder; the machine's rungs and the persons' never look alike.
func TestLadderOfReceipts(t *testing.T) {
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	sent, err := a.client.Send(t.Context(), api.SendRequest{Channel: "nrrc", Words: api.Words{
		Form: "inquiry", Text: map[string]string{"observed": "230600Z NOV 26/230630Z NOV 26", "observation": "x", "asked": "explain"},
	}})
	must(t, err)
	ladder := func(d *desk) (out []string) {
		t.Helper()
		st, err := d.client.Statement(t.Context(), sent.ID, "en")
		must(t, err)
		for _, r := range st.Ladder {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s human=%v there=%v %s %s", r.Party, r.What, r.Human, !r.At.IsZero(), r.By, r.To)))
			if !r.At.IsZero() && r.Evidence == "" {
				t.Errorf("%s without evidence", r.What)
			}
		}
		return out
	}
	want := []string{
		"xs terminal human=false there=false", "xs accepted human=true there=false", "xs understood human=true there=false", "xs passed-on human=true there=false",
		"xs answered human=true there=false",
	}
	if diff := cmp.Diff(want, ladder(a)); diff != "" {
		t.Error(diff)
	}
	a.pouch(b)
	_, err = b.client.Reply(t.Context(), sent.ID, api.ReplyRequest{Words: api.Words{Form: "acknowledgement", Text: map[string]string{"understood": "true", "forwarded_to": "cert"}}})
	must(t, err)
	_, err = b.client.Reply(t.Context(), sent.ID, api.ReplyRequest{Words: api.Words{
		Form: "answer", Text: map[string]string{"finding": "refused", "refusal": "legal", "competent": "the ministry"},
	}})
	must(t, err)
	b.pouch(a)
	want = []string{
		"xs terminal human=false there=true", "xs accepted human=true there=true duty-officer", "xs understood human=true there=true duty-officer",
		"xs passed-on human=true there=true duty-officer cert", "xs answered human=true there=true duty-officer",
	}
	for _, d := range []*desk{a, b} {
		if diff := cmp.Diff(want, ladder(d)); diff != "" {
			t.Error(diff)
		}
	}
	st, err := a.client.Statement(t.Context(), sent.ID, "en")
	must(t, err)
	if len(st.Silence) != 1 || st.Silence[0].Why != "declined" {
		t.Errorf("a refusal is %v", st.Silence)
	}
	if want := "The message " + sent.Number + " was sent in error."; st.Prepared["cancellation"] != want {
		t.Errorf("prepared: %q", st.Prepared["cancellation"])
	}
	stations, err := a.client.Trace(t.Context(), sent.Number)
	must(t, err)
	if len(stations) != 7 || stations[0].What != "released" || stations[1].What != "in-feed" {
		t.Errorf("%+v", stations)
	}
}

// What words are prepared can be stated in every language, as they are.
func TestPreparedWordsCanBeSaid(t *testing.T) {
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	for _, lang := range []string{"en", "ru", "zh", "fr", "es", "ar"} {
		sent, err := a.client.Send(t.Context(), api.SendRequest{Channel: "nrrc", Words: api.Words{Form: "goodwill", Text: map[string]string{"text": "x"}, Language: lang}})
		must(t, err)
		st, err := a.client.Statement(t.Context(), sent.ID, "en")
		must(t, err)
		_, err = a.client.Reply(t.Context(), sent.ID, api.ReplyRequest{Words: api.Words{Form: "cancellation", Text: map[string]string{"reason": st.Prepared["cancellation"]}}})
		must(t, err)
		if !strings.Contains(st.Prepared["cancellation"], sent.Number) {
			t.Errorf("%s: %q", lang, st.Prepared["cancellation"])
		}
	}
}

func TestPictureIsXMLInEveryLanguage(t *testing.T) {
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	_, err := a.client.RunCheck(t.Context(), api.CheckRequest{Channel: "nrrc", Level: 2})
	must(t, err)
	for _, lang := range []string{"en", "ru", "zh", "fr", "es", "ar"} {
		svg, err := a.client.CheckPicture(t.Context(), "xs", lang)
		must(t, err)
		for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", lang, err)
			}
		}
		for _, key := range []string{"check.year", "weekday.", "month.", "{"} {
			if bytes.Contains(svg, []byte(key)) {
				t.Errorf("%s: the picture holds %q", lang, key)
			}
		}
	}
	list, err := a.client.Checks(t.Context(), api.CheckListing{Peer: "xs"})
	must(t, err)
	if len(list.Checks) != 1 || list.Checks[0].State != "waiting" || list.Checks[0].Question == "" || len(list.Days) != 1 {
		t.Errorf("%+v", list)
	}
}

// The table of the directory goes out and comes back, and a wrong line keeps out all of it.
func TestDirectoryGoesThroughATable(t *testing.T) {
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	_, err := b.client.StateContact(t.Context(), api.ContactRequest{Channel: "nrrc", Text: map[string]string{
		"name": "watch", "category": "technical", "organisation": "=1+1", "around_clock": "true", "speaks": "ru", "reads": "ru", "authority": "receive", "nominated_by": "Note 1",
		"changed": "2001-01-01T00:00:00Z",
	}})
	must(t, err)
	b.pouch(a)
	list, err := a.client.Directory(t.Context(), "nrrc")
	must(t, err)
	if len(list) != 1 || list[0].Own || list[0].Organisation != "=1+1" || !list[0].ToldLate || list[0].Stale != "" || time.Since(list[0].Confirmed) > time.Minute {
		t.Errorf("%+v", list)
	}
	table, err := b.client.ExportDirectory(t.Context(), "nrrc")
	must(t, err)
	if !bytes.Contains(table, []byte(",'=1+1,")) {
		t.Errorf("%s", table)
	}
	r, err := b.client.ImportDirectory(t.Context(), "nrrc", table)
	must(t, err)
	if diff := cmp.Diff(api.ImportedContacts{Stated: []string{}, Unchanged: 1, Refused: []string{}}, r); diff != "" {
		t.Error(diff)
	}
	r, err = b.client.ImportDirectory(t.Context(), "nrrc", []byte("name,category\ncert,technical\nmfa,friend\n"))
	must(t, err)
	if len(r.Stated) != 0 || len(r.Refused) != 2 {
		t.Errorf("%+v", r)
	}
	if _, err := b.client.ImportDirectory(t.Context(), "nrrc", []byte("a,b\n")); codeOf(t, err) != "csv" {
		t.Error(err)
	}
	if _, err := a.client.SetContactStatus(t.Context(), api.ContactStatusRequest{Channel: "nrrc", Name: "watch", Action: "withdrawn"}); codeOf(t, err) != "no-contact" {
		t.Error("another party's entry:", err)
	}
}

// Suspension is a statement like any other: two persons, and both sides see the same.
func TestSuspensionThroughTheAPI(t *testing.T) {
	a, b := open(t, "xn"), open(t, "xs")
	channel(t, a, b)
	r := api.SuspendRequest{Channel: "nrrc", State: "suspended", Text: map[string]string{"ground": "political", "condition": "Talks."}}
	if _, err := b.client.SetStatus(t.Context(), r); codeOf(t, err) != "no-releaser" {
		t.Error(err)
	}
	r.Releaser = "head-of-post"
	_, err := b.client.SetStatus(t.Context(), r)
	must(t, err)
	b.pouch(a)
	for _, d := range []*desk{a, b} {
		list, err := d.client.Statuses(t.Context())
		must(t, err)
		if len(list) != 1 || list[0].State != "suspended" || len(list[0].Members) != 2 || list[0].Members[1].Condition != "Talks." {
			t.Errorf("%+v", list)
		}
	}
	for _, x := range []struct {
		name string
		d    *desk
		w    api.Words
		p    string
		want string
	}{
		{"by the other side", a, api.Words{Form: "goodwill", Text: map[string]string{"text": "x"}}, "R", "suspended-there"},
		{"essential", a, api.Words{Form: "goodwill", Text: map[string]string{"text": "x"}, Essential: true}, "R", ""},
		{"by the own side", b, api.Words{Form: "goodwill", Text: map[string]string{"text": "x"}, Essential: true}, "R", "suspended"},
		{"a check", b, api.Words{Form: "check", Text: map[string]string{"level": "2"}}, "R", ""},
		{"an accident", b, api.Words{Form: "loss-of-control", Text: map[string]string{"what": "x"}}, "O", ""},
		{"a FLASH", b, api.Words{Form: "notice", Text: map[string]string{"subject": "planned", "text": "x"}, Releaser: "head-of-post"}, "Z", ""},
	} {
		_, err := x.d.client.Send(t.Context(), api.SendRequest{Channel: "nrrc", Precedence: x.p, Words: x.w})
		if got := codeOf(t, err); got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
	_, err = b.client.Send(t.Context(), api.SendRequest{Channel: "nrrc", Words: api.Words{Form: "service", Text: map[string]string{"service": "minimize"}}})
	must(t, err)
	_, err = b.client.SetStatus(t.Context(), api.SuspendRequest{Channel: "nrrc", State: "open", Text: map[string]string{"ground": "resumed"}, Releaser: "head-of-post"})
	must(t, err)
	if _, err := b.goodwill(traffic.Real, "x"); codeOf(t, err) != "minimize" {
		t.Error(err)
	}
	silences, err := a.client.Silences(t.Context(), "ru")
	must(t, err)
	if len(silences) == 0 || silences[0].Words == "" || len(silences[0].Evidence) == 0 {
		t.Errorf("%+v", silences)
	}
}
