package view

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/api"
	"detente/archive"
	"detente/dossier"
	"detente/key"
	"detente/party"
	"detente/traffic"
)

// status tells the standing of a statement in the reader's words. What a machine did begins with a hollow mark, what a person did with a solid
// one: nobody can take the one for the other.
func (v *Viewer) status(s *api.Statement, to []traffic.Party) []string {
	say := v.say
	var out []string
	if s.Reason != "" {
		out = append(out, v.reason(s.Standing, s.Reason))
	}
	if s.Duplicate != "" {
		out = append(out, say("duplicate", s.Duplicate[:8]))
	}
	for _, r := range s.Receipts {
		var algorithms []string
		for _, a := range r.Algorithms {
			algorithms = append(algorithms, Algorithm(a))
		}
		key := "receipt.other"
		if r.Mirror == v.node.Self() {
			key = "receipt.own"
		}
		out = append(out, "○ "+say(key, string(r.Mirror), time.Unix(r.At, 0).UTC(), strings.Join(algorithms, ", ")))
	}
	for _, p := range unheld(s, to) {
		out = append(out, "○ "+say("receipt.none", string(p)))
	}
	for _, r := range s.Replies {
		key := "reply.other"
		if slices.Contains([]string{"acknowledgement", "answer", "interim", "check-answer", "correction", "cancellation"}, r.Form) {
			key = "reply." + r.Form
		}
		if !r.Human {
			out = append(out, "○ "+say("reply.terminal", r.From, r.Issued, r.Number))
			continue
		}
		out = append(out, "● "+say(key, r.From, v.Role(r.Drafter), r.Issued, r.Number))
	}
	for _, o := range s.Owed {
		key := "owed." + o.What
		if o.Overdue {
			key += ".overdue"
		} else if o.Until.IsZero() {
			key += ".unknown"
		}
		out = append(out, say(key, join(o.By), o.Until))
	}
	for _, q := range s.Silence {
		out = append(out, say("silence."+string(q.Why), string(q.Party)))
	}
	if s.Standing != string(dossier.Invalid) {
		out = append(out, say("level."+s.Level))
	}
	return out
}

// unheld are the addressees of an own statement who are not known to hold it.
func unheld(s *api.Statement, to []traffic.Party) []traffic.Party {
	return slices.DeleteFunc(slices.Clone(to), func(p traffic.Party) bool {
		return !s.Own || slices.ContainsFunc(s.Receipts, func(r archive.Receipt) bool { return r.Mirror == p })
	})
}

func join(parties []traffic.Party) string {
	var names []string
	for _, p := range parties {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// ChannelName is how lists name a channel: those that follow from pairing by their members.
func ChannelName(c *party.Channel) string {
	if c.Kind == party.Common {
		return c.Name
	}
	names := []string{c.Name}
	for _, m := range c.Members {
		names = append(names, string(m))
	}
	return strings.Join(names, " ")
}

// Algorithm is how people call an algorithm of signatures.
func Algorithm(a key.Algorithm) string {
	switch a {
	case key.Ed25519:
		return "Ed25519"
	case key.MLDSA44:
		return "ML-DSA-44"
	case key.MLDSA65:
		return "ML-DSA-65"
	}
	return strconv.FormatInt(int64(a), 10)
}
