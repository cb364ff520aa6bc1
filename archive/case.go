package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"detente/blob"
	"detente/evidence"
	"detente/feed"
	"detente/form"
	"detente/key"
	"detente/party"
	"detente/traffic"
	"detente/transcript"
)

// Export is what goes into a case file beside the statements and their proofs.
type Export struct {
	By     traffic.Party
	Signer key.Signer // the node key checkpoint, which seals the file
	// Attachments is how many bytes of attachments go in at most, whole ones, in the order of the statements; 0 for none.
	Attachments int64
	Renderings  bool // transcripts in every language
	// Paper makes the PDF; nil for none.
	Paper func(transcript.Case) ([]byte, error)
}

// Case makes the case file of the dossier that a statement belongs to, protocol.md#case. Errors: ErrNotHeld, ErrNoChannel.
func (a *Archive) Case(ctx context.Context, h Held, x Export) ([]byte, error) {
	state, err := a.Dossier(ctx, h)
	if err != nil {
		return nil, err
	}
	channel, err := a.Charter(state.Channel)
	if err != nil {
		return nil, err
	}
	regime, ok := a.RegimeOf(state.Channel)
	if !ok {
		return nil, ErrNoChannel
	}
	c := &evidence.CaseFile{Channel: channel.Bytes(), Plane: state.Plane, Dossier: state.ID, State: state.Digest}
	for i := range state.Entries {
		e := &state.Entries[i]
		held := Held{Placed: feed.Placed{Feed: e.Feed, Entry: feed.Entry{ID: e.Statement.ID(), Index: e.Index, Bytes: e.Statement.Bytes(), Reason: e.Reason}}, Statement: e.Statement}
		p, err := a.proof(ctx, held)
		if err != nil {
			return nil, fmt.Errorf("archive: case: %s: %w", held.ID.Short(), err)
		}
		at := slices.Index(c.Checkpoints, p.Checkpoint)
		if at < 0 {
			at, c.Checkpoints = len(c.Checkpoints), append(c.Checkpoints, p.Checkpoint)
		}
		for _, charter := range p.Charters {
			if !slices.ContainsFunc(c.Charters, func(b []byte) bool { return bytes.Equal(b, charter) }) {
				c.Charters = append(c.Charters, charter)
			}
		}
		c.Entries = append(c.Entries, evidence.CaseEntry{
			Feed: p.Feed, Index: p.Index, Statement: p.Statement, Path: p.Path, Checkpoint: at, Adoptions: p.Adoptions, Reason: e.Reason,
		})
		if fm, ok := regime.Form(e.Statement.Form, e.Statement.Version); ok && e.Reason == "" {
			if err := a.attach(ctx, c, fm, e.Statement.Payload, &x.Attachments); err != nil {
				return nil, err
			}
		}
	}
	if err := a.write(c, transcript.Case{Channel: channel.Name, Members: channel.Members, State: state, Regime: regime}, x); err != nil {
		return nil, err
	}
	c.Charters = a.known(c.Charters, x.By)
	return c.Encode(x.By, state.Channel, x.Signer)
}

// known adds the exporter's own charters, by which the seal is judged.
func (a *Archive) known(charters [][]byte, by traffic.Party) [][]byte {
	for _, c := range a.chainOf(by) {
		if !slices.ContainsFunc(charters, func(b []byte) bool { return bytes.Equal(b, c.Bytes()) }) {
			charters = append(charters, c.Bytes())
		}
	}
	return charters
}

func (a *Archive) chainOf(p traffic.Party) []*party.Charter {
	if chain := a.Chain(p); chain != nil {
		return chain.All()
	}
	return nil
}

// attach adds the attachments that a statement names, if they are held and there is room.
func (a *Archive) attach(ctx context.Context, c *evidence.CaseFile, fm *form.Form, payload []byte, room *int64) error {
	v, err := fm.Decode(payload)
	if err != nil {
		return nil // it is valid by another version of the form than the one at hand
	}
	for _, b := range fm.Blobs(v) {
		if b.Size > *room || len(c.Blobs) == evidence.MaxCaseBlobs {
			continue
		}
		body, err := a.Blob(ctx, b.Hash)
		if errors.Is(err, blob.ErrNotHeld) {
			continue
		}
		if err != nil {
			return err
		}
		if slices.ContainsFunc(c.Blobs, func(other []byte) bool { return bytes.Equal(other, body) }) {
			continue
		}
		*room -= b.Size
		c.Blobs = append(c.Blobs, body)
	}
	return nil
}

// write adds what is for people.
func (a *Archive) write(c *evidence.CaseFile, written transcript.Case, x Export) error {
	if x.Renderings {
		w, err := transcript.NewWriter()
		if err != nil {
			return err
		}
		c.Renderings = make(map[string]string)
		for _, lang := range w.Languages() {
			c.Renderings[lang.String()] = w.Text(written, lang)
		}
	}
	if x.Paper == nil {
		return nil
	}
	var err error
	c.Paper, err = x.Paper(written)
	return err
}
