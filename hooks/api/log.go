package api

import (
	"log/slog"
	"net/http"
	"time"
)

// logged notes what a request was answered with, for a line of the log at debug
// level.
type logged struct {
	http.ResponseWriter
	begun  time.Time
	token  string // its name, "" where none was shown
	status int
}

func (l *logged) WriteHeader(status int) {
	if l.status == 0 {
		l.status = status
	}
	l.ResponseWriter.WriteHeader(status)
}

func (l *logged) Write(data []byte) (int, error) {
	if l.status == 0 {
		l.status = http.StatusOK
	}
	return l.ResponseWriter.Write(data)
}

// Unwrap is for http.ResponseController.
func (l *logged) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// log writes the line: the path without its query, which may hold a secret.
func (l *logged) log(to *slog.Logger, r *http.Request) {
	to.LogAttrs(r.Context(), slog.LevelDebug, "request",
		slog.String("request", l.Header().Get(requestIDHeader)), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Int("status", l.status), slog.Duration("duration", time.Since(l.begun)), slog.String("token", l.token))
}
