package simulator

// Rule says when a fault strikes.
type Rule struct {
	When  When // nil: always
	Fault Fault
}

// When decides whether a rule applies to a call, whose Code is not known yet.
// It is called from many goroutines at once.
type When func(Call) bool

// Page is the nth page of each read, from 1.
func Page(n int) When { return func(c Call) bool { return c.Page == n } }

// FirstAttempts is the first n attempts of each page; then it gets a good answer.
func FirstAttempts(n int) When { return func(c Call) bool { return c.Attempt <= n } }
