package hooks

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// MaxTokens bounds the tokens that there can be at once.
const MaxTokens = 1000

// A Role says what the bearer of a token may do.
type Role string

// The roles.
const (
	RoleAdmin  Role = "admin"  // everything
	RoleWriter Role = "writer" // everything but tokens, backups and secrets in clear
	RoleReader Role = "reader" // read, and what changes nothing
	RoleSender Role = "sender" // send events, perhaps only those that a policy lets through
)

var roles = []Role{RoleAdmin, RoleWriter, RoleReader, RoleSender}

// A Token is what is known of a token; the token itself is shown once, when it
// is made, and only its SHA-256 is kept.
type Token struct {
	ID         string             `json:"_id"`
	Name       string             `json:"name"`
	Role       Role               `json:"role"`
	Statements []policy.Statement `json:"statements,omitzero"` // of a sender: nil means any event
	CreatedAt  time.Time          `json:"createdAt"`
	LastUsedAt time.Time          `json:"lastUsedAt,omitzero"` // to about a minute; zero: never
}

// A Grant is what somebody may do who has shown a token. It never changes.
type Grant struct {
	TokenID string // "" for the admin token that the server was started with
	Name    string
	Role    Role
	policy  *policy.Policy // nil: any event
}

// AdminGrant is that of the token that the server was started with.
func AdminGrant() *Grant { return &Grant{Name: "admin token", Role: RoleAdmin} }

// Actor is who changes something with the token.
func (g *Grant) Actor() Actor { return Actor{Name: g.Name, TokenID: g.TokenID} }

// Refuses returns the first resource of an event that may not be sent with the
// token, "" when the event may be sent: every access must be allowed, so that
// no event smuggles another project's change in beside an allowed one.
func (g *Grant) Refuses(e *Event) string {
	if g.policy == nil {
		return ""
	}
	for i := range e.Accesses() {
		if !g.policy.Allows(e.Accesses()[i : i+1]) {
			return e.Accesses()[i].Resource.String()
		}
	}
	return ""
}

// Tokens are the tokens beside the admin token of the start. They are held in
// memory: a revoked one is refused at once. All methods are safe for concurrent
// use.
type Tokens struct {
	engine   *Engine
	changing sync.Mutex // held while one is made or revoked
	mu       sync.RWMutex
	byID     map[string]*knownToken
}

// check adds all that is wrong with a token that is to be made.
func (t *Token) check() error {
	var bad InvalidError
	switch {
	case strings.TrimSpace(t.Name) == "":
		bad.add("name", "it is required")
	case len(t.Name) > MaxNameLength:
		bad.add("name", "it has %d bytes; at most %d are allowed", len(t.Name), MaxNameLength)
	case strings.ContainsFunc(t.Name, unicode.IsControl):
		bad.add("name", "it has a control character")
	}
	if !slices.Contains(roles, t.Role) {
		bad.add("role", "it is %q; it can be admin, writer, reader or sender", t.Role)
	}
	if t.Statements != nil && t.Role != RoleSender {
		bad.add("statements", "they limit the events that a sender may send; other roles have none")
	}
	if _, err := policy.Parse(t.Statements); err != nil {
		bad.Fields = append(bad.Fields, StatementErrors(err)...)
	}
	if len(bad.Fields) > 0 {
		return &bad
	}
	return nil
}

// Create makes a token, of which Name, Role and Statements are given, and
// returns it with its text, which is not kept. The errors are *InvalidError or
// the store's.
func (t *Tokens) Create(ctx context.Context, by Actor, made Token) (*Token, string, error) {
	if err := made.check(); err != nil {
		return nil, "", err
	}
	made.ID, made.CreatedAt, made.LastUsedAt = NewID(), time.Now().UTC(), time.Time{}
	made.Statements = slices.Clone(made.Statements)
	k, err := newKnownToken(made)
	if err != nil {
		return nil, "", err
	}
	text := newTokenText(made.ID)
	k.hash = sha256.Sum256([]byte(text))
	t.changing.Lock()
	defer t.changing.Unlock()
	if len(t.byID) >= MaxTokens { // only written to while changing is held
		return nil, "", &InvalidError{Fields: []FieldError{{Message: fmt.Sprintf("there are %d tokens already; revoke one first", MaxTokens)}}}
	}
	if err := t.save(ctx, k, time.Time{}); err != nil {
		return nil, "", err
	}
	t.mu.Lock()
	t.byID[made.ID] = k
	t.mu.Unlock()
	t.engine.Changed(ctx, by, tokenChange(&made, "createAccessToken"))
	return &made, text, nil
}

// Revoke ends a token; ErrNotFound when there is none.
func (t *Tokens) Revoke(ctx context.Context, by Actor, id string) error {
	t.changing.Lock()
	defer t.changing.Unlock()
	k := t.byID[id]
	if k == nil {
		return fmt.Errorf("token %s: %w", id, ErrNotFound)
	}
	k.writing.Lock()
	defer k.writing.Unlock()
	if err := t.engine.o.Store.DeleteRecord(context.WithoutCancel(ctx), tokenKind, id); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("revoke token %s: %w", id, err)
	}
	k.revoked = true
	t.mu.Lock()
	delete(t.byID, id)
	t.mu.Unlock()
	t.engine.Changed(ctx, by, tokenChange(&k.token, "deleteAccessToken"))
	return nil
}

// Token returns one, or ErrNotFound.
func (t *Tokens) Token(id string) (*Token, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	k := t.byID[id]
	if k == nil {
		return nil, fmt.Errorf("token %s: %w", id, ErrNotFound)
	}
	return k.shown(), nil
}

// List returns the tokens whose ids come after one, oldest first, at most limit.
func (t *Tokens) List(after string, limit int) []*Token {
	t.mu.RLock()
	list := []*Token{}
	for id, k := range t.byID {
		if id > after {
			list = append(list, k.shown())
		}
	}
	t.mu.RUnlock()
	slices.SortFunc(list, func(a, b *Token) int { return cmp.Compare(a.ID, b.ID) })
	return list[:min(len(list), max(limit, 0))]
}

// Authenticate finds what a token grants; nil for one that is none. The token
// names its record, and what is secret of it is compared in constant time, as a
// hash of the whole. That it was used is stored at most once a minute.
func (t *Tokens) Authenticate(ctx context.Context, text string) *Grant {
	id := tokenTextID(text)
	if id == "" {
		return nil
	}
	t.mu.RLock()
	k := t.byID[id]
	t.mu.RUnlock()
	if k == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(text))
	if subtle.ConstantTimeCompare(sum[:], k.hash[:]) != 1 {
		return nil
	}
	t.touch(ctx, k)
	return k.grant
}

const tokenPrefix = "fh_"

// newTokenText makes a token: its id, and 256 random bits.
func newTokenText(id string) string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return tokenPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(b[:])
}

// tokenTextID is the id in a token, "" where it has none.
func tokenTextID(text string) string {
	const idLength = 32 // of NewID
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok || len(rest) <= idLength || rest[idLength] != '_' {
		return ""
	}
	return rest[:idLength]
}

// tokenChange is how a change of a token stands in the audit log, with the
// action that LaunchDarkly has for it.
func tokenChange(t *Token, action string) Change {
	return Change{
		Actions: []string{action}, Resource: "service-token/" + policy.Escape(t.Name), Kind: "service-token", ID: t.ID, Name: t.Name,
		Comment: "role " + string(t.Role), Before: render.Value{}, After: render.Value{},
	}
}
