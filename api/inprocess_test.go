package api_test

import (
	"net/http"
	"strings"
	"testing"

	"detente/api"
)

// The handlers of the local API panic when they cannot write. Who has read enough of an answer, such as all but a line feed at its end, must not end the
// node with that.
func TestWhoeverStopsReadingEndsTheAnswerAndNotTheProcess(t *testing.T) {
	ended := make(chan error, 1)
	c := api.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := w.Write([]byte("[]" + strings.Repeat(" ", 1<<16)))
		ended <- err
		panic(err)
	}))
	if list, err := c.Channels(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	if err := <-ended; err == nil {
		t.Error("what nobody reads was written")
	}
	c = api.InProcess(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") }))
	if _, err := c.Channels(t.Context()); err == nil {
		t.Error("no answer was taken for one")
	}
}
