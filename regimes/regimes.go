// Package regimes carries the regimes that the program ships with, as they are accepted by the members of a channel.
// It must never interpret them, nor change a published one: a channel's charter pins a regime to the byte, so a new version is a new folder.
package regimes

import (
	"embed"
	"io/fs"
)

// FS holds one folder for each regime. Those of incidents and instruments have models of agreements beside the regime, which are no part of it.
//
//go:embed communications dialogue indicators internal link public incidents/*.json incidents/phrases instruments/*.json instruments/phrases
var FS embed.FS

// Communications is the regime of checks, notices, inquiries and their answers.
func Communications() fs.FS { return folder("communications") }

// Link is the regime of the statements by which nodes establish and keep their channels, protocol.md#channel.
func Link() fs.FS { return folder("link") }

// Internal is the regime of what a party's watch keeps for itself, protocol.md#channel.
func Internal() fs.FS { return folder("internal") }

// Indicators is the regime of technical data, such as response teams share, protocol.md#regime.
func Indicators() fs.FS { return folder("indicators") }

// Incidents is the regime of an agreement on preventing incidents, protocol.md#incidents. It includes communications and indicators.
func Incidents() fs.FS { return folder("incidents") }

// Instruments is the regime under which agreements are drafted and brought into force, protocol.md#instruments. It includes communications.
func Instruments() fs.FS { return folder("instruments") }

// Dialogue is the regime of consultations and groups of experts, protocol.md#dialogue. It includes instruments.
func Dialogue() fs.FS { return folder("dialogue") }

// Public is the regime of the channels that a party keeps for everybody, protocol.md#channel. It includes link.
func Public() fs.FS { return folder("public") }

// All lists every regime that the program ships with, as [detente/form.LoadAll] takes them.
func All() []fs.FS {
	return []fs.FS{Link(), Internal(), Communications(), Indicators(), Incidents(), Instruments(), Dialogue(), Public()}
}

func folder(name string) fs.FS {
	sub, _ := fs.Sub(FS, name) // fails only for a name that is no path
	return sub
}
