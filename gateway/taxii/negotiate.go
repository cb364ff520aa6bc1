package taxii

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

const (
	maxAccept = 4096 // bytes of the header
	maxRanges = 64
)

// acceptable tells whether a client takes TAXII 2.1, section 1.6.8. A range without a version means whatever this server has, and so does one of
// everything: newcomers fail at this more than at anything else.
func acceptable(headers []string) error {
	all := strings.Join(headers, ",")
	if strings.TrimSpace(all) == "" {
		return nil
	}
	refused := &refusal{http.StatusNotAcceptable, "Not acceptable", "this server answers in " + MediaType + "; send the header Accept: " + MediaType}
	if len(all) > maxAccept {
		return refused
	}
	for i, part := range strings.Split(all, ",") {
		if i == maxRanges {
			break
		}
		media, params, err := mime.ParseMediaType(part)
		if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
			continue
		}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil && q <= 0 {
			continue
		}
		switch media {
		case "*/*", "application/*":
			return nil
		case "application/taxii+json":
			if v, given := params["version"]; !given || v == "2.1" {
				return nil
			}
		}
	}
	return refused
}

// sent tells whether a body is said to be TAXII 2.1.
func sent(h http.Header) error {
	refused := &refusal{http.StatusUnsupportedMediaType, "Unsupported media type", "a body is " + MediaType + ", not compressed"}
	if e := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding"))); e != "" && e != "identity" {
		return refused
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != "application/taxii+json" {
		return refused
	}
	if v, given := params["version"]; given && v != "2.1" {
		return refused
	}
	return nil
}

// refusal is an answer that is an error, section 3.6. What it says is for the client's operator.
type refusal struct {
	status int
	title  string
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("taxii: %d: %s", r.status, r.text) }

func notFound(text string) error {
	return &refusal{http.StatusNotFound, "Not found", text}
}

func badRequest(text string) error { return &refusal{http.StatusBadRequest, "Bad request", text} }

func forbidden(text string) error { return &refusal{http.StatusForbidden, "Forbidden", text} }
