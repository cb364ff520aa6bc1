package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"detente/call"
	"detente/traffic"

	"github.com/BurntSushi/toml"
)

// Settings is config.toml in the home directory. A key that is not here is an error. Paths are taken from the home directory on.
type Settings struct {
	Party     traffic.Party `toml:"party" doc:"Whose node this is."`
	Database  string        `toml:"database" doc:"A file for SQLite, or postgres://… for PostgreSQL, where several processes may share it."`
	KeyFile   string        `toml:"key_file" doc:"Key file that opens the keys in place of a passphrase. Empty: a passphrase is asked for."`
	Listen    string        `toml:"listen" doc:"host:port at which peers call by https. Empty: nobody can call, and a request is held open with each peer instead."`
	Pouches   string        `toml:"pouches" doc:"Directory into which every FLASH goes as a pouch file too. Empty: nowhere."`
	Heartbeat time.Duration `toml:"heartbeat" doc:"Between two signs of life on a quiet link."`
	Silence   time.Duration `toml:"silence" doc:"After which a peer that was not heard is an alarm."`
	LogLevel  slog.Level    `toml:"log_level" doc:"DEBUG, INFO, WARN or ERROR; the log goes to standard error."`
	LogFormat string        `toml:"log_format" doc:"text or json."`

	API     APISettings     `toml:"api" doc:"The local API, for the tools of this party."`
	Watch   WatchSettings   `toml:"watch" doc:"The watch: how people are called."`
	Metrics MetricsSettings `toml:"metrics" doc:"What a monitoring system reads: /metrics, /livez and /readyz."`
	Call    CallSettings    `toml:"call" doc:"Ways of calling officers, beside the console. A call carries nothing of what a statement says."`
	Lookup  LookupSettings  `toml:"lookup" doc:"Blinded questions about indicators."`
	Console ConsoleSettings `toml:"console" doc:"The pages for the officers of this party."`
	Gateway GatewaySettings `toml:"gateway" doc:"The gateway to the tools of this party's response team: TAXII 2.1."`
}

// WatchSettings is the section [watch].
type WatchSettings struct {
	Patience time.Duration `toml:"patience" doc:"After which a call that another process of this party began, and of which nothing more was heard, is placed by this one."`
}

// LookupSettings is the section [lookup].
type LookupSettings struct {
	Answer []traffic.Party `toml:"answer" doc:"Parties whose questions to our lists are answered, as was agreed with them. Others are refused."`
}

// APISettings is the section [api].
type APISettings struct {
	Socket    string `toml:"socket" doc:"Unix socket, for its owner alone. Empty: none."`
	Listen    string `toml:"listen" doc:"host:port, for callers who show the token. Empty: none. It is not encrypted: keep it on this machine."`
	TokenFile string `toml:"token_file" doc:"Where the token stands; it is made when it is not there."`
}

// MetricsSettings is the section [metrics].
type MetricsSettings struct {
	Listen string `toml:"listen" doc:"host:port, such as 127.0.0.1:7450. Empty: none. It is not encrypted, and asks nobody who he is."`
	Public bool   `toml:"public" doc:"Listen also where other machines can reach it."`
}

// DefaultSettings is what init writes, beside what it is told.
func DefaultSettings(p traffic.Party) Settings {
	return Settings{
		Party: p, Database: "data/detente.db", Heartbeat: time.Minute, Silence: 3 * time.Minute, LogLevel: slog.LevelInfo, LogFormat: "text",
		API:   APISettings{Socket: "node.sock", TokenFile: "api.token"},
		Watch: WatchSettings{Patience: 2 * time.Minute}, Lookup: LookupSettings{Answer: []traffic.Party{}}, Gateway: GatewaySettings{ReleaseTypes: []string{}},
		Call: CallSettings{Mail: MailSettings{Security: call.StartTLS}, Command: CommandSettings{Command: []string{}, Timeout: 30 * time.Second}},
	}
}

// SettingsName is the file of the settings in a home directory.
const SettingsName = "config.toml"

// Errors that a caller decides on.
var (
	ErrNoParty  = errors.New("host: there is no party here")
	ErrThere    = errors.New("host: there is a party here already")
	ErrSettings = errors.New("host: settings are not right")
)

// ReadSettings reads the settings of a home directory strictly. Keys that are absent have their defaults. Errors: ErrNoParty, ErrSettings.
func ReadSettings(home string) (Settings, error) {
	settings := DefaultSettings("")
	path := filepath.Join(home, SettingsName)
	meta, err := toml.DecodeFile(path, &settings)
	if errors.Is(err, fs.ErrNotExist) {
		return settings, fmt.Errorf("%w: %s", ErrNoParty, home)
	}
	if err != nil {
		return settings, fmt.Errorf("%w: %s: %w", ErrSettings, path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return settings, fmt.Errorf("%w: %s: there is no key %s", ErrSettings, path, unknown[0])
	}
	if !settings.Party.Valid() {
		return settings, fmt.Errorf("%w: %s: party %q is no party id", ErrSettings, path, settings.Party)
	}
	if f := settings.LogFormat; f != "text" && f != "json" {
		return settings, fmt.Errorf("%w: %s: log_format %q is neither text nor json", ErrSettings, path, f)
	}
	if m := settings.Metrics; m.Listen != "" && !m.Public && !loopback(m.Listen) {
		return settings, fmt.Errorf("%w: %s: [metrics] listen = %q can be reached from other machines; if that is meant, set public = true", ErrSettings, path, m.Listen)
	}
	return settings, settings.Gateway.check(path)
}

// loopback tells whether only this machine can reach an address.
func loopback(address string) bool {
	name, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(name)
	return err == nil && (name == "localhost" || ip != nil && ip.IsLoopback())
}

// Logger writes the log as the settings say.
func (s Settings) Logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// Path is a path of the settings, from the home directory on; empty stays empty.
func (s Settings) Path(home, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(home, name)
}

// dsn is the database as package store takes it.
func (s Settings) dsn(home string) string {
	if strings.HasPrefix(s.Database, "postgres:") || strings.HasPrefix(s.Database, "postgresql:") || strings.HasPrefix(s.Database, "postgres ") {
		return s.Database
	}
	return s.Path(home, s.Database)
}

// Write prints the settings with what each key means.
func (s Settings) Write(w io.Writer) error {
	fmt.Fprintf(w, "# Settings of a Detente node. Paths are taken from this directory on; an unknown key is an error.\n")
	return writeTable(w, "", reflect.ValueOf(s))
}

func writeTable(w io.Writer, within string, v reflect.Value) error {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		name := field.Tag.Get("toml")
		if _, err := fmt.Fprintf(w, "\n# %s\n", field.Tag.Get("doc")); err != nil {
			return err
		}
		if value.Kind() == reflect.Struct {
			fmt.Fprintf(w, "[%s]\n", within+name)
			if err := writeTable(w, within+name+".", value); err != nil {
				return err
			}
			continue
		}
		if value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct {
			if err := writeTables(w, within+name, value); err != nil {
				return err
			}
			continue
		}
		line, err := toml.Marshal(map[string]any{name: value.Interface()})
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// writeTables prints a list of tables; one that is empty as an example that is not in force, since the tables are there to be added.
func writeTables(w io.Writer, name string, list reflect.Value) error {
	for i := range list.Len() {
		fmt.Fprintf(w, "[[%s]]\n", name)
		if err := writeTable(w, name+".", list.Index(i)); err != nil {
			return err
		}
	}
	if list.Len() > 0 {
		return nil
	}
	var example strings.Builder
	fmt.Fprintf(&example, "[[%s]]\n", name)
	if err := writeTable(&example, name+".", reflect.New(list.Type().Elem()).Elem()); err != nil {
		return err
	}
	for line := range strings.Lines(example.String()) {
		if _, err := fmt.Fprintf(w, "%s\n", strings.TrimRight("# "+line, "\n ")); err != nil {
			return err
		}
	}
	return nil
}

// mkdirs makes the directories of a home that only its owner may enter.
func mkdirs(home string, names ...string) error {
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(home, name), 0o700); err != nil {
			return err
		}
	}
	return nil
}
