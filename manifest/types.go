package manifest

import (
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// A Manifest is the content of a manifest.json. Only the hook for audit-log
// events is more than data to flaghook; see [Integration.Hook].
type Manifest struct {
	Name         string   `json:"name"`
	Version      string   `json:"version"` // semantic
	Overview     string   `json:"overview"`
	Description  string   `json:"description"`
	Details      string   `json:"details,omitempty"`
	Author       string   `json:"author"`
	SupportEmail string   `json:"supportEmail"`
	Links        Links    `json:"links"`
	Categories   []string `json:"categories"`
	Icons        Icons    `json:"icons"`

	FormVariables     []FormVariable          `json:"formVariables,omitempty"`
	Capabilities      map[string]render.Value `json:"capabilities,omitempty"` // as written, by kind
	OtherCapabilities []string                `json:"otherCapabilities,omitempty"`

	RequiresOAuth                  bool          `json:"requiresOAuth,omitempty"`
	OAuthIntegrationKey            string        `json:"oauthIntegrationKey,omitempty"`
	Legacy                         *Legacy       `json:"legacy,omitempty"`
	HideOnIntegrationsPage         bool          `json:"hideOnIntegrationsPage,omitempty"`
	AllowIntegrationConfigurations bool          `json:"allowIntegrationConfigurations,omitempty"`
	Lint                           *LintSettings `json:"lint,omitempty"`
}

// Links are web addresses about an integration.
type Links struct {
	Site             string `json:"site"`
	LaunchDarklyDocs string `json:"launchdarklyDocs,omitempty"`
	PrivacyPolicy    string `json:"privacyPolicy"`
	SupportWebsite   string `json:"supportWebsite,omitempty"`
}

// Icons are paths of SVG files inside the folder.
type Icons struct {
	Square     string `json:"square"`
	Horizontal string `json:"horizontal"`
}

// Legacy names an older built-in integration that this one stands for.
type Legacy struct {
	Kind string `json:"kind"`
}

// LintSettings holds the warnings that a manifest waives.
type LintSettings struct {
	Allow []Waiver `json:"allow,omitempty"`
}

// A Waiver lets a manifest off from one kind of warning.
type Waiver struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// The types of form variables.
const (
	TypeString              = "string"
	TypeBoolean             = "boolean"
	TypeURI                 = "uri"
	TypeEnum                = "enum"
	TypeOAuth               = "oauth"
	TypeDynamicEnum         = "dynamicEnum"
	TypeGenerated           = "generated"
	TypeEnvironmentSelector = "environmentSelector"
	TypeMultiselect         = "multiselect"
	TypePublicKey           = "publicKey"
)

// A FormVariable is a setting that an admin fills in for each subscription.
type FormVariable struct {
	Key                string       `json:"key"`
	Name               string       `json:"name"`
	Type               string       `json:"type"` // one of the Type constants
	Description        string       `json:"description"`
	Placeholder        string       `json:"placeholder,omitempty"`
	IsSecret           bool         `json:"isSecret,omitempty"`
	IsHidden           bool         `json:"isHidden,omitempty"`
	IsOptional         bool         `json:"isOptional,omitempty"`
	DefaultValue       render.Value `json:"defaultValue,omitzero"` // a string or a boolean; undefined without one
	AllowedValues      []string     `json:"allowedValues,omitempty"`
	MultiselectOptions []Option     `json:"multiselectOptions,omitempty"`
	DisableAfterSaving bool         `json:"disableAfterSaving,omitempty"`
	HideEmpty          bool         `json:"hideEmpty,omitempty"`
}

// An Option is one choice of a multiselect.
type Option struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// HasDefault reports whether the variable has a value when nobody sets it.
func (v *FormVariable) HasDefault() bool { return v.DefaultValue.IsDefined() }

// Options lists the values that the variable may take, nil for any.
func (v *FormVariable) Options() []string {
	switch v.Type {
	case TypeEnum:
		return v.AllowedValues
	case TypeMultiselect:
		var values []string
		for _, o := range v.MultiselectOptions {
			values = append(values, o.Value)
		}
		return values
	}
	return nil
}

// A Hook is the capability auditLogEventsHook: it sends change events.
type Hook struct {
	Endpoint                  *Endpoint         // nil where the events travel some other way
	Templates                 map[string]string // file by kind of event, "default" or "validation"
	DefaultPolicy             []policy.Statement
	IncludeErrorResponseBody  bool // the admin may see error answers: asked for, and the host is fixed
	UseStandardWebhookPayload bool
	DeliveryMethod            string // "" or "custom"
}

// An Endpoint is an HTTP request with templates for its URL and header values.
type Endpoint struct {
	URL              string
	Method           string
	Headers          []EndpointHeader
	HMACSignature    *HMACSignature    // nil where the manifest has none
	StandardWebhooks *StandardWebhooks // nil where the manifest has none
}

// An EndpointHeader is one header of an endpoint.
type EndpointHeader struct {
	Name      string
	Value     string // a template
	OmitEmpty bool   // not sent where the value renders to nothing but white space
}

// HMACSignature says where a signature of the body goes, how it is written and
// which form variable holds its secret.
type HMACSignature struct {
	HeaderName     string
	SecretVariable string
	Prefix         string // in front of the signature, for instance "sha256="
	Encoding       string // EncodingHex or EncodingBase64
	Algorithm      string // AlgorithmSHA256 or AlgorithmSHA512
}

// How an HMACSignature is written, and its hash function. The first of each is
// what a manifest means that says nothing.
const (
	EncodingHex     = "hex"    // lower case
	EncodingBase64  = "base64" // the standard alphabet, with padding
	AlgorithmSHA256 = "sha256"
	AlgorithmSHA512 = "sha512"
)

// StandardWebhooks asks for the signature of standardwebhooks.com and says
// which form variable holds its secret.
type StandardWebhooks struct{ SecretVariable string }

// A Header is one header of a request.
type Header struct{ Name, Value string }
