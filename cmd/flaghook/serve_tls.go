package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// listenTLS puts the server's certificate in front of a listener.
func (s *server) listenTLS(plain net.Listener) (net.Listener, error) {
	certFile, keyFile := s.config.TLSCert, s.config.TLSKey
	if s.config.TLSSelfSigned {
		var err error
		if certFile, keyFile, err = selfSigned(s.config.DataDir, ownHosts(s.config.Addr, s.config.PublicURL), s.config.Logger); err != nil {
			return plain, err
		}
	}
	cert, err := loadCertificate(certFile, keyFile, s.config.Logger)
	if err != nil {
		return plain, usagef("--tls-cert and --tls-key: %w", err)
	}
	return tls.NewListener(plain, cert.config()), nil
}

// A certificate is a server's certificate and key, read again when their files
// have changed: certificates are renewed while servers run.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	present *tls.Certificate
	files   [2]os.FileInfo // as they were when they were read
	looked  time.Time
}

// certificateInterval is how often the files are looked at, at most.
const certificateInterval = time.Second

// loadCertificate reads the files for the first time.
func loadCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, files: stat(certFile, keyFile), looked: time.Now()}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c.present = &cert
	return c, nil
}

// config is that of a TLS listener.
func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// get is tls.Config.GetCertificate. While new files do not fit together, as when
// only one has been written, the old certificate stays.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= certificateInterval {
		c.looked = now
		c.refresh()
	}
	return c.present, nil
}

func (c *certificate) refresh() {
	files := stat(c.certFile, c.keyFile) // before reading: a later change is seen the next time
	if same(files[0], c.files[0]) && same(files[1], c.files[1]) {
		return
	}
	c.files = files
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.log.Error("the TLS certificate has changed and cannot be used; the old one stays", "error", err)
		return
	}
	c.present = &cert
	c.log.Info("TLS certificate reloaded", "file", c.certFile)
}

// stat looks at the files; nil for one that is not there.
func stat(certFile, keyFile string) (files [2]os.FileInfo) {
	for i, file := range []string{certFile, keyFile} {
		if info, err := os.Stat(file); err == nil {
			files[i] = info
		}
	}
	return files
}

// same reports whether a file is what it was. A renewal may be as long and, where
// the system's clock is coarse, as old as what it replaces.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// How long a self-signed certificate is good for, and how long before its end it
// is made anew.
const (
	selfSignedFor   = 365 * 24 * time.Hour
	selfSignedRenew = 30 * 24 * time.Hour
)

// selfSigned returns the files of a self-signed certificate in a directory. It
// makes them where there are none for these hosts, or none that is valid for a
// while.
func selfSigned(dir string, hosts []string, log *slog.Logger) (certFile, keyFile string, err error) {
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	made := err != nil || !goodFor(cert.Leaf, hosts)
	if made {
		if cert, err = writeSelfSigned(certFile, keyFile, hosts); err != nil {
			return "", "", fmt.Errorf("self-signed certificate: %w", err)
		}
	}
	sum := sha256.Sum256(cert.Certificate[0])
	log.Info("self-signed certificate", "file", certFile, "made", made, "hosts", hosts, "sha256", hex.EncodeToString(sum[:]))
	return certFile, keyFile, nil
}

func goodFor(leaf *x509.Certificate, hosts []string) bool {
	for _, h := range hosts {
		if leaf.VerifyHostname(h) != nil {
			return false
		}
	}
	return time.Now().Add(selfSignedRenew).Before(leaf.NotAfter)
}

func writeSelfSigned(certFile, keyFile string, hosts []string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "flaghook", Organization: []string{"flaghook, self-signed"}},
		NotBefore:    time.Now().Add(-time.Hour), // clocks differ
		NotAfter:     time.Now().Add(selfSignedFor),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// Clients trust it as the authority that has signed it.
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	if err := os.WriteFile(keyFile, keyPEM, 0o600); err != nil {
		return tls.Certificate{}, err
	}
	if err := os.WriteFile(certFile, certPEM, 0o644); err != nil { //nolint:gosec // a certificate is public
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}

// ownHosts are the names under which clients may reach the server.
func ownHosts(addr, publicURL string) []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	add := func(h string) {
		ip := net.ParseIP(h)
		if h == "" || ip != nil && ip.IsUnspecified() {
			return
		}
		for _, known := range hosts {
			if known == h {
				return
			}
		}
		hosts = append(hosts, h)
	}
	if host, _, err := net.SplitHostPort(addr); err == nil {
		add(host)
	}
	if u, err := url.Parse(publicURL); err == nil {
		add(u.Hostname())
	}
	if name, err := os.Hostname(); err == nil {
		add(name)
	}
	return hosts
}
