package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"github.com/flaghook/flaghook/render"
)

// texts are buffers for texts that are soon done with.
var texts = sync.Pool{New: func() any { return new([]byte) }}

// keep gives a buffer back.
func keep(buffer *[]byte) {
	if cap(*buffer) <= maxKept {
		texts.Put(buffer)
	}
}

// digestOf tells one posted content from another; a sender's way of writing it
// does not matter, nor the order of members.
func digestOf(posted render.Value) string {
	buffer := texts.Get().(*[]byte)
	defer keep(buffer)
	*buffer = posted.AppendCanonical((*buffer)[:0])
	sum := sha256.Sum256(*buffer)
	return hex.EncodeToString(sum[:16])
}
