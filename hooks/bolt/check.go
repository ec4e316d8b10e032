package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math"
)

// checkFile reads a whole bbolt file and returns a DamagedError that names the
// first thing that is not as bbolt leaves it: a page of the wrong kind, one that
// is used twice or lost, keys out of order. It holds one bit per page and a few
// pages at a time.
//
// bbolt has a check of its own, which is made for sound files: a wild page number
// lets it read where nothing is mapped, or for ever, and either ends the process.
// The format is that of bbolt's internal/common: page.go, meta.go, bucket.go.
func checkFile(r io.ReaderAt, size int64) error {
	c := fileCheck{file: r}
	if err := c.meta(size); err != nil {
		return err
	}
	c.seen = make([]uint64, c.pages/64+1)
	for id := range uint64(2) {
		c.seen[0] |= 1 << id // the metas
	}
	if err := c.freelist(); err != nil {
		return err
	}
	if err := c.tree(c.root, nil, nil, 0); err != nil {
		return err
	}
	for id := range c.pages {
		if c.hasFree && c.seen[id/64]&(1<<(id%64)) == 0 {
			return damaged("page %d is neither used nor free", id)
		}
	}
	return nil
}

func damaged(format string, args ...any) error {
	return &DamagedError{Reason: fmt.Sprintf(format, args...)}
}

const (
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10

	pageHead    = 16
	elementSize = 16
	bucketHead  = 16
	maxDepth    = 64
	noFreelist  = math.MaxUint64
)

type fileCheck struct {
	file     io.ReaderAt
	pageSize int
	pages    uint64 // there are
	root     uint64 // page of the root bucket
	free     uint64 // page of the list of free pages
	hasFree  bool
	seen     []uint64 // a bit for each page that is used or free
}

// meta takes the newer one of those that are sound.
func (c *fileCheck) meta(size int64) error {
	newest := uint64(0)
	for _, pageSize := range []int{4096, 8192, 16384, 32768, 65536, 512, 1024, 2048} {
		for i := range 2 {
			b := make([]byte, 64)
			if _, err := c.file.ReadAt(b, int64(i*pageSize+pageHead)); err != nil {
				continue
			}
			u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
			sum := fnv.New64a()
			sum.Write(b[:56])
			if u32(b) != 0xED0CDAED || u32(b[4:]) != 2 || int(u32(b[8:])) != pageSize || sum.Sum64() != u64(b[56:]) {
				continue
			}
			if txid := u64(b[48:]); c.pageSize == 0 || txid > newest {
				newest, c.pageSize = txid, pageSize
				c.root, c.free, c.pages = u64(b[16:]), u64(b[32:]), u64(b[40:])
			}
		}
	}
	switch {
	case c.pageSize == 0:
		return damaged("neither of its first two pages is sound")
	case c.pages > uint64(size)/uint64(c.pageSize):
		return damaged("it has %d bytes and should have %d pages of %d", size, c.pages, c.pageSize)
	}
	return nil
}

// use notes that a page and those that continue it are used, or free.
func (c *fileCheck) use(id, more uint64) error {
	for n := id; n-id <= more; n++ {
		if n >= c.pages {
			return damaged("page %d is referred to; there are %d", n, c.pages)
		}
		if c.seen[n/64]&(1<<(n%64)) != 0 {
			return damaged("page %d is used twice", n)
		}
		c.seen[n/64] |= 1 << (n % 64)
	}
	return nil
}

// page reads a page with those that continue it.
func (c *fileCheck) page(id uint64, kinds uint16) (b []byte, err error) {
	if id >= c.pages {
		return nil, damaged("page %d is referred to; there are %d", id, c.pages)
	}
	b = make([]byte, c.pageSize)
	if _, err := c.file.ReadAt(b, int64(id)*int64(c.pageSize)); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	kind, more := binary.NativeEndian.Uint16(b[8:]), uint64(binary.NativeEndian.Uint32(b[12:]))
	if got := binary.NativeEndian.Uint64(b); got != id || kind&kinds == 0 || kind&(kind-1) != 0 {
		return nil, damaged("page %d calls itself %d of kind %#x", id, got, kind)
	}
	if err := c.use(id, more); err != nil {
		return nil, err
	}
	if more == 0 {
		return b, nil
	}
	rest := make([]byte, (more+1)*uint64(c.pageSize))
	if _, err := c.file.ReadAt(rest[copy(rest, b):], int64(id+1)*int64(c.pageSize)); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	return rest, nil
}

func (c *fileCheck) freelist() error {
	if c.hasFree = c.free != noFreelist; !c.hasFree {
		return nil
	}
	b, err := c.page(c.free, freelistPage)
	if err != nil {
		return err
	}
	n, list := uint64(binary.NativeEndian.Uint16(b[10:])), b[pageHead:]
	if n == math.MaxUint16 {
		n, list = binary.NativeEndian.Uint64(list), list[8:]
	}
	if n > uint64(len(list)/8) {
		return damaged("page %d lists %d free pages", c.free, n)
	}
	for i := range n {
		if err := c.use(binary.NativeEndian.Uint64(list[8*i:]), 0); err != nil {
			return err
		}
	}
	return nil
}

// tree checks what hangs on a page. Its keys must not be below from and, unless
// that is nil, must be below until.
func (c *fileCheck) tree(id uint64, from, until []byte, depth int) error {
	if depth > maxDepth {
		return damaged("page %d is %d levels deep", id, depth)
	}
	b, err := c.page(id, branchPage|leafPage)
	if err != nil {
		return err
	}
	if binary.NativeEndian.Uint16(b[8:]) == leafPage {
		return c.leaf(id, b, from, until, depth)
	}
	keys, children, err := branches(id, b, from, until)
	if err != nil {
		return err
	}
	for i, child := range children {
		end := until
		if i+1 < len(keys) {
			end = keys[i+1]
		}
		if err := c.tree(child, keys[i], end, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func branches(id uint64, b, from, until []byte) (keys [][]byte, children []uint64, err error) {
	n := int(binary.NativeEndian.Uint16(b[10:]))
	if n == 0 || pageHead+n*elementSize > len(b) {
		return nil, nil, damaged("branch %d has %d elements", id, n)
	}
	last := from
	for i := range n {
		at := pageHead + i*elementSize
		pos, size := binary.NativeEndian.Uint32(b[at:]), binary.NativeEndian.Uint32(b[at+4:])
		key, ok := within(b, at, pos, size)
		if !ok || outOfOrder(key, last, until, i > 0) {
			return nil, nil, damaged("key %d of page %d is out of place", i, id)
		}
		keys, children = append(keys, key), append(children, binary.NativeEndian.Uint64(b[at+8:]))
		last = key
	}
	return keys, children, nil
}

func (c *fileCheck) leaf(id uint64, b, from, until []byte, depth int) error {
	n := int(binary.NativeEndian.Uint16(b[10:]))
	if pageHead+n*elementSize > len(b) {
		return damaged("leaf %d has %d elements", id, n)
	}
	last := from
	for i := range n {
		at := pageHead + i*elementSize
		pos := binary.NativeEndian.Uint32(b[at+4:])
		keySize, valueSize := binary.NativeEndian.Uint32(b[at+8:]), binary.NativeEndian.Uint32(b[at+12:])
		key, ok := within(b, at, pos, keySize)
		value, valueOK := within(b, at, pos+keySize, valueSize)
		if !ok || !valueOK || pos+keySize < pos || outOfOrder(key, last, until, i > 0) {
			return damaged("key %d of page %d is out of place", i, id)
		}
		last = key
		if binary.NativeEndian.Uint32(b[at:])&1 == 0 {
			continue
		}
		if err := c.bucket(id, value, depth); err != nil {
			return err
		}
	}
	return nil
}

// bucket checks one that is the value of a key: it has a page, or is inline.
func (c *fileCheck) bucket(id uint64, value []byte, depth int) error {
	if len(value) < bucketHead {
		return damaged("a bucket on page %d is cut short", id)
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return c.tree(root, nil, nil, depth+1)
	}
	inline := value[bucketHead:]
	if len(inline) < pageHead || binary.NativeEndian.Uint16(inline[8:]) != leafPage || depth > maxDepth {
		return damaged("a bucket on page %d is not as it should be", id)
	}
	return c.leaf(id, inline, nil, nil, depth+1)
}

// within gives a part of a page that lies at a distance from an element.
func within(b []byte, at int, pos, size uint32) ([]byte, bool) {
	start := uint64(at) + uint64(pos)
	if start+uint64(size) > uint64(len(b)) {
		return nil, false
	}
	return b[start : start+uint64(size)], true
}

// outOfOrder reports whether a key does not follow the last one, or is not below
// until. The first key of a page may be the last one itself.
func outOfOrder(key, last, until []byte, strictly bool) bool {
	order := bytes.Compare(last, key)
	return order > 0 || strictly && order == 0 || until != nil && bytes.Compare(key, until) >= 0
}
