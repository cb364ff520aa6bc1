package gateway_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"detente/gateway/objects"
	"detente/stix"
	"detente/store"
)

// cpu is what this process has used of the processors.
func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// resident is the memory of this process, in MiB.
func resident() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseFloat(strings.Fields(string(b))[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

func benchShelf(b *testing.B) (*objects.Shelf, objects.Collection) {
	db, err := store.Open(b.Context(), store.Config{DSN: filepath.Join(b.TempDir(), "node.db"), Schemas: []store.Schema{objects.Schema()}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	s := objects.Open(db, nil)
	c, err := s.Create(b.Context(), objects.Collection{Title: "indicators", Flow: objects.Local})
	if err != nil {
		b.Fatal(err)
	}
	return s, c
}

// BenchmarkValidatedAdd is envelopes of 100 objects: read, held against the schemas, stored and synced.
func BenchmarkValidatedAdd(b *testing.B) {
	s, c := benchShelf(b)
	v, err := stix.NewValidator()
	if err != nil {
		b.Fatal(err)
	}
	began, n := cpu(), 0
	b.ResetTimer()
	for b.Loop() {
		var list []string
		for range 100 {
			list = append(list, indicator(n, 1, green, ""))
			n++
		}
		bundle, err := v.Split([]byte(`{"objects":[` + strings.Join(list, ",") + `]}`))
		if err != nil {
			b.Fatal(err)
		}
		var all []objects.Object
		for i := range bundle.Items {
			if bundle.Items[i].Err != nil {
				b.Fatal(bundle.Items[i].Err)
			}
			o := bundle.Items[i].Object
			all = append(all, objects.Object{ID: o.ID, Type: o.Type, Version: o.Modified, Spec: o.SpecVersion, Bytes: o.Raw})
		}
		if _, err := s.Add(b.Context(), c.Number, all, objects.Source{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric(float64((cpu()-began).Microseconds())/float64(n), "cpu-µs/object")
}

// BenchmarkMillion fills a collection (DETENTE_OBJECTS says how far, 100,000 by default) and reads it: a page of 100 at its beginning, in its middle and at its
// end, and all of it by its positions.
func BenchmarkMillion(b *testing.B) {
	total := 100_000
	if n, err := strconv.Atoi(os.Getenv("DETENTE_OBJECTS")); err == nil {
		total = n
	}
	s, c := benchShelf(b)
	began, most := time.Now(), 0.0
	list := make([]objects.Object, 0, 1024)
	var middle, end time.Time
	for n := 0; n < total; {
		list = list[:0]
		for range min(1024, total-n) {
			raw := []byte(indicator(n, 1, green, `,"name":"`+strings.Repeat("x", 200)+`"`))
			list = append(list, objects.Object{ID: indicatorID(n), Type: "indicator", Version: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Spec: "2.1", Bytes: raw})
			n++
		}
		out, err := s.Add(b.Context(), c.Number, list, objects.Source{})
		if err != nil {
			b.Fatal(err)
		}
		if n >= total/2 && middle.IsZero() {
			middle = out[0].Added
		}
		if n >= total-1024 && end.IsZero() {
			end = out[0].Added // some 1,000 to 2,000 are behind it
		}
		most = max(most, resident())
	}
	filled := time.Since(began)
	for name, after := range map[string]time.Time{"first": {}, "middle": middle, "last": end} {
		for filter, f := range map[string]objects.Filter{"newest": {}, "type": {Types: []string{"indicator"}}, "all": {Versions: objects.Versions{All: true}}} {
			b.Run(fmt.Sprintf("page/%s/%s", filter, name), func(b *testing.B) {
				f.After, f.Limit = after, 100
				used := cpu()
				for b.Loop() {
					if _, err := s.Page(b.Context(), c.Number, f, func(*objects.Row) error { return nil }); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((cpu()-used).Microseconds())/float64(b.N), "cpu-µs/page")
			})
		}
	}
	b.Run("read100000", func(b *testing.B) {
		used := cpu()
		for b.Loop() {
			f, rows := objects.Filter{Limit: 1000}, 0
			for rows < 100_000 {
				p, err := s.Page(b.Context(), c.Number, f, func(*objects.Row) error { rows++; return nil })
				if err != nil {
					b.Fatal(err)
				}
				if !p.More {
					break
				}
				f.After = p.Next
				most = max(most, resident())
			}
		}
		b.ReportMetric((cpu()-used).Seconds()/float64(b.N), "cpu-s/100000")
		b.ReportMetric(most, "MiB-resident")
		b.ReportMetric(float64(total)/filled.Seconds(), "added/s")
	})
}
