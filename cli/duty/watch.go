package duty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"detente/api"
	"detente/cli/session"
	"detente/traffic"

	"golang.org/x/term"
)

// WatchCmd shows what needs somebody now, and lets him act.
type WatchCmd struct {
	Post  traffic.Post  `help:"Only of this post." placeholder:"POST"`
	Plane traffic.Plane `help:"real, exercise or test: one screen never mixes them." default:"real" enum:"real,exercise,test"`
	Role  string        `help:"Duty role in which you act." placeholder:"ROLE"`
	Once  bool          `help:"Print it once and end."`
	Quiet bool          `help:"No bell for what nobody has taken."`
	session.LangFlag
	session.JSONFlag
}

// Help gives an example and the exit codes.
func (WatchCmd) Help() string {
	return "What needs somebody now, with clocks running, in a terminal: also over ssh. ‖ is FLASH, | IMMEDIATE, o PRIORITY, · ROUTINE; " +
		"○ is what a machine did, ● is what a person did. With --once or --json it ends with 5 when something stands that nobody has taken.\n\n" +
		session.Detail("detente watch --post nrrc --lang ru", session.ExitDone, session.ExitRefused, session.ExitUse, session.ExitUnreachable,
			session.ExitNotFound, session.ExitPerson)
}

// Run shows the watch.
func (c *WatchCmd) Run(s *session.Session) error {
	w, err := loadWords(c.Lang)
	if err != nil {
		return session.Fail(session.ExitUse, "", "%w", err)
	}
	once := c.Once || c.JSON
	node, err := s.Client(!once)
	if err != nil {
		return err
	}
	f := &floor{cmd: c, words: w, node: node, view: view{plane: c.Plane, now: time.Now()}}
	if !once {
		return f.run(s)
	}
	if err := f.read(s.Ctx); err != nil {
		return err
	}
	if c.JSON {
		err = s.JSON(f.view.watch)
	} else {
		err = f.print(s.Out)
	}
	if n := len(f.view.watch.Items) + f.view.watch.More; err == nil && n > 0 {
		return session.Fail(session.ExitPerson, "take it with: detente take KEY, or in detente watch", "what nobody has taken: %d", n)
	}
	return err
}

// floor is the watch being shown. All of it belongs to the goroutine of run.
type floor struct {
	cmd   *WatchCmd
	words words
	node  *api.Client
	view  view
	then  func(ctx context.Context, typed string) // what is done with the line that is being typed
	rang  time.Time
}

// read asks the node how the watch stands. What stood before stays when it does not answer, and is marked as old.
func (f *floor) read(ctx context.Context) error {
	err := f.ask(ctx)
	switch {
	case err == nil:
		f.view.silent = time.Time{}
	case f.view.silent.IsZero():
		f.view.silent = time.Now()
	}
	return err
}

// patience is how long the node may take, so that the clocks do not stand still for it.
const patience = 5 * time.Second

func (f *floor) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if f.view.party == "" {
		st, err := f.node.Status(ctx)
		if err != nil {
			return err
		}
		f.view.party = cmp.Or(st.Name[f.words.lang.String()], st.Name["en"], string(st.Party))
	}
	watch, err := f.node.Watch(ctx, f.cmd.Post, f.cmd.Plane, f.cmd.Lang)
	if err != nil {
		return err
	}
	links, err := f.node.Links(ctx)
	if err != nil {
		return err
	}
	f.view.watch, f.view.links = watch, links
	i, _ := f.view.item()
	f.view.chosen = i.Key // it stays chosen while it is there: what comes in meanwhile is not what a key was meant for
	return nil
}

// print writes the board as plain lines.
func (f *floor) print(out io.Writer) error {
	var b strings.Builder
	for _, l := range f.view.draw(f.words, 100, 0) {
		b.WriteString(strings.TrimRight(l.text, " ") + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// run shows the watch until it is told to end: on a terminal drawn anew each second, for its clocks, and at each change; else printed at each change.
func (f *floor) run(s *session.Session) error {
	ctx, cancel := context.WithCancel(s.Ctx)
	defer cancel()
	changes := make(chan struct{}, 1)
	var work sync.WaitGroup
	work.Go(func() { follow(ctx, f.node, changes) })
	defer work.Wait()
	defer cancel()

	in, typed := s.In.(*os.File)
	out, drawn := s.Out.(*os.File)
	if drawn = drawn && term.IsTerminal(int(out.Fd())); !drawn {
		return f.reprint(ctx, s.Out, changes)
	}
	keys := make(chan key)
	if typed = typed && term.IsTerminal(int(in.Fd())); typed {
		before, err := term.MakeRaw(int(in.Fd()))
		if err != nil {
			return session.Fail(session.ExitUse, "", "this terminal does not give its keys: %w", err)
		}
		defer term.Restore(int(in.Fd()), before)
		f.view.keys = true
		go readKeys(in, keys)
	}
	const enter, leave = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
	io.WriteString(out, enter)
	defer io.WriteString(out, leave)
	failed := f.read(ctx)
	if failed != nil && !errors.Is(failed, api.ErrUnreachable) {
		return failed
	}
	for {
		f.view.now = time.Now()
		columns, lines, err := term.GetSize(int(out.Fd()))
		if err != nil {
			columns, lines = 80, 24
		}
		io.WriteString(out, f.screen(max(20, columns), max(8, lines)))
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			f.read(ctx) // what does not come is said on the screen
		case k, ok := <-keys:
			if !ok {
				k = gone
			}
			if f.press(ctx, k) {
				return nil
			}
		case <-time.After(time.Until(f.view.now.Truncate(time.Second).Add(time.Second))):
			if !f.view.silent.IsZero() || f.view.now.Second()%10 == 0 { // calls that were placed, steps of the ladder
				f.read(ctx)
			}
		}
	}
}

// reprint prints the board whenever it has changed, for a terminal that cannot be drawn on, or a log.
func (f *floor) reprint(ctx context.Context, out io.Writer, changes <-chan struct{}) error {
	if err := f.read(ctx); err != nil {
		return err
	}
	for {
		f.view.now = time.Now()
		if err := f.print(out); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
		case <-time.After(time.Minute):
		}
		f.read(ctx)
		io.WriteString(out, "\n")
	}
}

// follow tells of each change at the node; when the node goes away it is called again each second.
func follow(ctx context.Context, node *api.Client, changes chan<- struct{}) {
	tell := func() {
		select {
		case changes <- struct{}{}:
		default: // the one that waits says as much
		}
	}
	for ctx.Err() == nil {
		node.Events(ctx, func(api.Change) bool { tell(); return true })
		tell() // that it has gone is a change too
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// screen is what is written to the terminal: each line at its place, nothing erased before it is drawn over.
func (f *floor) screen(columns, lines int) string {
	var b strings.Builder
	b.WriteString(f.bell())
	b.WriteString("\x1b[H")
	for n, l := range f.view.draw(f.words, columns, lines) {
		if n > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(paint(l, os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb") + "\x1b[K")
	}
	b.WriteString("\x1b[J")
	return b.String()
}

// paint sets a line off. Without colour it is bold or reversed all the same.
func paint(l line, colourless bool) string {
	codes := map[style]string{strong: "1", urgent: "1;31", chosen: "7", alarmed: "1;7;31", banner: "1;7", calling: "4"}
	if colourless {
		codes[urgent], codes[alarmed] = "1", "1;7"
	}
	if code := codes[l.style]; code != "" {
		return "\x1b[" + code + "m" + l.text + "\x1b[0m"
	}
	return l.text
}

// bell rings for what nobody has taken: each ten seconds for a FLASH, each minute for an IMMEDIATE.
func (f *floor) bell() string {
	every := map[string]time.Duration{"flash": 10 * time.Second, "immediate": time.Minute}[f.view.watch.Sound]
	if f.cmd.Quiet || every == 0 || f.view.now.Sub(f.rang) < every {
		return ""
	}
	f.rang = f.view.now
	return "\a"
}

// press does what a key stands for, and tells whether the watch is left.
func (f *floor) press(ctx context.Context, k key) (leave bool) {
	v := &f.view
	if v.prompt != "" && k != gone {
		text, done, left := edit(v.typed, k)
		v.typed = text
		if done || left {
			then := f.then
			v.prompt, v.typed, f.then = "", "", nil
			if left {
				v.message = f.words.say("did.nothing")
			} else {
				then(ctx, strings.TrimSpace(text))
			}
		}
		return false
	}
	if v.text != "" && k != gone && k != stop {
		switch k {
		case 'j', down:
			v.scroll++
		case 'k', up:
			v.scroll--
		case ' ':
			v.scroll += 10
		case 'q', esc, enter:
			v.text = ""
		}
		return false
	}
	v.message = ""
	switch k {
	case 'q', stop, gone:
		return true
	case 'j', down:
		f.move(1)
	case 'k', up:
		f.move(-1)
	case enter:
		f.show(ctx)
	case 'a':
		f.take(ctx)
	case 'u':
		f.reply(ctx, "acknowledgement", map[string]string{"understood": "true"})
	case 'f':
		if f.about() {
			f.view.message = strings.Join(categories(), "  ") // a line of its own: the one that is typed is short
			f.typing(f.words.say("ask.category", "…"), func(ctx context.Context, typed string) {
				if typed == "" {
					f.view.message = f.words.say("did.nothing")
					return
				}
				f.reply(ctx, "acknowledgement", map[string]string{"understood": "true", "forwarded_to": typed})
			})
		}
	case 'r':
		f.compose()
	}
	return false
}

// categories are those of the form acknowledgement: to whom something is passed on, never by name.
func categories() []string {
	return []string{"superior", "foreign-ministry", "cert", "security-council", "military", "law-enforcement", "sector-authority"}
}

func (f *floor) move(by int) {
	all := f.view.items()
	now, ok := f.view.item()
	if !ok {
		return
	}
	for n, i := range all {
		if i.Key == now.Key {
			f.view.chosen = all[max(0, min(len(all)-1, n+by))].Key
			return
		}
	}
}

// about tells whether the chosen item is about a statement, and says so if not.
func (f *floor) about() bool {
	i, ok := f.view.item()
	if !ok || i.Statement == "" {
		f.view.message = f.words.say("no.statement")
		return false
	}
	return true
}

func (f *floor) typing(prompt string, then func(context.Context, string)) {
	f.view.prompt, f.view.typed, f.then = prompt, "", then
}

func (f *floor) show(ctx context.Context) {
	if !f.about() {
		return
	}
	i, _ := f.view.item()
	st, err := f.node.Statement(ctx, i.Statement, f.cmd.Lang)
	if f.failed(err) {
		return
	}
	f.view.text, f.view.scroll = cmp.Or(st.Text, strings.Join(st.Status, "\n"), st.Number), 0
}

func (f *floor) take(ctx context.Context) {
	i, ok := f.view.item()
	if !ok {
		return
	}
	if _, err := f.node.Take(ctx, i.Key, api.TakeRequest{Role: f.cmd.Role}); f.failed(err) {
		return
	}
	f.view.chosen, f.view.message = i.Key, f.words.say("did.taken", cmp.Or(clean(i.Number), clean(i.Title)))
	f.read(ctx)
}

// reply states something about the chosen item's statement.
func (f *floor) reply(ctx context.Context, form string, fields map[string]string) {
	if !f.about() {
		return
	}
	i, _ := f.view.item()
	sent, err := f.node.Reply(ctx, i.Statement, api.ReplyRequest{Words: api.Words{Form: form, Text: fields, Drafter: f.cmd.Role}})
	if f.failed(err) {
		return
	}
	f.view.message = f.words.say("did.sent", sent.Number)
	f.read(ctx)
}

// compose asks for a form, and for its fields until there are no more.
func (f *floor) compose() {
	if !f.about() {
		return
	}
	i, _ := f.view.item()
	f.view.chosen = i.Key // what comes in meanwhile does not change what is replied to
	usual, fields := "answer", make(map[string]string)
	if i.Form == "check" {
		usual, fields["answered_by"] = "check-answer", "duty-officer"
	}
	f.typing(f.words.say("ask.form", usual), func(ctx context.Context, typed string) {
		form := cmp.Or(typed, usual)
		var more func(ctx context.Context, typed string)
		more = func(ctx context.Context, typed string) {
			name, value, ok := strings.Cut(typed, "=")
			switch {
			case typed == "":
				f.reply(ctx, form, fields)
				return
			case !ok:
				f.view.message = fmt.Sprintf("%q", typed)
			default:
				fields[strings.TrimSpace(name)] = strings.TrimSpace(value)
			}
			f.typing(f.words.say("ask.field"), more)
		}
		f.typing(f.words.say("ask.field"), more)
	})
}

// failed says on the screen why something was not done.
func (f *floor) failed(err error) bool {
	if err == nil {
		return false
	}
	f.view.message = err.Error()
	if p, ok := errors.AsType[*api.Problem](err); ok {
		f.view.message = strings.Join(append([]string{p.Detail}, p.Fields...), "; ")
		if p.Hint != "" {
			f.view.message += " → " + p.Hint
		}
	}
	return true
}
