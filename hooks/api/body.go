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
func readJSON(r *request) (render.Value, error) {
	data, err := readBody(r)
	if err != nil {
		return render.Value{}, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return render.Value{}, fail(kindInvalid, "the body is empty; JSON is expected")
	}
	v, err := render.ParseJSON(data)
	if err != nil {
		return render.Value{}, fail(kindInvalid, "the body is not JSON: %v", err)
	}
	return v, nil
}

// readObject is readJSON for a body that may be left out, which is as good as
// an empty object. Members other than those named are refused.
func readObject(r *request, members ...string) (*reader, error) {
	data, err := readBody(r)
	if err != nil {
		return nil, err
	}
	doc := render.Object()
	if len(bytes.TrimSpace(data)) > 0 {
		if doc, err = render.ParseJSON(data); err != nil {
			return nil, fail(kindInvalid, "the body is not JSON: %v", err)
		}
	}
	if doc.Kind() != render.KindObject {
		return nil, fail(kindInvalid, "the body is %s; it must be an object", kindText[doc.Kind()])
	}
	d := &reader{doc: doc}
	d.refuseOthers(members)
	return d, nil
}

// readBody reads all of the body.
func readBody(r *request) ([]byte, error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, fail(kindMediaType, "a body with a Content-Encoding is not read; send it plain")
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), 64<<10)) + bytes.MinRead) // no more on a client's word
	if _, err := buf.ReadFrom(r.Body); err != nil {                     // bounded by http.MaxBytesReader
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, err
		}
		return nil, fail(kindInvalid, "the body could not be read to its end")
	}
	return buf.Bytes(), nil
}

// An answer is what a successful call is answered with.
type answer struct {
	status   int                             // 0 is 200
	body     any                             // as encoding/json writes it; nil for no body
	location string                          // the Location header, where something was made
	etag     string                          // the ETag header, without its quotes
	stream   func(http.ResponseWriter) error // writes headers and body by itself, in place of body
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
		a.log.Error("request failed", "request", w.Header().Get(requestIDHeader), "method", r.Method, "path", loggedPath(r), "error", err)
	}
	a.writeFault(w, r, f)
}

func (a *API) writeFault(w http.ResponseWriter, r *http.Request, f *fault) {
	k := kinds[f.kind]
	if k.retryAfter != "" {
		w.Header().Set("Retry-After", k.retryAfter)
	}
	a.write(w, r, answer{status: k.status, body: errorBody{Code: k.code, Message: f.message, Errors: f.details}})
}

// write sends an answer. It is encoded before the status goes out, so that an
// encoding error can still be told.
func (a *API) write(w http.ResponseWriter, r *http.Request, reply answer) {
	h := w.Header()
	if reply.location != "" {
		h.Set("Location", reply.location)
	}
	if reply.etag != "" {
		h.Set("ETag", `"`+reply.etag+`"`)
	}
	if reply.stream != nil {
		a.stream(w, r, reply)
		return
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
	h.Set("Content-Type", "application/json")
	w.WriteHeader(reply.status)
	_, _ = w.Write(buf.Bytes()) // an error means that the client is gone
}

// stream sends a body that is written as it is made. Where that fails on the
// way the connection is broken, so that nobody takes a part for the whole.
func (a *API) stream(w http.ResponseWriter, r *http.Request, reply answer) {
	s := &started{ResponseWriter: w}
	err := reply.stream(s)
	switch {
	case err == nil:
	case s.yes:
		a.log.Error("an answer broke off", "request", w.Header().Get(requestIDHeader), "path", loggedPath(r), "error", err)
		panic(http.ErrAbortHandler)
	default:
		w.Header().Del("Content-Disposition")
		a.refuse(w, r, err)
	}
}

// started knows whether anything was written.
type started struct {
	http.ResponseWriter
	yes bool
}

func (s *started) Write(data []byte) (int, error) {
	s.yes = true
	return s.ResponseWriter.Write(data)
}

// Unwrap is for http.ResponseController.
func (s *started) Unwrap() http.ResponseWriter { return s.ResponseWriter }
