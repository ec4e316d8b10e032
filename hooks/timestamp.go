package hooks

import (
	"math"
	"strings"
	"time"

	"github.com/flaghook/flaghook/render"
)

// maxMillis is the last millisecond of the year 9999, the last that RFC 3339
// can write.
const maxMillis = 253402300799999

// timestamp reads the event's time in any of its forms (milliseconds, RFC 3339
// text, or an object with milliseconds, rfc3339 or seconds, the first of them
// counting) and gives the object of four forms.
func (n *normalizer) timestamp(now time.Time) render.Value {
	v, ok := n.given("timestamp")
	if !ok {
		return fourForms(&n.maker, now.UnixMilli())
	}
	switch v.Kind() {
	case render.KindNumber:
		return fourForms(&n.maker, n.millis("/timestamp", v.AsNumber()))
	case render.KindString:
		return fourForms(&n.maker, n.rfc3339("/timestamp", v.AsString()))
	case render.KindObject:
		if ms := v.Get("milliseconds"); ms.Kind() == render.KindNumber {
			return fourForms(&n.maker, n.millis("/timestamp/milliseconds", ms.AsNumber()))
		}
		if text := v.Get("rfc3339"); text.Kind() == render.KindString {
			return fourForms(&n.maker, n.rfc3339("/timestamp/rfc3339", text.AsString()))
		}
		if s := v.Get("seconds"); s.Kind() == render.KindNumber {
			return fourForms(&n.maker, n.millis("/timestamp/seconds", s.AsNumber()*1000))
		}
		n.fail("/timestamp", "it needs milliseconds, rfc3339 or seconds")
	}
	return render.Value{}
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

// fourForms writes a time as templates see it.
func fourForms(m *render.Maker, ms int64) render.Value {
	t := time.UnixMilli(ms).UTC()
	rfc3339 := t.Format("2006-01-02T15:04:05Z")
	date, clock, _ := strings.Cut(rfc3339, "T")
	return m.Object(
		render.Member{Key: "milliseconds", Value: render.Number(float64(ms))},
		render.Member{Key: "seconds", Value: render.Number(float64(t.Unix()))},
		render.Member{Key: "rfc3339", Value: render.String(rfc3339)},
		render.Member{Key: "simple", Value: render.String(date + " " + strings.TrimSuffix(clock, "Z"))},
	)
}

// Restamp gives a document another time; the CLI stamps samples with it.
func Restamp(doc render.Value, t time.Time) render.Value {
	return doc.With("timestamp", fourForms(new(render.Maker), t.UnixMilli()))
}
