package hooks

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"
	"sync"

	"github.com/flaghook/flaghook/render"
)

// A form is an event as a Store keeps it; see Event.MarshalBinary.
type form struct {
	text          string // the whole
	digest, scope string
	doc           render.Value // in text, read when it is asked for
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

// formBuffers are for forms that are being written.
var formBuffers = sync.Pool{New: func() any { return new([]byte) }}

// newForm makes a form of a document that appendDoc appends.
func newForm(digest, scope string, appendDoc func([]byte) []byte) form {
	buffer := formBuffers.Get().(*[]byte)
	b := append(append((*buffer)[:0], formDigest...), digest...)
	if scope != "" {
		b = append(append(b, formScope...), scope...)
	}
	b = append(b, formDoc...)
	from := len(b)
	b = appendDoc(b)
	until := len(b)
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli))
	b = append(hex.AppendEncode(append(b, formChecksum...), sum), formEnd...)
	text := string(b)
	if cap(b) <= maxReserved {
		*buffer = b
		formBuffers.Put(buffer)
	}
	return form{text: text, digest: digest, scope: scope, doc: render.Written(text[from:until])}
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
	f := form{text: string(data)}
	head, doc, hasDoc := strings.Cut(f.text[:end], formDoc)
	head, hasDigest := strings.CutPrefix(head, formDigest)
	if !hasDoc || !hasDigest || !strings.HasPrefix(doc, "{") {
		return form{}, errNoDocument
	}
	f.digest, f.scope, _ = strings.Cut(head, formScope)
	f.doc = render.Written(doc)
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
	return newForm(stored.Get("digest").AsString(), stored.Get("scope").AsString(), doc.AppendJSON), nil
}
