// Package flat reads and writes events in one line each: IntelMQ's, as JSON or CSV, and Shadowserver's reports in CSV.
// It must never invent what a line does not say: a field that cannot be read is an error of its line, and the other lines are read all the same.
package flat

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"detente/gateway/mint"
)

// ErrLine says that a line is not an event; the text says why.
var ErrLine = errors.New("flat: not an event")

// ErrFile says that the whole is not a list of events.
var ErrFile = errors.New("flat: not a list of events")

// The limits of what is read.
const (
	MaxLine   = 1 << 20 // bytes
	MaxEvents = 1_000_000

	maxExtra  = 200 // fields that IntelMQ has no name for
	maxFields = 300
)

// Event is one event, by the names of IntelMQ's fields, such as "source.ip"; fields that it has no name for are named "extra." and their own name.
// Values are as they are written: numbers in digits, times in RFC 3339.
type Event map[string]string

// kind is what a field holds.
type kind int

const (
	words kind = iota
	lower      // in small letters
	upper
	whole
	decimal
	boolean
	instant
	address
	network
	host
	link
	encoded
)

// fields are the fields of IntelMQ's data format, version 3.
func fields() map[string]kind {
	f := map[string]kind{
		"classification.identifier": words, "classification.taxonomy": lower, "classification.type": lower, "comment": words, "event_description.target": words,
		"event_description.text": words, "event_description.url": link, "event_hash": upper, "feed.accuracy": decimal, "feed.code": words, "feed.documentation": words,
		"feed.name": words, "feed.provider": words, "feed.url": link, "malware.hash.md5": words, "malware.hash.sha1": words, "malware.hash.sha256": words,
		"malware.name": lower, "malware.version": words, "misp.attribute_uuid": lower, "misp.event_uuid": lower, "output": words, "product.full_name": words,
		"product.name": words, "product.vendor": words, "product.version": words, "product.vulnerabilities": words, "protocol.application": lower,
		"protocol.transport": lower, "raw": encoded, "rtir_id": whole, "screenshot_url": link, "severity": lower, "status": words, "time.observation": instant,
		"time.source": instant, "tlp": upper, "source.geolocation.cymru_cc": upper, "source.geolocation.geoip_cc": upper,
	}
	for _, side := range []string{"source.", "destination."} {
		for name, k := range map[string]kind{
			"abuse_contact": lower, "account": words, "allocated": instant, "as_name": words, "asn": whole, "domain_suffix": host, "fqdn": host, "geolocation.cc": upper,
			"geolocation.city": words, "geolocation.country": words, "geolocation.latitude": decimal, "geolocation.longitude": decimal, "geolocation.region": words,
			"geolocation.state": words, "ip": address, "local_hostname": words, "local_ip": address, "network": network, "port": whole, "registry": upper,
			"reverse_dns": host, "tor_node": boolean, "url": link, "urlpath": words,
		} {
			f[side+name] = k
		}
	}
	return f
}

// known is the table of fields, made once for a file.
type known map[string]kind

// set puts a value into an event, in the one way that it is written. An empty value says nothing.
func (f known) set(e Event, name, value string) error {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil
	}
	k, ok := f[name]
	if !ok {
		if !strings.HasPrefix(name, "extra.") {
			name = "extra." + name
		}
		if !isName(name) {
			return fmt.Errorf("the field %.40q", name)
		}
		if len(e) >= maxFields {
			return fmt.Errorf("more than %d fields", maxFields)
		}
		e[name] = value
		return nil
	}
	v, err := k.read(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	e[name] = v
	return nil
}

func isName(s string) bool {
	return len(s) <= 100 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

func (k kind) read(v string) (string, error) {
	bad := func(what string) (string, error) { return "", fmt.Errorf("%.60q is no %s", v, what) }
	switch k {
	case lower:
		return strings.ToLower(v), nil
	case upper:
		return strings.ToUpper(v), nil
	case whole:
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(v), "AS"), 10, 32)
		if err != nil {
			return bad("number")
		}
		return strconv.FormatUint(n, 10), nil
	case decimal:
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || n != n || n > 1e9 || n < -1e9 {
			return bad("number")
		}
		return strconv.FormatFloat(n, 'f', -1, 64), nil
	case boolean:
		b, err := strconv.ParseBool(strings.ToLower(v))
		if err != nil {
			return bad("answer")
		}
		return strconv.FormatBool(b), nil
	case instant:
		t, ok := parseTime(v)
		if !ok {
			return bad("time")
		}
		return t.Format(time.RFC3339Nano), nil
	case address:
		a, err := netip.ParseAddr(v)
		if err != nil || a.Zone() != "" {
			return bad("address")
		}
		return a.Unmap().String(), nil
	case network:
		p, err := netip.ParsePrefix(v)
		if err != nil {
			return bad("network")
		}
		return p.Masked().String(), nil
	case host:
		v = strings.TrimSuffix(strings.ToLower(v), ".")
		if len(v) > 253 || strings.ContainsAny(v, " /\\'\"\t\r\n\x00") {
			return bad("name")
		}
	}
	return v, nil
}

// parseTime reads the times of these formats. One without a zone is in UTC, as both say.
func parseTime(v string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil && t.Year() > 0 && t.Year() < 9000 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// Time is when it happened: time.source, or else when it was observed. Zero if the event does not say.
func (e Event) Time() time.Time {
	for _, name := range []string{"time.source", "time.observation"} {
		if t, ok := parseTime(e[name]); ok {
			return t
		}
	}
	return time.Time{}
}

// key is what makes two events the same: everything but when a machine looked at it and what is made of the rest.
func (e Event) key() string {
	var parts []string
	for _, name := range names(e) {
		switch name {
		case "time.observation", "raw", "output", "event_hash", "feed.accuracy", "rtir_id":
		default:
			parts = append(parts, name, e[name])
		}
	}
	return mint.UUID(parts...)
}
