package ledger

import (
	"iter"
	"maps"
	"slices"
)

// groups keeps records by a key, and what is computed from the records of each
// group. A group in which something changed is computed again from its records.
type groups[K comparable, V any] struct {
	key     func(*record) K
	compute func([]*record) (V, bool) // false: nothing to keep. It may sort the slice, unless snapshots have it too.
	members map[K][]*record
	values  map[K]V
}

// change is a record and the one that takes its place; either may be nil.
type change struct{ old, new *record }

func newGroups[K comparable, V any](key func(*record) K, compute func([]*record) (V, bool)) groups[K, V] {
	return groups[K, V]{key: key, compute: compute, members: map[K][]*record{}, values: map[K]V{}}
}

// update returns the keys of the groups that were computed again.
func (g groups[K, V]) update(changes iter.Seq[change]) []K {
	gone := map[*record]struct{}{}
	come := map[K][]*record{}
	for c := range changes {
		if c.old != nil {
			gone[c.old] = struct{}{}
			key := g.key(c.old)
			if _, changes := come[key]; !changes {
				come[key] = nil
			}
		}
		if c.new != nil {
			key := g.key(c.new)
			come[key] = append(come[key], c.new)
		}
	}
	for key, records := range come {
		all := g.members[key]
		if len(gone) > 0 { // what snapshots have stays as it is
			all = slices.DeleteFunc(slices.Clone(all), func(r *record) bool { _, left := gone[r]; return left })
		}
		all = append(all, records...) // behind what snapshots have
		if len(all) == 0 {
			delete(g.members, key)
		} else {
			g.members[key] = all
		}
		if value, ok := g.compute(all); ok {
			g.values[key] = value
		} else {
			delete(g.values, key)
		}
	}
	return slices.Collect(maps.Keys(come))
}
