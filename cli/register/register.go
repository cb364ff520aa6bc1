// Package register is the commands about instruments that are open to others: their acts, and the register that anybody can check.
// It must never decide what an act comes to: the node folds, and the command shows.
package register

// RegisterCmd is the register that a party keeps.
type RegisterCmd struct {
	Build   BuildCmd   `cmd:"" help:"Write the register as files that any web server can carry."`
	Edition EditionCmd `cmd:"" help:"Sign which acts of an instrument this party holds."`
	Import  importCmd  `cmd:"" help:"Load a collection of dated acts, and hold the status that it states against the one that they give."`
}
