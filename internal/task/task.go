// Package task holds the words of the domain: what ListTasks calls a task,
// its type, status and subject, and what can be asked about tasks.
// It imports the standard library only and does no I/O.
package task

import "time"

// Type is the API's TaskType, passed through as the API spells it.
type Type string

// The task types of the reference. The API may add others.
const (
	ProvisionAccessConfiguration   Type = "ProvisionAccessConfiguration"
	DeprovisionAccessConfiguration Type = "DeprovisionAccessConfiguration"
	CreateAccessAssignment         Type = "CreateAccessAssignment"
	DeleteAccessAssignment         Type = "DeleteAccessAssignment"
)

// Types returns the task types of the reference, in its order.
func Types() []Type {
	return []Type{
		ProvisionAccessConfiguration,
		DeprovisionAccessConfiguration,
		CreateAccessAssignment,
		DeleteAccessAssignment,
	}
}

// Status is the API's Status, passed through as the API spells it.
type Status string

// The statuses of the reference. The API may add others.
const (
	InProgress Status = "InProgress"
	Success    Status = "Success"
	Failed     Status = "Failed"
)

// Statuses returns the statuses of the reference, in its order.
func Statuses() []Status { return []Status{InProgress, Success, Failed} }

// Task is one answer of the API about one task. It is a value: a later answer
// about the same task is another Task with the same ID. In JSON, its fields have
// the API's names.
type Task struct {
	ID            string    `json:"TaskId"`
	Type          Type      `json:"TaskType"`
	Status        Status    `json:"Status"`
	Start         time.Time `json:"StartTime,omitzero"` // UTC; zero when the answer had none or an invalid one
	End           time.Time `json:"EndTime,omitzero"`   // UTC; zero when the answer had none or an invalid one
	FailureReason string    `json:"FailureReason"`      // free text; only meaningful when Status is Failed

	AccessConfigurationID   string `json:"AccessConfigurationId"`
	AccessConfigurationName string `json:"AccessConfigurationName"`
	TargetType              string `json:"TargetType"`
	TargetID                string `json:"TargetId"`
	TargetName              string `json:"TargetName"`
	TargetPath              string `json:"TargetPath"`
	TargetPathName          string `json:"TargetPathName"`
	OriginTargetID          string `json:"OriginTargetId"` // what the assignment was inherited from; may be empty
	PrincipalType           string `json:"PrincipalType"`
	PrincipalID             string `json:"PrincipalId"`
	PrincipalName           string `json:"PrincipalName"`
}

// Finished reports whether the task has ended. A status that the reference does
// not know counts as ended once the answer carries an EndTime.
func (t Task) Finished() bool {
	switch t.Status {
	case Success, Failed:
		return true
	case InProgress:
		return false
	default:
		return !t.End.IsZero()
	}
}

// WithoutNames returns t without what could name a person, an account or an access
// configuration: ids stay, names, paths and the free text of a failure go.
func (t Task) WithoutNames() Task {
	t.AccessConfigurationName, t.TargetName, t.TargetPath, t.TargetPathName, t.PrincipalName, t.FailureReason = "", "", "", "", "", ""
	return t
}

// Stamp is a moment as the API writes it, in UTC and whole seconds; empty for the zero time.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
