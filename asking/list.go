package asking

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"slices"

	"detente/observable"

	"github.com/cloudflare/circl/oprf"
	"golang.org/x/sync/errgroup"
)

// Sizes of a list, protocol.md#asking.
const (
	EntrySize = 16
	MinBucket = 1 << 10
	MaxBucket = 1 << 21
)

// ListType is the media type of the attachment that is a list.
const ListType = "application/vnd.detente.lookup-list"

const listHead = "detente-lookup-list.v1\n"

// MaxListSize is the most bytes of a list.
const MaxListSize = len(listHead) + MaxBucket*EntrySize

// Entry is what stands in a list for an indicator: the first 16 bytes of the function's output. That two indicators share one by chance among two
// million takes 2^107 tries.
type Entry [EntrySize]byte

// Bucket is how many entries a list of n indicators has: the next power of two, so that their number is told to within a factor of two. It is 0
// where there are too many.
func Bucket(n int) int {
	b := MinBucket
	for b < n {
		b *= 2
	}
	if n < 0 || b > MaxBucket {
		return 0
	}
	return b
}

// Publish makes the list of indicators, each in its one spelling, under this key: sorted, without duplicates, filled up with what no indicator gives. It
// works on all cores, some 100 µs for each. Errors: ErrKind, ErrCount, that of ctx.
func (k *Key) Publish(ctx context.Context, values []observable.Observable) ([]byte, error) {
	inputs, err := inputsOf(values)
	if err != nil {
		return nil, err
	}
	if Bucket(len(inputs)) == 0 {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrCount, len(inputs), MaxBucket)
	}
	entries := make([]Entry, len(inputs))
	g, ctx := errgroup.WithContext(ctx)
	cores := runtime.GOMAXPROCS(0)
	for core := range cores {
		g.Go(func() error {
			server := oprf.NewVerifiableServer(suite(), k.private)
			for i := core; i < len(inputs); i += cores {
				if i/cores%64 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				out, err := server.FullEvaluate(inputs[i])
				if err != nil {
					return fmt.Errorf("asking: %w", err)
				}
				entries[i] = Entry(out[:EntrySize])
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return fill(entries), nil
}

// fill sorts, leaves out what is there twice, and adds random entries up to the bucket. To whoever has not the key they look like the others.
func fill(entries []Entry) []byte {
	entries = distinct(entries)
	bucket := Bucket(len(entries))
	for len(entries) < bucket {
		for range bucket - len(entries) {
			var e Entry
			rand.Read(e[:])
			entries = append(entries, e)
		}
		entries = distinct(entries)
	}
	out := make([]byte, 0, len(listHead)+len(entries)*EntrySize)
	out = append(out, listHead...)
	for _, e := range entries {
		out = append(out, e[:]...)
	}
	return out
}

func distinct(entries []Entry) []Entry {
	slices.SortFunc(entries, func(a, b Entry) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(entries)
}

// List is a list as it was published.
type List struct{ entries []byte }

// ParseList reads a list: its head, and bucket entries that ascend, a power of two of them. The bytes are kept, not copied. Error: ErrList.
func ParseList(b []byte, bucket int64) (List, error) {
	rest, ok := bytes.CutPrefix(b, []byte(listHead))
	n := int64(len(rest) / EntrySize)
	if !ok || len(rest)%EntrySize != 0 || n != bucket || n < MinBucket || int64(Bucket(int(min(n, MaxBucket+1)))) != n {
		return List{}, fmt.Errorf("%w: %d bytes", ErrList, len(b))
	}
	for i := EntrySize; i < len(rest); i += EntrySize {
		if bytes.Compare(rest[i-EntrySize:i], rest[i:i+EntrySize]) >= 0 {
			return List{}, fmt.Errorf("%w: entries out of order", ErrList)
		}
	}
	return List{rest}, nil
}

// Has tells whether an entry is in the list.
func (l List) Has(e Entry) bool {
	low, high := 0, len(l.entries)/EntrySize
	for low < high {
		mid := (low + high) / 2
		switch bytes.Compare(l.entries[mid*EntrySize:(mid+1)*EntrySize], e[:]) {
		case 0:
			return true
		case -1:
			low = mid + 1
		default:
			high = mid
		}
	}
	return false
}

// Size is how many entries the list has, those that were filled up included.
func (l List) Size() int { return len(l.entries) / EntrySize }

// SizeOf is how many entries a list of so many bytes has. Error: ErrList where that is no bucket.
func SizeOf(bytes int64) (int64, error) {
	n := (bytes - int64(len(listHead))) / EntrySize
	if n < MinBucket || n > MaxBucket || int64(Bucket(int(n))) != n || int64(len(listHead))+n*EntrySize != bytes {
		return 0, fmt.Errorf("%w: %d bytes", ErrList, bytes)
	}
	return n, nil
}
