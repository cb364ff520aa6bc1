package exchange

// Silence says why a statement has no answer. Silence is never one thing: the commonest failure of every channel was that nobody knew which
// of these it was.
type Silence string

// The kinds of silence. What the watch of the other side does and does not do (unmanned, suspended) is told by its own statements.
const (
	SilenceNone     Silence = "answered"
	LinkDown        Silence = "link-down"        // not held there, and the peer is not heard
	UnderWay        Silence = "under-way"        // not held there yet, and the peer is heard
	DeliveredUnread Silence = "delivered-unread" // held there, no person has accepted it
	BeingChecked    Silence = "being-checked"    // a person has acknowledged it
	Declined        Silence = "declined"         // answered with a refusal
	PostUnmanned    Silence = "post-unmanned"    // held there past the time for acknowledgement, and the link is up
)

// Silent classifies the silence of one addressee about one statement.
func Silent(c Condition, held, acknowledged, answered, declined, overdue bool) Silence {
	switch {
	case declined:
		return Declined
	case answered:
		return SilenceNone
	case acknowledged:
		return BeingChecked
	case held && overdue && c.Up:
		return PostUnmanned
	case held:
		return DeliveredUnread
	case c.Up:
		return UnderWay
	}
	return LinkDown
}
