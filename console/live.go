package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"detente/api"
)

// How a page stays new: at most one state each pause, and a sign of life each beat, after which the state is looked at in any case, because
// time alone makes a thing overdue.
const (
	pause = 200 * time.Millisecond
	beat  = 25 * time.Second
)

// region is a part of a page, made anew.
type region struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// live tells a browser which parts of its page have changed, as server-sent events. What is sent is the present state, never a backlog: a slow
// browser misses states and not the last one. The id of an event is the state's, so a browser that comes back is told nothing it has.
func (s *Server) live(sc screen) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.enter(w, r)
		if v == nil {
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		v.ctx = ctx
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no") // a proxy is to pass on each event at once
		out := http.NewResponseController(w)
		out.SetReadDeadline(time.Time{}) // nothing more is read, and a deadline that passes would end the stream; where there is none, it fails
		changed := make(chan struct{}, 1)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			v.client.Events(v.ctx, func(api.Change) bool { // an error is that the stream ended: the beat goes on, and the browser comes again
				select {
				case changed <- struct{}{}:
				default: // one is waiting already, and will see this one too
				}
				return true
			})
		}()
		defer func() { cancel(); <-ended }()
		st := &stream{visit: v, screen: sc, sent: make(map[string]string), last: r.Header.Get("Last-Event-ID")}
		for {
			if err := st.tell(w); err != nil || out.Flush() != nil {
				return
			}
			if !st.wait(changed) {
				return
			}
			fmt.Fprint(w, ": beat\n\n")
		}
	}
}

// stream is what one browser has been told.
type stream struct {
	*visit
	screen screen
	sent   map[string]string // hash of each region
	last   string            // state that the browser had before it came
}

// wait waits for a change, or for a beat. It ends with the visit.
func (st *stream) wait(changed <-chan struct{}) bool {
	select {
	case <-time.After(pause): // a burst is one state
	case <-st.ctx.Done():
		return false
	}
	select {
	case <-changed:
	case <-time.After(beat):
	case <-st.ctx.Done():
		return false
	case <-st.cfg.Stopping:
		return false
	}
	return true
}

// tell writes the regions that differ from what was sent. A page that cannot be made at the moment is not told of: the next beat tries again.
func (st *stream) tell(w http.ResponseWriter) error {
	regions, state, err := st.regions()
	if err != nil {
		return nil
	}
	if st.last == state {
		for _, r := range regions {
			st.sent[r.ID] = hash(r.HTML)
		}
	}
	st.last = ""
	for _, r := range regions {
		sum := hash(r.HTML)
		if st.sent[r.ID] == sum {
			continue
		}
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: region\nid: %s\ndata: %s\n\n", state, b); err != nil {
			return err
		}
		st.sent[r.ID] = sum
	}
	return nil
}

// regions makes the page's live parts as they are now, as the officer may see them now: his roles are asked for anew each time.
func (st *stream) regions() (out []region, state string, err error) {
	if st.me, err = st.client.Me(st.ctx); err != nil {
		return nil, "", err
	}
	p, err := st.build(st.visit, st.screen)
	if err != nil {
		return nil, "", err
	}
	all := sha256.New()
	for _, name := range p.framed().Regions {
		html, err := st.paper.Make(st.lang, name, p)
		if err != nil {
			return nil, "", err
		}
		out = append(out, region{name, string(html)})
		all.Write(html)
	}
	return out, hex.EncodeToString(all.Sum(nil)[:8]), nil
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return string(sum[:])
}
