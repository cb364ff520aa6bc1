package gateway_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/evidence"
	"detente/feed"
	"detente/form"
	"detente/gateway"
	"detente/gateway/objects"
	"detente/gateway/taxii"
	"detente/key"
	"detente/label"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/store"
	"detente/traffic"

	"github.com/google/go-cmp/cmp"
)

func two(t *testing.T, story func(t *testing.T, xn, xs *team), dsns ...string) {
	inWorld(t, []traffic.Party{"xn", "xs"}, func(t *testing.T, w *world) { story(t, w.teams["xn"], w.teams["xs"]) }, dsns...)
}

// A week of real indicators goes from a tool of one party to a tool of the other, and each has a statement that proves who said it.
func TestAWeekOfIndicatorsFromToolToTool(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		list := week(t, ofTheWeek)
		for part := range slices.Chunk(list, 500) {
			if failed := xn.posts("cert to members", part...); len(failed) > 0 {
				t.Fatalf("refused: %v", failed)
			}
		}
		pass(time.Minute)
		got := xs.reads("cert from xn")
		if diff := cmp.Diff(slices.Sorted(slices.Values(list)), slices.Sorted(slices.Values(got))); diff != "" {
			t.Fatalf("%d of %d came: %.2000s", len(got), len(list), diff)
		}
		if counts, err := xn.Counts(t.Context()); err != nil || len(counts) != 1 || counts[0].State != gateway.Sent || counts[0].Count != int64(len(list)) {
			t.Errorf("%+v, %v", counts, err)
		}

		// The proof: the statement that brought an object is xn's, and its attachment holds these bytes.
		c := xs.collection("cert from xn")
		var row *objects.Row
		_, err := xs.Shelf().Page(t.Context(), c.Number, objects.Filter{Limit: 1}, func(r *objects.Row) error { row = r; return nil })
		must(t, err)
		file, err := xs.Party.Node.Prove(t.Context(), row.Source.Statement)
		must(t, err)
		r := evidence.Reader{Registry: key.Standard(), Trusted: map[traffic.Party]*party.Chain{"xn": xs.Party.Node.Chain("xn"), "xs": xs.Party.Node.Chain("xs")}}
		v, err := r.Proof(file)
		if err != nil || !strings.Contains(v.Position.Feed, "xn") {
			t.Errorf("%+v, %v", v, err)
		}
		held, err := xs.Party.Node.Statement(t.Context(), row.Source.Statement)
		must(t, err)
		if !strings.Contains(string(held.Statement.Payload), string(row.Source.Attachment[:])) {
			t.Error("the statement does not name the attachment")
		}
		data, err := xs.Party.Node.Blob(t.Context(), row.Source.Attachment)
		if err != nil || sha256.Sum256(data) != row.Source.Attachment || !strings.Contains(string(data), string(row.Bytes)) {
			t.Errorf("the attachment: %v", err)
		}
	})
}

// said lists the statements of this party on the channel, by form, audience, marking and plane, and how many objects each brought.
func (m *team) said() []string {
	m.World.T.Helper()
	var out []string
	channel := m.World.Channels["cert"]
	must(m.World.T, m.Party.Node.DB.View(m.World.T.Context(), func(tx *store.Tx) error {
		out = []string{}
		heads, err := feed.Heads(m.World.T.Context(), tx, &channel)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if h.Feed.Party != m.ID {
				continue
			}
			if err := h.Range(m.World.T.Context(), tx, 0, h.Size, func(e feed.Entry) bool {
				s, err := statement.Decode(e.Bytes)
				must(m.World.T, err)
				f, _, err := m.Party.Node.Form(s)
				must(m.World.T, err)
				v, err := f.Decode(s.Payload)
				must(m.World.T, err)
				if e.Reason != "" {
					m.World.T.Errorf("an invalid statement: %s", e.Reason)
				}
				out = append(out, fmt.Sprintf("%s %d to %q, %s, %s by %s", s.Form, v.Int("count"), s.Audience, s.Marking, s.Plane, s.Drafter))
				return true
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	slices.Sort(out)
	return out
}

func TestWhatIsMarkedGoesWhereItsMarkPermits(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		failed := xn.posts("cert to members",
			indicator(1, 1, green, ""), indicator(2, 1, "", ""), indicator(3, 1, amber, ""), indicator(4, 1, red, ""),
			indicator(5, 1, "marking-definition--00000000-0000-4000-8000-000000000000", ""), indicator(6, 1, clear, `,"revoked":true`), `{"type":"indicator","id":"x"}`)
		want := map[string]string{indicatorID(2): "unmarked", indicatorID(5): "marking", "": "id"}
		for id, word := range want {
			if !strings.Contains(failed[id], word) {
				t.Errorf("%s: %q does not say %q", id, failed[id], word)
			}
		}
		if len(failed) != len(want) {
			t.Errorf("refused: %v", failed)
		}
		pass(time.Minute)
		if diff := cmp.Diff([]string{`indicators 1 to "*", TLP:GREEN, real by node`, `revocation 1 to "*", TLP:CLEAR, real by node`}, xn.said()); diff != "" {
			t.Error(diff)
		}
		waiting, err := xn.Pending(t.Context(), 100)
		must(t, err)
		if len(waiting) != 2 || waiting[0].TLP != label.TLPAmber || waiting[1].TLP != label.TLPRed || waiting[1].Audience != "xs" || waiting[0].Token != "tool" {
			t.Fatalf("waiting: %+v", waiting)
		}

		// What waits can be withdrawn, approved or refused, once. What was said cannot be unsaid.
		path := taxii.Root + "collections/" + xn.collection("cert to members").ID + "/objects/"
		if w := xn.ask("DELETE", path+indicatorID(1)+"/", ""); w.Code != http.StatusForbidden {
			t.Errorf("to delete what was said: %d %s", w.Code, w.Body)
		}
		must(t, xn.Refuse(t.Context(), []string{waiting[0].Key}, "duty-officer", "too early"))
		must(t, xn.Approve(t.Context(), []string{waiting[1].Key}, "duty-officer"))
		if err := xn.Approve(t.Context(), []string{waiting[0].Key}, "duty-officer"); !errors.Is(err, gateway.ErrNoItem) {
			t.Errorf("approved what was refused: %v", err)
		}
		pass(time.Minute)
		if got := xn.said(); !slices.Contains(got, `indicators 1 to "xs", TLP:RED, real by duty-officer`) || len(got) != 3 {
			t.Errorf("said: %v", got)
		}
		if w := xn.ask("DELETE", path+indicatorID(3)+"/", ""); w.Code != http.StatusOK {
			t.Errorf("to delete what was refused: %d %s", w.Code, w.Body)
		}

		// The other side sights one: that goes to whom it is from. To pass it on wider than it came, or to pass on what is not to be, is refused.
		failed = xs.posts("cert to members", sighting(1), indicator(1, 9, clear, ""))
		if len(failed) != 1 || !strings.Contains(failed[indicatorID(1)], "widened") {
			t.Errorf("widened: %v", failed)
		}
		pass(time.Minute)
		if diff := cmp.Diff([]string{`sighting 1 to "xn", TLP:GREEN, real by node`}, xs.said()); diff != "" {
			t.Error(diff)
		}
		if got := xn.reads("cert from xs"); len(got) != 1 || got[0] != sighting(1) {
			t.Errorf("came: %v", got)
		}

		// An exercise stays one.
		xn.posts("cert to members EXERCISE", indicator(20, 1, green, ""))
		pass(time.Minute)
		if got := xs.reads("cert from xn EXERCISE"); len(got) != 1 {
			t.Errorf("exercise: %v", got)
		}
		if got := xs.reads("cert from xn"); len(got) != 3 {
			t.Errorf("real: %d", len(got))
		}
	})
}

// Every member of a channel holds what is stated on it. So among three nothing red is, and what was received is passed on to nobody whom its source
// did not mean; what is addressed to one is shown to the tools of that one.
func TestAmongThreeNothingIsRed(t *testing.T) {
	inWorld(t, []traffic.Party{"xn", "xs", "xe"}, func(t *testing.T, w *world) {
		xn, xs, xe := w.teams["xn"], w.teams["xs"], w.teams["xe"]
		xn.cfg.Rule.UpTo, xs.cfg.Rule.UpTo = label.TLPRed, label.TLPRed
		xn.reopen()
		xs.reopen()
		failed := xn.posts("cert to members", indicator(1, 1, red, ""), indicator(2, 1, amber, ""))
		if len(failed) != 1 || !strings.Contains(failed[indicatorID(1)], "recipients") {
			t.Errorf("red among three: %v", failed)
		}
		pass(time.Minute)
		failed = xs.posts("cert to members", indicator(2, 2, amber, ""), sighting(2))
		if len(failed) != 1 || !strings.Contains(failed[indicatorID(2)], "recipients") {
			t.Errorf("passed on: %v", failed)
		}
		pass(time.Minute)
		if got := xn.reads("cert from xs"); len(got) != 1 || got[0] != sighting(2) {
			t.Errorf("xn has %v", got)
		}
		if got := xe.reads("cert from xs"); len(got) != 0 {
			t.Errorf("xe has %v", got)
		}
	})
}

// sighting says that an indicator was seen.
func sighting(n int) string {
	return fmt.Sprintf(`{"type":"sighting","spec_version":"2.1","id":"sighting--00000000-0000-4000-8000-%012d","created":"2026-11-02T00:00:00.000Z","modified":"2026-11-02T00:00:00.000Z","sighting_of_ref":"%s","object_marking_refs":["%s"]}`, n, indicatorID(n), green)
}

// The process dies at each step of the way, of both sides, and begins anew: what was added is said once and taken in once.
func TestDeathBetweenStepsLosesAndDoublesNothing(t *testing.T) { deaths(t) }

func deaths(t *testing.T, dsns ...string) {
	two(t, func(t *testing.T, xn, xs *team) {
		n := 0
		var all []string
		for _, death := range []struct {
			of   *team
			step string
		}{{xn, "bundled"}, {xn, "drafted"}, {xn, "said"}, {xn, "followed"}, {xs, "followed"}, {xs, "taken in"}} {
			died := false
			death.of.cfg.Step = func(at string) error {
				if died = died || at == death.step; died { // nothing of this life reaches the disk any more
					return errDead
				}
				return nil
			}
			death.of.cfg.Patience = 5 * time.Second
			death.of.reopen()
			list := []string{indicator(n, 1, green, ""), indicator(n+1, 1, green, "")}
			xn.posts("cert to members", list...)
			all, n = append(all, list...), n+2
			pass(2 * time.Second)
			if !died {
				t.Errorf("%s never came to %q", death.of.ID, death.step)
			}
			death.of.cfg.Step = nil
			death.of.reopen()
			pass(35 * time.Second)
		}
		pass(35 * time.Second)
		slices.Sort(all)
		if diff := cmp.Diff(all, slices.Sorted(slices.Values(xs.reads("cert from xn")))); diff != "" {
			t.Error(diff)
		}
		said := 0
		for _, s := range xn.said() {
			var count int
			if _, err := fmt.Sscanf(s, "indicators %d", &count); err != nil {
				t.Fatal(s, err)
			}
			said += count
		}
		if said != len(all) {
			t.Errorf("%d objects were said, of %d", said, len(all))
		}
		arrivals, err := xs.Arrivals(t.Context(), 1000)
		must(t, err)
		for _, a := range arrivals {
			if a.Done.IsZero() || a.Refused+a.Conflicts > 0 {
				t.Errorf("%+v", a)
			}
		}
	}, dsns...)
}

// What a member states may be anything: what is STIX in it is taken in, the rest is counted, and nothing stops what comes behind it.
func TestAHostileMember(t *testing.T) {
	two(t, func(t *testing.T, xn, xs *team) {
		deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
		state := func(data string) {
			t.Helper()
			sum := sha256.Sum256([]byte(data))
			_, err := xn.Party.Node.Send(t.Context(), node.Draft{
				Channel: xn.World.Channels["cert"], Plane: traffic.Real, Precedence: traffic.Routine, Post: "cert", Audience: statement.Everyone, Form: "indicators", Language: "en", Drafter: "node",
				Values: form.Values{"attachments": []form.Blob{{Hash: sum, Size: int64(len(data)), Name: "x", Type: "application/octet-stream"}}, "count": int64(1), "marking": "tlp-green"},
				Blobs:  [][]byte{[]byte(data)},
			})
			must(t, err)
		}
		state("\x00\xff not json")
		state(`{"type":"bundle","objects":[` + deep + `,` + indicator(1, 1, green, "") + `]}`)
		state(`{"type":"bundle","objects":[` + indicator(2, 1, green, "") + `,` + indicator(2, 1, green, `,"name":"another"`) + `,{"type":"indicator","id":"` + indicatorID(9) + `","spec_version":"2.0"}`)
		state(indicator(3, 1, green, "") + "\n" + indicator(4, 1, green, `,"name":"<script>\u202e"`) + "\n")
		state(`[` + strings.Repeat("[", 100000))
		state(strings.Repeat(indicator(5, 1, green, "")+"\n", 200))
		pass(time.Minute)
		var ids []string
		for _, raw := range xs.reads("cert from xn") {
			var o struct{ ID string }
			must(t, json.Unmarshal([]byte(raw), &o))
			ids = append(ids, o.ID)
		}
		slices.Sort(ids)
		if diff := cmp.Diff([]string{indicatorID(1), indicatorID(2), indicatorID(3), indicatorID(4), indicatorID(5)}, ids); diff != "" {
			t.Error(diff)
		}
		arrivals, err := xs.Arrivals(t.Context(), 100)
		must(t, err)
		refused, conflicts := 0, 0
		for _, a := range arrivals {
			if a.Done.IsZero() {
				t.Errorf("waits for ever: %+v", a)
			}
			refused, conflicts = refused+a.Refused, conflicts+a.Conflicts
		}
		if refused < 4 || conflicts != 1 {
			t.Errorf("%d refused, %d in conflict", refused, conflicts)
		}
		if rivals, err := xs.Shelf().Conflicts(t.Context(), xs.collection("cert from xn").Number, 10); err != nil || len(rivals) != 1 {
			t.Errorf("flagged: %v, %v", rivals, err)
		}
	})
}
