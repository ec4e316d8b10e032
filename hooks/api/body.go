package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// readJSON reads the body as one JSON value, whatever its Content-Type says.
// An object's repeated member counts with its last value; nesting is bounded
// (see render.ParseJSON).
func readJSON(r *http.Request) (render.Value, error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return render.Value{}, fail(kindMediaType, "a body with a Content-Encoding is not read; send it plain")
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), 64<<10)) + bytes.MinRead) // no more on a client's word
	if _, err := buf.ReadFrom(r.Body); err != nil {                     // bounded by http.MaxBytesReader
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return render.Value{}, err
		}
		return render.Value{}, fail(kindInvalid, "the body could not be read to its end")
	}
	if len(bytes.TrimSpace(buf.Bytes())) == 0 {
		return render.Value{}, fail(kindInvalid, "the body is empty; JSON is expected")
	}
	v, err := render.ParseJSON(buf.Bytes())
	if err != nil {
		return render.Value{}, fail(kindInvalid, "the body is not JSON: %v", err)
	}
	return v, nil
}

// An answer is what a successful call is answered with.
type answer struct {
	status   int    // 0 is 200
	body     any    // as encoding/json writes it; nil for no body
	location string // the Location header, where something was made
}

// errorBody is the JSON of every error.
type errorBody struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Errors  []detail `json:"errors,omitempty"`
}

// refuse answers with an error and logs it where the server is at fault.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := faultOf(err)
	switch {
	case r.Context().Err() != nil: // nobody waits for the answer
	case f.kind == kindInternal, f.kind == kindUnavailable:
		a.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	a.writeFault(w, f)
}

// retryAfter is how many seconds a client should wait before it tries again.
const retryAfter = "2"

func (a *API) writeFault(w http.ResponseWriter, f *fault) {
	if f.kind == kindUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	k := kinds[f.kind]
	a.write(w, answer{status: k.status, body: errorBody{Code: k.code, Message: f.message, Errors: f.details}})
}

// write sends an answer. It is encoded before the status goes out, so that an
// encoding error can still be told.
func (a *API) write(w http.ResponseWriter, reply answer) {
	if reply.location != "" {
		w.Header().Set("Location", reply.location)
	}
	if reply.status == 0 {
		reply.status = http.StatusOK
	}
	if reply.body == nil {
		w.WriteHeader(reply.status)
		return
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // values are echoed as they were given
	if err := enc.Encode(reply.body); err != nil {
		a.log.Error("cannot encode an answer", "error", err)
		buf.Reset()
		reply.status = http.StatusInternalServerError
		_ = enc.Encode(errorBody{Code: kinds[kindInternal].code, Message: internalMessage}) // cannot fail: strings only
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(reply.status)
	_, _ = w.Write(buf.Bytes()) // an error means that the client is gone
}
