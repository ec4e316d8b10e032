package api

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// given reports whether a member is there; null counts as absent, as clients
// write it for what they leave out.
func given(v render.Value) bool { return v.IsDefined() && v.Kind() != render.KindNull }

// reader gathers what is wrong with a document while it is read.
type reader struct {
	doc     render.Value
	details []detail
}

func (d *reader) fail(attribute, format string, args ...any) {
	d.details = append(d.details, detail{Attribute: attribute, Reason: fmt.Sprintf(format, args...)})
}

// err is the fault with all that was wrong, nil for nothing.
func (d *reader) err() error {
	if len(d.details) == 0 {
		return nil
	}
	return invalid(d.details...)
}

// refuseOthers fails for each member that is not among those named.
func (d *reader) refuseOthers(members []string) {
	for key := range d.doc.Members() {
		if !slices.Contains(members, key) {
			d.fail(shownKey(key), "there is no such member; these are known: %s", strings.Join(members, ", "))
		}
	}
}

// shownKey cuts a name that a client made up.
func shownKey(key string) string {
	const longest = 80
	if len(key) > longest {
		return strings.ToValidUTF8(key[:longest], "") + "…"
	}
	return key
}

// member is a member of that kind; absent, false.
func (d *reader) member(key string, k render.Kind) (render.Value, bool) {
	v := d.doc.Get(key)
	if !given(v) {
		return v, false
	}
	if v.Kind() != k {
		d.fail(key, "it is %s; it must be %s", kindText[v.Kind()], kindText[k])
		return v, false
	}
	return v, true
}

var kindText = map[render.Kind]string{
	render.KindNull: "null", render.KindBool: "a boolean", render.KindNumber: "a number",
	render.KindString: "a string", render.KindArray: "an array", render.KindObject: "an object",
}

// text is a string, "" when it is absent.
func (d *reader) text(key string) string {
	v, _ := d.member(key, render.KindString)
	return v.AsString()
}

// bool is a boolean, or what it is when it is absent.
func (d *reader) bool(key string, absent bool) bool {
	if v, ok := d.member(key, render.KindBool); ok {
		return v.AsBool()
	}
	return absent
}

// int is a whole number from least; nil when it is absent.
func (d *reader) int(key string, least int) *int {
	v, ok := d.member(key, render.KindNumber)
	if !ok {
		return nil
	}
	f := v.AsNumber()
	if f != math.Trunc(f) || f < float64(least) || f > math.MaxInt32 {
		d.fail(key, "it must be a whole number, %d or more", least)
		return nil
	}
	n := int(f)
	return &n
}

// duration is a length of time, as text or in seconds; 0 when it is absent.
func (d *reader) duration(key string) hooks.Duration {
	v := d.doc.Get(key)
	if !given(v) {
		return 0
	}
	var t hooks.Duration
	if err := json.Unmarshal(v.AppendJSON(nil), &t); err != nil {
		d.fail(key, "%v", err)
	}
	return t
}

// texts is a list of strings; false when it is absent. each names one of them.
func (d *reader) texts(key, each string) ([]string, bool) {
	items, ok := d.member(key, render.KindArray)
	if !ok {
		return nil, false
	}
	texts := make([]string, 0, items.Len())
	for i := range items.Len() {
		item := items.At(i)
		if item.Kind() != render.KindString {
			d.fail(fmt.Sprintf("%s[%d]", key, i), "it is %s; %s is a string", kindText[item.Kind()], each)
		}
		texts = append(texts, item.AsString())
	}
	return texts, true
}

// statements is a policy as it is written; nil when it is absent.
func (d *reader) statements() []policy.Statement {
	v, ok := d.member("statements", render.KindArray)
	if !ok {
		return nil
	}
	parsed, err := policy.ParseStatements(v.AppendJSON(nil))
	if err != nil {
		d.details = append(d.details, fieldDetails(hooks.StatementErrors(err))...)
	}
	return parsed
}

// time is a bound in time, as RFC 3339 or in Unix milliseconds; zero when it is
// absent.
func (d *reader) time(key string) time.Time {
	v := d.doc.Get(key)
	text := v.AsString()
	switch {
	case !given(v):
		return time.Time{}
	case v.Kind() == render.KindNumber:
		text = string(v.AppendJSON(nil))
	}
	t, err := parseTime(text)
	if err != nil || text == "" {
		d.fail(key, "it must be a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970")
	}
	return t
}
