package send

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Sign returns the signature of body under secret as LaunchDarkly's webhooks
// carry it: HMAC-SHA256 (RFC 2104) over exactly these bytes, as 64 lower-case hex
// digits. A receiver compares it with X-LD-Signature (hmac.Equal). Senders leave
// signing to manifest.Request, which knows what the integration asks for.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}
