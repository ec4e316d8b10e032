package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildVersion may be set by the linker (-X main.buildVersion=v1.2.3); else
// the version that the Go tool recorded is used.
var buildVersion string

// A buildInfo says what this binary is.
type buildInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuildInfo() buildInfo {
	b := buildInfo{Version: "devel", Commit: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			b.Version = v
		}
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				b.Commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "-dirty"
			}
		}
		b.Commit += dirty
	}
	if buildVersion != "" {
		b.Version = buildVersion
	}
	return b
}

func versionCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit, Go and platform",
		Example: "  flaghook version\n  flaghook version --format json",
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := readBuildInfo()
			if format == "json" {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(b)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "flaghook %s (commit %s, %s, %s)\n", b.Version, b.Commit, b.Go, b.Platform)
			return err
		},
	}
	formatFlag(cmd, &format)
	return cmd
}

// formatFlag adds --format text|json.
func formatFlag(cmd *cobra.Command, format *string) {
	*format = "text"
	words := []string{"text", "json"}
	cmd.Flags().Var(&oneOf{value: format, allowed: words}, "format", "output `format`: text or json")
	flagWords(cmd, "format", func(*cobra.Command, []string) []string { return words })
}

// oneOf is a flag that takes one of a few words.
type oneOf struct {
	value   *string
	allowed []string
}

func (o *oneOf) String() string { return *o.value }
func (o *oneOf) Type() string   { return "string" }

// Set refuses what is not allowed and says what is.
func (o *oneOf) Set(s string) error {
	for _, a := range o.allowed {
		if s == a {
			*o.value = s
			return nil
		}
	}
	return fmt.Errorf("it must be one of %v", o.allowed)
}
