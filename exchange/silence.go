package exchange

// Silence says why a statement has no answer. Silence is never one thing: the commonest failure of every channel was that nobody knew which
// of these it was.
type Silence string

// The kinds of silence.
const (
	SilenceNone     Silence = "answered"
	LinkDown        Silence = "link-down"        // not held there, and the peer is not heard
	UnderWay        Silence = "under-way"        // not held there yet, and the peer is heard
	DeliveredUnread Silence = "delivered-unread" // held there, no person has accepted it
	BeingChecked    Silence = "being-checked"    // a person has acknowledged it
	Declined        Silence = "declined"         // answered with a refusal
	PostUnmanned    Silence = "post-unmanned"    // the peer has said so; or held there past the time for acknowledgement, and the link is up
	Suspended       Silence = "suspended"        // the peer has stated that it suspends this on the channel
)

// Silences are all kinds, that of none first.
func Silences() []Silence {
	return []Silence{SilenceNone, LinkDown, UnderWay, DeliveredUnread, BeingChecked, Declined, PostUnmanned, Suspended}
}

// Signs are what is known of one addressee and one statement.
type Signs struct {
	Up           bool // the link is up
	Held         bool // there, by its receipt
	Acknowledged bool
	Answered     bool
	Declined     bool // answered with a refusal
	Overdue      bool // the time for acknowledgement is over
	Suspended    bool // the peer has stated that it suspends the function that the statement belongs to
	Unmanned     bool // the peer has stated that nobody is at the post
}

// Silent classifies the silence of one addressee about one statement. What a person of the peer has said of the statement goes before what the peer
// has said of its watch, and that before what is only concluded.
func Silent(s Signs) Silence {
	switch {
	case s.Declined:
		return Declined
	case s.Answered:
		return SilenceNone
	case s.Acknowledged:
		return BeingChecked
	case s.Suspended:
		return Suspended
	case s.Held && s.Unmanned:
		return PostUnmanned
	case s.Held && s.Overdue && s.Up:
		return PostUnmanned
	case s.Held:
		return DeliveredUnread
	case s.Up:
		return UnderWay
	}
	return LinkDown
}
