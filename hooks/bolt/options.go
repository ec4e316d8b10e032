package bolt

import (
	"cmp"
	"errors"
	"time"
)

// Options configure Open; the zero value is ready to use.
type Options struct {
	// Timeout is how long Open waits for another process to let go of the
	// file. Default: 1 s.
	Timeout time.Duration

	// MaxBacklog bounds the deliveries that are not finished: Accept refuses
	// more with hooks.ErrBacklog. Default: 5,000,000.
	MaxBacklog int

	// Retention is how long finished deliveries are kept after their end, and
	// events after their acceptance. Default: 30 days; negative: for ever.
	Retention time.Duration

	// MaxBytes is how much the file may hold: when there is more, the oldest
	// of what is finished goes before its time. Free pages do not count.
	// Default: no limit.
	MaxBytes int64

	// Cipher encrypts subscriptions and records in the file; nil leaves them
	// in clear. A file that was written without one is encrypted when it is
	// opened with one; pages that became free may hold what was in clear until
	// they are used again, or until Compact removes them. One that was written
	// with one cannot be opened without, nor with another key.
	Cipher Cipher

	// Committed, if it is not nil, is told after each commit how many requests
	// shared it. It must return at once.
	Committed func(requests int)
}

func (o *Options) setDefaults() {
	o.Timeout = cmp.Or(o.Timeout, time.Second)
	o.MaxBacklog = cmp.Or(o.MaxBacklog, 5_000_000)
	o.Retention = cmp.Or(o.Retention, 30*24*time.Hour)
}

// Validate names the first option that makes no sense.
func (o *Options) Validate() error {
	switch {
	case o.Timeout < 0:
		return errors.New("bolt.Options: Timeout must be positive, or 0 for its default")
	case o.MaxBacklog < 0:
		return errors.New("bolt.Options: MaxBacklog must be positive, or 0 for its default")
	case o.MaxBytes < 0:
		return errors.New("bolt.Options: MaxBytes must be positive, or 0 for no limit")
	}
	return nil
}
