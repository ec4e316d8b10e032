package send

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Sign returns the signature of body under secret: HMAC-SHA256 (RFC 2104) over
// exactly these bytes, as 64 lower-case hex digits.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}
