package policy_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/policy"
)

// page is docs/policies.md, which these tests hold to what the package does.
func page(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// section gives what stands under a heading up to the next of its level.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("the page has no section %q", heading)
	}
	body, _, _ := strings.Cut(rest, "\n## ")
	return body
}

// rows gives the cells of the tables in a text, without their heads.
func rows(text string) [][]string {
	var list [][]string
	head := true
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			head = true
		case strings.HasPrefix(line, "|---"):
			head = false
		case !head:
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			list = append(list, cells)
		}
	}
	return list
}

// code takes the backquotes off a cell of one or more codes.
func code(t *testing.T, cell string) []string {
	t.Helper()
	list := strings.Split(cell, "<br>")
	for i, c := range list {
		if len(c) < 3 || c[0] != '`' || c[len(c)-1] != '`' {
			t.Fatalf("%q is not in backquotes", c)
		}
		list[i] = c[1 : len(c)-1]
	}
	return list
}

func TestDocsKinds(t *testing.T) {
	var documented []string
	for _, row := range rows(section(t, page(t), "Kinds")) {
		chain, example := code(t, row[0])[0], code(t, row[2])[0]
		documented = append(documented, chain)
		mustParse(t, allow([]string{example}, []string{"*"}))
		r, err := policy.ParseResource(example)
		if err != nil {
			t.Errorf("%s: %v", chain, err)
		}
		var kinds []string
		for _, s := range r.Segments {
			kinds = append(kinds, s.Kind)
		}
		if got := strings.Join(kinds, ":"); got != chain {
			t.Errorf("the example of %s is of %s", chain, got)
		}
	}
	if diff := cmp.Diff(policy.DefaultKinds().Chains(), documented); diff != "" {
		t.Errorf("the table of kinds (-package +page):\n%s", diff)
	}
}

var (
	policyBlock = regexp.MustCompile("(?s)```json policy\n(.*?)```")
	decidedBy   = regexp.MustCompile(`^statement (\d+)$`)
	nearestBy   = regexp.MustCompile(`^none; nearest is statement (\d+), by its (\w+)$`)
)

func TestDocsExamples(t *testing.T) {
	examples := strings.Split(section(t, page(t), "Ten examples"), "\n### ")[1:]
	if len(examples) != 10 {
		t.Errorf("there are %d examples", len(examples))
	}
	seen := map[string]bool{}
	for _, example := range examples {
		title, _, _ := strings.Cut(example, "\n")
		t.Run(title, func(t *testing.T) {
			blocks := policyBlock.FindAllStringSubmatch(example, -1)
			if len(blocks) != 1 {
				t.Fatalf("it has %d policies", len(blocks))
			}
			statements, err := policy.ParseStatements([]byte(blocks[0][1]))
			if err != nil {
				t.Fatal(err)
			}
			p := mustParse(t, statements...)
			verdicts := map[string]bool{}
			for _, row := range rows(example) {
				var pairs []string
				resources := code(t, row[1])
				for i, action := range code(t, row[0]) {
					pairs = append(pairs, action, resources[i])
				}
				d := p.Explain(accesses(t, pairs...))
				verdicts[row[2]] = true
				if verdict := map[bool]string{true: "allow", false: "deny"}[d.Allowed]; verdict != row[2] {
					t.Errorf("%v: the page says %s; %s", pairs, row[2], d.Reason)
				}
				by := "nothing that the page can say"
				if m := decidedBy.FindStringSubmatch(row[3]); len(m) == 2 && m[1] == strconv.Itoa(int(d.Statement)) {
					by = row[3]
				}
				a := d.Accesses[0]
				if m := nearestBy.FindStringSubmatch(row[3]); len(m) == 3 && d.Statement < 0 && m[1] == strconv.Itoa(int(a.Nearest)) && m[2] == a.Failed {
					by = row[3]
					seen[a.Failed] = true
				}
				if by != row[3] {
					t.Errorf("%v: the page says %q; %s (failed: %s)", pairs, row[3], d.Reason, a.Failed)
				}
			}
			if len(verdicts) != 2 {
				t.Error("it should show both what is allowed and what is not")
			}
		})
	}
	for _, failed := range []string{"kind", "key", "tag", "property", "action", "resource"} {
		if !seen[failed] {
			t.Errorf("no example fails by its %s", failed)
		}
	}
}

func TestDocsErrors(t *testing.T) {
	errs, limits := 0, map[string]int{
		"statements of a policy": policy.MaxStatements, "items of a list": policy.MaxItems,
		"bytes of a specifier": policy.MaxSpecifier, "bytes of an action": policy.MaxAction,
		"bytes of a policy's JSON, and of its texts": policy.MaxPolicy, "bytes of an event's resource": policy.MaxResource,
		"patterns of a policy with `*` beside other characters": policy.MaxWildcards,
	}
	for _, row := range rows(section(t, page(t), "Errors")) {
		if len(row) == 2 {
			if limit, ok := limits[row[0]]; !ok || row[1] != strconv.Itoa(limit) {
				t.Errorf("%s: the page says %s, the limit is %d", row[0], row[1], limit)
			}
			delete(limits, row[0])
			continue
		}
		errs++
		_, err := policy.Parse([]policy.Statement{allow(code(t, row[0]), []string{"*"})})
		want := "statement 0, resources[0], column " + row[1] + ": " + row[2]
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", row[0], err, want)
		}
	}
	if errs == 0 || len(limits) > 0 {
		t.Errorf("%d errors; limits that the page does not tell: %v", errs, limits)
	}
}

// TestDocsStatements: the members of a statement are all told.
func TestDocsStatements(t *testing.T) {
	var members []string
	for _, row := range rows(section(t, page(t), "Statements")) {
		members = append(members, code(t, row[0])...)
	}
	if want := []string{"effect", "resources", "notResources", "actions", "notActions"}; !slices.Equal(members, want) {
		t.Errorf("members %v, want %v", members, want)
	}
}
