package refresh

import (
	"context"
	"sync"
)

// Group is the directories of one exporter; the zero value has none. It is safe for concurrent use.
type Group struct {
	mu          sync.Mutex
	directories []*Directory
}

// Set makes these the directories of the group, in this order, and begins the
// first attempt of those that have had none. The group does not close those that go.
func (g *Group) Set(directories []*Directory) {
	g.mu.Lock()
	g.directories = directories
	g.mu.Unlock()
	for _, d := range directories {
		if d.isNew() {
			d.trigger()
		}
	}
}

func (g *Group) all() []*Directory {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.directories
}

// Await triggers the refreshes that are due, waits for those under way as long
// as ctx allows and as there is hope, and returns the State of each directory.
// The refreshes go on when ctx ends.
func (g *Group) Await(ctx context.Context) []*State {
	directories := g.all()
	flights := make([]*flight, len(directories))
	for i, d := range directories {
		flights[i] = d.trigger()
	}
	for i, f := range flights {
		if f != nil {
			directories[i].wait(ctx, f)
		}
	}
	return g.States()
}

// States returns the State of each directory without waiting.
func (g *Group) States() []*State {
	directories := g.all()
	states := make([]*State, len(directories))
	for i, d := range directories {
		states[i] = d.State()
	}
	return states
}
