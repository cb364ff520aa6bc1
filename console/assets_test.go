package console

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/archive"
	"detente/asset"
)

// protect lets Southland publish two lists: one in force, and one three days before it holds.
func (f *fakeFloor) protect(now time.Time) {
	for i, effective := range []time.Time{now.AddDate(0, -1, 0), now.AddDate(0, 0, 3)} {
		var entries []asset.Entry
		for _, s := range [][]string{{"votes.example", "192.0.2.0/28"}, {"votes.example", "AS64500"}}[i] {
			e, err := asset.ParseEntry(s)
			if err != nil {
				panic(err)
			}
			entries = append(entries, e)
		}
		list, err := asset.Make("xs", uint64(i+1), entries, asset.Usual())
		if err != nil {
			panic(err)
		}
		held := effective.AddDate(0, 0, -4)
		f.lists = append(f.lists, list)
		f.heads = append(f.heads, api.Statement{
			Line:   api.Line{ID: strings.Repeat([]string{"e1", "e2"}[i], 32), Number: []string{"XS/MFA-R-0007", "XS/MFA-R-0008"}[i], Form: "asset-list", Plane: "real", From: "xs/mfa", Issued: held, Held: held, Standing: "noted"},
			Fields: headFields(list.Head(), effective, "Agreement on incidents"), Receipts: []archive.Receipt{{Mirror: "xs", At: 1}, {Mirror: "xa", At: held.AddDate(0, 0, []int{-30, 0}[i]).Unix()}},
		})
	}
}

func headFields(h asset.Head, effective time.Time, basis string) []byte {
	b, err := json.Marshal(map[string]any{
		"version": h.Version, "root": hex.EncodeToString(h.Root[:]), "leaves": h.Leaves, "entries": h.Totals.Entries, "addresses": h.Totals.Addresses, "subnets": h.Totals.Subnets,
		"names": h.Totals.Names, "numbers": h.Totals.Numbers, "effective": effective, "basis": basis,
	})
	if err != nil {
		panic(err)
	}
	return b
}

func (f *fakeFloor) headLines(from string) []api.Line {
	out := []api.Line{}
	for i := len(f.heads) - 1; i >= 0; i-- { // the newest first
		if party, _, _ := strings.Cut(f.heads[i].From, "/"); party == from {
			out = append(out, f.heads[i].Line)
		}
	}
	return out
}

// prove uploads a file with what was hit and a day, as the form does.
func (d *desk) prove(file []byte, hit, on string) string {
	d.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "votes.detente-asset")
	if err == nil {
		_, err = part.Write(file)
	}
	if err := errors.Join(err, form.WriteField("hit", hit), form.WriteField("on", on), form.Close()); err != nil {
		d.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(d.t.Context(), http.MethodPost, origin+"/real/assets", &body)
	r.Header = d.header.Clone()
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "detente-xn", Value: d.token})
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		d.t.Errorf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// proof is that of the name on a list.
func proof(t *testing.T, l *asset.List) []byte {
	t.Helper()
	e, err := asset.ParseEntry("votes.example")
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Prove(e)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A proof that came by mail is held against what its party published, and the answer is in words; nothing is stated by it.
func TestAProofIsHeldAgainstThePublishedHeads(t *testing.T) {
	f := newFloor()
	d := sit(t, f)
	good, coming := proof(t, f.lists[0]), proof(t, f.lists[1])
	stranger, err := asset.Make("xs", 1, f.lists[0].Entries(), asset.Usual())
	if err != nil {
		t.Fatal(err)
	}
	later, err := asset.Make("xs", 9, f.lists[0].Entries(), asset.Usual())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file    []byte
		hit, on string
		want    []string
		not     string
	}{
		"good":       {good, "booth-7.votes.example", "2000-01-01", []string{"On the list.", "domain votes.example", "In force at that time:", "The entry covers", `class="said"`, "XS/MFA-R-0007"}, "Not in force"},
		"a URL":      {good, "hxxps://booth-7[.]votes[.]example/a", "2000-01-01", []string{"The entry covers"}, "does not cover"},
		"beside it":  {good, "grid.example", "2000-01-01", []string{"On the list.", "The entry does not cover", `class="refusal"`}, "The entry covers"},
		"no value":   {good, "<b>", "2000-01-01", []string{"Neither address", "&lt;b&gt;"}, "<b>&lt;"},
		"too early":  {good, "", "1999-11-01", []string{"On the list.", "Not in force at that time:", `class="refusal"`}, "In force at that time:"},
		"too late":   {good, "", "2000-01-05", []string{"Not in force at that time:"}, "In force at that time:"},
		"its heir":   {coming, "", "2000-01-05", []string{"In force at that time:", "less than a week before it holds"}, "Not in force"},
		"other tree": {proof(t, stranger), "", "2000-01-01", []string{"Not on the list:", `class="refusal"`}, "On the list."},
		"no head":    {proof(t, later), "", "2000-01-01", []string{"No head of that list is held here."}, "On the list."},
		"no proof":   {[]byte("PK"), "", "", []string{"The file is no proof"}, "On the list."},
		"empty":      {nil, "", "", []string{"The file is no proof"}, "On the list."},
	} {
		page := d.prove(c.file, c.hit, c.on)
		for _, want := range c.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %q", name, want)
			}
		}
		if strings.Contains(page, c.not) {
			t.Errorf("%s: the page has %q", name, c.not)
		}
	}
	if f.wasAsked("POST /v1/statements") {
		t.Error("verifying has stated something")
	}
	if page := d.do("GET", "/exercise/assets?p=nobody", nil).Body.String(); !strings.Contains(page, "Nobody has published a list.") {
		t.Error("another party's heads, where one was chosen")
	}
}
