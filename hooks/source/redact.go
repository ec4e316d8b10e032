package source

import (
	"strings"

	"github.com/flaghook/flaghook/render"
)

// redacted stands where a secret stood.
const redacted = "***"

// secretNames are the names, in lower case and without - and _, of members that
// hold secrets.
var secretNames = map[string]bool{
	"apikey": true, "secret": true, "clientsecret": true, "signingsecret": true, "webhooksecret": true, "password": true,
	"passwd": true, "token": true, "accesstoken": true, "refreshtoken": true, "authtoken": true, "bearertoken": true,
	"authorization": true, "privatekey": true, "sdkkey": true, "mobilekey": true, "clientkey": true, "serverkey": true,
	"clientsidekey": true, "serversidekey": true, "cookie": true, "credentials": true, "connectionstring": true,
}

var plainName = strings.NewReplacer("-", "", "_", "")

func isSecretName(name string) bool {
	return secretNames[strings.ToLower(plainName.Replace(name))]
}

// redact gives a value with *** in place of the secrets in it: texts and numbers
// that stand under the name of a secret. Objects under such names are searched
// in turn: LaunchDarkly's token describes one and does not hold it.
func redact(v render.Value) render.Value {
	clean, _ := redactIn("", v)
	return clean
}

// redactIn redacts the member of that name, and says whether that changed it.
func redactIn(name string, v render.Value) (render.Value, bool) {
	switch v.Kind() {
	case render.KindString, render.KindNumber:
		if isSecretName(name) && !v.Equal(render.String("")) {
			return render.String(redacted), true
		}
	case render.KindArray:
		items := make([]render.Value, v.Len())
		changed := false
		for i := range items {
			clean, is := redactIn(name, v.At(i))
			items[i], changed = clean, changed || is
		}
		if changed {
			return render.Array(items...), true
		}
	case render.KindObject:
		members := make([]render.Member, 0, v.Len())
		changed := false
		for key, x := range v.Members() {
			clean, is := redactIn(key, x)
			members, changed = append(members, render.Member{Key: key, Value: clean}), changed || is
		}
		if changed {
			return render.Object(members...), true
		}
	}
	return v, false
}
