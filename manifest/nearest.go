package manifest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// nearest returns the candidates that a person who wrote word may have meant,
// the likeliest first, at most three.
func nearest(word string, candidates []string) []string {
	if len(word) > 100 {
		return nil // nobody mistypes that much, and distance is quadratic
	}
	type guess struct {
		name string
		cost int
	}
	var guesses []guess
	lower := strings.ToLower(word)
	for _, c := range candidates {
		other := strings.ToLower(c)
		cost := distance(lower, other)
		short := min(len(lower), len(other)) < 3
		switch {
		case lower == "" || cost <= max(1, len(other)/3) && (!short || cost <= 1):
		case !short && (strings.HasPrefix(other, lower) || strings.HasPrefix(lower, other)):
		default:
			continue
		}
		guesses = append(guesses, guess{c, cost})
	}
	slices.SortFunc(guesses, func(a, b guess) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.name, b.name))
	})
	var names []string
	for _, g := range guesses[:min(3, len(guesses))] {
		names = append(names, g.name)
	}
	return names
}

// closest returns three candidates, or all where there are fewer, however far
// they are: those that share most pairs of letters with the word.
func closest(word string, candidates []string) []string {
	const longest = 100 // who wrote more meant none of them
	lower := strings.ToLower(word[:min(len(word), longest)])
	likeness := make(map[string]float64, len(candidates))
	for _, c := range candidates {
		likeness[c] = alike(lower, strings.ToLower(c))
	}
	all := slices.SortedFunc(slices.Values(candidates), func(a, b string) int {
		return cmp.Or(cmp.Compare(likeness[b], likeness[a]), cmp.Compare(a, b))
	})
	return all[:min(3, len(all))]
}

// alike says how much two words have in common, from 0 to 1: the share of their
// pairs of neighbouring letters that both have (Dice's coefficient).
func alike(a, b string) float64 {
	pairs := map[string]int{}
	for i := range max(len(a)-1, 0) {
		pairs[a[i:i+2]]++
	}
	common := 0
	for i := range max(len(b)-1, 0) {
		if pair := b[i : i+2]; pairs[pair] > 0 {
			pairs[pair]--
			common++
		}
	}
	return 2 * float64(common) / float64(max(len(a)+len(b)-2, 1))
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour in order to make a of b.
func distance(a, b string) int {
	before, last, this := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		this[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			this[j] = min(last[j]+1, this[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				this[j] = min(this[j], before[j-2]+1)
			}
		}
		before, last, this = last, this, before
	}
	return last[len(b)]
}

// didYouMean turns the nearest candidates into a remedy, or lists them all
// where none is near.
func didYouMean(word string, candidates []string) string {
	if near := nearest(word, candidates); len(near) > 0 {
		return "did you mean " + quoted(near, "or") + "?"
	}
	return oneOf(candidates)
}

// oneOf lists what there is to choose from.
func oneOf(candidates []string) string {
	const most = 20
	switch n := len(candidates); {
	case n == 0:
		return ""
	case n == 1:
		return "it can be " + strconv.Quote(candidates[0])
	case n > most:
		return "it can be one of " + quoted(candidates[:most], ",") + ", ..."
	}
	return "it can be " + quoted(candidates, "or")
}

// quoted lists words as `"a", "b" or "c"`; the last two stand around link.
func quoted(words []string, link string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i == 0:
		case i < len(words)-1 || link == ",":
			b.WriteString(", ")
		default:
			b.WriteString(" " + link + " ")
		}
		b.WriteString(strconv.Quote(w))
	}
	return b.String()
}
