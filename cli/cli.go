// Package cli is the command line: one struct is the whole grammar, and each command has a file of its own. Host is a node with its surroundings.
// It must never do what the API cannot: a command asks the running node, or else runs one for as long as the command lasts.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"detente/cli/assets"
	"detente/cli/cases"
	"detente/cli/cert"
	"detente/cli/duty"
	"detente/cli/exercises"
	"detente/cli/people"
	"detente/cli/pledges"
	"detente/cli/register"
	"detente/cli/relations"
	"detente/cli/seals"
	"detente/cli/secrets"
	"detente/cli/session"
	"detente/cli/standing"
	"detente/cli/talks"
	"detente/cli/treaty"

	"github.com/alecthomas/kong"
)

// grammar is every command and flag.
type grammar struct {
	session.Where

	Init   initCmd   `cmd:"" group:"party" help:"Found a party: make its keys, its charter and its settings."`
	Serve  serveCmd  `cmd:"" group:"party" help:"Run the node."`
	Status statusCmd `cmd:"" group:"party" help:"How the node stands, in one look."`
	Config configCmd `cmd:"" group:"party" help:"The settings of the node."`

	Charter charterCmd `cmd:"" group:"peers" help:"Who we are, who they are: charters and pairing."`
	Channel channelCmd `cmd:"" group:"peers" help:"What we talk about, with whom, under which regime."`
	Link    linkCmd    `cmd:"" group:"peers" help:"How the link with each peer stands, and what has reached it."`
	Pouch   pouchCmd   `cmd:"" group:"peers" help:"Traffic in a file that somebody takes along."`

	Send   sendCmd   `cmd:"" group:"traffic" help:"Make a statement."`
	Inbox  inboxCmd  `cmd:"" group:"traffic" help:"What came in: what is open first, then the newest first."`
	Show   showCmd   `cmd:"" group:"traffic" help:"One statement: what it says, where it stands, what proves it."`
	Ack    ackCmd    `cmd:"" group:"traffic" help:"Acknowledge a statement. It does not indicate concurrence."`
	Answer answerCmd `cmd:"" group:"traffic" help:"Answer a statement."`
	Reply  replyCmd  `cmd:"" group:"traffic" help:"Reply with any form: correct, cancel, answer a check."`

	Correct   correctCmd            `cmd:"" group:"traffic" help:"Correct an own statement: what to read, in the place of what."`
	Cancel    standing.CancelCmd    `cmd:"" group:"traffic" help:"Cancel an own statement: it was sent in error."`
	Translate standing.TranslateCmd `cmd:"" group:"traffic" help:"State a translation of a statement."`
	Trace     standing.TraceCmd     `cmd:"" group:"traffic" help:"Where a statement was, since when, and what proves it."`
	Search    standing.SearchCmd    `cmd:"" group:"traffic" help:"Find statements by their words."`
	Glossary  standing.GlossaryCmd  `cmd:"" group:"traffic" help:"The terms of both sides beside each other."`

	Lookup   secrets.LookupCmd   `cmd:"" group:"traffic" help:"Ask whether a party knows an indicator, without telling which; answer without showing the list."`
	Disclose secrets.DiscloseCmd `cmd:"" group:"evidence" help:"Parts of a report that are shown apart, or not at all. No node is needed."`

	Case   cases.CaseCmd   `cmd:"" group:"cases" help:"Cases: open, follow, close, report."`
	Notice cases.NoticeCmd `cmd:"" group:"cases" help:"Planned activities: declare them, and hold what was observed against them."`
	Cease  cases.CeaseCmd  `cmd:"" group:"cases" help:"Ask the other side to stop something, or answer that."`
	Signal cases.SignalCmd `cmd:"" group:"cases" help:"Short signals with an appropriate response."`
	Ledger cases.LedgerCmd `cmd:"" group:"cases" help:"What was asked and answered, the same at every member."`

	Draft      treaty.DraftCmd      `cmd:"" group:"treaty" help:"Instruments in negotiation: positions, brackets, packages, files."`
	Powers     treaty.PowersCmd     `cmd:"" group:"treaty" help:"Full powers: who may initial, sign, consent."`
	Initial    treaty.InitialCmd    `cmd:"" group:"treaty" help:"Initial an agreed text."`
	Sign       treaty.SignCmd       `cmd:"" group:"treaty" help:"Sign an instrument."`
	Consent    treaty.ConsentCmd    `cmd:"" group:"treaty" help:"Express the consent to be bound: ratify, accept, approve, accede, notify."`
	Instrument treaty.InstrumentCmd `cmd:"" group:"treaty" help:"An instrument after its signature: status, corrections, suspension, termination."`

	Watch    duty.WatchCmd    `cmd:"" group:"floor" help:"What needs somebody now, in a terminal."`
	Take     duty.TakeCmd     `cmd:"" group:"floor" help:"Take what stands there: its alarm stops."`
	Roster   duty.RosterCmd   `cmd:"" group:"floor" help:"Who is on duty at which post, when."`
	Handover duty.HandoverCmd `cmd:"" group:"floor" help:"Hand the watch over, with what is open."`
	Log      duty.LogCmd      `cmd:"" group:"floor" help:"The watch log."`

	Check      standing.CheckCmd      `cmd:"" group:"floor" help:"Communication checks: what came of them, when they are, one now."`
	Directory  standing.DirectoryCmd  `cmd:"" group:"floor" help:"Points of contact."`
	Suspend    standing.SuspendCmd    `cmd:"" group:"floor" help:"Suspend a channel, or functions of it. Checks, accidents and response teams continue."`
	Resume     standing.ResumeCmd     `cmd:"" group:"floor" help:"Resume what this party has suspended."`
	Silence    standing.SilenceCmd    `cmd:"" group:"floor" help:"Why nothing is heard: by link, post and channel, on what evidence."`
	Statistics standing.StatisticsCmd `cmd:"" group:"floor" help:"What each post has sent, by precedence."`
	Officer    people.OfficerCmd      `cmd:"" group:"floor" help:"The officers of the party: who they are, and how they come in."`
	Release    people.ReleaseCmd      `cmd:"" group:"floor" help:"What waits for a second person."`

	Round talks.RoundCmd `cmd:"" group:"dialogue" help:"Consultations: rounds, agendas, minutes, actions, calendars."`
	Group talks.GroupCmd `cmd:"" group:"dialogue" help:"Groups of experts, and their sessions under the Chatham House rule."`

	Programme relations.Cmd `cmd:"" group:"dialogue" help:"The six measures between two parties on one page, as of any date."`

	Exercise exercises.Cmd `cmd:"" group:"floor" help:"Scenarios played on the plane EXERCISE, and their debrief."`

	Gateway cert.GatewayCmd `cmd:"" group:"cert" help:"The collections that the response team's own tools read and fill: TAXII."`
	Stix    cert.StixCmd    `cmd:"" group:"cert" help:"Objects of STIX 2.1, which the tools of response teams exchange."`

	Seal seals.SealCmd `cmd:"" group:"instruments" help:"Sealing rounds: all parties are bound at one stroke, or none is."`

	Act       register.ActCmd      `cmd:"" group:"instruments" help:"Acts about open instruments: state them, and see who is bound by them on any day."`
	Register  register.RegisterCmd `cmd:"" group:"instruments" help:"The open register: sign editions, write it for a web server."`
	Guarantee pledges.Cmd          `cmd:"" group:"instruments" help:"Guarantees of non-interference at work: protected processes, complaints."`
	Asset     assets.Cmd           `cmd:"" group:"instruments" help:"Protected assets: committed to without being shown, proved one by one."`

	Prove  proveCmd  `cmd:"" group:"evidence" help:"Write the proof file of a statement."`
	Verify verifyCmd `cmd:"" group:"evidence" help:"Verify proof files from files alone: no node, no network."`
	Feed   feedCmd   `cmd:"" group:"evidence" help:"The feeds that the node holds."`
	Alarm  alarmCmd  `cmd:"" group:"evidence" help:"What a person must know."`

	Audit   auditCmd   `cmd:"" group:"upkeep" help:"Verify everything that the node holds, from the bytes."`
	Recover recoverCmd `cmd:"" group:"upkeep" help:"Fetch from the peers what this node has lost."`
	Rebuild rebuildCmd `cmd:"" group:"upkeep" help:"Fold every dossier anew from the feeds."`

	Demo       demoCmd       `cmd:"" group:"program" help:"Three parties on this machine play a story."`
	Bench      benchCmd      `cmd:"" group:"program" help:"Measure this machine, and the nodes on it."`
	Version    versionCmd    `cmd:"" group:"program" help:"Which program this is."`
	Completion completionCmd `cmd:"" group:"program" help:"Completion for a shell."`
}

func groups() kong.Option {
	return kong.ExplicitGroups([]kong.Group{
		{Key: "party", Title: "The own party"}, {Key: "peers", Title: "Other parties"}, {Key: "traffic", Title: "Traffic"},
		{Key: "cases", Title: "Cases"},
		{Key: "treaty", Title: "Instruments"},
		{Key: "instruments", Title: "Agreements and pledges"},
		{Key: "dialogue", Title: "Consultations and groups"},
		{Key: "floor", Title: "The watch floor"},
		{Key: "cert", Title: "Response teams"},
		{Key: "evidence", Title: "Evidence"}, {Key: "upkeep", Title: "Upkeep"}, {Key: "program", Title: "The program"},
		{Key: "where", Title: "Which node, and what opens its keys:"},
	})
}

// Main runs one command and returns its exit code: 0 done; 1 refused, not verified, or faults found; 2 wrong use; 3 the node or the peer cannot
// be reached; 4 not found; 5 a person must do something first.
func Main(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	g := &grammar{}
	exited, code := false, 0
	parser, err := newParser(g, out, errs, func(c int) { exited, code = true, c })
	if err != nil {
		fmt.Fprintln(errs, "detente:", err)
		return session.ExitUse
	}
	if len(args) == 0 {
		fmt.Fprint(out, overview)
		return session.ExitDone
	}
	command, err := parser.Parse(args)
	if exited {
		return code // --help was printed
	}
	if err != nil {
		fmt.Fprintln(errs, "detente:", err)
		if p, ok := errors.AsType[*kong.ParseError](err); ok && p.Context.Selected() != nil {
			fmt.Fprintf(errs, "  see: %s --help\n", p.Context.Selected().FullPath())
		} else {
			fmt.Fprintln(errs, "  see: detente --help")
		}
		return session.ExitUse
	}
	s := &session.Session{Where: &g.Where, Ctx: ctx, In: in, Out: out, Err: errs, Version: version()}
	err = errors.Join(command.Run(s, parser.Model), s.Close())
	return s.Report(err)
}

func newParser(g *grammar, out, errs io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(g, kong.Name("detente"), kong.Description(about), kong.Writers(out, errs), kong.Exit(exit), groups(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110, NoExpandSubcommands: true}))
}

const about = "Signed statements between parties that do not trust each other: each runs its own node, nobody stands in the middle."

const overview = `Detente: signed statements between parties that do not trust each other.

To see it happen, between three parties on this machine:
  detente demo --once

To begin:
  detente init --party xn --name en=Northland --listen :7440 --address xn.example:7440
  detente serve                                      keep it running, in a terminal of its own or as a service

To meet another party:
  detente charter export                             give them the file
  detente charter import xs.charters                 take theirs
  detente charter confirm xs                         compare the words, by voice

To talk:
  detente channel propose nrrc --with xs --post nrrc
  detente send --channel nrrc --form check level=1
  detente inbox                                      what came in, what is due
  detente show ID     detente ack ID     detente answer ID finding=not-ours

To keep the watch:
  detente roster set nrrc nrrc.toml                  who is on duty, who is called next
  detente watch                                      what needs somebody now, with clocks running

To prove it to anybody:
  detente prove ID > proof
  detente verify proof xn.charters xs.charters

detente --help lists every command; each has --help with an example.
`
