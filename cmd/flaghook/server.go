package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/metrics"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/manifest"
)

// serverConfig is a server's settings, checked.
type serverConfig struct {
	Addr, OpsAddr   string // OpsAddr may be empty: none
	DataDir         string
	AdminToken      string // empty: kept in DataDir
	TLSCert, TLSKey string
	TLSSelfSigned   bool // instead of the two: a certificate in DataDir
	PublicURL       string
	RateLimit       int // requests a second a token may make; 0: no limit
	EgressAllow     []netip.Prefix
	EgressProxy     *url.URL       // nil: none
	EgressCAs       *x509.CertPool // nil: the system's
	RequireHTTPS    bool
	Catalog         *manifest.Catalog
	// LoadCatalog reads the catalog again, given the one in use. Nil: it
	// cannot be.
	LoadCatalog     func(present *manifest.Catalog) (*manifest.Catalog, []manifest.Finding, error)
	Logger          *slog.Logger
	ShutdownTimeout time.Duration

	KeyFile string // empty: in DataDir
	Storage bolt.Options
	// The engine's; 0 is its default.
	Concurrency, HostConcurrency, SubscriptionConcurrency int
}

// grace is the part of the shutdown timeout in which what is under way may
// finish.
func (c *serverConfig) grace() time.Duration {
	return max(c.ShutdownTimeout-releaseTime, c.ShutdownTimeout/2)
}

// A server is the whole program in one process. It listens when it is made and
// serves while run runs.
type server struct {
	config   serverConfig
	token    string
	db       *bolt.DB
	sender   *send.Sender
	engine   *hooks.Engine
	metrics  *metrics.Metrics
	sources  *source.Registry
	api      net.Listener
	ops      net.Listener // nil: none
	servers  []*http.Server
	stopping atomic.Bool
	loading  sync.Mutex // held while the catalog is read again
}

// releaseTime is the part of the shutdown timeout that is kept for storing
// the outcome of attempts and closing the file.
const releaseTime = 2 * time.Second

// newServer opens everything; on an error nothing stays open.
func newServer(ctx context.Context, c serverConfig) (s *server, err error) {
	s = &server{config: c, token: c.AdminToken}
	defer func() {
		if err != nil {
			s.close()
			s = nil
		}
	}()
	if err = os.MkdirAll(c.DataDir, 0o700); err != nil {
		return s, fmt.Errorf("data directory: %w", err)
	}
	if err = s.openStorage(); err != nil {
		return s, err
	}
	s.sender, err = send.New(send.Options{
		EgressAllow: c.EgressAllow, Proxy: c.EgressProxy, RootCAs: c.EgressCAs, RequireHTTPS: c.RequireHTTPS,
		UserAgent: "flaghook/" + readBuildInfo().Version,
	})
	if err != nil {
		return s, usagef("egress: %w", err)
	}
	s.engine, err = hooks.New(ctx, hooks.Options{
		Store: s.db, Queue: s.db, Sender: s.sender, Catalog: c.Catalog, Logger: c.Logger,
		Observer: s.metrics, ShutdownGrace: c.grace(), RequireHTTPS: c.RequireHTTPS,
		Concurrency: c.Concurrency, HostConcurrency: c.HostConcurrency, SubscriptionConcurrency: c.SubscriptionConcurrency,
	})
	if err != nil {
		return s, err
	}
	if err = s.findToken(); err != nil {
		return s, err
	}
	return s, s.listen(ctx)
}

func (s *server) findToken() error {
	if s.token != "" {
		return nil
	}
	file := filepath.Join(s.config.DataDir, "admin.token")
	token, made, err := keptToken(file)
	if err != nil {
		return err
	}
	s.token = token
	s.config.Logger.Info("admin token", "file", file, "made", made)
	return nil
}

func (s *server) listen(ctx context.Context) error {
	s.sources = source.NewRegistry(s.db, s.engine, s.config.Logger)
	o := api.Options{
		Engine: s.engine, Token: s.token, Sources: s.sources, Logger: s.config.Logger, Ready: s.ready, Backup: s.db.Backup,
		RateLimit: s.config.RateLimit, PublicURL: s.config.PublicURL,
	}
	if s.config.LoadCatalog != nil {
		o.Reload = s.reload
	}
	handler, err := api.New(o) //nolint:contextcheck // its handlers have the contexts of their requests
	if err != nil {
		return usagef("%w", err)
	}
	var l net.ListenConfig
	if s.api, err = l.Listen(ctx, "tcp", s.config.Addr); err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	if s.secure() {
		if s.api, err = s.listenTLS(s.api); err != nil {
			return err
		}
	}
	s.servers = append(s.servers, s.httpServer(handler))
	if s.config.OpsAddr != "" {
		if s.ops, err = l.Listen(ctx, "tcp", s.config.OpsAddr); err != nil {
			return fmt.Errorf("--ops-addr: %w", err)
		}
		s.servers = append(s.servers, s.httpServer(s.opsHandler(handler.Health())))
	}
	return nil
}

// opsHandler adds the metrics to the state of health.
func (s *server) opsHandler(health http.Handler) http.Handler {
	scrape := s.metrics.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			scrape.ServeHTTP(w, r)
			return
		}
		health.ServeHTTP(w, r)
	})
}

// secure reports whether the API speaks HTTPS.
func (s *server) secure() bool { return s.config.TLSCert != "" || s.config.TLSSelfSigned }

func (s *server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelDebug),
	}
}

// ready says why the server cannot take events now, nil when it can.
func (s *server) ready() error {
	if s.stopping.Load() {
		return errors.New("the server is stopping")
	}
	return errors.Join(s.db.Err(), s.engine.Ready())
}

// url is where the API listens.
func (s *server) url() string {
	scheme := "http"
	if s.secure() {
		scheme = "https"
	}
	return scheme + "://" + s.api.Addr().String()
}

// run serves until ctx ends or something fails for good, and then stops within
// the shutdown timeout: no new requests, no new claims, attempts under way
// finish or are released.
func (s *server) run(ctx context.Context) error {
	defer s.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	listeners := []net.Listener{s.api}
	if s.ops != nil {
		listeners = append(listeners, s.ops)
	}
	for i, l := range listeners {
		go func() {
			if err := s.servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("listen on %s: %w", l.Addr(), err))
			}
		}()
	}
	go func() {
		select {
		case <-s.db.Failed():
			cancel(s.db.Err())
		case <-ctx.Done():
		}
	}()
	if s.config.LoadCatalog != nil {
		signals, ignore := reloadSignals()
		defer ignore()
		var reloading sync.WaitGroup
		reloading.Go(func() { s.reloadOnSignal(ctx, signals) })
		defer reloading.Wait()
	}
	delivered := make(chan error, 1)
	go func() { delivered <- s.engine.Run(ctx) }()
	serving := []any{"api", s.url()}
	if s.ops != nil {
		serving = append(serving, "ops", "http://"+s.ops.Addr().String())
	}
	s.config.Logger.Info("serving", append(serving, "integrations", len(s.config.Catalog.All()), "version", readBuildInfo().Version)...)

	<-ctx.Done()
	s.stopping.Store(true)
	s.config.Logger.Info("stopping")
	// Requests half sent get the time that attempts under way get.
	deadline, done := context.WithTimeout(context.WithoutCancel(ctx), s.config.grace())
	defer done()
	var answered sync.WaitGroup
	for _, h := range s.servers {
		answered.Go(func() {
			if err := h.Shutdown(deadline); err != nil {
				h.Close()
			}
		})
	}
	answered.Wait()
	err := <-delivered
	if err := s.sources.Flush(context.WithoutCancel(ctx)); err != nil {
		s.config.Logger.Warn("the sources' counts of the last moments are lost", "error", err)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	s.config.Logger.Info("stopped")
	return err
}

// close releases what is open; it may be called twice.
func (s *server) close() {
	for _, l := range []net.Listener{s.api, s.ops} {
		if l != nil {
			l.Close()
		}
	}
	if s.sender != nil {
		s.sender.Close()
	}
	if s.db != nil {
		if err := s.db.Close(); err != nil {
			s.config.Logger.Error("close the store", "error", err)
		}
	}
}
