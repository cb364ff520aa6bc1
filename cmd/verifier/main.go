//go:build js && wasm

// Command verifier is the program's reader of evidence, compiled to WebAssembly for the pages of a register.
// It must never reach for the network or a file: it is given bytes, and gives back what they prove.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"syscall/js"

	"detente/evidence"
	"detente/form"
	"detente/key"
	"detente/party"
	"detente/regimes"
	"detente/traffic"
)

// answer is what the page shows.
type answer struct {
	Error string `json:"error,omitempty"`
	Files []file `json:"files,omitempty"`
}

type file struct {
	Proved bool          `json:"proved"`
	Text   string        `json:"text"`
	Words  string        `json:"words,omitempty"` // to be compared with their party before the file can prove anything
	Trust  traffic.Party `json:"trust,omitempty"` // whose words they are
}

func main() {
	js.Global().Set("detenteVerify", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if len(args) != 3 {
			return fail("usage: detenteVerify(files, language, party)")
		}
		var files [][]byte
		for i := range args[0].Length() {
			from := args[0].Index(i)
			if from.Length() > evidence.MaxRegister {
				return fail("a file is too large")
			}
			b := make([]byte, from.Length())
			js.CopyBytesToGo(b, from)
			files = append(files, b)
		}
		return told(verify(files, args[1].String(), traffic.Party(args[2].String())))
	}))
	select {} // the page goes on asking
}

// verify reads the files against the charters among them. With trust, the charters of that party in the file count, because the reader has said that
// their words are right.
func verify(files [][]byte, lang string, trust traffic.Party) answer {
	all, err := form.LoadAll(regimes.All()...)
	if err != nil {
		return answer{Error: err.Error()}
	}
	r := &evidence.Reader{Registry: key.Standard(), Trusted: make(map[traffic.Party]*party.Chain), Regimes: all}
	var rest [][]byte
	for _, b := range files {
		if evidence.Kind(b) != "charters" {
			rest = append(rest, b)
			continue
		}
		chain, err := party.DecodeChain(b, key.Standard())
		if err != nil {
			return answer{Error: err.Error()}
		}
		r.Trusted[chain.Party()] = chain
	}
	var out answer
	for _, b := range rest {
		if evidence.Kind(b) == "register" && trust != "" && r.Trusted[trust] == nil {
			if chain, err := evidence.RegisterCharters(b, r.Registry, trust); err == nil {
				r.Trusted[trust] = chain
			}
		}
		out.Files = append(out.Files, one(r, b, lang))
	}
	if len(rest) == 0 {
		out.Error = "no bundle or proof among the files"
	}
	return out
}

func one(r *evidence.Reader, b []byte, lang string) file {
	var text bytes.Buffer
	var compare *evidence.Untrusted
	var err error
	switch evidence.Kind(b) {
	case "register":
		v, bad := r.Register(b)
		err, compare = bad, v.Compare
		_ = v.Print(&text) // a buffer takes everything
	case "case":
		v, bad := r.Case(b)
		err, compare = bad, v.Compare
		_ = v.Print(&text, lang)
	case "fork":
		v, bad := r.Fork(b)
		err = bad
		_ = v.Print(&text)
	default:
		v, bad := r.Proof(b)
		err, compare = bad, v.Compare
		_ = v.Print(&text, lang)
	}
	f := file{Proved: err == nil, Text: text.String()}
	if compare != nil && len(compare.Words) > 0 && evidence.Kind(b) == "register" {
		words := compare.Words[lang]
		if words == nil {
			words = compare.Words["en"]
		}
		f.Trust = compare.Party
		for _, w := range words {
			f.Words += w + " "
		}
	}
	return f
}

func told(a answer) string {
	b, err := json.Marshal(a)
	if err != nil {
		return fail(err.Error())
	}
	return string(b)
}

func fail(what string) string { return fmt.Sprintf(`{"error":%q}`, what) }
