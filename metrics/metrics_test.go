package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"detente/traffic"

	"github.com/prometheus/client_golang/prometheus"
)

// meter measures a watch that stands as given, without a node.
func meter(t *testing.T, w Watch, err error) *Meter {
	t.Helper()
	m, failed := New(Config{Registry: prometheus.NewRegistry(), Version: "v0"})
	if failed != nil {
		t.Fatal(failed)
	}
	m.Observe(nil, func(context.Context) (Watch, error) { return w, err }, nil, nil)
	return m
}

func scrape(t *testing.T, m *Meter) string {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/openmetrics-text") {
		t.Errorf("content type %s", kind)
	}
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheWatchInNumbers(t *testing.T) {
	now := time.Now()
	m := meter(t, Watch{
		Items: []Item{
			{Precedence: traffic.Flash, Since: now.Add(-90 * time.Second), Overdue: true}, {Precedence: traffic.Flash, Since: now.Add(-10 * time.Second)},
			{Precedence: traffic.Routine, Since: now.Add(-time.Hour), Taken: true, Overdue: true},
		},
		Unmanned: 1, Stale: 2, Sessions: 3, Releases: 4,
		Calls:  []Calls{{"mail", "placed", 5}, {"command", "failed", 1}},
		Checks: []Checks{{"xs", "missed", 1}},
	}, nil)
	m.Committed(3 * time.Millisecond)
	text := scrape(t, m)
	for _, line := range []string{
		`detente_watch_items{precedence="FLASH",state="untaken"} 2.0`, `detente_watch_items{precedence="ROUTINE",state="taken"} 1.0`,
		`detente_watch_items{precedence="IMMEDIATE",state="untaken"} 0.0`,
		`detente_watch_items_overdue{precedence="FLASH"} 1.0`, `detente_watch_items_overdue{precedence="ROUTINE"} 1.0`,
		`detente_watch_oldest_untaken_seconds{precedence="ROUTINE"} 0.0`,
		`detente_posts_unmanned 1.0`, `detente_directory_stale 2.0`, `detente_sessions 3.0`, `detente_releases_waiting 4.0`,
		`detente_calls_total{means="mail",outcome="placed"} 5.0`, `detente_calls_total{means="command",outcome="failed"} 1.0`,
		`detente_checks{peer="xs",state="missed"} 1.0`, `detente_watch_readable 1.0`, `detente_commit_seconds_count 1`,
		`detente_commit_seconds_bucket{le="0.005"} 1`, `detente_commit_seconds_bucket{le="0.002"} 0`, "# EOF",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("lacks %s", line)
		}
	}
	if !regexp.MustCompile(`detente_watch_oldest_untaken_seconds{precedence="FLASH"} 9\d\.`).MatchString(text) {
		t.Error("the oldest FLASH is not 90 seconds old")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// A watch that cannot be read is told as such, and is not told as a quiet one.
func TestAWatchThatCannotBeReadIsNoQuietWatch(t *testing.T) {
	text := scrape(t, meter(t, Watch{}, errors.New("the disk is gone")))
	if !strings.Contains(text, "detente_watch_readable 0.0\n") || strings.Contains(text, "detente_watch_items") || strings.Contains(text, "disk is gone") {
		t.Error(text)
	}
}

// names are all metrics that a meter may tell.
func names(t *testing.T, m *Meter) map[string]bool {
	t.Helper()
	out := map[string]bool{"up": true, "go_goroutines": true, "process_resident_memory_bytes": true, "detente_build_info": true}
	named := regexp.MustCompile(`fqName: "([^"]+)"`)
	for _, c := range []prometheus.Collector{m.commits, m.nodes, watchCollector{m}} {
		descs := make(chan *prometheus.Desc, 100)
		c.Describe(descs)
		close(descs)
		for d := range descs {
			name := named.FindStringSubmatch(d.String())[1]
			out[name] = true
			if strings.HasSuffix(name, "_seconds") {
				out[name+"_bucket"] = true
			}
		}
	}
	return out
}

// The examples in docs/operate name nothing that is not measured, and every metric is used by one of them.
func TestExamplesNameWhatIsMeasured(t *testing.T) {
	known, used := names(t, meter(t, Watch{}, nil)), map[string]bool{}
	word := regexp.MustCompile(`\b(?:detente_[a-z_]+|up|go_goroutines|process_[a-z_]+)\b`)
	look := func(where, expr string) {
		found := word.FindAllString(expr, -1)
		if len(found) == 0 {
			t.Errorf("%s: %q names no metric", where, expr)
		}
		for _, name := range found {
			used[strings.TrimSuffix(name, "_bucket")] = true
			if !known[name] {
				t.Errorf("%s: there is no metric %s", where, name)
			}
		}
	}
	for alert, expr := range alerts(t) {
		look(alert, expr)
	}
	text, err := os.ReadFile("../docs/operate/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			Targets []struct{ Expr, LegendFormat string }
		}
		Templating struct{ List []struct{ Query string } }
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		if p.Type == "" || len(p.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			look(p.Title, target.Expr)
		}
	}
	look("templating", board.Templating.List[1].Query)
	for name := range known {
		if !used[strings.TrimSuffix(name, "_bucket")] {
			t.Errorf("neither example uses %s", name)
		}
	}
}

// alerts reads the example strictly: the shape that Prometheus wants of it, in the one way that this file writes it.
func alerts(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/operate/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shapes := []struct {
		name string
		line *regexp.Regexp
		next []string // what may follow
	}{
		{"groups", regexp.MustCompile(`^groups:$`), []string{"group"}},
		{"group", regexp.MustCompile(`^  - name: [a-z]+$`), []string{"rules"}},
		{"rules", regexp.MustCompile(`^    rules:$`), []string{"alert"}},
		{"alert", regexp.MustCompile(`^      - alert: ([A-Z]\w+)$`), []string{"expr"}},
		{"expr", regexp.MustCompile(`^        expr: ([a-z][^#]*[^#:\s])$`), []string{"for", "labels"}},
		{"for", regexp.MustCompile(`^        for: \d+[smhd]$`), []string{"labels"}},
		{"labels", regexp.MustCompile(`^        labels:$`), []string{"severity"}},
		{"severity", regexp.MustCompile(`^          severity: (page|ticket)$`), []string{"annotations"}},
		{"annotations", regexp.MustCompile(`^        annotations:$`), []string{"summary"}},
		{"summary", regexp.MustCompile(`^          summary: "[^"\\]+"$`), []string{"runbook"}},
		{"runbook", regexp.MustCompile(`^          runbook: "(docs/[a-z]+\.md[^"\\]*)"$`), []string{"alert", "group"}},
	}
	out := map[string]string{}
	may, alert := []string{"groups"}, ""
line:
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, s := range shapes {
			m := s.line.FindStringSubmatch(line)
			if m == nil || !strings.Contains(strings.Join(may, " "), s.name) {
				continue
			}
			switch s.name {
			case "alert":
				alert = m[1]
				if out[alert] != "" {
					t.Errorf("line %d: the alert %s is there twice", n+1, alert)
				}
			case "runbook":
				file, section, named := strings.Cut(m[1], ", ")
				b, err := os.ReadFile("../" + file)
				if err != nil || named && !regexp.MustCompile(`(?m)^##+ `+regexp.QuoteMeta(section)+`$`).Match(b) {
					t.Errorf("line %d: there is no section %q in %s", n+1, section, file)
				}
			case "expr":
				out[alert] = m[1]
				if strings.Count(m[1], "(") != strings.Count(m[1], ")") || strings.Count(m[1], "{") != strings.Count(m[1], "}") || strings.Count(m[1], `"`)%2 != 0 {
					t.Errorf("line %d: %s is not closed", n+1, m[1])
				}
			}
			may = s.next
			continue line
		}
		t.Errorf("line %d: %q is none of %v", n+1, line, may)
	}
	return out
}
