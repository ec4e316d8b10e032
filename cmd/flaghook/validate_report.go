package main

import (
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/manifest"
)

// jsonFinding is a finding in --format json.
type jsonFinding struct {
	Severity manifest.Severity `json:"severity"`
	Rule     string            `json:"rule"`
	Path     string            `json:"path"` // slash-separated
	Line     int               `json:"line"`
	Column   int               `json:"column"`
	Pointer  string            `json:"pointer,omitempty"` // JSON pointer into manifest.json
	Message  string            `json:"message"`
	Remedy   string            `json:"remedy,omitempty"`
}

type jsonReport struct {
	Findings []jsonFinding `json:"findings"`
	Summary  jsonSummary   `json:"summary"`
}

type jsonSummary struct {
	Integrations int `json:"integrations"` // without errors
	Errors       int `json:"errors"`
	Warnings     int `json:"warnings"`
}

func writeJSON(w io.Writer, r *lintReport) error {
	out := jsonReport{Findings: []jsonFinding{}, Summary: jsonSummary{r.Good, r.Errors, r.Warnings}}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, jsonFinding{
			Severity: f.Severity, Rule: f.Rule, Path: filepath.ToSlash(f.Path), Line: max(f.Line, 1), Column: max(f.Column, 1),
			Pointer: f.Pointer, Message: f.Message, Remedy: f.Remedy,
		})
	}
	return encode(w, out)
}

// encode writes indented JSON whose < and & people can read.
func encode(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// The part of SARIF 2.1.0 (OASIS) that code hosts read; see
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string      `json:"id"`
		ShortDescription     sarifText   `json:"shortDescription"`
		DefaultConfiguration sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level manifest.Severity `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string            `json:"ruleId"`
		RuleIndex int               `json:"ruleIndex"`
		Level     manifest.Severity `json:"level"`
		Message   sarifText         `json:"message"`
		Locations []sarifLocation   `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

func writeSARIF(w io.Writer, r *lintReport) error {
	driver := sarifDriver{Name: "flaghook", Version: readBuildInfo().Version, InformationURI: "https://github.com/flaghook/flaghook"}
	rules := rulesByName()
	for _, rule := range rules {
		driver.Rules = append(driver.Rules, sarifRule{rule.Name, sarifText{rule.Summary}, sarifConfig{rule.Severity}})
	}
	run := sarifRun{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	for _, f := range r.Findings {
		text := f.Message
		if f.Remedy != "" {
			text += "; " + f.Remedy
		}
		run.Results = append(run.Results, sarifResult{
			RuleID:    f.Rule,
			RuleIndex: slices.IndexFunc(rules, func(r manifest.Rule) bool { return r.Name == f.Rule }),
			Level:     f.Severity,
			Message:   sarifText{text},
			Locations: []sarifLocation{{sarifPhysical{artifact(f.Path), sarifRegion{max(f.Line, 1), max(f.Column, 1)}}}},
		})
	}
	return encode(w, sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

// artifact names a file from the current folder, which is the repository's root
// where a code host runs this; a file outside has an absolute URI.
func artifact(name string) sarifArtifact {
	abs, err := filepath.Abs(name)
	if err != nil {
		return sarifArtifact{URI: relativeURI(name)}
	}
	if wd, err := os.Getwd(); err == nil {
		if inside, err := filepath.Rel(wd, abs); err == nil && filepath.IsLocal(inside) {
			return sarifArtifact{relativeURI(inside), "%SRCROOT%"}
		}
	}
	return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}).String()}
}

func relativeURI(name string) string {
	parts := strings.Split(filepath.ToSlash(name), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
