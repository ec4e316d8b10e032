package render

// A Maker makes the objects and arrays of one document. They are much like those of Object and Array, but part of
// their memory is made for many at a time, and stays as long as one of them does. The zero Maker is ready. It is not
// safe for concurrent use, its values are.
type Maker struct {
	free []compound
	want int // so many more will likely be made
}

// NewMaker returns a Maker for about n objects and arrays.
func NewMaker(n int) Maker { return Maker{want: n} }

// maxMade bounds how many are made in advance: NewMaker may have been told too many.
const maxMade = 8

func (m *Maker) compound() *compound {
	if len(m.free) == 0 {
		n := max(min(m.want, maxMade), 1)
		m.free, m.want = make([]compound, n), m.want-n
	}
	c := &m.free[0]
	m.free = m.free[1:]
	return c
}

// Object is Object with a copy of the members.
func (m *Maker) Object(members ...Member) Value {
	own := make([]Member, len(members))
	for i := range members {
		own[i] = Member{validText(members[i].Key), members[i].Value}
	}
	return m.compound().object(own)
}

// Array is Array; the slice belongs to the Value from then on.
func (m *Maker) Array(items []Value) Value { return m.compound().array(items) }

// WithAll is v.WithAll.
func (m *Maker) WithAll(v Value, added ...Member) Value { return v.withAll(m.compound(), added) }
