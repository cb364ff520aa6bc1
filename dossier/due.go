package dossier

import (
	"time"

	"detente/form"
)

// This file alone says when a reply is due, protocol.md#due: the board, the ladder, the screens and the classification of silence ask here.

// Fields by which statements say when a reply is due.
const (
	fieldReplyBy   = "reply_by"     // of what asks: by when its author needs the answer
	fieldExtended  = "extension_to" // of an interim reply: until when its author needs
	fieldExpected  = "expected"     // likewise, where the status is an extension
	fieldStatus    = "status"
	extensionState = "extension"
)

// AcknowledgeBy is when a statement of the form f is to be acknowledged that its addressee held at a time; zero where the form asks for none. What
// has not come cannot be late.
func (e *Entry) AcknowledgeBy(f *form.Form, held time.Time) time.Time {
	if limit := f.AcknowledgeWithin(e.Statement.Precedence); limit > 0 && !held.IsZero() {
		return held.Add(limit)
	}
	return time.Time{}
}

// AnswerBy is when a statement of the form f is to be answered that its addressee held at a time; zero where the form asks for no answer. That is within
// the time that the regime gives; sooner, if the statement says so and had come before; later, by an interim reply that asks for an extension, by at most
// as much again as the regime gives.
func (e *Entry) AnswerBy(f *form.Form, held time.Time) time.Time {
	limit := f.AnswerWithin(e.Statement.Precedence)
	if limit == 0 || held.IsZero() {
		return time.Time{}
	}
	due := held.Add(limit)
	if e.ReplyBy.After(held) && e.ReplyBy.Before(due) { // what came too late for it has the time that the regime gives
		due = e.ReplyBy
	}
	if e.ExtendedTo.After(due) {
		due = e.ExtendedTo
		if most := held.Add(2 * limit); due.After(most) {
			due = most
		}
	}
	return due
}

// NextBy is when the first reply of any kind is due: the acknowledgement, or where none is asked for the answer.
func (e *Entry) NextBy(f *form.Form, held time.Time) time.Time {
	if by := e.AcknowledgeBy(f, held); !by.IsZero() {
		return by
	}
	return e.AnswerBy(f, held)
}

// moment reads a time of a statement's fields; zero where the form has no such field, or it does not say.
func moment(e *Entry, fm *form.Form, names ...string) time.Time {
	for _, name := range names {
		for i := range fm.Fields {
			if fm.Fields[i].Name != name {
				continue
			}
			v, err := fm.Decode(e.Statement.Payload)
			if err != nil {
				return time.Time{}
			}
			if at := v.Time(name); !at.IsZero() && (name != fieldExpected || v.Text(fieldStatus) == extensionState) {
				return at
			}
		}
	}
	return time.Time{}
}
