package form

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Outside the wire values are written so: a time in RFC 3339, a window as {"from","to"}, a duration as "1h30m", byte strings and ids in
// hex, texts as {"en": "…", "ru": "…"}, a blob as {"hash","size","name","type"}, the rest as JSON has it.

const maxJSON = 4 * maxPayload

// FromJSON reads values as the local API carries them. An empty text or list is an absent value.
func (f *Form) FromJSON(raw json.RawMessage) (Values, error) {
	if len(raw) > maxJSON {
		return nil, fmt.Errorf("form: %s: %d bytes of JSON: %w", f.ID, len(raw), ErrTooLong)
	}
	var fields map[string]json.RawMessage
	if err := decodeStrict(raw, &fields); err != nil {
		return nil, fmt.Errorf("form: %s: %w: %w", f.ID, ErrValue, err)
	}
	v := Values{}
	for name, raw := range fields {
		field, ok := f.byName[name]
		if !ok {
			return nil, f.refuse(fmt.Sprintf("%.40q", name), ErrUnknownField)
		}
		value, err := field.fromJSON(raw)
		if err != nil {
			return nil, f.refuse(name, fmt.Errorf("%w: %w", ErrValue, err))
		}
		if value != nil {
			v[name] = value
		}
	}
	return v, nil
}

// FromText reads values as a command line gives them, each as name=value: codes and lists with commas between, a window as from/to, a
// time in RFC 3339 or as a date-time group; texts as one name.tag=value for each language, such as title.en.
func (f *Form) FromText(fields map[string]string) (Values, error) {
	v := Values{}
	for name, s := range fields {
		if named, err := f.addNamed(v, name, s); err != nil {
			return nil, err
		} else if named {
			continue
		}
		field, ok := f.byName[name]
		if !ok {
			return nil, f.refuse(fmt.Sprintf("%.40q", name), ErrUnknownField)
		}
		value, err := field.fromText(s)
		if err != nil {
			return nil, f.refuse(name, fmt.Errorf("%w: %w", ErrValue, err))
		}
		if value != nil {
			v[name] = value
		}
	}
	return v, nil
}

// jsonBlob and jsonWindow are how two kinds stand in JSON.
type (
	jsonBlob struct {
		Hash string `json:"hash"`
		Size int64  `json:"size"`
		Name string `json:"name"`
		Type string `json:"type"`
	}
	jsonWindow struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
)

func (b jsonBlob) value() (any, error) {
	hash, err := hex.DecodeString(b.Hash)
	return map[string]any{"hash": hash, "size": b.Size, "name": b.Name, "type": b.Type}, err
}

// fromJSON gives nil for an absent value.
func (field *Field) fromJSON(raw json.RawMessage) (any, error) {
	if raw[0] == '"' {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, err
		}
		return field.fromText(s)
	}
	switch field.Kind {
	case KindCount, KindDuration:
		var n int64
		err := json.Unmarshal(raw, &n)
		return n, err
	case KindBool:
		var b bool
		err := json.Unmarshal(raw, &b)
		return b, err
	case KindCodes, KindBytesList, KindDigests, KindAddresses:
		var list []string
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		return field.fromText(strings.Join(list, ","))
	case KindTexts:
		return textsFromJSON(raw)
	case KindWindow:
		var w jsonWindow
		if err := decodeStrict(raw, &w); err != nil {
			return nil, err
		}
		return field.fromText(w.From + "/" + w.To)
	case KindBlob:
		var b jsonBlob
		if err := decodeStrict(raw, &b); err != nil {
			return nil, err
		}
		return b.value()
	case KindBlobs:
		var list []jsonBlob
		if err := decodeStrict(raw, &list); err != nil || len(list) == 0 {
			return nil, err
		}
		blobs := make([]any, len(list))
		for i, b := range list {
			var err error
			if blobs[i], err = b.value(); err != nil {
				return nil, err
			}
		}
		return blobs, nil
	}
	return nil, fmt.Errorf("%.20s is no %s", raw, field.Kind)
}

// fromText gives nil for an absent value.
func (field *Field) fromText(s string) (any, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	switch field.Kind {
	case KindText:
		return strings.ReplaceAll(s, "\r\n", "\n"), nil // browsers end lines so
	case KindLine, KindCode, KindAddress:
		return s, nil
	case KindCodes:
		return field.acceptCodes(strings.Split(s, ","))
	case KindAddresses:
		var list []any
		for item := range strings.SplitSeq(s, ",") {
			list = append(list, strings.TrimSpace(item))
		}
		return list, nil
	case KindTime:
		return parseTime(s)
	case KindWindow:
		from, to, _ := strings.Cut(s, "/")
		a, err := parseTime(from)
		if err != nil {
			return nil, err
		}
		b, err := parseTime(to)
		return []any{a, b}, err
	case KindDuration:
		d, err := time.ParseDuration(s)
		return int64(d / time.Second), err
	case KindCount:
		return strconv.ParseInt(s, 10, 64)
	case KindBool:
		return strconv.ParseBool(s)
	case KindStatement, KindBytes:
		return hex.DecodeString(s)
	case KindBytesList, KindDigests:
		var list []any
		for item := range strings.SplitSeq(s, ",") {
			b, err := hex.DecodeString(item)
			if err != nil {
				return nil, err
			}
			list = append(list, b)
		}
		return list, nil
	}
	if field.Kind == KindTexts {
		return nil, fmt.Errorf("say in which language each text is, such as %s.en", field.Name)
	}
	return nil, errors.New("a file is attached, not written")
}

// ToJSON writes values as FromJSON reads them, in the order of the form.
func (f *Form) ToJSON(v Values) (json.RawMessage, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i := range f.Fields {
		field := &f.Fields[i]
		value, ok := v[field.Name]
		if !ok {
			continue
		}
		b, err := json.Marshal(field.toJSON(value))
		if err != nil {
			return nil, f.refuse(field.Name, err)
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:%s", field.Name, b)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func (field *Field) toJSON(value any) any {
	switch field.Kind {
	case KindTime:
		return rfc3339(value)
	case KindDuration:
		n, _ := value.(int64)
		return (time.Duration(n) * time.Second).String()
	case KindWindow:
		if w, ok := value.([]any); ok && len(w) == 2 {
			return jsonWindow{rfc3339(w[0]), rfc3339(w[1])}
		}
	case KindStatement, KindBytes:
		b, _ := value.([]byte)
		return hex.EncodeToString(b)
	case KindBytesList, KindDigests, KindBlobs:
		list, _ := value.([]any)
		each := Field{Kind: map[Kind]Kind{KindBytesList: KindBytes, KindDigests: KindBytes, KindBlobs: KindBlob}[field.Kind]}
		out := make([]any, len(list))
		for i, item := range list {
			out[i] = each.toJSON(item)
		}
		return out
	case KindBlob:
		b, _ := blobOf(value)
		return jsonBlob{hex.EncodeToString(b.Hash[:]), b.Size, b.Name, b.Type}
	}
	return value
}

func rfc3339(seconds any) string {
	n, _ := seconds.(int64)
	return time.Unix(n, 0).UTC().Format(time.RFC3339)
}

const (
	dtgLayout  = "021504Z Jan 06"
	dtgSeconds = "021504:05Z Jan 06"
)

// DTG is t as a date-time group, such as "231415Z NOV 26": day, hour and minute in UTC, month, year. Two digits say the years from 2000 to 2068; any other has four,
// "010000Z JAN 2099", because an agreement may outlast whoever could have known which century was meant.
func DTG(t time.Time) string {
	t, layout := t.UTC(), dtgLayout
	if t.Year() < 2000 || t.Year() > 2068 {
		layout = dtgLayout[:len(dtgLayout)-2] + "2006"
	}
	return strings.ToUpper(t.Format(layout))
}

// ParseDTG reads a date-time group, with seconds after a colon if there are any: "231415:30Z NOV 26". The year has two digits, from 2000 to 2068, or four.
func ParseDTG(s string) (time.Time, error) {
	for _, layout := range []string{dtgLayout, dtgSeconds} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 2000 { // 69 to 99 would be of the last century
			return t, nil
		}
		if t, err := time.Parse(layout[:len(layout)-2]+"2006", s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("form: %q is no date-time group such as 231415Z NOV 26", s)
}

func parseTime(s string) (int64, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = ParseDTG(s)
	}
	return t.Unix(), err
}
