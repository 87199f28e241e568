package task

import "testing"

// A failed revocation of one origin must not be resolved by a success of another.
func TestSubjectHasAnOrigin(t *testing.T) {
	for name, tc := range map[string]struct {
		typ    Type
		origin string
		want   Subject
	}{
		"none":                     {DeleteAccessAssignment, "", Subject{Assignment, "ac-1", "114", "", "u-1"}},
		"the target itself":        {DeleteAccessAssignment, "114", Subject{Assignment, "ac-1", "114", "", "u-1"}},
		"a folder":                 {DeleteAccessAssignment, "fd-1", Subject{Assignment, "ac-1", "114", "fd-1", "u-1"}},
		"a folder, of a provision": {ProvisionAccessConfiguration, "fd-1", Subject{Provisioning, "ac-1", "114", "fd-1", ""}},
		"an unknown type":          {"Other", "fd-1", Subject{"Other", "ac-1", "114", "fd-1", "u-1"}},
	} {
		got := Task{Type: tc.typ, AccessConfigurationID: "ac-1", TargetID: "114", OriginTargetID: tc.origin, PrincipalID: "u-1"}.Subject()
		if got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}
