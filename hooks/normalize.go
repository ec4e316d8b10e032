package hooks

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// MaxAccesses bounds the accesses of one event.
const MaxAccesses = 1000

// EventOptions are what an event may lack and cannot tell itself.
type EventOptions struct {
	Now   time.Time     // the time of an event that has none; default time.Now()
	NewID func() string // the id of an event that has none; default NewID
	// Scope is whose ids the event's id is one of, such as a token's id: of
	// different scopes, the same id names different events. 1 to 128 of
	// [A-Za-z0-9._:-], or empty.
	Scope string
}

// An EventError is one thing wrong with a posted event.
type EventError struct {
	Pointer string // JSON pointer into the event, "" for the whole
	Message string // what is wrong, and what would be right
}

func (e *EventError) Error() string {
	if e.Pointer == "" {
		return "event: " + e.Message
	}
	return "event: " + e.Pointer + ": " + e.Message
}

// EventErrors are all things wrong with a posted event.
type EventErrors []*EventError

func (e EventErrors) Error() string {
	texts := make([]string, len(e))
	for i, x := range e {
		texts[i] = x.Error()
	}
	return strings.Join(texts, "\n")
}

// lastID is the part of the last id that sorts.
var lastID atomic.Int64

// NewID makes an id that sorts by the time it was made, and after all that this
// process made before: 12 hex digits of Unix milliseconds, 4 that count within
// one, then 16 random ones.
func NewID() string {
	var b [16]byte
	for {
		last := lastID.Load()
		next := max(last+1, time.Now().UnixMilli()<<16)
		if lastID.CompareAndSwap(last, next) {
			binary.BigEndian.PutUint64(b[:], uint64(next))
			break
		}
	}
	rand.Read(b[8:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// maxEventID bounds the length of an id that an event brings along, and of a
// scope.
const maxEventID = 128

// isEventID reports whether s is 1 to 128 of [A-Za-z0-9._:-].
func isEventID(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '-' <= c && c <= ':' && c != '/', c == '_':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxEventID
}

// NewEvent normalises a posted event. It needs `accesses`, or `action` and
// `resource`; what is missing of the rest is derived from them, what is given
// is kept, unknown members too. The error is EventErrors.
func NewEvent(posted render.Value, o EventOptions) (*Event, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.NewID == nil {
		o.NewID = NewID
	}
	n := normalizer{in: posted}
	n.checkTypes()
	n.accesses()
	id := n.id()
	if o.Scope != "" && !isEventID(o.Scope) {
		n.fail("", "it was sent in a scope that cannot be one")
	}
	millis := n.timestamp(o.Now)
	if len(n.errs) > 0 {
		return nil, n.errs
	}
	if n.badAction != nil {
		return nil, EventErrors{n.badAction}
	}
	if id == "" {
		id = o.NewID()
	}
	return n.event(id, o.Scope, millis), nil
}

// normalizer reads an event and gathers what is wrong with it.
type normalizer struct {
	in   render.Value
	errs EventErrors

	parsed    []policy.ParsedAccess // what the event did
	badAction *EventError           // the first action that cannot be one; said if nothing else is wrong
}

// maxEventErrors bounds what is said about one event.
const maxEventErrors = 100

func (n *normalizer) fail(pointer, format string, args ...any) {
	if len(n.errs) == maxEventErrors {
		return
	}
	n.errs = append(n.errs, &EventError{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// given returns a member, with null counting as absent.
func (n *normalizer) given(key string) (render.Value, bool) {
	v := n.in.Get(key)
	return v, v.IsDefined() && v.Kind() != render.KindNull
}

// memberTypes says what the known members must be; see
// schemas/event.schema.json, which says the same to other programs.
var memberTypes = []struct {
	path  string
	kinds []render.Kind
}{
	{"kind", []render.Kind{render.KindString}},
	{"name", []render.Kind{render.KindString}},
	{"key", []render.Kind{render.KindString}},
	{"comment", []render.Kind{render.KindString}},
	{"titleVerb", []render.Kind{render.KindString}},
	{"verbKind", []render.Kind{render.KindString}},
	{"baseURL", []render.Kind{render.KindString}},
	{"_accountId", []render.Kind{render.KindString}},
	{"action", []render.Kind{render.KindString}},
	{"resource", []render.Kind{render.KindString}},
	{"accesses", []render.Kind{render.KindArray}},
	{"tags", []render.Kind{render.KindArray}},
	{"timestamp", []render.Kind{render.KindNumber, render.KindString, render.KindObject}},
	{"_links", []render.Kind{render.KindObject}},
	{"title", []render.Kind{render.KindString, render.KindObject}},
	{"title/plainText", []render.Kind{render.KindString}},
	{"title/markdown", []render.Kind{render.KindString}},
	{"title/html", []render.Kind{render.KindString}},
	{"details", []render.Kind{render.KindString, render.KindObject}},
	{"details/plainText", []render.Kind{render.KindString}},
	{"details/markdown", []render.Kind{render.KindString}},
	{"details/html", []render.Kind{render.KindString}},
	{"project", []render.Kind{render.KindObject}},
	{"project/name", []render.Kind{render.KindString}},
	{"project/key", []render.Kind{render.KindString}},
	{"project/tags", []render.Kind{render.KindArray}},
	{"project/environment", []render.Kind{render.KindObject}},
	{"project/environment/name", []render.Kind{render.KindString}},
	{"project/environment/key", []render.Kind{render.KindString}},
	{"project/environment/tags", []render.Kind{render.KindArray}},
	{"customProperties", []render.Kind{render.KindObject}},
	{"member", []render.Kind{render.KindObject}},
	{"member/email", []render.Kind{render.KindString}},
	{"member/firstName", []render.Kind{render.KindString}},
	{"member/lastName", []render.Kind{render.KindString}},
	{"member/displayName", []render.Kind{render.KindString}},
	{"member/emailLocalPart", []render.Kind{render.KindString}},
	{"token", []render.Kind{render.KindObject}},
	{"token/name", []render.Kind{render.KindString}},
	{"app", []render.Kind{render.KindObject}},
	{"app/name", []render.Kind{render.KindString}},
	{"target", []render.Kind{render.KindObject}},
	{"inferred", []render.Kind{render.KindBool}},
	{"source", []render.Kind{render.KindObject}},
}

// A memberType is one of memberTypes, with its path below a member of the root.
type memberType struct {
	path  string
	below []string
	kinds []render.Kind
}

// typesOf are memberTypes by the member of the root that they are about.
var typesOf = func() map[string][]memberType {
	types := make(map[string][]memberType)
	for _, m := range memberTypes {
		path := strings.Split(m.path, "/")
		types[path[0]] = append(types[path[0]], memberType{m.path, path[1:], m.kinds})
	}
	return types
}()

// tagPaths are the lists of tags.
var tagPaths = [][]string{{"tags"}, {"project", "tags"}, {"project", "environment", "tags"}}

var kindNames = map[render.Kind]string{
	render.KindNull: "null", render.KindBool: "a boolean", render.KindNumber: "a number",
	render.KindString: "a string", render.KindArray: "an array", render.KindObject: "an object",
}

func (n *normalizer) checkTypes() {
	if n.in.Kind() != render.KindObject {
		n.fail("", "it is %s; an event is an object with accesses, or action and resource", kindNames[n.in.Kind()])
		return
	}
	for key, member := range n.in.Members() {
		for _, m := range typesOf[key] {
			v := member.Path(m.below...)
			if v.IsDefined() && v.Kind() != render.KindNull && !slices.Contains(m.kinds, v.Kind()) {
				n.fail("/"+m.path, "it is %s; it must be %s", kindNames[v.Kind()], kindList(m.kinds))
			}
		}
	}
	for _, path := range tagPaths {
		v := n.in.Path(path...)
		for i := range v.Len() {
			if v.Kind() == render.KindArray && v.At(i).Kind() != render.KindString {
				n.fail(fmt.Sprintf("/%s/%d", strings.Join(path, "/"), i), "it is %s; a tag is a string", kindNames[v.At(i).Kind()])
			}
		}
	}
}

func kindList(kinds []render.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = kindNames[k]
	}
	return strings.Join(names, " or ")
}

// accesses reads what the event did.
func (n *normalizer) accesses() {
	if n.in.Kind() != render.KindObject {
		return
	}
	list := n.in.Get("accesses")
	if list.Kind() != render.KindArray {
		a := accessOf(n.in)
		if a.Action == "" || a.Resource == "" {
			n.fail("", `it needs accesses, or action and resource, for instance "action": "updateOn", "resource": "proj/web:env/production:flag/checkout"`)
			return
		}
		n.parsed = make([]policy.ParsedAccess, 0, 1)
		n.access(0, "", a)
		return
	}
	if list.Len() == 0 {
		n.fail("/accesses", "it is empty; name at least one action and resource")
	}
	if list.Len() > MaxAccesses {
		n.fail("/accesses", "it has %d entries; at most %d are allowed", list.Len(), MaxAccesses)
		return
	}
	n.parsed = make([]policy.ParsedAccess, 0, list.Len())
	for i := range list.Len() {
		if a := accessOf(list.At(i)); a.Action == "" || a.Resource == "" {
			n.fail(accessPointer(i), "it needs an action and a resource, both strings that are not empty")
		} else {
			n.access(i, accessPointer(i), a)
		}
	}
}

// accessOf reads an access from an object.
func accessOf(v render.Value) policy.Access {
	return policy.Access{Action: v.Get("action").AsString(), Resource: v.Get("resource").AsString()}
}

func accessPointer(i int) string { return "/accesses/" + strconv.Itoa(i) }

// access parses the i-th access, which stands at a pointer.
func (n *normalizer) access(i int, at string, a policy.Access) {
	parsed, err := policy.ParseAccess(a)
	var bad *policy.Error
	if errors.As(err, &bad) && bad.Field == "action" {
		if n.badAction == nil {
			n.badAction = &EventError{Pointer: accessPointer(i), Message: err.Error()}
		}
		_, err = policy.ParseResource(a.Resource)
	}
	if err != nil {
		n.fail(at+"/resource", "%v", err)
	}
	n.parsed = append(n.parsed, parsed)
}

// id is the event's own, "" when it has none.
func (n *normalizer) id() string {
	if n.in.Kind() != render.KindObject {
		return ""
	}
	found := ""
	for _, key := range []string{"_id", "id"} {
		v, ok := n.given(key)
		if !ok {
			continue
		}
		switch s := v.AsString(); {
		case !isEventID(s):
			n.fail("/"+key, "it must be 1 to 128 of the characters A-Z a-z 0-9 . _ : -")
		case found != "" && s != found:
			n.fail("/id", "it differs from _id; give one of them")
		default:
			found = s
		}
	}
	return found
}
