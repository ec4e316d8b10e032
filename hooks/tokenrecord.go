package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flaghook/flaghook/policy"
)

// tokenKind is the kind of the records that tokens are.
const tokenKind = "token"

// tokenUse is how exactly the last use of a token is kept.
const tokenUse = time.Minute

// A knownToken is a token in use.
type knownToken struct {
	token Token // LastUsedAt aside
	hash  [sha256.Size]byte
	grant *Grant
	used  atomic.Int64 // when it was last shown, in Unix nanoseconds; 0 for never
	saved atomic.Int64 // the value of used that is stored, or being stored

	writing sync.Mutex // held while its record is written
	version uint64
	revoked bool
}

// storedToken is the record.
type storedToken struct {
	Token
	Hash string `json:"hash"` // SHA-256 of the whole token, in hex
}

// loadTokens reads the tokens from the engine's store.
func loadTokens(ctx context.Context, e *Engine) (*Tokens, error) {
	t := &Tokens{engine: e, byID: make(map[string]*knownToken)}
	for after, more := "", true; more; {
		page, err := e.o.Store.Records(ctx, tokenKind, after, 1000)
		if err != nil {
			return nil, fmt.Errorf("load tokens: %w", err)
		}
		for _, r := range page {
			k, err := readToken(e.log, r)
			if err != nil {
				return nil, fmt.Errorf("load tokens: %w", err)
			}
			t.byID[r.ID] = k
			after = r.ID
		}
		more = len(page) == 1000
	}
	return t, nil
}

// readToken reads a token. One whose policy does not parse, which an earlier
// version may have taken, can nothing.
func readToken(log *slog.Logger, r Record) (*knownToken, error) {
	var s storedToken
	if err := json.Unmarshal(r.Data, &s); err != nil {
		return nil, fmt.Errorf("token %s: %w", r.ID, err)
	}
	k, err := newKnownToken(s.Token)
	if err != nil {
		log.Warn("a token's policy does not parse; the token lets nothing through: make another", "token", s.Name, "error", err)
		k.grant.policy = new(policy.Policy)
	}
	hash, err := hex.DecodeString(s.Hash)
	if err != nil || len(hash) != len(k.hash) {
		return nil, fmt.Errorf("token %s: its hash is damaged", r.ID)
	}
	copy(k.hash[:], hash)
	k.version = r.Version
	if !s.LastUsedAt.IsZero() {
		k.used.Store(s.LastUsedAt.UnixNano())
		k.saved.Store(s.LastUsedAt.UnixNano())
	}
	return k, nil
}

func newKnownToken(t Token) (*knownToken, error) {
	k := &knownToken{token: t, grant: &Grant{TokenID: t.ID, Name: t.Name, Role: t.Role}}
	if t.Statements == nil {
		return k, nil
	}
	p, err := policy.Parse(t.Statements)
	k.grant.policy = p
	return k, err
}

// save writes a token's record; an error leaves what is stored as it was.
func (t *Tokens) save(ctx context.Context, k *knownToken, used time.Time) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	if k.revoked {
		return nil
	}
	s := storedToken{Token: k.token, Hash: hex.EncodeToString(k.hash[:])}
	s.LastUsedAt = used
	data, err := json.Marshal(s)
	if err == nil {
		// The caller may leave while the write is on its way; the version must
		// be known all the same.
		err = t.engine.o.Store.PutRecord(context.WithoutCancel(ctx), tokenKind, Record{ID: k.token.ID, Version: k.version + 1, Data: data})
	}
	if err != nil {
		return fmt.Errorf("store token %s: %w", k.token.ID, err)
	}
	k.version++
	return nil
}

// touch notes that a token was used.
func (t *Tokens) touch(ctx context.Context, k *knownToken) {
	now := time.Now()
	k.used.Store(now.UnixNano())
	saved := k.saved.Load()
	if now.Sub(time.Unix(0, saved)) < tokenUse || !k.saved.CompareAndSwap(saved, now.UnixNano()) {
		return
	}
	if err := t.save(ctx, k, now.UTC()); err != nil {
		t.engine.log.Warn("cannot store when a token was last used", "token", k.token.ID, "error", err)
	}
}

func (k *knownToken) shown() *Token {
	t := k.token
	t.Statements = slices.Clone(t.Statements)
	if used := k.used.Load(); used != 0 {
		t.LastUsedAt = time.Unix(0, used).UTC()
	}
	return &t
}
