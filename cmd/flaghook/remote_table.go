package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flaghook/flaghook/hooks/api/client"
)

// A table is rows whose cells stand below each other. What it is given may come
// from anywhere: no cell breaks a line or moves the cursor.
type table struct {
	rows   [][]string
	header bool // the first row names the columns
}

func newTable(header ...string) *table {
	t := &table{}
	if len(header) > 0 {
		t.header = true
		t.add(header...)
	}
	return t
}

func (t *table) add(cells ...string) {
	for i, c := range cells {
		if c == "" {
			c = "-"
		}
		cells[i] = strings.Join(strings.Fields(visible(c)), " ")
	}
	t.rows = append(t.rows, cells)
}

// stateColours are those of words that stand in a cell alone.
var stateColours = map[string]string{
	"delivered": green, "done": green, "on": green,
	"dead": red, "failed": red,
	"pending": yellow, "held": yellow, "running": yellow,
	"skipped": dim, "cancelled": dim, "off": dim,
}

// write writes the table, in colour where that is wanted.
func (t *table) write(w io.Writer) error {
	paint := painter(coloured(w))
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for n, row := range t.rows {
		for i, c := range row {
			blanks := ""
			if i < len(row)-1 {
				blanks = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+2)
			}
			code := stateColours[c]
			if t.header && n == 0 {
				code = bold
			}
			if code != "" {
				c = paint(code, c)
			}
			b.WriteString(c + blanks)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// when writes a time as --since and --until read it.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// compactJSON writes a value in one line.
func compactJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// policyLines writes a policy, a statement a line; nil is the default policy.
func policyLines(statements []client.Statement) []string {
	switch {
	case statements == nil:
		return []string{"the integration's default"}
	case len(statements) == 0:
		return []string{"nothing"}
	}
	var lines []string
	for _, s := range statements {
		line := s.Effect + " "
		lists := []struct {
			name string
			list []string
		}{{"", s.Actions}, {"all but ", s.NotActions}, {"on ", s.Resources}, {"on all but ", s.NotResources}}
		for _, l := range lists {
			if l.list != nil {
				line += l.name + strings.Join(l.list, " ") + " "
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// addLines adds a row for each line, the first one named.
func (t *table) addLines(name string, lines ...string) {
	for i, line := range lines {
		if i > 0 {
			name = " "
		}
		t.rows = append(t.rows, []string{name, strings.Join(strings.Fields(visible(line)), " ")})
	}
}

// addConfig adds the form variables in the order of their keys.
func (t *table) addConfig(config map[string]any) {
	var lines []string
	for key, v := range config {
		text, ok := v.(string)
		if !ok {
			text = compactJSON(v)
		}
		lines = append(lines, key+"="+text)
	}
	slices.Sort(lines)
	t.addLines("config", lines...)
}
