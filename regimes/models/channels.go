package models

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"detente/traffic"
)

// Effects is the id of the provision, in the annex of an instrument, that says for machines which channels come into being with it. It says the same in every
// language. The charters in the manifest are made of it, and pin the regimes.
const Effects = "effects"

// Channel is a channel that comes into being with an instrument.
type Channel struct {
	Name    string
	Regime  string // its id
	Version int
	Posts   []traffic.Post // that may speak; empty for all
}

// maxChannels is how many channels one instrument brings.
const maxChannels = 8

var regimePattern = regexp.MustCompile(`^([a-z][a-z0-9-]{0,31})/([1-9][0-9]{0,5})$`)

// Channels reads the provision [Effects]: for each channel the lines "channel: NAME", "regime: ID/VERSION" and, where only some may speak, "posts: POST POST…",
// with an empty line between two channels. Error: ErrModel.
func Channels(text string) ([]Channel, error) {
	var out []Channel
	bad := func(line string) ([]Channel, error) {
		return nil, fmt.Errorf("%w: effects: %.100q", ErrModel, line)
	}
	for block := range strings.SplitSeq(text, "\n\n") {
		if len(out) == maxChannels {
			return bad("too many channels")
		}
		var c Channel
		said := map[string]bool{}
		for line := range strings.SplitSeq(block, "\n") {
			key, value, ok := strings.Cut(line, ": ")
			if !ok || said[key] {
				return bad(line)
			}
			said[key] = true
			switch key {
			case "channel":
				if c.Name = value; !modelPattern.MatchString(value) {
					return bad(line)
				}
			case "regime":
				m := regimePattern.FindStringSubmatch(value)
				if m == nil {
					return bad(line)
				}
				c.Regime = m[1]
				c.Version, _ = strconv.Atoi(m[2]) // six digits at most
			case "posts":
				for post := range strings.SplitSeq(value, " ") {
					if !traffic.Post(post).Valid() || len(c.Posts) == 64 {
						return bad(line)
					}
					c.Posts = append(c.Posts, traffic.Post(post))
				}
			default:
				return bad(line)
			}
		}
		if c.Name == "" || c.Regime == "" {
			return bad(block)
		}
		out = append(out, c)
	}
	return out, nil
}

// Channels are those that come into being with the instrument; none where it does not say.
func (m *Model) Channels() ([]Channel, error) {
	c, ok := m.Clause(Effects)
	if !ok {
		return nil, nil
	}
	for _, text := range c.Texts {
		if text != c.Texts[m.Languages[0]] {
			return nil, fmt.Errorf("%w: %s: the effects differ between the languages", ErrModel, m.Name())
		}
	}
	return Channels(c.Texts[m.Languages[0]])
}
