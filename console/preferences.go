package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"detente/console/habits"

	"golang.org/x/text/language"
)

func (s *Server) prefsName() string { return "detente-" + string(s.cfg.Party) + "-prefs" }

func (s *Server) preferences(r *http.Request) habits.Settings {
	c, err := r.Cookie(s.prefsName())
	if err != nil {
		return habits.Usual()
	}
	return habits.Parse(c.Value)
}

// setPreferences keeps what was chosen, and goes back to the page on which it was.
func (s *Server) setPreferences(w http.ResponseWriter, r *http.Request) {
	if err := parse(r); err != nil {
		s.fail(w, s.stranger(r), err)
		return
	}
	p := s.preferences(r)
	if r.PostForm.Has("reset") {
		p.Keys = habits.Usual().Keys
	} else {
		p.Read(r.PostForm)
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.prefsName(), Value: p.Encode(), Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, local(r.PostForm.Get("back")), http.StatusSeeOther)
}

// local is an address on this console; anything else becomes its first page, so that no link leads an officer elsewhere.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") ||
		strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}

// language is the one in which a page is shown: chosen in this browser, else the officer's, else the first that the browser asks for.
func (s *Server) language(chosen, own string, r *http.Request) language.Tag {
	for _, l := range []string{chosen, own} {
		if t, err := language.Parse(l); err == nil && l != "" {
			if m := s.paper.Book.Match(t); slices.Contains(s.paper.Book.Languages(), m) {
				return m
			}
		}
	}
	wishes, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		wishes = nil
	}
	return s.paper.Book.Match(wishes...)
}
