package sim

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/archive"
	"detente/traffic"
)

// Script plays a scenario file: commands with the domain's verbs, a line ----, and what a person then sees, up to an empty line. After each
// block all invariants are checked.
type Script struct {
	World *World

	langs   map[traffic.Party]string
	channel [32]byte
	pouches map[string][]byte
}

// verb is a command of scenario files. What it writes is compared with the text expected.
type verb func(s *Script, args []string, out *strings.Builder) error

// errUsage is a command that is not one.
var errUsage = errors.New("sim: not a command")

func (s *Script) verb(name string) verb {
	switch name {
	case "parties":
		return (*Script).parties
	case "channel":
		return (*Script).open
	case "cut", "mend", "delay", "duplicate", "reorder", "corrupt", "lose":
		return func(s *Script, args []string, _ *strings.Builder) error { return s.weather(name, args) }
	case "clock":
		return (*Script).clock
	case "wait":
		return (*Script).wait
	case "crash", "restart", "burn", "backup", "restore":
		return func(s *Script, args []string, _ *strings.Builder) error { return s.disk(name, args) }
	case "send":
		return (*Script).send
	case "ack", "answer", "interim", "correction", "cancellation", "check-answer":
		return func(s *Script, args []string, out *strings.Builder) error { return s.reply(name, args, out) }
	case "pouch":
		return (*Script).pouch
	case "flashes":
		return (*Script).flashes
	case "unpack":
		return (*Script).unpack
	case "recover":
		return (*Script).recover
	case "rotate":
		return (*Script).rotate
	case "screen":
		return (*Script).screen
	case "show":
		return (*Script).show
	case "link":
		return (*Script).link
	case "feeds":
		return (*Script).feeds
	case "alarms":
		return (*Script).alarms
	case "state":
		return (*Script).state
	case "same":
		return (*Script).same
	case "prove":
		return (*Script).prove
	case "audit":
		return (*Script).audit
	}
	return nil
}

// Play runs one block of commands and returns what it shows. An error is one of the scenario, or a broken invariant: what a node refuses is
// shown like everything else.
func (s *Script) Play(commands []string) (string, error) {
	var out strings.Builder
	for _, line := range commands {
		words, err := split(line)
		if err != nil || len(words) == 0 {
			return "", fmt.Errorf("%w: %s", errUsage, line)
		}
		run := s.verb(words[0])
		if run == nil || s.World == nil && words[0] != "parties" {
			return "", fmt.Errorf("%w: %s", errUsage, line)
		}
		err = run(s, words[1:], &out)
		if errors.Is(err, errUsage) {
			return "", fmt.Errorf("%w: %s", err, line)
		}
		if err != nil {
			fmt.Fprintf(&out, "%s refused: %v\n", words[0], err)
		}
	}
	return out.String(), s.World.Check()
}

// Block is one step of a scenario file.
type Block struct {
	Comment  []string // the lines before the commands, with their #
	Commands []string
	Expected string
}

// ReadScript reads a scenario file.
func ReadScript(path string) ([]Block, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var blocks []Block
	for part := range strings.SplitSeq(strings.TrimSpace(string(raw)), "\n\n") {
		var b Block
		commands, expected, _ := strings.Cut(part+"\n", "----\n")
		for line := range strings.Lines(commands) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
				b.Comment = append(b.Comment, line)
			} else if line != "" {
				b.Commands = append(b.Commands, line)
			}
		}
		b.Expected = strings.TrimRight(expected, "\n")
		blocks = append(blocks, b)
	}
	return blocks, nil
}

// WriteScript writes a scenario file.
func WriteScript(path string, blocks []Block) error {
	var out strings.Builder
	for i, b := range blocks {
		if i > 0 {
			out.WriteString("\n")
		}
		for _, line := range slices.Concat(b.Comment, b.Commands) {
			out.WriteString(line + "\n")
		}
		if len(b.Commands) > 0 {
			out.WriteString("----\n")
		}
		if b.Expected != "" {
			out.WriteString(b.Expected + "\n")
		}
	}
	return os.WriteFile(path, []byte(out.String()), 0o666)
}

// split parts a line into words; what stands in double quotes is one.
func split(line string) ([]string, error) {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, err
			}
			text, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			words, line = append(words, text), line[len(quoted):]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		words, line = append(words, word), rest
	}
	return words, nil
}

// parties xn xs:ru xl:en:hidden [heartbeat=1h]: makes the world, and pairs everybody with everybody. A hidden party cannot be called.
func (s *Script) parties(args []string, _ *strings.Builder) error {
	heartbeat := 5 * time.Minute
	var ids []traffic.Party
	s.langs = make(map[traffic.Party]string)
	s.pouches = make(map[string][]byte)
	t := s.World.t
	for _, a := range args {
		if beat, ok := strings.CutPrefix(a, "heartbeat="); ok {
			var err error
			if heartbeat, err = time.ParseDuration(beat); err != nil {
				return errUsage
			}
			continue
		}
		part := strings.Split(a, ":")
		id, lang := traffic.Party(part[0]), "en"
		if len(part) > 1 {
			lang = part[1]
		}
		s.langs[id] = lang
		s.World.heartbeat = heartbeat
		s.World.Add(Found(t, id, lang, len(part) < 3))
		ids = append(ids, id)
	}
	for i, a := range ids {
		for _, b := range ids[:i] {
			s.World.Pair(b, a)
		}
	}
	s.World.settle()
	return nil
}

// channel nrrc xn xs: the first proposes, the others accept.
func (s *Script) open(args []string, _ *strings.Builder) error {
	if len(args) < 3 {
		return errUsage
	}
	var members []traffic.Party
	for _, a := range args[1:] {
		members = append(members, traffic.Party(a))
	}
	s.channel = s.World.Channel(args[0], members...)
	s.World.settle()
	return nil
}

// settle lets time pass until the next full quarter of an hour, so that what is shown does not depend on how long things took.
func (w *World) settle() {
	const quarter = 15 * time.Minute
	time.Sleep(quarter - time.Since(time.Unix(0, 0))%quarter)
}

// cut xs, cut xn xs, cut xn>xs: between a party and all others, two parties, or one way. The other faults are of the whole network.
func (s *Script) weather(kind string, args []string) error {
	net := s.World.Net
	if kind == "mend" {
		net.Mend()
		return nil
	}
	if kind == "cut" {
		return s.cut(args)
	}
	var f Fault
	var err error
	switch {
	case len(args) != 1:
		return errUsage
	case kind == "delay":
		f.Delay, err = time.ParseDuration(args[0])
	case kind == "reorder":
		f.Reorder, err = time.ParseDuration(args[0])
	case kind == "duplicate":
		f.Duplicate, err = strconv.ParseFloat(args[0], 64)
	case kind == "corrupt":
		f.Corrupt, err = strconv.ParseFloat(args[0], 64)
	case kind == "lose":
		f.LoseBack, err = strconv.ParseFloat(args[0], 64)
	}
	if err != nil {
		return errUsage
	}
	for _, a := range s.World.Parties() {
		for _, b := range s.World.Parties() {
			net.Set(a.ID, b.ID, f)
		}
	}
	return nil
}

func (s *Script) cut(args []string) error {
	if len(args) == 1 {
		if from, to, ok := strings.Cut(args[0], ">"); ok {
			s.World.Net.Set(traffic.Party(from), traffic.Party(to), Fault{Cut: true})
			return nil
		}
		for _, c := range s.World.Parties() {
			s.World.Net.Cut(traffic.Party(args[0]), c.ID)
		}
		return nil
	}
	if len(args) != 2 {
		return errUsage
	}
	s.World.Net.Cut(traffic.Party(args[0]), traffic.Party(args[1]))
	return nil
}

// clock xn +1h: how wrong the party's clock is.
func (s *Script) clock(args []string, _ *strings.Builder) error {
	if len(args) != 2 {
		return errUsage
	}
	by, err := time.ParseDuration(args[1])
	if err != nil {
		return errUsage
	}
	s.World.Capital(traffic.Party(args[0])).SetClock(by)
	return nil
}

// wait 90m
func (s *Script) wait(args []string, _ *strings.Builder) error {
	if len(args) != 1 {
		return errUsage
	}
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return errUsage
	}
	time.Sleep(d)
	return nil
}

// crash xs, restart xs, burn xs, backup xs monday, restore xs monday. Burn and restore are done to a node that is down.
func (s *Script) disk(kind string, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	c := s.World.Capital(traffic.Party(args[0]))
	name := "copy"
	if len(args) > 1 {
		name = args[1]
	}
	switch kind {
	case "crash":
		c.Crash()
	case "restart":
		return c.TryStart()
	case "burn":
		c.Burn()
	case "backup":
		c.Backup(name)
	case "restore":
		c.Restore(name)
	}
	return nil
}

// number is how people name a statement, such as XN/NRRC-Z-0001.
func number(from traffic.Address, f traffic.Feed, index int64) string {
	n := fmt.Sprintf("%s-%s-%04d", strings.ToUpper(from.String()), string(f.Precedence), index+1)
	if f.Plane != traffic.Real {
		n += "-" + strings.ToUpper(string(f.Plane))
	}
	if f.Epoch > 0 {
		n += "-E" + strconv.Itoa(f.Epoch)
	}
	return n
}

var numbered = regexp.MustCompile(`^([A-Z0-9-]+/[A-Z0-9]+)-([ZOPR])-(\d{4})(?:-(EXERCISE|TEST))?(?:-E(\d+))?$`)

// find gives the statement of a number, as a party's node holds it.
func (s *Script) find(at traffic.Party, ref string) (archive.Held, error) {
	m := numbered.FindStringSubmatch(ref)
	if m == nil {
		return archive.Held{}, errUsage
	}
	from, err := traffic.ParseAddress(strings.ToLower(m[1]))
	if err != nil {
		return archive.Held{}, errUsage
	}
	index, _ := strconv.ParseInt(m[3], 10, 64)
	epoch, _ := strconv.Atoi(m[5])
	plane := traffic.Plane(cmp.Or(strings.ToLower(m[4]), string(traffic.Real)))
	c := s.World.Capital(at)
	held, err := c.Node().List(s.World.t.Context(), 1, func(h archive.Held) bool {
		f := h.Feed
		return f.Channel == s.channel && f.Party == from.Party && f.Plane == plane && f.Epoch == epoch &&
			f.Precedence == traffic.Precedence(m[2]) && h.Index == index-1
	})
	if err == nil && len(held) == 0 {
		err = fmt.Errorf("%s does not hold %s", at, ref)
	}
	if err != nil {
		return archive.Held{}, err
	}
	return held[0], nil
}
