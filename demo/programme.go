package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"detente/api/programme"
)

// board ends the story with the six measures between Northland and Southland. Each draws the board from what it holds, in its language, and both come to the same.
func (p *play) board(ctx context.Context) error {
	both := []*actor{p.north, p.south}
	boards := make([]programme.Board, len(both))
	for i, a := range both {
		var dead []string
		err := a.until(ctx, "six measures alive", func() (bool, error) {
			var err error
			boards[i], err = a.programme().Board(ctx, p.north.id, p.south.id, programme.Ask{Lang: a.language})
			dead = nil
			for _, l := range boards[i].Lines {
				if l.Stands != "alive" {
					dead = append(dead, fmt.Sprintf("%d %s is %s: %s", l.Measure, l.Title, l.Stands, l.Words))
				}
			}
			return err == nil && len(dead) == 0 && len(boards[i].Lines) == 6, err
		})
		if err != nil {
			return fmt.Errorf("%w: %s", err, strings.Join(dead, "; "))
		}
	}
	for i := range boards[0].Lines {
		if x, y := rests(&boards[0].Lines[i]), rests(&boards[1].Lines[i]); !slices.Equal(x, y) {
			return fmt.Errorf("demo: measure %d rests on %v at one end, on %v at the other", i+1, x, y)
		}
	}
	p.printf("\n")
	p.step("the programme of Northland and Southland, %s. Each draws it from what both have stated, and both come to the same; in brackets what a line rests on",
		boards[0].On.UTC().Format("02 Jan 2006 15:04Z"))
	for i := range boards[0].Lines {
		north, south := &boards[0].Lines[i], &boards[1].Lines[i]
		p.printf("\n  %d  %s · %s: %s\n     %s%s\n", north.Measure, north.Title, south.Title, strings.ToUpper(north.StandsIn), north.Words, numbered(north.Evidence))
		for _, f := range north.Facts[:min(3, len(north.Facts))] {
			p.printf("       %s  %s%s\n", f.At.UTC().Format("15:04:05Z"), short(f.Words, 130), numbered(f.Evidence))
		}
	}
	return nil
}

// rests lists the statements that a line rests on.
func rests(l *programme.Line) (out []string) {
	for _, e := range l.Evidence {
		out = append(out, e.Statement)
	}
	for _, f := range l.Facts {
		for _, e := range f.Evidence {
			out = append(out, e.Statement)
		}
	}
	return out
}

// numbered names the first statement that something rests on, and how many more there are.
func numbered(list []programme.Evidence) string {
	if len(list) == 0 {
		return ""
	}
	first := list[0].Number
	if first == "" {
		first = list[0].Statement[:12]
	}
	if more := len(list) - 1; more > 0 {
		return fmt.Sprintf("  [%s and %d more]", first, more)
	}
	return "  [" + first + "]"
}

// programme is what a party's node says about the six measures.
func (a *actor) programme() programme.Client { return programme.Client{Node: a.Client} }
