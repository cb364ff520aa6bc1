package call

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader holds the time and the signature of a webhook's call.
const SignatureHeader = "Detente-Signature"

// Skew is how far a webhook's time may be off the receiver's clock.
const Skew = 5 * time.Minute

// Webhook reaches officers by a request to an address of their own.
type Webhook struct {
	Secret []byte
	Client *http.Client // nil: the network of this machine
}

// Place makes the request. It is placed when the answer's status is from 200 to 299; redirects are not followed, lest a call goes where nobody
// has sent it. Error: ErrCall.
func (w *Webhook) Place(ctx context.Context, c Call) error {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("%w: webhook: %w", ErrCall, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: webhook: %w", ErrCall, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", c.ID)
	r.Header.Set(SignatureHeader, Sign(w.Secret, time.Now(), body))
	client := http.Client{}
	if w.Client != nil {
		client = *w.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%w: webhook: %w", ErrCall, err)
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("%w: webhook: %w: it answered %s", ErrCall, ErrRefused, answer.Status)
	}
	return nil
}

// Sign gives the signature header of a body at a time: "t=SECONDS,v1=HEX", HMAC-SHA256 over "SECONDS.BODY".
func Sign(secret []byte, at time.Time, body []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac(secret, stamp, body))
}

func mac(secret []byte, stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// errSignature says that a body was not signed by who knows the secret, or too long ago.
var errSignature = errors.New("call: the signature is not right")

// Verify is what the receiver of a webhook does: it compares the signature, and the time with its own.
func Verify(secret []byte, now time.Time, header string, body []byte) error {
	stamp, signature, found := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	have, hexErr := hex.DecodeString(signature)
	if !found || err != nil || hexErr != nil || now.Sub(time.Unix(seconds, 0)).Abs() > Skew || !hmac.Equal(have, mac(secret, stamp, body)) {
		return errSignature
	}
	return nil
}
