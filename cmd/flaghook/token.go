package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxToken bounds a token file, in bytes.
const maxToken = 4 << 10

// readToken reads a token file: one line, blanks around it ignored.
func readToken(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", usagef("admin token: %w", err)
	}
	if info.Size() > maxToken {
		return "", usagef("admin token: %s has %d bytes; a token file holds one line", file, info.Size())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", usagef("admin token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", usagef("admin token: %s must hold one line with the token", file)
	}
	return token, nil
}

// keptToken reads DATA/admin.token, or makes it, readable by its owner alone.
func keptToken(file string) (token string, made bool, err error) {
	if token, err = readToken(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return token, false, err
	}
	token = newToken()
	return token, true, writeToken(file, token)
}

// writeToken leaves the whole file or none, whatever happens on the way.
func writeToken(file, token string) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".admin.token-") // mode 0600
	if err != nil {
		return fmt.Errorf("admin token: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("admin token: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// newToken makes a token of 256 random bits.
func newToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return "fh_" + base64.RawURLEncoding.EncodeToString(b[:])
}
