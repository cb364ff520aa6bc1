package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/archive"
	"detente/dossier"
	"detente/evidence"
	"detente/exchange"
	"detente/form"
	"detente/key"
	"detente/node"
	"detente/party"
	"detente/statement"
	"detente/traffic"

	"golang.org/x/text/language"
)

// send xn xs flash check "text" [exercise]: to the post nrrc of the other party, or to all members for *.
func (s *Script) send(args []string, out *strings.Builder) error {
	if len(args) < 5 {
		return errUsage
	}
	precedence, err := traffic.ParsePrecedence(args[2])
	if err != nil {
		return errUsage
	}
	l := Letter{
		From: traffic.Party(args[0]), To: traffic.Party(args[1]), Channel: s.channel, Precedence: precedence, Form: args[3], Text: args[4],
	}
	if len(args) > 5 {
		l.Plane = traffic.Plane(args[5])
	}
	sent, err := s.World.Send(l)
	return s.told(l.From, sent, err, out)
}

// ack xs XN/NRRC-Z-0001; answer xs XN/NRRC-Z-0001 "text"
func (s *Script) reply(verb string, args []string, out *strings.Builder) error {
	if len(args) < 2 {
		return errUsage
	}
	by := traffic.Party(args[0])
	to, err := s.find(by, args[1])
	if err != nil {
		return err
	}
	id, text := verb, ""
	if verb == "ack" {
		id = "acknowledgement"
	}
	if len(args) > 2 {
		text = args[2]
	}
	sent, err := s.World.Reply(by, to.ID, id, text)
	return s.told(by, sent, err, out)
}

func (s *Script) told(by traffic.Party, sent node.Sent, err error, out *strings.Builder) error {
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n", number(traffic.Address{Party: by, Post: "nrrc"}, sent.Feed, sent.Index))
	return nil
}

// pouch xn xs bag: an officer of xn exports what xs lacks.
func (s *Script) pouch(args []string, out *strings.Builder) error {
	if len(args) != 3 {
		return errUsage
	}
	from, to := s.World.Capital(traffic.Party(args[0])), traffic.Party(args[1])
	path := filepath.Join(s.World.t.TempDir(), "pouch")
	statements, err := from.Node().ExportPouch(s.World.t.Context(), to, path)
	if err != nil {
		return err
	}
	s.pouches[args[2]], err = os.ReadFile(path)
	s.World.Net.inspect(direction{from.ID, to}, s.pouches[args[2]])
	fmt.Fprintf(out, "%d statements in the pouch\n", statements)
	return err
}

// flashes xn bag: an officer takes along the FLASH that the node has put out by itself.
func (s *Script) flashes(args []string, out *strings.Builder) error {
	if len(args) != 2 {
		return errUsage
	}
	dir := s.World.Capital(traffic.Party(args[0])).Pouches()
	files, err := fs.Glob(os.DirFS(dir), "*.detente-pouch")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d files\n", len(files))
	for _, f := range files {
		path := filepath.Join(dir, f)
		if s.pouches[args[1]], err = os.ReadFile(path); err != nil {
			return err
		}
		s.World.Net.inspect(direction{traffic.Party(args[0]), ""}, s.pouches[args[1]])
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// unpack xs bag: the pouch is brought to xs.
func (s *Script) unpack(args []string, out *strings.Builder) error {
	if len(args) != 2 || s.pouches[args[1]] == nil {
		return errUsage
	}
	r, err := s.World.Capital(traffic.Party(args[0])).Node().ImportPouch(s.World.t.Context(), bytes.NewReader(s.pouches[args[1]]))
	if err == nil {
		fmt.Fprintf(out, "%d bundles from %v, %d refused\n", r.Bundles, r.From, r.Refused)
	}
	return err
}

// recover xs 1h: fetches what the disk has lost, for at most that time. With a third word the feeds that are still behind are left for their
// next epoch.
func (s *Script) recover(args []string, out *strings.Builder) error {
	if len(args) < 2 {
		return errUsage
	}
	id := traffic.Party(args[0])
	most, err := time.ParseDuration(args[1])
	if err != nil {
		return errUsage
	}
	r, err := s.World.Recover(id, most)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && len(args) == 2:
		fmt.Fprintf(out, "%d feeds still behind\n", len(r.Behind))
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(out, "%d feeds are left for their next epoch\n", len(r.Behind))
		err = s.World.Epoch(id, r)
	case err == nil:
		fmt.Fprintln(out, "nothing is behind")
	}
	if err != nil {
		return err
	}
	return s.World.Recovered(id, most)
}

// rotate xn post/nrrc/real node/mirror: new keys, in a new version of the charter.
func (s *Script) rotate(args []string, out *strings.Builder) error {
	if len(args) < 2 {
		return errUsage
	}
	c := s.World.Capital(traffic.Party(args[0]))
	var slots []party.Slot
	for _, a := range args[1:] {
		slots = append(slots, party.Slot(a))
	}
	if err := s.World.Rotate(c.ID, party.Withdrawal{}, slots...); err != nil {
		return err
	}
	fmt.Fprintf(out, "charter of %s, version %d\n", c.ID, c.Node().Chain(c.ID).Latest().Version)
	return nil
}

// screen xs: every statement of the channel that is held there, in the canonical order, as the watch sees it.
func (s *Script) screen(args []string, out *strings.Builder) error {
	if len(args) != 1 {
		return errUsage
	}
	at := traffic.Party(args[0])
	lines, err := s.lines(at)
	for _, l := range lines {
		fmt.Fprintln(out, l)
	}
	if err == nil && len(lines) == 0 {
		fmt.Fprintln(out, "nothing")
	}
	return err
}

func (s *Script) lines(at traffic.Party) ([]string, error) {
	n := s.World.Capital(at).Node()
	ctx := s.World.t.Context()
	held, err := n.List(ctx, 1<<20, func(h archive.Held) bool { return h.Feed.Channel == s.channel })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(held, func(a, b archive.Held) int {
		if a.Clock != b.Clock {
			return int(a.Clock - b.Clock)
		}
		return strings.Compare(a.Issuer, b.Issuer)
	})
	feeds, err := n.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	cosigned := make(map[traffic.Feed]map[traffic.Party]int64)
	for _, f := range feeds {
		cosigned[f.Feed] = f.Cosigned
	}
	var out []string
	for _, h := range held {
		if h.Statement == nil {
			out = append(out, fmt.Sprintf("entry %d of %s is no statement", h.Index, h.Feed.Party))
			continue
		}
		state, err := n.Dossier(ctx, h)
		if err != nil {
			return nil, err
		}
		_, regime, err := n.Form(h.Statement)
		if err != nil {
			return nil, err
		}
		tag := language.MustParse(s.langs[at])
		line := fmt.Sprintf("%s  %s  %s", number(h.Statement.Issuer, h.Feed, h.Index),
			regime.Phrases.Phrase(tag, "precedence."+string(h.Statement.Precedence)), regime.Phrases.Phrase(tag, h.Statement.Form))
		line += ": " + standingOf(n, state.Find(h.ID), cosigned[h.Feed])
		out = append(out, line)
	}
	return out, nil
}

// standingOf says how a statement stands: what it still asks for, and of an own one who holds it, or why there is silence.
func standingOf(n *node.Node, e *dossier.Entry, cosigned map[traffic.Party]int64) string {
	if e.Reason != "" {
		return "invalid, " + e.Reason
	}
	text := string(e.Standing)
	if e.Feed.Party != n.Self() {
		return text
	}
	for _, c := range n.Conditions() {
		size, member := cosigned[c.Peer]
		if !member || e.Standing == dossier.Noted && size > e.Index {
			continue
		}
		silence := exchange.Silent(exchange.Signs{
			Up: c.Up, Held: size > e.Index, Acknowledged: e.AcknowledgedBy != statement.ID{}, Answered: e.AnsweredBy != statement.ID{},
		})
		text += fmt.Sprintf(", %s: %s", c.Peer, silence)
	}
	return text
}

// show xs XN/NRRC-Z-0001: the statement as a telegram, in the language of the party that reads it.
func (s *Script) show(args []string, out *strings.Builder) error {
	if len(args) != 2 {
		return errUsage
	}
	at := traffic.Party(args[0])
	h, err := s.find(at, args[1])
	if err != nil {
		return err
	}
	n, st := s.World.Capital(at).Node(), h.Statement
	f, regime, err := n.Form(st)
	if err != nil {
		return err
	}
	v, err := f.Decode(st.Payload)
	if err != nil {
		return err
	}
	d := regime.Render(form.Message{
		Form: f, Values: v, Number: args[1], From: st.Issuer.String(), To: st.Audience, At: st.IssuedAt, Precedence: st.Precedence,
		Plane: st.Plane, Original: language.MustParse(st.Language),
	}, language.MustParse(s.langs[at]))
	for line := range strings.Lines(d.String()) {
		if strings.TrimSpace(line) == "" {
			line = "·\n" // an empty line ends what is expected
		}
		out.WriteString(line)
	}
	return nil
}

// link xn: how the links of a party stand.
func (s *Script) link(args []string, out *strings.Builder) error {
	if len(args) != 1 {
		return errUsage
	}
	for _, c := range s.World.Capital(traffic.Party(args[0])).Node().Conditions() {
		how := "down"
		if c.Up {
			how = "up"
		}
		fmt.Fprintf(out, "%s with %s: %s\n", args[0], c.Peer, how)
	}
	return nil
}

// feeds xn: every feed of the channel, and who holds how much of it.
func (s *Script) feeds(args []string, out *strings.Builder) error {
	if len(args) != 1 {
		return errUsage
	}
	feeds, err := s.World.Capital(traffic.Party(args[0])).Node().Feeds(s.World.t.Context())
	if err != nil {
		return err
	}
	for _, f := range feeds {
		if f.Feed.Channel != s.channel || f.Size == 0 {
			continue
		}
		fmt.Fprintf(out, "%s %s", f.Feed.Party, f.Feed.Precedence)
		if f.Feed.Plane != traffic.Real {
			fmt.Fprintf(out, " %s", f.Feed.Plane)
		}
		fmt.Fprintf(out, ": %d", f.Size)
		var mirrors []string
		for m, size := range f.Cosigned {
			mirrors = append(mirrors, fmt.Sprintf(", cosigned by %s: %d", m, size))
		}
		slices.Sort(mirrors)
		fmt.Fprint(out, strings.Join(mirrors, ""))
		if f.Silent {
			fmt.Fprint(out, ", may not speak")
		}
		fmt.Fprintln(out)
	}
	return nil
}

// alarms xs: what a person must know.
func (s *Script) alarms(args []string, out *strings.Builder) error {
	if len(args) != 1 {
		return errUsage
	}
	alarms, err := s.World.Capital(traffic.Party(args[0])).Node().Alarms(s.World.t.Context())
	var lines []string
	for _, a := range alarms {
		detail, _, _ := strings.Cut(a.Detail, " since ")
		if f, err := traffic.ParseOrigin(strings.Fields(a.Subject)[0]); err == nil {
			detail = fmt.Sprintf("%s of %s: %s", f.Precedence, f.Party, detail)
		}
		lines = append(lines, a.Kind+": "+detail+"\n")
	}
	slices.Sort(lines)
	if len(lines) == 0 {
		lines = []string{"none\n"}
	}
	out.WriteString(strings.Join(lines, ""))
	return err
}

// state xs XN/NRRC-Z-0001: the dossier of a statement, folded.
func (s *Script) state(args []string, out *strings.Builder) error {
	if len(args) != 2 {
		return errUsage
	}
	at := traffic.Party(args[0])
	h, err := s.find(at, args[1])
	if err != nil {
		return err
	}
	state, err := s.World.Capital(at).Node().Dossier(s.World.t.Context(), h)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d statements, something is due of %d\n", len(state.Entries), len(state.Open))
	for _, e := range state.Entries {
		fmt.Fprintf(out, "%s  %s  %s\n", number(e.Statement.Issuer, e.Feed, e.Index), e.Statement.Form, strings.TrimSpace(string(e.Standing)+" "+e.Why))
	}
	return nil
}

// same xn xs: every dossier of the channel, compared by its digest.
func (s *Script) same(args []string, out *strings.Builder) error {
	var parties []*Capital
	for _, a := range args {
		parties = append(parties, s.World.Capital(traffic.Party(a)))
	}
	n, err := s.World.same(s.channel, parties...)
	if err == nil {
		fmt.Fprintf(out, "%d dossiers, the same everywhere\n", n)
	}
	return err
}

// prove xn XN/NRRC-Z-0001 [xs]: the proof file, read by somebody who trusts the charters and nothing else.
func (s *Script) prove(args []string, out *strings.Builder) error {
	if len(args) != 2 {
		return errUsage
	}
	c := s.World.Capital(traffic.Party(args[0]))
	h, err := s.find(c.ID, args[1])
	if err != nil {
		return err
	}
	proof, err := c.Node().Prove(s.World.t.Context(), h.ID)
	if err != nil {
		return err
	}
	reader := evidence.Reader{Registry: key.Standard(), Regimes: s.World.regimes, Trusted: make(map[traffic.Party]*party.Chain)}
	for _, p := range s.World.Parties() {
		reader.Trusted[p.ID] = c.Node().Chain(p.ID)
	}
	v, err := reader.Proof(proof)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s", v.Level)
	for _, r := range v.Receipts {
		fmt.Fprintf(out, ", held by %s", r.Party)
	}
	fmt.Fprintln(out)
	return nil
}

// audit: every node verifies all that it holds.
func (s *Script) audit(_ []string, out *strings.Builder) error {
	if err := s.World.Audit(); err != nil {
		return err
	}
	fmt.Fprintln(out, "nothing is wrong")
	return nil
}
