package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flaghook/flaghook/manifest"
)

// serveFlags are the server's settings as words.
type serveFlags struct {
	addr, opsAddr    string
	data             string
	dirs             []string
	egressAllow      []string
	adminTokenFile   string
	tlsCert, tlsKey  string
	tlsSelfSigned    bool
	publicURL        string
	rateLimit        int
	egressProxy      string
	egressCA         string
	requireHTTPS     bool
	logLevel, logFmt string
	shutdownTimeout  time.Duration
	storage          storageFlags
}

func serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server: REST API and delivery",
		Long: `Runs the server until SIGTERM or SIGINT. Every flag has an environment variable
FLAGHOOK_<FLAG>, such as FLAGHOOK_ADDR (flag before environment before default);
lists are separated by commas.

The admin token is read from --admin-token-file or FLAGHOOK_ADMIN_TOKEN, else one
is made and kept in DATA/admin.token.

SIGHUP reads the integration folders again. The files of --tls-cert and --tls-key
are read again when they have changed.`,
		Example: `  flaghook serve
  flaghook serve --data /var/lib/flaghook --integrations ./my-integrations
  flaghook serve --egress-allow 10.1.0.0/16    # endpoints inside the network
  FLAGHOOK_ADMIN_TOKEN=... flaghook serve --addr :8480 --tls-cert tls.crt --tls-key tls.key`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd.Flags(), os.LookupEnv); err != nil {
				return err
			}
			config, err := f.config(cmd)
			if err != nil {
				return err
			}
			tuneMemory(cmd.Context(), os.LookupEnv)
			return serve(cmd.Context(), config)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8480", "listen `address` of the REST API")
	flags.StringVar(&f.opsAddr, "ops-addr", "127.0.0.1:8481", "listen `address` of /metrics, /healthz and /readyz for the people who run it; empty for none")
	flags.StringVar(&f.data, "data", "flaghook-data", "`DIR` that holds everything stored")
	flags.StringSliceVar(&f.dirs, "integrations", nil, "`DIR` with integration folders, beside the embedded ones and before them (repeatable)")
	flags.StringSliceVar(&f.egressAllow, "egress-allow", nil, "`CIDR` of loopback or private endpoints that may be delivered to (repeatable)")
	flags.StringVar(&f.adminTokenFile, "admin-token-file", "", "`FILE` with the admin token")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "`FILE` with the certificate chain (PEM); with --tls-key the API speaks HTTPS")
	flags.StringVar(&f.tlsKey, "tls-key", "", "`FILE` with the certificate's key (PEM)")
	flags.BoolVar(&f.tlsSelfSigned, "tls-self-signed", false, "speak HTTPS with a certificate of its own, DATA/tls.crt, to try things")
	flags.StringVar(&f.publicURL, "public-url", "", "`URL` at which clients reach the API, where that is not its address")
	flags.IntVar(&f.rateLimit, "rate-limit", 0, "how many requests a second a token may make, `N`; 0 is no limit")
	flags.StringVar(&f.egressProxy, "egress-proxy", "", "`URL` of an HTTP proxy that deliveries go through by CONNECT")
	flags.StringVar(&f.egressCA, "egress-ca", "", "`FILE` with more certificates (PEM) that endpoints may be signed by")
	flags.BoolVar(&f.requireHTTPS, "require-https", false, "refuse endpoints with http://")
	f.logLevel, f.logFmt = "info", "text"
	flags.Var(&oneOf{value: &f.logLevel, allowed: []string{"debug", "info", "warn", "error"}}, "log-level", "`level`: debug, info, warn or error")
	flags.Var(&oneOf{value: &f.logFmt, allowed: []string{"text", "json"}}, "log-format", "`format`: text or json")
	f.storage.add(flags)
	flags.DurationVar(&f.shutdownTimeout, "shutdown-timeout", 25*time.Second, "how long attempts under way may take to finish at the end")
	return cmd
}

// fromEnvironment sets the flags that were not given from FLAGHOOK_<FLAG>.
func fromEnvironment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "FLAGHOOK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := lookup(name)
		if !ok || f.Changed || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return &exitError{code: exitUsage, err: err}
	}
	return nil
}

// config turns the words into a checked serverConfig.
func (f *serveFlags) config(cmd *cobra.Command) (serverConfig, error) {
	c := serverConfig{
		Addr: f.addr, OpsAddr: f.opsAddr, DataDir: f.data,
		TLSCert: f.tlsCert, TLSKey: f.tlsKey, ShutdownTimeout: f.shutdownTimeout,
		Logger: newLogger(cmd, f.logLevel, f.logFmt),
	}
	c.TLSSelfSigned, c.PublicURL, c.RateLimit, c.RequireHTTPS = f.tlsSelfSigned, f.publicURL, f.rateLimit, f.requireHTTPS
	switch {
	case (f.tlsCert == "") != (f.tlsKey == ""):
		return c, usagef("--tls-cert and --tls-key go together")
	case f.tlsCert != "" && f.tlsSelfSigned:
		return c, usagef("--tls-self-signed makes a certificate; leave --tls-cert and --tls-key out")
	case !isPublicURL(f.publicURL):
		return c, usagef("--public-url %s: it must be a URL such as https://flags.example.com/hooks", f.publicURL)
	case f.rateLimit < 0:
		return c, usagef("--rate-limit %d: it must be positive, or 0 for no limit", f.rateLimit)
	}
	for flag, addr := range map[string]string{"--addr": f.addr, "--ops-addr": f.opsAddr} {
		if err := checkAddr(addr); err != nil && (addr != "" || flag == "--addr") {
			return c, usagef("%s %s: %w", flag, addr, err)
		}
	}
	if f.shutdownTimeout <= 0 {
		return c, usagef("--shutdown-timeout must be positive, such as 25s")
	}
	if err := f.egress(&c); err != nil {
		return c, err
	}
	if err := f.storage.config(&c); err != nil {
		return c, err
	}
	var err error
	c.LoadCatalog = func(present *manifest.Catalog) (*manifest.Catalog, []manifest.Finding, error) {
		return loadCatalog(f.dirs, present, c.Logger)
	}
	if c.Catalog, _, err = c.LoadCatalog(nil); err != nil {
		return c, err
	}
	token, fromEnv := os.LookupEnv("FLAGHOOK_ADMIN_TOKEN")
	switch {
	case f.adminTokenFile != "":
		c.AdminToken, err = readToken(f.adminTokenFile)
	case fromEnv && strings.TrimSpace(token) == "":
		err = usagef("FLAGHOOK_ADMIN_TOKEN is empty; unset it or give a token")
	case fromEnv:
		c.AdminToken = strings.TrimSpace(token)
	}
	return c, err
}

// isPublicURL takes an absolute URL with no more than a path, or none.
func isPublicURL(text string) bool {
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// egress reads what deliveries may reach, and how.
func (f *serveFlags) egress(c *serverConfig) error {
	for _, s := range f.egressAllow {
		prefix, err := parsePrefix(s)
		if err != nil {
			return usagef("--egress-allow %s: it is neither a CIDR such as 10.1.0.0/16 nor an address", s)
		}
		c.EgressAllow = append(c.EgressAllow, prefix)
	}
	if f.egressProxy != "" {
		proxy, err := url.Parse(f.egressProxy)
		if err != nil || proxy.Host == "" { // the text may hold a password, so neither is it shown nor the error
			return usagef("--egress-proxy: it must be a URL such as http://proxy.example.com:3128")
		}
		c.EgressProxy = proxy
	}
	if f.egressCA == "" {
		return nil
	}
	data, err := os.ReadFile(f.egressCA)
	if err != nil {
		return usagef("--egress-ca: %w", err)
	}
	if c.EgressCAs, err = x509.SystemCertPool(); err != nil {
		return fmt.Errorf("the system's certificates, which --egress-ca adds to: %w", err)
	}
	if !c.EgressCAs.AppendCertsFromPEM(data) {
		return usagef("--egress-ca %s: it holds no certificate in PEM", f.egressCA)
	}
	return nil
}

// checkAddr refuses what no listener can have, before anything is opened.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("it is not host:port, such as 127.0.0.1:8480")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("there is no port %s", port)
	}
	return nil
}

// parsePrefix reads a CIDR, or one address as the narrowest CIDR.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

func newLogger(cmd *cobra.Command, level, format string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // the flag takes only levels that parse
	o := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), o))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), o))
}

func serve(ctx context.Context, c serverConfig) error {
	s, err := newServer(ctx, c)
	if err != nil {
		return err
	}
	return s.run(ctx)
}
