package render

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxTime is how far JavaScript's times reach, in milliseconds to both sides of 1970.
const maxTime = 8.64e15

// formatWithOffset(milliseconds, offset, format) is a time, moved by so many seconds, as "milliseconds", "seconds"
// (rounded), "rfc3339" (2020-02-04T00:54:45Z) or "simple" (2020-02-04 00:54:45); any other format is milliseconds.
func formatWithOffset(args []Value) (Value, error) {
	ms := scriptArg(args, 0).toNumber() + 1000*scriptArg(args, 1).toNumber()
	if math.IsNaN(ms) || math.Abs(ms) > maxTime {
		ms = math.NaN()
	}
	ms = math.Trunc(ms)
	layout := ""
	switch arg(args, 2).Text() {
	case "seconds":
		return Number(math.Floor(ms/1000 + 0.5)), nil
	case "rfc3339":
		layout = "2006-01-02T15:04:05Z"
	case "simple":
		layout = "2006-01-02 15:04:05"
	default:
		return Number(ms), nil
	}
	if math.IsNaN(ms) {
		return Value{}, errors.New("the first two values must be a time in milliseconds and an offset in seconds")
	}
	return String(time.UnixMilli(int64(ms)).UTC().Format(layout)), nil
}

// namedLayouts are layouts that have a name of their own.
var namedLayouts = map[string]string{
	"rfc3339": "%Y-%m-%dT%H:%M:%S%:z",
	"iso":     "%Y-%m-%dT%H:%M:%S.%LZ",
	"rfc1123": "%a, %d %b %Y %H:%M:%S %z",
	"date":    "%Y-%m-%d",
	"time":    "%H:%M:%S",
	"simple":  "%Y-%m-%d %H:%M:%S",
	"long":    "%B %-d, %Y at %H:%M",
}

// directives are what may follow a % in a layout, with Go's layout for it; those with none are written by hand.
var directives = map[string]string{
	"Y": "2006", "y": "06", "m": "01", "-m": "1", "d": "02", "-d": "2", "e": "_2", "B": "January", "b": "Jan",
	"A": "Monday", "a": "Mon", "j": "002", "H": "15", "I": "03", "-I": "3", "M": "04", "S": "05", "p": "PM",
	"z": "-0700", ":z": "-07:00", "F": "2006-01-02", "T": "15:04:05", "R": "15:04", "D": "01/02/06",
	"L": "", "s": "", "Q": "", "-H": "", "%": "",
}

// formatTime(value, layout, offset) is a time in a layout of strftime's directives, or a named one. The value is a
// number of milliseconds since 1970, an RFC 3339 time, or an object with milliseconds, as an event's timestamp is.
// The offset is "+02:00" or a number of seconds; UTC unless given. What is not there is "".
//
// Directives: %Y %y year, %m %-m month, %B %b its name, %d %-d %e day, %j day of the year, %A %a weekday, %H %-H %I
// %-I hour, %p AM or PM, %M minute, %S second, %L millisecond, %s seconds since 1970, %Q milliseconds since 1970, %z
// %:z offset, %F = %Y-%m-%d, %T = %H:%M:%S, %R = %H:%M, %D = %m/%d/%y, %% percent. Names are English.
// Named layouts: rfc3339, iso (UTC, milliseconds), rfc1123, date, time, simple, long.
func formatTime(args []Value) (Value, error) {
	v := arg(args, 0)
	if v.nullish() || (v.kind == KindString && v.str == "") {
		return String(""), nil
	}
	t, err := timeOf(v)
	if err != nil {
		return Value{}, err
	}
	layout := arg(args, 1).Text()
	zone, err := zoneOf(arg(args, 2))
	if err != nil {
		return Value{}, err
	}
	if layout == "iso" {
		zone = time.UTC
	}
	s, err := strftime(t.In(zone), layout)
	return String(s), err
}

// lintFormatTime checks a layout and an offset that stand in the template.
func lintFormatTime(args []Value) error {
	if layout := arg(args, 1); layout.kind == KindString {
		if _, err := strftime(time.UnixMilli(0).UTC(), layout.str); err != nil {
			return err
		}
	}
	_, err := zoneOf(arg(args, 2))
	return err
}

func timeOf(v Value) (time.Time, error) {
	if v.kind == KindObject {
		v = v.Get("milliseconds")
	}
	if v.kind == KindString {
		if t, err := time.Parse(time.RFC3339, v.str); err == nil {
			return t, nil
		}
	}
	ms := v.toNumber()
	if !v.IsDefined() || math.IsNaN(ms) || math.Abs(ms) > maxTime {
		return time.Time{}, errors.New("the first value must be a time: milliseconds since 1970 or RFC 3339")
	}
	return time.UnixMilli(int64(ms)), nil
}

func zoneOf(v Value) (*time.Location, error) {
	const day = 24 * 60 * 60
	s := v.Text()
	if s == "" || s == "Z" || s == "UTC" {
		return time.UTC, nil
	}
	for _, layout := range []string{"-07:00", "-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			_, seconds := t.Zone()
			return time.FixedZone("", seconds), nil
		}
	}
	if f := v.toNumber(); math.Abs(f) < day {
		return time.FixedZone("", int(f)), nil
	}
	return nil, errors.New(`the offset must be like "+02:00", or seconds`)
}

// strftime formats a time; see formatTime for what a layout may hold.
func strftime(t time.Time, layout string) (string, error) {
	if named, ok := namedLayouts[layout]; ok {
		layout = named
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(layout, '%')
		if i < 0 || b.Len() > maxOutput {
			b.WriteString(layout)
			return b.String(), nil
		}
		b.WriteString(layout[:i])
		layout = layout[i+1:]
		n := 1
		if layout != "" && (layout[0] == '-' || layout[0] == ':') {
			n = 2
		}
		if n > len(layout) {
			return "", errors.New("the layout ends with a single %; write %% for a percent sign")
		}
		s, err := directive(t, layout[:n])
		if err != nil {
			return "", err
		}
		b.WriteString(s)
		layout = layout[n:]
	}
}

func directive(t time.Time, name string) (string, error) {
	switch name {
	case "%":
		return "%", nil
	case "L":
		return fmt.Sprintf("%03d", t.Nanosecond()/1e6), nil
	case "s":
		return strconv.FormatInt(t.Unix(), 10), nil
	case "Q":
		return strconv.FormatInt(t.UnixMilli(), 10), nil
	case "-H":
		return strconv.Itoa(t.Hour()), nil
	}
	layout, ok := directives[name]
	if !ok {
		return "", fmt.Errorf("unknown directive %s in the layout", quote("%"+name))
	}
	return t.Format(layout), nil
}
