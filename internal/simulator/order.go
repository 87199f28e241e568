package simulator

// Order is the order of a list. The reference promises none.
type Order int

// The orders.
const (
	NewestFirst Order = iota
	OldestFirst
	Shuffled // random, but the same in every read
)

// rank is where a directory keeps the record: the smaller, the earlier. The
// newest come last, where adding is cheap; NewestFirst reads backwards.
func (o Order) rank(r *Record, seed uint64) int64 {
	if o == Shuffled {
		return int64(hash(seed, r.ID))
	}
	return r.Start.Unix()
}
