package api

import (
	"encoding/json"
	"time"

	"detente/traffic"
)

// Officer is a person at a post of the own party. Outside the own node only the duty role is seen.
type Officer struct {
	ID       string    `json:"id" doc:"2 to 32 of a-z, 0-9 and -."`
	Name     string    `json:"name"`
	Grants   []Grant   `json:"grants"`
	Language string    `json:"language" doc:"In which screens and calls are."`
	Mail     string    `json:"mail,omitempty" doc:"Called there."`
	Webhook  string    `json:"webhook,omitempty" doc:"Called there."`
	Passkeys []Passkey `json:"passkeys"`
	OpenID   string    `json:"openid,omitempty" doc:"Subject at the organisation's provider."`
	Token    bool      `json:"token,omitempty" doc:"Has a token for tools of his own."`
	Removed  bool      `json:"removed,omitempty"`
	Seen     time.Time `json:"seen,omitzero"`
}

// Grant is a duty role at a post; the post * is every post.
type Grant struct {
	Post string `json:"post"`
	Role string `json:"role" enum:"duty-officer,deputy,head-of-post,senior-official,translator,administrator,auditor"`
}

// Passkey is a credential of an officer.
type Passkey struct {
	ID    string    `json:"id"`
	Label string    `json:"label"`
	Added time.Time `json:"added"`
	Used  time.Time `json:"used,omitzero"`
}

// OfficerRequest enrols an officer, or changes one.
type OfficerRequest struct {
	ID       string  `json:"id,omitempty" doc:"That of the path."`
	Name     string  `json:"name" maxLength:"128"`
	Grants   []Grant `json:"grants"`
	Language string  `json:"language,omitempty" default:"en"`
	Mail     string  `json:"mail,omitempty"`
	Webhook  string  `json:"webhook,omitempty"`
	OpenID   string  `json:"openid,omitempty"`
}

// Invitation is a link by which an officer signs in once, to add a passkey.
type Invitation struct {
	Officer string    `json:"officer"`
	Link    string    `json:"link" doc:"Path and secret; works once."`
	Address string    `json:"address,omitempty" doc:"The same behind the address of the console, where the node knows it."`
	Until   time.Time `json:"until"`
}

// LinkPath is where the console takes a link: before it stands the console's address, behind it the secret.
const LinkPath = "/sign-in/link/"

// APIToken is a token by which an officer's own tools act for him, within his roles.
type APIToken struct {
	Officer string `json:"officer"`
	Token   string `json:"token" doc:"Shown once."`
}

// Session is a sign-in that has not ended.
type Session struct {
	ID      string    `json:"id"`
	Officer string    `json:"officer"`
	Means   string    `json:"means" enum:"passkey,openid,link,token"`
	Device  string    `json:"device,omitempty"`
	Begun   time.Time `json:"begun"`
	Seen    time.Time `json:"seen"`
	Until   time.Time `json:"until"`
	Own     bool      `json:"own,omitempty" doc:"The one that asks."`
}

// Me is whoever asks.
type Me struct {
	Officer  string   `json:"officer" doc:"terminal for whoever may open the socket."`
	Name     string   `json:"name"`
	Grants   []Grant  `json:"grants"`
	Language string   `json:"language"`
	Means    string   `json:"means" enum:"terminal,passkey,openid,link,token"`
	May      []string `json:"may" doc:"Actions, docs/operate.md#roles."`
}

// Release is a statement, or a hand-over, that waits for a second person. What is approved is the digest of the draft; docs/protocol.md, section Release,
// says how anybody computes it from the statement.
type Release struct {
	ID      string       `json:"id"`
	Kind    string       `json:"kind" enum:"statement,handover"`
	Post    traffic.Post `json:"post"`
	Digest  string       `json:"digest" doc:"SHA-256 in hex: what the passkey signs."`
	Drafter string       `json:"drafter" doc:"Officer."`
	Role    string       `json:"role" doc:"Of the drafter."`
	Asked   time.Time    `json:"asked"`
	Until   time.Time    `json:"until" doc:"Then it lapses."`
	Needs   []string     `json:"needs" doc:"Roles, or for a hand-over officers, of whom one each must still approve."`
	Title   string       `json:"title"`
	Text    string       `json:"text" doc:"What will be read, in the language asked for."`
	Mine    bool         `json:"mine" doc:"Whoever asks may approve it now."`
	Draft   *SendRequest `json:"draft,omitempty"`
}

// ReleaseDecision approves or refuses a release. From a session the assertion is the passkey's, over the digest; the terminal needs none, and is
// recorded as the terminal.
type ReleaseDecision struct {
	Approve   bool   `json:"approve"`
	Role      string `json:"role,omitempty"`
	Reason    string `json:"reason,omitempty" maxLength:"2000"`
	Assertion []byte `json:"assertion,omitempty" doc:"PublicKeyCredential in JSON, of navigator.credentials.get."`
}

// Released is what came of an approval.
type Released struct {
	Sent     *Sent `json:"sent,omitempty" doc:"The statement, when nothing more is needed."`
	Complete bool  `json:"complete"`
}

// ApprovalRequest asks for what a passkey is to sign, to approve a release.
type ApprovalRequest struct {
	Role string `json:"role,omitempty" doc:"In which it is approved; empty for the only one, or the lowest."`
}

// Ceremony is what a page gives to navigator.credentials.
type Ceremony struct {
	Options json.RawMessage `json:"options"`
}
