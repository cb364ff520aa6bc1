//go:build keepdeps

// Package detente keeps the chosen modules in go.mod while the packages are being written.
package detente

import (
	_ "filippo.io/age"
	_ "filippo.io/age/armor"
	_ "filippo.io/mldsa"
	_ "filippo.io/torchwood"
	_ "github.com/BurntSushi/toml"
	_ "github.com/alecthomas/kong"
	_ "github.com/danielgtaylor/huma/v2"
	_ "github.com/danielgtaylor/huma/v2/adapters/humago"
	_ "github.com/fxamacker/cbor/v2"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/transparency-dev/formats/log"
	_ "github.com/transparency-dev/tessera/fsck"
	_ "github.com/veraison/go-cose"
	_ "golang.org/x/mod/sumdb/tlog"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/text/feature/plural"
	_ "golang.org/x/text/message"
	_ "modernc.org/sqlite"
	_ "pgregory.net/rapid"
)
