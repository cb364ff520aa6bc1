package misp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/gateway/mint"
	"detente/label"
)

// The files of a feed, beside one <uuid>.json for each event.
const (
	manifestFile = "manifest.json"
	hashesFile   = "hashes.csv"
)

// Entry is an event in a list of events.
type Entry struct {
	UUID      Text      `json:"-"`
	Orgc      Org       `json:"Orgc"`
	Tags      []Tag     `json:"Tag"`
	Info      Text      `json:"info"`
	Date      Text      `json:"date"`
	Analysis  Text      `json:"analysis"`
	Threat    Text      `json:"threat_level_id"`
	Timestamp Text      `json:"timestamp"`
	Changed   time.Time `json:"-"`
}

// Entry gives the event's line in a list.
func (e *Event) Entry() Entry {
	x := Entry{UUID: e.UUID, Tags: e.Tags, Info: e.Info, Date: e.Date, Analysis: e.Analysis, Threat: e.ThreatLevel, Timestamp: e.Timestamp, Changed: e.Changed()}
	if e.Orgc != nil {
		x.Orgc = *e.Orgc
	}
	if x.Tags == nil {
		x.Tags = []Tag{}
	}
	return x
}

// Leave holds a whole event against its own label: the second look, after that of [NewEvent] at each object. Error: a [label.Refusal].
func (e *Event) Leave(over label.Path, own bool) error {
	m := readTags(e.Tags)
	return label.Leave(label.Parcel{TLP: m.tlp, PAP: m.pap, Plane: m.plane, Own: own}, over)
}

// Files makes a feed: its files by name. An event whose label forbids the path is refused, and the feed with it: events are chosen before. Error: a
// [label.Refusal].
func Files(events []*Event, over label.Path) (map[string][]byte, error) {
	files := map[string][]byte{}
	manifest := map[string]Entry{}
	var hashes bytes.Buffer
	for _, e := range events {
		if err := e.Leave(over, false); err != nil {
			return nil, fmt.Errorf("misp: event %s: %w", e.UUID, err)
		}
		if !mint.IsUUID(string(e.UUID)) {
			return nil, fmt.Errorf("misp: %w: %.40q is no UUID", ErrEvent, e.UUID)
		}
		b, err := e.JSON()
		if err != nil {
			return nil, err
		}
		uuid := strings.ToLower(string(e.UUID))
		files[uuid+".json"], manifest[uuid] = b, e.Entry()
		for _, h := range e.hashes() {
			hashes.WriteString(h + "," + uuid + "\n")
		}
	}
	b, err := json.Marshal(manifest)
	if err != nil {
		return nil, fmt.Errorf("misp: %w", err)
	}
	files[manifestFile], files[hashesFile] = append(b, '\n'), hashes.Bytes()
	return files, nil
}

// hashes are the MD5 sums of all values, and of the parts of values in two parts: what MISP compares cached feeds by. Each once, sorted.
func (e *Event) hashes() []string {
	var all []string
	add := func(a Attribute) {
		if a.Deleted || a.Value == "" {
			return
		}
		all = append(all, hashOf(string(a.Value)))
		if strings.Contains(string(a.Type), "|") {
			if i := strings.LastIndexByte(string(a.Value), '|'); i >= 0 {
				all = append(all, hashOf(string(a.Value[:i])), hashOf(string(a.Value[i+1:])))
			}
		}
	}
	for _, a := range e.Attributes {
		add(a)
	}
	for _, o := range e.Objects {
		for _, a := range o.Attributes {
			add(a)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func hashOf(value string) string {
	sum := md5.Sum([]byte(value)) // the format's own choice; nothing rests on it
	return hex.EncodeToString(sum[:])
}

// Write writes a feed into a folder, which any web server may then serve. Whoever reads meanwhile finds no event in the manifest that is not there:
// the manifest comes last. Files of events that are gone are removed after it.
func Write(folder string, files map[string][]byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("misp: feed: %w", err)
	}
	names := make([]string, 0, len(files))
	for name := range files {
		if name != manifestFile && name != hashesFile {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range append(names, hashesFile, manifestFile) {
		if err := replace(filepath.Join(folder, name), files[name]); err != nil {
			return fmt.Errorf("misp: feed: %w", err)
		}
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("misp: feed: %w", err)
	}
	for _, f := range there {
		name := f.Name()
		uuid, isEvent := strings.CutSuffix(name, ".json")
		if _, kept := files[name]; !kept && isEvent && mint.IsUUID(uuid) {
			if err := os.Remove(filepath.Join(folder, name)); err != nil {
				return fmt.Errorf("misp: feed: %w", err)
			}
		}
	}
	return nil
}

// replace writes a file so that a reader sees the old one or the new one.
func replace(path string, b []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, b) {
		return nil
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, b, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// ErrFeed says that a feed could not be read; the text says why.
var ErrFeed = errors.New("misp: the feed cannot be read")

const (
	maxManifest = 64 << 20
	maxEvents   = 200_000
	maxHashes   = 512 << 20
)

// Source is a feed to read from. The address is the operator's; nothing that stands in the feed is followed.
type Source struct {
	URL    string      // of the folder
	Header http.Header // such as Authorization
	HTTP   *http.Client
}

// Manifest lists what the feed has, by UUID. Error: ErrFeed.
func (s *Source) Manifest(ctx context.Context) (map[string]Entry, error) {
	b, err := s.get(ctx, manifestFile, maxManifest)
	if err != nil {
		return nil, err
	}
	return readManifest(b)
}

// readManifest reads the list of a feed. Error: ErrFeed.
func readManifest(b []byte) (map[string]Entry, error) {
	if !shallow(b) {
		return nil, fmt.Errorf("%w: the manifest is nested too deep", ErrFeed)
	}
	var all map[string]Entry
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%w: manifest: %w", ErrFeed, err)
	}
	if len(all) > maxEvents {
		return nil, fmt.Errorf("%w: %d events, over %d", ErrFeed, len(all), maxEvents)
	}
	for uuid, e := range all {
		changed, ok := seconds(e.Timestamp)
		if !mint.IsUUID(uuid) || !ok {
			return nil, fmt.Errorf("%w: the manifest names %.40q, changed at %.20q", ErrFeed, uuid, e.Timestamp)
		}
		e.UUID, e.Changed = Text(uuid), changed
		all[uuid] = e
	}
	return all, nil
}

// Event fetches one event, and gives its bytes too. Errors: ErrFeed, ErrEvent.
func (s *Source) Event(ctx context.Context, uuid string) (*Event, []byte, error) {
	if !mint.IsUUID(uuid) {
		return nil, nil, fmt.Errorf("%w: %.40q is no UUID", ErrFeed, uuid)
	}
	b, err := s.get(ctx, uuid+".json", MaxEvent)
	if err != nil {
		return nil, nil, err
	}
	e, err := Read(b)
	if err != nil {
		return nil, nil, err
	}
	if !strings.EqualFold(string(e.UUID), uuid) {
		return nil, nil, fmt.Errorf("%w: asked for %s, it gave %s", ErrFeed, uuid, e.UUID)
	}
	return e, b, nil
}

// Known tells which of the own values stand in the feed, and in which of its events, without telling the feed which: only its list of hashes is
// fetched. Error: ErrFeed.
func (s *Source) Known(ctx context.Context, values []string) (map[string][]string, error) {
	r, err := s.open(ctx, hashesFile)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	by := map[string]string{}
	for _, v := range values {
		by[hashOf(v)] = v
	}
	found := map[string][]string{}
	lines := bufio.NewScanner(io.LimitReader(r, maxHashes))
	for lines.Scan() {
		sum, uuid, _ := strings.Cut(strings.TrimSpace(lines.Text()), ",")
		if v, ok := by[sum]; ok && mint.IsUUID(uuid) && len(found[v]) < 100 {
			found[v] = append(found[v], uuid)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: hashes: %w", ErrFeed, err)
	}
	return found, nil
}

func (s *Source) get(ctx context.Context, name string, most int64) ([]byte, error) {
	r, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFeed, name, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%w: %s is over %d bytes", ErrFeed, name, most)
	}
	return b, nil
}

func (s *Source) open(ctx context.Context, name string) (io.ReadCloser, error) {
	where, err := url.JoinPath(s.URL, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFeed, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFeed, err)
	}
	if ip := net.ParseIP(r.URL.Hostname()); len(s.Header) > 0 && r.URL.Scheme == "http" && r.URL.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%w: a key goes over https alone; http is for this machine", ErrFeed)
	}
	for k, v := range s.Header {
		r.Header[k] = v
	}
	client := http.Client{Timeout: 5 * time.Minute}
	if s.HTTP != nil {
		client = *s.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the header would go with it
	answer, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFeed, err)
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("%w: %s: %s", ErrFeed, name, answer.Status)
	}
	return answer.Body, nil
}
