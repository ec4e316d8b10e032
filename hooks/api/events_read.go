package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// MaxEvents bounds the events of one request.
const MaxEvents = 1000

// readEvents normalises what was posted, or says all that is wrong with all of
// it. In an array, or in lines, places begin with the index of the event.
func readEvents(r *request) ([]*hooks.Event, error) {
	key, err := idempotencyKey(r)
	if err != nil {
		return nil, err
	}
	posted, several, err := readPosted(r)
	if err != nil {
		return nil, err
	}
	if n := len(posted); n > MaxEvents {
		return nil, fail(kindInvalid, "there are %d events; at most %d are taken at once", n, MaxEvents)
	}
	o := hooks.EventOptions{Now: time.Now(), Scope: r.grant.TokenID}
	events := make([]*hooks.Event, 0, len(posted))
	var details []detail
	for i, v := range posted {
		if key != "" {
			o.NewID = func() string { return derivedID(o.Scope, key, i) }
		}
		event, err := hooks.NewEvent(v, o)
		if err == nil {
			events = append(events, event)
			continue
		}
		at := ""
		if several {
			at = fmt.Sprintf("/%d", i)
		}
		details = append(details, eventDetails(at, err)...)
	}
	if len(details) > 0 {
		return nil, invalid(details...)
	}
	return events, nil
}

// eventDetails places what is wrong with one event.
func eventDetails(at string, err error) []detail {
	var all hooks.EventErrors
	if !errors.As(err, &all) {
		return []detail{{Attribute: at, Reason: err.Error()}}
	}
	details := make([]detail, len(all))
	for i, e := range all {
		details[i] = detail{Attribute: at + e.Pointer, Reason: e.Message}
	}
	return details
}

// readPosted reads the body: one event, several in an array or, where the
// Content-Type says so, one a line.
func readPosted(r *request) (posted []render.Value, several bool, err error) {
	if isNDJSON(r.Header.Get("Content-Type")) {
		posted, err = readLines(r)
		return posted, true, err
	}
	body, err := readJSON(r)
	if err != nil {
		return nil, false, err
	}
	if body.Kind() != render.KindArray {
		return []render.Value{body}, false, nil
	}
	if body.Len() == 0 {
		return nil, false, fail(kindInvalid, "the array is empty; post at least one event")
	}
	large := r.ContentLength < 0 || r.ContentLength > maxShared
	for v := range body.Items() {
		if large {
			v = apart(v)
		}
		posted = append(posted, v)
	}
	return posted, true, nil
}

// maxShared is how large a body may be, in bytes, that the events in it share:
// one that is kept in memory keeps all of its body.
const maxShared = 16 << 10

// apart gives a value that shares no text with others.
func apart(v render.Value) render.Value {
	alone, err := render.ParseJSON(v.AppendJSON(nil))
	if err != nil {
		return v // what was read once can be read again
	}
	return alone
}

func isNDJSON(contentType string) bool {
	if !strings.Contains(contentType, "ndjson") { // the usual case, without parsing
		return false
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/x-ndjson" || mediaType == "application/ndjson")
}

// readLines reads JSON values, one a line; lines of blanks are passed over.
func readLines(r *request) ([]render.Value, error) {
	data, err := readBody(r)
	if err != nil {
		return nil, err
	}
	var values []render.Value
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		v, err := render.ParseJSON(text)
		if err != nil {
			return nil, fail(kindInvalid, "line %d of the body is not JSON: %v", line, err)
		}
		if values = append(values, v); len(values) > MaxEvents {
			return nil, fail(kindInvalid, "there are more than %d events; send them in several requests", MaxEvents)
		}
	}
	if len(values) == 0 {
		return nil, fail(kindInvalid, "the body has no event; post one a line")
	}
	return values, nil
}

// maxIdempotencyKey bounds the header, in bytes.
const maxIdempotencyKey = 255

// idempotencyKey is what a client calls this request, to send it again without
// harm; "" where it does not.
func idempotencyKey(r *request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxIdempotencyKey {
		return "", invalid(detail{Attribute: "Idempotency-Key", Reason: fmt.Sprintf("the header has %d bytes; at most %d are allowed", len(key), maxIdempotencyKey)})
	}
	return key, nil
}

// derivedID is the id of an event that has none of its own: the same whenever
// the same token sends it in the same place under the same key.
func derivedID(scope, key string, index int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "idempotency-key\x00%s\x00%s\x00%d", scope, key, index))
	return hex.EncodeToString(sum[:16])
}
