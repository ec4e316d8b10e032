package send_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

// The yardstick of a Send is what a bare client posts to the same receiver.
func BenchmarkPost(b *testing.B) {
	server := serve(b, plain, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})
	body := bytes.Repeat([]byte("flaghook"), 256) // 2 KiB
	b.Run("bare", func(b *testing.B) {
		transport := &http.Transport{MaxIdleConnsPerHost: 64}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				res, err := client.Post(server.URL, "application/json", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	})
	for name, secrets := range map[string][]string{
		"send":         nil,
		"send secrets": {"0123456789abcdef0123456789abcdef", "s3cret-s3cret", "services/T0000000/B1111111/abcdefghijkl", "abcdefghijkl"},
	} {
		b.Run(name, func(b *testing.B) {
			s := newSender(b)
			defer s.Close()
			o := post(server.URL)
			o.Request.Body = body
			o.Request.Signatures = []manifest.Signature{{Header: "X-LD-Signature", Secrets: []string{"s3cret"}}}
			o.Secrets = secrets
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if r := s.Send(background(), o); r.ErrorClass != "" {
						b.Error(r.Error)
						return
					}
				}
			})
		})
	}
}
