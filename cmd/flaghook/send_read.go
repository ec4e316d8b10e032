package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// Bounds of what is sent at once: half of what a server takes in one body unless
// it was told otherwise. A longer event goes alone.
const (
	maxBatch      = client.MaxEvents
	maxBatchBytes = 512 << 10
)

// eventBatches reads events, an array of them or one after another, and hands
// them out in batches. The error is about what cannot be read; batches before it
// are whole.
func eventBatches(in io.Reader) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		var batch []any
		size := 0
		for event, err := range readEvents(in) {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(batch) == maxBatch || len(batch) > 0 && size+len(event) > maxBatchBytes {
				if !yield(batch, nil) {
					return
				}
				batch, size = nil, 0
			}
			batch, size = append(batch, event), size+len(event)
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}

// readEvents reads one value after another, or the items of an array.
func readEvents(in io.Reader) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		buffered := bufio.NewReader(in)
		first, err := firstByte(buffered)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				yield(nil, err)
			}
			return
		}
		values := &bounded{in: buffered, left: maxInput}
		d := json.NewDecoder(values)
		isArray := first == '['
		if isArray {
			_, _ = d.Token() // the bracket that was seen
		}
		n := 0
		for ; !isArray || d.More(); n++ {
			var event json.RawMessage
			values.begin()
			err := d.Decode(&event)
			switch {
			case errors.Is(err, io.EOF) && !isArray:
				return
			case err != nil:
				yield(nil, fmt.Errorf("event %d: %w", n+1, readable(err)))
				return
			case !yield(event, nil):
				return
			}
		}
		if err := endOfArray(d); err != nil {
			yield(nil, fmt.Errorf("after event %d: %w", n, readable(err)))
		}
	}
}

// endOfArray wants the closing bracket and nothing behind it.
func endOfArray(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the array")
	}
	return nil
}

// firstByte looks at the first byte that is no blank.
func firstByte(in *bufio.Reader) (byte, error) {
	if mark, err := in.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) { // written by some editors
		_, _ = in.Discard(3)
	}
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, in.UnreadByte()
		}
	}
}

// readable says what is wrong in words that do not take this for a program's
// fault.
func readable(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the text ends in the middle of it")
	}
	return err
}

// bounded fails once more than maxInput bytes were read for one event: a file
// may be of any length, an event not.
type bounded struct {
	in   io.Reader
	left int
}

func (b *bounded) begin() { b.left = maxInput }

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("it is larger than %d MiB", maxInput>>20)
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
