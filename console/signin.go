package console

import (
	"errors"
	"io"
	"net/http"
	"time"

	"detente/api"
	"detente/officer"
)

// signInPage is where an officer comes in.
type signInPage struct {
	Frame
	To     string // where he wanted to go
	OpenID bool
	Failed bool   // the last attempt
	Link   string // secret of a one-time link; then a button uses it up, so that whoever merely looks at an address does not
}

// passkeyPage is where an officer adds a passkey, and sees those that he has.
type passkeyPage struct {
	Frame
	First bool // he has come by a link, and cannot come again without one
}

// continuePage goes on to a page of ours by itself: from here on the browser sends the session's cookie, which it does not on the way from
// another site.
type continuePage struct{ Frame }

func (s *Server) registerSignIn() {
	s.mux.HandleFunc("GET /sign-in", s.signIn)
	s.mux.HandleFunc("POST /sign-in/begin", s.signInBegin)
	s.mux.HandleFunc("POST /sign-in/finish", s.signInFinish)
	s.mux.HandleFunc("GET /sign-in/link/{secret}", s.signIn)
	s.mux.HandleFunc("POST /sign-in/link", s.signInLink)
	s.mux.HandleFunc("GET /sign-in/openid/begin", s.openID)
	s.mux.HandleFunc("GET /sign-in/openid", s.openIDBack)
	s.mux.HandleFunc("POST /sign-out", s.signOut)
	s.mux.HandleFunc("POST /passkey/begin", s.passkeyBegin)
	s.mux.HandleFunc("POST /passkey/finish", s.passkeyFinish)
}

// sessionName names the cookie. It bears the party's name, because browsers tell neither ports nor, on loopback, parties apart.
func (s *Server) sessionName() string {
	if s.secure {
		return "__Host-detente-" + string(s.cfg.Party)
	}
	return "detente-" + string(s.cfg.Party)
}

// admit gives the browser its session: always a new one, made here, so that none that somebody else put there is ever taken up.
func (s *Server) admit(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.sessionName(), Value: token, Path: "/", MaxAge: int(officer.Longest / time.Second), HttpOnly: true, Secure: s.secure,
		SameSite: http.SameSiteStrictMode,
	})
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	v := s.stranger(r)
	p := &signInPage{
		Frame: v.newFrame("sign-in"), To: local(r.URL.Query().Get("to")), OpenID: s.cfg.Roll.HasOpenID(), Failed: r.URL.Query().Has("failed"),
		Link: r.PathValue("secret"),
	}
	if p.Link != "" {
		p.Here = "/sign-in"
	}
	s.render(w, v, http.StatusOK, "sign-in", p)
}

// unauthorized tells whether the API knows no session of whoever asks.
func unauthorized(err error) bool {
	p, ok := errors.AsType[*api.Problem](err)
	return ok && p.Status == http.StatusUnauthorized
}

// options answers with what the browser hands to its authenticator.
func (s *Server) options(w http.ResponseWriter, r *http.Request, b []byte, err error) {
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}

// refuse answers a script: the reason is shown by the page that it belongs to.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, officer.ErrSignIn), errors.Is(err, officer.ErrNoConsole), unauthorized(err):
		status = http.StatusForbidden
	case errors.Is(err, officer.ErrField):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, officer.ErrBusy):
		status = http.StatusTooManyRequests
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		status = http.StatusRequestEntityTooLarge
	}
	s.log.Warn("sign-in refused", "path", r.URL.Path, "reason", err)
	v := s.stranger(r)
	http.Error(w, v.say("problem.sign-in"), status)
}

func (s *Server) signInBegin(w http.ResponseWriter, r *http.Request) {
	b, err := s.cfg.Roll.BeginSignIn(r.Context())
	s.options(w, r, b, err)
}

func (s *Server) signInFinish(w http.ResponseWriter, r *http.Request) {
	response, err := io.ReadAll(r.Body)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	token, _, err := s.cfg.Roll.FinishSignIn(r.Context(), response, device(r))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.admit(w, token)
	w.WriteHeader(http.StatusNoContent)
}

// device names a browser, for the list of sessions.
func device(r *http.Request) string { return r.UserAgent() }

func (s *Server) signInLink(w http.ResponseWriter, r *http.Request) {
	if err := parse(r); err != nil {
		s.fail(w, s.stranger(r), err)
		return
	}
	token, _, err := s.cfg.Roll.SignInByLink(r.Context(), r.PostForm.Get("link"), device(r))
	if errors.Is(err, officer.ErrSignIn) {
		s.fail(w, s.stranger(r), &api.Problem{Status: http.StatusForbidden, Code: "link"})
		return
	}
	if err != nil {
		s.fail(w, s.stranger(r), err)
		return
	}
	s.admit(w, token)
	http.Redirect(w, r, "/real/passkey", http.StatusSeeOther)
}

func (s *Server) openIDName() string { return s.sessionName() + "-openid" }

func (s *Server) openID(w http.ResponseWriter, r *http.Request) {
	address, browser, err := s.cfg.Roll.BeginOpenID(r.Context())
	if err != nil {
		s.log.Warn("sign-in refused", "path", r.URL.Path, "reason", err)
		s.fail(w, s.stranger(r), &api.Problem{Status: http.StatusBadGateway, Code: "openid"})
		return
	}
	// Lax, because the provider's page sends the browser back; it says nothing but which browser has begun.
	http.SetCookie(w, &http.Cookie{
		Name: s.openIDName(), Value: browser, Path: "/", MaxAge: 600, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (s *Server) openIDBack(w http.ResponseWriter, r *http.Request) {
	browser := ""
	if c, err := r.Cookie(s.openIDName()); err == nil {
		browser = c.Value
	}
	http.SetCookie(w, &http.Cookie{Name: s.openIDName(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure})
	token, _, err := s.cfg.Roll.FinishOpenID(r.Context(), r.URL.Query(), browser, device(r))
	v := s.stranger(r)
	if err != nil {
		s.log.Warn("sign-in refused", "path", r.URL.Path, "reason", err)
		s.fail(w, v, &api.Problem{Status: http.StatusForbidden, Code: "openid"})
		return
	}
	s.admit(w, token)
	s.render(w, v, http.StatusOK, "continue", &continuePage{v.newFrame("continue")})
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(s.sessionName()); err == nil {
		if err := s.cfg.Roll.SignOut(r.Context(), c.Value); err != nil && !errors.Is(err, officer.ErrNotFound) {
			s.fail(w, s.stranger(r), err)
			return
		}
	}
	http.SetCookie(w, &http.Cookie{Name: s.sessionName(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure})
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

func buildPasskey(v *visit) (page, error) {
	return &passkeyPage{First: v.me.Means == officer.ByLink}, nil
}

// whose is the officer behind a script's request.
func (s *Server) whose(r *http.Request) (api.Me, error) {
	c, err := r.Cookie(s.sessionName())
	if err != nil {
		return api.Me{}, officer.ErrSignIn
	}
	return s.cfg.API.As(c.Value).Me(r.Context())
}

func (s *Server) passkeyBegin(w http.ResponseWriter, r *http.Request) {
	me, err := s.whose(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	b, err := s.cfg.Roll.BeginPasskey(r.Context(), me.Officer)
	s.options(w, r, b, err)
}

func (s *Server) passkeyFinish(w http.ResponseWriter, r *http.Request) {
	me, err := s.whose(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	response, err := io.ReadAll(r.Body)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if _, err := s.cfg.Roll.FinishPasskey(r.Context(), me.Officer, response, r.URL.Query().Get("label")); err != nil {
		s.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
