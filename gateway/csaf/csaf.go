// Package csaf reads security advisories in the Common Security Advisory Framework 2.0: which vulnerability, in what products, with what remedy.
// It must never change an advisory, nor fetch one or what it refers to: it is carried as the bytes that came, and only looked at.
package csaf

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"detente/gateway/kind"
	"detente/label"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed schemas/*.json
var schemas embed.FS

// ErrDocument says that a document is no advisory of CSAF 2.0; the text says where.
var ErrDocument = errors.New("csaf: not an advisory of CSAF 2.0")

const (
	// MaxDocument is the largest advisory that is read, in bytes.
	MaxDocument = 16 << 20

	maxDepth    = 100     // of brackets; branches of products may be nested at will
	maxProducts = 100_000 // names kept
	maxListed   = 10_000  // products listed for one vulnerability in one status
	schemaURL   = "https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json"
)

// Reader validates and reads advisories. It may be used by several goroutines.
type Reader struct{ schema *jsonschema.Schema }

// NewReader compiles the schemas, which takes some milliseconds.
func NewReader() (*Reader, error) {
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	c.AssertFormat()
	names, err := fs.Glob(schemas, "schemas/*.json")
	if err != nil {
		return nil, fmt.Errorf("csaf: %w", err)
	}
	for _, name := range names {
		b, err := schemas.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("csaf: %w", err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("csaf: %s: %w", name, err)
		}
		url := "https://www.first.org/cvss/" + path.Base(name)
		if strings.HasSuffix(name, "csaf_json_schema.json") {
			url = schemaURL
		}
		if err := c.AddResource(url, doc); err != nil {
			return nil, fmt.Errorf("csaf: %s: %w", name, err)
		}
	}
	s, err := c.Compile(schemaURL)
	if err != nil {
		return nil, fmt.Errorf("csaf: %w", err)
	}
	return &Reader{schema: s}, nil
}

// nowhere is where schemas are loaded from that are not embedded.
type nowhere struct{}

// Load always fails.
func (nowhere) Load(url string) (any, error) { return nil, fmt.Errorf("csaf: %s is not embedded", url) }

// Document is an advisory as a person needs it.
type Document struct {
	Raw       []byte // as it came
	ID        string // of the publisher
	Title     string
	Category  string // such as csaf_security_advisory
	Publisher string
	Namespace string // the publisher's address, which with ID is unique in the world
	Language  string
	Status    string // draft, interim or final
	Version   string
	Initial   time.Time
	Current   time.Time
	TLP       label.TLP // Unmarked if it says none
	Summary   string    // its first note of that kind

	Vulnerabilities []Vulnerability
}

// Vulnerability is one weakness in an advisory.
type Vulnerability struct {
	CVE, CWE string
	Title    string
	Summary  string
	Score    float64 // the highest CVSS base score; 0 if there is none
	Severity string  // as the advisory says it
	Affected []string
	Fixed    []string
	Safe     []string // known not to be affected
	Unsure   []string // under investigation
	Remedies []Remedy
}

// Remedy is what the publisher proposes.
type Remedy struct {
	Kind string // such as vendor_fix, workaround, no_fix_planned
	Text string
	URL  string // never fetched
}

// Read validates an advisory by the schema of OASIS and reads it. What it returns shares no memory with b, but for Raw. Error: ErrDocument.
func (r *Reader) Read(b []byte) (*Document, error) {
	if len(b) > MaxDocument {
		return nil, fmt.Errorf("%w: %d bytes, over %d", ErrDocument, len(b), MaxDocument)
	}
	if !kind.Shallow(b, maxDepth) {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrDocument, maxDepth)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if err := r.schema.Validate(v); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrDocument, first(err))
	}
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	d, err := f.document()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	d.Raw = b
	return d, nil
}

// first says where the deepest of the faults lies, in one line.
func first(err error) string {
	v, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err.Error()
	}
	for len(v.Causes) > 0 {
		v = v.Causes[0]
	}
	text := v.Error()
	if i := strings.LastIndexByte(strings.TrimRight(text, "\n"), '\n'); i >= 0 {
		text = strings.Trim(text[i:], "\n -")
	}
	return fmt.Sprintf("/%s: %.200s", strings.Join(v.InstanceLocation, "/"), text)
}

// CVEs lists the CVE numbers of the advisory, sorted, each once.
func (d *Document) CVEs() []string {
	var all []string
	for _, v := range d.Vulnerabilities {
		if v.CVE != "" {
			all = append(all, v.CVE)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var cve = regexp.MustCompile(`(?i)\bCVE-[0-9]{4}-[0-9]{4,12}\b`)

// maxFound is how many CVE numbers are taken from one text.
const maxFound = 1000

// FindCVEs lists the CVE numbers that stand in texts, such as the fields of a case or the external references of an object: sorted, each once.
func FindCVEs(texts ...string) []string {
	var all []string
	for _, t := range texts {
		for _, found := range cve.FindAllString(t, maxFound) {
			all = append(all, strings.ToUpper(found))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Link is an advisory's bearing on a case.
type Link struct {
	Case string
	CVEs []string
}

// Links tells which of the cases an advisory bears on: cases holds, by the number of a case, the CVE numbers named in it, as [FindCVEs] gives
// them. The links are sorted by case.
func (d *Document) Links(cases map[string][]string) []Link {
	own := d.CVEs()
	var links []Link
	for number, named := range cases {
		var both []string
		for _, n := range named {
			if _, found := slices.BinarySearch(own, n); found {
				both = append(both, n)
			}
		}
		if len(both) > 0 {
			slices.Sort(both)
			links = append(links, Link{Case: number, CVEs: slices.Compact(both)})
		}
	}
	slices.SortFunc(links, func(a, b Link) int { return strings.Compare(a.Case, b.Case) })
	return links
}
