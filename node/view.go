package node

import (
	"detente/party"
	"detente/traffic"
)

// viewed are the channels of which the node and a peer tell each other how they see them, by name. protocol.md#view
func (n *Node) viewed(peer traffic.Party) map[[32]byte]string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make(map[[32]byte]string)
	for id, c := range n.channels {
		if (c.Kind == party.Common || c.Kind == party.Link) && c.Member(peer) && c.Member(n.self) {
			out[id] = c.Name
		}
	}
	return out
}
