package reason

import "regexp"

// Rule names the failures its expression matches. The first rule of a list that matches wins, so put the narrow ones first.
//
// Match is applied to the failure text as the API wrote it, before any normalisation. A Rule is not changed by this
// package and may be shared.
type Rule struct {
	Match  *regexp.Regexp
	Reason string
}
