// Package console is the officer's screens: pages rendered here, in his language, over the local API and as the officer who has signed in.
// It must never do what the API would not let that officer do, nor show a stranger's words where they could be taken for its own.
package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/console/cases"
	"detente/console/habits"
	"detente/console/instruments"
	"detente/console/paper"
	"detente/console/programme"
	"detente/console/talks"
	"detente/officer"
	"detente/traffic"

	"golang.org/x/text/language"
)

//go:embed static templates phrases
var files embed.FS

// Config is what a console is made of. API, Roll and Party are needed.
type Config struct {
	// API answers every request of the screens; the console shows it the session of whoever asks, and nothing else. It is a guarded one, which takes
	// nobody for the terminal.
	API *api.Client
	// Roll signs officers in and out.
	Roll *officer.Roll
	// Party and Name say whose console it is; Name is by language.
	Party traffic.Party
	Name  map[string]string
	// Origin is the address in the browser, such as https://console.xn.example. Requests for another host are refused. Empty takes any host,
	// for tests.
	Origin string
	// Stopping is closed when the process is told to stop, so that streams end. nil is never.
	Stopping <-chan struct{}
	Log      *slog.Logger // nil discards
}

// Server shows the screens. It is safe for concurrent use.
type Server struct {
	cfg    Config
	log    *slog.Logger
	paper  *paper.Paper
	mux    *http.ServeMux
	secure bool // the browser comes by https
}

// New makes a console. It reads every template in every language, so what is wrong in one is seen here and not at night.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, log: cfg.Log, mux: http.NewServeMux(), secure: strings.HasPrefix(cfg.Origin, "https://")}
	var err error
	if s.paper, err = paper.New(files, cases.Files(), instruments.Files(), programme.Files(), talks.Files()); err != nil {
		return nil, err
	}
	s.register()
	return s, nil
}

// Limits of what a browser may send.
const (
	maxForm   = 256 << 10 // a form without files
	maxUpload = 80 << 20  // with files: an attachment has 64 MiB at most
)

// register is the table of contents of the console.
func (s *Server) register() {
	s.mux.HandleFunc("GET /static/{hash}/{name}", s.paper.ServeAsset)
	s.mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.paper.Path("icon.svg"), http.StatusFound)
	})
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/real/watch", http.StatusFound) })
	s.mux.HandleFunc("POST /preferences", s.setPreferences)
	s.registerSignIn()
	for _, plane := range traffic.Planes() {
		at := "/" + string(plane)
		for _, sc := range screens() {
			s.mux.HandleFunc("GET "+at+sc.path, s.show(sc))
			s.mux.HandleFunc("GET /live"+at+sc.path, s.live(sc))
		}
		for _, a := range actions() {
			s.mux.HandleFunc("POST "+at+a.path, s.act(a))
		}
		s.mux.HandleFunc("POST "+at+"/preview", s.showPreview)
		s.mux.HandleFunc("POST "+at+"/instrument/preview", s.compareInstrument)
		for _, f := range downloads() {
			s.mux.HandleFunc("GET "+at+f.path, s.give(f))
		}
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, s.stranger(r), &api.Problem{Status: http.StatusNotFound, Code: "no-page"})
	})
}

// policy is the content security policy of every answer. Nothing inline runs, nothing comes from elsewhere, nobody frames it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types detente"

// Handler answers browsers. Requests that another site makes in the officer's name are refused before anything reads them.
func (s *Server) Handler() http.Handler {
	protect := http.NewCrossOriginProtection()
	protect.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, s.stranger(r), &api.Problem{Status: http.StatusForbidden, Code: "cross-site"})
	}))
	guarded := protect.Handler(s.mux)
	host := ""
	if u, err := url.Parse(s.cfg.Origin); err == nil {
		host = u.Host
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if host != "" && r.Host != host {
			// A page elsewhere may have its own name resolve to this machine; it then asks for that name.
			s.fail(w, s.stranger(r), &api.Problem{Status: http.StatusMisdirectedRequest, Code: "other-host"})
			return
		}
		limit := int64(maxForm)
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			limit = maxUpload
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		guarded.ServeHTTP(w, r)
	})
}

// visit is one request of an officer who is signed in.
type visit struct {
	*Server
	r      *http.Request
	ctx    context.Context
	client *api.Client // acts as him
	token  string      // of his session
	me     api.Me
	plane  traffic.Plane
	prefs  habits.Settings
	lang   language.Tag
}

// say is a phrase in the visitor's language.
func (v *visit) say(key string, args ...any) string { return v.paper.Book.Phrase(v.lang, key, args...) }

// tag is the visitor's language as the API takes it.
func (v *visit) tag() string { return v.lang.String() }

// may tells whether the officer's roles permit an action.
func (v *visit) may(action string) bool { return slices.Contains(v.me.May, action) }

// to is the address of a page in the window's plane.
func (v *visit) to(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	out := "/" + string(v.plane) + path
	if len(q) > 0 {
		out += "?" + q.Encode()
	}
	return out
}

// stranger is a visit of somebody who may not be signed in: enough to show an error.
func (s *Server) stranger(r *http.Request) *visit {
	v := &visit{Server: s, r: r, ctx: r.Context(), client: s.cfg.API, plane: traffic.Real, prefs: s.preferences(r)}
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/live"), "/"), "/")
	if p := traffic.Plane(first); p.Valid() {
		v.plane = p
	}
	v.lang = s.language(v.prefs.Lang, "", r)
	return v
}

// enter is the visit of whoever has signed in; without a session it leads to the sign-in page and returns nil.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) *visit {
	v := s.stranger(r)
	if c, err := r.Cookie(s.sessionName()); err == nil {
		v.token = c.Value
	}
	v.client = s.cfg.API.As(v.token)
	me, err := v.client.Me(v.ctx)
	if unauthorized(err) {
		s.refer(w, r)
		return nil
	}
	if err != nil {
		s.fail(w, v, err)
		return nil
	}
	v.me = me
	v.lang = s.language(v.prefs.Lang, me.Language, r)
	return v
}

// refer leads to the sign-in page, and from there back.
func (s *Server) refer(w http.ResponseWriter, r *http.Request) {
	back := ""
	if r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/live/") {
		back = "?to=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, "/sign-in"+back, http.StatusSeeOther)
}

// screen is one page: what it is called, where it is, and how it is made. Its template has the same name.
type screen struct {
	name    string
	path    string
	needs   []string // actions of which the officer's roles permit one; none for what is anybody's
	key     string   // after g
	group   bool     // begins a group in the list of screens
	aside   bool     // is not listed
	build   func(*visit) (page, error)
	regions []string // templates "name.region", which are made anew when something has changed
}

// page is the data of a screen: a struct of its own, with the frame embedded.
type page interface{ framed() *Frame }

func (s *Server) show(sc screen) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.enter(w, r)
		if v == nil {
			return
		}
		if sc.name == "watch" && !v.may("read") {
			// An administrator who keeps no watch begins where he may.
			http.Redirect(w, r, v.to("/officers"), http.StatusSeeOther)
			return
		}
		p, err := s.build(v, sc)
		if err != nil {
			s.fail(w, v, err)
			return
		}
		s.render(w, v, http.StatusOK, sc.name, p)
	}
}

// opens tells whether the officer's roles open a screen. What can be done there is for the API to permit.
func (v *visit) opens(sc screen) bool {
	return len(sc.needs) == 0 || slices.ContainsFunc(sc.needs, v.may)
}

func (s *Server) build(v *visit, sc screen) (page, error) {
	if !v.opens(sc) {
		return nil, &api.Problem{Status: http.StatusForbidden, Code: "role"}
	}
	p, err := sc.build(v)
	if err != nil {
		return nil, err
	}
	return p, v.frame(p.framed(), sc)
}

// render writes a page. It is made in memory first, so that a page which fails halfway is an error and not half a page.
func (s *Server) render(w http.ResponseWriter, v *visit, status int, name string, data any) {
	page, err := s.paper.Make(v.lang, name, data)
	if err != nil {
		s.log.Error("page failed", "page", name, "reason", err)
		http.Error(w, "The page could not be made. The node's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page)
}

// action is what a form does. It returns where to go, with what to say there; or, in place of that, a page that shows the form again with
// what is not right in it.
type action struct {
	path string
	do   func(*visit) (to string, again page, err error)
}

func (s *Server) act(a action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.enter(w, r)
		if v == nil {
			return
		}
		if err := parse(r); err != nil {
			s.fail(w, v, err)
			return
		}
		to, again, err := a.do(v)
		switch {
		case err != nil:
			s.fail(w, v, err)
		case again != nil:
			s.again(w, v, again)
		default:
			http.Redirect(w, r, to, http.StatusSeeOther)
		}
	}
}

// again shows a page in answer to a form: what is not right in it, or what came of it.
func (s *Server) again(w http.ResponseWriter, v *visit, p page) {
	name := ""
	switch p := p.(type) {
	case *composePage:
		name = "compose"
	case *lossPage:
		name = "loss"
	case *directoryPage:
		name = "directory"
	case *officersPage:
		name = "officers"
	case interface{ screen() string }:
		name = p.screen()
	}
	if err := v.frame(p.framed(), screen{name: name}); err != nil {
		s.fail(w, v, err)
		return
	}
	f := p.framed()
	f.Live, f.Here = "", v.to("/watch") // a reload would send the form again
	s.render(w, v, http.StatusOK, name, p)
}

// parse reads a form, within its limits.
func parse(r *http.Request) error {
	err := r.ParseForm()
	if err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		err = r.ParseMultipartForm(8 << 20)
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &api.Problem{Status: http.StatusRequestEntityTooLarge, Code: "form-too-large"}
	}
	if err != nil {
		return &api.Problem{Status: http.StatusBadRequest, Code: "form-broken"}
	}
	return nil
}

// given is a download.
type given struct {
	path string
	make func(*visit) (name, mediaType string, content []byte, err error)
}

// give serves a file. What a stranger has attached is never shown as a page of ours: it is saved, and where a browser would show it all the
// same it stands in a sandbox, as of no origin.
func (s *Server) give(g given) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.enter(w, r)
		if v == nil {
			return
		}
		name, mediaType, content, err := g.make(v)
		if err != nil {
			s.fail(w, v, err)
			return
		}
		w.Header().Set("Content-Type", mediaType)
		if name != "" {
			w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
			w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// fail shows an error: what failed, what is safe, and what to do. What is no problem of the API is told to the log alone.
func (s *Server) fail(w http.ResponseWriter, v *visit, err error) {
	p, ok := errors.AsType[*api.Problem](err)
	switch {
	case v.ctx.Err() != nil:
		return // nobody waits for it
	case errors.Is(err, api.ErrUnreachable):
		p = &api.Problem{Status: http.StatusServiceUnavailable, Code: "unreachable"}
	case !ok:
		s.log.Error("request failed", "path", v.r.URL.Path, "reason", err)
		p = &api.Problem{Status: http.StatusInternalServerError, Code: "internal"}
	}
	s.render(w, v, max(p.Status, 400), "error", s.problemPage(v, p))
}
