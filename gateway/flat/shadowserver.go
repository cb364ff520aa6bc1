package flat

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"detente/label"
)

// shadowserver reads the rows of one report.
type shadowserver struct {
	report   string
	columns  []string // the field of IntelMQ for each column; "" is passed over
	constant Event
}

// datedName is how a report's file is named: 2026-11-23-scan_mysql-xn-geo.csv.
var datedName = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}-([a-z0-9_]+)`)

// Report gives the type of a report from the name of its file; "" if it is not one of Shadowserver.
func Report(file string) string {
	m := datedName.FindStringSubmatch(path.Base(file))
	if m == nil {
		return ""
	}
	return m[1]
}

// shared are the columns of all reports. Where a report is of connections its columns begin with src_ and dst_.
func shared() map[string]string {
	m := map[string]string{
		"timestamp": "time.source", "protocol": "protocol.transport", "ip": "source.ip", "port": "source.port", "asn": "source.asn", "geo": "source.geolocation.cc",
		"region": "source.geolocation.region", "city": "source.geolocation.city", "hostname": "source.reverse_dns", "application": "protocol.application",
		"url": "source.url", "http_url": "destination.url", "http_host": "destination.fqdn", "family": "malware.name", "infection": "malware.name", "malware": "malware.name", "md5": "malware.hash.md5",
		"sha1": "malware.hash.sha1", "sha256": "malware.hash.sha256", "md5hash": "malware.hash.md5", "cc": "destination.ip", "severity": "severity",
		"cc_port": "destination.port", "device_vendor": "product.vendor", "device_model": "product.name",
	}
	for side, to := range map[string]string{"src_": "source.", "dst_": "destination."} {
		for name, field := range map[string]string{
			"ip": "ip", "port": "port", "asn": "asn", "geo": "geolocation.cc", "region": "geolocation.region", "city": "geolocation.city", "hostname": "reverse_dns",
		} {
			m[side+name] = to + field
		}
	}
	return m
}

// classes tells what kind of incident a report is about, by the beginning of its name: the longest that fits.
func classes() map[string]string {
	return map[string]string{
		"scan_": "potentially-unwanted-accessible", "scan6_": "potentially-unwanted-accessible", "population": "other", "event4_sinkhole": "infected-system",
		"event6_sinkhole": "infected-system", "event4_microsoft_sinkhole": "infected-system", "microsoft_sinkhole": "infected-system", "event4_honeypot_brute_force": "brute-force",
		"event4_honeypot_http_scan": "scanner", "event4_honeypot_darknet": "scanner", "event4_honeypot_ddos": "ddos", "event4_honeypot_ddos_amp": "ddos",
		"event4_ddos_participant": "ddos", "event4_ip_spoofer": "misconfiguration", "botnet_drone": "infected-system", "drone": "infected-system",
		"blocklist": "other", "compromised_website": "system-compromise", "scan_ssl": "weak-crypto", "scan_ssl_poodle": "weak-crypto", "scan6_ssl_poodle": "weak-crypto",
		"scan_ssl_freak": "weak-crypto", "scan_exchange": "vulnerable-system", "scan_http_vulnerable": "vulnerable-system", "scan_log4shell_vulnerable": "vulnerable-system",
		"scan_ntp": "ddos-amplifier", "scan_ntpmonitor": "ddos-amplifier", "scan_dns": "ddos-amplifier", "scan_memcached": "ddos-amplifier", "scan_chargen": "ddos-amplifier", "scan_snmp": "ddos-amplifier",
		"scan_ssdp": "ddos-amplifier", "scan_qotd": "ddos-amplifier", "scan_ddos_middlebox": "ddos-amplifier", "malware_url": "malware-distribution", "phish_url": "phishing",
		"sandbox_conn": "malware-distribution", "sandbox_url": "malware-distribution", "sandbox_dns": "malware-distribution", "honeypot_brute_force": "brute-force", "scan_cisco_smart_install": "misconfiguration",
		"cisco_smart_install": "misconfiguration", "special": "vulnerable-system", "device_id": "undetermined",
	}
}

func newShadowserver(report string, head []string) (*shadowserver, error) {
	typ, longest := "undetermined", 0
	for prefix, t := range classes() {
		if strings.HasPrefix(report, prefix) && len(prefix) > longest {
			typ, longest = t, len(prefix)
		}
	}
	c, _ := label.OfType(typ)
	s := &shadowserver{report: report, constant: Event{
		"feed.name": "Shadowserver " + report, "feed.code": "shadowserver-" + report, "feed.provider": "Shadowserver", "classification.type": c.Type, "classification.taxonomy": c.Class,
		"classification.identifier": strings.TrimPrefix(strings.TrimPrefix(report, "scan_"), "event4_"),
	}}
	fields, taken := shared(), map[string]bool{}
	for _, name := range head {
		to := fields[strings.TrimSpace(name)]
		if to == "" || taken[to] {
			to = "extra." + strings.TrimSpace(name)
		}
		taken[to] = true
		s.columns = append(s.columns, to)
	}
	if !taken["time.source"] || !taken["source.ip"] && !taken["source.url"] && !taken["destination.ip"] {
		return nil, fmt.Errorf("%w: not a report of Shadowserver: it has no timestamp, or no address", ErrFile)
	}
	return s, nil
}

func (s *shadowserver) event(f known, row []string) (Event, error) {
	e := Event{}
	for k, v := range s.constant {
		e[k] = v
	}
	for i, v := range row {
		if i >= len(s.columns) {
			return nil, errors.New("more values than columns")
		}
		if to := s.columns[i]; v != "" && to != "extra." {
			if err := f.set(e, to, v); err != nil {
				return nil, err
			}
		}
	}
	if e["time.source"] == "" {
		return nil, errors.New("it has no timestamp")
	}
	return e, nil
}
