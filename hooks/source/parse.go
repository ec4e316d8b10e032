package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/flaghook/flaghook/render"
)

// MaxEvents bounds the events of one request.
const MaxEvents = 1000

// MaxAccesses bounds the accesses of all events of one request: an event has one
// for each action in each environment that it is about.
const MaxAccesses = 50_000

// maxResources bounds the keys in their resources, in bytes.
const maxResources = 8 << 20

// BodyWindow is how long a body counts as the same delivery where the system
// gives nothing else to tell deliveries by.
const BodyWindow = 15 * time.Minute

// States tells the last state of a resource, as Result.States gave it; undefined
// when there is none.
type States interface {
	Last(key string) render.Value
}

// NoStates remembers nothing.
type NoStates struct{}

// Last gives undefined.
func (NoStates) Last(string) render.Value { return render.Value{} }

// A Result is what a request tells.
type Result struct {
	// Events are to be published, in this order.
	Events []Event
	// Suppressed says why parts of the request, or all of it, become no event.
	Suppressed []string
	// States are to be remembered once the events are stored.
	States []State
}

// An Event is one event of a request.
type Event struct {
	// Posted is what hooks.NewEvent takes. It has no id yet.
	Posted render.Value
	// Key identifies the event within its source; "" where nothing does.
	Key string
	// Window is how long Key does so; 0 is for ever.
	Window time.Duration
}

// ID gives an event the id that it has whenever it is delivered again: derived
// from the source, the key and, where the key is good for a while only, the
// number of the window that at lies in. An event without a key has no such id;
// then it is "".
func (e Event) ID(sourceID string, at time.Time) string {
	if e.Key == "" {
		return ""
	}
	text := sourceID + "\n" + e.Key
	if e.Window > 0 {
		text += "\n" + strconv.FormatInt(at.UnixNano()/int64(e.Window), 10)
	}
	digest := sha256.Sum256([]byte(text))
	return hex.EncodeToString(digest[:16])
}

// A State is the state of a resource after a change; an undefined Value means
// that the resource is gone.
type State struct {
	Key   string
	Value render.Value
}

// A system is what is known of one kind of source.
type system struct {
	schemes []scheme // how its requests are signed
	methods []string // HTTP methods that it may use; POST where empty
	parse   func(*parser) error
}

var systems = map[Kind]system{
	Flipt:        {schemes: []scheme{hexHMAC("X-Flipt-Webhook-Signature", "")}, parse: flipt},
	Flagsmith:    {schemes: []scheme{hexHMAC("X-Flagsmith-Signature", "")}, parse: flagsmith},
	Goflagship:   {schemes: []scheme{hexHMAC("X-Flagship-Signature", "sha256=")}, parse: goflagship},
	LaunchDarkly: {schemes: []scheme{hexHMAC("X-LD-Signature", "")}, parse: launchDarkly},
	Unleash:      {schemes: []scheme{staticHeader("Authorization")}, parse: unleash},
	GrowthBook: {
		schemes: []scheme{hexHMAC("X-GrowthBook-Signature", ""), standardWebhooks(rawKey)},
		methods: []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodGet, http.MethodDelete, MethodPurge},
		parse:   growthBook,
	},
	CloudEvents: {schemes: []scheme{standardWebhooks(decodedKey), bearer}, parse: cloudEvents},
}

// MethodPurge is the method by which caches are told to forget; SDK webhooks of
// GrowthBook may use it.
const MethodPurge = "PURGE"

// Accepts says whether a kind of source may use an HTTP method.
func Accepts(k Kind, method string) bool {
	methods := systems[k].methods
	if len(methods) == 0 {
		return method == http.MethodPost
	}
	return slices.Contains(methods, method)
}

// Parse reads a request that Verify let through. The error wraps ErrMalformed
// or ErrMediaType and says what is wrong with the request.
func Parse(settings Settings, r *Request, states States) (*Result, error) {
	p := &parser{s: settings.defaults(), r: r, states: states}
	system, known := systems[p.s.Kind]
	if !known {
		return nil, malformed("the source has the unknown kind %q", clip(string(p.s.Kind)))
	}
	if err := system.parse(p); err != nil {
		return nil, err
	}
	if p.accesses > MaxAccesses || p.resources > maxResources {
		return nil, malformed("it tells of %d changes, one for each action in each environment, whose keys have %d bytes; at most %d and %d are taken at once; send fewer events at once",
			p.accesses, p.resources, MaxAccesses, maxResources)
	}
	return &p.out, nil
}

// parser carries one request through its system's file.
type parser struct {
	s      Settings
	r      *Request
	states States
	body   render.Value
	out    Result

	accesses  int // of the events so far
	resources int // bytes of the keys in their resources
}

// readBody reads the body as one JSON object.
func (p *parser) readBody() error {
	v, err := readJSON(p.r.Body)
	if err != nil {
		return err
	}
	if v.Kind() != render.KindObject {
		return malformed("the body is no JSON object")
	}
	p.body = v
	return nil
}

func readJSON(data []byte) (render.Value, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return render.Value{}, malformed("the body is empty; JSON is expected")
	}
	v, err := render.ParseJSON(data)
	if err != nil {
		return render.Value{}, malformed("the body is not JSON: %v", err)
	}
	return v, nil
}

// suppress notes why something becomes no event.
func (p *parser) suppress(reason string) { p.out.Suppressed = append(p.out.Suppressed, reason) }

// bodyKey identifies a delivery by its body.
func (p *parser) bodyKey() string {
	digest := sha256.Sum256(p.r.Body)
	return hex.EncodeToString(digest[:])
}

// remember keeps a resource's state, and forget drops it.
func (p *parser) remember(key string, v render.Value) {
	p.out.States = append(p.out.States, State{key, v})
}

func (p *parser) forget(key string) { p.remember(key, render.Value{}) }
