package main

import "strings"

// A diffLine is a line of two texts: ' ' in both, '-' in the first alone, '+' in
// the second alone.
type diffLine struct {
	sign byte
	text string // without its line feed
}

// maxDiff bounds the table that diffLines fills, in cells; what is larger is
// shown as replaced altogether.
const maxDiff = 4_000_000

// diffLines compares two texts line by line, by their longest common
// subsequence.
func diffLines(was, is string) []diffLine {
	a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
	var out, tail []diffLine
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		out = append(out, diffLine{' ', a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append(tail, diffLine{' ', a[len(a)-1]})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	out = append(out, diffMiddle(a, b)...)
	for n := len(tail) - 1; n >= 0; n-- {
		out = append(out, tail[n])
	}
	return out
}

func diffMiddle(a, b []string) []diffLine {
	var out []diffLine
	if len(a)*len(b) <= maxDiff {
		// common[i][j] is how many lines a[i:] and b[j:] have in common.
		common := make([][]int32, len(a)+1)
		for i := range common {
			common[i] = make([]int32, len(b)+1)
		}
		for i := len(a) - 1; i >= 0; i-- {
			for j := len(b) - 1; j >= 0; j-- {
				if a[i] == b[j] {
					common[i][j] = common[i+1][j+1] + 1
				} else {
					common[i][j] = max(common[i+1][j], common[i][j+1])
				}
			}
		}
		i, j := 0, 0
		for i < len(a) && j < len(b) {
			switch {
			case a[i] == b[j]:
				out = append(out, diffLine{' ', a[i]})
				i, j = i+1, j+1
			case common[i+1][j] >= common[i][j+1]:
				out = append(out, diffLine{'-', a[i]})
				i++
			default:
				out = append(out, diffLine{'+', b[j]})
				j++
			}
		}
		a, b = a[i:], b[j:]
	}
	for _, text := range a {
		out = append(out, diffLine{'-', text})
	}
	for _, text := range b {
		out = append(out, diffLine{'+', text})
	}
	return out
}

// near leaves out what is more than n lines away from a change; a line with the
// sign 0 stands where something was left out.
func near(lines []diffLine, n int) []diffLine {
	keep := make([]bool, len(lines))
	for i, l := range lines {
		if l.sign != ' ' {
			for k := max(0, i-n); k <= min(len(lines)-1, i+n); k++ {
				keep[k] = true
			}
		}
	}
	var out []diffLine
	for i, l := range lines {
		switch {
		case keep[i]:
			out = append(out, l)
		case len(out) > 0 && out[len(out)-1].sign != 0:
			out = append(out, diffLine{0, "..."})
		}
	}
	if len(out) > 0 && out[len(out)-1].sign == 0 {
		out = out[:len(out)-1]
	}
	return out
}
