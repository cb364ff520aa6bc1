package floor

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/exchange"
	"detente/party"
	"detente/roster"
	"detente/statement"
	"detente/traffic"
	"detente/watch"
)

// board is what needs somebody, as it was at one moment. It is replaced as a whole and never changed.
type board struct {
	at    time.Time
	items []*watch.Item // not taken, in the order of the board
	taken []*watch.Item // taken, and not done
	done  []*watch.Item // whose cause has gone, the newest first
	byKey map[string]*watch.Item
}

// mostDone is how many of the items that are done are shown.
const mostDone = 50

// Forms of the regime communications that the watch must know by name.
const formCheck = "check"

// refresh makes the board anew, and tells when it is to be made again if nothing comes meanwhile.
func (f *Floor) refresh(now time.Time) (again time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.record.prune(now)
	g := gathering{Floor: f, now: now, byKey: make(map[string]*watch.Item)}
	g.statements()
	g.informed()
	g.exchangeAlarms()
	g.unmanned()
	for _, s := range f.sources {
		items, next := s.items(now)
		for _, it := range items {
			g.add(it)
		}
		g.until(next)
	}
	g.kept()
	g.ownMissed()
	f.replace(&g)
	return g.again
}

// replace puts a new board in the place of the old one. f.mu is held.
func (f *Floor) replace(g *gathering) {
	b := &board{at: g.now, byKey: g.byKey, done: f.board.done}
	b.items = inOrder(f.board.items, g.byKey, func(it *watch.Item) bool { return it.Taken == nil })
	b.taken = inOrder(f.board.taken, g.byKey, func(it *watch.Item) bool { return it.Taken != nil })
	for key, was := range f.board.byKey {
		if b.byKey[key] == nil {
			gone := *was
			if gone.Ended.IsZero() {
				gone.Ended = g.now.UTC()
			}
			b.done = append([]*watch.Item{&gone}, b.done[:min(len(b.done), mostDone-1)]...)
		}
	}
	same := slices.EqualFunc(f.board.items, b.items, sameItem) && slices.EqualFunc(f.board.taken, b.taken, sameItem)
	f.board = b
	if !same {
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

// inOrder puts those of the items that are meant into the order of the board. Those that were there, and are as they were, stand in it already.
func inOrder(before []*watch.Item, all map[string]*watch.Item, meant func(*watch.Item) bool) []*watch.Item {
	was := make(map[*watch.Item]bool, len(before))
	stay := make([]*watch.Item, 0, len(all))
	for _, it := range before {
		if all[it.Key] == it && meant(it) {
			stay, was[it] = append(stay, it), true
		}
	}
	var news []*watch.Item
	for _, it := range all {
		if meant(it) && !was[it] {
			news = append(news, it)
		}
	}
	watch.Sort(news)
	out := make([]*watch.Item, 0, len(stay)+len(news))
	for len(stay) > 0 && len(news) > 0 {
		if watch.Compare(stay[0], news[0]) < 0 {
			out, stay = append(out, stay[0]), stay[1:]
		} else {
			out, news = append(out, news[0]), news[1:]
		}
	}
	return append(append(out, stay...), news...)
}

func sameItem(a, b *watch.Item) bool {
	return a.Key == b.Key && a.Say == b.Say && (a.Taken == nil) == (b.Taken == nil) && a.Ended.Equal(b.Ended) && a.Due.Equal(b.Due)
}

// gathering collects the items of one moment. Floor.mu is held.
type gathering struct {
	*Floor
	now   time.Time
	again time.Time
	byKey map[string]*watch.Item
}

func (g *gathering) until(t time.Time) {
	if t.After(g.now) {
		g.again = earlier(g.again, t)
	}
}

// add puts an item on the board, with who has taken it.
func (g *gathering) add(it *watch.Item) {
	if t := g.takenBy(it.Key); t != nil && it.Taken == nil { // nothing is written to what an earlier board shows
		it.Taken = t
	}
	if it.Kind == watch.Acknowledge || it.Kind == watch.Answer {
		if number := g.announced(it.Statement); number != "" {
			again := *it // as above
			again.Say, again.Args = it.Say+".announced", append(slices.Clip(it.Args), number)
			it = &again
		}
	}
	g.byKey[it.Key] = it
	g.until(it.Due)
}

// takenBy is who has taken an item; nil where nobody has.
func (f *Floor) takenBy(key string) *watch.Taken {
	if p := f.record.items[key]; p != nil && p.taken != nil {
		return p.taken
	}
	return f.taken[key]
}

// statements adds what is due from here, and what is overdue from others.
func (g *gathering) statements() {
	for _, m := range g.matters {
		for _, d := range m.open {
			switch {
			case d.own:
				g.overdueThere(d)
			case g.forUs(d.entry.Statement):
				g.dueHere(d)
			}
		}
	}
}

// forUs tells whether a statement of another party is addressed to this one.
func (f *Floor) forUs(s *statement.Statement) bool {
	if s.Audience == statement.Everyone {
		return true
	}
	a, err := traffic.ParseAddress(s.Audience)
	return err == nil && a.Party == f.node.Self()
}

// about is an item about a statement.
func (f *Floor) about(kind watch.Kind, d *due) *watch.Item {
	s := d.entry.Statement
	return &watch.Item{
		Key: watch.Key(kind, s.ID().String()), Kind: kind, Post: f.postOf(s), Plane: s.Plane, Precedence: s.Precedence, Statement: s.ID(),
		Number: traffic.Number(s.Issuer, d.entry.Feed, d.entry.Index), Form: s.Form, Channel: s.Channel, Peer: s.Issuer.Party, Say: string(kind),
		Args: []any{traffic.Number(s.Issuer, d.entry.Feed, d.entry.Index), s.Issuer.String()},
	}
}

// dueHere adds what is due from here for a statement: first that a person acknowledges it, then the answer. Whoever has acknowledged it has taken
// the answer in hand.
func (g *gathering) dueHere(d *due) {
	switch {
	case d.entry.AwaitsAcknowledgement:
		if d.item == nil { // made once: there may be ten thousand
			d.item = g.about(watch.Acknowledge, d)
			d.item.Since = d.entry.Held
			until(d.item, d.entry.AcknowledgeBy(d.form, d.entry.Held))
		}
		if d.item.Taken == nil && g.takenBy(d.item.Key) != nil {
			again := *d.item // a board is never changed
			d.item = &again
		}
		g.add(d.item)
	case d.entry.AwaitsAnswer:
		it := g.about(watch.Answer, d)
		it.Since = d.entry.Held
		until(it, d.entry.AnswerBy(d.form, d.entry.Held))
		if level(d) == 1 {
			if g.quiet(d.entry.Statement.ID()) {
				return
			}
			// The node answers by itself. Should it not, there is half of the time left for a person.
			it.Since = it.Since.Add(it.Handling / 2)
			it.Handling /= 2
			if g.now.Before(it.Since) {
				g.until(it.Since)
				return
			}
		}
		if !d.taken.IsZero() {
			it.Taken = &watch.Taken{Role: d.role, At: d.taken}
			if t := g.takenBy(watch.Key(watch.Acknowledge, it.Statement.String())); t != nil {
				it.Taken = &watch.Taken{By: t.By, Role: t.Role, At: d.taken}
			}
			if t := g.takenBy(it.Key); t != nil {
				it.Taken = t
			}
		}
		g.add(it)
	}
}

// quiet tells whether a companion tells of a statement in an item of its own.
func (f *Floor) quiet(id statement.ID) bool {
	return slices.ContainsFunc(f.sources, func(s source) bool {
		j, _ := s.(joined)
		q, ok := j.Companion.(Quieter)
		return ok && q.Quiet(id)
	})
}

// until gives an item its time: the ladder is spread over what there is from when it was held.
func until(it *watch.Item, due time.Time) {
	it.Handling = 0
	if due.After(it.Since) {
		it.Handling = due.Sub(it.Since)
	}
	it.Due = it.Since.Add(it.Within())
}

// level tells of which level a check is; 0 for what is no check.
func level(d *due) int64 {
	if d.form.ID != formCheck {
		return 0
	}
	v, _ := d.form.Decode(d.entry.Statement.Payload) // it is valid: it was decoded before
	return v.Int("level")
}

// overdueThere adds what another party has not said in time. Checks are told of by their own source.
func (g *gathering) overdueThere(d *due) {
	if d.held.IsZero() || d.form.ID == formCheck {
		return // what has not come cannot be late
	}
	s := d.entry.Statement
	what, at := "", time.Time{}
	switch {
	case d.entry.AwaitsAcknowledgement:
		what, at = "acknowledgement", d.entry.AcknowledgeBy(d.form, d.held)
	case d.entry.AwaitsAnswer:
		what, at = "answer", d.entry.AnswerBy(d.form, d.held)
	}
	if at.IsZero() {
		return
	}
	if g.now.Before(at) {
		g.until(at)
		return
	}
	it := g.about(watch.Missed, d)
	it.Key, it.Say = watch.Key(watch.Missed, what, s.ID().String()), "missed."+what
	it.Since, it.Sticky = at, true
	it.Peer = ""
	if to := g.addressees(s); len(to) > 0 {
		it.Peer = to[0]
	}
	it.Args = []any{it.Number, s.Audience, at}
	g.add(it)
}

// ownMissed adds that a time limit has passed here although somebody had taken the item: those above the duty officer must know.
func (g *gathering) ownMissed() {
	var late []*watch.Item
	for _, was := range g.byKey {
		if was.Taken == nil || !was.Overdue(g.now) || was.Kind != watch.Acknowledge && was.Kind != watch.Answer {
			continue
		}
		late = append(late, was)
	}
	for _, was := range late {
		it := *was
		it.Kind, it.Key, it.Say = watch.Missed, watch.Key(watch.Missed, "own", was.Key), "missed.own"
		it.Since, it.Due, it.Handling, it.First, it.Taken = was.Due, time.Time{}, 0, roster.Deputy, nil
		it.Args = []any{was.Number, roster.Role(was.Taken.Role), was.Due}
		g.add(&it)
	}
}

// informed adds what information addressees of this party have not read yet.
func (g *gathering) informed() {
	for _, it := range g.infos {
		if g.takenBy(it.Key) == nil {
			copied := *it
			g.add(&copied)
		}
	}
}

// exchangeAlarms adds what the packages below say a person must know. An alarm that comes again is another one.
func (g *gathering) exchangeAlarms() {
	for _, a := range g.alarms {
		it := alarmItem(a.Kind, a.Subject, a.Raised, a.Detail)
		it.Post = g.firstPost()
		g.add(it)
	}
}

func alarmItem(kind, subject string, at time.Time, detail string) *watch.Item {
	it := &watch.Item{
		Kind: watch.Alarm, Plane: traffic.Real, Precedence: traffic.Immediate, Say: "alarm." + kind, Args: []any{subject, at, detail},
		Since: at, Sticky: true, Key: watch.Key(watch.Alarm, kind, strconv.FormatInt(at.Unix(), 10), subject),
	}
	if kind == exchange.AlarmSilent || kind == exchange.AlarmInvalid {
		it.Precedence = traffic.Priority
	}
	if p := traffic.Party(subject); p.Valid() {
		it.Peer = p
	} else if fd, err := traffic.ParseOrigin(strings.Fields(subject + " ")[0]); err == nil {
		it.Peer = fd.Party
	}
	return it
}

// firstPost is the post that what concerns the party as a whole is for: the first that has a roster, else the first of the charter.
func (f *Floor) firstPost() traffic.Post {
	posts := f.node.Chain(f.node.Self()).Latest().Posts
	for _, p := range posts {
		if _, ok := f.record.duty(p.Name, f.board.at); ok {
			return p.Name
		}
	}
	return posts[0].Name
}

// unmanned adds the posts at which nobody is on duty although their roster says that somebody always is.
func (g *gathering) unmanned() {
	for _, post := range sortedPosts(g.record.rosters) {
		p := g.record.rosters[post]
		d := p.At(g.now, g.record.overrides)
		g.until(d.Until)
		if !d.Unmanned() || !p.Always {
			continue
		}
		since := d.From
		if since.Before(p.at) {
			since = p.at
		}
		g.add(&watch.Item{
			Key: watch.Key(watch.Roster, string(post), strconv.FormatInt(since.Unix(), 10)), Kind: watch.Roster, Post: post, Plane: traffic.Real,
			Precedence: traffic.Immediate, Say: "roster", Args: []any{string(post), since}, Since: since, First: roster.Deputy,
		})
	}
}

// kept adds what was raised and is to stay until a person takes it, though its cause has gone.
func (g *gathering) kept() {
	for key, was := range g.board.byKey {
		if was.Sticky && g.byKey[key] == nil && g.takenBy(key) == nil {
			it := *was
			if it.Ended.IsZero() {
				it.Ended = g.now.UTC()
			}
			g.byKey[key] = &it
		}
	}
	if len(g.board.byKey) > 0 || !g.board.at.IsZero() {
		return
	}
	// The process has just started: the journal says what it was that stood on the board.
	for key, p := range g.record.live {
		if p.taken == nil && g.byKey[key] == nil {
			if it := g.revive(p); it != nil {
				g.byKey[key] = it
			}
		}
	}
}

// revive makes an item of what the journal says of it; nil for one that ends with its cause.
func (f *Floor) revive(p *past) *watch.Item {
	at := p.states[raised]
	it := &watch.Item{Key: p.key, Kind: watch.KindOf(p.key), Post: p.post, Plane: traffic.Real, Precedence: traffic.Routine, Statement: p.about, Since: at}
	parts := strings.SplitN(p.key, ":", 4)
	switch {
	case it.Kind == watch.Alarm && len(parts) == 4:
		if unix, err := strconv.ParseInt(parts[2], 10, 64); err == nil {
			at = time.Unix(unix, 0).UTC()
		}
		post := it.Post
		it = alarmItem(parts[1], parts[3], at, "")
		it.Key, it.Post = p.key, post
	case it.Kind == watch.Missed && len(parts) == 3 && parts[1] != "own":
		it.Precedence = traffic.Priority
	default:
		return nil
	}
	it.Say, it.Args, it.Sticky, it.Ended = p.words.Say, p.words.Args, true, f.board.at
	return it
}

// infos is the fold of what this party is an information addressee of.
type infos struct{ *Floor }

func (f *infos) add(t *Told) {
	list, _ := t.Values["info"].([]any)
	if t.Kind != party.Common || len(list) == 0 || t.Feed.Party == f.node.Self() {
		return
	}
	precedence := map[string]traffic.Precedence{"flash": traffic.Flash, "immediate": traffic.Immediate, "priority": traffic.Priority}[t.Values.Text("info_precedence")]
	if precedence == "" {
		precedence = traffic.Routine
	}
	s := t.Statement
	seen := make(map[traffic.Post]bool)
	for _, entry := range list {
		text, _ := entry.(string)
		a, err := traffic.ParseAddress(text)
		if err != nil || a.Party != f.node.Self() {
			continue
		}
		if a.Post == "" || !f.has(a.Post) {
			a.Post = f.postOf(s)
		}
		if seen[a.Post] || s.Audience == a.String() {
			continue
		}
		seen[a.Post] = true
		number := traffic.Number(s.Issuer, t.Feed, t.Index)
		it := &watch.Item{
			Key: watch.Key(watch.Info, s.ID().String(), string(a.Post)), Kind: watch.Info, Post: a.Post, Plane: s.Plane, Precedence: precedence, Statement: s.ID(),
			Number: number, Form: s.Form, Channel: s.Channel, Peer: s.Issuer.Party, Say: string(watch.Info), Args: []any{number, s.Issuer.String()}, Since: t.Held,
		}
		it.Due = it.Since.Add(it.Within())
		f.infos[it.Key] = it
	}
}

// has tells whether this party has a post.
func (f *Floor) has(post traffic.Post) bool {
	return slices.ContainsFunc(f.node.Chain(f.node.Self()).Latest().Posts, func(p party.Post) bool { return p.Name == post })
}

// postOf is the post of this party that a statement concerns: the one that spoke, or was addressed; else the one of the author's name; else the
// first that speaks on its channel.
func (f *Floor) postOf(s *statement.Statement) traffic.Post {
	if s.Issuer.Party == f.node.Self() {
		return s.Issuer.Post
	}
	if a, err := traffic.ParseAddress(s.Audience); err == nil && a.Party == f.node.Self() && f.has(a.Post) {
		return a.Post
	}
	c, err := f.node.Charter(s.Channel)
	if err != nil {
		return f.firstPost()
	}
	if f.has(s.Issuer.Post) && c.Speaks(s.Issuer.Post) {
		return s.Issuer.Post
	}
	for _, p := range f.node.Chain(f.node.Self()).Latest().Posts {
		if c.Speaks(p.Name) {
			return p.Name
		}
	}
	return f.firstPost()
}
