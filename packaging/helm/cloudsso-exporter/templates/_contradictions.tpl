{{- /* Values that contradict each other, each with a sentence that says what to do. */}}
{{- define "cloudsso-exporter.contradictions" -}}
{{- $v := .Values -}}
{{- if not $v.image.repository -}}
  {{- fail "image.repository is empty: push the image to your registry and name it" -}}
{{- end -}}
{{- if not $v.config.directories -}}
  {{- fail "config.directories is empty: name at least one directory, with its directory_id and region" -}}
{{- end -}}

{{- if and $v.credentials.existingSecret $v.credentials.files -}}
  {{- fail "credentials.existingSecret and credentials.files are both set: the keys come from one of them" -}}
{{- end -}}
{{- range $i, $directory := $v.config.directories -}}
  {{- range $key, $value := $directory.credential | default dict -}}
    {{- $path := printf "config.directories[%d].credential.%s" $i $key -}}
    {{- if and $value (has $key (list "access_key_secret" "security_token")) -}}
      {{- fail (printf "%s would be in a ConfigMap, for everyone to read: put it into credentials.files or a Secret and use %s_file" $path $key) -}}
    {{- end -}}
    {{- $folder := "/etc/cloudsso_exporter/secrets/" -}}
    {{- if and (hasSuffix "_file" $key) (hasPrefix $folder (toString $value)) (not $v.credentials.existingSecret) -}}
      {{- $file := trimPrefix $folder $value -}}
      {{- if not (hasKey $v.credentials.files $file) -}}
        {{- fail (printf "%s is %s, but nothing puts a file there: set credentials.existingSecret, or credentials.files with the key %s" $path $value $file) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- if and $v.rrsa.roleName (or $v.rrsa.roleArn $v.rrsa.oidcProviderArn) -}}
  {{- fail "rrsa.roleName and the ARNs of rrsa are both set: give the name where ack-pod-identity-webhook runs, the ARNs where it does not" -}}
{{- end -}}
{{- if ne (empty $v.rrsa.roleArn) (empty $v.rrsa.oidcProviderArn) -}}
  {{- fail "rrsa.roleArn and rrsa.oidcProviderArn go together: one of them is empty" -}}
{{- end -}}
{{- if and $v.rrsa.roleName (not $v.serviceAccount.create) -}}
  {{- fail "rrsa.roleName is an annotation of the service account that the chart makes: set serviceAccount.create, or annotate yours with pod-identity.alibabacloud.com/role-name and leave rrsa.roleName out" -}}
{{- end -}}

{{- $web := $v.webConfig.content -}}
{{- if and $v.webConfig.existingSecret $web -}}
  {{- fail "webConfig.existingSecret and webConfig.content are both set: the web configuration is one of them" -}}
{{- end -}}
{{- if $v.monitor.enabled -}}
  {{- $endpoint := $v.monitor.endpoint -}}
  {{- if and $web.basic_auth_users (not (or $endpoint.basicAuth $endpoint.authorization)) -}}
    {{- fail "webConfig asks for a password, but monitor.endpoint has no basicAuth: Prometheus would be refused" -}}
  {{- end -}}
  {{- if and $web.tls_server_config (ne ($endpoint.scheme | default "") "https") -}}
    {{- fail "webConfig has TLS, but monitor.endpoint.scheme is not https: Prometheus would be refused" -}}
  {{- end -}}
  {{- $interval := include "cloudsso-exporter.seconds" $v.monitor.interval | int -}}
  {{- $hold := $v.config.new_series_hold | default "2m" -}}
  {{- if and (include "cloudsso-exporter.seconds" $hold) (gt $interval (include "cloudsso-exporter.seconds" $hold | int)) -}}
    {{- fail (printf "monitor.interval is %s, longer than config.new_series_hold (%s): increase() would miss first events; set config.new_series_hold to %s or more" $v.monitor.interval $hold $v.monitor.interval) -}}
  {{- end -}}
  {{- if gt (include "cloudsso-exporter.seconds" $v.monitor.scrapeTimeout | int) $interval -}}
    {{- fail (printf "monitor.scrapeTimeout is %s, longer than monitor.interval (%s): Prometheus does not allow that" $v.monitor.scrapeTimeout $v.monitor.interval) -}}
  {{- end -}}
{{- end -}}

{{- range $arg := $v.extraArgs -}}
  {{- $flag := regexFind "^--[a-z.-]+" (toString $arg) -}}
  {{- if has $flag (list "--config.file" "--storage.path" "--web.config.file" "--web.listen-address" "--web.telemetry-path" "--directory-id" "--region") -}}
    {{- fail (printf "extraArgs has %s, which the chart sets itself: leave it out" $flag) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
