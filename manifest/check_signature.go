package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// checkSignatures checks how an endpoint signs.
func (c *checker) checkSignatures(at string, endpoint render.Value, out *Endpoint) {
	if v := endpoint.Get("hmacSignature"); v.Kind() == render.KindObject {
		out.HMACSignature = c.checkHMAC(at+"/hmacSignature", v)
	}
	if v := endpoint.Get("standardWebhooks"); v.Kind() == render.KindObject {
		const name = "secretFormVariableKey" // the schema requires it
		out.StandardWebhooks = &StandardWebhooks{SecretVariable: v.Get(name).AsString()}
		if v.Has(name) {
			c.checkSecret("standard-webhooks", join(at, "standardWebhooks", name), out.StandardWebhooks.SecretVariable)
		}
	}
	if out.HMACSignature == nil {
		return
	}
	taken := []string{HeaderWebhookID}
	if out.StandardWebhooks != nil {
		taken = append(taken, HeaderWebhookTimestamp, HeaderWebhookSignature)
	}
	if name := out.HMACSignature.HeaderName; slices.Contains(taken, strings.ToLower(name)) {
		c.fail("hmac", join(at, "hmacSignature", "headerName"), fmt.Sprintf("the header %s carries something else", shown(name)), "name another header")
	}
}

func (c *checker) checkHMAC(at string, v render.Value) *HMACSignature {
	out := &HMACSignature{
		HeaderName: v.Get("headerName").AsString(), SecretVariable: v.Get("hmacSecretFormVariableKey").AsString(),
		Prefix: v.Get("prefix").AsString(), Encoding: EncodingHex, Algorithm: AlgorithmSHA256,
	}
	if v.Has("encoding") {
		out.Encoding = v.Get("encoding").AsString()
	}
	if v.Has("algorithm") {
		out.Algorithm = v.Get("algorithm").AsString()
	}
	for _, name := range []string{"headerName", "hmacSecretFormVariableKey"} {
		if !v.Has(name) {
			c.fail("hmac", at, fmt.Sprintf("hmacSignature lacks %q", name), describe("add it", join(at, name)))
		}
	}
	if v.Has("headerName") && !validHeaderName(out.HeaderName) {
		c.fail("hmac", join(at, "headerName"), fmt.Sprintf("%s cannot be the name of a header", shown(out.HeaderName)), "letters, digits and hyphens make one")
	}
	if v.Has("hmacSecretFormVariableKey") {
		c.checkSecret("hmac", join(at, "hmacSecretFormVariableKey"), out.SecretVariable)
	}
	return out
}

// checkSecret wants the key of a form variable that is a secret string.
func (c *checker) checkSecret(rule, pointer, key string) {
	variable, keys := c.variable(key)
	switch {
	case !variable.IsDefined():
		c.fail(rule, pointer, fmt.Sprintf("there is no form variable %s", shown(key)), didYouMean(key, keys))
	case variable.Get("type").AsString() != TypeString || !variable.Get("isSecret").AsBool():
		c.fail(rule, pointer, fmt.Sprintf("the form variable %s is not a secret string", shown(key)), `give it "type": "string" and "isSecret": true`)
	}
}

// variable finds a form variable by key, and lists the keys of all.
func (c *checker) variable(key string) (render.Value, []string) {
	var found render.Value
	var keys []string
	for v := range c.doc.Get("formVariables").Items() {
		name := v.Get("key").AsString()
		keys = append(keys, name)
		if name == key && !found.IsDefined() {
			found = v
		}
	}
	return found, keys
}
