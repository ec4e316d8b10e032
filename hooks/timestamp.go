package hooks

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/flaghook/flaghook/render"
)

// maxMillis is the last millisecond of the year 9999, the last that RFC 3339
// can write.
const maxMillis = 253402300799999

// timestamp reads the event's time in any of its forms (milliseconds, RFC 3339
// text, or an object with milliseconds, rfc3339 or seconds, the first of them
// counting), in milliseconds.
func (n *normalizer) timestamp(now time.Time) int64 {
	v, ok := n.given("timestamp")
	if !ok {
		return now.UnixMilli()
	}
	switch v.Kind() {
	case render.KindNumber:
		return n.millis("/timestamp", v.AsNumber())
	case render.KindString:
		return n.rfc3339("/timestamp", v.AsString())
	case render.KindObject:
		if ms := v.Get("milliseconds"); ms.Kind() == render.KindNumber {
			return n.millis("/timestamp/milliseconds", ms.AsNumber())
		}
		if text := v.Get("rfc3339"); text.Kind() == render.KindString {
			return n.rfc3339("/timestamp/rfc3339", text.AsString())
		}
		if s := v.Get("seconds"); s.Kind() == render.KindNumber {
			return n.millis("/timestamp/seconds", s.AsNumber()*1000)
		}
		n.fail("/timestamp", "it needs milliseconds, rfc3339 or seconds")
	}
	return 0
}

func (n *normalizer) millis(pointer string, ms float64) int64 {
	if math.IsNaN(ms) || ms < 0 || ms > maxMillis {
		n.fail(pointer, "it must be Unix time from 1970 to 9999")
		return 0
	}
	return int64(ms)
}

func (n *normalizer) rfc3339(pointer, text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		n.fail(pointer, "it is not an RFC 3339 time such as 2026-01-31T12:00:00Z")
		return 0
	}
	return n.millis(pointer, float64(t.UnixMilli()))
}

// time adds a member that is a time, in milliseconds, as templates see it: in four
// forms.
func (b *builder) time(key string, ms int64) {
	t := time.UnixMilli(ms).UTC()
	b.object(key)
	b.name("milliseconds")
	b.text = strconv.AppendInt(b.text, ms, 10)
	b.name("seconds")
	b.text = strconv.AppendInt(b.text, t.Unix(), 10)
	var space [32]byte
	rfc3339 := t.AppendFormat(space[:0], "2006-01-02T15:04:05Z")
	date, clock, _ := bytes.Cut(rfc3339[:len(rfc3339)-1], []byte{'T'})
	b.name("rfc3339")
	b.text = append(append(append(b.text, '"'), rfc3339...), '"')
	b.name("simple")
	b.text = append(append(append(append(append(b.text, '"'), date...), ' '), clock...), '"')
	b.end()
}

// Restamp gives a document another time; the CLI stamps samples with it.
func Restamp(doc render.Value, t time.Time) render.Value {
	b := newBuilder()
	b.object("")
	b.time("timestamp", t.UnixMilli())
	b.end()
	return doc.With("timestamp", render.Written(string(b.take())).Get("timestamp"))
}
