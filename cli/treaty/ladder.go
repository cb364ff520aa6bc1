package treaty

import (
	"context"
	"strings"

	"detente/api"
	"detente/api/drafting"
	"detente/cli/session"
	"detente/traffic"
)

// step takes a step on the ladder.
func (v *voice) step(s *session.Session, draft string, r drafting.Step) error {
	r.Voice = v.api()
	return v.does(s, func(ctx context.Context, n drafting.Client) (api.Sent, error) { return n.Step(ctx, draft, r) })
}

// on is the instrument about which a step is, and by which manifest.
type on struct {
	Draft    string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Manifest string `help:"Digits of its hash; the one that all have authenticated, or else the last, by default." placeholder:"HASH"`
	voice
}

// InitialCmd initials.
type InitialCmd struct{ on }

// Help gives an example and the exit codes.
func (InitialCmd) Help() string {
	return "It authenticates the text and binds nobody. It is refused unless this side renders the originals to the very digests that the manifest names.\n\n" +
		session.Detail("detente initial 1f2e3d4c", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run initials.
func (c *InitialCmd) Run(s *session.Session) error {
	return c.step(s, c.Draft, drafting.Step{Step: "initial", Manifest: c.Manifest})
}

// SignCmd signs.
type SignCmd struct {
	on
	Manner string `help:"definitive, ad-referendum or subject-to-ratification." enum:"definitive,ad-referendum,subject-to-ratification" default:"definitive"`
	Place  string `help:"Where." placeholder:"TEXT"`
	Scan   string `help:"Of a paper instrument." placeholder:"FILE"`
}

// Help gives examples and the exit codes.
func (SignCmd) Help() string {
	return session.Detail(`
		detente sign 1f2e3d4c --place Geneva
		detente sign 1f2e3d4c --manner subject-to-ratification`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run signs.
func (c *SignCmd) Run(s *session.Session) error {
	file, err := scan(s, c.Scan)
	if err != nil {
		return err
	}
	return c.step(s, c.Draft, drafting.Step{Step: "sign", Manifest: c.Manifest, Manner: c.Manner, Place: c.Place, Scan: file})
}

// ConsentCmd expresses the consent to be bound.
type ConsentCmd struct {
	on
	Manner string `help:"ratification, acceptance, approval, accession, notification or exchange." enum:"ratification,acceptance,approval,accession,notification,exchange" default:"ratification"`
	Scan   string `help:"Of a paper instrument." placeholder:"FILE"`
}

// Help gives an example and the exit codes.
func (ConsentCmd) Help() string {
	return "In a round with sealers consent is given with detente seal.\n\n" +
		session.Detail("detente consent 1f2e3d4c --manner ratification", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run consents.
func (c *ConsentCmd) Run(s *session.Session) error {
	file, err := scan(s, c.Scan)
	if err != nil {
		return err
	}
	return c.step(s, c.Draft, drafting.Step{Step: "consent", Manifest: c.Manifest, Manner: c.Manner, Scan: file})
}

// InstrumentCmd is an instrument after its signature.
type InstrumentCmd struct {
	Status    StatusCmd    `cmd:"" help:"How an instrument stands on a date."`
	Confirm   confirmCmd   `cmd:"" help:"Confirm the own signature ad referendum."`
	Note      noteCmd      `cmd:"" help:"The notes of an exchange: the second has the first in it, byte for byte."`
	Correct   correctCmd   `cmd:"" help:"Propose the correction of an error in an authenticated text; it counts in 90 days unless somebody objects."`
	Answer    answerCmd    `cmd:"" help:"Accept or object to a correction."`
	Suspend   suspendCmd   `cmd:"" help:"Suspend its operation, or that of provisions."`
	Resume    resumeCmd    `cmd:"" help:"Have it operate again."`
	Terminate terminateCmd `cmd:"" help:"Give notice of termination."`
	Revoke    revokeCmd    `cmd:"" help:"Take the own notice of termination back, before it takes effect."`
	Extend    extendCmd    `cmd:"" help:"Extend its duration: it counts when all parties state the same."`
}

// StatusCmd is how an instrument stands.
type StatusCmd struct {
	Draft string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	On    string `help:"On which day; now by default." placeholder:"DATE"`
	Lang  string `help:"Language of the words." default:"en" placeholder:"TAG"`
	session.JSONFlag
}

// Help gives examples and the exit codes.
func (StatusCmd) Help() string {
	return session.Detail(`
		detente instrument status 1f2e3d4c
		detente instrument status 1f2e3d4c --on 2030-01-01`, session.ExitDone, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run tells how it stands.
func (c *StatusCmd) Run(s *session.Session) error {
	at, err := day(c.On)
	if err != nil {
		return err
	}
	node, err := client(s)
	if err != nil {
		return err
	}
	st, err := node.Status(s.Ctx, c.Draft, at, c.Lang)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(st)
	}
	s.Printf("%s, since %s\n", session.Safe(st.Words), session.Moment(st.Since))
	if st.Manifest != "" {
		s.Printf("  manifest %s\n", short(st.Manifest))
	}
	if !st.InForce.IsZero() {
		s.Printf("  entry into force %s\n", session.Moment(st.InForce))
	}
	if !st.Until.IsZero() {
		s.Printf("  until %s as things stand\n", session.Moment(st.Until))
	}
	if len(st.Suspended) > 0 {
		s.Printf("  suspended: %s\n", session.Safe(strings.Join(st.Suspended, ", ")))
	}
	rows := [][]string{{"PARTY", "INITIALLED", "SIGNED", "CONSENT", "BOUND"}}
	for _, p := range st.Parties {
		bound := ""
		if p.Bound {
			bound = "yes"
		}
		rows = append(rows, []string{
			string(p.Party), session.Moment(p.Initialled), strings.TrimSpace(session.Moment(p.Signed) + " " + p.Manner), strings.TrimSpace(session.Moment(p.Consented) + " " + p.By), bound,
		})
	}
	if err := s.Table(rows...); err != nil {
		return err
	}
	for _, d := range st.Dues {
		s.Printf("%s  %s  %s\n", session.Moment(d.At), d.Party, session.Safe(d.Words))
	}
	return nil
}

type confirmCmd struct {
	on
	Remarks string `help:"For the others to read." placeholder:"TEXT"`
}

// Help gives an example and the exit codes.
func (confirmCmd) Help() string {
	return session.Detail("detente instrument confirm 1f2e3d4c", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run confirms.
func (c *confirmCmd) Run(s *session.Session) error {
	return c.step(s, c.Draft, drafting.Step{Step: "confirm", Words: c.Remarks})
}

type noteCmd struct {
	Draft  string   `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Number string   `arg:"" help:"Of the note, as the own registry gives it."`
	Texts  []string `arg:"" optional:"" name:"language=text" help:"What it says; @FILE for the text in a file. In a second note {note} stands for the first. By default as the template has it."`
	Second bool     `help:"Answer the first note of the other side."`
	voice
}

// Help gives examples and the exit codes.
func (noteCmd) Help() string {
	return session.Detail(`
		detente instrument note 1f2e3d4c 17/2026 en=@note.txt
		detente instrument note 1f2e3d4c 204 --second en="We have the honour to confirm: {note}"`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run states the note.
func (c *noteCmd) Run(s *session.Session) error {
	said, err := texts(s, c.Texts)
	if err != nil {
		return err
	}
	what := "first-note"
	if c.Second {
		what = "second-note"
	}
	return c.step(s, c.Draft, drafting.Step{Step: what, Number: c.Number, Texts: said})
}

type correctCmd struct {
	on
	Provision string   `arg:"" help:"Its id."`
	Texts     []string `arg:"" name:"language=text" help:"What it is to say. A language that is left out stays as it is."`
	Reason    string   `help:"What the error is." required:"" placeholder:"TEXT"`
}

// Help gives an example and the exit codes.
func (correctCmd) Help() string {
	return session.Detail(`detente instrument correct 1f2e3d4c art-3.2 en="… within …" ru="… в течение …" --reason "A word was missing in English."`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run proposes it.
func (c *correctCmd) Run(s *session.Session) error {
	said, err := texts(s, c.Texts)
	if err != nil {
		return err
	}
	return c.step(s, c.Draft, drafting.Step{Step: "correct", Manifest: c.Manifest, Provision: c.Provision, Texts: said, Words: c.Reason})
}

type answerCmd struct {
	Draft  string `arg:"" help:"Digits of its id, or the number of one of its statements."`
	Accept bool   `help:"Accept it." xor:"answer"`
	Object bool   `help:"Object to it." xor:"answer"`
	About  string `help:"Id or number of the correction; the last one by default." placeholder:"ID"`
	Words  string `help:"For the others to read." placeholder:"TEXT"`
	voice
}

// Help gives an example and the exit codes.
func (answerCmd) Help() string {
	return session.Detail(`detente instrument answer 1f2e3d4c --object --words "It is no error."`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound)
}

// Run answers.
func (c *answerCmd) Run(s *session.Session) error {
	what := "accept-correction"
	switch {
	case c.Object:
		what = "object-to-correction"
	case !c.Accept:
		return session.Fail(session.ExitUse, "detente instrument answer DRAFT --accept, or --object", "neither accepted nor objected to")
	}
	return c.step(s, c.Draft, drafting.Step{Step: what, About: c.About, Words: c.Words})
}

// operation is what suspends or resumes.
type operation struct {
	on
	Provision []string `help:"Only these. Repeat for others." placeholder:"PROVISION"`
	Ground    string   `help:"Why." required:"" placeholder:"TEXT"`
	From      string   `help:"From when; at once by default." placeholder:"DATE"`
}

func (c *operation) run(s *session.Session, what string) error {
	from, err := day(c.From)
	if err != nil {
		return err
	}
	return c.step(s, c.Draft, drafting.Step{Step: what, Manifest: c.Manifest, Provisions: c.Provision, Words: c.Ground, At: from})
}

type suspendCmd struct{ operation }

// Help gives an example and the exit codes.
func (suspendCmd) Help() string {
	return session.Detail(`detente instrument suspend 1f2e3d4c --provision art-4 --ground "…"`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run suspends.
func (c *suspendCmd) Run(s *session.Session) error { return c.run(s, "suspend") }

type resumeCmd struct{ operation }

// Help gives an example and the exit codes.
func (resumeCmd) Help() string {
	return session.Detail(`detente instrument resume 1f2e3d4c --ground "…"`, session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run resumes.
func (c *resumeCmd) Run(s *session.Session) error { return c.run(s, "resume") }

type terminateCmd struct {
	on
	Ground string `help:"Why." placeholder:"TEXT"`
	Effect string `help:"When it takes effect; as soon as the period of notice allows by default." placeholder:"DATE"`
}

// Help gives an example and the exit codes.
func (terminateCmd) Help() string {
	return "Both sides are released at one instant. Until then the notice can be taken back.\n\n" +
		session.Detail("detente instrument terminate 1f2e3d4c --effect 2030-01-01", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run gives notice.
func (c *terminateCmd) Run(s *session.Session) error {
	at, err := day(c.Effect)
	if err != nil {
		return err
	}
	return c.step(s, c.Draft, drafting.Step{Step: "terminate", Manifest: c.Manifest, Words: c.Ground, At: at})
}

type revokeCmd struct {
	on
	About string `help:"Id or number of the notice; the last own one by default." placeholder:"ID"`
	Words string `help:"For the others to read." placeholder:"TEXT"`
}

// Help gives an example and the exit codes.
func (revokeCmd) Help() string {
	return session.Detail("detente instrument revoke 1f2e3d4c", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run takes it back.
func (c *revokeCmd) Run(s *session.Session) error {
	return c.step(s, c.Draft, drafting.Step{Step: "revoke-notice", About: c.About, Words: c.Words})
}

type extendCmd struct {
	on
	Until string `help:"Until when." required:"" placeholder:"DATE"`
}

// Help gives an example and the exit codes.
func (extendCmd) Help() string {
	return session.Detail("detente instrument extend 1f2e3d4c --until 2035-01-01", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run extends.
func (c *extendCmd) Run(s *session.Session) error {
	at, err := day(c.Until)
	if err != nil {
		return err
	}
	return c.step(s, c.Draft, drafting.Step{Step: "extend", Manifest: c.Manifest, At: at})
}

// PowersCmd is full powers.
type PowersCmd struct {
	List   powersListCmd `cmd:"" default:"withargs" help:"The full powers that were issued."`
	Issue  issueCmd      `cmd:"" help:"Give an own post full powers."`
	Revoke powersEndCmd  `cmd:"" help:"Revoke own full powers: for what comes after."`
}

type powersListCmd struct {
	Channel string `help:"Only on this channel." placeholder:"CHANNEL"`
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (powersListCmd) Help() string {
	return session.Detail("detente powers list --channel talks", session.ExitDone, session.ExitUse, session.ExitUnreachable)
}

// Run lists them.
func (c *powersListCmd) Run(s *session.Session) error {
	node, err := client(s)
	if err != nil {
		return err
	}
	list, err := node.Powers(s.Ctx, c.Channel)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.JSON(list)
	}
	if len(list) == 0 {
		s.Printf("No full powers. Issue some with: detente powers issue --help\n")
		return nil
	}
	rows := [][]string{{"NUMBER", "POST", "REPRESENTATIVE", "MAY", "INSTRUMENT", "UNTIL", "REVOKED"}}
	for _, p := range list {
		instrument := "all"
		if p.Instrument != "" {
			instrument = p.Instrument[:8]
		}
		revoked := ""
		if p.RevokedBy != "" {
			revoked = session.Moment(p.Revoked)
		}
		rows = append(rows, []string{p.Number, p.Post, session.Safe(p.Representative), strings.Join(p.May, ","), instrument, session.Moment(p.Until), revoked})
	}
	return s.Table(rows...)
}

type issueCmd struct {
	For            traffic.Post  `arg:"" help:"Own post that is empowered."`
	Representative string        `help:"Office of who represents the party, never a name." required:"" placeholder:"OFFICE"`
	May            []string      `help:"negotiate, initial, sign, consent, withdraw, seal, declare." required:"" placeholder:"ACT,..."`
	By             string        `help:"Who issues them: head-of-state, head-of-government, foreign-minister or organisation." enum:"head-of-state,head-of-government,foreign-minister,organisation" default:"foreign-minister"`
	Instrument     string        `help:"For this instrument only." placeholder:"DRAFT"`
	Channel        string        `help:"Where they are stated; that of the instrument by default." placeholder:"CHANNEL"`
	Plane          traffic.Plane `help:"real, exercise or test." default:"real" enum:"real,exercise,test"`
	From           string        `help:"From when." placeholder:"DATE"`
	Until          string        `help:"Until when." placeholder:"DATE"`
	Scan           string        `help:"Of the paper." placeholder:"FILE"`
	voice
}

// Help gives an example and the exit codes.
func (issueCmd) Help() string {
	return session.Detail(`detente powers issue council --representative "Head of the delegation" --may initial,sign --instrument 1f2e3d4c`,
		session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run issues them.
func (c *issueCmd) Run(s *session.Session) error {
	if c.Instrument == "" && c.Channel == "" {
		return session.Fail(session.ExitUse, "detente powers issue POST --instrument DRAFT, or --channel NAME", "for which instrument, or on which channel?")
	}
	r := drafting.NewPowers{Voice: c.api(), Channel: c.Channel, Plane: c.Plane, Instrument: c.Instrument, Representative: c.Representative, For: c.For, May: c.May, Authority: c.By}
	var err error
	if r.From, err = day(c.From); err != nil {
		return err
	}
	if r.Until, err = day(c.Until); err != nil {
		return err
	}
	if r.Scan, err = scan(s, c.Scan); err != nil {
		return err
	}
	return c.does(s, func(ctx context.Context, n drafting.Client) (api.Sent, error) { return n.Issue(ctx, r) })
}

type powersEndCmd struct {
	Powers string `arg:"" help:"Number or digits of the id of their statement."`
	Reason string `help:"For the others to read." placeholder:"TEXT"`
	voice
}

// Help gives an example and the exit codes.
func (powersEndCmd) Help() string {
	return "Whatever was done by them before stays done.\n\n" + session.Detail("detente powers revoke XN/COUNCIL-R-0004", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable, session.ExitNotFound, session.ExitPerson)
}

// Run revokes them.
func (c *powersEndCmd) Run(s *session.Session) error {
	return c.does(s, func(ctx context.Context, n drafting.Client) (api.Sent, error) {
		return n.Revoke(ctx, c.Powers, drafting.Revoke{Voice: c.api(), Reason: c.Reason})
	})
}
