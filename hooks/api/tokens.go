package api

import (
	"net/http"

	"github.com/flaghook/flaghook/hooks"
)

const tokensPath = "/api/v1/tokens" //nolint:gosec // a path, no token

// adminRoutes are what only admins may do.
func (a *API) adminRoutes() []route {
	return []route{
		{path: tokensPath, methods: map[string]method{"GET": {admins, a.listTokens}, "POST": {admins, a.postToken}}},
		{path: tokensPath + "/{id}", methods: map[string]method{"GET": {admins, a.getToken}, "DELETE": {admins, a.deleteToken}}},
		{path: "/api/v1/backup", methods: map[string]method{"GET": {admins, a.getBackup}}},
	}
}

// madeToken is a token that has just been made, with its text.
type madeToken struct {
	*hooks.Token
	Text string `json:"token"` // shown only here
}

// POST /api/v1/tokens
func (a *API) postToken(r *request) (answer, error) {
	d, err := readObject(r, "name", "role", "statements")
	if err != nil {
		return answer{}, err
	}
	t := hooks.Token{Name: d.text("name"), Role: hooks.Role(d.text("role")), Statements: d.statements()}
	if err := d.err(); err != nil {
		return answer{}, err
	}
	made, text, err := a.engine.Tokens().Create(r.Context(), r.by(), t)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, body: madeToken{Token: made, Text: text}, location: linkBase(r) + tokensPath + "/" + made.ID}, nil
}

// GET /api/v1/tokens, the oldest first
func (a *API) listTokens(r *request) (answer, error) {
	q := queryOf(r)
	after, limit := q.cursor(a, "tokens"), q.limit()
	if err := q.err(); err != nil {
		return answer{}, err
	}
	found := a.engine.Tokens().List(after, limit+1)
	page := list[*hooks.Token]{Items: found}
	if len(found) > limit {
		page.Items = found[:limit]
		page.Next = a.next(found[limit-1].ID, "tokens")
	}
	return answer{body: page}, nil
}

// GET /api/v1/tokens/{id}
func (a *API) getToken(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	t, err := a.engine.Tokens().Token(id)
	if err != nil {
		return answer{}, err
	}
	return answer{body: t}, nil
}

// DELETE /api/v1/tokens/{id} ends a token at once.
func (a *API) deleteToken(r *request) (answer, error) {
	id, err := idVar(r)
	if err != nil {
		return answer{}, err
	}
	if err := a.engine.Tokens().Revoke(r.Context(), r.by(), id); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
