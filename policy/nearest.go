package policy

// nearest gives the candidate that needs the fewest single-byte edits to become
// the name, or "" where none is as near as a typing slip: up to 2 edits, and
// fewer than half of the name's length. It keeps the first of equals.
func nearest(name string, candidates []string) string {
	best, fewest := "", 3
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < fewest && 2*d < len(name) {
			best, fewest = candidate, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two short texts.
func distance(a, b string) int {
	if len(a) > maxKind || len(b) > maxKind {
		return maxKind
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
