package floor

import (
	"encoding/json"
	"time"

	"detente/traffic"
	"detente/watch"
)

// OpenList is what a hand-over says is open, in code: both officers sign it, and each reads it in his own language.
type OpenList struct {
	Open []Open `json:"open,omitempty"` // the most pressing first
	More int    `json:"more,omitempty"` // what is open beside
}

// Open is an item that was open when the watch was handed over.
type Open struct {
	Precedence traffic.Precedence `json:"precedence"`
	Title      string             `json:"title"` // as [watch.Decode] takes it, with Args
	Args       string             `json:"args,omitempty"`
	Due        time.Time          `json:"due,omitzero"`
	Role       string             `json:"role,omitempty"` // in which it was taken, empty if nobody has
	By         string             `json:"by,omitempty"`
}

// Words are what the item says.
func (o Open) Words() watch.Words { return watch.Decode(o.Title, o.Args) }

func openOf(it *watch.Item) Open {
	o := Open{Precedence: it.Precedence, Title: it.Say, Args: it.Words().Code(), Due: it.Due.UTC()}
	if it.Taken != nil {
		o.Role, o.By = it.Taken.Role, it.Taken.By
	}
	return o
}

// OpenOf reads what the journal says was open; nothing of what is not of that shape.
func OpenOf(items string) (l OpenList) {
	if json.Unmarshal([]byte(items), &l) != nil {
		return OpenList{}
	}
	return l
}

// code is the list as the journal keeps it; empty for an empty one.
func (l OpenList) code() string {
	if len(l.Open) == 0 && l.More == 0 {
		return ""
	}
	b, _ := json.Marshal(l) // of texts and times nothing can fail
	return string(b)
}

// fit leaves out from the end what the journal would not take, and counts it.
func (l *OpenList) fit() {
	size := 0
	for i, o := range l.Open {
		b, _ := json.Marshal(o)
		if size += len(b) + 1; size > mostItems-100 {
			l.More += len(l.Open) - i
			l.Open = l.Open[:i]
			return
		}
	}
}
