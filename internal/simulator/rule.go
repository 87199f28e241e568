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

// FromPage is the nth page of each read and those after it.
func FromPage(n int) When { return func(c Call) bool { return c.Page >= n } }

// FirstAttempts is the first n attempts of each page; then it gets a good answer.
func FirstAttempts(n int) When { return func(c Call) bool { return c.Attempt <= n } }

// In is every call for the directory.
func In(directoryID string) When { return func(c Call) bool { return c.Directory() == directoryID } }

// All is where every condition holds.
func All(conditions ...When) When {
	return func(c Call) bool {
		for _, when := range conditions {
			if when != nil && !when(c) {
				return false
			}
		}
		return true
	}
}
