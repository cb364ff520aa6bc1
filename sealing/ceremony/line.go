package ceremony

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strconv"
	"strings"

	"detente/sealing"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// ErrLine is returned for lines that are no whole message.
var ErrLine = errors.New("ceremony: not the lines of a message, or not all of them")

// Kind says what a message is.
type Kind string

// The kinds of message.
const (
	KindCard     Kind = "CARD"     // of a box
	KindManifest Kind = "MANIFEST" // what is consented to
	KindPacket   Kind = "PACKET"   // a consent, encrypted to the box
	KindVerdict  Kind = "VERDICT"  // the file from which anybody computes it
)

const (
	prefix    = "DETENTE-SEAL"
	partBytes = 500 // of a message in a line: 800 characters, which a camera reads off a screen
	mostParts = 1 + sealing.MaxFile/partBytes
)

// Message is what some lines say.
type Message struct {
	Kind Kind
	Data []byte
}

func encoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// Lines is a message as lines, each of which fits a picture to be scanned and can as well be pasted: DETENTE-SEAL:KIND:PART/PARTS:CHECK:DATA, of the
// characters that such pictures hold most densely.
func (m Message) Lines() []string {
	sum := sha256.Sum256(m.Data)
	check := strings.ToUpper(hex.EncodeToString(sum[:4]))
	n := max(1, (len(m.Data)+partBytes-1)/partBytes)
	lines := make([]string, n)
	for i := range lines {
		part := m.Data[i*partBytes : min(len(m.Data), (i+1)*partBytes)]
		lines[i] = fmt.Sprintf("%s:%s:%d/%d:%s:%s", prefix, m.Kind, i+1, n, check, encoding().EncodeToString(part))
	}
	return lines
}

// Read finds the messages in a text: their lines in any order, some of them twice, other lines between them. Errors: ErrLine for a line that is damaged, two that
// contradict each other, and a message of which a part is missing; the text says which.
func Read(text string) ([]Message, error) {
	type open struct {
		kind, check string
		parts       [][]byte
	}
	var all []*open
	for line := range strings.Lines(text) {
		line = strings.ToUpper(strings.TrimSpace(line))
		if !strings.HasPrefix(line, prefix+":") {
			continue
		}
		kind, i, n, check, data, err := part(line)
		if err != nil {
			return nil, err
		}
		var o *open
		for _, other := range all {
			if other.kind == kind && other.check == check && len(other.parts) == n {
				o = other
			}
		}
		if o == nil {
			if len(all) == mostParts {
				return nil, fmt.Errorf("%w: too many messages", ErrLine)
			}
			o = &open{kind, check, make([][]byte, n)}
			all = append(all, o)
		}
		if o.parts[i] != nil && !bytes.Equal(o.parts[i], data) {
			return nil, fmt.Errorf("%w: part %d of %s %s is there twice, and different", ErrLine, i+1, kind, check)
		}
		o.parts[i] = data
	}
	var out []Message
	for _, o := range all {
		var data []byte
		for i, p := range o.parts {
			if p == nil {
				return nil, fmt.Errorf("%w: part %d of %d of %s %s is missing", ErrLine, i+1, len(o.parts), o.kind, o.check)
			}
			data = append(data, p...)
		}
		sum := sha256.Sum256(data)
		if !strings.EqualFold(hex.EncodeToString(sum[:4]), o.check) {
			return nil, fmt.Errorf("%w: %s %s is damaged", ErrLine, o.kind, o.check)
		}
		out = append(out, Message{Kind(o.kind), data})
	}
	return out, nil
}

// part reads one line.
func part(line string) (kind string, i, n int, check string, data []byte, err error) {
	fail := func(why string) (string, int, int, string, []byte, error) {
		return "", 0, 0, "", nil, fmt.Errorf("%w: %.40q: %s", ErrLine, line, why)
	}
	f := strings.Split(line, ":")
	if len(f) != 5 || len(line) > 2*partBytes {
		return fail("it has another number of fields")
	}
	at, of, ok := strings.Cut(f[2], "/")
	i, errAt := strconv.Atoi(at)
	n, errOf := strconv.Atoi(of)
	if !ok || errAt != nil || errOf != nil || n < 1 || n > mostParts || i < 1 || i > n {
		return fail("its number")
	}
	switch Kind(f[1]) {
	case KindCard, KindManifest, KindPacket, KindVerdict:
	default:
		return fail("its kind")
	}
	if data, err = encoding().DecodeString(f[4]); err != nil || len(data) > partBytes || len(f[3]) != 8 {
		return fail("its data")
	}
	if data == nil {
		data = []byte{}
	}
	return f[1], i - 1, n, f[3], data, nil
}

// code is a line as a picture of squares.
func code(line string) (barcode.Barcode, error) {
	c, err := qr.Encode(line, qr.L, qr.AlphaNumeric)
	if err != nil {
		return nil, fmt.Errorf("ceremony: picture: %w", err)
	}
	return c, nil
}

// quiet is how many squares stay white around the picture, as its standard asks.
const quiet = 4

func dark(c barcode.Barcode, x, y int) bool {
	b := c.Bounds()
	if x < b.Min.X || y < b.Min.Y || x >= b.Max.X || y >= b.Max.Y {
		return false
	}
	r, _, _, _ := c.At(x, y).RGBA()
	return r < 0x8000
}

// Picture is a line as a PNG to be scanned.
func Picture(line string) ([]byte, error) {
	c, err := code(line)
	if err != nil {
		return nil, err
	}
	const scale = 4
	size := (c.Bounds().Dx() + 2*quiet) * scale
	img := image.NewGray(image.Rect(0, 0, size, size))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for y := range size {
		for x := range size {
			if dark(c, x/scale-quiet, y/scale-quiet) {
				img.Pix[y*img.Stride+x] = 0
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("ceremony: picture: %w", err)
	}
	return out.Bytes(), nil
}

// Show is a line as a picture made of characters, light on a dark screen, two squares in each.
func Show(line string) (string, error) {
	c, err := code(line)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	size := c.Bounds().Dx() + quiet
	for y := -quiet; y < size; y += 2 {
		for x := -quiet; x < size; x++ {
			upper, lower := dark(c, x, y), dark(c, x, y+1)
			switch {
			case upper && lower:
				out.WriteByte(' ')
			case upper:
				out.WriteRune('▄')
			case lower:
				out.WriteRune('▀')
			default:
				out.WriteRune('█')
			}
		}
		out.WriteByte('\n')
	}
	return out.String(), nil
}
