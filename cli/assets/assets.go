// Package assets holds the commands about protected assets: commit to a list, prove one of them, verify another party's proof.
// It must never let the list, its key or its secret file reach a node: what goes there is the head, and nothing else.
package assets

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"detente/api"
	"detente/api/protected"
	"detente/asset"
	"detente/cli/session"
	"detente/evidence"
	"detente/host"
	"detente/key"
	"detente/observable"
	"detente/party"
	"detente/traffic"
)

const maxSecret = 16 << 20

// Cmd is protected assets.
type Cmd struct {
	Commit commitCmd `cmd:"" help:"Commit the party to a list of what it protects, without showing it."`
	Prove  proveCmd  `cmd:"" help:"Write the proof that one asset is on the list."`
	Verify verifyCmd `cmd:"" help:"Verify such a proof against the head that its party published."`
	List   listCmd   `cmd:"" default:"withargs" help:"The heads that parties have published, and what each allows to be proved."`
}

type commitCmd struct {
	File      string       `arg:"" help:"The list: a network, an address, a name or an AS number a line; remarks after a #."`
	Secret    string       `help:"File to write: the list with its key, to be kept offline." required:"" placeholder:"FILE"`
	Effective time.Time    `help:"From when it holds; by default as soon as the notice allows." format:"2006-01-02" placeholder:"DAY"`
	Notice    string       `help:"Between now and the day from which it holds, by the agreement." default:"168h" placeholder:"DURATION"`
	Basis     string       `help:"The agreement, in words." placeholder:"TEXT"`
	Post      traffic.Post `help:"Post that speaks; needed where several may." placeholder:"POST"`
	Drafter   string       `help:"Duty role of the person who wrote it." default:"duty-officer" placeholder:"ROLE"`
	Releaser  string       `help:"Duty role of the second person who releases it, where the form demands one." placeholder:"ROLE"`
	DryRun    bool         `help:"Only say what would be published."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (commitCmd) Help() string {
	return "Published are a hash and five totals. Two entries that overlap are refused, and what goes beyond the agreement: 5,000 entries, 65,536 IPv4 addresses, nothing shorter than a /20, or a /32 of IPv6.\n\n" +
		session.Detail("detente asset commit assets.txt --secret assets-1.detente-assets --effective 2027-01-01",
			session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitPerson)
}

// Run commits. The secret is written before the head is stated: a head whose list is lost could prove nothing.
func (c *commitCmd) Run(s *session.Session) error {
	text, err := s.ReadFile(c.File, asset.MaxText)
	if err != nil {
		return err
	}
	entries, err := asset.ParseText(text)
	if err != nil {
		return session.Fail(session.ExitUse, "detente asset commit --help says what a line may be", "%s: %w", c.File, err)
	}
	wait, err := time.ParseDuration(c.Notice)
	if err != nil || wait < 0 {
		return session.Fail(session.ExitUse, "such as 168h", "%q is no time of notice", c.Notice)
	}
	earliest := time.Now().UTC().Add(wait)
	if c.Effective.IsZero() {
		c.Effective = earliest.Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	if c.Effective.Before(earliest) {
		return session.Fail(session.ExitRefused, "choose a later day, or the notice that your agreement has", "it would hold from %s, %s is not over until %s", session.Moment(c.Effective), c.Notice, session.Moment(earliest))
	}
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	st, err := node.Status(s.Ctx)
	if err != nil {
		return err
	}
	before, err := protected.Heads(s.Ctx, node, st.Party, traffic.Real)
	if err != nil {
		return err
	}
	version := uint64(1)
	said := map[string]string{}
	if n := len(before); n > 0 {
		version = before[n-1].Version + 1
		said["supersedes"] = before[n-1].ID
	}
	list, err := asset.Make(st.Party, version, entries, asset.Usual())
	if err != nil {
		return session.Fail(session.ExitRefused, "", "%w", err)
	}
	h := list.Head()
	if c.DryRun {
		return c.tell(s, protected.Head{Head: h, Effective: c.Effective, Basis: c.Basis}, nil)
	}
	secret, err := list.Secret()
	if err != nil {
		return err
	}
	if err := s.WriteNew(c.Secret, secret, 0o600); err != nil {
		return err
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	said["version"], said["root"], said["leaves"] = number(h.Version), hex.EncodeToString(h.Root[:]), number(h.Leaves)
	said["entries"], said["addresses"], said["subnets"] = number(h.Totals.Entries), number(h.Totals.Addresses), number(h.Totals.Subnets)
	said["names"], said["numbers"], said["effective"] = number(h.Totals.Names), number(h.Totals.Numbers), c.Effective.UTC().Format(time.RFC3339)
	if c.Basis != "" {
		said["basis"] = c.Basis
	}
	sent, err := node.Send(s.Ctx, api.SendRequest{
		Channel: "public", Post: c.Post, Plane: traffic.Real, Precedence: "R", Words: api.Words{Form: protected.Form, Text: said, Drafter: c.Drafter, Releaser: c.Releaser},
	})
	if err != nil {
		_ = os.Remove(c.Secret) // it opens nothing that was published
		return err
	}
	return c.tell(s, protected.Head{Head: h, Effective: c.Effective, Basis: c.Basis, ID: sent.ID}, &sent)
}

func (c *commitCmd) tell(s *session.Session, h protected.Head, sent *api.Sent) error {
	if c.JSON {
		return s.JSON(show(&h))
	}
	if sent != nil {
		s.Printf("%s  %s\n", sent.Number, sent.ID)
	}
	s.Printf("list %d, from %s: %s\n  root %x over %d leaves\n", h.Version, session.Moment(h.Effective), totals(h.Totals), h.Root, h.Leaves)
	if sent != nil {
		s.Printf("The list and its key are in %s. Keep that file offline, twice: without it nothing can be proved.\n", c.Secret)
	}
	return nil
}

func totals(t asset.Totals) string {
	return fmt.Sprintf("%d entries: %d IPv4 addresses, %d IPv6 networks of 64 bits, %d names, %d AS numbers", t.Entries, t.Addresses, t.Subnets, t.Names, t.Numbers)
}

// shown is a head in JSON.
type shown struct {
	Party     traffic.Party `json:"party"`
	Version   uint64        `json:"version"`
	Root      string        `json:"root"`
	Leaves    uint64        `json:"leaves"`
	Entries   uint64        `json:"entries"`
	Addresses uint64        `json:"addresses"`
	Subnets   uint64        `json:"subnets"`
	Names     uint64        `json:"names"`
	Numbers   uint64        `json:"numbers"`
	Effective time.Time     `json:"effective"`
	Basis     string        `json:"basis,omitempty"`
	Statement string        `json:"statement,omitempty"`
	Held      time.Time     `json:"held,omitzero"`
}

func show(h *protected.Head) shown {
	return shown{
		Party: h.Party, Version: h.Version, Root: hex.EncodeToString(h.Root[:]), Leaves: h.Leaves, Entries: h.Totals.Entries, Addresses: h.Totals.Addresses, Subnets: h.Totals.Subnets,
		Names: h.Totals.Names, Numbers: h.Totals.Numbers, Effective: h.Effective, Basis: h.Basis, Statement: h.ID, Held: h.Held,
	}
}

type listCmd struct {
	Party traffic.Party `arg:"" optional:"" help:"Whose; all parties that are known here by default."`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (listCmd) Help() string {
	return session.Detail("detente asset list xs", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists the heads.
func (c *listCmd) Run(s *session.Session) error {
	node, err := s.Client(false)
	if err != nil {
		return err
	}
	parties := []traffic.Party{c.Party}
	if c.Party == "" {
		charters, err := node.Charters(s.Ctx)
		if err != nil {
			return err
		}
		parties = nil
		for _, ch := range charters {
			parties = append(parties, ch.Party)
		}
	}
	all := []shown{}
	rows := [][]string{{"PARTY", "LIST", "FROM", "ENTRIES", "IPV4", "IPV6 /64", "NAMES", "AS", "HELD HERE SINCE", "STATEMENT"}}
	for _, p := range parties {
		list, err := protected.Heads(s.Ctx, node, p, traffic.Real)
		if err != nil {
			return err
		}
		for _, h := range list {
			t := h.Totals
			all = append(all, show(&h))
			rows = append(rows, []string{
				string(p), fmt.Sprint(h.Version), session.Moment(h.Effective), fmt.Sprint(t.Entries), fmt.Sprint(t.Addresses), fmt.Sprint(t.Subnets), fmt.Sprint(t.Names),
				fmt.Sprint(t.Numbers), session.Moment(h.Held), h.ID[:8],
			})
		}
	}
	if c.JSON {
		return s.JSON(all)
	}
	if len(all) == 0 {
		s.Printf("Nobody has published a list.\n")
		return nil
	}
	return s.Table(rows...)
}

type proveCmd struct {
	Secret string `arg:"" help:"The secret file of the list."`
	Asset  string `arg:"" help:"What was hit: an address, a network, a name, a URL, an AS number."`
	Output string `short:"o" help:"File to write." default:"asset.detente-asset" placeholder:"FILE"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (proveCmd) Help() string {
	return "It needs no node: do it where the secret is kept. The proof shows the entry that covers what was hit, and of the others nothing but sums (docs/assets.md).\n\n" +
		session.Detail("detente asset prove assets-1.detente-assets booth-7.votes.example -o votes.detente-asset", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitNotFound)
}

// Run proves an asset.
func (c *proveCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.Secret, maxSecret)
	if err != nil {
		return err
	}
	list, err := asset.Open(b)
	if err != nil {
		return session.Fail(session.ExitRefused, "", "%s: %w", c.Secret, err)
	}
	hit, err := observable.Guess(c.Asset)
	if err != nil {
		return session.Fail(session.ExitUse, "", "%w", err)
	}
	e, err := list.Find(hit)
	if errors.Is(err, asset.ErrAbsent) {
		return session.Fail(session.ExitNotFound, "", "%w", err)
	}
	if err != nil {
		return err
	}
	p, err := list.Prove(e)
	if err != nil {
		return err
	}
	out, err := p.Bytes()
	if err != nil {
		return err
	}
	if err := s.WriteNew(c.Output, out, 0o644); err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(map[string]any{"entry": e.String(), "party": p.Party, "version": p.Version, "file": c.Output})
	}
	s.Printf("%s: %s, list %d of %s\n", c.Output, e, p.Version, p.Party)
	return nil
}

type verifyCmd struct {
	Proof    string    `arg:"" help:"The proof of the asset."`
	Head     string    `help:"Proof file of the statement with the head, to verify without a node." placeholder:"FILE" type:"existingfile"`
	Charters []string  `help:"Charter file that you trust, with --head. Repeat for others." sep:"none" placeholder:"FILE" type:"existingfile"`
	On       time.Time `help:"Was it protected on that day? Today by default." format:"2006-01-02" placeholder:"DAY"`
	Hit      string    `help:"Does the entry cover this address, network or name?" placeholder:"VALUE"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (verifyCmd) Help() string {
	return "It says whether the entry is on the list whose head the party published, from when that list holds and since when its head is held here.\n\n" + session.Detail(`
		detente asset verify votes.detente-asset --hit booth-7.votes.example --on 2027-02-03
		detente asset verify votes.detente-asset --head head.detente-proof --charters xn.charters`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run verifies a proof.
func (c *verifyCmd) Run(s *session.Session) error {
	b, err := s.ReadFile(c.Proof, asset.MaxProof)
	if err != nil {
		return err
	}
	p, err := asset.ParseProof(b)
	if err != nil {
		return session.Fail(session.ExitRefused, "ask for the file again", "%s: %w", c.Proof, err)
	}
	on := c.On
	if on.IsZero() {
		on = time.Now().UTC()
	}
	var all []protected.Head
	if c.Head != "" {
		all, err = c.offline(s)
	} else {
		var node *api.Client
		if node, err = s.Client(false); err == nil {
			all, err = protected.Heads(s.Ctx, node, p.Party, traffic.Real)
		}
	}
	if err != nil {
		return err
	}
	h, held, err := protected.Verify(p, all, on)
	if errors.Is(err, protected.ErrUnknown) {
		return session.Fail(session.ExitNotFound, "detente asset list "+string(p.Party), "no head of list %d of %s is known here", p.Version, p.Party)
	}
	if err != nil {
		return session.Fail(session.ExitRefused, "", "%s: %w", c.Proof, err)
	}
	var covers bool
	if c.Hit != "" {
		if covers, err = protected.Covers(p, c.Hit); err != nil {
			return session.Fail(session.ExitUse, "", "%w", err)
		}
		if !covers {
			return session.Fail(session.ExitRefused, "", "%s does not cover %s", p.Entry, session.Safe(c.Hit))
		}
	}
	short := h.Short()
	if c.JSON {
		err = s.JSON(map[string]any{"entry": p.Entry.String(), "head": show(&h), "in_force": held, "on": on, "short_notice": short, "covers": covers})
	} else {
		s.Printf("%s is on list %d of %s: %s\n", p.Entry, h.Version, h.Party, totals(h.Totals))
		s.Printf("  it holds from %s; stated %s", session.Moment(h.Effective), session.Moment(h.Issued))
		if !h.Held.IsZero() {
			s.Printf(", held here since %s", session.Moment(h.Held))
		}
		s.Printf("\n")
		if short {
			s.Printf("  between the two lies less than a week: see what notice the agreement asks for\n")
		}
		if covers {
			s.Printf("  it covers %s\n", session.Safe(c.Hit))
		}
	}
	if err == nil && !held {
		return session.Fail(session.ExitRefused, "", "list %d of %s was not in force on %s", h.Version, h.Party, session.Moment(on))
	}
	return err
}

// offline reads the head from a proof file of its statement.
func (c *verifyCmd) offline(s *session.Session) ([]protected.Head, error) {
	regimes, err := host.Regimes()
	if err != nil {
		return nil, err
	}
	r := &evidence.Reader{Registry: key.Standard(), Trusted: make(map[traffic.Party]*party.Chain), Regimes: regimes}
	for _, path := range c.Charters {
		b, err := s.ReadFile(path, evidence.MaxCase)
		if err != nil {
			return nil, err
		}
		chain, err := party.DecodeChain(b, key.Standard())
		if err != nil {
			return nil, session.Fail(session.ExitRefused, "ask its party for it again", "%s: %w", path, err)
		}
		r.Trusted[chain.Party()] = chain
	}
	b, err := s.ReadFile(c.Head, evidence.MaxCase)
	if err != nil {
		return nil, err
	}
	v, err := r.Proof(b)
	if err != nil {
		return nil, session.Fail(session.ExitRefused, "detente verify "+c.Head, "%s: %w", c.Head, err)
	}
	raw, err := json.Marshal(v.Statement.Fields)
	if err != nil {
		return nil, err
	}
	from, _, _ := strings.Cut(v.Statement.Issuer, "/")
	if v.Statement.Form != protected.Form {
		return nil, session.Fail(session.ExitUse, "", "%s is the proof of another form: %s", c.Head, v.Statement.Form)
	}
	h, err := protected.Read(raw, traffic.Party(from))
	if err != nil {
		return nil, session.Fail(session.ExitRefused, "", "%s: %w", c.Head, err)
	}
	h.ID, h.Issued = v.Statement.ID, v.Statement.Issued
	for _, receipt := range v.Receipts {
		if h.Held.IsZero() || receipt.At.Before(h.Held) {
			h.Held, h.First = receipt.At, receipt.At
		}
	}
	return []protected.Head{h}, nil
}
