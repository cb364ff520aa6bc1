package traffic

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Feed names a feed, protocol.md#feed: one party's statements on a channel, plane and precedence. It is comparable, and on the wire the array
// [channel id, party, plane, precedence, epoch].
type Feed struct {
	_          struct{} `cbor:",toarray"`
	Channel    [32]byte
	Party      Party
	Plane      Plane
	Precedence Precedence
	Epoch      int // counts from 0
}

const originPrefix = "detente.v1"

// Origin is the first line of the feed's checkpoints: "detente.v1/<channel, hex>/<party>/<plane>/<precedence>/<epoch>".
func (f Feed) Origin() string {
	b := make([]byte, 0, 128)
	b = append(b, originPrefix+"/"...)
	b = hex.AppendEncode(b, f.Channel[:])
	for _, s := range [...]string{string(f.Party), string(f.Plane), string(f.Precedence)} {
		b = append(append(b, '/'), s...)
	}
	return string(strconv.AppendInt(append(b, '/'), int64(f.Epoch), 10))
}

// Valid tells whether every part of the name is one that protocol.md#feed allows. The epoch fits 31 bits, so that it is the same number on
// every machine.
func (f Feed) Valid() bool {
	return f.Party.Valid() && f.Plane.Valid() && f.Precedence.Valid() && f.Epoch >= 0 && f.Epoch < 1<<31
}

// ParseOrigin reads what Origin writes, and nothing else: a feed has one origin. Error: ErrName.
func ParseOrigin(s string) (Feed, error) {
	part := strings.SplitN(s, "/", 7)
	if len(part) != 6 || part[0] != originPrefix || len(part[1]) != 64 {
		return Feed{}, fmt.Errorf("%w: origin %.128q", ErrName, s)
	}
	f := Feed{Party: Party(part[2]), Plane: Plane(part[3]), Precedence: Precedence(part[4])}
	_, err := hex.Decode(f.Channel[:], []byte(part[1]))
	if err == nil {
		f.Epoch, err = strconv.Atoi(part[5])
	}
	if err != nil || !f.Valid() || f.Origin() != s { // the last refuses upper-case hex, a sign and leading zeros
		return Feed{}, fmt.Errorf("%w: origin %.128q", ErrName, s)
	}
	return f, nil
}

// Number is the number of a message as people say it: XN/NRRC-O-0003 is the third statement of xn's feed of precedence IMMEDIATE, by the post
// nrrc. Outside the real plane, and after the first epoch, it says so: XN/NRRC-O-0003-EXERCISE-E1.
func Number(from Address, f Feed, index int64) string {
	s := fmt.Sprintf("%s-%s-%04d", strings.ToUpper(from.String()), string(f.Precedence), index+1)
	if f.Plane != Real {
		s += "-" + strings.ToUpper(string(f.Plane))
	}
	if f.Epoch > 0 {
		s += "-E" + strconv.Itoa(f.Epoch)
	}
	return s
}
