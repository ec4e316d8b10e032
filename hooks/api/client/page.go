package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// A Document is the JSON of an answer, or of an item of a list, as the server
// wrote it.
type Document struct{ raw json.RawMessage }

// JSON is the document's text; nil when it did not come from a server.
func (d Document) JSON() json.RawMessage { return d.raw }

func (d *Document) keep(data []byte) { d.raw = data }

// A keeper keeps the text that it was read from.
type keeper interface{ keep(data []byte) }

// Paging chooses a page of a list.
type Paging struct {
	Limit  int    // how many items at most, 1 to 1000; 0: the server's default, 20
	Cursor string // "" for the first page, else the Next of the page before
}

func (p Paging) query() url.Values {
	v := url.Values{}
	if p.Limit != 0 {
		v.Set("limit", strconv.Itoa(p.Limit))
	}
	setText(v, "cursor", p.Cursor)
	return v
}

// A Page is a part of a list.
type Page[T any] struct {
	Document

	Items []*T
	Next  string // the Cursor of the next page; "" on the last
}

// UnmarshalJSON reads {"items": [...], "next": "..."}.
func (p *Page[T]) UnmarshalJSON(data []byte) error {
	var body struct {
		Items []json.RawMessage
		Next  string
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return err
	}
	if body.Items == nil {
		return errors.New("a list without items")
	}
	p.Items, p.Next = make([]*T, len(body.Items)), body.Next
	for i, item := range body.Items {
		p.Items[i] = new(T)
		if err := json.Unmarshal(item, p.Items[i]); err != nil {
			return err
		}
		if k, ok := any(p.Items[i]).(keeper); ok {
			k.keep(bytes.Clone(item))
		}
	}
	return nil
}

// one makes a call that is answered with one thing.
func one[T any](ctx context.Context, c *Client, k call) (*T, error) {
	v := new(T)
	if err := c.do(ctx, k, v); err != nil {
		return nil, err
	}
	return v, nil
}

// list makes a call that is answered with a page.
func list[T any](ctx context.Context, c *Client, k call) (*Page[T], error) {
	return one[Page[T]](ctx, c, k)
}

// pageSize is how many items All... methods ask for at once unless the query
// says otherwise.
const pageSize = 100

// all goes through a list page by page. An error ends it.
func all[T any](ctx context.Context, p Paging, page func(context.Context, Paging) (*Page[T], error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		p := p // each range begins anew
		if p.Limit == 0 {
			p.Limit = pageSize
		}
		for {
			found, err := page(ctx, p)
			if err == nil && found.Next != "" && found.Next == p.Cursor {
				err = errors.New("the server's list does not go on: a page names itself as the next")
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range found.Items {
				if !yield(item, nil) {
					return
				}
			}
			if found.Next == "" {
				return
			}
			p.Cursor = found.Next
		}
	}
}

// setText and setTime set what is given.
func setText(v url.Values, name, text string) {
	if text != "" {
		v.Set(name, text)
	}
}

func setTime(v url.Values, name string, t time.Time) {
	if !t.IsZero() {
		v.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}
