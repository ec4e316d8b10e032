package hooks

import (
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
	errChecksum   = errors.New("it has no checksum, or that of another content")
	errNoDocument = errors.New("it has no document")
)

// checksum is the CRC-32C of a text.
func checksum(text string) uint32 {
	buffer := texts.Get().(*[]byte) // or each conversion would be allocated
	defer keep(buffer)
	*buffer = append((*buffer)[:0], text...)
	return crc32.Checksum(*buffer, castagnoli)
}

// openForm takes a form apart, after a look at its checksum alone.
func openForm(text string) (form, error) {
	end := len(text) - checksumSize
	if strings.HasSuffix(text, "}}") { // the end of the document, then that of the form
		return form{}, errNoChecksum
	}
	if end < 0 || !strings.HasPrefix(text[end:], formChecksum) || !strings.HasSuffix(text, formEnd) {
		return form{}, errChecksum
	}
	sum, err := hex.DecodeString(text[end+len(formChecksum) : len(text)-len(formEnd)])
	if err != nil || binary.BigEndian.Uint32(sum) != checksum(text[:end]) {
		return form{}, errChecksum
	}
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
func readForm(text string) (form, error) {
	stored, err := render.ParseJSON([]byte(text))
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
