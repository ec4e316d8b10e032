package main

import (
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// renderWith renders with these values for the unset variables; without a
// request it says why there is none.
func renderWith(s *subject, at *occasion, values []string) (*candidate, string, error) {
	with := *s
	for n, v := range s.unset {
		switch v.of {
		case "oauth":
			with.oauth = with.oauth.With(v.key, render.String(values[n]))
		case "delivery":
			with.delivery = values[n]
		default:
			with.config = with.config.With(v.key, render.String(values[n]))
		}
	}
	rendered, err := with.render(at, nil)
	if err != nil {
		return nil, "", err
	}
	if rendered.Request == nil {
		return nil, rendered.Skipped, nil
	}
	return &candidate{rendered.Request, with.delivery}, "", nil
}

// A candidate is a request as it is rendered with some values.
type candidate struct {
	*manifest.Request

	delivery string // the delivery's id
}

// texts are all that a variable can reach: URL, body, id of the delivery,
// secrets, header values.
func (r *candidate) texts() []string {
	list := []string{r.URL, string(r.Body), r.delivery, "", ""}
	for _, s := range r.Signatures {
		if s.Standard {
			list[4] = s.Secrets[0]
		} else {
			list[3] = s.Secrets[0]
		}
	}
	for _, h := range r.Headers {
		list = append(list, h.Value)
	}
	return list
}
