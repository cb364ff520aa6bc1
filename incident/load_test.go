package incident

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"detente/form"
	"detente/regimes"
	"detente/statement"
	"detente/traffic"
)

func shipped(t testing.TB) (*form.Regime, string) {
	t.Helper()
	r, err := form.Load(regimes.Incidents(), regimes.All()...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := fs.ReadFile(regimes.Incidents(), "cases.json")
	if err != nil {
		t.Fatal(err)
	}
	return r, string(b)
}

func TestSpoiledTables(t *testing.T) {
	r, whole := shipped(t)
	if _, err := parse([]byte(whole), r); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new string }{
		"unknown key":                    {`"codes": {`, `"colour": 1, "codes": {`},
		"key twice":                      {`"id": "cease",`, `"id": "cease", "id": "cease",`},
		"code of no form":                {`"interim": "status"`, `"interlude": "status"`},
		"deciding field that is no code": {`"reply": "finding"`, `"reply": "text"`},
		"deciding field that may lack":   {`"reply": "finding"`, `"reply": "refusal"`},
		"deadline twice":                 {`{"id": "data", `, `{"id": "explain", `},
		"deadline without a limit":       {`"limit": "data"`, `"limit": "dates"`},
		"deadline without a time":        {`"by": "asker", "limit": "data"`, `"by": "asker"`},
		"deadline of nobody known":       {`"by": "asker", "limit": "data"`, `"by": "writer", "limit": "data"`},
		"edge without a field":           {`"by": "asker", "limit": "data"`, `"by": "asker", "edge": "to", "limit": "data"`},
		"edge of no window":              {`"edge": "from", "soft"`, `"edge": "middle", "soft"`},
		"machine twice":                  {`"id": "accident", "opens"`, `"id": "cease", "opens"`},
		"form opens two machines":        {`"opens": "loss-of-control"`, `"opens": "cease-request"`},
		"machine of no form":             {`"opens": "loss-of-control"`, `"opens": "losses"`},
		"state twice":                    {`"states": ["given"]`, `"states": ["given", "given"]`},
		"state that nothing reaches":     {`"states": ["given"]`, `"states": ["given", "heard"]`},
		"state that nothing leaves": {whole, `{"codes": {"signal-answer": "response"}, "machines": [{"id": "a", "opens": "signal", "states": ["b", "d"], "settled": ["c"], "unused": {"signal-answer": ["r02", "r03", "r04", "r05", "r06", "r07", "r08", "r09"]},
			"transitions": [{"form": "signal", "to": "b"}, {"from": ["b"], "form": "signal-answer", "codes": ["r01"], "by": "asked", "to": "c"}, {"from": ["b"], "form": "signal-answer", "codes": ["r10"], "by": "asked", "to": "d"}]}]}`},
		"closing in an open state":        {`"closes": {"closed-agreed"`, `"closes": {"proposed-agreed": "agreed", "closed-agreed"`},
		"from no state":                   {`{"from": ["asked"], "form"`, `{"from": ["begged"], "form"`},
		"star and a state":                {`{"from": ["asked"], "form"`, `{"from": ["*", "asked"], "form"`},
		"to no state":                     {`"to": "given"`, `"to": "taken"`},
		"no such form":                    {`"form": "particulars"`, `"form": "details"`},
		"no such code":                    {`"codes": ["r10"]`, `"codes": ["r11"]`},
		"code twice":                      {`"codes": ["r10"]`, `"codes": ["r10", "r10"]`},
		"codes where nothing decides":     {`"form": "particulars", "by"`, `"form": "particulars", "codes": ["x"], "by"`},
		"finding that leads nowhere":      {`"codes": ["wrong-channel"]`, `"codes": ["refused"]`},
		"code forgotten":                  {`"codes": ["r01", "r02",`, `"codes": ["r02",`},
		"code both used and unused":       {`"unused": {"interim": ["need-data"]}`, `"unused": {"interim": ["need-data", "checking"]}`},
		"unused by a form not there":      {`"unused": {"interim": ["need-data"]}`, `"unused": {"reply": ["refused"], "interim": ["need-data"]}`},
		"two rows for one thing":          {`{"from": ["given"], "form": "signal-answer", "codes": ["r10"]`, `{"from": ["given"], "form": "signal-answer", "codes": ["r09", "r10"]`},
		"two stars for one thing":         {`{"form": "signal", "to": "given", "starts": ["respond"]},`, `{"form": "signal", "to": "given", "starts": ["respond"]}, {"from": ["*"], "form": "acknowledgement", "by": "either"},`},
		"two openings":                    {`{"form": "signal", "to": "given", "starts": ["respond"]},`, `{"form": "signal", "to": "given", "starts": ["respond"]}, {"form": "signal", "to": "given"},`},
		"no opening":                      {`{"form": "signal", "to": "given", "starts": ["respond"]},`, ``},
		"opening by a side":               {`{"form": "signal", "to": "given"`, `{"form": "signal", "by": "asker", "to": "given"`},
		"opening by another form":         {`{"form": "signal", "to": "given"`, `{"form": "notice", "to": "given"`},
		"opening form in a later row":     {`{"from": ["given"], "form": "signal-answer", "codes": ["r10"], "by": "asked"`, `{"from": ["given"], "form": "signal", "by": "asked"`},
		"opening form in another machine": {`{"from": ["given"], "form": "signal-answer", "codes": ["r10"], "by": "asked"`, `{"from": ["given"], "form": "closure", "by": "asked"`},
		"by nobody":                       {`"form": "particulars", "by": "asker"`, `"form": "particulars", "by": "nobody"`},
		"starts no deadline":              {`"starts": ["respond"]`, `"starts": ["reply"]`},
		"starts all":                      {`"starts": ["respond"]`, `"starts": ["*"]`},
		"starts what nothing ends":        {`"starts": ["respond"]`, `"starts": ["respond", "data"]`},
		"stops what nothing starts":       {`"stops": ["respond"]`, `"stops": ["respond", "data"]`},
		"moves by no time":                {`"moves": {"deadline": "explain", "field": "expected"}`, `"moves": {"deadline": "explain", "field": "text"}`},
		"moves what nothing starts":       {`"moves": {"deadline": "assist", "field": "expected"}`, `"moves": {"deadline": "explain", "field": "expected"}`},
		"silence that speaks":             {`{"from": ["planned"], "after": "activation", "to"`, `{"from": ["planned"], "after": "activation", "by": "asker", "to"`},
		"silence twice":                   {`{"from": ["planned"], "after": "activation", "to"`, `{"from": ["planned", "planned"], "after": "activation", "to"`},
		"silence from anywhere":           {`{"from": ["planned"], "after": "activation", "to"`, `{"from": ["*"], "after": "activation", "to"`},
		"silence after nothing":           {`"after": "activation"`, `"after": "consult"`},
		"same as no field":                {`"same": "figures"`, `"same": "figure"`},
		"something after":                 {`"machines": [`, `]`},
		"machine without a word":          {`"id": "offer"`, `"id": "gift"`},
		"no machine":                      {whole, `{"machines": []}`},
		"nothing for a machine":           {whole, `{"machines": [null]}`},
		"empty":                           {whole, ``},
	} {
		spoiled := strings.Replace(whole, c.old, c.new, 1)
		if spoiled == whole {
			t.Errorf("%s: nothing was spoiled", name)
		}
		if _, err := parse([]byte(spoiled), r); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	plain, err := form.Load(regimes.Communications())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(plain); !errors.Is(err, ErrNone) {
		t.Errorf("a regime without cases: %v", err)
	}
	if _, err := LoadCodebook(plain); !errors.Is(err, ErrNone) {
		t.Errorf("a regime without a codebook: %v", err)
	}
}

// Whatever table is taken can be folded with: any form in any order, and every view of it ends.
func FuzzTable(f *testing.F) {
	r, whole := shipped(f)
	f.Add([]byte(whole), []byte("\x00\x10\x20\x30\x41\x52"))
	f.Add([]byte(`{"machines": [{"id": "signal", "opens": "signal", "states": ["given"], "settled": ["answered"], "transitions": [{"form": "signal", "to": "given"}, {"from": ["*"], "form": "signal-answer", "by": "either", "to": "answered"}]}]}`), []byte("\x00\x01"))
	forms := r.Forms()
	f.Fuzz(func(t *testing.T, b, said []byte) {
		table, err := parse(b, r)
		if err != nil {
			if !errors.Is(err, ErrTable) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		var items []Item
		for i, x := range said[:min(len(said), 64)] {
			fm := forms[int(x)%len(forms)]
			v := form.Values{}
			if field, ok := fm.Field(table.Decides(fm.ID)); ok {
				v[field.Name] = field.Codes[int(x/7)%len(field.Codes)]
			}
			it := Item{
				ID: statement.ID{byte(i), 1}, Issuer: traffic.Address{Party: []traffic.Party{"xn", "xs"}[x%2], Post: "nrrc"}, Audience: []string{"xn", "xs", "*"}[x%3],
				At: time.Unix(int64(i)*3600, 0), Precedence: traffic.Routine, Form: fm.ID, Clock: int64(i + 1), Values: v,
			}
			if i > 0 {
				it.Refs = []statement.ID{items[int(x)%i].ID}
			}
			items = append(items, it)
		}
		c := table.Fold(items)
		if len(c.Entries) != len(items) {
			t.Fatal("a statement was dropped")
		}
		for _, m := range c.Matters {
			if m.Machine.Move("", m.opening.Form, m.opening.Values.Text(table.Decides(m.opening.Form)), Asker) == nil {
				t.Fatal("a matter without an opening")
			}
		}
		now := time.Unix(0, 0)
		for range 1000 {
			next := c.At(now).Next()
			if next.IsZero() {
				return
			}
			now = next
		}
		t.Fatal("the view changes for ever")
	})
}

func FuzzNumber(f *testing.F) {
	f.Add("xn/26-0007")
	f.Add("xn/26-123456")
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseNumber(s); err == nil && n.String() != s {
			t.Fatalf("%q became %q", s, n)
		}
	})
}

// Overlap by search is overlap by comparison.
func FuzzOverlap(f *testing.F) {
	f.Add("10.0.0.0/8 192.0.2.1 2001:db8::/32", "10.1.2.3 2001:db8:1::/48")
	f.Fuzz(func(t *testing.T, s1, s2 string) {
		a, _ := networks(s1)
		b, _ := networks(s2)
		want := false
		for _, p := range a {
			for _, q := range b {
				want = want || p.Overlaps(q)
			}
		}
		if overlap(a, b) != want || overlap(b, a) != want {
			t.Fatalf("%v and %v: %v", a, b, !want)
		}
	})
}
