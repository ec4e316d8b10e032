package api

import (
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// subscriptionJSON is a subscription as our own name space shows it.
type subscriptionJSON struct {
	ID             string             `json:"_id"`
	Integration    string             `json:"integration"`
	Name           string             `json:"name"`
	Description    string             `json:"description"`
	Config         render.Value       `json:"config"` // secrets masked
	Statements     []policy.Statement `json:"statements,omitzero"`
	On             bool               `json:"on"`
	OffReason      string             `json:"offReason,omitempty"`
	Tags           []string           `json:"tags"`
	Ordered        bool               `json:"ordered"`
	TimeoutSeconds int                `json:"timeoutSeconds"` // these five with the server's defaults filled in
	MaxRetries     int                `json:"maxRetries"`
	MaxElapsed     hooks.Duration     `json:"maxElapsed"` // 0s is no bound
	RetryOn        hooks.RetryOn      `json:"retryOn"`
	SecretOverlap  hooks.Duration     `json:"secretOverlap"`
	Warnings       []string           `json:"warnings"`
	Status         statusView         `json:"status"`
	Version        uint64             `json:"_version"`
	CreatedAt      time.Time          `json:"createdAt"`
	UpdatedAt      time.Time          `json:"updatedAt"`
	Links          render.Value       `json:"_links"`
}

// statusView is a status whose list of errors is always there.
type statusView struct {
	hooks.Status
	Errors []hooks.StatusError `json:"errors"`
}

func (a *API) showSubscription(r *request, s *hooks.Subscription) (subscriptionJSON, error) {
	status, err := a.engine.Status(r.Context(), s.ID)
	if err != nil {
		return subscriptionJSON{}, err
	}
	if status.Errors == nil {
		status.Errors = []hooks.StatusError{}
	}
	tags := s.Tags
	if tags == nil {
		tags = []string{}
	}
	settings := a.engine.Effective(s.Delivery)
	self := ownPath(r, s.ID)
	return subscriptionJSON{
		ID: s.ID, Integration: s.Integration, Name: s.Name, Description: s.Description,
		Config: mask(a.integrationOf(s), s.Config), Statements: s.Statements, On: s.On, OffReason: s.OffReason,
		Tags: tags, Ordered: s.Ordered, TimeoutSeconds: settings.TimeoutSeconds, MaxRetries: *settings.MaxRetries,
		MaxElapsed: settings.MaxElapsed, RetryOn: settings.RetryOn, SecretOverlap: settings.SecretOverlap,
		Warnings: a.engine.Warnings(s.ID), Status: statusView{Status: status, Errors: status.Errors},
		Version: s.Version, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
		Links: render.Object(link("self", self), link("parent", linkBase(r)+subscriptionsPath), link("deliveries", self+"/deliveries")),
	}, nil
}

// ownMembers are those that a subscription has at our door, and that a client
// may set.
var ownMembers = []string{
	"name", "config", "on", "tags", "statements", "description", "ordered",
	"timeoutSeconds", "maxRetries", "maxElapsed", "retryOn", "secretOverlap",
}

// ownSubscription reads all that a client may set; what the document leaves out
// is unset, but for On.
func (d *reader) ownSubscription(s *hooks.Subscription) {
	d.subscription(s)
	s.Description = d.text("description")
	s.Ordered = d.bool("ordered", false)
	s.Delivery = hooks.DeliverySettings{
		MaxRetries: d.int("maxRetries", 0),
		MaxElapsed: d.duration("maxElapsed"), SecretOverlap: d.duration("secretOverlap"),
		RetryOn: hooks.RetryOn(d.text("retryOn")),
	}
	if n := d.int("timeoutSeconds", 1); n != nil {
		s.Delivery.TimeoutSeconds = *n
	}
}

var ownPaths = patchPaths(configPaths + `|description|ordered|timeoutSeconds|maxRetries|maxElapsed|retryOn|secretOverlap`)

// ownTarget is a subscription at our door for a patch: with the settings that it
// has of its own, so that a patch of one does not pin the defaults of others.
func ownTarget(s *hooks.Subscription, i *manifest.Integration) patchTarget {
	members := append(commonMembers(s),
		render.Member{Key: "config", Value: mask(i, s.Config)},
		render.Member{Key: "description", Value: render.String(s.Description)},
		render.Member{Key: "ordered", Value: render.Bool(s.Ordered)})
	add := func(key string, set bool, v render.Value) {
		if set {
			members = append(members, render.Member{Key: key, Value: v})
		}
	}
	own := s.Delivery
	add("timeoutSeconds", own.TimeoutSeconds != 0, render.Number(float64(own.TimeoutSeconds)))
	if own.MaxRetries != nil {
		add("maxRetries", true, render.Number(float64(*own.MaxRetries)))
	}
	add("maxElapsed", own.MaxElapsed != 0, render.String(time.Duration(own.MaxElapsed).String()))
	add("retryOn", own.RetryOn != "", render.String(string(own.RetryOn)))
	add("secretOverlap", own.SecretOverlap != 0, render.String(time.Duration(own.SecretOverlap).String()))
	return patchTarget{
		doc: render.Object(members...), paths: ownPaths, named: "what POST takes, and what it holds",
		alias: noAlias, secret: configSecret(i), read: (*reader).ownSubscription,
	}
}
