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
// a target, for everything else also the principal.
type Subject struct {
	Kind                  Kind
	AccessConfigurationID string
	TargetID              string
	PrincipalID           string // empty for (de)provisionings
	OriginTargetID        string // empty where it is the target itself
}

// Subject returns what the task is about.
func (t Task) Subject() Subject {
	s := Subject{
		Kind:                  t.Type.Kind(),
		AccessConfigurationID: t.AccessConfigurationID,
		TargetID:              t.TargetID,
		PrincipalID:           t.PrincipalID,
	}
	if s.Kind == Provisioning {
		s.PrincipalID = ""
	}
	if t.OriginTargetID != t.TargetID {
		s.OriginTargetID = t.OriginTargetID
	}
	return s
}
