package directory

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"detente/form"
)

// ErrCSV is returned for a file that is no table of contacts; what it wraps says which line.
var ErrCSV = errors.New("directory: not a table of contacts")

// The bounds of a table.
const (
	MaxCSV  = 4 << 20
	maxRows = 5000
)

// extra are the columns that a table shows beside the fields of the form. An import passes over them: only statements set them.
func extra() []string { return []string{"channel", "party", "confirmed", "withdrawn", "stale"} }

// Row is an entry with what stands beside it in a table.
type Row struct {
	Channel   string
	Party     string
	Confirmed string
	Withdrawn string
	Stale     string
	Values    form.Values
}

// Export writes a table of contacts: the fields of the form as columns, values as the command line takes them.
func Export(f *form.Form, rows []Row) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	header := extra()
	for i := range f.Fields {
		header = append(header, f.Fields[i].Name)
	}
	if err := w.Write(header); err != nil {
		return nil, fmt.Errorf("directory: export: %w", err)
	}
	for _, r := range rows {
		texts, err := Texts(f, r.Values)
		if err != nil {
			return nil, err
		}
		cells := []string{r.Channel, r.Party, r.Confirmed, r.Withdrawn, r.Stale}
		for i := range f.Fields {
			cells = append(cells, texts[f.Fields[i].Name])
		}
		for i := range cells {
			cells[i] = disarm(cells[i])
		}
		if err := w.Write(cells); err != nil {
			return nil, fmt.Errorf("directory: export: %w", err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// Texts gives values as [form.Form.FromText] reads them.
func Texts(f *form.Form, v form.Values) (map[string]string, error) {
	raw, err := f.ToJSON(v)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, fmt.Errorf("directory: values: %w", err)
	}
	out := make(map[string]string, len(fields))
	for name, value := range fields {
		switch t := value.(type) {
		case []any:
			var items []string
			for _, item := range t {
				items = append(items, fmt.Sprint(item))
			}
			out[name] = strings.Join(items, ",")
		case map[string]any: // a window: a contact has no file
			out[name] = fmt.Sprint(t["from"]) + "/" + fmt.Sprint(t["to"])
		default:
			out[name] = fmt.Sprint(t)
		}
	}
	return out, nil
}

// Entry is a line of a table that was read.
type Entry struct {
	Line   int
	Fields map[string]string // as the form takes them; only those that are not empty
}

// Import reads a table of contacts. Columns may stand in any order and be left out; one that is not known is an error, since what it says would
// be lost. Error: ErrCSV.
func Import(f *form.Form, file []byte) ([]Entry, error) {
	if len(file) > MaxCSV {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrCSV, len(file), MaxCSV)
	}
	file = bytes.TrimPrefix(file, []byte("\uFEFF")) // as spreadsheets write it
	r := csv.NewReader(bytes.NewReader(file))
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCSV, err)
	}
	for i, name := range header {
		name = strings.TrimSpace(name)
		header[i] = name
		if _, ok := f.Field(name); !ok && !slices.Contains(extra(), name) {
			return nil, fmt.Errorf("%w: the column %.64q is not known; the columns are %s", ErrCSV, name, columns(f))
		}
		if slices.Index(header, name) != i {
			return nil, fmt.Errorf("%w: the column %q is there twice", ErrCSV, name)
		}
	}
	if !slices.Contains(header, "name") {
		return nil, fmt.Errorf("%w: no column name", ErrCSV)
	}
	var out []Entry
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrCSV, err)
		}
		if len(out) == maxRows {
			return nil, fmt.Errorf("%w: more than %d lines", ErrCSV, maxRows)
		}
		line, _ := r.FieldPos(0)
		e := Entry{Line: line, Fields: make(map[string]string)}
		for i, cell := range cells {
			if _, ok := f.Field(header[i]); !ok {
				continue
			}
			if cell = rearm(cell); strings.TrimSpace(cell) != "" {
				e.Fields[header[i]] = cell
			}
		}
		if len(e.Fields) > 0 {
			out = append(out, e)
		}
	}
}

func columns(f *form.Form) string {
	var names []string
	for i := range f.Fields {
		names = append(names, f.Fields[i].Name)
	}
	return strings.Join(names, ", ")
}

// armed tells whether a spreadsheet would take a cell for a formula, and run it; or whether it begins as a disarmed one does.
func armed(s string) bool {
	return s != "" && strings.ContainsRune("=+-@\t\r\n'＝＋－＠|%", []rune(s)[0])
}

// disarm makes a stranger's words text in any spreadsheet.
func disarm(s string) string {
	if armed(s) {
		return "'" + s
	}
	return s
}

// rearm takes back what disarm did, and nothing else.
func rearm(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && armed(rest) {
		return rest
	}
	return s
}
