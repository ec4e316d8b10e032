package source

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// The kinds of record that sources are kept as.
const (
	recordKind = "source"
	statusKind = "source-status"
	stateKind  = "source-state"
)

// MaxSources bounds the sources of one installation.
const MaxSources = 1000

// A Source is one flag system that sends events here.
type Source struct {
	ID   string
	Name string
	On   bool

	Settings // its ID is set when it is read

	// Door is the secret part of the address that it sends to.
	Door string

	Version              uint64
	CreatedAt, UpdatedAt time.Time
}

// Path is where its events are sent to, from the root of the API: /in/kind/ and
// what nobody can guess.
func (s *Source) Path() string { return "/in/" + string(s.Kind) + "/" + s.ID + "-" + s.Door }

// A Publisher takes events in: a *hooks.Engine.
type Publisher interface {
	Publish(ctx context.Context, source string, events ...*hooks.Event) ([]hooks.Receipt, error)
	Event(ctx context.Context, key string) (*hooks.StoredEvent, error)
}

// A Registry keeps sources, and takes in what they send. It is safe for
// concurrent use. What it remembers is read from the records at each call, so
// that several processes can share them; counts are kept in memory and written
// from time to time.
type Registry struct {
	records   hooks.Records
	publisher Publisher
	log       *slog.Logger
	now       func() time.Time
	statuses  statuses
}

// NewRegistry makes a Registry on records. The logger may be nil.
func NewRegistry(records hooks.Records, p Publisher, log *slog.Logger) *Registry {
	if log == nil {
		log = slog.Default()
	}
	return &Registry{records: records, publisher: p, log: log, now: time.Now, statuses: newStatuses()}
}

// storedSource is how a source is kept.
type storedSource struct {
	Name            string            `json:"name"`
	Kind            Kind              `json:"kind"`
	Off             bool              `json:"off,omitempty"`
	Door            string            `json:"door"`
	Project         string            `json:"project,omitempty"`
	Environments    []string          `json:"environments,omitempty"`
	ProjectKeys     map[string]string `json:"projectKeys,omitempty"`
	EnvironmentKeys map[string]string `json:"environmentKeys,omitempty"`
	Secrets         []string          `json:"secrets,omitempty"`
	Unsigned        bool              `json:"unsigned,omitempty"`
	Header          string            `json:"header,omitempty"`
	Tolerance       time.Duration     `json:"tolerance,omitempty"`
	DropDuplicates  bool              `json:"dropDuplicates,omitempty"`
	BaseURL         string            `json:"baseURL,omitempty"`
	Fields          map[string]string `json:"fields,omitempty"`
	CreatedAt       time.Time         `json:"createdAt"`
	UpdatedAt       time.Time         `json:"updatedAt"`
}

func (s *Source) stored() storedSource {
	return storedSource{
		Name: s.Name, Kind: s.Kind, Off: !s.On, Door: s.Door, Project: s.Project, Environments: s.Environments,
		ProjectKeys: s.ProjectKeys, EnvironmentKeys: s.EnvironmentKeys, Secrets: s.Secrets, Unsigned: s.Unsigned,
		Header: s.Header, Tolerance: s.Tolerance, DropDuplicates: s.DropDuplicates, BaseURL: s.BaseURL, Fields: s.Fields,
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}
}

func readSource(r hooks.Record) (*Source, error) {
	var d storedSource
	if err := json.Unmarshal(r.Data, &d); err != nil {
		return nil, fmt.Errorf("stored source %s: %w", r.ID, err)
	}
	return &Source{
		ID: r.ID, Name: d.Name, On: !d.Off, Door: d.Door, Version: r.Version, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
		Settings: Settings{
			ID: r.ID, Kind: d.Kind, Project: d.Project, Environments: d.Environments, ProjectKeys: d.ProjectKeys,
			EnvironmentKeys: d.EnvironmentKeys, Secrets: d.Secrets, Unsigned: d.Unsigned, Header: d.Header,
			Tolerance: d.Tolerance, DropDuplicates: d.DropDuplicates, BaseURL: d.BaseURL, Fields: d.Fields,
		},
	}, nil
}

// Create keeps a new source; its id, door, version and times are made. The error
// is a *SettingError where a setting is wrong.
func (g *Registry) Create(ctx context.Context, s Source) (*Source, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	all, err := g.records.Records(ctx, recordKind, "", MaxSources)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	if len(all) >= MaxSources {
		return nil, &SettingError{"", fmt.Sprintf("there are %d sources, the most that one installation has", MaxSources)}
	}
	var door [16]byte
	rand.Read(door[:]) // never fails (crypto/rand)
	s.ID, s.Door, s.Version = hooks.NewID(), hex.EncodeToString(door[:]), 1
	s.Settings.ID = s.ID
	s.CreatedAt = g.now().UTC()
	s.UpdatedAt = s.CreatedAt
	return &s, g.put(ctx, &s)
}

// Update stores a source that was read and changed. The error is
// hooks.ErrConflict when somebody else changed it meanwhile, and a *SettingError
// where a setting is wrong. Its kind cannot change.
func (g *Registry) Update(ctx context.Context, s Source) (*Source, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	s.Version++
	s.UpdatedAt = g.now().UTC()
	return &s, g.put(ctx, &s)
}

func (s *Source) check() error {
	if strings.TrimSpace(s.Name) == "" || len(s.Name) > maxName {
		return &SettingError{"name", fmt.Sprintf("it must have 1 to %d bytes", maxName)}
	}
	return s.Validate()
}

func (g *Registry) put(ctx context.Context, s *Source) error {
	data, err := json.Marshal(s.stored())
	if err == nil {
		err = g.records.PutRecord(ctx, recordKind, hooks.Record{ID: s.ID, Version: s.Version, Data: data})
	}
	if err != nil {
		return fmt.Errorf("store source: %w", err)
	}
	return nil
}

// Source returns one by id, or hooks.ErrNotFound.
func (g *Registry) Source(ctx context.Context, id string) (*Source, error) {
	r, err := g.records.Record(ctx, recordKind, id)
	if err != nil {
		return nil, aboutSource(id, err)
	}
	return readSource(r)
}

// aboutSource says which source an error is about; one that is not there the
// store has named already.
func aboutSource(id string, err error) error {
	if isNotFound(err) {
		err = hooks.ErrNotFound
	}
	return fmt.Errorf("source %s: %w", clip(id), err)
}

// Sources lists those whose ids come after one, oldest first, at most limit.
func (g *Registry) Sources(ctx context.Context, after string, limit int) ([]*Source, error) {
	records, err := g.records.Records(ctx, recordKind, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	all := make([]*Source, 0, len(records))
	for _, r := range records {
		s, err := readSource(r)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Delete removes a source with all that is remembered of it, or returns
// hooks.ErrNotFound.
func (g *Registry) Delete(ctx context.Context, id string) error {
	if err := g.records.DeleteRecord(ctx, recordKind, id); err != nil {
		return aboutSource(id, err)
	}
	g.statuses.drop(id)
	if err := g.records.DeleteRecord(ctx, statusKind, id); err != nil && !errors.Is(err, hooks.ErrNotFound) {
		return fmt.Errorf("status of source %s: %w", id, err)
	}
	for {
		const page = 500
		states, err := g.records.Records(ctx, stateKind, id+"/", page)
		if err != nil {
			return fmt.Errorf("states of source %s: %w", id, err)
		}
		states = slices.DeleteFunc(states, func(r hooks.Record) bool { return !strings.HasPrefix(r.ID, id+"/") })
		for _, r := range states {
			if err := g.records.DeleteRecord(ctx, stateKind, r.ID); err != nil && !errors.Is(err, hooks.ErrNotFound) {
				return fmt.Errorf("states of source %s: %w", id, err)
			}
		}
		if len(states) < page {
			return nil
		}
	}
}

// At finds the source of an address, the last segment of its Path. All that it
// says of an address that is none is hooks.ErrNotFound.
func (g *Registry) At(ctx context.Context, kind Kind, address string) (*Source, error) {
	id, door, _ := strings.Cut(address, "-")
	if id == "" || len(address) > maxName {
		return nil, hooks.ErrNotFound
	}
	s, err := g.Source(ctx, id)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(s.Door), []byte(door)) != 1 || s.Kind != kind {
		return nil, hooks.ErrNotFound
	}
	return s, nil
}
