package send

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody   = 64 << 10 // bytes of an answer's body that are kept
	maxDrain  = 64 << 10 // bytes read beyond that to keep the connection
	maxHeader = 64 << 10 // bytes of an answer's header

	// maxRetryAfter bounds what an endpoint may ask for.
	maxRetryAfter = 24 * time.Hour
)

// readBody returns the start of the answer's body, at most maxBody bytes. A
// body that breaks off, or does not end before the request's deadline, is what
// came of it until then. It also reports whether the body was read to its end.
func readBody(res *http.Response) (body []byte, ended bool) {
	size := res.ContentLength
	if res.Body == http.NoBody || size == 0 {
		return nil, true
	}
	if size < 0 {
		size = 512 // unknown
	}
	buf := make([]byte, 0, min(size, maxBody-1)+1) // one more, to meet the end without growing
	for {
		n, err := res.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil {
			return buf, err == io.EOF
		}
		if len(buf) == maxBody {
			break
		}
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(2*cap(buf), maxBody))
			copy(grown, buf)
			buf = grown
		}
	}
	// Read to the end where it is near: only then is the connection kept.
	if res.ContentLength <= maxBody+maxDrain {
		_, err := io.CopyN(io.Discard, res.Body, maxDrain+1)
		ended = errors.Is(err, io.EOF)
	}
	return buf, ended
}

// retryAfter reads the header Retry-After (RFC 9110, section 10.2.3): seconds,
// or a date. A date counts from the answer's own Date where it has one, so
// that clocks need not agree. The result is within 0 and maxRetryAfter; what
// cannot be read is 0.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	seconds, err := strconv.ParseInt(v, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range it is the nearest number
		seconds = min(max(seconds, 0), int64(maxRetryAfter/time.Second))
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
