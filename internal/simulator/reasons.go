package simulator

import (
	"strings"

	"cloudsso_exporter/internal/task"
)

const noPermission = "NoPermission: You are not authorized to do this action. Resource: acs:ram:*:{account}:role/{role} Action: "

// leaverReason is why the one revocation never succeeds.
const leaverReason = noPermission + "ram:DetachPolicyFromRole RequestId: {request}"

// reasonsOf are texts as the services behind a task write them: RAM's errors
// handed through, with ids and names of the case at hand. A type's first is
// its most frequent.
func reasonsOf(t task.Type) []string {
	switch t {
	case task.ProvisionAccessConfiguration:
		return []string{
			"EntityAlreadyExists.Role: The role does already EXIST. RequestId: {request}",
			"LimitExceeded.Role: The count of roles beyond the current limits. RequestId: {request}",
			`The parameter - "PolicyDocument" beyond the length limit.`,
			"EntityNotExist.Policy: The policy not exists: acs:ram::{account}:policy/{role}-InlinePolicy. RequestId: {request}",
			"No Permission.",
		}
	case task.DeprovisionAccessConfiguration:
		return []string{
			"DeleteConflict.Role.Policy: The role {role} is attached to policies and cannot be deleted. RequestId: {request}",
			"The policy CAN NOT has any version except the default version.",
			noPermission + "ram:DeleteRole",
		}
	case task.CreateAccessAssignment:
		return []string{
			"LimitExceeded.Role: The maximum number of roles is exceeded. RequestId: {request}",
			"OperationConflict.Task: Another task ({task}) is running for the account {account}. RequestId: {request}",
			"Your ram service is inactive, please activate it.",
			"No Permission.",
		}
	default:
		return []string{
			"OperationConflict.Task: Another task ({task}) is running for the account {account}. RequestId: {request}",
			"ServiceUnavailable: The request has failed due to a temporary failure of the server. RequestId: {request}",
			"EntityNotExist.Role: The role not exists: acs:ram::{account}:role/{role}. RequestId: {request}",
		}
	}
}

// pickReason prefers the first reasons of a type.
func pickReason(t task.Type, d *dice) string {
	reasons := reasonsOf(t)
	return reasons[min(d.below(len(reasons)), d.below(len(reasons)))]
}

// fillReason puts the ids and names of the task into a text.
func fillReason(text string, t task.Task, d *dice) string {
	return strings.NewReplacer(
		"{account}", t.TargetID,
		"{role}", "AliyunReservedSSO-"+t.AccessConfigurationName,
		"{task}", "t-"+d.letters(20),
		"{request}", d.uuid(),
	).Replace(text)
}
