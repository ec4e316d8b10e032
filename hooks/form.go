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

// A form is an event as a Store keeps it, taken apart; see Event.MarshalBinary.
type form struct {
	text          string // all of it
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

// writeForm makes the form of an event whose document is written by a function.
func writeForm(digest, scope string, document func(*builder)) form {
	b := newBuilder()
	b.text = append(append(b.text, formDigest...), digest...)
	if scope != "" {
		b.text = append(append(b.text, formScope...), scope...)
	}
	b.text = append(b.text, formDoc...)
	from := len(b.text)
	document(b)
	to := len(b.text)
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(b.text, castagnoli))
	b.text = append(hex.AppendEncode(append(b.text, formChecksum...), sum[:]), formEnd...)
	text := string(b.text)
	b.done()
	return form{text: text, digest: digest, scope: scope, doc: render.Written(text[from:to])}
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
	var sum [4]byte
	_, err := hex.Decode(sum[:], data[end+len(formChecksum):len(data)-len(formEnd)])
	if err != nil || binary.BigEndian.Uint32(sum[:]) != crc32.Checksum(data[:end], castagnoli) {
		return form{}, errChecksum
	}
	text := string(data)
	head, doc, hasDoc := strings.Cut(text[:end], formDoc)
	head, hasDigest := strings.CutPrefix(head, formDigest)
	if !hasDoc || !hasDigest || !strings.HasPrefix(doc, "{") {
		return form{}, errNoDocument
	}
	f := form{text: text, doc: render.Written(doc)}
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
	return writeForm(stored.Get("digest").AsString(), stored.Get("scope").AsString(),
		func(b *builder) { b.text = doc.AppendJSON(b.text) }), nil
}
