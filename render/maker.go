package render

// A maker makes the compounds of one document, some at a time, which stay as long as one of them does.
type maker struct {
	free []compound
	want int // so many more will likely be made
}

// maxMade bounds how many are made in advance: want may be too many.
const maxMade = 8

func (m *maker) compound() *compound {
	if len(m.free) == 0 {
		n := max(min(m.want, maxMade), 1)
		m.free, m.want = make([]compound, n), m.want-n
	}
	c := &m.free[0]
	m.free = m.free[1:]
	return c
}
