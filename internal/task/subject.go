package task

// Kind groups the task types that undo each other: the subject of a task is of
// one kind, and a success of either type settles it.
type Kind string

// The kinds of the reference's types. A type that the reference does not know is a kind of its own.
const (
	Provisioning Kind = "provisioning"
	Assignment   Kind = "assignment"
)

// Kind returns the kind of the type.
func (t Type) Kind() Kind {
	switch t {
	case ProvisionAccessConfiguration, DeprovisionAccessConfiguration:
		return Provisioning
	case CreateAccessAssignment, DeleteAccessAssignment:
		return Assignment
	default:
		return Kind(t)
	}
}

// Subject is what a task is about: two tasks of one subject undo, repeat or
// supersede each other. For a (de)provisioning it is an access configuration on
// a target, by way of an origin; for everything else also the principal.
type Subject struct {
	Kind                  Kind
	AccessConfigurationID string
	TargetID              string
	OriginTargetID        string // what the target inherits it from; empty when that is the target itself
	PrincipalID           string // empty for (de)provisionings
}

// Subject returns what the task is about.
func (t Task) Subject() Subject {
	s := Subject{
		Kind:                  t.Type.Kind(),
		AccessConfigurationID: t.AccessConfigurationID,
		TargetID:              t.TargetID,
		OriginTargetID:        t.OriginTargetID,
		PrincipalID:           t.PrincipalID,
	}
	if s.OriginTargetID == s.TargetID {
		s.OriginTargetID = ""
	}
	if s.Kind == Provisioning {
		s.PrincipalID = ""
	}
	return s
}
