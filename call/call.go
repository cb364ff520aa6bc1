// Package call is the ways of reaching a person who is not before the console: mail, a webhook, a command.
// It must never carry what a statement says: a call tells that somebody is needed, for what, until when, and where to look.
package call

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ErrCall says that a call was not placed; the text says why.
var ErrCall = errors.New("call: not placed")

// ErrRefused says that whatever was to pass the call on has answered that it does not.
var ErrRefused = errors.New("it was refused")

// ErrUnset says that a node has no such way of calling people.
var ErrUnset = errors.New("there is no such means")

// Limit is how long placing a call may take.
const Limit = 10 * time.Second

// Call is one call to one person. It goes as JSON to webhooks and commands.
type Call struct {
	ID         string    `json:"id"` // the same however often it is placed
	Officer    string    `json:"officer"`
	Role       string    `json:"role"` // duty role in which he is called
	Address    string    `json:"-"`    // of the means: a mail address, or that of a webhook
	Language   string    `json:"language"`
	Kind       string    `json:"kind"` // what is asked for: acknowledge, answer, missed…
	Post       string    `json:"post"`
	Plane      string    `json:"plane"`
	Precedence string    `json:"precedence"` // FLASH, IMMEDIATE, PRIORITY or ROUTINE
	Number     string    `json:"number,omitempty"`
	Title      string    `json:"title"` // in the officer's language
	Due        time.Time `json:"due,omitzero"`
	More       int       `json:"more,omitempty"`    // other things that need him
	Console    string    `json:"console,omitempty"` // address to look at
}

// subject is the call in one line: what a lock screen shows.
func (c *Call) subject() string {
	words := []string{c.Precedence}
	if c.Plane != "" && c.Plane != "real" {
		words = append([]string{strings.ToUpper(c.Plane)}, words...)
	}
	for _, w := range []string{c.Post, c.Number} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// text is the call for a reader.
func (c *Call) text() string {
	var b strings.Builder
	b.WriteString(c.Title + "\n\n" + c.subject() + "\n")
	if !c.Due.IsZero() {
		b.WriteString("→ " + c.Due.UTC().Format("2006-01-02 15:04") + " UTC\n")
	}
	if c.More > 0 {
		b.WriteString("+" + strconv.Itoa(c.More) + "\n")
	}
	if c.Console != "" {
		b.WriteString("\n" + c.Console + "\n")
	}
	return b.String()
}
