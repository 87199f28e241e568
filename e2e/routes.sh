#!/bin/sh
# Who is called for what, in alerts/alertmanager.example.yml: routes.sh AMTOOL CONFIG
set -eu
route() {
	receiver=$1
	shift
	"$amtool" config routes test --config.file="$config" --verify.receivers="$receiver" "$@" >/dev/null || {
		echo "routes.sh: $* does not go to $receiver" >&2
		exit 1
	}
}
amtool=$1 config=$2
route pager alertname=CloudSSORevocationFailed severity=critical directory_id=d-1
route pager alertname=CloudSSOCredentialsRejected severity=critical directory_id=d-1 instance=a job=cloudsso
route pager alertname=CloudSSOExporterDown severity=critical
route chat alertname=CloudSSODeprovisioningFailed severity=warning directory_id=d-1
route chat alertname=CloudSSOProvisioningFailed severity=warning directory_id=d-1
route chat alertname=CloudSSOAssignmentFailed severity=warning directory_id=d-1
route chat alertname=CloudSSOTaskStuck severity=warning directory_id=d-1
route chat alertname=SomethingElse severity=critical
route tickets alertname=CloudSSOThrottled severity=info directory_id=d-1
route tickets alertname=CloudSSOAssignmentSpike severity=info directory_id=d-1
echo "routes: pager, chat and tickets get what is theirs"
