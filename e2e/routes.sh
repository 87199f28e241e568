#!/bin/sh
# Who is told what, in alerts/alertmanager.example.yml: routes.sh AMTOOL CONFIG
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
route chat alertname=CloudSSOProvisioningFailed severity=warning directory_id=d-1 target_path_name=rd-3G/root/Sandbox/dev-test
route commerce,chat alertname=CloudSSOProvisioningFailed severity=warning directory_id=d-1 target_path_name=rd-3G/root/Commerce/payments-prod
route commerce,pager alertname=CloudSSORevocationFailed severity=critical directory_id=d-1 target_path_name=rd-3G/root/Commerce/eu/shop
route tickets alertname=CloudSSOThrottled severity=info directory_id=d-1
route tickets alertname=CloudSSOAssignmentSpike severity=info directory_id=d-1
echo "routes: pager, chat, tickets and commerce get what is theirs"
