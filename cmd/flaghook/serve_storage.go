package main

import (
	"cmp"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/keys"
	"github.com/flaghook/flaghook/hooks/metrics"
	"github.com/flaghook/flaghook/hooks/source"
)

// storageFlags say how long what is kept, and how much may be under way.
type storageFlags struct {
	keyFile                               string
	retention                             time.Duration
	maxSize                               string
	maxBacklog                            int
	concurrency, perHost, perSubscription int
}

func (f *storageFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.keyFile, "key-file", "", "`FILE` with the keys that encrypt secrets at rest; made where there is none (default DATA/keys.json)")
	flags.DurationVar(&f.retention, "retention", 30*24*time.Hour, "how long events and finished deliveries are kept; 0 is for ever")
	flags.StringVar(&f.maxSize, "max-size", "", "`SIZE` of what is stored, such as 10GiB, above which the oldest of what is finished goes before its time")
	flags.IntVar(&f.maxBacklog, "max-backlog", 5_000_000, "how many deliveries may wait, `N`; while there are more, events are answered with 429")
	flags.IntVar(&f.concurrency, "concurrency", 4096, "how many attempts may be under way at once, `N`")
	flags.IntVar(&f.perHost, "host-concurrency", 256, "how many of them to one host, `N`")
	flags.IntVar(&f.perSubscription, "subscription-concurrency", 32, "how many of them of one subscription, `N`")
}

func (f *storageFlags) config(c *serverConfig) error {
	c.KeyFile = f.keyFile
	c.Storage = bolt.Options{Retention: f.retention, MaxBacklog: f.maxBacklog}
	switch {
	case f.retention < 0:
		return usagef("--retention must be positive, such as 720h, or 0 for ever")
	case f.retention == 0:
		c.Storage.Retention = -1
	}
	c.Concurrency, c.HostConcurrency, c.SubscriptionConcurrency = f.concurrency, f.perHost, f.perSubscription
	if min(f.maxBacklog, f.concurrency, f.perHost, f.perSubscription) < 1 {
		return usagef("--max-backlog, --concurrency, --host-concurrency and --subscription-concurrency must be 1 or more")
	}
	if f.maxSize == "" {
		return nil
	}
	var err error
	if c.Storage.MaxBytes, err = parseSize(f.maxSize); err != nil {
		return usagef("--max-size %s: %w", f.maxSize, err)
	}
	return nil
}

// keyFileIn is where the keys are unless they are put elsewhere.
func keyFileIn(data string) string { return filepath.Join(data, "keys.json") }

// databaseIn is where everything else is.
func databaseIn(data string) string { return filepath.Join(data, "flaghook.db") }

// sizeUnits are the endings of a size.
var sizeUnits = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"", 1},
}

// minSize is the least that a size may be: a file with nothing in it has pages.
const minSize = 1 << 20

// parseSize reads a number of bytes, such as 10GiB or 500MB.
func parseSize(text string) (int64, error) {
	for _, u := range sizeUnits {
		number, ok := strings.CutSuffix(text, u.name)
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if !ok || err != nil {
			continue
		}
		if n *= u.bytes; n < minSize || n >= math.MaxInt64 {
			return 0, errors.New("it must be at least 1MiB")
		}
		return int64(n), nil
	}
	return 0, errors.New("it is not a size such as 10GiB")
}

// openStorage opens the keys, and the file that they encrypt.
func (s *server) openStorage() error {
	c := &s.config
	c.KeyFile = cmp.Or(c.KeyFile, keyFileIn(c.DataDir))
	ring, made, err := keys.Open(c.KeyFile)
	if err != nil {
		return err
	}
	if made {
		c.Logger.Info("key file made; backups do not hold it, so keep a copy of it elsewhere", "file", c.KeyFile)
	}
	sources := []string{"api", "flaghook"}
	for _, kind := range source.Kinds() {
		sources = append(sources, string(kind))
	}
	build := readBuildInfo()
	s.metrics = metrics.New(metrics.Options{
		Stats:   func(ctx context.Context) (hooks.QueueStats, error) { return s.db.Stats(ctx) },
		Sources: sources, Version: build.Version, Revision: build.Commit,
	})
	o := c.Storage
	o.Cipher, o.Committed = ring, s.metrics.Committed
	if s.db, err = bolt.Open(databaseIn(c.DataDir), o); err != nil && made {
		err = errors.Join(err, os.Remove(c.KeyFile)) // nothing is encrypted with it
	}
	return err
}
