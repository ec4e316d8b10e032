package bolt

import (
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// A format is a layout of the file and how to get there from older ones.
type format struct {
	number uint64 // 1 or more
	// steps[n] turns format n+1 into format n+2.
	steps []func(tx *bbolt.Tx) error
}

// presentFormat is what this program writes. A change of the layout adds one
// to the number and appends a step.
var presentFormat = format{number: 2, steps: []func(*bbolt.Tx) error{migrate1}}

var keyFormat = []byte("format")

// prepare makes an empty file one of this format, and migrates an older one.
func (f format) prepare(db *bbolt.DB, path string) error {
	found, err := formatOf(db)
	switch {
	case err != nil:
		return err
	case found == f.number:
		return nil
	case found > f.number:
		return f.tooNew(found)
	case found == 0:
		return db.Update(f.create)
	}
	backup := fmt.Sprintf("%s.format-%d.bak", path, found)
	if err := copyFile(db, backup); err != nil {
		return fmt.Errorf("copy it to %s before migrating from format %d to %d: %w", backup, found, f.number, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for n := found; n < f.number; n++ {
			if err := f.steps[n-1](tx); err != nil {
				return fmt.Errorf("migrate it from format %d to %d: %w", n, n+1, err)
			}
		}
		return f.stamp(tx)
	})
	if err != nil {
		return fmt.Errorf("%w; it is unchanged, and so is its copy %s", err, backup)
	}
	return nil
}

// formatOf reads the number; 0 means that the file is empty.
func formatOf(db *bbolt.DB) (n uint64, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			if k, _ := tx.Cursor().First(); k != nil {
				return &DamagedError{Reason: "it has no format number"}
			}
			return nil
		}
		var ok bool
		if n, ok = numberOf(meta.Get(keyFormat)); !ok || n == 0 {
			return &DamagedError{Reason: "its format number cannot be read"}
		}
		return nil
	})
	return n, err
}

func (f format) create(tx *bbolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	if err := tx.Bucket(bucketMeta).Put(keyCounts, counts{}.encode()); err != nil {
		return err
	}
	return f.stamp(tx)
}

func (f format) stamp(tx *bbolt.Tx) error {
	return tx.Bucket(bucketMeta).Put(keyFormat, number(f.number))
}

func (f format) tooNew(found uint64) error {
	return fmt.Errorf("it has format %d, written by a newer flaghook; this one knows formats up to %d. Use a flaghook at least as new as the one that wrote it", found, f.number)
}

// copyFile writes a consistent copy, whole and durable before it has its name.
func copyFile(db *bbolt.DB, path string) error {
	return replace(path, func(f *os.File) error {
		return db.View(func(tx *bbolt.Tx) error {
			_, err := tx.WriteTo(f)
			return err
		})
	})
}
