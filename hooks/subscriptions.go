package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// MaxNameLength bounds a subscription's name, in bytes.
const MaxNameLength = 256

// MaxDescriptionLength bounds a subscription's description, in bytes.
const MaxDescriptionLength = 4096

// MaxTags bounds a subscription's tags.
const MaxTags = 100

// active is a subscription in use: with its integration and parsed policy.
type active struct {
	sub         *Subscription
	integration *manifest.Integration // nil when the catalog lacks it
	policy      *policy.Policy        // nil when it cannot be known
	problem     string                // why it is not served, "" when it is

	config        *manifest.Prepared // the subscription's
	secrets       []string           // values of the config that no log may show
	skipTLSVerify bool
}

// served reports whether deliveries are attempted now.
func (a *active) served() bool { return a.sub.On && a.problem == "" }

// previous holds the secrets that still sign beside the present ones.
func (a *active) previous(now time.Time) render.Value {
	if !now.Before(a.sub.PreviousUntil) {
		return render.Value{}
	}
	return a.sub.PreviousSecrets
}

// listens reports whether events may go to the subscription. One that is not
// served listens too: its deliveries wait.
func (a *active) listens() bool { return a.sub.On && a.policy != nil }

// activate finds a stored subscription's integration and policy.
func (e *Engine) activate(s *Subscription) *active {
	a := &active{sub: s}
	if i, ok := e.Catalog().Get(s.Integration); !ok {
		a.problem = "the catalog has no usable integration of this name; its deliveries wait until it is back"
	} else if err := i.Subscribable(); err != nil {
		a.problem = err.Error()
	} else {
		a.integration = i
		a.config = i.Prepare(s.Config)
		a.secrets = append(i.SecretValues(s.Config), i.SecretValues(s.PreviousSecrets)...)
		a.skipTLSVerify = skipTLSVerify(i, s.Config)
	}
	statements := s.Statements
	if statements == nil {
		if a.integration == nil {
			return a
		}
		statements = DefaultStatements(a.integration)
	}
	p, err := policy.Parse(statements)
	if err != nil {
		a.problem = "its policy does not parse: " + err.Error()
		return a
	}
	a.policy = p
	return a
}

// DefaultStatements is what a subscription without statements works by: the
// integration's default policy, or every event.
func DefaultStatements(i *manifest.Integration) []policy.Statement {
	if d := i.DefaultStatements(); d != nil {
		return d
	}
	return []policy.Statement{{Effect: "allow", Resources: []string{"*"}, Actions: []string{"*"}}}
}

// Integration finds one that can be subscribed, else *UnknownIntegrationError.
func (e *Engine) Integration(key string) (*manifest.Integration, error) {
	i, ok := e.Catalog().Get(key)
	if !ok {
		return nil, &UnknownIntegrationError{Key: key, Nearest: e.Catalog().Nearest(key)}
	}
	if err := i.Subscribable(); err != nil {
		return nil, &UnknownIntegrationError{Key: key, Reason: err.Error()}
	}
	return i, nil
}

// check returns *InvalidError with all that is wrong, or
// *UnknownIntegrationError. A config that stays as it was in old is not checked
// again: one can switch a subscription off whatever became of its integration.
func (e *Engine) check(s, old *Subscription) error {
	var bad InvalidError
	if s.Name == "" && s.Integration != webhookKey { // LaunchDarkly's webhooks need none
		bad.add("name", "it is required")
	}
	if len(s.Name) > MaxNameLength {
		bad.add("name", "it has %d bytes; at most %d are allowed", len(s.Name), MaxNameLength)
	}
	if len(s.Tags) > MaxTags {
		bad.add("tags", "there are %d; at most %d are allowed", len(s.Tags), MaxTags)
	}
	if old == nil || !s.Config.Equal(old.Config) {
		integration, err := e.Integration(s.Integration)
		if err != nil {
			return err
		}
		bad.addConfig(integration.CheckConfig(s.Config))
		if e.o.RequireHTTPS && integration.PlainHTTP(s.Config) {
			bad.add("config", "its endpoint is http://, and the server requires https:// (--require-https)")
		}
	}
	s.Delivery.check(&bad)
	if len(s.Description) > MaxDescriptionLength {
		bad.add("description", "it has %d bytes; at most %d are allowed", len(s.Description), MaxDescriptionLength)
	}
	if _, err := policy.Parse(s.Statements); err != nil {
		bad.Fields = append(bad.Fields, StatementErrors(err)...)
	}
	if len(bad.Fields) > 0 {
		return &bad
	}
	return nil
}

// CreateSubscription stores a new subscription under a new id and returns it.
// The errors are *InvalidError, *UnknownIntegrationError or the store's.
func (e *Engine) CreateSubscription(ctx context.Context, by Actor, s Subscription) (*Subscription, error) {
	s.ID, s.Version = NewID(), 1
	s.CreatedAt = time.Now().UTC()
	s.UpdatedAt = s.CreatedAt
	s.PreviousSecrets, s.PreviousUntil, s.OffReason = render.Value{}, time.Time{}, ""
	if err := e.check(&s, nil); err != nil {
		return nil, err
	}
	created, err := e.put(ctx, s.clone())
	if err == nil {
		e.Changed(ctx, by, changeOf(nil, created))
	}
	return created, err
}

// UpdateSubscription replaces a subscription. s.Version must be that of the
// stored one, else the error is ErrConflict; its id, integration and creation
// time cannot be changed.
func (e *Engine) UpdateSubscription(ctx context.Context, by Actor, s Subscription) (*Subscription, error) {
	old, err := e.Subscription(s.ID)
	if err != nil {
		return nil, err
	}
	if old.Version != s.Version {
		return nil, fmt.Errorf("subscription %s: %w", s.ID, ErrConflict)
	}
	s.Integration, s.CreatedAt = old.Integration, old.CreatedAt
	s.Version++
	s.UpdatedAt = time.Now().UTC()
	if s.On {
		s.OffReason = ""
	}
	e.rotate(&s, old)
	if err := e.check(&s, old); err != nil {
		return nil, err
	}
	updated, err := e.put(ctx, s.clone())
	if err == nil {
		e.Changed(ctx, by, changeOf(old, updated))
	}
	return updated, err
}

// rotate keeps the secrets that signed until now, where the subscription wants
// them to sign for a while beside the new ones.
func (e *Engine) rotate(s, old *Subscription) {
	s.PreviousSecrets, s.PreviousUntil = old.PreviousSecrets, old.PreviousUntil
	if !s.UpdatedAt.Before(s.PreviousUntil) {
		s.PreviousSecrets, s.PreviousUntil = render.Value{}, time.Time{}
	}
	integration, ok := e.Catalog().Get(s.Integration)
	if !ok || s.Delivery.SecretOverlap == 0 {
		return
	}
	var previous []render.Member
	changed := false
	for key, value := range old.Config.Members() {
		if v := integration.Variable(key); v != nil && v.IsSecret {
			previous = append(previous, render.Member{Key: key, Value: value})
			changed = changed || !s.Config.Get(key).Equal(value)
		}
	}
	if changed {
		s.PreviousSecrets = render.Object(previous...)
		s.PreviousUntil = s.UpdatedAt.Add(time.Duration(s.Delivery.SecretOverlap))
	}
}

func (e *Engine) put(ctx context.Context, s *Subscription) (*Subscription, error) {
	// The caller may leave while the write is on its way; what is stored must
	// be in memory all the same.
	if err := e.o.Store.PutSubscription(context.WithoutCancel(ctx), s); err != nil {
		return nil, fmt.Errorf("store subscription: %w", err)
	}
	a := e.activate(s)
	e.mu.Lock()
	// Two changes may get here in another order than they were stored in; one
	// that is gone by now was deleted meanwhile.
	old := e.subs[s.ID]
	if s.Version == 1 || old != nil && old.sub.Version < s.Version {
		e.subs[s.ID] = a
		e.countOrdered(old, a)
		e.listen(s.ID, a)
	}
	e.mu.Unlock()
	e.o.Queue.Resume(s.ID) // it may have been switched on
	return s.clone(), nil
}

// DeleteSubscription removes a subscription and cancels its deliveries;
// ErrNotFound when there is none.
func (e *Engine) DeleteSubscription(ctx context.Context, by Actor, id string) error {
	old := e.lookup(id)
	err := e.o.Store.DeleteSubscription(context.WithoutCancel(ctx), id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("delete subscription: %w", err)
	}
	e.mu.Lock()
	e.countOrdered(e.subs[id], nil)
	delete(e.subs, id)
	e.index.Delete(id)
	e.mu.Unlock()
	e.limits.forget(id)
	e.failing.forget(id)
	if err == nil && old != nil {
		e.Changed(ctx, by, changeOf(old.sub, nil))
	}
	return err
}

// Subscription returns a copy of one, or ErrNotFound.
func (e *Engine) Subscription(id string) (*Subscription, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	a, ok := e.subs[id]
	if !ok {
		return nil, fmt.Errorf("subscription %s: %w", id, ErrNotFound)
	}
	return a.sub.clone(), nil
}

// Subscriptions returns copies of all of one integration, or of all when the
// key is empty, oldest first.
func (e *Engine) Subscriptions(integration string) []*Subscription {
	e.mu.RLock()
	defer e.mu.RUnlock()
	list := []*Subscription{}
	for _, a := range e.subs {
		if integration == "" || a.sub.Integration == integration {
			list = append(list, a.sub.clone())
		}
	}
	slices.SortFunc(list, func(a, b *Subscription) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// SubscriptionPage returns copies of the first subscriptions of an integration,
// or of all when the key is empty, whose ids come after one, oldest first, at
// most limit; and whether there are more.
func (e *Engine) SubscriptionPage(integration, after string, limit int) (page []*Subscription, more bool) {
	e.mu.RLock()
	var found []*Subscription
	for id, a := range e.subs {
		if id > after && (integration == "" || a.sub.Integration == integration) {
			found = append(found, a.sub) // never changed in place
		}
	}
	e.mu.RUnlock()
	slices.SortFunc(found, func(a, b *Subscription) int { return strings.Compare(a.ID, b.ID) })
	if more = len(found) > limit; more {
		found = found[:limit]
	}
	page = make([]*Subscription, len(found))
	for i, s := range found {
		page[i] = s.clone()
	}
	return page, more
}

// Warnings lists what an admin should know of a subscription: why it is not
// served, and that what it sends can be read on the way.
func (e *Engine) Warnings(id string) []string {
	warnings := []string{}
	a := e.lookup(id)
	if a == nil {
		return warnings
	}
	if a.problem != "" {
		warnings = append(warnings, a.problem)
	}
	if a.integration != nil && a.integration.PlainHTTP(a.sub.Config) {
		warnings = append(warnings, "its endpoint is reached over http://, where everybody on the way can read and change what is sent; use https://")
	}
	return warnings
}

// lookup finds a subscription in use; nil when it is gone.
func (e *Engine) lookup(id string) *active {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.subs[id]
}
