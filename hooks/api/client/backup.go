package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Backup writes a consistent snapshot of the server's store to w while the
// server goes on, and returns how many bytes it wrote. After an error they are
// no backup. It is not tried again once bytes have come.
func (c *Client) Backup(ctx context.Context, w io.Writer) (int64, error) {
	k := get("backup")
	k.header.Set("Accept", streamType)
	k.again = false
	var written int64
	err := c.exchange(ctx, k, func(r *http.Response) error {
		if t := r.Header.Get("Content-Type"); !strings.HasPrefix(t, streamType) {
			return &unreadableError{fmt.Sprintf("the answer is of type %q and no backup", shorten(t))}
		}
		var err error
		written, err = io.Copy(w, r.Body)
		if err == nil && written == 0 {
			err = errors.New("the backup is empty")
		}
		return err
	})
	return written, err
}
