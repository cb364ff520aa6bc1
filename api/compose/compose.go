// Package compose makes the fields of a form out of what a person or a tool has given.
// It must never make up what was not given, nor let pass what the form would refuse.
package compose

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"

	"detente/api"
	"detente/form"
)

// ErrRequest is returned where what was given does not fit together.
var ErrRequest = errors.New("api: the request lacks something")

// Values are the fields of a form as they were given, with the files that they name.
func Values(w *api.Words, f *form.Form) (v form.Values, blobs [][]byte, err error) {
	switch {
	case w.Fields != nil && w.Text != nil:
		return nil, nil, fmt.Errorf("%w: fields as JSON or as text, not both", ErrRequest)
	case w.Fields != nil:
		v, err = f.FromJSON(w.Fields)
	default:
		v, err = f.FromText(w.Text)
	}
	if err != nil {
		return nil, nil, err
	}
	v = maps.Clone(v)
	if v == nil {
		v = form.Values{}
	}
	for _, a := range w.Attachments {
		field, err := fieldOf(&a, f)
		if err != nil {
			return nil, nil, err
		}
		mediaType, _, err := mime.ParseMediaType(a.Type) // statements bear it without parameters
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %q is no media type", ErrRequest, a.Type)
		}
		b := form.Blob{Hash: sha256.Sum256(a.Data), Size: int64(len(a.Data)), Name: a.Name, Type: mediaType}
		if field.Kind == form.KindBlob {
			v[field.Name] = b.Value()
		} else {
			list, _ := v[field.Name].([]any)
			v[field.Name] = append(slices.Clone(list), b.Value())
		}
		blobs = append(blobs, a.Data)
	}
	return v, blobs, nil
}

// fieldOf is where a file goes: the field named, or the only one that takes files.
func fieldOf(a *api.Attachment, f *form.Form) (*form.Field, error) {
	var found []*form.Field
	for i := range f.Fields {
		field := &f.Fields[i]
		if (field.Kind == form.KindBlob || field.Kind == form.KindBlobs) && (a.Field == "" || a.Field == field.Name) {
			found = append(found, field)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%w: form %s has %d fields that %q could go to", ErrRequest, f.ID, len(found), a.Name)
	}
	return found[0], nil
}
