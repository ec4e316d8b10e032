//go:build unix

package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

// lines gathers what a process writes. It is safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	all  bytes.Buffer
	more chan struct{} // closed and replaced when there is more
}

func newLines() *lines { return &lines{more: make(chan struct{})} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.more)
	l.more = make(chan struct{})
	return l.all.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// find returns the first whole line that holds all texts.
func (l *lines) find(texts []string) (line string, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.all.String()) {
		if strings.HasSuffix(line, "\n") && containsAll(line, texts) {
			return line, l.more
		}
	}
	return "", l.more
}

func containsAll(line string, texts []string) bool {
	for _, t := range texts {
		if !strings.Contains(line, t) {
			return false
		}
	}
	return true
}

func (l *lines) wait(ended <-chan struct{}, texts []string) (string, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		line, more := l.find(texts)
		if line != "" {
			return line, nil
		}
		select {
		case <-more:
		case <-ended:
			if line, _ := l.find(texts); line != "" {
				return line, nil
			}
			return "", fmt.Errorf("flaghook ended and did not log %q", texts)
		case <-timeout.C:
			return "", fmt.Errorf("flaghook did not log %q within %s", texts, patience)
		}
	}
}
