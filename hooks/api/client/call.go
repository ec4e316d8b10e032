package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds the JSON of one answer in bytes: a page of a thousand
// deliveries, each with a dozen attempts, has its place in it.
const maxAnswer = 64 << 20

// A call is what a method asks for.
type call struct {
	method string
	path   string // from the server's URL on, escaped
	query  url.Values
	body   any // nil for none, []byte as it is, else as encoding/json writes it
	header http.Header
	again  bool  // it may be made twice, so it is made again after a broken exchange
	err    error // why there is no such path
}

// at begins a call below /api/v1, each segment escaped.
func at(method string, segments ...string) call {
	k := call{method: method, path: "/api/v1", again: method == http.MethodGet, header: http.Header{}}
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			k.err = fmt.Errorf("%s %s/...: %q is no id and no key", method, k.path, s)
			return k
		}
		k.path += "/" + url.PathEscape(s)
	}
	return k
}

func get(segments ...string) call { return at(http.MethodGet, segments...) }

func post(body any, segments ...string) call {
	k := at(http.MethodPost, segments...)
	k.body = body
	return k
}

func (k call) with(query url.Values) call {
	k.query = query
	return k
}

// ifMatch makes the call conditional on a version; 0 is any.
func (k call) ifMatch(version uint64) call {
	if version > 0 {
		k.header.Set("If-Match", fmt.Sprintf(`"%d"`, version))
	}
	return k
}

// do makes a call, again where that is allowed, and reads the answer into a
// value that may be nil.
func (c *Client) do(ctx context.Context, k call, into any) error {
	return c.exchange(ctx, k, func(r *http.Response) error {
		if into == nil || r.StatusCode == http.StatusNoContent {
			return nil
		}
		data, err := readBounded(r.Body, maxAnswer)
		if err != nil {
			return err
		}
		return decode(data, into)
	})
}

// exchange makes a call, again where that is allowed, until read has what it
// wants of a successful answer or there is nothing more to try.
func (c *Client) exchange(ctx context.Context, k call, read func(*http.Response) error) error {
	if k.err != nil {
		return k.err
	}
	body, err := k.encode()
	if err != nil {
		return fmt.Errorf("%s %s: %w", k.method, k.path, err)
	}
	for tries := 0; ; tries++ {
		err := c.once(ctx, k, body, read)
		wait, again := c.retryIn(k, tries, err)
		if !again || ctx.Err() != nil {
			return err
		}
		if !sleep(ctx, wait) {
			return fmt.Errorf("%w (while waiting to try again: %w)", err, ctx.Err())
		}
	}
}

func (k *call) encode() ([]byte, error) {
	switch b := k.body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return b, nil
	}
	return marshal(k.body)
}

// marshal is json.Marshal, but < > & stay as they are: the server echoes them.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// once makes one exchange within the timeout, which read may put off.
func (c *Client) once(ctx context.Context, k call, body []byte, read func(*http.Response) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	deadline := time.AfterFunc(c.o.Timeout, func() { cancel(&timeoutError{c.o.Timeout}) })
	defer deadline.Stop()
	r, err := c.request(ctx, k, body)
	if err != nil {
		return fmt.Errorf("%s %s%s: %w", k.method, c.base, k.path, err)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return c.broken(ctx, k, err)
	}
	defer response.Body.Close()
	response.Body = &patient{ReadCloser: response.Body, deadline: deadline, timeout: c.o.Timeout, extend: k.streams()}
	if response.StatusCode/100 != 2 {
		return readError(k, response)
	}
	if err := read(response); err != nil {
		return c.broken(ctx, k, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, k call, body []byte) (*http.Request, error) {
	target := c.base + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, k.method, target, content)
	if err != nil {
		return nil, errors.New("this makes no URL")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", c.o.UserAgent)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.o.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.o.Token)
	}
	for name, values := range k.header {
		r.Header[name] = values
	}
	return r, nil
}

// streams reports whether the answer may take longer than the timeout, as long
// as bytes come.
func (k *call) streams() bool { return k.header.Get("Accept") == streamType }

const streamType = "application/octet-stream"

// A patient body puts the end of the exchange off whenever bytes come.
type patient struct {
	io.ReadCloser

	deadline *time.Timer
	timeout  time.Duration
	extend   bool
}

func (p *patient) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if n > 0 && p.extend {
		p.deadline.Reset(p.timeout)
	}
	return n, err
}

// A brokenError says that there was no whole answer, or none that can be read.
type brokenError struct {
	what string
	err  error
}

func (e *brokenError) Error() string { return e.what + ": " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("there was no whole answer within %s", e.after)
}
func (e *timeoutError) Timeout() bool { return true }

// broken says what went wrong with an exchange, without the query, which
// net/http would quote.
func (c *Client) broken(ctx context.Context, k call, err error) error {
	var quoting *url.Error
	if errors.As(err, &quoting) {
		err = quoting.Err
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return &brokenError{what: k.method + " " + c.base + k.path, err: err}
}

// readBounded reads all there is, and refuses more than limit bytes.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &unreadableError{fmt.Sprintf("the answer is larger than %d MiB; ask for a smaller page", limit>>20)}
	}
	return data, nil
}

// An unreadableError is about an answer that came whole but says nothing: there
// is no use in asking again.
type unreadableError struct{ reason string }

func (e *unreadableError) Error() string { return e.reason }

func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return &unreadableError{"the answer is not what flaghook answers (" + strings.TrimPrefix(err.Error(), "json: ") + "); is there one at this address?"}
	}
	if k, ok := into.(keeper); ok {
		k.keep(data)
	}
	return nil
}
