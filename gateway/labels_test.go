package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/gateway/flat"
	"detente/gateway/iodef"
	"detente/gateway/misp"
	"detente/gateway/report"
	"detente/label"
	"detente/stix"
	"detente/traffic"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// planed is an indicator of a label and a plane, as tools write them.
func planed(t *testing.T, tlp label.TLP, plane label.Plane) *stix.Object {
	t.Helper()
	more := ""
	switch plane {
	case label.Exercise:
		more = `,"labels":["exercise:cyber-europe"]`
	case label.Test:
		more = `,"labels":["rsit:test"]`
	}
	o, err := stix.Read([]byte(indicator(1, 1, tlp.MarkingID(), more)), stix.Standard())
	must(t, err)
	return o
}

// reasonOf is why something was refused; empty if it was not.
func reasonOf(t *testing.T, err error) label.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	r, ok := errors.AsType[*label.Refusal](err)
	if !ok {
		t.Fatalf("refused for another reason: %v", err)
	}
	return r.Reason
}

// What label.Leave refuses is refused on every way out that a format has, with the same reason: each label, of each plane, over each kind of path.
func TestEveryFormatAsksTheLabel(t *testing.T) {
	desk := mailDesk(t)
	// Each way gives what kept a thing in; own tells that its source is this party, declared that it states its plane however it is sent.
	ways := []struct {
		name          string
		own, declared bool
		classes       []label.Audience
		leaves        func(t *testing.T, tlp label.TLP, plane label.Plane, over label.Path) error
	}{
		{"misp", false, false, classes(), func(t *testing.T, tlp label.TLP, plane label.Plane, over label.Path) error {
			e, left, err := misp.NewEvent([]*stix.Object{planed(t, tlp, plane)}, misp.Out{Path: over, Title: "x", Key: "x", At: time.Unix(0, 0)})
			switch {
			case len(left) > 0:
				return left[0].Why
			case err != nil:
				return err
			}
			if _, err := misp.Files([]*misp.Event{e}, over); err != nil { // the second look, of feed and synchronisation
				return err
			}
			if over.Plane != label.Real && !strings.Contains(string(jsonOf(t, e.Tags)), over.Plane.Flag()) && !strings.Contains(strings.ToUpper(string(jsonOf(t, e.Tags))), over.Plane.Flag()) {
				t.Errorf("an event of %s does not say so: %s", over.Plane, jsonOf(t, e.Tags))
			}
			return nil
		}},
		{"intelmq", false, false, classes(), func(t *testing.T, tlp label.TLP, plane label.Plane, over label.Path) error {
			events, left := flat.Events([]*stix.Object{planed(t, tlp, plane)}, flat.Out{Path: over})
			if len(left) > 0 {
				return left[0].Why
			}
			if len(events) != 1 {
				t.Errorf("%d events", len(events))
			}
			return nil
		}},
		{"iodef", false, true, classes(), func(_ *testing.T, tlp label.TLP, plane label.Plane, over label.Path) error {
			r := iodef.Report{
				Team: "xn", Case: "xn/26-0001", Purpose: iodef.Reporting, Label: label.Parcel{TLP: tlp, Plane: plane}, Generated: time.Unix(0, 0), Occurred: true,
				Contacts: []iodef.Contact{{Role: "creator", Name: "CERT"}},
			}
			b, err := r.XML(over)
			if err == nil && plane != label.Real && !bytes.Contains(b, []byte("ext-value")) {
				return fmt.Errorf("an %s does not say so", plane)
			}
			return err
		}},
		{"mail", true, true, []label.Audience{label.Named}, func(_ *testing.T, tlp label.TLP, plane label.Plane, over label.Path) error {
			m, err := desk.write(tlp, plane, over.Recipients[0])
			if err == nil && plane != label.Real && !strings.Contains(m.Subject, "["+plane.Flag()+"]") {
				return fmt.Errorf("a mail of an %s does not say so: %s", plane, m.Subject)
			}
			return err
		}},
	}
	for _, way := range ways {
		for _, tlp := range append(label.TLPs(), label.Unmarked) {
			for _, plane := range []label.Plane{label.Real, label.Exercise, label.Test} {
				for _, class := range way.classes {
					for _, line := range []label.Plane{label.Real, label.Exercise, label.Test} {
						if way.name == "mail" && line != plane {
							continue // a mail has no other plane than its case
						}
						over := label.Path{Audience: class, Plane: line}
						if class == label.Named {
							over.Recipients = []string{"xs"}
						}
						parcel := label.Parcel{TLP: tlp, Plane: plane, Own: way.own}
						if !way.declared && plane == label.Real {
							parcel.Plane = line // what says nothing is of the collection's plane
						}
						want := reasonOf(t, label.Leave(parcel, over))
						if got := reasonOf(t, way.leaves(t, tlp, plane, over)); got != want {
							t.Errorf("%s: %q of %s to %s over %s: %q, the label says %q", way.name, tlp, plane, class.Key(), line, got, want)
						}
					}
				}
			}
		}
	}
}

func classes() []label.Audience {
	return []label.Audience{label.Nobody, label.Named, label.Organisation, label.Clients, label.Community, label.Everybody}
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return b
}

// mails writes reports to a team whose key is known.
type mails struct {
	*report.Desk
	key *report.Key
}

func mailDesk(t *testing.T) *mails {
	t.Helper()
	at := time.Unix(1795000000, 0)
	e, err := openpgp.NewEntity("CERT", "", "cert@xn.example", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return at }})
	must(t, err)
	read := func(kind string, write func(io.Writer) error) *report.Key {
		var b bytes.Buffer
		w, err := armor.Encode(&b, kind, nil)
		must(t, err)
		must(t, errors.Join(write(w), w.Close()))
		k, err := report.ReadKey(b.Bytes(), nil)
		must(t, err)
		return k
	}
	d, err := report.NewDesk(read(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivate(w, nil) }), bytes.Repeat([]byte{1}, 32))
	must(t, err)
	return &mails{d, read(openpgp.PublicKeyType, e.Serialize)}
}

func (m *mails) write(tlp label.TLP, plane label.Plane, to string) (*report.Message, error) {
	at := time.Unix(1795000100, 0)
	return m.Write(&report.Report{
		Kind: report.Status, Team: report.Team{Name: "CERT", Mail: "cert@xn.example"}, Ticket: report.Ticket{Queue: "xn-cert", Number: "1"},
		Label: label.Parcel{TLP: tlp, Plane: plane, Own: true}, Text: "It goes on.", At: at,
	}, report.Recipient{Name: to, Mail: "cert@xs.example", Key: m.key})
}

// The same for statements, which every member of a channel holds: what is red goes over a channel with one other member only, and no plane by another's.
func TestStatementsAskTheLabel(t *testing.T) {
	for _, members := range [][]traffic.Party{{"xn", "xs"}, {"xn", "xs", "xe"}} {
		inWorld(t, members, func(t *testing.T, w *world) {
			xn := w.teams["xn"]
			n := 0
			for _, tlp := range append(label.TLPs(), label.Unmarked) {
				for _, plane := range []label.Plane{label.Real, label.Exercise, label.Test} {
					for title, line := range map[string]label.Plane{"cert to members": label.Real, "cert to members EXERCISE": label.Exercise, "cert to members TEST": label.Test} {
						n++
						o := string(planed(t, tlp, plane).Raw)
						o = strings.Replace(o, indicatorID(1), indicatorID(n), 1)
						parcel := label.Parcel{TLP: tlp, Plane: plane, Own: true}
						if plane == label.Real {
							parcel.Plane = line
						}
						over := label.Path{Audience: label.Named, Plane: line}
						for _, p := range members[1:] {
							over.Recipients = append(over.Recipients, string(p))
						}
						want := reasonOf(t, label.Leave(parcel, over))
						if want == "" && tlp == label.TLPRed && len(members) > 2 {
							want = label.ReasonRecipients
						}
						got := ""
						for _, why := range xn.posts(title, o) {
							got = why
						}
						if want == "" && got != "" || !strings.Contains(got, string(want)) {
							t.Errorf("%d members: %q of %s over %s: %q, the label says %q", len(members), tlp, plane, line, got, want)
						}
					}
				}
			}
			synctest.Wait()
		})
	}
}
