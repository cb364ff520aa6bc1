// Package check is the communication check: when links are checked, with what, what came of it, and the picture of a year of it.
// It must never read a clock nor keep a secret: who calls it says what time it is, and gives the secret that random checks are drawn with.
package check

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"detente/traffic"

	"github.com/BurntSushi/toml"
)

// ErrPlan is returned for a plan that is not right; what it wraps says where.
var ErrPlan = errors.New("check: not a plan of checks")

// The levels of a check, protocol.md#checks.
const (
	Terminal  = 1 // the machine answers
	Officer   = 2 // the duty officer answers a fresh question in his own words
	Authority = 3 // a task that needs another authority
	Scenario  = 4 // an exercise
)

// The occasions of a check, as the form has them.
const (
	Scheduled = "scheduled"
	Shift     = "shift"
	Random    = "random"
	Demand    = "demand"
)

// Plan is when the links are checked.
type Plan struct {
	// Quiet is how long before and after a hand-over, on either side, no check is sent.
	Quiet time.Duration
	Lines []Line
}

// Line is the checks of one channel with one peer. Both sides may have one: each proves the other's watch.
type Line struct {
	Channel   string // name, as the party calls it
	Peer      traffic.Party
	Post      traffic.Post // own post that asks; empty for the only one that may
	To        traffic.Post // post of the peer; empty for the party
	Plane     traffic.Plane
	Terminal  time.Duration // between two checks of level 1; 0 for none
	Shift     bool          // one of level 2 in each shift
	PerWeek   int           // random ones in a week
	RandLevel int
}

// The bounds of a plan: what is denser is no check but a load, and wears people out.
const (
	MaxPlan     = 16000
	maxLines    = 64
	maxQuiet    = 2 * time.Hour
	minTerminal = 5 * time.Minute
	maxTerminal = 7 * 24 * time.Hour
	maxPerWeek  = 14
)

type filePlan struct {
	Quiet string     `toml:"quiet"`
	Check []fileLine `toml:"check"`
}

type fileLine struct {
	Channel  string      `toml:"channel"`
	Peer     string      `toml:"peer"`
	Post     string      `toml:"post"`
	To       string      `toml:"to"`
	Plane    string      `toml:"plane"`
	Terminal string      `toml:"terminal"`
	Shift    bool        `toml:"shift"`
	Random   *fileRandom `toml:"random"`
}

type fileRandom struct {
	PerWeek int `toml:"per_week"`
	Level   int `toml:"level"`
}

// Example is a plan as a person writes it, docs/operate.md#checks.
const Example = `# No check is sent so long before and after a hand-over, on either side.
quiet = "20m"

[[check]]
channel = "nrrc"
peer = "xs"
terminal = "1h"                       # level 1: the terminal answers
shift = true                          # level 2: the duty officer answers, once in each shift
random = { per_week = 2, level = 2 }  # when, nobody is told beforehand
`

// Parse reads a plan strictly: a key that is not known is an error, since a plan that is half read checks half. An empty text is the plan that
// checks nothing. Error: ErrPlan.
func Parse(text string) (*Plan, error) {
	if len(text) > MaxPlan {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrPlan, len(text), MaxPlan)
	}
	var f filePlan
	meta, err := toml.Decode(text, &f)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrPlan, strings.TrimPrefix(err.Error(), "toml: "))
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%w: %q is no key of it", ErrPlan, unknown[0].String())
	}
	p := &Plan{Quiet: 20 * time.Minute}
	if f.Quiet != "" {
		if p.Quiet, err = time.ParseDuration(f.Quiet); err != nil || p.Quiet < 0 || p.Quiet > maxQuiet {
			return nil, fmt.Errorf("%w: quiet is 0 to 2h, such as 20m", ErrPlan)
		}
	}
	if len(f.Check) > maxLines {
		return nil, fmt.Errorf("%w: %d entries, at most %d", ErrPlan, len(f.Check), maxLines)
	}
	for i, fl := range f.Check {
		l, err := fl.line()
		if err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrPlan, i+1, err)
		}
		if slices.ContainsFunc(p.Lines, func(other Line) bool { return other.key() == l.key() }) {
			return nil, fmt.Errorf("%w: entry %d: %s with %s is there twice", ErrPlan, i+1, l.Channel, l.Peer)
		}
		p.Lines = append(p.Lines, l)
	}
	return p, nil
}

func (f *fileLine) line() (l Line, err error) {
	l = Line{
		Channel: f.Channel, Peer: traffic.Party(f.Peer), Post: traffic.Post(f.Post), To: traffic.Post(f.To), Plane: traffic.Plane(f.Plane), Shift: f.Shift,
	}
	if l.Plane == "" {
		l.Plane = traffic.Real
	}
	switch {
	case l.Channel == "" || len(l.Channel) > 128:
		return l, errors.New("channel is missing")
	case !l.Peer.Valid():
		return l, errors.New("peer is missing, or no party")
	case l.Post != "" && !l.Post.Valid(), l.To != "" && !l.To.Valid():
		return l, errors.New("post and to are posts, such as nrrc")
	case !l.Plane.Valid():
		return l, errors.New("plane is real, exercise or test")
	}
	if f.Terminal != "" {
		if l.Terminal, err = time.ParseDuration(f.Terminal); err != nil || l.Terminal < minTerminal || l.Terminal > maxTerminal {
			return l, errors.New("terminal is 5m to 168h, such as 1h")
		}
	}
	if r := f.Random; r != nil {
		if r.Level == 0 {
			r.Level = Officer
		}
		if r.PerWeek < 1 || r.PerWeek > maxPerWeek || r.Level < Terminal || r.Level > Officer {
			return l, errors.New("random has per_week 1 to 14, and level 1 or 2: what needs an authority, a person asks")
		}
		l.PerWeek, l.RandLevel = r.PerWeek, r.Level
	}
	if l.Terminal == 0 && !l.Shift && l.PerWeek == 0 {
		return l, errors.New("it checks nothing: give terminal, shift or random")
	}
	return l, nil
}

// key is what a line is about. A line is known by it over restarts and over changes of the plan.
func (l *Line) key() string {
	return strings.Join([]string{l.Channel, string(l.Peer), string(l.Plane), string(l.Post), string(l.To)}, "\x00")
}

var clockTime = regexp.MustCompile(`^([01]\d|2[0-3]):?([0-5]\d)Z?$`)

// ParseHandovers reads the hand-overs of a day, in UTC, as a directory contact states them: "06:00 14:00 22:00". They are a stranger's words: what
// is not understood is left out.
func ParseHandovers(s string) []time.Duration {
	var out []time.Duration
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '/' }) {
		m := clockTime.FindStringSubmatch(word)
		if m == nil {
			continue
		}
		at := time.Duration(10*(m[1][0]-'0')+m[1][1]-'0')*time.Hour + time.Duration(10*(m[2][0]-'0')+m[2][1]-'0')*time.Minute
		if !slices.Contains(out, at) && len(out) < 24 {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out
}

// Daily gives the moments of daily hand-overs from one day before a time to two days after it, in their order.
func Daily(daily []time.Duration, around time.Time) []time.Time {
	var out []time.Time
	day := around.UTC().Truncate(24 * time.Hour)
	for d := -1; d <= 2; d++ {
		for _, at := range daily {
			out = append(out, day.AddDate(0, 0, d).Add(at))
		}
	}
	return out
}
