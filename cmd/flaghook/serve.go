package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flaghook/flaghook/integrations"
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
	logLevel, logFmt string
	shutdownTimeout  time.Duration
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
is made and kept in DATA/admin.token.`,
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
			return serve(cmd.Context(), config)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "127.0.0.1:8480", "listen `address` of the REST API")
	flags.StringVar(&f.opsAddr, "ops-addr", "127.0.0.1:8481", "listen `address` of /healthz and /readyz for the people who run it; empty for none")
	flags.StringVar(&f.data, "data", "flaghook-data", "`DIR` that holds everything stored")
	flags.StringSliceVar(&f.dirs, "integrations", nil, "`DIR` with integration folders, beside the embedded ones and before them (repeatable)")
	flags.StringSliceVar(&f.egressAllow, "egress-allow", nil, "`CIDR` of loopback or private endpoints that may be delivered to (repeatable)")
	flags.StringVar(&f.adminTokenFile, "admin-token-file", "", "`FILE` with the admin token")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "`FILE` with the certificate chain (PEM); with --tls-key the API speaks HTTPS")
	flags.StringVar(&f.tlsKey, "tls-key", "", "`FILE` with the certificate's key (PEM)")
	f.logLevel, f.logFmt = "info", "text"
	flags.Var(&oneOf{value: &f.logLevel, allowed: []string{"debug", "info", "warn", "error"}}, "log-level", "`level`: debug, info, warn or error")
	flags.Var(&oneOf{value: &f.logFmt, allowed: []string{"text", "json"}}, "log-format", "`format`: text or json")
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
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return c, usagef("--tls-cert and --tls-key go together")
	}
	for flag, addr := range map[string]string{"--addr": f.addr, "--ops-addr": f.opsAddr} {
		if err := checkAddr(addr); err != nil && (addr != "" || flag == "--addr") {
			return c, usagef("%s %s: %w", flag, addr, err)
		}
	}
	if f.shutdownTimeout <= 0 {
		return c, usagef("--shutdown-timeout must be positive, such as 25s")
	}
	for _, s := range f.egressAllow {
		prefix, err := parsePrefix(s)
		if err != nil {
			return c, usagef("--egress-allow %s: it is neither a CIDR such as 10.1.0.0/16 nor an address", s)
		}
		c.EgressAllow = append(c.EgressAllow, prefix)
	}
	var err error
	if c.Catalog, err = f.catalog(c.Logger); err != nil {
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

// catalog is the embedded one under those of --integrations, the first of which
// wins. A folder with an error is left out and named, and what it would have
// taken the place of is left out too: nobody wants another integration under
// the same key.
func (f *serveFlags) catalog(log *slog.Logger) (*manifest.Catalog, error) {
	catalog, findings := manifest.Load(integrations.FS())
	for _, dir := range slices.Backward(f.dirs) {
		over, more, err := loadDir(dir)
		if err != nil {
			return nil, err
		}
		catalog = without(catalog, broken(dir, more)).Merge(over)
		findings = append(findings, more...)
	}
	for _, finding := range findings {
		if finding.Severity == manifest.SeverityError {
			log.Error("integration left out", "finding", finding.String())
		} else {
			log.Debug("integration", "finding", finding.String())
		}
	}
	return catalog, nil
}

// broken lists the keys of the folders of dir that have errors.
func broken(dir string, findings []manifest.Finding) map[string]bool {
	keys := map[string]bool{}
	for _, finding := range findings {
		if finding.Severity != manifest.SeverityError {
			continue
		}
		keys[filepath.Base(dir)] = true // it may be an integration itself
		if below, err := filepath.Rel(dir, finding.Path); err == nil {
			key, _, _ := strings.Cut(filepath.ToSlash(below), "/")
			keys[key] = true
		}
	}
	return keys
}

func without(catalog *manifest.Catalog, keys map[string]bool) *manifest.Catalog {
	return manifest.NewCatalog(slices.DeleteFunc(catalog.All(), func(i *manifest.Integration) bool { return keys[i.Key] })...)
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
