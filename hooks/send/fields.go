package send

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// headerDeliveryID carries the delivery's id, the same over all its attempts
// (Standard Webhooks, "Webhook headers").
const headerDeliveryID = "Webhook-Id"

// connectionHeaders are those that belong to the framing of a message, in
// canonical form. A manifest that sets them is not refused: others in this field
// ignore them as well, and what authors copy from their tools holds them.
var connectionHeaders = []string{
	"Connection", "Content-Length", "Expect", "Host", "Http2-Settings", "Keep-Alive",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// ofConnection judges a name in canonical form.
func ofConnection(name string) bool { return slices.Contains(connectionHeaders, name) }

// A field is a line of a header; its name is in canonical form.
type field struct{ name, value string }

// fields are the header of a request. A slice serves: there are few.
type fields []field

// get returns the first value of a name.
func (f fields) get(name string) string {
	for _, x := range f {
		if x.name == name {
			return x.value
		}
	}
	return ""
}

// add gives a name one more value.
func (f *fields) add(name, value string) { *f = append(*f, field{name, value}) }

// set gives a name its only value.
func (f *fields) set(name, value string) {
	*f = slices.DeleteFunc(*f, func(x field) bool { return x.name == name })
	f.add(name, value)
}

// sort orders by name; the values of one name keep their order.
func (f fields) sort() {
	slices.SortStableFunc(f, func(a, b field) int { return cmp.Compare(a.name, b.name) })
}

// header is f as net/http has it.
func (f fields) header() http.Header {
	h := make(http.Header, len(f))
	for _, x := range f {
		h[x.name] = append(h[x.name], x.value)
	}
	return h
}

// header makes what the package's doc says goes out. Check has been through
// the manifest's headers.
func (s *Sender) header(o hooks.Outgoing) (fields, error) {
	f := make(fields, 0, len(o.Request.Headers)+6) // room for ours
	for _, x := range o.Request.Headers {
		if name := http.CanonicalHeaderKey(x.Name); !ofConnection(name) {
			f.add(name, x.Value)
		}
	}
	if f.get("User-Agent") == "" {
		f.set("User-Agent", s.options.UserAgent)
	}
	if o.DeliveryID != "" {
		if !validValue(o.DeliveryID) {
			return nil, errors.New("the delivery's id cannot be sent in a header")
		}
		f.set(headerDeliveryID, o.DeliveryID)
	}
	if err := sign(&f, o); err != nil {
		return nil, err
	}
	return f, nil
}

// sign sets the headers that sign o, for an attempt that is made now.
func sign(f *fields, o hooks.Outgoing) error {
	if len(o.Request.Signatures) == 0 {
		return nil
	}
	last := ""
	for _, x := range o.Request.Sign(o.DeliveryID, time.Now()) {
		name := http.CanonicalHeaderKey(x.Name)
		switch {
		case ofConnection(name):
			return fmt.Errorf("the signature cannot be sent in the header %s, which belongs to the connection; name another in hmacSignature", x.Name)
		case x.Value == "":
			return errors.New("a request without a delivery's id cannot be signed as Standard Webhooks say")
		case name == last:
			f.add(name, x.Value)
		default:
			f.set(name, x.Value)
		}
		last = name
	}
	return nil
}

// validValue reports whether s has no control character but the tab (RFC 9110,
// section 5.5).
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
