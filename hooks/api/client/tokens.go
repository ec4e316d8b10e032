package client

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// The roles of tokens.
const (
	RoleAdmin  = "admin"  // everything
	RoleWriter = "writer" // everything but tokens, backups and secrets in clear
	RoleReader = "reader" // reads, and what changes nothing
	RoleSender = "sender" // sends events, those that its statements allow if it has any
)

// A NewToken is what a token is made with.
type NewToken struct {
	Name string `json:"name"`
	Role string `json:"role"`
	// Statements bound what a sender may send: every access of an event must
	// be allowed. Nil: anything.
	Statements []Statement `json:"statements,omitzero"`
}

// A Token lets a program call the API.
type Token struct {
	Document

	ID         string      `json:"_id"`
	Name       string      `json:"name"`
	Role       string      `json:"role"`
	Statements []Statement `json:"statements"`
	CreatedAt  time.Time   `json:"createdAt"`
	LastUsedAt time.Time   `json:"lastUsedAt"` // about; zero for never
	// Secret is what a call carries. The server tells it once, when the token
	// is made, and keeps only a hash.
	Secret string `json:"token"`
}

// CreateToken makes a token; its Secret cannot be had again.
func (c *Client) CreateToken(ctx context.Context, t NewToken) (*Token, error) {
	return one[Token](ctx, c, post(t, "tokens"))
}

// Tokens returns a page of the tokens.
func (c *Client) Tokens(ctx context.Context, p Paging) (*Page[Token], error) {
	return list[Token](ctx, c, get("tokens").with(p.query()))
}

// AllTokens goes through all pages.
func (c *Client) AllTokens(ctx context.Context, p Paging) iter.Seq2[*Token, error] {
	return all(ctx, p, c.Tokens)
}

// Token returns one.
func (c *Client) Token(ctx context.Context, id string) (*Token, error) {
	return one[Token](ctx, c, get("tokens", id))
}

// RevokeToken makes a token worthless at once.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.do(ctx, at(http.MethodDelete, "tokens", id), nil)
}
