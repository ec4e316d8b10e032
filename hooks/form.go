package hooks

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// A form is what is in an event as a Store keeps it; see Event.MarshalBinary.
type form struct {
	digest, scope string
	doc           render.Value
}

// The parts of a form around its values, none of which needs an escape.
const (
	formDigest   = `{"digest":"`
	formScope    = `","scope":"`
	formDoc      = `","doc":`
	formChecksum = `,"crc32c":"`
	formEnd      = `"}`

	checksumSize = len(formChecksum) + 8 + len(formEnd)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxReserved bounds what is reserved for an event's text before it is written:
// an object may hold another many times.
const maxReserved = 1 << 20

// size is about how many bytes append writes, or less where they are very many.
func (f form) size() int {
	return checksumSize + len(formDigest) + len(f.digest) + len(formScope) + len(f.scope) + len(formDoc) + min(f.doc.Size(), maxReserved)
}

func (f form) append(b []byte) []byte {
	from := len(b)
	b = append(append(b, formDigest...), f.digest...)
	if f.scope != "" {
		b = append(append(b, formScope...), f.scope...)
	}
	b = f.doc.AppendJSON(append(b, formDoc...))
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(b[from:], castagnoli))
	return append(hex.AppendEncode(append(b, formChecksum...), sum[:]), formEnd...)
}

var (
	errNoChecksum = errors.New("it has no checksum")
	errChecksum   = errors.New("its checksum is that of another content; the file is damaged")
	errNoDocument = errors.New("it has no document")
)

// openForm takes a form apart, after a look at its checksum alone.
func openForm(data []byte) (form, error) {
	end := len(data) - checksumSize
	if end < 0 || !bytes.HasPrefix(data[end:], []byte(formChecksum)) || !bytes.HasSuffix(data, []byte(formEnd)) {
		return form{}, errNoChecksum
	}
	sum, err := hex.DecodeString(string(data[end+len(formChecksum) : len(data)-len(formEnd)]))
	if err != nil || binary.BigEndian.Uint32(sum) != crc32.Checksum(data[:end], castagnoli) {
		return form{}, errChecksum
	}
	head, doc, hasDoc := strings.Cut(string(data[:end]), formDoc)
	head, hasDigest := strings.CutPrefix(head, formDigest)
	if !hasDoc || !hasDigest || !strings.HasPrefix(doc, "{") {
		return form{}, errNoDocument
	}
	f := form{doc: render.Written(doc)}
	f.digest, f.scope, _ = strings.Cut(head, formScope)
	return f, nil
}

// readForm reads a form without a checksum, all of it.
func readForm(data []byte) (form, error) {
	stored, err := render.ParseJSON(data)
	if err != nil {
		return form{}, err
	}
	doc := stored.Get("doc")
	if doc.Kind() != render.KindObject {
		return form{}, errNoDocument
	}
	if _, err := parseAccesses(doc.Get("accesses")); err != nil {
		return form{}, err
	}
	return form{digest: stored.Get("digest").AsString(), scope: stored.Get("scope").AsString(), doc: doc}, nil
}
