package simulator

import (
	"strings"

	"cloudsso_exporter/internal/task"
)

// reasonsOf are texts as the services behind a task write them: RAM's errors
// handed through, with ids and names of the case at hand. A type's first is
// its most frequent.
func reasonsOf(t task.Type) []string {
	switch t {
	case task.ProvisionAccessConfiguration:
		return []string{
			"EntityAlreadyExists.Role: The role AliyunReservedSSO-{configuration} already exists. RequestId: {request}",
			"LimitExceeded.Role: The count of roles beyond the current limits (1000) in account {account}. RequestId: {request}",
			"EntityNotExist.Policy: The custom policy does not exist: acs:ram::{account}:policy/{configuration}-inline. RequestId: {request}",
			"No Permission.",
			"Throttling.User: Request was denied due to user flow control. RequestId: {request}",
		}
	case task.DeprovisionAccessConfiguration:
		return []string{
			"DeleteConflict.Role.Policy: The role AliyunReservedSSO-{configuration} is attached to policies and cannot be deleted. RequestId: {request}",
			"ServiceUnavailable: The request has failed due to a temporary failure of the server. RequestId: {request}",
			"NoPermission: You are not authorized to do this action. Resource: acs:ram:*:{account}:role/aliyunreservedsso-{configurationLower} Action: ram:DeleteRole",
		}
	case task.CreateAccessAssignment:
		return []string{
			"EntityNotExists.Principal: The principal {principal} does not exist in directory {directory}. RequestId: {request}",
			"EntityAlreadyExists.SAMLProvider: The SAML provider of account {account} already exists. RequestId: {request}",
			"No Permission.",
			"InternalError: The request processing has failed due to some unknown error, exception or failure. RequestId: {request}",
		}
	default:
		return []string{
			"OperationConflict.AccessAssignment: Another task ({task}) is running for the account \"{accountName}\". RequestId: {request}",
			"ServiceUnavailable: The request has failed due to a temporary failure of the server. RequestId: {request}",
			"Timeout waiting for the role AliyunReservedSSO-{configuration} in account {account} to be updated.",
		}
	}
}

// leaverReason is why the one revocation never succeeds.
const leaverReason = "NoPermission: You are not authorized to do this action. Resource: acs:ram:*:{account}:role/aliyunreservedsso-{configurationLower} Action: ram:DetachPolicyFromRole RequestId: {request}"

// fillReason puts the ids and names of the task into a text.
func fillReason(text string, t task.Task, directoryID string, d *dice) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		var what string
		what, text, _ = strings.Cut(rest, "}")
		switch what {
		case "request":
			out.WriteString(d.upperUUID())
		case "task":
			out.WriteString("t-" + d.letters(20))
		case "directory":
			out.WriteString(directoryID)
		case "configuration":
			out.WriteString(t.AccessConfigurationName)
		case "configurationLower":
			out.WriteString(strings.ToLower(t.AccessConfigurationName))
		case "account":
			out.WriteString(t.TargetID)
		case "accountName":
			out.WriteString(t.TargetName)
		case "principal":
			out.WriteString(t.PrincipalID)
		default:
			out.WriteString("{" + what + "}")
		}
	}
}

// pickReason prefers the first reasons of a type.
func pickReason(t task.Type, d *dice) string {
	reasons := reasonsOf(t)
	return reasons[min(d.below(len(reasons)), d.below(len(reasons)))]
}
