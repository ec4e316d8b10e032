package bolt

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/flaghook/flaghook/hooks"
)

// DB is an open file. All methods are safe for concurrent use. After Close, and
// after a failure (see Failed), they return errors that wrap
// hooks.ErrUnavailable.
type DB struct {
	bolt       *bbolt.DB
	file       *os.File // the one that bolt has open
	path       string
	cipher     Cipher
	committed  func(requests int)
	maxBacklog int

	requests chan *request
	quit     chan struct{} // closed by Close: write what has gathered, then stop
	stopped  chan struct{} // closed when the writer is done
	closing  sync.Once
	closeErr error

	failed  chan struct{} // closed when err is set
	failing sync.Once
	err     error
	stuck   atomic.Bool // bolt may hold its locks for ever

	ready chan struct{}
	block atomic.Uint32 // the block of ids that is written to

	// What follows is the writer's alone.
	busy     bool   // the last commit had many requests
	woken    []wake // memory for that of the next transaction
	counts   counts
	pruner   pruner
	timer    *time.Timer // for the pruner
	inBlock  int         // ids written to block
	sweeping []uint64    // refs of deleted subscriptions whose records are still there
	resting  bool        // no sweeping until a commit succeeds: the last one did not

	queue  queue
	listed places
}

var (
	_ hooks.Store = (*DB)(nil)
	_ hooks.Queue = (*DB)(nil)
)

var errClosed = errors.New("the store is closed")

// initialMap is how much address space the file is mapped to from the start.
// Growing the map later has to wait for every reader, a backup among them, so it
// is generous; it takes no memory and no disk. Not so where addresses are scarce,
// and on Windows, where the file would grow to it.
func initialMap() int {
	if strconv.IntSize < 64 || runtime.GOOS == "windows" {
		return 0
	}
	return 16 << 30
}

// Open opens the file, or creates it with mode 0600 where there is none. It
// returns an error and leaves the file as it is when another process has it
// open, when it is damaged or not flaghook's, and when it was written by a newer
// flaghook. A file of an older format is copied to path.format-N.bak and
// migrated.
func Open(path string, o Options) (*DB, error) {
	return open(path, o, presentFormat)
}

func open(path string, o Options, f format) (*DB, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.setDefaults()
	db := &DB{
		path:       path,
		cipher:     o.Cipher,
		committed:  o.Committed,
		maxBacklog: o.MaxBacklog,
		pruner:     pruner{retention: o.Retention, maxBytes: o.MaxBytes},
		timer:      time.NewTimer(time.Hour),

		requests: make(chan *request, maxRequests),
		quit:     make(chan struct{}),
		stopped:  make(chan struct{}),
		failed:   make(chan struct{}),
		ready:    make(chan struct{}, 1),
	}
	db.queue.init()
	if info, err := os.Stat(path); err == nil && info.Size() == 0 { // bbolt would take it for new
		return nil, fmt.Errorf("open %s: %w", path, &DamagedError{Reason: "it is empty"})
	}
	if err := db.openBolt(path, o.Timeout); err != nil {
		return nil, err
	}
	err := guard(func() error {
		if err := db.check(); err != nil {
			return err
		}
		if err := f.prepare(db.bolt, path); err != nil {
			return err
		}
		if err := db.openCipher(); err != nil {
			return err
		}
		if err := removeStale(path); err != nil {
			return err
		}
		return db.bolt.View(db.load)
	})
	if err == nil { // it may be new
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		err = errors.Join(db.judge(err), db.closeBolt())
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	go db.write()
	if db.queue.due() {
		db.signal()
	}
	return db, nil
}

// openBolt opens the bbolt file. The list of free pages is kept in the file:
// without it bbolt reads every page at start, and again when a commit has
// failed, and takes memory in proportion.
func (db *DB) openBolt(path string, timeout time.Duration) error {
	err := db.tryBolt(path, timeout, initialMap())
	if errors.Is(err, syscall.ENOMEM) { // the process may not have so many addresses
		err = db.tryBolt(path, timeout, 0)
	}
	switch {
	case err == nil:
		if err = db.sameFile(path); err == nil {
			return nil
		}
		return errors.Join(fmt.Errorf("open %s: %w", path, err), db.closeBolt())
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("open %s: it is in use by another process; stop that one, or use another data directory", path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		err = &DamagedError{Reason: err.Error()}
	}
	if db.file != nil {
		_ = letGo(db.file) // bbolt has done so unless it panicked
	}
	return fmt.Errorf("open %s: %w", path, err)
}

func (db *DB) tryBolt(path string, timeout time.Duration, mapped int) error {
	db.file = nil
	return guard(func() (err error) {
		db.bolt, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:         timeout,
			FreelistType:    bbolt.FreelistMapType,
			InitialMmapSize: mapped,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, mode)
				db.file = cmp.Or(db.file, f)
				return f, err
			},
		})
		return err
	})
}

// sameFile sees that the file that is open still has its name: Compact may have
// replaced it while bbolt waited for its lock.
func (db *DB) sameFile(path string) error {
	opened, err := db.file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(path)
	if err == nil && !os.SameFile(opened, named) {
		err = errors.New("it was replaced at this moment; try again")
	}
	return err
}

// maxChecked is the size up to which a file is checked whole when it is opened:
// that takes less than a second when it is in the page cache.
const maxChecked = 512 << 20

// check reads the file through if it is not too large, and else sees that it was
// not cut short, which bbolt would notice only by faulting on a page that is not
// there.
func (db *DB) check() error {
	info, err := db.file.Stat()
	if err != nil {
		return err
	}
	var size int64
	err = db.bolt.View(func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	})
	switch {
	case err != nil:
		return err
	case size > info.Size():
		return damaged("it has %d bytes and should have at least %d", info.Size(), size)
	case size > maxChecked:
		return nil
	}
	return checkFile(db.file, info.Size())
}

// load fills the memory from the file.
func (db *DB) load(tx *bbolt.Tx) error {
	if last, _ := tx.Bucket(bucketIDs).Cursor().Last(); len(last) >= 4 {
		db.block.Store(binary.BigEndian.Uint32(last))
		db.inBlock = idsPerBlock // start a block of our own
	}
	var err error
	if db.counts, err = decodeCounts(tx.Bucket(bucketMeta).Get(keyCounts)); err != nil {
		return err
	}
	err = tx.Bucket(bucketDeleted).ForEach(func(k, _ []byte) error {
		if ref, ok := numberOf(k); ok {
			db.sweeping = append(db.sweeping, ref)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.queue.load(tx)
}

// Close writes what was handed in before it, stops the writer and closes the
// file. It may be called again and returns the same error then.
func (db *DB) Close() error {
	db.closing.Do(func() {
		close(db.quit)
		<-db.stopped
		db.closeErr = db.closeBolt()
	})
	return db.closeErr
}

// closeBolt closes the file even where bbolt, after a panic, no longer can: the
// lock on the file goes with it.
func (db *DB) closeBolt() error {
	if db.stuck.Load() {
		return letGo(db.file)
	}
	err := guard(db.bolt.Close)
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		err = errors.Join(err, letGo(db.file))
	}
	return err
}

// syncDir makes a new file's name durable, where the file system has a notion
// of that. Windows has none.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
