//go:build unix

package main

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// trusting is a client that trusts the certificate in a file and nothing else.
func trusting(t *testing.T, certFile string) *http.Client {
	t.Helper()
	data, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		t.Fatalf("%s holds no certificate", certFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func TestServeSelfSigned(t *testing.T) {
	data := dataDir(t)
	file := filepath.Join(data, "tls.crt")
	var first []byte
	for range 2 {
		c := startServer(t, data, "--tls-self-signed")
		if !strings.HasPrefix(c.api, "https://") {
			t.Fatalf("the API is at %s", c.api)
		}
		for _, host := range []string{"127.0.0.1", "localhost"} {
			res, err := trusting(t, file).Get(strings.Replace(c.api, "127.0.0.1", host, 1) + "/healthz")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusOK || res.ProtoMajor != 2 {
				t.Errorf("%s: %s %s, want 200 by HTTP/2", host, res.Proto, res.Status)
			}
		}
		if info, err := os.Stat(filepath.Join(data, "tls.key")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("key: %v %v, want mode 0600", info, err)
		}
		now, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && string(first) != string(now) {
			t.Error("the second start made another certificate")
		}
		first = now
		c.stop()
	}
}

// serial is the number of the certificate that a server shows.
func serial(t *testing.T, addr string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // which one it is, is the question
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// Certificates that are renewed while the server runs are shown from then on; a
// pair that does not fit together yet is not.
func TestServeReloadsCertificate(t *testing.T) {
	pair := func() (string, string) {
		dir := t.TempDir()
		certFile, keyFile, err := selfSigned(dir, []string{"127.0.0.1"}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return certFile, keyFile
	}
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	certFile, keyFile := pair()
	newCert, newKey := pair()
	c := startServer(t, dataDir(t), "--tls-cert", certFile, "--tls-key", keyFile)
	addr := strings.TrimPrefix(c.api, "https://")
	first := serial(t, addr)
	until := func(done func() bool) {
		for deadline := time.Now().Add(patience); !done(); {
			if time.Now().After(deadline) {
				t.Fatal("the change was not seen")
			}
		}
	}
	move(newCert, certFile)
	until(func() bool {
		if got := serial(t, addr); got != first {
			t.Fatal("half a pair was taken")
		}
		return strings.Contains(c.log.text(), "the old one stays")
	})
	move(newKey, keyFile)
	until(func() bool { return serial(t, addr) != first })
	c.stop()
}
