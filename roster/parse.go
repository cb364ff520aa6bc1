package roster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the zones, for a machine that has none

	"detente/traffic"

	"github.com/BurntSushi/toml"
)

// ErrRoster says that a text is no roster. The error says in which line, and what to write there.
var ErrRoster = errors.New("roster: not right")

// What a text may ask for.
const (
	maxText     = 16000
	maxShifts   = 16
	maxRotas    = 64
	maxOfficers = 64
	maxHolidays = 400
	firstYear   = 2000
	lastYear    = 2200
)

// text is a roster as it is written; docs/operate.md, section The watch.
type text struct {
	Post    string        `toml:"post"`
	Covers  []string      `toml:"covers"`
	Zone    string        `toml:"zone"`
	Always  *bool         `toml:"around_clock"`
	Duty    string        `toml:"duty-officer"`
	Deputy  string        `toml:"deputy"`
	Head    string        `toml:"head-of-post"`
	Senior  string        `toml:"senior-official"`
	Shift   []textShift   `toml:"shift"`
	Rota    []textRota    `toml:"rota"`
	Holiday []textHoliday `toml:"holiday"`
}

type textShift struct {
	Name   string   `toml:"name"`
	Start  string   `toml:"start"`
	Length string   `toml:"length"`
	Days   []string `toml:"days"`
}

type textRota struct {
	Role     string    `toml:"role"`
	Shift    string    `toml:"shift"`
	Start    time.Time `toml:"start"`
	Every    string    `toml:"every"`
	Officers []string  `toml:"officers"`
}

type textHoliday struct {
	Day    time.Time `toml:"day"`
	Name   string    `toml:"name"`
	Shift  string    `toml:"shift"`
	Closed bool      `toml:"closed"`
	Duty   string    `toml:"duty-officer"`
	Deputy string    `toml:"deputy"`
	Head   string    `toml:"head-of-post"`
	Senior string    `toml:"senior-official"`
}

// Parse reads a roster strictly: a key that is not known is an error, and so is a shift that overlaps another, or a minute without a shift at a
// post that is manned around the clock. Error: ErrRoster.
func Parse(s string) (*Roster, error) {
	if len(s) > maxText {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrRoster, len(s), maxText)
	}
	var t text
	meta, err := toml.Decode(s, &t)
	if bad, ok := errors.AsType[toml.ParseError](err); ok {
		return nil, fmt.Errorf("%w: line %d: %s", ErrRoster, bad.Position.Line, bad.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrRoster, strings.TrimPrefix(err.Error(), "toml: "))
	}
	p := parser{lines: strings.Split(s, "\n")}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		key := unknown[0]
		return nil, p.fault(p.line("", -1, key[len(key)-1]), "there is no key %s; see docs/operate.md, section The watch", key)
	}
	return p.roster(&t)
}

// parser knows where in the text things stand, for the errors.
type parser struct{ lines []string }

func (p *parser) fault(line int, format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %s", ErrRoster, line, fmt.Sprintf(format, args...))
}

// line finds the line of a key in the n-th table of a name, in the part before all tables where the name is empty, or anywhere where n is below 0.
// A key that is not there has the line of its table.
func (p *parser) line(table string, n int, key string) int {
	at, inside := 1, table == "" || n < 0
	for i, l := range p.lines {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[") && n >= 0 {
			if table == "" || inside {
				return at
			}
			if strings.HasPrefix(l, "[["+table+"]]") {
				if n == 0 {
					at, inside = i+1, true
				}
				n = max(0, n-1)
			}
			continue
		}
		if name, _, is := strings.Cut(l, "="); inside && is && strings.Trim(strings.TrimSpace(name), `"'`) == key {
			return i + 1
		}
	}
	return at
}

var (
	clockPattern   = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	zonePattern    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$`)
	officerPattern = regexp.MustCompile(`^[a-z0-9-]{2,32}$`)
)

func (p *parser) roster(t *text) (*Roster, error) {
	r := &Roster{Post: traffic.Post(t.Post), Always: t.Always == nil || *t.Always, standing: make(map[Role]string)}
	if !r.Post.Valid() {
		return nil, p.fault(p.line("", 0, "post"), "post %q: write the post whose roster this is, such as post = \"nrrc\"", t.Post)
	}
	for _, c := range t.Covers {
		if post := traffic.Post(c); !post.Valid() || post == r.Post || slices.Contains(r.Covers, post) {
			return nil, p.fault(p.line("", 0, "covers"), "covers %q: write other posts, each once", c)
		}
		r.Covers = append(r.Covers, traffic.Post(c))
	}
	var err error
	if r.Zone, err = time.LoadLocation(t.Zone); err != nil || !zonePattern.MatchString(t.Zone) || t.Zone == "Local" {
		return nil, p.fault(p.line("", 0, "zone"), "zone %q: write a time zone such as zone = \"Europe/Vienna\", or \"UTC\"", t.Zone)
	}
	if err := p.officers(r.standing, "", 0, t.Duty, t.Deputy, t.Head, t.Senior); err != nil {
		return nil, err
	}
	if len(t.Shift) > maxShifts || len(t.Rota) > maxRotas || len(t.Holiday) > maxHolidays {
		return nil, p.fault(1, "at most %d shifts, %d rotas and %d holidays", maxShifts, maxRotas, maxHolidays)
	}
	for i := range t.Shift {
		if err := p.shift(r, &t.Shift[i], i); err != nil {
			return nil, err
		}
	}
	if err := p.cover(r); err != nil {
		return nil, err
	}
	for i := range t.Rota {
		if err := p.rota(r, &t.Rota[i], i); err != nil {
			return nil, err
		}
	}
	for i := range t.Holiday {
		if err := p.holiday(r, &t.Holiday[i], i); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// officers puts those who are named into their roles.
func (p *parser) officers(into map[Role]string, table string, n int, names ...string) error {
	for i, role := range Roles() {
		switch {
		case names[i] == "":
		case !officerPattern.MatchString(names[i]):
			return p.fault(p.line(table, n, string(role)), "%s %q: write the officer's id, 2 to 32 of a-z, 0-9 and -", role, names[i])
		default:
			into[role] = names[i]
		}
	}
	return nil
}

func (p *parser) shift(r *Roster, t *textShift, i int) error {
	at := func(key string) int { return p.line("shift", i, key) }
	s := shift{name: t.Name}
	if !officerPattern.MatchString(t.Name) {
		return p.fault(at("name"), "name %q of a shift: 2 to 32 of a-z, 0-9 and -, such as name = \"day\"", t.Name)
	}
	if slices.ContainsFunc(r.shifts, func(o shift) bool { return o.name == t.Name }) {
		return p.fault(at("name"), "there are two shifts %q: give each a name of its own", t.Name)
	}
	if !clockPattern.MatchString(t.Start) {
		return p.fault(at("start"), "start %q: write the local time at which the shift begins, such as start = \"08:00\"", t.Start)
	}
	clock, err := time.Parse("15:04", t.Start)
	if err != nil {
		return p.fault(at("start"), "start %q: %v", t.Start, err)
	}
	s.start = time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute
	if s.length, err = time.ParseDuration(t.Length); err != nil || s.length < time.Hour || s.length > 24*time.Hour || s.length%time.Minute != 0 {
		return p.fault(at("length"), "length %q: write from one hour to a day, such as length = \"8h\" or \"12h30m\"", t.Length)
	}
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	for _, d := range t.Days {
		weekday := slices.Index(names, d)
		if weekday < 0 {
			return p.fault(at("days"), "day %q: write some of mon, tue, wed, thu, fri, sat, sun", d)
		}
		s.days[weekday] = true
	}
	if t.Days == nil {
		s.days = [7]bool{true, true, true, true, true, true, true}
	}
	r.shifts = append(r.shifts, s)
	return nil
}

// cover refuses shifts that overlap, since two would then be the duty officer, and minutes of the week without a shift at a post that is manned
// around the clock.
func (p *parser) cover(r *Roster) error {
	const week = 7 * 24 * 60
	var by [week]int8 // which shift has each minute, from 1
	for i, s := range r.shifts {
		for weekday, on := range s.days {
			for m := 0; on && m < int(s.length/time.Minute); m++ {
				minute := (weekday*24*60 + int(s.start/time.Minute) + m) % week
				if other := by[minute]; other != 0 {
					return p.fault(p.line("shift", i, "start"), "shift %q overlaps shift %q: let one begin when the other ends", s.name, r.shifts[other-1].name)
				}
				by[minute] = int8(i + 1)
			}
		}
	}
	if !r.Always || len(r.shifts) == 0 {
		return nil
	}
	if m := slices.Index(by[:], 0); m >= 0 {
		return p.fault(p.line("shift", 0, "start"), "no shift covers %s %02d:%02d: lengthen a shift or add one, or write around_clock = false at the top",
			time.Weekday(m/(24*60)), m/60%24, m%60)
	}
	return nil
}

func (p *parser) rota(r *Roster, t *textRota, i int) error {
	at := func(key string) int { return p.line("rota", i, key) }
	o := rota{role: Role(t.Role), shift: t.Shift, officers: t.Officers}
	if t.Role == "" {
		o.role = DutyOfficer
	}
	if !slices.Contains(Roles(), o.role) {
		return p.fault(at("role"), "role %q: write one of duty-officer, deputy, head-of-post, senior-official", t.Role)
	}
	if err := p.named(r, t.Shift, at("shift")); err != nil {
		return err
	}
	var err error
	if o.start, err = p.day(t.Start, at("start"), "start"); err != nil {
		return err
	}
	if slices.ContainsFunc(r.rotas, func(other rota) bool {
		return other.role == o.role && other.start == o.start && (other.shift == "" || o.shift == "" || other.shift == o.shift)
	}) {
		return p.fault(at("role"), "two rotas of %s for the same shift begin on one day: keep one; a later start takes over from an earlier one", o.role)
	}
	switch t.Every {
	case "", "day":
		o.every = 1
	case "week":
		o.every = 7
	default:
		return p.fault(at("every"), "every %q: write how long each officer stays, \"day\" or \"week\"", t.Every)
	}
	if len(t.Officers) == 0 || len(t.Officers) > maxOfficers {
		return p.fault(at("officers"), "write those who take turns, such as officers = [\"anna\", \"boris\"], at most %d", maxOfficers)
	}
	for _, officer := range t.Officers {
		if !officerPattern.MatchString(officer) {
			return p.fault(at("officers"), "officer %q: write the officer's id, 2 to 32 of a-z, 0-9 and -", officer)
		}
	}
	r.rotas = append(r.rotas, o)
	slices.SortStableFunc(r.rotas, func(a, b rota) int { return int(a.start - b.start) }) // a later one takes over
	return nil
}

func (p *parser) holiday(r *Roster, t *textHoliday, i int) error {
	at := func(key string) int { return p.line("holiday", i, key) }
	h := holiday{shift: t.Shift, closed: t.Closed, officers: make(map[Role]string)}
	var err error
	if h.day, err = p.day(t.Day, at("day"), "day"); err != nil {
		return err
	}
	if err := p.named(r, t.Shift, at("shift")); err != nil {
		return err
	}
	if err := p.officers(h.officers, "holiday", i, t.Duty, t.Deputy, t.Head, t.Senior); err != nil {
		return err
	}
	if h.closed == (len(h.officers) > 0) {
		return p.fault(at("closed"), "a holiday names who is on duty, or has closed = true: one of the two")
	}
	if len(t.Name) > 200 {
		return p.fault(at("name"), "the name of a holiday has at most 200 bytes")
	}
	r.holidays = append(r.holidays, h)
	return nil
}

func (p *parser) named(r *Roster, name string, line int) error {
	if name != "" && !slices.ContainsFunc(r.shifts, func(s shift) bool { return s.name == name }) {
		return p.fault(line, "there is no shift %q: write the name of a [[shift]], or leave it out for all", name)
	}
	return nil
}

func (p *parser) day(t time.Time, line int, key string) (day, error) {
	if y := t.Year(); y < firstYear || y > lastYear || t.Hour() != 0 || t.Minute() != 0 || t.Second() != 0 || t.Nanosecond() != 0 {
		return 0, p.fault(line, "write a date, such as %s = 2026-11-23", key)
	}
	return dayOf(t.Date()), nil
}
