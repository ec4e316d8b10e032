package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"go.etcd.io/bbolt"
)

// backupSuffix is that of the copies that Backup makes beside the file.
const backupSuffix = ".backup-"

// Backup writes a consistent snapshot of the file while it is used. The snapshot
// is copied to a temporary file beside it first, as fast as the disk allows, and
// streamed from there: a slow w does not keep the file from using its free pages
// again. That takes as much space as the file, for as long.
//
// What the file has encrypted is encrypted in the snapshot, under the same key.
func (db *DB) Backup(ctx context.Context, w io.Writer) (err error) {
	if err := db.usable(ctx); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(db.path), filepath.Base(db.path)+backupSuffix+"*") // 0600
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		if err != nil {
			err = fmt.Errorf("backup: %w", err)
		}
	}()
	err = db.view(ctx, func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(contextWriter{ctx, f})
		return err
	})
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(contextWriter{ctx, w}, f)
	return err
}

// contextWriter ends when its context does.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(b)
}

// removeStale removes what backups left behind that were interrupted. The file
// is locked, so that none is under way.
func removeStale(path string) error {
	stale, err := filepath.Glob(filepath.Join(escapeGlob(filepath.Dir(path)), escapeGlob(filepath.Base(path))+backupSuffix+"*"))
	for _, name := range stale {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// escapeGlob lets a name stand for itself in a pattern.
func escapeGlob(name string) string {
	if runtime.GOOS == "windows" {
		return name // where a backslash is no escape
	}
	var b []rune
	for _, r := range name {
		if r == '*' || r == '?' || r == '[' || r == '\\' {
			b = append(b, '\\')
		}
		b = append(b, r)
	}
	return string(b)
}

// Restore puts a snapshot that Backup wrote in a place where there is no file. It
// checks all of it first, and gives it its name when it is whole and durable. An
// error means that there is still nothing at to.
func Restore(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("restore %s: there is a file already; move it away, with all that it holds", to)
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("restore %s: %w", to, err)
	}
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer in.Close()
	err = replace(to, func(f *os.File) error {
		size, err := io.Copy(f, in)
		if err != nil {
			return err
		}
		if err := checkFile(f, size); err != nil {
			return err
		}
		return checkFormat(f.Name())
	})
	if err != nil {
		return fmt.Errorf("restore %s from %s: %w", to, from, err)
	}
	return nil
}

// checkFormat sees that a file is one that Open can open.
func checkFormat(path string) error {
	return guard(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
		if err != nil {
			return err
		}
		found, err := formatOf(db)
		switch err = errors.Join(err, db.Close()); {
		case err != nil:
			return err
		case found == 0:
			return damaged("it is empty")
		case found > presentFormat.number:
			return presentFormat.tooNew(found)
		}
		return nil
	})
}

// Compact writes a file anew without its free pages, and returns its size before
// and after, in bytes. Nobody may have the file open. Until the new one is whole
// and durable the old one keeps its place, so there must be space for both.
func Compact(path string) (before, after int64, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("compact %s: %w", path, err)
		}
	}()
	if _, err := os.Stat(path); err != nil {
		return 0, 0, err // bbolt would create it
	}
	db := new(DB)
	if err := db.openBolt(path, time.Second); err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.closeBolt()) }()
	info, err := db.file.Stat()
	if err != nil {
		return 0, 0, err
	}
	before = info.Size()
	err = guard(func() error {
		if err := checkFile(db.file, before); err != nil {
			return err
		}
		if found, err := formatOf(db.bolt); err != nil || found == 0 {
			return errors.Join(err, damaged("it has no format number"))
		}
		return replace(path, func(f *os.File) error {
			after, err = compactTo(f, db.bolt)
			return err
		})
	})
	return before, after, err
}

// compactChunk is how much is written in one transaction.
const compactChunk = 1 << 20

func compactTo(f *os.File, from *bbolt.DB) (size int64, err error) {
	to, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{NoSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return 0, err
	}
	if err := errors.Join(bbolt.Compact(to, from, compactChunk), to.Sync(), to.Close()); err != nil {
		return 0, err
	}
	info, err := os.Stat(f.Name())
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// replace writes a file beside path and gives it that name when it is durable.
func replace(path string, write func(f *os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
