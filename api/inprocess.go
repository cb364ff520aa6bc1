package api

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// inProcess is a transport that calls a handler of this process. The answer can be read while it is written.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = r.URL.RequestURI()
	read, write := io.Pipe()
	w := &pipeWriter{header: make(http.Header), pipe: write, begun: make(chan struct{})}
	go func() {
		defer in.Body.Close()
		defer func() {
			// A handler panics when what it writes is wanted no more: whoever asked has gone. As over a network, that ends the answer and not the process.
			if v := recover(); v != nil {
				w.WriteHeader(http.StatusInternalServerError)
				write.CloseWithError(fmt.Errorf("api: the answer broke off: %v", v))
			}
		}()
		t.handler.ServeHTTP(w, in)
		w.WriteHeader(http.StatusOK)
		write.Close()
	}()
	<-w.begun
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: read, ContentLength: -1, Request: r,
	}, nil
}

// pipeWriter is the handler's end. A reader that closes its body makes Write fail, and so the handler end.
type pipeWriter struct {
	header http.Header
	pipe   *io.PipeWriter

	once   sync.Once
	begun  chan struct{} // closed when status and sent are set
	status int
	sent   http.Header
}

// Header implements http.ResponseWriter.
func (w *pipeWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

// Write implements http.ResponseWriter.
func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(b)
}

// Flush implements http.Flusher: what is written is there at once.
func (w *pipeWriter) Flush() {}

// SetReadDeadline and SetWriteDeadline are asked for by what serves a network; within a process nobody is slow.
func (w *pipeWriter) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, like SetReadDeadline.
func (w *pipeWriter) SetWriteDeadline(time.Time) error { return nil }
