package api

import (
	"time"

	"detente/traffic"
)

// MISPKey is a MISP that may ask the gateway. Secret is told once, when it is made.
type MISPKey struct {
	Name       string        `json:"name"`
	Audience   string        `json:"audience" enum:"organisation,clients,community,everybody" doc:"Who is behind it: what its label keeps from them does not exist for it."`
	Plane      traffic.Plane `json:"plane"`
	Collection string        `json:"collection,omitempty" doc:"Id of the one that takes what it pushes; empty: it may not push."`
	Created    time.Time     `json:"created,omitzero"`
	Secret     string        `json:"secret,omitempty" doc:"40 letters."`
}

// MISPKeyRequest makes a key.
type MISPKeyRequest struct {
	Name       string        `json:"name"`
	Audience   string        `json:"audience,omitempty" enum:",organisation,clients,community,everybody"`
	Plane      traffic.Plane `json:"plane,omitempty" enum:",real,exercise,test"`
	Collection string        `json:"collection,omitempty" doc:"Id, alias or title."`
}

// MISPEvent is an event of the feed.
type MISPEvent struct {
	UUID      string `json:"uuid"`
	Info      string `json:"info"`
	Timestamp string `json:"timestamp"`
}

// Imported is what became of a file.
type Imported struct {
	Format   string   `json:"format" doc:"STIX, MISP, CSAF, IntelMQ, Shadowserver, CACAO or OpenC2."`
	Advisory string   `json:"advisory,omitempty" doc:"Id of an advisory."`
	CVEs     []string `json:"cves,omitempty"`
	Added
}

// Advisory is a security advisory.
type Advisory struct {
	Hash      string   `json:"hash" doc:"SHA-256 of its bytes."`
	ID        string   `json:"id" doc:"Of its publisher."`
	Namespace string   `json:"namespace"`
	Title     string   `json:"title"`
	Publisher string   `json:"publisher"`
	TLP       string   `json:"tlp,omitempty"`
	Severity  string   `json:"severity,omitempty"`
	CVEs      []string `json:"cves"`
}

// Written is a file, and what stayed behind.
type Written struct {
	Data []byte       `json:"data"`
	Left []WrittenNot `json:"left"`
}

// WrittenNot is an object that stayed behind.
type WrittenNot struct {
	ID  string `json:"id"`
	Why string `json:"why,omitempty" doc:"Empty where the format cannot say it."`
}
