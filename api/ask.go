package api

import "context"

// Ask asks a node in the name of a package that keeps requests and types of its own, such as api/drafting. Its errors are those of [Client].
func Ask[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	return call[T](ctx, c, method, path, in)
}

// Query writes the parameters of a request, given as name and value in turn; those without a value are left out.
func Query(pairs ...string) string { return query(pairs...) }

// Segment writes one part of a path.
func Segment(s string) string { return seg(s) }
