package cli

import (
	"fmt"
	"slices"
	"strings"

	"detente/cli/session"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help gives examples and the exit codes.
func (completionCmd) Help() string {
	return session.Detail(`
		detente completion bash > /etc/bash_completion.d/detente
		detente completion fish > ~/.config/fish/completions/detente.fish`, session.ExitDone, session.ExitUse)
}

// Run prints the completion script, made from the same struct as the grammar.
func (c *completionCmd) Run(s *session.Session, model *kong.Application) error {
	var words []completion
	collect(model.Node, "", &words)
	switch c.Shell {
	case "fish":
		for _, w := range words {
			w.fish(s)
		}
	case "zsh":
		s.Printf("#compdef detente\nautoload -U +X bashcompinit && bashcompinit\n")
		fallthrough
	default:
		bash(s, words)
	}
	return nil
}

// completion is what may follow a command.
type completion struct {
	path     string // of the command, without the program: "charter export"
	commands []*kong.Node
	flags    []*kong.Flag
}

// collect walks the grammar.
func collect(n *kong.Node, path string, into *[]completion) {
	c := completion{path: path}
	for _, child := range n.Children {
		if !child.Hidden {
			c.commands = append(c.commands, child)
		}
	}
	for _, group := range n.AllFlags(true) {
		c.flags = append(c.flags, group...)
	}
	*into = append(*into, c)
	for _, child := range c.commands {
		collect(child, strings.TrimSpace(path+" "+child.Name), into)
	}
}

func bash(s *session.Session, words []completion) {
	s.Printf("_detente() {\n  local path=\"\" word words=\"\"\n")
	s.Printf("  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case \"$path $word\" in\n")
	var paths []string
	for _, w := range words[1:] {
		paths = append(paths, fmt.Sprintf("%q", " "+w.path))
	}
	s.Printf("      %s) path=\"$path $word\" ;;\n    esac\n  done\n  case \"$path\" in\n", strings.Join(paths, "|"))
	for _, w := range words {
		var next []string
		for _, c := range w.commands {
			next = append(next, c.Name)
		}
		for _, f := range w.flags {
			next = append(next, "--"+f.Name)
		}
		slices.Sort(next)
		at := ""
		if w.path != "" {
			at = " " + w.path
		}
		s.Printf("    %q) words=%q ;;\n", at, strings.Join(slices.Compact(next), " "))
	}
	s.Printf("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _detente detente\n")
}

// fish prints one line for each word that may follow the command.
func (w completion) fish(s *session.Session) {
	when := "__fish_use_subcommand"
	if w.path != "" {
		seen := strings.Fields(w.path)
		when = "__fish_seen_subcommand_from " + strings.Join(seen, "; and __fish_seen_subcommand_from ")
	}
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }
	for _, c := range w.commands {
		s.Printf("complete -c detente -f -n %s -a %s -d %s\n", quote(when), c.Name, quote(c.Help))
	}
	for _, f := range w.flags {
		s.Printf("complete -c detente -n %s -l %s -d %s\n", quote(when), f.Name, quote(f.Help))
	}
}
