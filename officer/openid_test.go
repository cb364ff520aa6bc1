package officer_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"detente/officer"
	"detente/store/storetest"
)

// provider is an OpenID provider of one page: whoever comes is the subject. Its fields are levers.
type provider struct {
	t       *testing.T
	server  *httptest.Server
	key     *rsa.PrivateKey
	subject string
	change  func(claims map[string]any) // of the next word
	codes   map[string]url.Values       // asked with which parameters
}

func openProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p := &provider{t: t, key: key, subject: "s-anna", codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": p.server.URL, "authorization_endpoint": p.server.URL + "/authorize", "token_endpoint": p.server.URL + "/token",
			"jwks_uri": p.server.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		e := big.NewInt(int64(key.E)).Bytes()
		answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(e),
		}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		asked, ok := p.codes[r.FormValue("code")]
		delete(p.codes, r.FormValue("code"))
		verifier := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !ok || id != "detente" || secret != "hush" || base64.RawURLEncoding.EncodeToString(verifier[:]) != asked.Get("code_challenge") {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]any{"error": "invalid_grant"})
			return
		}
		claims := map[string]any{
			"iss": p.server.URL, "sub": p.subject, "aud": "detente", "nonce": asked.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		}
		if p.change != nil {
			p.change(claims)
		}
		answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": p.word(claims)})
	})
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

// word signs claims.
func (p *provider) word(claims map[string]any) string {
	p.t.Helper()
	body, err := json.Marshal(claims)
	must(p.t, err)
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	hash := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, hash[:])
	must(p.t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// visit is the browser at the provider: it is sent back with an answer.
func (p *provider) visit(address string) url.Values {
	p.t.Helper()
	u, err := url.Parse(address)
	must(p.t, err)
	asked := u.Query()
	if asked.Get("response_type") != "code" || asked.Get("code_challenge_method") != "S256" || asked.Get("redirect_uri") != origin+"/sign-in/openid" {
		p.t.Errorf("the browser is sent with %v", asked)
	}
	code := "code" + asked.Get("state")[:8]
	p.codes[code] = asked
	return url.Values{"state": {asked.Get("state")}, "code": {code}}
}

func TestOpenID(t *testing.T) {
	p := openProvider(t)
	h := &house{t: t, db: storetest.Open(t, officer.Schema())}
	var err error
	h.roll, err = officer.New(officer.Config{DB: h.db, Origin: origin, OpenID: &officer.OpenID{
		Issuer: p.server.URL, Client: "detente", Secret: "hush", Redirect: origin + "/sign-in/openid", HTTP: p.server.Client(),
	}})
	must(t, err)
	_, err = h.roll.Set(t.Context(), officer.Officer{ID: "anna", Name: "Anna", OpenID: "s-anna", Grants: []officer.Grant{{Post: "nrrc", Role: officer.Deputy}}}, "terminal")
	must(t, err)
	begin := func() (url.Values, string) {
		t.Helper()
		address, browser, err := h.roll.BeginOpenID(t.Context())
		must(t, err)
		return p.visit(address), browser
	}
	answer, browser := begin()
	token, s, err := h.roll.FinishOpenID(t.Context(), answer, browser, "Firefox")
	must(t, err)
	if a, err := h.roll.Actor(t.Context(), token); err != nil || a.ID != "anna" || s.Means != officer.ByOpenID {
		t.Errorf("%+v, %v", a, err)
	}
	refuse := func(name string, answer url.Values, browser string) {
		t.Helper()
		_, _, err := h.roll.FinishOpenID(t.Context(), answer, browser, "")
		if err == nil || !strings.Contains(err.Error(), officer.ErrSignIn.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refuse("the same answer again", answer, browser)
	answer, _ = begin()
	refuse("another browser's answer", answer, "its own cookie")
	answer, browser = begin()
	answer.Set("state", "made-up")
	refuse("a state that nobody has begun", answer, browser)
	answer, browser = begin()
	answer.Set("code", "stolen")
	refuse("another code", answer, browser)
	_, browser = begin()
	other, _ := begin()
	refuse("an answer to another sign-in", other, browser)
	answer, browser = begin()
	answer.Set("error", "access_denied")
	refuse("the provider's refusal", answer, browser)
	for name, change := range map[string]func(map[string]any){
		"another nonce":    func(c map[string]any) { c["nonce"] = "x" },
		"no nonce":         func(c map[string]any) { delete(c, "nonce") },
		"another client":   func(c map[string]any) { c["aud"] = "other" },
		"another provider": func(c map[string]any) { c["iss"] = "https://evil.example" },
		"too old":          func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"nobody enrolled":  func(c map[string]any) { c["sub"] = "s-boris" },
		"no subject":       func(c map[string]any) { c["sub"] = "" },
	} {
		p.change = change
		answer, browser := begin()
		refuse(name, answer, browser)
	}
	p.change = nil
	p.key, err = rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	answer, browser = begin()
	refuse("another key", answer, browser)
}
