// Package exercise plays scenarios on the plane EXERCISE, and says afterwards what was answered, how fast, and what was missed.
// It must never touch another plane, nor judge a person: a debrief names posts, times and statements.
package exercise

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"detente/traffic"

	"github.com/BurntSushi/toml"
)

// ErrScenario is returned for a file that is no scenario; what it wraps says where.
var ErrScenario = errors.New("exercise: not a scenario")

// The bounds of a scenario.
const (
	MaxFile    = 1 << 20
	maxInjects = 200
	maxLength  = 30 * 24 * time.Hour
)

// Scenario is what is played: injects with their times, and what is expected then.
type Scenario struct {
	ID     string // of the file: a-z, 0-9 and -
	Title  map[string]string
	Brief  map[string]string
	Roles  []string // the sides, such as alpha and bravo; who plays each is said when it is run
	Inject []Inject
	Expect []Expectation
	Hash   [32]byte // of the file: both sides compare it before they begin
}

// Inject is something that happens: a message to the officers of a side, or a statement that the machine makes in its name.
type Inject struct {
	ID    string
	At    time.Duration     // after the beginning
	To    string            // who learns of it: role/post
	Brief map[string]string // what the officers are told, by language

	// The rest is of a statement.
	By         string // role/post that makes it; empty for a message to officers
	Channel    string // its name, the same on both sides
	Precedence string
	Form       string
	About      string // the inject whose case it belongs to; empty for a new case
	Fields     map[string]string
}

// Says tells whether the inject is a statement.
func (i *Inject) Says() bool { return i.Form != "" }

// Expectation is what a side is expected to do after an inject. That it was not done is no failing by itself: the debrief is for talking about it.
type Expectation struct {
	ID     string
	By     string            // role/post
	After  string            // the inject
	Form   []string          // any of these
	Within time.Duration     // of the inject
	What   map[string]string // by language
}

type file struct {
	ID     string            `toml:"id"`
	Title  map[string]string `toml:"title"`
	Brief  map[string]string `toml:"brief"`
	Roles  []string          `toml:"roles"`
	Inject []fileInject      `toml:"inject"`
	Expect []fileExpect      `toml:"expect"`
}

type fileInject struct {
	ID         string            `toml:"id"`
	At         string            `toml:"at"`
	To         string            `toml:"to"`
	Brief      map[string]string `toml:"brief"`
	By         string            `toml:"by"`
	Channel    string            `toml:"channel"`
	Precedence string            `toml:"precedence"`
	Form       string            `toml:"form"`
	About      string            `toml:"about"`
	Fields     map[string]string `toml:"fields"`
}

type fileExpect struct {
	ID     string            `toml:"id"`
	By     string            `toml:"by"`
	After  string            `toml:"after"`
	Form   []string          `toml:"form"`
	Within string            `toml:"within"`
	What   map[string]string `toml:"what"`
}

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,47}$`)

// Parse reads a scenario strictly: a key that is not known is an error, since what is half read is half played. Error: ErrScenario.
func Parse(b []byte) (*Scenario, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes", ErrScenario, len(b))
	}
	var f file
	meta, err := toml.Decode(string(b), &f)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScenario, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%w: it knows no %s", ErrScenario, unknown[0])
	}
	s := &Scenario{ID: f.ID, Title: f.Title, Brief: f.Brief, Roles: f.Roles, Hash: sha256.Sum256(b)}
	if !idPattern.MatchString(f.ID) || len(f.Roles) < 2 || len(f.Inject) == 0 || len(f.Inject) > maxInjects || len(f.Expect) > maxInjects || f.Title["en"] == "" {
		return nil, fmt.Errorf("%w: it has an id, a title in English, two roles and injects", ErrScenario)
	}
	for i, r := range f.Roles {
		if !idPattern.MatchString(r) || slices.Contains(f.Roles[:i], r) {
			return nil, fmt.Errorf("%w: role %.40q", ErrScenario, r)
		}
	}
	for _, x := range f.Inject {
		if err := s.inject(x); err != nil {
			return nil, fmt.Errorf("%w: inject %.40q: %w", ErrScenario, x.ID, err)
		}
	}
	for _, x := range f.Expect {
		if err := s.expect(x); err != nil {
			return nil, fmt.Errorf("%w: expectation %.40q: %w", ErrScenario, x.ID, err)
		}
	}
	return s, nil
}

func (s *Scenario) inject(x fileInject) error {
	at, err := period(x.At)
	switch {
	case err != nil:
		return err
	case !idPattern.MatchString(x.ID) || s.find(x.ID) != nil:
		return errors.New("its id is none, or there twice")
	case len(s.Inject) > 0 && at < s.Inject[len(s.Inject)-1].At:
		return errors.New("it stands after a later one")
	case !s.place(x.To):
		return fmt.Errorf("%.40q is no role and post", x.To)
	case x.Form == "" && (x.Brief["en"] == "" || x.By != "" || x.Channel != "" || x.About != "" || len(x.Fields) > 0):
		return errors.New("a message to officers has a brief in English, and nothing of a statement")
	case x.Form != "" && (!s.place(x.By) || x.Channel == ""):
		return errors.New("a statement has a role and post by which it is made, and a channel")
	}
	if x.About != "" {
		if about := s.find(x.About); about == nil || !about.Says() {
			return fmt.Errorf("%.40q is no statement before it", x.About)
		}
	}
	if x.Precedence == "" {
		x.Precedence = "R"
	}
	if _, err := traffic.ParsePrecedence(x.Precedence); err != nil {
		return err
	}
	s.Inject = append(s.Inject, Inject{x.ID, at, x.To, x.Brief, x.By, x.Channel, x.Precedence, x.Form, x.About, x.Fields})
	return nil
}

func (s *Scenario) expect(x fileExpect) error {
	within, err := period(x.Within)
	switch {
	case err != nil || within == 0:
		return fmt.Errorf("%.40q is no time", x.Within)
	case !idPattern.MatchString(x.ID) || slices.ContainsFunc(s.Expect, func(e Expectation) bool { return e.ID == x.ID }):
		return errors.New("its id is none, or there twice")
	case !s.place(x.By):
		return fmt.Errorf("%.40q is no role and post", x.By)
	case s.find(x.After) == nil:
		return fmt.Errorf("%.40q is no inject", x.After)
	case len(x.Form) == 0 || len(x.Form) > 16 || x.What["en"] == "":
		return errors.New("it has forms, and says in English what is expected")
	}
	s.Expect = append(s.Expect, Expectation{x.ID, x.By, x.After, x.Form, within, x.What})
	return nil
}

func (s *Scenario) find(id string) *Inject {
	for i := range s.Inject {
		if s.Inject[i].ID == id {
			return &s.Inject[i]
		}
	}
	return nil
}

// place tells whether an address is a role and a post.
func (s *Scenario) place(address string) bool {
	role, post, ok := strings.Cut(address, "/")
	return ok && slices.Contains(s.Roles, role) && traffic.Post(post).Valid()
}

// period reads a time such as 90m or 2h.
func period(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxLength {
		return 0, fmt.Errorf("%.40q is no time within 30 days", text)
	}
	return d, nil
}

// Length is how long the scenario takes: until the last thing that is expected.
func (s *Scenario) Length() (d time.Duration) {
	for _, i := range s.Inject {
		d = max(d, i.At)
	}
	for _, e := range s.Expect {
		d = max(d, s.find(e.After).At+e.Within)
	}
	return d
}

//go:embed scenarios
var scenarios embed.FS

// Shipped lists the scenarios that the program has with it, by id.
func Shipped() ([]string, error) {
	entries, err := fs.ReadDir(scenarios, "scenarios")
	if err != nil {
		return nil, fmt.Errorf("exercise: %w", err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".toml"))
	}
	return out, nil
}

// Named is the file of a scenario that the program has with it; false for none.
func Named(id string) ([]byte, bool) {
	if !idPattern.MatchString(id) {
		return nil, false
	}
	b, err := scenarios.ReadFile("scenarios/" + id + ".toml")
	return b, err == nil
}
